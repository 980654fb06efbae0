"""What people stopped, as runs have to heed it; and what a lock-out leaves in the mirror."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import stops
from accounts.models import Assignment
from syncer.changes import AssignmentChange, Cause, Change, Kind
from syncer.mirror.standings import Outcomes
from syncer.models import Change as ChangeRow
from syncer.states import AssignmentKey, PrincipalType, Reason

LOCKED_OUT = Cause.LOCKED_OUT
PAUSED = "paused"  # the code of an objection
Words = Mapping[str, str]
"""Who, when and why, as parameters of a sentence."""
_BATCH = 500
S = Assignment.State


@dataclass(frozen=True)
class Stops:
    """What holds now: the locked by principal id, the frozen by account id, each with who, when and why."""

    locked: Mapping[str, Words]
    frozen: Mapping[str, Words]


def load_stops(now: datetime | None = None) -> Stops:
    holding = stops.find_holding(now)
    return Stops(
        locked={principal_id: stops.describe(stop) for principal_id, stop in holding.locked.items()},
        frozen={account_id: stops.describe(stop) for account_id, stop in holding.frozen.items()},
    )


def find_pause() -> Reason | None:
    """Who paused runs until when and why, if somebody did."""
    pause = stops.find_pause()
    return Reason("paused", stops.describe(pause)) if pause else None


def is_lock_out(change: Change) -> bool:
    """A removal for a lock-out: a pause does not stop it."""
    return isinstance(change, AssignmentChange) and change.cause == LOCKED_OUT


def find_objection(change: Change) -> Reason | None:
    """What forbids a planned change now that somebody may have stopped or lifted something since; None if nothing."""
    holding = stops.find_holding()
    if is_lock_out(change):
        return None if _is_locked(change, holding) else Reason("lock_out_lifted")
    if holding.pause:
        return Reason("paused", stops.describe(holding.pause))
    if isinstance(change, AssignmentChange) and change.kind is Kind.CREATE:
        return _find_stop(change, holding)
    return None


def _is_locked(change: Change, holding: stops.Holding) -> bool:
    if not isinstance(change, AssignmentChange) or change.key.principal_type is not PrincipalType.USER:
        return False
    return change.key.principal_id in holding.locked


def _find_stop(change: AssignmentChange, holding: stops.Holding) -> Reason | None:
    if _is_locked(change, holding):
        return Reason("locked_out", stops.describe(holding.locked[change.key.principal_id]))
    freeze = holding.frozen.get(change.key.target_id)
    return Reason("account_frozen", stops.describe(freeze)) if freeze else None


# --- What a lock-out removes ------------------------------------------------------------------------------------------


def load_removable(principal_ids: Collection[str]) -> frozenset[AssignmentKey]:
    """What AWS has for these principals that can be removed: on sets of ours, in active accounts.

    What another run has sent and is following counts as there: it will be.
    """
    rows = stops.find_direct(principal_ids).removable()
    known = rows.values_list("account__account_id", "permission_set__name", "principal__principal_id")
    coming = ChangeRow.objects.filter(
        kind=ChangeRow.Kind.CREATE, outcome=ChangeRow.Outcome.SENT, principal_id__in=principal_ids
    ).values_list("account_id", "permission_set_name", "principal_id")
    return frozenset(
        AssignmentKey(account_id, name, PrincipalType.USER, principal_id or "")
        for account_id, name, principal_id in [*known, *coming]
    )


@transaction.atomic
def store_lock_out(outcomes: Outcomes, locked: Mapping[str, Words], now: datetime) -> None:
    """The state of everything that the locked have or are to get; what no lock-out reaches stays as it is."""
    rows = Assignment.objects.filter(principal__principal_id__in=locked).exclude(state=S.REMOVED)
    changed = []
    for row in rows.select_related("account", "permission_set", "principal"):
        was = (row.state, row.reason, row.in_aws)
        _judge(row, outcomes, Reason("locked_out", locked[row.principal.principal_id or ""]))
        if was != (row.state, row.reason, row.in_aws):
            row.since = now if row.state != was[0] else row.since
            changed.append(row)
    Assignment.objects.bulk_update(changed, ["state", "reason", "in_aws", "since"], _BATCH)


_WITHHELD = (S.REQUESTED, S.APPLYING, S.WAITING, S.FAILED)


def _judge(row: Assignment, outcomes: Outcomes, because: Reason) -> None:
    key = AssignmentKey(
        row.account.account_id, row.permission_set.name, PrincipalType.USER, row.principal.principal_id or ""
    )
    problem = outcomes.refused.get(key) or outcomes.postponed.get(key)
    if key in outcomes.deleted:
        row.in_aws = False
        row.state, row.reason = (S.BLOCKED, because.as_json()) if row.is_wanted else (S.REMOVED, {})
    elif problem:
        row.state, row.reason = S.REMOVING, problem.as_json()
    elif not row.in_aws and row.state in _WITHHELD:
        row.state, row.reason = S.BLOCKED, because.as_json()
