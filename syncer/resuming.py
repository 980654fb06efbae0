"""What a killed process left under way: AWS is asked what became of it before anything else is sent there.

An operation with a request id is followed to its end. One without may have been sent: it is looked for among what is
under way, then in what AWS has. What cannot be settled keeps its lane, and nothing is planned for it.
"""

import logging
import time
from collections.abc import Callable, Iterable

from django.db import transaction
from django.utils import timezone

from syncer import lanes
from syncer.following import GIVE_UP_SECONDS, judge_failure
from syncer.gateways.errors import GatewayError, NotFound
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_requests import Aim, OperationStatus, RequestKind, RequestStatus
from syncer.models import Change, Operation
from syncer.states import PrincipalType, Reason
from syncer.telling.access_letters import note_access
from syncer.trail import record_success

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0


def settle_all(
    rows: Iterable[Operation], center: IdentityCenter, *, sleep: Callable[[float], None] = time.sleep
) -> int:
    """Settle these operations; how many are settled now. One that AWS cannot be asked about stops no other."""
    settled = 0
    for row in rows:
        try:
            settle(row, center, sleep=sleep)
            settled += 1
        except GatewayError as error:
            logger.warning("resume: operation %s of account %s stays open: %s", row.pk, row.account_id, error)
    return settled


def settle(row: Operation, center: IdentityCenter, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Follow one operation to its end and note it at its change. Raises GatewayError while AWS cannot say."""
    kind, aim = RequestKind(row.kind), _aim_of(row)
    if not aim.permission_set_arn:  # its set was never made, so nothing was sent
        _note(row, Reason("run_lost"))
        lanes.leave(row)
        return
    request_id = row.request_id or center.find_request(kind, aim)
    if request_id and not row.request_id:
        Operation.objects.filter(pk=row.pk).update(request_id=request_id)
        Change.objects.filter(pk=row.change_id).update(request_id=request_id)
    status, reason = _await_end(center, kind, request_id, sleep) if request_id else None, None
    if status is not None:
        failed = None if status.status is RequestStatus.SUCCEEDED else judge_failure(status.failure_reason, kind)
        reason = failed.reason if failed else None
        _note(row, reason)
    elif kind is not RequestKind.PROVISIONING:
        _note(row, None if _is_done(center, kind, aim) else Reason("run_lost"))
    lanes.leave(row, reason)
    logger.info("resume: operation %s of account %s is settled: %s", row.pk, row.account_id, status or "looked up")


def _aim_of(row: Operation) -> Aim:
    return Aim(row.permission_set_arn, row.account_id, row.principal_type, row.principal_id)


def _await_end(
    center: IdentityCenter, kind: RequestKind, request_id: str, sleep: Callable[[float], None]
) -> OperationStatus | None:
    """AWS's last word; None if it has forgotten the request, or takes longer than anybody waits."""
    for _attempt in range(int(GIVE_UP_SECONDS / POLL_SECONDS)):
        try:
            found = center.describe_status(kind, request_id)
        except NotFound:
            return None
        if found.status is not RequestStatus.IN_PROGRESS:
            return found
        sleep(POLL_SECONDS)
    return None


def _is_done(center: IdentityCenter, kind: RequestKind, aim: Aim) -> bool:
    """What AWS has says whether a request that nobody remembers was carried out."""
    try:
        there = center.list_assignments(aim.target_id, aim.permission_set_arn)
    except NotFound:  # the set is gone, and with it every assignment
        return kind is RequestKind.DELETION
    return ((PrincipalType(aim.principal_type), aim.principal_id) in there) is (kind is RequestKind.CREATION)


def _note(row: Operation, failed: Reason | None) -> None:
    """The outcome of an assignment's change. A set's change is over with all of its accounts: the next plan tells."""
    if row.kind == Operation.Kind.PROVISIONING:
        return
    with transaction.atomic():
        change = Change.objects.select_for_update().filter(pk=row.change_id, outcome=Change.Outcome.SENT).first()
        if change is None:
            return
        change.outcome = Change.Outcome.FAILED if failed else Change.Outcome.SUCCEEDED
        change.reason, change.finished_at = failed.as_json() if failed else {}, timezone.now()
        change.save(update_fields=["outcome", "reason", "finished_at"])
        if not failed:
            record_success(change)
            note_access(change)
