"""(desired, actual, limits) → Plan. Pure: no Django, no clock, no network.

The order is fixed: removals of people who are locked out or have left come first, then permission sets are made and
mended, then every account's creates before its other deletes (a person who moves between sets has the new before he
loses the old), permission sets are deleted last.

Of a million assignments that are as they should be none is looked at by itself: sets are compared, and only what
differs costs anything.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from operator import itemgetter

from syncer.brake import Tally, find_held
from syncer.changes import (
    URGENT,
    AssignmentChange,
    Cause,
    Group,
    Kind,
    Limits,
    Plan,
    SetChange,
    Standstill,
    Verdict,
    identity_of,
)
from syncer.desired import Desired, Standing, State, WishedSet
from syncer.states import (
    LONGEST_SESSION,
    Actual,
    AssignmentKey,
    Ownership,
    PrincipalType,
    Reason,
    Scope,
    Unresolved,
)


@dataclass(frozen=True)
class Refused:
    """What AWS refused for good and what is not tried again yet."""

    assignments: frozenset[AssignmentKey] = frozenset()
    sets: frozenset[str] = frozenset()


NOTHING_REFUSED = Refused()


@dataclass(frozen=True)
class Circumstances:
    """What else a plan has to heed beside what should be and what is there.

    locked: principal id → why, of people who are locked out: everything of theirs on our sets goes, nothing comes.
    frozen: account id → why, of accounts whose owner lets nobody new in.
    drift: key → why, and drifting_sets: what was changed by hand and is left alone for now.
    overdue: what was assigned by hand and whose time to be kept is over.
    asked: what a person wants removed, said in the portal with that very assignment on the screen.
    under_way, sets_under_way: what another run has sent to AWS and is following.
    """

    refused: Refused = NOTHING_REFUSED
    locked: Mapping[str, Reason] = field(default_factory=dict)
    frozen: Mapping[str, Reason] = field(default_factory=dict)
    drift: Mapping[AssignmentKey, Reason] = field(default_factory=dict)
    drifting_sets: frozenset[str] = frozenset()
    overdue: frozenset[AssignmentKey] = frozenset()
    asked: frozenset[AssignmentKey] = frozenset()
    under_way: frozenset[AssignmentKey] = frozenset()
    sets_under_way: frozenset[str] = frozenset()

    @property
    def idle_sets(self) -> frozenset[str]:
        """What is neither made nor mended nor deleted for now."""
        return self.refused.sets | self.drifting_sets | self.sets_under_way


CALM = Circumstances()
_pair_of = itemgetter(0, 1)  # account and set of a key


def plan_run(desired: Desired, actual: Actual, limits: Limits, circumstances: Circumstances = CALM) -> Plan:
    """Work out everything that is to be done to bring `actual` to `desired`, and hold back what is too much."""
    world = _World(desired, actual, circumstances)
    missing = desired.keys - actual.assignments
    set_changes = _plan_sets(world)
    deletes, tally = _plan_deletes(world, limits), Tally(actual)
    verdicts = _find_verdicts(world, missing.union(change.key for change in deletes))
    creates = _plan_creates(world, missing - verdicts.keys(), set_changes)
    braked = find_held(deletes, actual, limits, tally)
    warnings = _Warnings(world, deletes, creates)
    held = warnings.add_to(braked.changes, together=deletes)
    going = [change for change in deletes if change not in braked.changes]
    going = warnings.add_to(going, together=going)
    set_deletes = _plan_set_deletes(world, going, creates)
    held_sets = [change for change in set_deletes if limits.shrunk and identity_of(change) not in limits.accepted]
    return Plan(
        changes=(
            *(change for change in going if change.cause in URGENT),
            *set_changes,
            *_by_account(creates, (change for change in going if change.cause not in URGENT)),
            *(change for change in set_deletes if change not in held_sets),
        ),
        held=tuple(sorted([*held, *held_sets], key=identity_of)),
        held_because={Group.ACCESS: Reason("app_shrunk"), **braked.because} if held_sets else braked.because,
        unchanged=_count_unchanged(world, set_changes, len(missing), deletes),
        verdicts=verdicts,
        idle_sets={
            **dict.fromkeys(circumstances.drifting_sets, Standstill.DRIFTED),
            **dict.fromkeys(circumstances.sets_under_way, Standstill.UNDER_WAY),
        },
        refused=circumstances.refused.assignments,
    )


class Fences:
    """Where the reading left something unresolved: nothing is changed there."""

    def __init__(self, unresolved: Iterable[Unresolved]) -> None:
        unresolved = tuple(unresolved)
        self._all = tuple(item.scope for item in unresolved if item.blocks == "all")
        self._deletes = self._all + tuple(item.scope for item in unresolved if item.blocks in ("deletes", "names"))
        self._creates, self._removals = Scopes(self._all), Scopes(self._deletes)

    def stop_create(self, key: AssignmentKey) -> bool:
        return self._creates.cover(key)

    def stop_delete(self, key: AssignmentKey) -> bool:
        return self._removals.cover(key)

    def stop_set(self, name: str) -> bool:
        return any(scope.covers_set(name) for scope in self._all)

    def stop_set_delete(self, name: str) -> bool:
        """A set can only go when all of its assignments are known."""
        return any(scope.permission_set in (None, name) for scope in self._deletes)


class Scopes:
    """Scopes by what they narrow down: a key is looked up once a shape, however many pairs could not be read."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._scopes: frozenset[tuple[str | None, ...]] = frozenset(scopes)
        self._shapes = {tuple(part is not None for part in scope) for scope in self._scopes}

    def cover(self, key: AssignmentKey) -> bool:
        """A scope has the parts of a key in the same order, None where it is not narrowed down."""
        return any(
            tuple(part if is_given else None for part, is_given in zip(key, shape, strict=False)) in self._scopes
            for shape in self._shapes
        )


