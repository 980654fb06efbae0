"""What guardrails decide by, and what they say to access: the one call of planner, forms and pages. Pure.

`Ground(rules, register, …).answer(Ask(…), today)` says of access to one account with one set whether it is allowed,
which rule speaks with which sentence, which last day would do, and what becomes of access that is there already. New
access is decided by where the account is now. What is there is decided by every place that the account was in until a
move that nobody has confirmed, too: it ends only where all of them end it, and any of them spares it.
`accounts.rulebook` loads a ground.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from accounts.guardrails import Case, Effect, Place, Rule, Verdict, covers, decide
from accounts.ownership import Register
from accounts.policy.powers import Power


@dataclass(frozen=True)
class Former:
    """Where an account was until a move that nobody has confirmed. owners: ids of users and groups that owned it."""

    place: Place
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ask:
    """Access that somebody wants or has.

    powers: what the set may do. writers: principal ids of who registers it and of the groups he is in. is_there: AWS
    has it, and the record that asks had it in force; then `was_until` is its last day there.
    """

    account_id: str
    permission_set: str
    powers: frozenset[Power]
    principal_type: str
    principal_id: str = ""
    writers: frozenset[str] = frozenset()
    expires_on: date | None = None
    registered_on: date | None = None
    is_there: bool = False
    was_until: date | None = None

    @property
    def is_extended(self) -> bool:
        """Whether it is there with a last day that is to move further away."""
        old, new = self.was_until, self.expires_on
        return self.is_there and old is not None and (new is None or new > old)


class Say(StrEnum):
    """What becomes of it."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    DAY = "day"  # the extension is refused: the last day stays as it was
    KEPT = "kept"  # it was there before the rule: it stays, and is listed
    MOVED = "moved"  # the rule ends what was there; a move that nobody has confirmed keeps it
    ENDS = "ends"  # after a day that is still to come
    ENDED = "ended"


@dataclass(frozen=True)
class Answer:
    """What the guardrails say. broken: the rules that are not satisfied, the strictest first.

    rule: the one that says why. latest: the last day that all of them would allow, where a day is all they ask for.
    """

    say: Say = Say.ALLOWED
    rule: Rule | None = None
    broken: tuple[Rule, ...] = ()
    latest: date | None = None

    @property
    def is_refused(self) -> bool:
        return self.say in (Say.REFUSED, Say.DAY)

    @property
    def code(self) -> str:
        """The code of the sentence that says why and what to do (`accounts.sentences`); empty where it is allowed."""
        if self.say is Say.REFUSED and self.rule and self.rule.effect is not Effect.REFUSE:
            return f"guardrail_{self.rule.effect}"
        return _CODES[self.say]

    @property
    def params(self) -> dict[str, str]:
        """The parameters of that sentence."""
        if self.rule is None:
            return {}
        values = {"rule": self.rule.name, "sentence": self.rule.sentence}
        days = {"day": self.rule.ends_on if self.say in _WITH_END else None, "latest": self.latest}
        return values | {name: day.isoformat() for name, day in days.items() if day}


ALLOWED = Answer()
_CODES = {
    Say.ALLOWED: "", Say.REFUSED: "guardrail", Say.DAY: "guardrail_day_latest", Say.KEPT: "guardrail_kept",
    Say.MOVED: "guardrail_moved", Say.ENDS: "guardrail_ends", Say.ENDED: "guardrail_ended",
}  # fmt: skip
_WITH_END = frozenset({Say.MOVED, Say.ENDS, Say.ENDED})


