"""Which access a rule would touch if it were written like this: found out before it is saved.

    foresee(rule, replaces="name of the rule as it is saved", assignments=…) → Foresight(counts, touched)

Every assignment that the rule can speak about, before or after, is decided twice, as a run decides it. Rows are read by
the rule's scope only, and equal cases are decided once: what a whole company has takes seconds at most.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from django.utils import timezone

from accounts.ground import Ask, Ground, Say, is_about
from accounts.guardrails import Effect, Rule
from accounts.models import Account, PermissionSet, PrincipalLink, Record
from accounts.models.access import AssignmentQuerySet
from accounts.names import fold
from accounts.policy.powers import EVERYTHING, Power
from accounts.rulebook import load_ground, load_powers, load_rules


class Outcome(StrEnum):
    """What the change means for one assignment, the gravest first."""

    ENDED = "ended"  # removed by the next run
    ENDS = "ends"  # on another day than before
    UNPROTECTED = "unprotected"
    REFUSED = "refused"  # registered and not there yet
    KEPT = "kept"  # stays, and is listed
    PROTECTED = "protected"
    FREED = "freed"  # a rule does not speak against it any more
    LET_IN = "let_in"  # what a rule refused is created


GRAVE = frozenset({Outcome.ENDED, Outcome.ENDS, Outcome.UNPROTECTED})


@dataclass(frozen=True)
class Foresight:
    """What a change of the rules touches. touched: assignment → outcome, the gravest first; counts: of each outcome."""

    touched: Mapping[int, Outcome] = field(default_factory=dict)
    looked_at: int = 0

    @property
    def counts(self) -> list[tuple[Outcome, int]]:
        found = Counter(self.touched.values())
        return [(outcome, found[outcome]) for outcome in Outcome if found[outcome]]

    @property
    def grave(self) -> int:
        """How many assignments end by it, or lose their protection."""
        return sum(outcome in GRAVE for outcome in self.touched.values())


def foresee(rule: Rule | None, *, replaces: str = "", assignments: AssignmentQuerySet) -> Foresight:
    """What becomes of these when `rule` comes, or takes the place of the rule of that name; None: that one goes."""
    now = load_rules()
    old = next((each for each in now if each.name == replaces), None)
    later = (*(each for each in now if each is not old), *((rule,) if rule else ()))
    if old == rule:
        return Foresight()
    changed = tuple(filter(None, (old, rule)))
    before = load_ground(_list_named(changed), rules=now)
    return _Comparison(before, before.with_rules(later), changed).run(assignments)


def _list_named(rules: Iterable[Rule]) -> set[str] | None:
    """The accounts that these rules name, which are all that they can be about; None: they are about others, too."""
    named = {rule.account_id for rule in rules}
    return None if "" in named else named


class _Row(NamedTuple):
    """An assignment, or one wish for it where rules heed days or who registered."""

    pk: int
    account_id: str
    permission_set: str
    principal_type: str
    principal_id: str | None
    in_aws: bool
    ends: date | None
    record: int = 0
    is_current: bool | None = None
    is_refused: bool | None = None
    wish_ends: date | None = None
    written_at: datetime | None = None


_COLUMNS = (
    "pk", "account__account_id", "permission_set__name", "principal__type", "principal__principal_id", "in_aws",
    "expires_on",
)  # fmt: skip
_OF_WISHES = (
    "wishes__record_id", "wishes__is_current", "wishes__is_refused", "wishes__expires_on",
    "wishes__record__updated_at",
)  # fmt: skip


class _Fate(NamedTuple):
    """What becomes of one wish. rank: the lower the better for whoever has it; is_spared: as emergency access."""

    rank: int
    say: Say
    day: date | None
    is_spared: bool

    def or_better(self, other: "_Fate") -> "_Fate":
        """What one record may not bring another may, and the longest wish decides."""
        return min(self, other, key=lambda fate: (fate.rank, -(fate.day or date.max).toordinal()))


_RANKS = {
    Say.ALLOWED: 0, Say.DAY: 0, Say.KEPT: 1, Say.MOVED: 1, Say.ENDS: 2, Say.ENDED: 3, Say.REFUSED: 4,
}  # fmt: skip


class _Comparison:
    """Decides rows by the rules as they are and as they would be."""

    def __init__(self, before: Ground, after: Ground, changed: tuple[Rule, ...]) -> None:
        self.before, self.after, self.changed = before, after, changed
        self.today = timezone.localdate()
        self._powers = load_powers()
        self._fates: dict[tuple[object, ...], _Pair] = {}
        self._days: dict[datetime, date] = {}
        self._places = _Places(before, after)
        self._sets = self._number_sets()
        self._writers: Mapping[tuple[int, str], str] = {}

    def run(self, assignments: AssignmentQuerySet) -> Foresight:
        rows, effects = self._narrow(assignments), {rule.effect for rule in (*self.before.rules, *self.after.rules)}
        if Effect.ROLES_ONLY in effects:
            self._writers = _load_writers(rows)
        columns = (*_COLUMNS, *_OF_WISHES) if effects & _BY_WISH else _COLUMNS
        found: dict[int, tuple[_Row, _Pair]] = {}
        for values in rows.values_list(*columns).iterator(chunk_size=5000):
            row = _Row(*values)
            pair, known = self._decide(row), found.get(row.pk)
            found[row.pk] = (row, pair.or_better(known[1]) if known else pair)
        return _sum_up(found)

    def _number_sets(self) -> dict[str, tuple[str, frozenset[Power]]]:
        """What tells sets apart for the rules: their powers, and the names of those that a rule names."""
        named = {rule.permission_set for rule in (*self.before.rules, *self.after.rules)}
        return {name: (name if name in named else "", powers) for name, powers in self._powers.items()}

    def _narrow(self, assignments: AssignmentQuerySet) -> AssignmentQuerySet:
        """Those that one of the rules can speak about, on sets of ours."""
        rows = assignments.filter(permission_set__ownership__in=_OURS, account__is_management=False).order_by()
        accounts = self._list_accounts()
        covered = {account_id for account_id in accounts if self._is_covered(account_id)}
        if covered != accounts or _list_named(self.changed):
            rows = rows.filter(account__account_id__in=covered)
        sets = {name for name, powers in self._powers.items() if self._is_about(name, powers)}
        if sets != self._powers.keys():
            rows = rows.filter(permission_set__name__in=sets)
        types = {rule.principal_type for rule in self.changed}
        return rows if "" in types else rows.filter(principal__type__in=types)

    def _list_accounts(self) -> set[str]:
        """Those that are there, of the ones that the ground knows."""
        there, named = Account.objects.filter(gone_at__isnull=True), _list_named(self.changed)
        return set(
            (there if named is None else there.filter(account_id__in=named)).values_list("account_id", flat=True)
        )

    def _is_covered(self, account_id: str) -> bool:
        return any(self.before.covers(rule, account_id) for rule in self.changed)

    def _is_about(self, name: str, powers: frozenset[Power]) -> bool:
        return any(is_about(rule, name, powers) for rule in self.changed)

    def _decide(self, row: _Row) -> "_Pair":
        """Cases that the rules cannot tell apart are decided once."""
        place = self._places.find(row.account_id)
        who = row.principal_id if row.principal_id in place.owners else ""
        end, day, writer = self._find_terms(row) if place.heeds_wishes else (None, None, "")
        key = (
            place.number, self._sets.get(row.permission_set), row.principal_type, who and (row.account_id, who),
            row.in_aws and not row.is_refused, end, day, writer,
        )  # fmt: skip
        pair = self._fates.get(key)
        if pair is None:
            ask = self._ask(row, who or "", end, day, writer)
            pair = self._fates[key] = _Pair(self._find_fate(self.before, ask), self._find_fate(self.after, ask))
        return pair

    def _find_terms(self, row: _Row) -> tuple[date | None, date, str]:
        """The last day, the day of registering or extending, and who registered."""
        end = row.wish_ends if row.is_current else row.ends
        writer = self._writers.get((row.record, row.principal_id or ""), "") if self._writers else ""
        return end, self._find_day(row.written_at), writer

    def _ask(self, row: _Row, who: str, end: date | None, day: date | None, writer: str) -> Ask:
        return Ask(
            account_id=row.account_id,
            permission_set=row.permission_set,
            powers=self._powers.get(row.permission_set, EVERYTHING),
            principal_type=row.principal_type,
            principal_id=who,
            writers=frozenset({writer} - {""}),
            expires_on=end,
            registered_on=day,
            is_there=row.in_aws and not row.is_refused,
            was_until=end,
        )

    def _find_day(self, written_at: datetime | None) -> date:
        """The day on which the record was written last."""
        if written_at is None:
            return self.today
        found = self._days.get(written_at)
        if found is None:
            found = self._days[written_at] = timezone.localdate(written_at)
        return found

    def _find_fate(self, ground: Ground, ask: Ask) -> _Fate:
        answer = ground.answer(ask, self.today)
        end = answer.rule.ends_on if answer.rule and answer.say in (Say.ENDS, Say.ENDED) else None
        return _Fate(_RANKS[answer.say], answer.say, end, ask.is_there and ground.is_emergency(ask))


_BY_WISH = frozenset({Effect.EXPIRES_WITHIN, Effect.ROLES_ONLY})  # each record's wish is a case of its own
_OURS = (PermissionSet.Ownership.OURS, PermissionSet.Ownership.ABSENT)


class _Pair(NamedTuple):
    """One case by the rules as they are and as they would be."""

    was: _Fate
    becomes: _Fate

    def or_better(self, other: "_Pair") -> "_Pair":
        return _Pair(self.was.or_better(other.was), self.becomes.or_better(other.becomes))


class _PlaceOfRules(NamedTuple):
    """An account as the rules tell it from others: equal ones have one number."""

    number: int
    owners: frozenset[str]
    heeds_wishes: bool


class _Places:
    """All accounts as rules before and after see them."""

    def __init__(self, before: Ground, after: Ground) -> None:
        self.before, self.after = before, after
        self._found: dict[str, _PlaceOfRules] = {}
        self._numbers: dict[object, int] = {}
        rules = (*before.rules, *after.rules)
        self._heeds_owners = any(rule.is_owner is not None or rule.effect is Effect.OWNERS_ONLY for rule in rules)

    def find(self, account_id: str) -> _PlaceOfRules:
        place = self._found.get(account_id)
        if place is None:
            covering = self.before.find_covering(account_id), self.after.find_covering(account_id)
            effects = {rule.effect for each in covering for rules in each for rule in rules}
            owners = self.before.find_owners(account_id) if self._heeds_owners else frozenset[str]()
            number = self._numbers.setdefault(covering, len(self._numbers))
            place = self._found[account_id] = _PlaceOfRules(number, owners, bool(effects & _BY_WISH))
        return place


def _sum_up(found: Mapping[int, tuple[_Row, _Pair]]) -> Foresight:
    """What is touched, the gravest first, then by account and set."""
    outcomes: dict[tuple[bool, _Pair], Outcome | None] = {}
    touched = []
    for pk, (row, pair) in found.items():
        key = (row.in_aws, pair)
        if key not in outcomes:
            outcomes[key] = _compare(row.in_aws, pair)
        if outcome := outcomes[key]:
            touched.append((_ORDER[outcome], row.account_id, row.permission_set, pk, outcome))
    touched.sort()
    return Foresight({pk: outcome for _order, _account, _name, pk, outcome in touched}, len(found))


def _compare(is_there: bool, pair: _Pair) -> Outcome | None:
    was, becomes = pair
    if is_there:
        return _compare_existing(was, becomes)
    if (was.say is Say.REFUSED) is (becomes.say is Say.REFUSED):
        return None
    return Outcome.REFUSED if becomes.say is Say.REFUSED else Outcome.LET_IN


def _compare_existing(was: _Fate, becomes: _Fate) -> Outcome | None:
    if becomes.rank > was.rank or (becomes.say is Say.ENDS and becomes.day != was.day):
        return _WORSE.get(becomes.say, Outcome.KEPT)
    if becomes.is_spared is not was.is_spared:
        return Outcome.PROTECTED if becomes.is_spared else Outcome.UNPROTECTED
    return Outcome.FREED if becomes.rank < was.rank else None


_ORDER = {outcome: position for position, outcome in enumerate(Outcome)}
_WORSE = {Say.ENDED: Outcome.ENDED, Say.REFUSED: Outcome.ENDED, Say.ENDS: Outcome.ENDS}


def _load_writers(rows: AssignmentQuerySet) -> dict[tuple[int, str], str]:
    """Who brought somebody into force, by record and principal: (record, principal id) → principal id."""
    wanted = rows.filter(wishes__is_current=True).values("wishes__record")
    records = Record.objects.filter(pk__in=wanted, in_force__has_key="by").values_list("pk", "in_force")
    links = {
        (source, key): principal_id or ""
        for source, key, principal_id in PrincipalLink.objects.values_list("source", "key", "principal__principal_id")
    }
    return {
        (pk, principal_id): by
        for pk, in_force in records.iterator(chunk_size=2000)
        for name, by in (in_force or {}).get("by", {}).items()
        for principal_id in _find_named(name, links)
    }


def _find_named(name: str, links: Mapping[tuple[str, str], str]) -> Iterable[str]:
    source, _colon, written = name.partition(":")
    found = links.get((source, fold(written)))
    return (found,) if found else ()
