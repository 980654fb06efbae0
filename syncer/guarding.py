"""Guardrails over the desired state: what they refuse, keep, end and spare. Pure; `accounts.guardrails` decides a case.

What AWS has and a record wanted before a rule came is not refused: it is kept and listed, or ends on the rule's date.
An extension is decided like a new wish, and a wish of another record for the same access is one of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo

from accounts.guardrails import (
    Case,
    Effect,
    Place,
    Rule,
    Verdict,
    covers,
    decide,
)
from accounts.judgement import Name
from accounts.ownership import Owners, Register
from accounts.policy.powers import EVERYTHING, Power, find_powers
from syncer.cases import Judge
from syncer.desired import Before, Standing, State, WishedSet
from syncer.directory import Directory
from syncer.states import Actual, AssignmentKey, Definition, Problem, ReadRecord, Reason, Scope

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
        self._records = {str(record.reference): record for record in context.records}
        self._before = {
            (reference, item.key): item.expires_on
            for reference, items in context.before.items()
            for item in items
            if item.is_current
        }
        self._places: dict[str, Place] = {}
        self._owners: dict[str, Owners] = {}
        self._powers: dict[str, frozenset[Power]] = {}
        self._relevant: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._refused: dict[tuple[str, str], list[str]] = defaultdict(list)  # record and rule → names
        self._ending: dict[AssignmentKey, Reason] = {}
        self._ended: dict[AssignmentKey, set[str]] = defaultdict(set)
        self._too_late: dict[tuple[str, str], date] = {}  # record and rule → the day that was refused

    def guard(self, standings: Iterable[Standing]) -> Guarded:
        guarded = [self._guard(standing) for standing in standings]
        self._end_others({standing.key for standing in guarded if standing.key})
        return Guarded(guarded, self._ending, self._find_emergency(), self._ended, tuple(self._iter_problems()))

    # One standing

    def _guard(self, standing: Standing) -> Standing:
        rules = self._find_rules(standing.target_id, standing.permission_set)
        if not rules or standing.state is State.WITHHELD:
            return standing
        ((reference, end),) = standing.wanted_by.items()  # not merged yet: one record each
        verdict = decide(rules, self._build_case(standing, reference, end))
        if verdict.rule is None:
            return standing
        key = standing.key
        if key is None or key not in self.guards.there or not self._was_wanted(reference, key):
            return self._refuse(standing, reference, verdict.rule)
        if verdict.rule.effect is Effect.EXPIRES_WITHIN and self._is_extended(reference, key, end):
            return self._keep_day(standing, reference, key, verdict.rule)
        return self._keep(standing, key, verdict)

    def _was_wanted(self, reference: str, key: AssignmentKey) -> bool:
        return (reference, key) in self._before or reference in self.guards.first_looks

    def _is_extended(self, reference: str, key: AssignmentKey, end: date | None) -> bool:
        old = self._before.get((reference, key))
        return old is not None and (end is None or end > old)

    def _refuse(self, standing: Standing, reference: str, rule: Rule) -> Standing:
        """Blocked with the rule's own sentence. What stands in its way in any case is said first."""
        if standing.state in (State.BLOCKED, State.KEPT):
            return standing
        self._refused[reference, rule.name].append(standing.written_as)
        return replace(standing, state=State.WITHHELD, reason=_say(rule))

    def _keep_day(self, standing: Standing, reference: str, key: AssignmentKey, rule: Rule) -> Standing:
        """The extension is refused: the last day stays as it was, and ends the access when it has passed."""
        old = self._before[reference, key]
        self._too_late[reference, rule.name] = standing.wanted_by[reference] or date.max
        kept = replace(standing, wanted_by={reference: old})
        if old is None or old >= self.today:
            return kept
        self._ended[key].add(reference)
        return replace(kept, state=State.WITHHELD, reason=_say(rule))

    def _keep(self, standing: Standing, key: AssignmentKey, verdict: Verdict) -> Standing:
        """It was there before the rule: it stays and is listed, or it ends on the rule's date."""
        rule, ending = verdict.rule, None if verdict.is_emergency else verdict.ending
        if ending and ending.ends_on and ending.ends_on < self.today:
            self._ending[key] = _end(ending)
            return replace(standing, state=State.WITHHELD, reason=self._ending[key])
        if rule is None or standing.state is not State.WANTED:
            return standing
        listed = _end(ending, "guardrail_ends") if ending else Reason("guardrail_kept", _params(rule))
        return replace(standing, state=State.KEPT, reason=listed)

    # What nobody's record speaks for

    def _end_others(self, named: set[AssignmentKey]) -> None:
        """A broken record holds no end by a guardrail back."""
        over = tuple(rule for rule in self.rules if rule.ends_on and rule.ends_on < self.today)
        if not over:
            return
        ends = {key: end for (_reference, key), end in self._before.items()}
        for key in self.guards.there - named:
            rules = [rule for rule in self._find_rules(key.target_id, key.permission_set) if rule in over]
            if not rules or (ends.get(key) and all(rule.effect is Effect.EXPIRES_WITHIN for rule in rules)):
                continue  # its own last day is what such a rule asks for
            if ending := decide(rules, self._build_case_of(key, ends.get(key))).ending:
                self._ending[key] = _end(ending)

    def _find_emergency(self) -> frozenset[AssignmentKey]:
        if not any(rule.effect is Effect.KEEP for rule in self.rules):
            return frozenset()
        return frozenset(
            key
            for key in self.guards.there
            if (keeping := self._find_keeping(key)) and decide(keeping, self._build_case_of(key, None)).is_emergency
        )

    def _find_keeping(self, key: AssignmentKey) -> list[Rule]:
        rules = self._find_rules(key.target_id, key.permission_set)
        return [rule for rule in rules if rule.effect is Effect.KEEP]

    # Cases

    def _find_rules(self, account_id: str, name: str) -> tuple[Rule, ...]:
        """The rules that can speak about anybody's access to an account with a set."""
        if not self.rules:
            return ()
        found = self._relevant.get((account_id, name))
        if found is None:
            place, powers = self._find_place(account_id), self._find_powers(name)
            found = tuple(
                rule
                for rule in self.rules
                if covers(rule, place)
                and rule.permission_set in ("", name)
                and (rule.power is None or rule.power in powers)
            )
            self._relevant[account_id, name] = found
        return found

    def _build_case(self, standing: Standing, reference: str, end: date | None) -> Case:
        record, kind = self._records.get(reference), standing.principal_type.value
        written = record.updated_at if record else None
        return Case(
            place=self._find_place(standing.target_id),
            permission_set=standing.permission_set,
            powers=self._find_powers(standing.permission_set),
            principal_type=kind,
            is_owner=self._is_owner(standing.target_id, standing.principal_id),
            writers=self._find_writers(reference, kind, standing.written_as),
            expires_on=end,
            registered_on=written.astimezone(self._context.zone).date() if written else self.today,
        )

    def _build_case_of(self, key: AssignmentKey, end: date | None) -> Case:
        return Case(
            place=self._find_place(key.target_id),
            permission_set=key.permission_set,
            powers=self._find_powers(key.permission_set),
            principal_type=key.principal_type.value,
            is_owner=self._is_owner(key.target_id, key.principal_id),
            expires_on=end,
        )

    def _find_writers(self, reference: str, kind: str, written: str) -> frozenset[str]:
        """Who brought the name into force; nobody where it was there before Genkan."""
        by = self._context.by.get(reference, {})
        found = (by.get(Name(source, written).value, "") for source in _SOURCES[kind])
        return frozenset(filter(None, found))

    def _find_place(self, account_id: str) -> Place:
        place = self._places.get(account_id)
        if place is None:
            register = self.guards.register
            site = register.sites.get(account_id)
            place = Place(
                account_id,
                frozenset(register.list_units_above(account_id)),
                site.stage if site else "other",
                self.guards.tags.get(account_id),
            )
            self._places[account_id] = place
        return place

    def _is_owner(self, account_id: str, principal_id: str) -> bool:
        owners = self._owners.get(account_id)
        if owners is None:
            owners = self._owners[account_id] = self.guards.register.find_owners(account_id)
        return bool(principal_id) and (principal_id in owners.people or principal_id in owners.principals)

    def _find_powers(self, name: str) -> frozenset[Power]:
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


