"""What should be, as values: wished sets, standings, and what may not go. Pure; `wishes` works it out.

A standing is one wished assignment with what stands in its way, if anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from accounts.names import fold
from syncer.cases import Ruling
from syncer.directory import NewLink
from syncer.states import AssignmentKey, Definition, PrincipalType, Problem, Reason, Scope


class State(StrEnum):
    """What stands in the way of a wished assignment, as far as it is known before planning."""

    WANTED = "wanted"
    KEPT = "kept"  # what is there stays, nothing is created
    WAITING = "waiting"
    BLOCKED = "blocked"  # nothing is created, and what is there stays
    WITHHELD = "withheld"  # nobody who may wishes it: shown as blocked, but it neither brings nor keeps anything


@dataclass(frozen=True, slots=True)  # there are as many as assignments
class Standing:
    """One wished assignment: by which records, until when, and what stands in its way."""

    target_id: str
    permission_set: str
    principal_type: PrincipalType
    principal_id: str  # empty while Identity Center does not know the name
    written_as: str
    state: State = State.WANTED
    reason: Reason | None = None
    wanted_by: Mapping[str, date | None] = field(default_factory=dict)  # record → its last day; shared, never changed

    @property
    def records(self) -> tuple[str, ...]:
        return tuple(self.wanted_by)

    @property
    def expires_on(self) -> date | None:
        """The longest wish decides: None as soon as one has no end."""
        ends = [end for end in self.wanted_by.values() if end]
        return max(ends) if ends and len(ends) == len(self.wanted_by) else None

    @property
    def key(self) -> AssignmentKey | None:
        if not self.principal_id:
            return None
        return AssignmentKey(self.target_id, self.permission_set, self.principal_type, self.principal_id)

    @property
    def identity(self) -> tuple[str, str, PrincipalType, str]:
        return (self.target_id, self.permission_set, self.principal_type, self.principal_id or fold(self.written_as))


@dataclass(frozen=True)
class WishedSet:
    """A valid wish for a permission set, with everything looked up."""

    name: str
    record: str
    definition: Definition
    absent: frozenset[str] = frozenset()


class Before(NamedTuple):
    """What a record wanted when it was last understood; not current: it took it back, but AWS still has it."""

    key: AssignmentKey
    expires_on: date | None
    is_current: bool = True


@dataclass(frozen=True)
class Desired:
    """What should be, what may not go, and why some of it cannot be."""

    sets: Mapping[str, WishedSet]
    set_states: Mapping[str, Reason]  # wished sets that are blocked or broken, by name
    kept_sets: frozenset[str]  # not deleted although no valid record wishes them
    may_delete_sets: bool
    standings: tuple[Standing, ...]
    kept: frozenset[AssignmentKey]
    ended: frozenset[AssignmentKey]  # by a date that passed by itself
    before: Mapping[AssignmentKey, frozenset[str]]  # → records that wanted it
    sheltered: tuple[Scope, ...]
    problems: tuple[Problem, ...]
    links: tuple[NewLink, ...]
    valid: frozenset[str]  # records whose newest revision is in force now
    revisions: Mapping[str, int] = field(default_factory=dict)  # of every record that was looked at
    over: frozenset[AssignmentKey] = frozenset()  # named by a record whose last day has passed, however it passed
    leaving: frozenset[str] = frozenset()  # principal ids confirmed disabled or gone: what is theirs goes
    ending: Mapping[AssignmentKey, Reason] = field(default_factory=dict)  # what a guardrail ends, and why
    # Emergency access: no guardrail, no vanished record and no drift ends it; a date, a leaver, a word of people does.
    emergency: frozenset[AssignmentKey] = frozenset()
    rulings: Mapping[str, Ruling] = field(default_factory=dict)  # of the records that had something to judge

    @cached_property
    def wanted(self) -> Mapping[AssignmentKey, Standing]:
        """Everything that should be in AWS, by key; blocked and waiting wishes included."""
        return {
            key: standing
            for standing in self.standings
            if standing.state is not State.WITHHELD and (key := standing.key)
        }

    @cached_property
    def keys(self) -> frozenset[AssignmentKey]:
        """Of everything that is wanted: sets compare faster than mappings."""
        return frozenset(self.wanted)
