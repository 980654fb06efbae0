"""The kinds of change, why removals are due, and the plan, as values. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from syncer.states import AssignmentKey, Definition, Difference, PrincipalType, Reason


class Kind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Cause(StrEnum):
    """Why an assignment is removed. The order is that in which causes go before each other."""

    LOCKED_OUT = "locked_out"
    LEAVER = "leaver"  # confirmed disabled
    GONE = "gone"  # confirmed gone: a leaver, an orphan, a group that is no more
    ENDED = "ended"  # the last day has passed by itself
    ASKED = "asked"  # a person said so in the portal
    GUARDRAIL = "guardrail"
    DRIFT = "drift"  # assigned by hand, and the grace is over
    WITHDRAWN = "withdrawn"  # a record wanted it and does not any more
    NO_RECORD = "no_record"


class Group(StrEnum):
    """What the brake counts together."""

    ACCESS = "access"  # records or values gone, groups gone, guardrails, drift
    PEOPLE = "people"  # people disabled or gone


FROM_RECORDS = frozenset({Cause.WITHDRAWN, Cause.NO_RECORD})  # what an emptied app would bring about
URGENT = (Cause.LOCKED_OUT, Cause.LEAVER, Cause.GONE)  # first in line
_NEVER_COUNTED = frozenset({Cause.LOCKED_OUT, Cause.ENDED, Cause.ASKED})


def group_of(cause: Cause, principal_type: PrincipalType) -> Group | None:
    """What a removal is counted in; None if it never is: a passed date, a lock-out, a person's word."""
    if cause in _NEVER_COUNTED:
        return None
    is_person = cause in (Cause.LEAVER, Cause.GONE) and principal_type is PrincipalType.USER
    return Group.PEOPLE if is_person else Group.ACCESS


@dataclass(frozen=True)
class SetChange:
    """A permission set to create, to bring in line, or to delete.

    `stale_accounts` are those that hold an older version already; an update provisions them too.
    """

    kind: Kind
    name: str
    record: str = ""
    definition: Definition | None = None
    actual: Definition | None = None
    differences: tuple[Difference, ...] = ()
    stale_accounts: frozenset[str] = frozenset()
    counts: bool = False  # a removal that the brake counts

    @property
    def replaces_role(self) -> bool:
        """Whoever makes the set again gets roles with other ARNs."""
        return self.kind is Kind.DELETE


@dataclass(frozen=True)
class AssignmentChange:
    """An assignment to create or to delete.

    What is said beside a removal: `replaces_role`, that it is the last of its set in the account, whose role goes with
    it and would come back under another ARN; `sessions`, how long consoles and CLIs that are open then can go on.
    """

    kind: Kind
    key: AssignmentKey
    record: str = ""
    counts: bool = False  # a removal that nobody confirmed: the brake counts it
    cause: Cause | None = None  # why it is removed
    replaces_role: bool = field(default=False, compare=False)
    sessions: timedelta | None = field(default=None, compare=False)

    @property
    def group(self) -> Group | None:
        """What the brake counts it in, unless somebody confirmed it."""
        return group_of(self.cause, self.key.principal_type) if self.cause else None


Change = SetChange | AssignmentChange


class Standstill(StrEnum):
    """What keeps the planner from a change that would be due."""

    BLOCKED = "blocked"  # somebody or some rule says no
    DRIFTED = "drifted"  # changed by hand, and left for now
    UNDER_WAY = "under_way"  # another run has sent it


@dataclass(frozen=True)
class Verdict:
    """Why nothing is planned for an assignment."""

    standstill: Standstill
    reason: Reason | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order, what is held back, and what is left alone and why."""

    changes: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()
    held_because: Mapping[Group, Reason] = field(default_factory=dict)  # of each group that passed a limit
    unchanged: int = 0
    verdicts: Mapping[AssignmentKey, Verdict] = field(default_factory=dict)
    idle_sets: Mapping[str, Standstill] = field(default_factory=dict)  # that are neither mended nor deleted for now
    refused: frozenset[AssignmentKey] = frozenset()  # by AWS, lately: not tried again yet, whether read or not

    def reason_for(self, change: Change) -> Reason | None:
        """Why this change is held. Deletions of sets are held for what holds access."""
        group = change.group if isinstance(change, AssignmentChange) else Group.ACCESS
        return self.held_because.get(group) if group else None

    @property
    def checksum(self) -> str:
        """The checksum of the held removals, empty when nothing is held."""
        return checksum_of(self.held) if self.held else ""

    def count(self, kind: Kind) -> int:
        return sum(change.kind is kind for change in self.changes)


def identity_of(change: Change) -> str:
    """A line that names the change, the same in every run."""
    if isinstance(change, SetChange):
        return f"{change.kind} permission_set {change.name}"
    key = change.key
    return f"{change.kind} assignment {key.target_id} {key.permission_set} {key.principal_type} {key.principal_id}"


def target_of(identity: str) -> str:
    """The account of an assignment's change, by the line that names it."""
    _kind, _object, target_id, *_rest = identity.split(" ")
    return target_id


def checksum_of(changes: Iterable[Change]) -> str:
    """Twelve hex digits over the sorted changes: short enough to type, long enough not to meet by chance."""
    return checksum_of_identities(identity_of(change) for change in changes)


def checksum_of_identities(identities: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(identities)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Limits:
    """How much may be removed without anybody's word, and what has been in the last 24 hours.

    count, share, maximum, removed_lately: of access; people_count, people_share, people_lately (principal ids): of
    people who are disabled or gone.
    """

    count: int = 10
    share: float = 0.3
    maximum: int = 50
    removed_lately: tuple[AssignmentKey, ...] = ()
    people_count: int = 10
    people_share: float = 0.03
    people_lately: frozenset[str] = frozenset()
    shrunk: frozenset[str] = field(default_factory=frozenset)  # apps whose complete scan came back empty or far shorter
    accepted: frozenset[str] = field(default_factory=frozenset)  # identities of removals that somebody confirmed
