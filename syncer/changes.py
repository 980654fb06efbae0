"""The kinds of change and the plan, as values. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from syncer.states import AssignmentKey, Definition, Difference, Reason


class Kind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


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


@dataclass(frozen=True)
class AssignmentChange:
    """An assignment to create or to delete."""

    kind: Kind
    key: AssignmentKey
    record: str = ""
    counts: bool = False  # a removal that nobody confirmed: the brake counts it
    cause: str = ""  # why it is removed: a code


Change = SetChange | AssignmentChange


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order, and what is held back."""

    changes: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()
    held_because: Reason | None = None
    unchanged: int = 0

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


def checksum_of(changes: Iterable[Change]) -> str:
    """Twelve hex digits over the sorted changes: short enough to type, long enough not to meet by chance."""
    return checksum_of_identities(identity_of(change) for change in changes)


def checksum_of_identities(identities: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(identities)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Limits:
    """How much may be removed without anybody's word, and what has been in the last 24 hours."""

    count: int = 10
    share: float = 0.3
    maximum: int = 50
    removed_lately: tuple[AssignmentKey, ...] = ()
    shrunk: frozenset[str] = field(default_factory=frozenset)  # apps whose complete scan came back empty or far shorter
    accepted: frozenset[str] = field(default_factory=frozenset)  # identities of held removals that an admin accepted