def _params(rule: Rule) -> dict[str, str]:
    return {"rule": rule.name, "sentence": rule.sentence}


def _say(rule: Rule) -> Reason:
    return Reason("guardrail", _params(rule))


def _end(rule: Rule, code: str = "guardrail_ended") -> Reason:
    return Reason(code, {**_params(rule), "day": rule.ends_on.isoformat() if rule.ends_on else ""})


def find_powers_of(definition: Definition | None) -> frozenset[Power]:
    if definition is None:
        return EVERYTHING
    return find_powers(
        definition.managed_policies,
        definition.inline_policy,
        has_customer_managed=bool(definition.customer_managed_policies),
    )


def find_unmatched(guards: Guards, directory: Directory, names: Collection[str]) -> Iterator[Problem]:
    """Rules that are about something the organization does not have: they protect nothing."""
    units = guards.register.units
    for rule in guards.rules:
        lost = [
            *((rule.unit_id,) if rule.unit_id and rule.unit_id not in units else ()),
            *((rule.account_id,) if rule.account_id and rule.account_id not in directory.accounts else ()),
            *((rule.permission_set,) if rule.permission_set and rule.permission_set not in names else ()),
        ]
        if lost:
            yield Problem("guardrail_matches_nothing", "warning", params={"rule": rule.name, "lost": ", ".join(lost)})


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
