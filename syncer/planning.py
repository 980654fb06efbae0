"""(desired, actual, limits) → Plan. Pure: no Django, no clock, no network.

The order is fixed: permission sets are made and mended first, then every account's creates before its deletes (a person
who moves between sets has the new before he loses the old), permission sets are deleted last.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from syncer.changes import AssignmentChange, Change, Kind, Limits, Plan, SetChange, identity_of
from syncer.desired import Desired, State, WishedSet
from syncer.states import Actual, AssignmentKey, Ownership, Reason, Scope, Unresolved

FEW = 5  # removals in one account or one set below which its share does not matter: design, "the brake"


@dataclass(frozen=True)
class Refused:
    """What AWS refused for good and what is not tried again yet."""

    assignments: frozenset[AssignmentKey] = frozenset()
    sets: frozenset[str] = frozenset()


NOTHING_REFUSED = Refused()


@dataclass(frozen=True)
class Circumstances:
    """What else a plan has to heed beside what should be and what is there.

    locked: principal ids of people who are locked out: everything of theirs on our sets goes, nothing comes.
    frozen: ids of accounts whose owner lets nobody new in.
    drift, drifting_sets: what was changed by hand and is left alone for now.
    under_way: what another run has sent to AWS and is following.
    """

    refused: Refused = NOTHING_REFUSED
    locked: frozenset[str] = frozenset()
    frozen: frozenset[str] = frozenset()
    drift: frozenset[AssignmentKey] = frozenset()
    drifting_sets: frozenset[str] = frozenset()
    under_way: frozenset[AssignmentKey] = frozenset()


CALM = Circumstances()


def plan_run(desired: Desired, actual: Actual, limits: Limits, circumstances: Circumstances = CALM) -> Plan:
    """Work out everything that is to be done to bring `actual` to `desired`, and hold back what is too much."""
    refused = circumstances.refused
    fences = Fences(actual.unresolved)
    set_changes = [change for name in sorted(desired.sets) if (change := _plan_set(desired.sets[name], actual, fences))]
    set_changes = [change for change in set_changes if change.name not in refused.sets]
    coming = frozenset(change.name for change in set_changes if change.kind is Kind.CREATE)
    creates = _plan_creates(desired, actual, fences, refused, coming)
    deletes = [_confirm(change, limits) for change in _plan_deletes(desired, actual, fences, refused)]
    held, because = _brake(deletes, actual, limits)
    going = [change for change in deletes if change not in held]
    set_deletes = [
        change for change in _plan_set_deletes(desired, actual, fences, going) if change.name not in refused.sets
    ]
    if limits.shrunk:
        refusing = [change for change in set_deletes if identity_of(change) not in limits.accepted]
        held, set_deletes = held | set(refusing), [change for change in set_deletes if change not in refusing]
        because = because or (Reason("app_shrunk") if refusing else None)
    return Plan(
        changes=(*set_changes, *_by_account(creates, going), *set_deletes),
        held=tuple(sorted(held, key=identity_of)),
        held_because=because,
        unchanged=_count_unchanged(desired, actual, set_changes),
    )


class Fences:
    """Where the reading left something unresolved: nothing is changed there."""

    def __init__(self, unresolved: Iterable[Unresolved]) -> None:
        unresolved = tuple(unresolved)
        self._all = tuple(item.scope for item in unresolved if item.blocks == "all")
        self._deletes = self._all + tuple(item.scope for item in unresolved if item.blocks in ("deletes", "names"))

    def stop_create(self, key: AssignmentKey) -> bool:
        return any(scope.covers(key) for scope in self._all)

    def stop_delete(self, key: AssignmentKey) -> bool:
        return any(scope.covers(key) for scope in self._deletes)

    def stop_set(self, name: str) -> bool:
        return any(scope.covers_set(name) for scope in self._all)

    def stop_set_delete(self, name: str) -> bool:
        """A set can only go when all of its assignments are known."""
        return any(scope.permission_set in (None, name) for scope in self._deletes)


# --- Permission sets --------------------------------------------------------------------------------------------------


def _plan_set(wished: WishedSet, actual: Actual, fences: Fences) -> SetChange | None:
    if fences.stop_set(wished.name) or not _was_read(actual, wished.name):
        return None
    there = actual.sets.get(wished.name)
    if there is None:
        return SetChange(Kind.CREATE, wished.name, wished.record, wished.definition)
    if there.ownership is not Ownership.OURS or there.definition is None:
        return None
    differences = there.definition.differences(wished.definition)
    if not differences and not there.stale_accounts:
        return None
    return SetChange(
        Kind.UPDATE, wished.name, wished.record, wished.definition, there.definition, differences, there.stale_accounts
    )


def _was_read(actual: Actual, name: str) -> bool:
    """A run knows the other sets from the mirror only, which is good for looking things up and no more."""
    return actual.sets_read is None or name in actual.sets_read


def _plan_set_deletes(
    desired: Desired, actual: Actual, fences: Fences, deletes: Collection[AssignmentChange]
) -> list[SetChange]:
    """Our sets that no record names any more, once nothing is assigned with them."""
    if not desired.may_delete_sets:
        return []
    going = {change.key for change in deletes}
    remaining = {key.permission_set for key in actual.assignments if key not in going}
    unwanted = [
        there
        for name, there in sorted(actual.sets.items())
        if there.ownership is Ownership.OURS and name not in desired.sets and name not in desired.kept_sets
    ]
    return [
        SetChange(Kind.DELETE, there.name, counts=True)
        for there in unwanted
        if there.name not in remaining and _was_read(actual, there.name) and actual.coverage.covers_set(there.name)
        if not fences.stop_set_delete(there.name)
        if not any(scope.permission_set in (None, there.name) for scope in desired.sheltered)
    ]


# --- Assignments ------------------------------------------------------------------------------------------------------


def _is_ours(actual: Actual, name: str) -> bool:
    there = actual.sets.get(name)
    return there is not None and there.ownership is Ownership.OURS


def _in_reach(actual: Actual, key: AssignmentKey) -> bool:
    """The account may be written, and the pair was read this time."""
    account = actual.accounts.get(key.target_id)
    if account is None or not account.is_active or key.target_id == actual.instance.management_account_id:
        return False
    return actual.coverage.covers(key)


def _plan_creates(
    desired: Desired, actual: Actual, fences: Fences, refused: Refused, coming: frozenset[str]
) -> list[AssignmentChange]:
    """What is wanted and not there, with sets that are ours or about to be made."""
    return [
        AssignmentChange(Kind.CREATE, key, standing.records[0])
        for key, standing in desired.wanted.items()
        if standing.state is State.WANTED and key not in actual.assignments and key not in refused.assignments
        if key.permission_set in coming or _is_ours(actual, key.permission_set)
        if _in_reach(actual, key) and not fences.stop_create(key)
    ]


def _plan_deletes(desired: Desired, actual: Actual, fences: Fences, refused: Refused) -> list[AssignmentChange]:
    wanted, deletes = desired.wanted, []
    for key in actual.assignments:
        if key in wanted or key in refused.assignments or fences.stop_delete(key):
            continue
        if not _in_reach(actual, key) or not _is_ours(actual, key.permission_set):
            continue
        if key in desired.ended:
            deletes.append(AssignmentChange(Kind.DELETE, key, _record_of(desired, key), counts=False, cause="ended"))
        elif key not in desired.kept and not (key not in desired.before and _is_sheltered(desired.sheltered, key)):
            cause = "withdrawn" if key in desired.before else "no_record"
            deletes.append(AssignmentChange(Kind.DELETE, key, _record_of(desired, key), counts=True, cause=cause))
    return deletes


def _record_of(desired: Desired, key: AssignmentKey) -> str:
    return min(desired.before.get(key, ()), default="")


def _is_sheltered(scopes: Iterable[Scope], key: AssignmentKey) -> bool:
    """Only what was never wanted here is sheltered: a value taken out of a valid record is a clear word."""
    return any(scope.covers(key) for scope in scopes)


def _by_account(creates: Iterable[AssignmentChange], deletes: Iterable[AssignmentChange]) -> list[AssignmentChange]:
    return sorted(
        [*creates, *deletes], key=lambda change: (change.key.target_id, change.kind is Kind.DELETE, change.key)
    )


def _confirm(change: AssignmentChange, limits: Limits) -> AssignmentChange:
    """What an admin accepted with that very list on the screen counts neither now nor for the next 24 hours."""
    return replace(change, counts=False) if identity_of(change) in limits.accepted else change


# --- The brake --------------------------------------------------------------------------------------------------------


def _brake(deletes: Collection[AssignmentChange], actual: Actual, limits: Limits) -> tuple[set[Change], Reason | None]:
    """The removals to hold and why: all that nobody confirmed, as soon as together they are too many."""
    counted = [change for change in deletes if change.counts]
    shrunk = "assignment" in limits.shrunk
    because = Reason("app_shrunk") if shrunk else _too_many([change.key for change in counted], actual, limits)
    return (set(counted), because) if counted and because else (set(), None)


def _too_many(removals: Collection[AssignmentKey], actual: Actual, limits: Limits) -> Reason | None:
    """The rule that these removals and those of the last 24 hours break together, if any."""
    together = set(removals) | set(limits.removed_lately)
    ours = {name for name, there in actual.sets.items() if there.ownership is Ownership.OURS}
    everything = {key for key in actual.assignments if key.permission_set in ours} | set(limits.removed_lately)
    if len(together) > limits.maximum:
        return Reason("too_many_removals", {"count": len(together), "limit": limits.maximum})
    if len(together) > limits.count and len(together) > limits.share * len(everything):
        return Reason("too_large_share", {"count": len(together), "of": len(everything)})
    for index, code in ((0, "too_much_of_account"), (1, "too_much_of_set")):
        there = Counter(key[index] for key in everything)
        for name, count in sorted(Counter(key[index] for key in together).items()):
            if count >= FEW and count > limits.share * there[name]:
                return Reason(code, {"count": count, "of": there[name], "name": name})
    return None


def _count_unchanged(desired: Desired, actual: Actual, changes: Collection[SetChange]) -> int:
    changing = {change.name for change in changes}
    sets = sum(name in actual.sets and name not in changing for name in desired.sets)
    return sets + sum(key in actual.assignments for key in desired.wanted)
