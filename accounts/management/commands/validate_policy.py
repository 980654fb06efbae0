"""`manage.py validate_policy FILE…`: the portal's verdict on policies, for people's own continuous integration."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.policy import catalogue
from accounts.policy.findings import SEVERITIES, Finding, Severity
from accounts.policy.validator import has_errors, validate_policy
from accounts.sentences import render

STANDARD_INPUT = "-"
_WIDTH = 100  # of a line that is shown


class Command(BaseCommand):
    help = (
        "Say what is wrong with policies, as the portal and its runs would. Needs no database and no settings. "
        "Exit code 1 if any of them has an error; warnings, security notes and hints do not count."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a policy as JSON; - reads standard input")
        parser.add_argument("--json", action="store_true", help="print one JSON object a line and file")

    def handle(self, *_args: Any, **options: Any) -> None:
        everything: list[Finding] = []
        with translation.override(settings.LANGUAGE_CODE):
            for name in options["files"]:
                text, findings = check_file(name)
                everything += findings
                self._print(name, text, findings, as_json=options["json"])
            if not options["json"]:
                self.stdout.write(summarise(everything))
        if has_errors(everything):
            sys.exit(1)

    def _print(self, name: str, text: str, findings: Sequence[Finding], *, as_json: bool) -> None:
        if as_json:
            rows = [as_row(finding) for finding in findings]
            self.stdout.write(json.dumps({"file": name, "findings": rows}, ensure_ascii=False))
            return
        for finding in findings:
            for line in show(name, text, finding):
                self.stdout.write(line)


def check_file(name: str) -> tuple[str, tuple[Finding, ...]]:
    """The text of a file, and what is to be said about it. What cannot be read is an error of its own."""
    try:
        content = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        return "", (_refuse("FILE_UNREADABLE", text=str(error.strerror)),)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return "", (_refuse("FILE_NOT_UTF8", line, column),)
    return text, validate_policy(text)


def _refuse(code: str, line: int = 1, column: int = 1, **params: Any) -> Finding:
    return Finding(code, SEVERITIES[code], "", line, column, line, column, f"policy_{code.lower()}", params)


def as_row(finding: Finding) -> dict[str, Any]:
    sentence = render(finding.sentence, finding.params)
    return {
        "severity": str(finding.severity),
        "code": finding.code,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": sentence.message,
        "remedy": sentence.remedy,
    }


# --- For people ------------------------------------------------------------------------------------------------------


def show(name: str, text: str, finding: Finding) -> Iterator[str]:
    """The finding, and below it the line with a mark under the place."""
    said = render(finding.sentence, finding.params).text
    yield f"{name}:{finding.line}:{finding.column}: {finding.severity} {finding.code}: {said}"
    lines = text.split("\n")
    if finding.line > len(lines):
        return
    line = lines[finding.line - 1].rstrip("\r").replace("\t", " ")
    end = finding.end_column if finding.end_line == finding.line else len(line) + 1
    first = max(0, finding.column - 1 - _WIDTH // 2)
    shown, start = line[first : first + _WIDTH], finding.column - 1 - first
    if not shown.strip():
        return
    marked = shown[start : end - 1 - first]
    yield f"    {''.join(sign if sign.isprintable() else '·' for sign in shown)}"
    yield f"    {' ' * _measure(shown[:start])}^{'~' * (_measure(marked) - 1)}"


def _measure(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def summarise(findings: Sequence[Finding]) -> str:
    counts = ", ".join(f"{severity} {sum(each.severity is severity for each in findings)}" for severity in Severity)
    day = catalogue.find_date()
    return f"{counts}. {_('Names of AWS as of %(day)s.') % {'day': day or '—'}}"
