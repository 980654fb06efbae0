"""Read kintone and AWS and show what a run would do. Changes nothing but the mirror."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from syncer.commanding import print_report, requires_settings
from syncer.runs import plan_only


class Command(BaseCommand):
    help = "Show what a run would do: reads kintone and AWS, writes to neither."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        report = requires_settings() or plan_only()
        print_report(report, as_json=options["json"], out=self.stdout)
