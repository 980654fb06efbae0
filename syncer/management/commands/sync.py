"""Carry out one run in this process, without broker or worker."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncer.commanding import print_report, requires_settings, tell_at_once
from syncer.models import Run
from syncer.reports import report_of
from syncer.runs import Stopping, run_by_hand


class Command(BaseCommand):
    help = "Bring IAM Identity Center in line with kintone, now and in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--full", action="store_true", help="prove everything, and try again what AWS refused")
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        parser.add_argument("--record", metavar="APP:ID", default="", help="only this kintone record, such as 24:17")
        parser.add_argument(
            "--accept", metavar="CHECKSUM", default="", help="carry out the held removals of this checksum"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        reference = options["record"]
        app_id, _colon, record_id = reference.partition(":")
        if reference and not (app_id.isdigit() and record_id.isdigit()):
            raise CommandError(f"--record {reference}: give it as APP:ID, for example 24:17.", returncode=2)
        report = requires_settings()
        if report is None:
            run = Run(
                kind=Run.Kind.RECORD if reference else Run.Kind.FULL,
                mode=settings.SYNC_MODE,
                everything=options["full"],
                record_reference=reference,
                accept=options["accept"],
                by_hand=True,
            )
            with _heed_signals() as stopping:
                report = report_of(run_by_hand(run, stopping))
            tell_at_once()
        print_report(report, as_json=options["json"], out=self.stdout)


@contextmanager
def _heed_signals() -> Iterator[Stopping]:
    """Asked to end, the run follows what is under way and begins nothing new. A second Ctrl-C is no different."""
    stopping = Stopping()
    before = {number: signal.signal(number, stopping.set) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