class _World:
    """Everything that a plan is made from, with the questions that are asked of it for each assignment."""

    def __init__(self, desired: Desired, actual: Actual, circumstances: Circumstances) -> None:
        self.desired, self.actual, self.circumstances = desired, actual, circumstances
        self.fences = Fences(actual.unresolved)
        self.sheltered = Scopes(desired.sheltered)
        self.open_accounts = {
            account_id
            for account_id, account in actual.accounts.items()
            if account.is_active and account_id != actual.instance.management_account_id
        }

    def is_ours(self, name: str) -> bool:
        there = self.actual.sets.get(name)
        return there is not None and there.ownership is Ownership.OURS

    def is_locked(self, key: AssignmentKey) -> bool:
        """Lock-outs are of people: a group's members have done nothing."""
        return key.principal_type is PrincipalType.USER and key.principal_id in self.circumstances.locked

    def is_taken_back(self, key: AssignmentKey) -> bool:
        """All that wanted it are valid records that want it no more: somebody wrote that, nothing vanished."""
        before = self.desired.before.get(key, frozenset())
        return bool(before) and before <= self.desired.valid

    def sessions_of(self, name: str) -> timedelta:
        """How long a session of this set may live on, of before or after a change of its duration."""
        there, wished = self.actual.sets.get(name), self.desired.sets.get(name)
        found = [item.definition.session_duration for item in (there, wished) if item and item.definition]
        return max(found, default=LONGEST_SESSION)


# --- Permission sets --------------------------------------------------------------------------------------------------


def _plan_sets(world: _World) -> list[SetChange]:
    """Sets to make and to mend."""
    idle = world.circumstances.idle_sets
    wished = (world.desired.sets[name] for name in sorted(world.desired.sets) if name not in idle)
    return [change for each in wished if (change := _plan_set(each, world))]


def _plan_set(wished: WishedSet, world: _World) -> SetChange | None:
    if world.fences.stop_set(wished.name) or not _was_read(world.actual, wished.name):
        return None
    there = world.actual.sets.get(wished.name)
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
    world: _World, deletes: Iterable[AssignmentChange], creates: Iterable[AssignmentChange]
) -> list[SetChange]:
    """Our sets that no record names any more, once nothing is assigned with them, nor about to be."""
    unwanted = _find_unwanted_sets(world)
    if not unwanted:
        return []
    going = {change.key for change in deletes}
    there = (key for key in world.actual.assignments if key.permission_set in unwanted)
    used = {key.permission_set for key in there if key not in going}
    used |= {change.key.permission_set for change in creates}
    used |= {key.permission_set for key in world.circumstances.under_way}
    return [SetChange(Kind.DELETE, name, counts=True) for name in sorted(unwanted - used)]


