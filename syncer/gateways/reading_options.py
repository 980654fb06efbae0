"""What a reading is asked for, and what is known already. Values only."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from syncer.states import (
    EVERY_PAIR,
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualSet,
    ActualUnit,
    AssignmentKey,
    Coverage,
    PrincipalType,
)

Pair = tuple[str, str]
"""An account id and a permission set, by name in the options and by ARN inside."""


class Strategy(StrEnum):
    """A way to find out who is assigned what."""

    BY_SET = "by_set"  # where each set is provisioned, then who has it there
    BY_ACCOUNT = "by_account"  # what each account holds, then who has it there
    BY_PRINCIPAL = "by_principal"  # what each user and group has: cheap, and blind to principals that are gone
    BY_PAIR = "by_pair"  # the pairs that are named, and no others


@dataclass(frozen=True)
class Known:
    """What the mirror knew before: names for ARNs, and the measure of a listing that comes back too short."""

    sets: Mapping[str, ActualSet] = field(default_factory=dict)  # by name
    accounts: frozenset[str] = frozenset()
    principals: Mapping[str, PrincipalType] = field(default_factory=dict)
    units: tuple[ActualUnit, ...] = ()
    assignments: frozenset[AssignmentKey] = frozenset()
    owning_groups: frozenset[str] = frozenset()  # whose members own accounts

    def principals_of(self, kind: PrincipalType) -> frozenset[str]:
        return frozenset(principal_id for principal_id, known in self.principals.items() if known is kind)

    def count_by_pair(self) -> Counter[Pair]:
        return Counter(key[:2] for key in self.assignments)


NOTHING_KNOWN = Known()


@dataclass(frozen=True)
class Selection:
    """What of sets and assignments to read.

    predicted: requests for the assignments. in_place: what to see of them where listing by principal is denied.
    sets: whose definitions, by name; None for all. groups: whose members; None for those that the options name.
    tags: of which accounts and units. share: which of the shares of a routine run this is.
    """

    coverage: Coverage = EVERY_PAIR
    strategy: Strategy = Strategy.BY_PAIR
    predicted: int = 0
    sets: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()
    in_place: Coverage = EVERY_PAIR
    share: int | None = None


@dataclass(frozen=True)
class ReadOptions:
    """What to read, and what is known already.

    ownership_tag: key and value of the tag that makes a set ours.
    known_names: ARN → name of the sets in the mirror; tells which set a failed question was about.
    with_memberships_of: group ids, or a function that picks them from what has been read; `"assigned"` stands for
        all groups that appear in assignments.
    pairs: (account id, set name) to read; None for everything. Where given, only these pairs are read, their sets
        and those named in `sets`, the definitions of the latter only.
    accounts, principals, instance: from the mirror; what is given is not read again, and no units with `accounts`.
    strategy: how to read all assignments; the cheapest that sees everything when not given.
    select: picks what to read once organization, principals and the list of sets are read; its second argument says
        whether AWS lets us list by principal. The sets that it is shown are those of the mirror that are still there,
        and new ones without definition; what it does not pick stays so.
    may_list_by_principal: whether AWS allows that, as far as it is known; None to try it once before `select`.
    known: from the mirror; units are walked only where accounts have moved, unless `with_units`.
    with_tags: also the tags of all accounts and units, where `select` does not pick them.
    progress: called with the number of requests so far, in the thread that reads.
    """

    ownership_tag: tuple[str, str]
    known_names: Mapping[str, str] = field(default_factory=dict)
    with_policies: bool = False
    with_memberships_of: Literal["assigned"] | frozenset[str] | Callable[[Actual], Collection[str]] = frozenset()
    pairs: frozenset[Pair] | None = None
    sets: frozenset[str] = frozenset()
    accounts: Mapping[str, ActualAccount] | None = None
    principals: Mapping[str, ActualPrincipal] | None = None
    instance: ActualInstance | None = None
    strategy: Strategy | None = None
    select: Callable[[Actual, bool], Selection] | None = None
    may_list_by_principal: bool | None = False
    known: Known = NOTHING_KNOWN
    with_units: bool = True
    with_tags: bool = False
    progress: Callable[[int], None] | None = None

    @property
    def wanted_sets(self) -> frozenset[str] | None:
        """The names of the sets to read; None for all."""
        return None if self.pairs is None else self.sets | {name for _, name in self.pairs}
