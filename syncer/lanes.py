"""Who is in which lane, in the database: one open operation an account, whoever sent it.

A run that takes no lease works beside a full run. The lane keeps their requests apart, and tells the heir of a killed
process what may be under way.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone

from syncer import leases
from syncer.models import Operation, Run
from syncer.states import Reason

TARGETED_POLL_SECONDS = 0.25  # somebody waits for it, and there are two questions' worth of requests at most
TARGETED_SLOTS = 2  # outstanding operations that targeted runs find free beside a full run: together AWS's ten


def lease_of(run_id: int) -> str:
    """The lease that says whether the process of a run is alive."""
    return f"run:{run_id}"


def enter(row: Operation, *, is_targeted: bool) -> bool:
    """Store the intent and take the lane with it; False while somebody else is in it, or no slot is free."""
    if is_targeted and _count_targeted() >= TARGETED_SLOTS:
        return False
    if not is_targeted and _is_waited_for(row.account_id):
        return False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def leave(row: Operation, failed: Reason | None = None) -> None:
    """Give the lane back, and note why the operation failed; who left it already is no error."""
    reason = failed.as_json() if failed else {}
    Operation.objects.filter(pk=row.pk, ended_at__isnull=True).update(ended_at=timezone.now(), reason=reason)


def find_open(account_id: str) -> Operation | None:
    """The operation that holds an account's lane."""
    return Operation.objects.filter(account_id=account_id, ended_at__isnull=True).select_related("change").first()


def is_abandoned(row: Operation) -> bool:
    """Whether the process that opened it is gone."""
    return not leases.is_busy(lease_of(row.change.run_id))


def list_abandoned() -> list[Operation]:
    """The open operations of processes that are gone."""
    rows = Operation.objects.filter(ended_at__isnull=True).select_related("change").order_by("pk")
    return [row for row in rows if is_abandoned(row)]


def _count_targeted() -> int:
    return Operation.objects.filter(ended_at__isnull=True).exclude(change__run__kind=Run.Kind.FULL).count()


def _is_waited_for(account_id: str) -> bool:
    """A targeted run that is alive has something to do in this account: it goes first."""
    runs = (
        Run.objects.filter(status=Run.Status.RUNNING, changes__outcome="planned", changes__account_id=account_id)
        .exclude(kind=Run.Kind.FULL)
        .distinct()
    )
    return any(leases.is_busy(lease_of(pk)) for pk in runs.values_list("pk", flat=True))
