"""Comparing and adopting one set at somebody's request on its page: rows that wait, and what carries them out.

No request asks kintone or AWS; a task does, with the service that the command uses. A row whose worker died is taken up
again, since every try begins from what is there.
"""

import logging

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import PermissionSet, User
from syncer import leases, runs
from syncer.adoption.adopting import LEASE, Order, Outcome, Result, adopt
from syncer.adoption.checks import Take
from syncer.adoption.reports import describe_result
from syncer.drafts.drafting import NotPossible
from syncer.models import Adoption
from syncer.states import Reason

logger = logging.getLogger(__name__)

_OPEN = (Adoption.Status.QUEUED, Adoption.Status.RUNNING)
_FREE = (PermissionSet.Ownership.NOT_OURS, PermissionSet.Ownership.UNKNOWN)


def is_free(permission_set: PermissionSet) -> bool:
    """In AWS, and neither ours nor the management account's, as far as is known."""
    return bool(permission_set.arn) and permission_set.ownership in _FREE


def queue_adoption(
    permission_set: PermissionSet, user: User, *, applies: bool, take: Take = Take.NOTHING, confirmed: str = ""
) -> Adoption:
    """The row that will be carried out: a new one, or the one of this set that is under way. Raises NotPossible."""
    if not is_free(permission_set):
        raise NotPossible(Reason("adopt_ours_already", {"set": permission_set.name}))
    try:
        with transaction.atomic():
            return Adoption.objects.create(
                permission_set=permission_set, requested_by=user, applies=applies, take=take, confirmed=confirmed
            )
    except IntegrityError as error:
        raise NotPossible(Reason("adopt_busy")) from error


def find_waiting() -> QuerySet[Adoption]:
    return Adoption.objects.filter(status__in=_OPEN).order_by("pk")


def work_off() -> bool:
    """Carry out what waits, one after the other; whether a set is ours now. Somebody else at it is no error."""
    has_adopted = False
    tried: set[int] = set()
    while not leases.is_busy(LEASE) and (row := find_waiting().exclude(pk__in=tried).first()):
        tried.add(row.pk)
        has_adopted |= _carry_out(row)
    return has_adopted


def _carry_out(row: Adoption) -> bool:
    Adoption.objects.filter(pk=row.pk).update(status=Adoption.Status.RUNNING)
    result = _adopt(row)
    if result.error and result.error.code == "adopt_busy":
        Adoption.objects.filter(pk=row.pk).update(status=Adoption.Status.QUEUED)
        return False
    has_adopted = any(item.outcome is Outcome.ADOPTED for item in result.sets)
    with transaction.atomic():
        Adoption.objects.filter(pk=row.pk).update(
            status=result.status, result=describe_result(result), finished_at=timezone.now()
        )
        if has_adopted:
            runs.queue_full_run(by=row.requested_by)
    return has_adopted


def _adopt(row: Adoption) -> Result:
    order = Order(
        names=frozenset({row.permission_set.name}),
        take=Take(row.take),
        applies=row.applies,
        by=row.requested_by,
        confirmed=row.confirmed,
    )
    try:
        return adopt(order)
    except Exception as error:
        logger.exception("adopt: %s failed", row)
        return Result(error=Reason("unexpected", {"text": f"{type(error).__name__}: {error}"[:500]}))
