"""What `plan` and `sync` share: settings they cannot do without, printing a report, the exit code."""

import json
import logging
import sys
from typing import Any, Protocol

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.sentences import render, render_reason
from syncer.changes import Kind
from syncer.connections import connect_mailer, connect_slack, connect_slack_people
from syncer.github.answering import answer_due
from syncer.measured import hand_over
from syncer.models import Change
from syncer.reports import Report
from syncer.required import find_missing
from syncer.shapes import COUNTS
from syncer.states import Reason
from syncer.telling import posting
from syncer.telling.delivering import Carriers, send_letters
from syncer.telling.sending import send_due

logger = logging.getLogger(__name__)

SIGNS = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.DELETE: "-"}


class Output(Protocol):
    def write(self, msg: str, /) -> Any: ...


def requires_settings() -> Report | None:
    """The report that says which settings are missing, None when all are there."""
    missing = find_missing("kintone", "aws")
    if not missing:
        return None
    return Report(status="failed", error=Reason("settings_missing", {"text": " ".join(missing)}).as_json())


def tell_at_once() -> None:
    """Send what the outboxes hold: whoever runs by hand may have no worker. What fails waits for the next time."""
    for send in (posting.post_due, lambda: send_due(connect_slack()), _send_letters, answer_due):
        try:
            send()
        except Exception:  # the run is over and its report has to come
            logger.exception("sync: not everything could be told")


def _send_letters() -> int:
    return send_letters(Carriers(connect_slack_people(), connect_mailer()), at_once=True)


def print_report(report: Report, *, as_json: bool, out: Output) -> None:
    """Print the report in the company's language and end the process with its exit code, if that is not 0."""
    hand_over()
    with translation.override(settings.LANGUAGE_CODE):
        if as_json:
            out.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            _print_text(report, out)
    if report.exit_code:
        sys.exit(report.exit_code)


def _print_text(report: Report, out: Output) -> None:
    for change in report.changes:
        out.write(_render_line(change))
    for problem in report.problems:
        place = " ".join(filter(None, (problem["record"], problem["field"], str(problem["line"] or ""))))
        out.write(f"! {place}: {render(problem['code'], problem['params']).text}")
    for item in report.unresolved:
        reason = render_reason(item["reason"])
        out.write(f"? {item['scope']} ({item['operation']}): {reason.message if reason else ''}")
    error = render_reason(report.error)
    if error:
        out.write(error.text)
    out.write(", ".join(f"{name} {report.counts.get(name, 0)}" for name in COUNTS))
    if report.checksum:
        out.write(
            _("Held removals: accept them with manage.py sync --accept %(checksum)s") % {"checksum": report.checksum}
        )


def _render_line(change: Change) -> str:
    reason = render_reason(change.reason)
    where = " ".join(
        filter(None, (change.account_id, change.permission_set_name, change.principal_name or change.principal_id))
    )
    outcome = change.get_outcome_display()
    return f"{SIGNS[Kind(change.kind)]} {where} [{outcome}] {reason.message if reason else ''}".rstrip()
