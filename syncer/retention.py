"""What the portal forgets after `RETENTION_DAYS`: runs with their changes, what the mirrors keep of the past, and
what was told.

The audit trail has no end. Nor have people and groups that are gone: a name that somebody bore before must not lead to
somebody else. Rows go in batches, each in a transaction of its own, so that nobody waits for long.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Assignment, Draft, PermissionSet, Record, Stop
from syncer.models import Farewell, Letter, Notice, Operation, Run, SyncRequest, TerraformExport

logger = logging.getLogger(__name__)
BATCH = 500  # rows; a run takes its changes along
MOST_BATCHES = 400  # in one night; the next one goes on
_KEPT_RUNS = 100  # the newest, however old: pages and runs look back at them


def forget_the_past(now: datetime) -> dict[str, int]:
    """Delete what is older than the days of the setting; how many rows of each kind went."""
    before = now - timedelta(days=settings.RETENTION_DAYS)
    steps: tuple[tuple[str, Callable[[], QuerySet[Any]]], ...] = (
        ("runs", lambda: find_old_runs(before, now)),
        ("requests", lambda: find_old_requests(before)),
        ("assignments", lambda: find_old_assignments(before)),
        ("records", lambda: find_old_records(before)),
        ("notices", lambda: Notice.objects.filter(created_at__lt=before, ended_at__isnull=False)),
        ("letters", lambda: Letter.objects.filter(created_at__lt=before)),
        ("exports", lambda: find_old_exports(before)),
    )
    counts = {name: _delete_in_batches(find) for name, find in steps}
    logger.info("retention: before=%s %s", before.isoformat(), counts)
    return counts


def find_old_runs(before: datetime, now: datetime) -> QuerySet[Run]:
    """Runs that are over. Kept: the newest, what looks like proof that AWS was read, and what is still followed."""
    newest = list(Run.objects.order_by("-pk").values_list("pk", flat=True)[:_KEPT_RUNS])
    proofs = (
        Run.objects.filter(is_proof=True).order_by("-started_at").values_list("pk", flat=True).first(),
        Run.objects.filter(kind=Run.Kind.FULL, share__isnull=False)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first(),
    )
    followed = Q(stop__in=Stop.objects.active(now)) | Q(
        pk__in=Operation.objects.filter(ended_at__isnull=True).values("change__run")
    )
    old = Run.objects.filter(requested_at__lt=before).exclude(status__in=(Run.Status.QUEUED, Run.Status.RUNNING))
    return old.exclude(pk__in=[*newest, *filter(None, proofs)]).exclude(followed)


def find_old_requests(before: datetime) -> QuerySet[SyncRequest]:
    """Comments on GitHub that started nothing. The others stay: GitHub's webhook could be played back for ever."""
    return SyncRequest.objects.filter(created_at__lt=before).exclude(verdict=SyncRequest.Verdict.ACCEPTED)


def find_old_assignments(before: datetime) -> QuerySet[Assignment]:
    """Access that was removed, and that nothing wants or has."""
    return Assignment.objects.filter(state=Assignment.State.REMOVED, in_aws=False, is_wanted=False, since__lt=before)


def find_old_records(before: datetime) -> QuerySet[Record]:
    """Records that kintone lost, once nothing follows from them any more."""
    sets = PermissionSet.objects.exclude(state=PermissionSet.State.REMOVED).filter(record__isnull=False)
    return (
        Record.objects.filter(gone_at__lt=before, is_settled=True, wishes__isnull=True)
        .exclude(pk__in=sets.values("record"))
        .exclude(pk__in=Draft.objects.open().filter(record__isnull=False).values("record"))
        .exclude(pk__in=Farewell.objects.filter(ended_at__isnull=True).values("record"))
    )


def find_old_exports(before: datetime) -> QuerySet[TerraformExport]:
    """Files for Terraform that others have replaced. Kept: the newest, and what was taken over last."""
    exports = TerraformExport.objects.all()
    kept = [rows.values_list("pk", flat=True).first() for rows in (exports.newest_first(), exports.taken())]
    return exports.filter(checked_at__lt=before).exclude(pk__in=[pk for pk in kept if pk])


def _delete_in_batches(find: Callable[[], QuerySet[Any]]) -> int:
    count = 0
    for _batch in range(MOST_BATCHES):
        with transaction.atomic():
            keys = list(find().order_by("pk").values_list("pk", flat=True)[:BATCH])
            # Asked once more in the statement that deletes: what came to be wanted meanwhile stays.
            deleted: dict[str, int] = find().filter(pk__in=keys).delete()[1] if keys else {}
        if not deleted:
            break
        count += deleted.get(find().model._meta.label, 0)
    return count
