"""Guardrails over the desired state: what they refuse, keep, end and spare. Pure; `accounts.ground` decides a case.

What AWS has and a record wanted before a rule came is not refused: it is kept and listed, or ends on the rule's date.
An extension is decided like a new wish, and a wish of another record for the same access is one of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo

from accounts.ground import Answer, Ask, Former, Ground, Say, is_about
from accounts.guardrails import Effect, Rule, covers
from accounts.judgement import Name
from accounts.ownership import Register
from accounts.policy.powers import EVERYTHING, Power, find_powers
from syncer.cases import Judge
from syncer.desired import Before, Standing, State, WishedSet
from syncer.directory import Directory
from syncer.states import Actual, AssignmentKey, Definition, PrincipalType, Problem, ReadRecord, Reason, Scope

DEFAULT_PROTECTION = "admin"  # of the setting PROTECTED_OUS
_SOURCES = {"USER": ("kintone_user", "address"), "GROUP": ("group_name",)}


@dataclass(frozen=True)
class Guards:
    """The rules, and what they are decided by. tags: of accounts, absent where they were never read."""

    rules: tuple[Rule, ...]
    register: Register
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    there: frozenset[AssignmentKey] = frozenset()
    first_looks: frozenset[str] = frozenset()  # records (APP:ID) whose access in AWS is the baseline
    former: Mapping[str, tuple[Former, ...]] = field(default_factory=dict)  # of accounts that were moved


@dataclass(frozen=True)
class Guarded:
    """What became of the standings. ended: by a last day that a refused extension was to move → records."""

    standings: list[Standing]
    ending: Mapping[AssignmentKey, Reason]
    emergency: frozenset[AssignmentKey]
    ended: Mapping[AssignmentKey, set[str]]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Context:
    """The run that is decided about. by: record → value → principal id of who brought it into force."""

    directory: Directory
    sets: Mapping[str, WishedSet]
    records: Collection[ReadRecord]
    before: Mapping[str, Collection[Before]]
    by: Mapping[str, Mapping[str, str]]
    today: date
    zone: tzinfo


class Guard:
    """Decides all standings of one run."""

    def __init__(self, guards: Guards, context: Context) -> None:
        self.guards, self.rules, self.today, self._context = guards, guards.rules, context.today, context
        self.ground = Ground(guards.rules, guards.register, tags=guards.tags, former=guards.former)
        self._records = {str(record.reference): record for record in context.records}
        self._before = {
            (reference, item.key): item.expires_on
            for reference, items in context.before.items()
            for item in items
            if item.is_current
        }
        self._powers: dict[str, frozenset[Power]] = {}
        self._refused: dict[tuple[str, str], list[str]] = defaultdict(list)  # record and rule → names
        self._ending: dict[AssignmentKey, Reason] = {}
        self._ended: dict[AssignmentKey, set[str]] = defaultdict(set)
        self._too_late: dict[tuple[str, str], date] = {}  # record and rule → the day that was refused

    def guard(self, standings: Iterable[Standing]) -> Guarded:
        guarded = [self._guard(standing) for standing in standings]
        for standing in guarded:
            if standing.key and standing.state is not State.WITHHELD:
                self._ending.pop(standing.key, None)  # a rule ends it for another record only
        self._end_others({standing.key for standing in guarded if standing.key})
        return Guarded(guarded, self._ending, self._find_emergency(), self._ended, tuple(self._iter_problems()))

    # One standing

    def _guard(self, standing: Standing) -> Standing:
        powers = self.find_powers(standing.permission_set)
        rules = self.ground.find_rules(standing.target_id, standing.permission_set, powers)
        if not rules or standing.state is State.WITHHELD:
            return standing
        ((reference, end),) = standing.wanted_by.items()  # not merged yet: one record each
        answer = self.ground.answer(self._build_ask(standing, reference, end), self.today)
        return standing if answer.rule is None else self._heed(standing, reference, answer, answer.rule)

    def _heed(self, standing: Standing, reference: str, answer: Answer, rule: Rule) -> Standing:
        key = standing.key
        reason = _say(answer)
        if key is None or answer.say is Say.REFUSED:
            return self._refuse(standing, reference, rule, reason)
        if answer.say is Say.DAY:
            return self._keep_day(standing, reference, key, answer)
        if answer.say is Say.ENDED:
            self._ending[key] = reason
            return replace(standing, state=State.WITHHELD, reason=reason)
        return replace(standing, state=State.KEPT, reason=reason) if standing.state is State.WANTED else standing

    def _was_wanted(self, reference: str, key: AssignmentKey | None) -> bool:
        return (reference, key) in self._before or reference in self.guards.first_looks

    def _refuse(self, standing: Standing, reference: str, rule: Rule, reason: Reason) -> Standing:
        """Blocked with the rule's own sentence. What stands in its way in any case is said first."""
        if standing.state in (State.BLOCKED, State.KEPT):
            return standing
        self._refused[reference, rule.name].append(standing.written_as)
        return replace(standing, state=State.WITHHELD, reason=reason)

    def _keep_day(self, standing: Standing, reference: str, key: AssignmentKey, answer: Answer) -> Standing:
        """The extension is refused: the last day stays as it was, and ends the access when it has passed."""
        old = self._before[reference, key]
        self._too_late[reference, answer.params["rule"]] = standing.wanted_by[reference] or date.max
        kept = replace(standing, wanted_by={reference: old})
        if old is None or old >= self.today:
            return kept
        self._ended[key].add(reference)
        return replace(kept, state=State.WITHHELD, reason=_say(answer))

    # What nobody's record speaks for

    def _end_others(self, named: set[AssignmentKey]) -> None:
        """A broken record holds no end by a guardrail back."""
        if not any(rule.ends_on and rule.ends_on < self.today for rule in self.rules):
            return
        ends = {key: end for (_reference, key), end in self._before.items()}
        for key in self.guards.there - named:
            if rule := self.ground.find_over(self._build_ask_of(key, ends.get(key)), self.today):
                self._ending[key] = _say(Answer(Say.ENDED, rule))

    def _find_emergency(self) -> frozenset[AssignmentKey]:
        if not self.ground.has_keeping:
            return frozenset()
        there = self.guards.there
        return frozenset(key for key in there if self.ground.is_emergency(self._build_ask_of(key, None)))

    # Cases

    def _build_ask(self, standing: Standing, reference: str, end: date | None) -> Ask:
        record, kind, key = self._records.get(reference), standing.principal_type.value, standing.key
        written = record.updated_at if record else None
        return Ask(
            account_id=standing.target_id,
            permission_set=standing.permission_set,
            powers=self.find_powers(standing.permission_set),
            principal_type=kind,
            principal_id=standing.principal_id,
            writers=self._find_writers(reference, kind, standing.written_as),
            expires_on=end,
            registered_on=written.astimezone(self._context.zone).date() if written else self.today,
            is_there=key in self.guards.there and self._was_wanted(reference, key),
            was_until=self._before.get((reference, key)) if key else None,
        )

    def _build_ask_of(self, key: AssignmentKey, end: date | None) -> Ask:
        powers, kind = self.find_powers(key.permission_set), key.principal_type.value
        return Ask(key.target_id, key.permission_set, powers, kind, key.principal_id, expires_on=end)

    def _find_writers(self, reference: str, kind: str, written: str) -> frozenset[str]:
        """Who brought the name into force; nobody where it was there before Genkan."""
        by = self._context.by.get(reference, {})
        found = (by.get(Name(source, written).value, "") for source in _SOURCES[kind])
        return frozenset(filter(None, found))

    def find_powers(self, name: str) -> frozenset[Power]:
        """What a set may do, as its record wants it, else as AWS has it; of a set that nobody knows everything."""
        powers = self._powers.get(name)
        if powers is None:
            wished, there = self._context.sets.get(name), self._context.directory.sets.get(name)
            definition = wished.definition if wished else there.definition if there else None
            powers = self._powers[name] = find_powers_of(definition)
        return powers

    # Problems

    def _iter_problems(self) -> Iterator[Problem]:
        by_name = {rule.name: rule for rule in self.rules}
        for (reference, name), names in sorted(self._refused.items()):
            listed = ", ".join(sorted(set(names)))
            params = {"rule": name, "sentence": by_name[name].sentence, "names": listed}
            yield Problem("guardrail_refuses", "warning", reference, params=params)
        for (reference, name), day in sorted(self._too_late.items()):
            params = {
                "rule": name,
                "sentence": by_name[name].sentence,
                "day": "" if day == date.max else day.isoformat(),
            }
            yield Problem("guardrail_day", "warning", reference, "expires_on", params=params)


