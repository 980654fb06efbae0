"""The outbox's end towards kintone: posts the comments that wait, one at a time, and each of them once.

kintone knows no idempotency key, so a comment's mark is looked for in the record's comments before it is posted:
whoever died between posting and noting it, or lost the database, does not say it twice. Without kintone they wait;
nothing is given up but what is over meanwhile.
"""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.audit import record_event
from syncer import leases
from syncer.connections import connect_kintone
from syncer.gateways.errors import Denied, GatewayError, NotFound, Permanent, Temporary, Unauthenticated
from syncer.gateways.kintone import KintoneApp
from syncer.gateways.kintone_usage import forecast_day
from syncer.gateways.kintone_values import Comment, Mention, find_field, list_types
from syncer.models import AppState, RecordComment
from syncer.records.usage import load_usage
from syncer.telling.commenting import may_comment
from syncer.telling.outbox import claim, is_due, postpone
from syncer.telling.wording import render_comment

logger = logging.getLogger(__name__)

LEASE = "comments"
BATCH = 20  # of a pass
MOST_OF_QUOTA = 0.85  # readings take up to 0.7 of it, those in line 0.14
CLAIM = timedelta(minutes=10)  # longer than looking and posting can take, all tries included


def post_due() -> int:
    """Post what is due; how many were posted. Somebody else at it is no error."""
    if not may_comment():
        return 0
    due = _list_due(timezone.now())
    if not due:
        return 0
    try:
        with leases.hold_lease(LEASE) as lease, ExitStack() as stack:
            return _post_all(due, _Apps(stack), lease)
    except leases.LeaseBusy:
        return 0


def _list_due(now: datetime) -> list[RecordComment]:
    """What waits for no run: a record that was written since is looked at first, it may be mended.

    Those that stand in line go on standing there while the day's requests come near the quota.
    """
    rows = RecordComment.objects.filter(
        is_due(now), sent_at__isnull=True, ended_at__isnull=True, record__gone_at__isnull=True, record__is_settled=True
    )
    in_line = Q(attempts=0, retry_at__isnull=False, record__app_id__in=_find_tight(rows, now))
    ordered = rows.exclude(in_line).order_by(F("retry_at").asc(nulls_first=True), "pk")
    return list(ordered.select_related("record")[:BATCH])


def _find_tight(rows: QuerySet[RecordComment], now: datetime) -> list[str]:
    apps = set(rows.values_list("record__app_id", flat=True))
    return [app_id for app_id in apps if forecast_day(load_usage(app_id, now), now).share > MOST_OF_QUOTA]


def _post_all(due: list[RecordComment], apps: "_Apps", lease: leases.Held) -> int:
    posted = 0
    for comment in due:
        app = apps.find(comment)
        if app is None or lease.is_lost or not claim(comment, CLAIM):
            continue
        try:
            posted += _post(comment, app, apps)
        except NotFound:
            _end(comment)  # the next scan finds that the record is gone
        except Temporary as error:
            # Whatever it is, it would meet the next comment as well.
            _postpone(comment, error)
            break
        except Permanent as error:
            _postpone(comment, error)
            if isinstance(error, Denied | Unauthenticated):
                apps.closed.add(app.app_id)
    return posted


@dataclass
class _Apps:
    """The apps that this pass has opened. One that takes no comments is not asked again in it."""

    stack: ExitStack
    opened: dict[str, KintoneApp] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    _labels: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def find(self, comment: RecordComment) -> KintoneApp | None:
        """None too for a record of an app that the settings do not name any more."""
        if not self.opened:
            sources = [self.stack.enter_context(source.app) for source in connect_kintone()]
            self.opened = {app.app_id: app for app in sources}
        app_id = comment.record.app_id
        return None if app_id in self.closed else self.opened.get(app_id)

    def labels(self, app: KintoneApp, comment: RecordComment) -> Mapping[str, str]:
        """Our field name → what the form calls the field, asked for once a pass and only where a comment names one."""
        if not any(remark["field"] for remark in comment.remarks):
            return {}
        if app.app_id not in self._labels:
            state = AppState.objects.filter(kind=comment.record.kind).first()
            fields, codes = app.fetch_fields(), state.fields if state else {}
            there = list_types(fields)
            named = {name: find_field(fields, path).label or path for name, path in codes.items() if path in there}
            self._labels[app.app_id] = named
        return self._labels[app.app_id]


def _post(comment: RecordComment, app: KintoneApp, apps: _Apps) -> bool:
    """Post it unless it stands there already, or there is nothing that it could take back."""
    there = app.fetch_comments(comment.record.record_id)
    if found := _find(there, comment.mark):
        _note_sent(comment, found.id)
        return False
    if comment.takes_back and _find(there, comment.takes_back) is None:
        _end(comment)
        return False
    _note_sent(comment, _send(comment, app, apps.labels(app, comment)))
    return True


def _find(comments: list[Comment], mark: str) -> Comment | None:
    return next((comment for comment in comments if mark in comment.text), None)


def _send(comment: RecordComment, app: KintoneApp, labels: Mapping[str, str]) -> str:
    """Post it; the comment's id. As a rule kintone refuses because of somebody whom it does not know any more.

    Then the first is called alone, which is the writer, then nobody: what is told counts more than who is called.
    """
    everybody = [Mention(code) for code in comment.mentions]
    for mentions in filter(None, (everybody, everybody[:1] if len(everybody) > 1 else [])):
        try:
            return app.post_comment(comment.record.record_id, render_comment(comment, labels), mentions)
        except (Temporary, Denied, NotFound, Unauthenticated):
            raise
        except Permanent as error:
            logger.warning("posting: comment %s is posted with fewer mentions: %s", comment.pk, error)
    return app.post_comment(comment.record.record_id, render_comment(comment, labels, names_writer=True))


@transaction.atomic
def _note_sent(comment: RecordComment, comment_id: str) -> None:
    RecordComment.objects.filter(pk=comment.pk).update(sent_at=timezone.now(), comment_id=comment_id, error="")
    subject = ("record", comment.record.reference, comment.record.title)
    record_event("record.comment", obj=subject, after={"kind": comment.kind, "comment": comment_id})


def _end(comment: RecordComment) -> None:
    RecordComment.objects.filter(pk=comment.pk).update(ended_at=timezone.now())


def _postpone(comment: RecordComment, error: GatewayError) -> None:
    postpone(comment, error)
    logger.warning("posting: comment %s was not posted: %s", comment.pk, error)
