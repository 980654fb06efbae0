"""Say whether the migrations that are due may be applied while the old version is at work."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from portal.upgrading import Impact, find_hazards

STOP_FIRST = 3  # exit code


class Command(BaseCommand):
    help = (
        "Say what the migrations that are due mean for the version that is at work. Exit code 3: stop it before you "
        "migrate."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        hazards = find_hazards(connection)
        for hazard in hazards:
            self.stdout.write(f"{hazard.impact}: {hazard.migration}: {hazard.what}")
        if any(hazard.impact is Impact.STOP for hazard in hazards):
            self.stdout.write("Stop web, worker and beat before you migrate.")
            sys.exit(STOP_FIRST)
        self.stdout.write("The version that is at work can stay so while you migrate.")
