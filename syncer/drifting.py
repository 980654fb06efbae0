"""What somebody changed by hand on our sets since our last good reading of them. Pure: no Django, no clock, no network.

Drift is a difference from what we knew that we did not make and no record wants. What the first reading of a set finds
is none, nor is what could not be read; and what goes in any case does not wait for a grace: access of people who have
left, access past its last day.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from syncer.desired import Desired, State
from syncer.planning import Fences
from syncer.states import Actual, AssignmentKey, Definition, Difference, Ownership, PrincipalType, Reason


class DriftKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Decision(StrEnum):
    NONE = ""
    PUT_BACK = "put_back"
    KEEP = "keep"


class Matter(NamedTuple):
    """What was changed: one assignment, or a whole set, which has neither account nor principal."""

    permission_set: str
    account_id: str = ""
    principal_type: str = ""
    principal_id: str = ""

    @property
    def key(self) -> AssignmentKey | None:
        if not self.principal_id:
            return None
        return AssignmentKey(
            self.account_id, self.permission_set, PrincipalType(self.principal_type), self.principal_id
        )


@dataclass(frozen=True)
class HandMade:
    """One change made by hand. The differences of a set lead from what its record wants to what AWS has."""

    kind: DriftKind
    matter: Matter
    differences: tuple[Difference, ...] = ()
    record_revision: int | None = None  # of the set's record when it was seen


@dataclass(frozen=True)
class Noted:
    """Drift that was noted and has not ended."""

    change: HandMade
    seen_at: datetime
    decision: Decision = Decision.NONE


@dataclass(frozen=True)
class Known:
    """What the mirror knew before this reading.

    proved: sets whose assignments were all known; settled: definitions as last judged, or as we made them.
    """

    assignments: frozenset[AssignmentKey] = frozenset()
    proved: frozenset[str] = frozenset()
    settled: Mapping[str, Definition] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """What becomes of drift: `grace`, `overwrite` or `notify`, and how long the grace is."""

    mode: str = "grace"
    grace: timedelta = timedelta(hours=24)

    def find_end(self, drift: Noted) -> datetime | None:
        """When it is put back; None if never by itself."""
        if self.mode == "notify" or drift.decision is Decision.KEEP:
            return None
        at_once = self.mode == "overwrite" or drift.decision is Decision.PUT_BACK
        return drift.seen_at if at_once else drift.seen_at + self.grace

    def is_held(self, drift: Noted, now: datetime) -> bool:
        """Whether it is left alone now."""
        if drift.decision is Decision.PUT_BACK:
            return False
        end = self.find_end(drift)
        return end is None or now < end


# --- What is new ------------------------------------------------------------------------------------------------------


def find_changes(desired: Desired, actual: Actual, known: Known) -> list[HandMade]:
    """What differs from the mirror and from the wish. Whether we made it ourselves is for the caller to know."""
    fences = Fences(actual.unresolved)
    added = [
        HandMade(DriftKind.ADDED, _matter_of(key))
        for key in actual.assignments - known.assignments
        if actual.coverage.covers(key) and key.permission_set in known.proved
        if _is_readable(actual, fences, key) and is_unwanted(desired, actual, key)
    ]
    removed = [
        HandMade(DriftKind.REMOVED, _matter_of(key))
        for key in known.assignments - actual.assignments
        if actual.coverage.covers(key)
        if _is_readable(actual, fences, key) and is_wanted(desired, key)
    ]
    sets = [change for name in sorted(known.settled) if (change := _find_change_of_set(desired, actual, known, name))]
    return [*sets, *sorted([*added, *removed], key=lambda change: change.matter)]


def _matter_of(key: AssignmentKey) -> Matter:
    return Matter(key.permission_set, key.target_id, key.principal_type, key.principal_id)


def _is_readable(actual: Actual, fences: Fences, key: AssignmentKey) -> bool:
    """The pair was read, on a set of ours and in an account that may be written."""
    account = actual.accounts.get(key.target_id)
    if account is None or not account.is_active or key.target_id == actual.instance.management_account_id:
        return False
    if not actual.coverage.covers(key) or not _is_ours(actual, key.permission_set):
        return False
    return not (fences.stop_create(key) or fences.stop_delete(key))


def _is_ours(actual: Actual, name: str) -> bool:
    there = actual.sets.get(name)
    return there is not None and there.ownership is Ownership.OURS


def is_wanted(desired: Desired, key: AssignmentKey) -> bool:
    """A record wants it, and nothing stands in its way."""
    standing = desired.wanted.get(key)
    return standing is not None and standing.state is State.WANTED and key not in desired.ending


def is_unwanted(desired: Desired, actual: Actual, key: AssignmentKey) -> bool:
    """No record wants it, and nothing takes it away in any case."""
    principal = actual.principals.get(key.principal_id)
    if principal is None or not principal.is_enabled or key.principal_id in desired.leaving:
        return False
    return key not in desired.wanted and key not in desired.kept and key not in desired.ended


def _find_change_of_set(desired: Desired, actual: Actual, known: Known, name: str) -> HandMade | None:
    """A set of ours that is other than we knew and other than its record wants, or is gone."""
    if name not in desired.sets or not was_read(actual, name):
        return None
    revision = desired.revisions.get(desired.sets[name].record)
    if name not in actual.sets:
        return HandMade(DriftKind.REMOVED, Matter(name), record_revision=revision)
    now = actual.sets[name].definition
    if not _is_ours(actual, name) or now is None or not known.settled[name].differences(now):
        return None
    differences = desired.sets[name].definition.differences(now)
    return HandMade(DriftKind.CHANGED, Matter(name), differences, revision) if differences else None


def was_read(actual: Actual, name: str) -> bool:
    """Whether the definition of the set is that of this reading."""
    if actual.sets_read is not None and name not in actual.sets_read:
        return False
    return not Fences(actual.unresolved).stop_set(name)


# --- What is over -----------------------------------------------------------------------------------------------------


def find_ended(drifts: Iterable[Noted], desired: Desired, actual: Actual) -> list[Noted]:
    """Those that are no difference any more, whoever saw to it. What was not read goes on."""
    fences = Fences(actual.unresolved)
    return [drift for drift in drifts if _has_ended(drift.change, desired, actual, fences)]


def _has_ended(change: HandMade, desired: Desired, actual: Actual, fences: Fences) -> bool:
    key = change.matter.key
    if key is None:
        return _has_set_ended(change, desired, actual)
    if key.permission_set in actual.sets and not _is_ours(actual, key.permission_set):
        return not fences.stop_delete(key)
    if not _is_readable(actual, fences, key):
        return False
    is_there = key in actual.assignments
    if change.kind is DriftKind.ADDED:
        return not is_there or not is_unwanted(desired, actual, key)
    return is_there or not is_wanted(desired, key)


def _has_set_ended(change: HandMade, desired: Desired, actual: Actual) -> bool:
    """In line with its record again, or the record has a newer word, or none that counts."""
    name = change.matter.permission_set
    if not was_read(actual, name):
        return False
    wished, there = desired.sets.get(name), actual.sets.get(name)
    if wished is None or (desired.revisions.get(wished.record) or 0) > (change.record_revision or 0):
        return True
    if change.kind is DriftKind.REMOVED:
        return there is not None
    if there is None or there.definition is None or there.ownership is not Ownership.OURS:
        return True
    return not there.definition.differences(wished.definition)


# --- What follows -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Consequences:
    """What the planner has to heed; see `planning.Circumstances`."""

    left_alone: Mapping[AssignmentKey, Reason] = field(default_factory=dict)
    sets_left_alone: frozenset[str] = frozenset()
    overdue: frozenset[AssignmentKey] = frozenset()
    asked: frozenset[AssignmentKey] = frozenset()


def weigh(drifts: Collection[Noted], policy: Policy, now: datetime) -> Consequences:
    """What is left alone now, what is put back because its time is over, and what because somebody said so."""
    held = [drift for drift in drifts if policy.is_held(drift, now)]
    due = [drift for drift in drifts if drift.change.kind is DriftKind.ADDED and not policy.is_held(drift, now)]
    return Consequences(
        left_alone={key: _explain(drift, policy) for drift in held if (key := drift.change.matter.key)},
        sets_left_alone=frozenset(drift.change.matter.permission_set for drift in held if not drift.change.matter.key),
        overdue=frozenset(_keys_of(drift for drift in due if drift.decision is Decision.NONE)),
        asked=frozenset(_keys_of(drift for drift in due if drift.decision is Decision.PUT_BACK)),
    )


def _explain(drift: Noted, policy: Policy) -> Reason:
    """Why an assignment is as it is; without an end where it waits for somebody's word."""
    end = policy.find_end(drift)
    params = {"until_at": end.isoformat(timespec="seconds")} if end else {}
    return Reason("drift_added" if drift.change.kind is DriftKind.ADDED else "drift_removed", params)


def _keys_of(drifts: Iterable[Noted]) -> Iterator[AssignmentKey]:
    return (key for drift in drifts if (key := drift.change.matter.key))


def find_proved(actual: Actual) -> frozenset[str]:
    """Sets of ours all of whose assignments this reading has seen: from now on, what is new there is drift."""
    fenced = [item.scope for item in actual.unresolved if item.blocks == "all"]
    if any(scope.permission_set is None for scope in fenced):
        return frozenset()
    unread = {scope.permission_set for scope in fenced}
    return frozenset(
        name
        for name, there in actual.sets.items()
        if there.ownership is Ownership.OURS and name not in unread and actual.coverage.covers_set(name)
    )
