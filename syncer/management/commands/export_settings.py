"""Write what neither kintone nor AWS holds into one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.audit import record_event
from syncer.backup.exporting import export_settings
from syncer.backup.files import write_file


class Command(BaseCommand):
    help = "Write what neither kintone nor AWS holds (guardrails, owners, stops, shortcuts ...) as one JSON document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", metavar="FILE", help="the file to write; standard output without it")

    def handle(self, *_args: Any, **options: Any) -> None:
        text = export_settings(timezone.now()).render()
        if not options["out"]:
            self.stdout.write(text, ending="")
            return
        try:
            write_file(Path(options["out"]).absolute(), text)
        except OSError as error:
            raise CommandError(f"{options['out']}: {error}") from error
        record_event("settings.export", by="manage.py", after={"file": options["out"]})
