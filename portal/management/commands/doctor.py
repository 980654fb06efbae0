"""Say of every connection and right whether it works, and what to do where it does not. Changes nothing."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from accounts.sentences import render
from portal.doctor.examination import examine
from portal.doctor.reports import Check, Status, has_failed

_MARKS = {Status.OK: "ok  ", Status.WARN: "warn", Status.FAIL: "FAIL"}
_COLORS = {Status.OK: "SUCCESS", Status.WARN: "WARNING", Status.FAIL: "ERROR"}


class Command(BaseCommand):
    help = "Try every connection and right for real, and say what to do where one does not work. Changes nothing."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        checks = examine()
        with translation.override(settings.LANGUAGE_CODE):
            if options["json"]:
                self.stdout.write(json.dumps({"checks": [_as_json(check) for check in checks]}, ensure_ascii=False))
            else:
                self._print(checks)
        if has_failed(checks):
            sys.exit(1)

    def _print(self, checks: list[Check]) -> None:
        for check in checks:
            sentence = render(check.reason.code, check.reason.params)
            mark = getattr(self.style, _COLORS[check.status])(_MARKS[check.status])
            lines = sentence.message.replace("\n", "\n     ")  # of settings: each on its own
            self.stdout.write(f"{mark} {check.name}: {lines}")
            if sentence.remedy and not check.is_ok:
                self.stdout.write(f"     → {sentence.remedy}")


def _as_json(check: Check) -> dict[str, str]:
    sentence = render(check.reason.code, check.reason.params)
    return {
        "name": check.name,
        "status": check.status.value,
        "message": sentence.message,
        "remedy": sentence.remedy,
    }
