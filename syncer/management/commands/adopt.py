"""Compare the permission sets that are not ours with kintone, and bring them under Genkan."""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from syncer.adoption.adopting import Order, Result, adopt
from syncer.adoption.checks import Take
from syncer.adoption.reports import EXIT_CODES, iter_lines, render_json
from syncer.required import find_missing
from syncer.states import Reason


class Command(BaseCommand):
    help = "Bring permission sets that AWS has already under Genkan. Shows what it would do; --apply does it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--apply", action="store_true", help="write records and tag the sets; without it, only show"
        )
        parser.add_argument(
            "--take",
            choices=[Take.KINTONE.value, Take.AWS.value],
            default="",
            help="whose word counts where they differ",
        )
        parser.add_argument("--leave-out", metavar="FILE", help="assignments that may be lost, one a line")
        parser.add_argument(
            "--owners", metavar="CSV", help="owners of the records that are written, by account or unit"
        )
        parser.add_argument(
            "--set", metavar="NAME", dest="names", action="append", default=[], help="only this set; may be repeated"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        order = Order(
            names=frozenset(options["names"]),
            take=Take(options["take"]),
            leave_out=_read(options["leave_out"]),
            owners=_read(options["owners"]),
            applies=options["apply"],
        )
        result = _require_settings() or adopt(order)
        with translation.override(settings.LANGUAGE_CODE):
            if options["json"]:
                self.stdout.write(json.dumps(render_json(result), ensure_ascii=False))
            else:
                for line in iter_lines(result):
                    self.stdout.write(line)
        if code := EXIT_CODES[result.status]:
            sys.exit(code)


def _require_settings() -> Result | None:
    missing = find_missing("kintone", "aws")
    return Result(error=Reason("settings_missing", {"text": " ".join(missing)})) if missing else None


def _read(name: str | None) -> str:
    """The contents of a file, empty where none is given."""
    if not name:
        return ""
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name}: {error}", returncode=2) from error