def _say(answer: Answer) -> Reason:
    return Reason(answer.code, answer.params)


def find_powers_of(definition: Definition | None) -> frozenset[Power]:
    if definition is None:
        return EVERYTHING
    return find_powers(
        definition.managed_policies,
        definition.inline_policy,
        has_customer_managed=bool(definition.customer_managed_policies),
    )


def find_unmatched(guard: Guard, directory: Directory, names: Collection[str]) -> Iterator[Problem]:
    """Rules that are about something the organization does not have: they protect nothing. names: of all sets."""
    ids = directory.accounts.keys() - {directory.management_account_id}
    for rule in guard.rules:
        if lost := _find_lost(rule, guard.guards.register, directory, names):
            yield Problem("guardrail_matches_nothing", "warning", params={"rule": rule.name, "lost": ", ".join(lost)})
        elif ids and not any(covers(rule, guard.ground.find_place(account_id)) for account_id in ids):
            yield Problem("guardrail_matches_no_account", "warning", params={"rule": rule.name})
        elif names and not any(is_about(rule, name, guard.find_powers(name)) for name in names):
            yield Problem("guardrail_matches_no_set", "warning", params={"rule": rule.name})
        if rule.effect is Effect.ROLES_ONLY and not directory.unread and not _has_people(rule, directory):
            yield Problem("guardrail_roles_gone", "warning", params={"rule": rule.name})


