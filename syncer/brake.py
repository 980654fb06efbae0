"""The brake: which removals are held because too many would go at once. Pure.

Two groups are counted apart (docs/safety.md): access that ends by records, guardrails or drift, and people who are
disabled or gone. Only the counted removals of the group that passes a limit are held, but all of those.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from syncer.changes import FROM_RECORDS, AssignmentChange, Group, Limits
from syncer.states import Actual, AssignmentKey, Ownership, PrincipalType, Reason

FEW = 5  # removals in one account or one set below which its share does not matter
_ACCOUNT, _SET = 0, 1  # places in an AssignmentKey


class Tally:
    """How many assignments on sets of ours there are, counted once and only if somebody asks."""

    def __init__(self, actual: Actual) -> None:
        self.assignments = actual.assignments
        self.ours = {name for name, there in actual.sets.items() if there.ownership is Ownership.OURS}

    @cached_property
    def by_set(self) -> Counter[str]:
        counted = Counter(map(itemgetter(_SET), self.assignments))
        return Counter({name: count for name, count in counted.items() if name in self.ours})

    @cached_property
    def by_account(self) -> Counter[str]:
        if self.total == len(self.assignments):  # nothing but ours: no need to look at each
            return Counter(map(itemgetter(_ACCOUNT), self.assignments))
        return Counter(key.target_id for key in self.assignments if key.permission_set in self.ours)

    @cached_property
    def total(self) -> int:
        return self.by_set.total()


class Held(NamedTuple):
    """The removals to hold, and for each group that passes a limit which one it is."""

    changes: frozenset[AssignmentChange]
    because: Mapping[Group, Reason]


def find_held(removals: Collection[AssignmentChange], actual: Actual, limits: Limits, tally: Tally) -> Held:
    """Put the brake on as far as a limit is passed."""
    access = [change for change in removals if change.counts and change.group is Group.ACCESS]
    people = [change for change in removals if change.counts and change.group is Group.PEOPLE]
    held: list[AssignmentChange] = []
    because: dict[Group, Reason] = {}
    if "assignment" in limits.shrunk and (vanished := [change for change in access if change.cause in FROM_RECORDS]):
        because[Group.ACCESS] = Reason("app_shrunk")
        held += vanished
        access = [change for change in access if change.cause not in FROM_RECORDS]
    if access and (reason := _too_much_access({change.key for change in access}, limits, tally)):
        because.setdefault(Group.ACCESS, reason)
        held += access
    if people and (reason := _too_many_people({change.key.principal_id for change in people}, actual, limits)):
        because[Group.PEOPLE] = reason
        held += people
    return Held(frozenset(held), because)


def _too_much_access(removals: Collection[AssignmentKey], limits: Limits, tally: Tally) -> Reason | None:
    """The rule that these removals and those of the last 24 hours break together, if any."""
    lately = frozenset(limits.removed_lately)
    together = lately.union(removals)
    if len(together) > limits.maximum:
        return Reason("too_many_removals", {"count": len(together), "limit": limits.maximum})
    gone = [key for key in lately if key not in tally.assignments or key.permission_set not in tally.ours]
    if len(together) > limits.count:
        everything = tally.total + len(gone)
        if len(together) > limits.share * everything:
            return Reason("too_large_share", {"count": len(together), "of": everything})
    return _too_much_of_one(together, gone, limits, tally)


def _too_much_of_one(
    together: Iterable[AssignmentKey], gone: Iterable[AssignmentKey], limits: Limits, tally: Tally
) -> Reason | None:
    """The account or set that loses more than its share, if any. `gone` is not among what is there any more."""
    if limits.share >= 1:  # nothing loses more than all
        return None
    for index, code in ((_ACCOUNT, "too_much_of_account"), (_SET, "too_much_of_set")):
        many = {name: count for name, count in Counter(map(itemgetter(index), together)).items() if count >= FEW}
        if not many:
            continue
        there = (tally.by_account if index == _ACCOUNT else tally.by_set) + Counter(map(itemgetter(index), gone))
        for name, count in sorted(many.items()):
            if count > limits.share * there[name]:
                return Reason(code, {"count": count, "of": there[name], "name": name})
    return None


def _too_many_people(removals: Collection[str], actual: Actual, limits: Limits) -> Reason | None:
    """The same for people who are disabled or gone, counted by head."""
    together = frozenset(limits.people_lately).union(removals)
    known = {key for key, principal in actual.principals.items() if principal.type is PrincipalType.USER}
    everybody = len(known | together)
    if len(together) > max(limits.people_count, limits.people_share * everybody):
        return Reason("too_many_people", {"count": len(together), "of": everybody})
    return None
