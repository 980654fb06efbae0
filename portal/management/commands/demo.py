"""`manage.py demo`: everything at once, on this machine, from nothing."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.demo.folder import DemoFolder, DemoRefused
from portal.demo.launcher import Demo
from portal.demo.supervisor import ProcessFailed

DEFAULT_PORT = 8000


class Command(BaseCommand):
    help = (
        "Start the portal with a worker, beat and simulators of kintone, AWS and Entra ID, all filled with a sample "
        "company. Needs no settings. Ctrl-C ends all of it; the data stays until --reset."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            default=os.environ.get("PORT") or str(DEFAULT_PORT),
            help=f"where the portal listens on localhost (default: $PORT or {DEFAULT_PORT})",
        )
        parser.add_argument("--reset", action="store_true", help="forget what earlier demos left, and begin anew")
        parser.add_argument(
            "--folder", type=Path, default=settings.BASE_DIR / "var" / "demo", help="where it keeps data and logs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = DemoFolder(options["folder"].resolve())
        demo = Demo(settings.BASE_DIR, folder, _read_port(options["port"]), self._say)
        try:
            demo.run(is_reset=options["reset"])
        except (DemoRefused, ProcessFailed) as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _read_port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise CommandError(f"{text!r} is no port. Give a number from 1 to 65535, e.g. --port 8000.")
    return int(text)
