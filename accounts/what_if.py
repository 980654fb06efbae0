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
    before = load_ground(rules=now)
    return _Comparison(before, before.with_rules(later), tuple(filter(None, (old, rule)))).run(assignments)


class _Row(NamedTuple):
    """One wish for one assignment; one without a record where nobody wishes it."""

    pk: int
    account_id: str
    permission_set: str
    principal_type: str
    principal_id: str | None
    in_aws: bool
    ends: date | None
    record: int | None
    wish_ends: date | None
    is_current: bool | None
    is_refused: bool | None
    written_at: datetime | None


_COLUMNS = (
    "pk", "account__account_id", "permission_set__name", "principal__type", "principal__principal_id", "in_aws",
    "expires_on", "wishes__record_id", "wishes__expires_on", "wishes__is_current", "wishes__is_refused",
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


class _Verdict(NamedTuple):
    """One assignment by the rules as they are and as they would be."""

    row: _Row
    was: _Fate
    becomes: _Fate


class _Comparison:
    """Decides rows by the rules as they are and as they would be."""

    def __init__(self, before: Ground, after: Ground, changed: tuple[Rule, ...]) -> None:
        self.before, self.after, self.changed = before, after, changed
        self.today = timezone.localdate()
        self._powers = load_powers()
        self._fates: dict[Ask, tuple[_Fate, _Fate]] = {}
        self._owners: dict[str, frozenset[str]] = {}
        self._effects: dict[tuple[str, str], frozenset[Effect]] = {}
        self._days: dict[datetime, date] = {}

    def run(self, assignments: AssignmentQuerySet) -> Foresight:
        rows = self._narrow(assignments)
        heeds_writers = any(rule.effect is Effect.ROLES_ONLY for rule in (*self.before.rules, *self.after.rules))
        writers = _load_writers(rows) if heeds_writers else {}
        found: dict[int, _Verdict] = {}
        for row in map(_Row._make, rows.values_list(*_COLUMNS).iterator(chunk_size=5000)):
            was, becomes = self._decide(row, writers)
            known = found.get(row.pk)
            if known:
                was, becomes = was.or_better(known.was), becomes.or_better(known.becomes)
            found[row.pk] = _Verdict(row, was, becomes)
        outcomes = [(outcome, verdict.row) for verdict in found.values() if (outcome := _compare(verdict))]
        outcomes.sort(key=lambda pair: (_ORDER[pair[0]], pair[1].account_id, pair[1].permission_set, pair[1].pk))
        return Foresight({row.pk: outcome for outcome, row in outcomes}, len(found))

    def _narrow(self, assignments: AssignmentQuerySet) -> AssignmentQuerySet:
        """Those that one of the rules can speak about, on sets of ours."""
        rows = assignments.filter(permission_set__ownership__in=_OURS, account__is_management=False).order_by()
        accounts = set(Account.objects.filter(gone_at__isnull=True).values_list("account_id", flat=True))
        covered = {account_id for account_id in accounts if self._is_covered(account_id)}
        if covered != accounts:
            rows = rows.filter(account__account_id__in=covered)
        sets = {name for name, powers in self._powers.items() if self._is_about(name, powers)}
        if sets != self._powers.keys():
            rows = rows.filter(permission_set__name__in=sets)
        types = {rule.principal_type for rule in self.changed}
        return rows if "" in types else rows.filter(principal__type__in=types)

    def _is_covered(self, account_id: str) -> bool:
        return any(self.before.covers(rule, account_id) for rule in self.changed)

    def _is_about(self, name: str, powers: frozenset[Power]) -> bool:
        return any(is_about(rule, name, powers) for rule in self.changed)

    def _decide(self, row: _Row, writers: Mapping[tuple[int, str], str]) -> tuple[_Fate, _Fate]:
        ask = self._ask(row, writers)
        fates = self._fates.get(ask)
        if fates is None:
            fates = self._fates[ask] = (self._find_fate(self.before, ask), self._find_fate(self.after, ask))
        return fates

    def _ask(self, row: _Row, writers: Mapping[tuple[int, str], str]) -> Ask:
        """As little as the rules heed, so that equal cases are one."""
        is_wished = row.record is not None and bool(row.is_current)
        end = row.wish_ends if is_wished else row.ends
        who = row.principal_id or ""
        effects = self._find_effects(row.account_id, row.permission_set)
        heeds_days = Effect.EXPIRES_WITHIN in effects
        writer = writers.get((row.record or 0, who), "") if Effect.ROLES_ONLY in effects else ""
        return Ask(
            account_id=row.account_id,
            permission_set=row.permission_set,
            powers=self._powers.get(row.permission_set, EVERYTHING),
            principal_type=row.principal_type,
            principal_id=who if who in self._find_owners(row.account_id) else "",
            writers=frozenset({writer} - {""}),
            expires_on=end if heeds_days else None,
            registered_on=self._find_day(row.written_at) if heeds_days else None,
            is_there=row.in_aws and not row.is_refused,
            was_until=end if heeds_days else None,
        )

    def _find_day(self, written_at: datetime | None) -> date:
        """The day on which the record was written last."""
        if written_at is None:
            return self.today
        found = self._days.get(written_at)
        if found is None:
            found = self._days[written_at] = timezone.localdate(written_at)
        return found

    def _find_effects(self, account_id: str, name: str) -> frozenset[Effect]:
        """What the rules ask for that can speak about anybody there."""
        found = self._effects.get((account_id, name))
        if found is None:
            powers = self._powers.get(name, EVERYTHING)
            rules = (ground.find_rules_anywhere(account_id, name, powers) for ground in (self.before, self.after))
            found = frozenset(rule.effect for each in rules for rule in each)
            self._effects[account_id, name] = found
        return found

    def _find_owners(self, account_id: str) -> frozenset[str]:
        owners = self._owners.get(account_id)
        if owners is None:
            owners = self._owners[account_id] = self.before.find_owners(account_id)
        return owners

    def _find_fate(self, ground: Ground, ask: Ask) -> _Fate:
        answer = ground.answer(ask, self.today)
        end = answer.rule.ends_on if answer.rule and answer.say in (Say.ENDS, Say.ENDED) else None
        return _Fate(_RANKS[answer.say], answer.say, end, ask.is_there and ground.is_emergency(ask))


_OURS = (PermissionSet.Ownership.OURS, PermissionSet.Ownership.ABSENT)


def _compare(verdict: _Verdict) -> Outcome | None:
    was, becomes = verdict.was, verdict.becomes
    if verdict.row.in_aws:
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
