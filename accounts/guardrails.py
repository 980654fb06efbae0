"""The rules that take the place of an approval. Pure; decided at once, by planner and forms with the same call.

A rule speaks about a case when all its scopes and conditions match. Every rule that speaks has to be satisfied; of
those that are not, the strictest says why. What a set may do is judged by its policies (`accounts.policy.powers`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256

from accounts.ownership import count_as
from accounts.policy.powers import Power


class Effect(StrEnum):
    """From the strictest to the mildest."""

    REFUSE = "refuse"
    OWNERS_ONLY = "owners_only"
    GROUPS_ONLY = "groups_only"
    ROLES_ONLY = "roles_only"
    EXPIRES_WITHIN = "expires_within"
    KEEP = "keep"


_STRICTNESS = {effect: position for position, effect in enumerate(Effect)}


@dataclass(frozen=True)
class Rule:
    """One guardrail. What is empty matches everything. `roles` are principal ids; `tag` is a name and a value."""

    name: str
    effect: Effect
    sentence: str = ""
    unit_id: str = ""
    account_id: str = ""
    stage: str = ""
    tag: tuple[str, str] | None = None
    permission_set: str = ""
    power: Power | None = None
    principal_type: str = ""
    is_owner: bool | None = None
    days: int = 0
    roles: frozenset[str] = frozenset()
    ends_on: date | None = None  # of access that is there already; None: it is kept and listed


@dataclass(frozen=True)
class Place:
    """An account as rules see it. `units`: ids of all units above it."""

    account_id: str
    units: frozenset[str] = frozenset()
    stage: str = "other"
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Case:
    """One wish for access. `writers`: principal ids of who registers it and of the groups he is in."""

    place: Place
    permission_set: str
    powers: frozenset[Power]
    principal_type: str
    is_owner: bool = False
    writers: frozenset[str] = frozenset()
    expires_on: date | None = None
    registered_on: date | None = None


@dataclass(frozen=True)
class Verdict:
    """What the rules say to a case: those that are not satisfied, the strictest first.

    is_emergency: no rule, no vanished record and no drift may take it away.
    """

    broken: tuple[Rule, ...] = ()
    is_emergency: bool = False

    @property
    def rule(self) -> Rule | None:
        """The strictest, which says why; None if the case is allowed."""
        return self.broken[0] if self.broken else None

    @property
    def is_allowed(self) -> bool:
        return not self.broken

    @property
    def ending(self) -> Rule | None:
        """The first of them that ends what is there already; None if it is kept."""
        ending = [rule for rule in self.broken if rule.ends_on]
        return min(ending, key=lambda rule: rule.ends_on or date.max, default=None)


def anchor_of(name: str) -> str:
    """The place of a rule on the page of all of them; names may be in any writing."""
    return f"rule-{sha256(name.encode()).hexdigest()[:10]}"


def decide(rules: Iterable[Rule], case: Case) -> Verdict:
    """Decide one case."""
    speaking = [rule for rule in rules if matches(rule, case)]
    broken = sorted((rule for rule in speaking if not _is_satisfied(rule, case)), key=_rank)
    return Verdict(tuple(broken), any(rule.effect is Effect.KEEP for rule in speaking))


def _rank(rule: Rule) -> tuple[int, int, str]:
    return _STRICTNESS[rule.effect], rule.days, rule.name


def matches(rule: Rule, case: Case) -> bool:
    """Whether a rule speaks about a case."""
    return (
        covers(rule, case.place)
        and rule.permission_set in ("", case.permission_set)
        and (rule.power is None or rule.power in case.powers)
        and rule.principal_type in ("", case.principal_type)
        and rule.is_owner in (None, case.is_owner)
    )


def covers(rule: Rule, place: Place) -> bool:
    """Whether an account lies in the scope of a rule. Of tags that were never read nobody knows: the rule holds."""
    return (
        rule.account_id in ("", place.account_id)
        and (not rule.unit_id or rule.unit_id in place.units)
        and (not rule.stage or rule.stage == count_as(place.stage) or rule.stage == place.stage)
        and (rule.tag is None or place.tags is None or place.tags.get(rule.tag[0]) == rule.tag[1])
    )


def _is_satisfied(rule: Rule, case: Case) -> bool:
    match rule.effect:
        case Effect.REFUSE:
            return False
        case Effect.OWNERS_ONLY:
            return case.is_owner
        case Effect.GROUPS_ONLY:
            return case.principal_type == "GROUP"
        case Effect.ROLES_ONLY:
            return not rule.roles.isdisjoint(case.writers)
        case Effect.EXPIRES_WITHIN:
            return _ends_within(rule.days, case)
        case Effect.KEEP:
            return True


def _ends_within(days: int, case: Case) -> bool:
    """The last day lies at most so many days after the day of registering or extending."""
    if case.expires_on is None or case.registered_on is None:
        return False
    return case.expires_on <= case.registered_on + timedelta(days=days)