def _find_unwanted_sets(world: _World) -> set[str]:
    desired, actual, circumstances = world.desired, world.actual, world.circumstances
    if not desired.may_delete_sets:
        return set()
    spared = {*desired.sets, *desired.kept_sets, *circumstances.idle_sets}
    return {
        name
        for name in actual.sets.keys() - spared
        if world.is_ours(name) and _was_read(actual, name) and actual.coverage.covers_set(name)
        if not world.fences.stop_set_delete(name)
        if not any(scope.permission_set in (None, name) for scope in desired.sheltered)
    }


# --- Creating assignments ---------------------------------------------------------------------------------------------


def _plan_creates(
    world: _World, missing: Iterable[AssignmentKey], set_changes: Iterable[SetChange]
) -> list[AssignmentChange]:
    """What is wanted and not there, with sets that are ours or about to be made."""
    wanted, actual, refused = world.desired.wanted, world.actual, world.circumstances.refused.assignments
    coming = {change.name for change in set_changes if change.kind is Kind.CREATE}
    return [
        AssignmentChange(Kind.CREATE, key, next(iter(wanted[key].records), ""))
        for key in missing
        if wanted[key].state is State.WANTED and key not in refused
        if key.permission_set in coming or world.is_ours(key.permission_set)
        if key.target_id in world.open_accounts and actual.coverage.covers(key) and not world.fences.stop_create(key)
    ]


def _find_verdicts(world: _World, absent: Iterable[AssignmentKey]) -> dict[AssignmentKey, Verdict]:
    """What is left alone though something would be due, and why; also why it does not come again once it is gone."""
    there, wanted = world.actual.assignments, world.desired.wanted
    verdicts = {key: verdict for key in absent if key in wanted and (verdict := _find_verdict(world, key))}
    verdicts |= {
        key: Verdict(Standstill.DRIFTED, reason)
        for key, reason in world.circumstances.drift.items()
        if key in there and key not in wanted and _find_cause(world, key) is None
    }
    return verdicts | dict.fromkeys(world.circumstances.under_way, Verdict(Standstill.UNDER_WAY))


def _find_verdict(world: _World, key: AssignmentKey) -> Verdict | None:
    """What stands in the way of a wanted assignment, beside what its standing says already."""
    circumstances, standing = world.circumstances, world.desired.wanted[key]
    if key in circumstances.under_way:
        return Verdict(Standstill.UNDER_WAY)
    if world.is_locked(key):
        return Verdict(Standstill.BLOCKED, circumstances.locked[key.principal_id])
    if standing.state is not State.WANTED:
        return None
    if reason := _find_bar(world, key, standing):
        return Verdict(Standstill.BLOCKED, reason)
    return Verdict(Standstill.DRIFTED, circumstances.drift[key]) if key in circumstances.drift else None


def _find_bar(world: _World, key: AssignmentKey, standing: Standing) -> Reason | None:
    """What lets nobody new in."""
    if key.principal_id in world.desired.leaving:
        return Reason("principal_disabled", {"name": standing.written_as})
    if key in world.desired.ending and key not in world.desired.emergency:
        return world.desired.ending[key]
    return world.circumstances.frozen.get(key.target_id)


# --- Removing assignments ---------------------------------------------------------------------------------------------


def _plan_deletes(world: _World, limits: Limits) -> list[AssignmentChange]:
    """What goes, the most urgent first. What an admin accepted counts neither now nor for the next 24 hours."""
    found = [(cause, key) for key in _find_candidates(world) if (cause := _find_cause(world, key))]
    changes = []
    for cause, key in sorted(found, key=lambda item: (item[0] is not Cause.LOCKED_OUT, item)):
        change = AssignmentChange(Kind.DELETE, key, min(world.desired.before.get(key, ()), default=""), cause=cause)
        counts = change.group is not None and identity_of(change) not in limits.accepted
        changes.append(replace(change, counts=counts) if counts else change)
    return changes


def _find_candidates(world: _World) -> set[AssignmentKey]:
    """What nobody wants, and what goes although somebody does."""
    desired, there = world.desired, world.actual.assignments
    found = {*there.difference(desired.keys), *there.intersection(desired.ending)}
    if people := desired.leaving.union(world.circumstances.locked):
        found.update(key for key in there if key.principal_id in people)
    return found