def _find_lost(rule: Rule, register: Register, directory: Directory, names: Collection[str]) -> list[str]:
    """What the rule names and the organization does not have."""
    known = ((rule.unit_id, register.units), (rule.account_id, directory.accounts), (rule.permission_set, names))
    return [name for name, there in known if name and name not in there]


def _has_people(rule: Rule, directory: Directory) -> bool:
    """Whether anybody is left who may register: a group registers nothing itself."""
    named = (directory.principals.get(role) for role in rule.roles)
    return any(each and each.type is PrincipalType.USER and each.is_enabled for each in named)


def find_unmatched_protection(register: Register) -> Iterator[Problem]:
    """What PROTECTED_OUS names and the organization does not have; not every company has what is its default."""
    lost = set(register.find_unmatched_protection()) - {DEFAULT_PROTECTION} if register.units else set[str]()
    for text in sorted(lost):
        yield Problem("protection_matches_nothing", "warning", params={"unit": text})


def fence_units(actual: Actual, judge: Judge) -> Actual:
    """Where units could not be read, nothing is changed in the accounts that a rule about units could concern.

    That is every account whose unit AWS did not give, or gave as one that nobody knows by name and owner.
    """
    if not any(item.blocks == "units" for item in actual.unresolved) or not _is_about_units(judge):
        return actual
    known = judge.register.units
    lost = [account_id for account_id, account in actual.accounts.items() if account.ou_id not in known]
    blind = next(item for item in actual.unresolved if item.blocks == "units")
    fences = tuple(replace(blind, scope=Scope(target_id=account_id), blocks="all") for account_id in sorted(lost))
    return replace(actual, unresolved=actual.unresolved + fences)


def _is_about_units(judge: Judge) -> bool:
    """Stages follow from units, so rules about stages are about units too."""
    return bool(judge.register.protection.units) or any(rule.unit_id or rule.stage for rule in judge.rules)