class Ground:
    """Rules with what cases are decided by: owners, places and tags of accounts, and where they were before.

    tags: absent where they were never read. It remembers what it has found out of each account.
    """

    def __init__(
        self,
        rules: tuple[Rule, ...],
        register: Register,
        *,
        tags: Mapping[str, Mapping[str, str]] | None = None,
        former: Mapping[str, tuple[Former, ...]] | None = None,
    ) -> None:
        self.rules, self.register = rules, register
        self._tags, self._former = tags or {}, former or {}
        self._sites: dict[str, tuple[Former, ...]] = {}
        self._covering: dict[str, tuple[tuple[Rule, ...], ...]] = {}
        self._relevant: dict[tuple[str, str, frozenset[Power]], tuple[tuple[Rule, ...], ...]] = {}

    def answer(self, ask: Ask, today: date) -> Answer:
        """What becomes of access that a record wants."""
        rules = self.find_rules(ask.account_id, ask.permission_set, ask.powers)
        verdict = decide(rules, self.build_case(ask)) if rules else Verdict()
        if verdict.rule is None:
            return ALLOWED
        is_about_day = verdict.rule.effect is Effect.EXPIRES_WITHIN  # the mildest: then all of them are
        latest = _find_latest(verdict.broken, ask) if is_about_day else None
        if not ask.is_there or (is_about_day and ask.is_extended):
            say = Say.DAY if ask.is_there else Say.REFUSED
            return Answer(say, verdict.rule, verdict.broken, latest)
        return self._answer_existing(ask, verdict, today)

    def _answer_existing(self, ask: Ask, verdict: Verdict, today: date) -> Answer:
        ending, here = self._find_ending(ask), None if verdict.is_emergency else verdict.ending
        if ending:
            is_over = ending.ends_on is not None and ending.ends_on < today
            return Answer(Say.ENDED if is_over else Say.ENDS, ending, verdict.broken)
        return Answer(Say.MOVED, here, verdict.broken) if here else Answer(Say.KEPT, verdict.rule, verdict.broken)

    def find_over(self, ask: Ask, today: date) -> Rule | None:
        """The rule that has ended access of which no record speaks; its own last day is what a rule about days asks."""
        if not any(rule.ends_on and rule.ends_on < today for rule in self.rules):
            return None
        found: list[Rule] = []
        for site, rules in self._iter_sites(ask):
            over = [rule for rule in rules if rule.ends_on and rule.ends_on < today]
            if not over or (ask.expires_on and all(rule.effect is Effect.EXPIRES_WITHIN for rule in over)):
                return None
            ending = decide(over, _build_case(ask, site)).ending
            if ending is None:
                return None
            found.append(ending)
        return max(found, key=_end_of, default=None)

    def is_emergency(self, ask: Ask) -> bool:
        """Whether a rule spares it from guardrails, vanished records and drift."""
        return any(
            decide(keeping, _build_case(ask, site)).is_emergency
            for site, rules in self._iter_sites(ask)
            if (keeping := [rule for rule in rules if rule.effect is Effect.KEEP])
        )

    def _find_ending(self, ask: Ask) -> Rule | None:
        """The rule that ends what is there: that of the place that ends it last, and none if one of them does not."""
        found: list[Rule] = []
        for site, rules in self._iter_sites(ask):
            verdict = decide(rules, _build_case(ask, site))
            if verdict.is_emergency or verdict.ending is None:
                return None
            found.append(verdict.ending)
        return max(found, key=_end_of, default=None)

    # Places

    @cached_property
    def has_keeping(self) -> bool:
        return any(rule.effect is Effect.KEEP for rule in self.rules)

    def find_rules(self, account_id: str, permission_set: str, powers: frozenset[Power]) -> tuple[Rule, ...]:
        """The rules that can speak about anybody's access to the account with the set, by where it is now."""
        return self._find_rules(account_id, permission_set, powers)[0] if self.rules else ()

    def find_covering(self, account_id: str) -> tuple[tuple[Rule, ...], ...]:
        """The rules in whose scope the account lies: where it is now, and in each place where it was."""
        found = self._covering.get(account_id)
        if found is None:
            sites = self._find_sites(account_id)
            found = tuple(tuple(rule for rule in self.rules if covers(rule, site.place)) for site in sites)
            self._covering[account_id] = found
        return found

    def build_case(self, ask: Ask) -> Case:
        """The case as it is where the account is now."""
        return _build_case(ask, self._find_sites(ask.account_id)[0])

    def with_rules(self, rules: tuple[Rule, ...]) -> "Ground":
        """The same accounts under other rules."""
        return Ground(rules, self.register, tags=self._tags, former=self._former)

    def covers(self, rule: Rule, account_id: str) -> bool:
        """Whether the account lies in the scope of a rule, where it is or where it was."""
        return any(covers(rule, site.place) for site in self._find_sites(account_id))

    def find_owners(self, account_id: str) -> frozenset[str]:
        """Ids of all users and groups that own the account, or did where it was."""
        return frozenset().union(*(site.owners for site in self._find_sites(account_id)))

    def find_place(self, account_id: str) -> Place:
        return self._find_sites(account_id)[0].place

    def _iter_sites(self, ask: Ask) -> Iterator[tuple[Former, tuple[Rule, ...]]]:
        rules = self._find_rules(ask.account_id, ask.permission_set, ask.powers)
        yield from zip(self._find_sites(ask.account_id), rules, strict=True)

    def _find_rules(self, account_id: str, name: str, powers: frozenset[Power]) -> tuple[tuple[Rule, ...], ...]:
        """Those of each place."""
        key = (account_id, name, powers)
        found = self._relevant.get(key)
        if found is None:
            covering = self.find_covering(account_id)
            found = tuple(tuple(rule for rule in rules if is_about(rule, name, powers)) for rules in covering)
            self._relevant[key] = found
        return found

    def _find_sites(self, account_id: str) -> tuple[Former, ...]:
        """Where the account is now, and where it was until moves that nobody has confirmed."""
        sites = self._sites.get(account_id)
        if sites is None:
            sites = self._sites[account_id] = (self._find_now(account_id), *self._former.get(account_id, ()))
        return sites

    def _find_now(self, account_id: str) -> Former:
        site, owners = self.register.sites.get(account_id), self.register.find_owners(account_id)
        units = frozenset(self.register.list_units_above(account_id))
        place = Place(account_id, units, site.stage if site else "other", self._tags.get(account_id))
        return Former(place, owners.people | owners.principals)


def is_about(rule: Rule, permission_set: str, powers: Collection[Power]) -> bool:
    """Whether a rule can speak about a set that may do this."""
    return rule.permission_set in ("", permission_set) and (rule.power is None or rule.power in powers)


def _build_case(ask: Ask, site: Former) -> Case:
    return Case(
        place=site.place,
        permission_set=ask.permission_set,
        powers=ask.powers,
        principal_type=ask.principal_type,
        is_owner=bool(ask.principal_id) and ask.principal_id in site.owners,
        writers=ask.writers,
        expires_on=ask.expires_on,
        registered_on=ask.registered_on,
    )


def _find_latest(rules: Collection[Rule], ask: Ask) -> date | None:
    return ask.registered_on + timedelta(days=min(rule.days for rule in rules)) if ask.registered_on else None


def _end_of(rule: Rule) -> date:
    return rule.ends_on or date.max