def _find_cause(world: _World, key: AssignmentKey) -> Cause | None:
    """Why an assignment that is there goes; None if it stays. Earlier answers go before later ones."""
    if key in world.circumstances.under_way or not _may_remove(world, key):
        return None
    if world.is_locked(key):
        return Cause.LOCKED_OUT
    if key in world.circumstances.refused.assignments or world.fences.stop_delete(key):
        return None
    if not world.actual.coverage.covers(key):
        return None
    return _find_clear_cause(world, key) or _find_lesser_cause(world, key)


def _may_remove(world: _World, key: AssignmentKey) -> bool:
    return key.target_id in world.open_accounts and world.is_ours(key.permission_set)


def _find_clear_cause(world: _World, key: AssignmentKey) -> Cause | None:
    """What goes before a record that is not understood, emergency access and the grace of drift."""
    if key.principal_id in world.desired.leaving:
        return Cause.LEAVER if key.principal_id in world.actual.principals else Cause.GONE
    if key in world.desired.wanted:
        return None
    if key in world.desired.ended:
        return Cause.ENDED
    return Cause.ASKED if key in world.circumstances.asked else None


def _find_lesser_cause(world: _World, key: AssignmentKey) -> Cause | None:
    desired = world.desired
    is_spared = key in desired.wanted or key in desired.kept
    if key in world.circumstances.drift:
        return None
    if key in desired.emergency:
        return Cause.WITHDRAWN if not is_spared and world.is_taken_back(key) else None
    if key in desired.ending:
        return Cause.GUARDRAIL
    return None if is_spared else _find_lack(world, key)


def _find_lack(world: _World, key: AssignmentKey) -> Cause | None:
    """Nobody wants it. Only what was never wanted here is sheltered: a value taken out is a clear word."""
    if key in world.desired.before:
        return Cause.WITHDRAWN
    if world.sheltered.cover(key):
        return None
    return Cause.DRIFT if key in world.circumstances.overdue else Cause.NO_RECORD


class _Warnings:
    """What people should know of a removal: how long sessions go on, and that the role goes with its last user."""

    def __init__(
        self, world: _World, deletes: Collection[AssignmentChange], creates: Iterable[AssignmentChange]
    ) -> None:
        self.world = world
        self.filled = {_pair_of(change.key) for change in creates}
        self.sessions: dict[str, timedelta] = {}
        pairs = {_pair_of(change.key) for change in deletes}
        there = filter(pairs.__contains__, map(_pair_of, world.actual.assignments)) if pairs else ()
        self.there = Counter(there)

    def add_to(
        self, removals: Iterable[AssignmentChange], *, together: Iterable[AssignmentChange]
    ) -> list[AssignmentChange]:
        """`together` are those that go with them."""
        lost = Counter(_pair_of(change.key) for change in together)
        emptied = {pair for pair, count in lost.items() if self.there[pair] == count}
        return [
            replace(
                change,
                replaces_role=self._is_last(change, emptied),
                sessions=self._find_sessions(change.key.permission_set),
            )
            for change in removals
        ]

    def _is_last(self, change: AssignmentChange, emptied: Collection[tuple[str, str]]) -> bool:
        """Creates go before deletes, and keep the role, but the most urgent ones do not wait for them."""
        pair = _pair_of(change.key)
        return pair in emptied and (change.cause in URGENT or pair not in self.filled)

    def _find_sessions(self, name: str) -> timedelta:
        if name not in self.sessions:
            self.sessions[name] = self.world.sessions_of(name)
        return self.sessions[name]


def _by_account(creates: Iterable[AssignmentChange], deletes: Iterable[AssignmentChange]) -> list[AssignmentChange]:
    return sorted(
        [*creates, *deletes], key=lambda change: (change.key.target_id, change.kind is Kind.DELETE, change.key)
    )


def _count_unchanged(
    world: _World, set_changes: Collection[SetChange], missing: int, deletes: Iterable[AssignmentChange]
) -> int:
    changing = {change.name for change in set_changes}
    sets = sum(name in world.actual.sets and name not in changing for name in world.desired.sets)
    wanted = world.desired.wanted
    return sets + len(wanted) - missing - sum(change.key in wanted for change in deletes)
