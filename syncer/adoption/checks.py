"""Whether a permission set that is not ours can come under Genkan without anybody losing or gaining access. Pure.

What is compared is what the next run would think if the set were ours. The ownership tag is the last act of adopting:
from then on all assignments of the set are ours, and unwanted ones are removed. So every assignment that AWS has must
be wanted by a valid record, or be named as one that may be lost, and the plan must hold nothing else.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from accounts.names import fold
from syncer.changes import AssignmentChange, Change, Kind, Plan, identity_of
from syncer.desired import Desired, Standing, State
from syncer.directory import Directory, LinkKey, find_match
from syncer.records.parsing import Notes, parse_permission_set
from syncer.states import (
    Actual,
    AssignmentKey,
    Definition,
    Difference,
    PrincipalType,
    ReadRecord,
    Reason,
    Unresolved,
)


class Take(StrEnum):
    """Whose word counts where kintone and AWS differ."""

    NOTHING = ""
    KINTONE = "kintone"  # the next run changes AWS
    AWS = "aws"  # the record is brought to what AWS has


class Likeness(StrEnum):
    EQUAL = "equal"
    DIFFERENT = "different"
    ONLY_AWS = "only_aws"  # something of it is in no record yet
    CANNOT = "cannot"


class Obstacle(NamedTuple):
    """What keeps a set from being adopted: one assignment of it, or the set as a whole."""

    reason: Reason
    key: AssignmentKey | None = None


@dataclass(frozen=True)
class Verdict:
    """How one set in AWS and its records compare.

    differences: from AWS to what the record says; stale: accounts that hold an older version than AWS has now;
    holders: accounts to which a change of the set would be provisioned; more: what records want and AWS does not have;
    unregistered: what AWS has and no record wants, and a record can name; beside: what else the next run would do.
    """

    name: str
    record: str = ""  # APP:ID
    lacks_record: bool = False
    differences: tuple[Difference, ...] = ()
    stale: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()
    more: tuple[AssignmentKey, ...] = ()
    unregistered: tuple[AssignmentKey, ...] = ()
    left_out: tuple[AssignmentKey, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    beside: tuple[str, ...] = ()
    breakage: Reason | None = None  # why a record that says what AWS has would not be valid
    assignments: int = 0

    @property
    def likeness(self) -> Likeness:
        if self.obstacles:
            return Likeness.CANNOT
        if self.differences or self.stale or self.more:
            return Likeness.DIFFERENT
        return Likeness.ONLY_AWS if self.lacks_record or self.unregistered else Likeness.EQUAL

    @property
    def checksum(self) -> str:
        """Stands for exactly what was shown: whoever confirms it confirms nothing else."""
        shown = (
            self.name, self.lacks_record, self.differences, sorted(self.stale), sorted(self.holders), self.more,
            self.unregistered, self.left_out, [(item.reason.code, item.key) for item in self.obstacles],
        )  # fmt: skip
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]

    def find_hindrances(self, take: Take) -> tuple[Obstacle, ...]:
        """Why nothing is written for this set, empty where it can be adopted."""
        hindrances = list(self.obstacles)
        if self.breakage and self.differences and take is Take.AWS:
            hindrances.append(Obstacle(self.breakage))
        if self.differences and not take:
            fields = ", ".join(item.field for item in self.differences)
            hindrances.append(Obstacle(Reason("adopt_different", {"set": self.name, "fields": fields})))
        if take is not Take.KINTONE:
            if self.stale:
                accounts = ", ".join(sorted(self.stale))
                hindrances.append(Obstacle(Reason("adopt_stale", {"set": self.name, "accounts": accounts})))
            hindrances += [Obstacle(Reason("adopt_more", {"set": self.name}), key) for key in self.more]
        return tuple(hindrances)

    def find_doubts(self, take: Take) -> tuple[Obstacle, ...]:
        """Why the tag may not be set, empty where the next run would take nothing away and give nothing unsaid."""
        doubts = list(self.find_hindrances(take))
        if self.lacks_record:
            doubts.append(Obstacle(Reason("adopt_record_missing", {"set": self.name})))
        if self.differences and take is Take.AWS:
            fields = ", ".join(item.field for item in self.differences)
            doubts.append(Obstacle(Reason("adopt_still_different", {"set": self.name, "fields": fields})))
        doubts += [Obstacle(Reason("adopt_not_wanted", {"set": self.name}), key) for key in self.unregistered]
        if self.beside:
            changes = "; ".join(self.beside)
            doubts.append(Obstacle(Reason("adopt_would_change", {"set": self.name, "changes": changes})))
        return tuple(doubts)


# --- How a record names somebody --------------------------------------------------------------------------------------


class Named(NamedTuple):
    """The field of an assignment record, and the name in it."""

    field: str
    text: str


_SOURCES = {"users": "kintone_user", "more_users": "address", "groups": "group_name"}


@dataclass(frozen=True)
class Naming:
    """How records name principals. fields: those that the app of assignments has; codes: principal id → kintone's."""

    directory: Directory
    fields: Collection[str]
    codes: Mapping[str, str]

    def name(self, key: AssignmentKey) -> Named | Reason:
        """The name under which a run finds exactly this principal, or why there is none."""
        principal = self.directory.principals[key.principal_id]
        possible = list(self._iter_names(key.principal_type, key.principal_id, principal.name))
        found = next((named for named in possible if self._leads_to(named) == key.principal_id), None)
        if found:
            return found
        shown = principal.display_name or principal.name or key.principal_id
        if possible:
            return Reason("adopt_ambiguous", {"name": shown})
        return Reason("adopt_nameless", {"name": shown})

    def _iter_names(self, kind: PrincipalType, principal_id: str, name: str) -> Iterator[Named]:
        if kind is PrincipalType.GROUP:
            names = [Named("groups", name)]
        else:
            names = [Named("users", self.codes.get(principal_id, "")), Named("more_users", name)]
        yield from (named for named in names if named.field in self.fields and _fits_a_line(named.text))

    def _leads_to(self, named: Named) -> str:
        return find_principal(self.directory, LinkKey(_SOURCES[named.field], fold(named.text)))


def _fits_a_line(text: str) -> bool:
    return bool(text.strip()) and len(text.splitlines()) == 1


def find_principal(directory: Directory, key: LinkKey) -> str:
    """Whom a run would take a name for; empty where it would find nobody, or would have to ask."""
    if key in directory.namesakes:
        return ""
    if linked := directory.links.get(key):
        return linked
    found = find_match(directory, key)
    return found[0].principal_id if found else ""


def find_codes(directory: Directory, codes: Iterable[str]) -> dict[str, str]:
    """Principal id → the one kintone code of these by which a run finds exactly this person."""
    found: dict[str, list[str]] = defaultdict(list)
    for code in codes:
        if principal_id := find_principal(directory, LinkKey("kintone_user", fold(code))):
            found[principal_id].append(code)
    return {principal_id: several[0] for principal_id, several in found.items() if len(several) == 1}


def find_breakage(name: str, definition: Definition, directory: Directory) -> Reason | None:
    """Why no valid record could say what AWS has: a policy that is listed no more, or what our own checks refuse."""
    for arn in sorted(definition.managed_policies) if directory.policies_listed_on is None else ():
        policy = directory.policies_by_name.get(arn)
        if policy is None or not policy.is_attachable:
            return Reason("adopt_unwritable", {"set": name, "field": "managed_policies", "value": arn})
    notes = Notes("")
    said = {"name": name, "relay_state": definition.relay_state, "inline_policy": definition.inline_policy}
    parse_permission_set({field_name: {"value": value} for field_name, value in said.items()}, notes)
    errors = [problem for problem in notes.problems if problem.severity == "error"]
    if not errors:
        return None
    place = f"{errors[0].code} ({errors[0].line})" if errors[0].line else errors[0].code
    return Reason("adopt_unwritable", {"set": name, "field": errors[0].field, "value": place})


# --- Comparing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """What the next run would have before it if the sets in question were ours.

    records: those of assignments; faults: set → why it could not be read, or cannot be ours; locked: principal id →
    why.
    """

    desired: Desired
    actual: Actual
    plan: Plan
    records: Collection[ReadRecord]
    naming: Naming
    holders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    faults: Mapping[str, Reason] = field(default_factory=dict)
    locked: Mapping[str, Reason] = field(default_factory=dict)
    left_out: frozenset[AssignmentKey] = frozenset()


class Comparison:
    """Compares set by set."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def judge(self, name: str) -> Verdict:
        evidence = self.evidence
        if fault := evidence.faults.get(name):
            return Verdict(name, obstacles=(Obstacle(fault),))
        keys = sorted(self._assignments.get(name, ()))
        obstacles = [Obstacle(reason) for reason in self._find_obstacles(name)]
        unregistered: list[AssignmentKey] = []
        for key in keys:
            reason = None if key in evidence.left_out else self._judge_key(key)
            if isinstance(reason, Reason):
                obstacles.append(Obstacle(reason, key))
            elif reason is not None:
                unregistered.append(key)
        wished, there = evidence.desired.sets.get(name), evidence.actual.sets[name]
        breakage = find_breakage(name, there.definition, evidence.naming.directory) if there.definition else None
        lacks_record = wished is None and name not in evidence.desired.set_states
        if breakage and lacks_record:
            obstacles.append(Obstacle(breakage))
        more = tuple(sorted(self._find_more(name)))
        explained = {*more, *unregistered, *(item.key for item in obstacles if item.key), *evidence.left_out}
        return Verdict(
            name=name,
            record=wished.record if wished else "",
            lacks_record=lacks_record,
            breakage=breakage,
            differences=there.definition.differences(wished.definition) if wished and there.definition else (),
            stale=there.stale_accounts,
            holders=evidence.holders.get(name, frozenset()),
            more=more,
            unregistered=tuple(unregistered),
            left_out=tuple(key for key in keys if key in evidence.left_out),
            obstacles=tuple(obstacles),
            beside=tuple(self._find_beside(name, explained)) if wished else (),
            assignments=len(keys),
        )

    # The set as a whole

    def _find_obstacles(self, name: str) -> Iterator[Reason]:
        evidence = self.evidence
        yield from (item.reason for item in evidence.actual.unresolved if _may_hide(item, name))
        if state := evidence.desired.set_states.get(name):
            yield state
        if record := self._broken_sets.get(name):
            yield Reason("adopt_not_understood", {"record": record})

    @cached_property
    def _broken_sets(self) -> dict[str, str]:
        """Set → a record that cannot be understood and may be about any of its accounts."""
        return {
            record.permission_set: str(record.reference)
            for record in self._iter_broken()
            if record.permission_set and not record.account_id
        }

    def _iter_broken(self) -> Iterator[ReadRecord]:
        return (record for record in self.evidence.records if record.wish is None)

    # One assignment

    def _judge_key(self, key: AssignmentKey) -> Reason | AssignmentKey | None:
        """None where a valid record wants it, the key where a record can be written for it, or why neither is so."""
        if reason := self._find_lack(key):
            return reason
        desired = self.evidence.desired
        standing = desired.wanted.get(key)
        if standing is not None:
            is_valid = not desired.valid.isdisjoint(standing.records)
            return None if is_valid else Reason("adopt_not_understood", {"record": standing.records[0]})
        if reason := self._find_refusal(key):
            return reason
        named = self.evidence.naming.name(key)
        return named if isinstance(named, Reason) else key

    def _find_lack(self, key: AssignmentKey) -> Reason | None:
        """What makes an assignment one that ends as soon as the set is ours."""
        evidence = self.evidence
        principal = evidence.actual.principals.get(key.principal_id)
        if key.target_id not in evidence.actual.accounts:
            return Reason("adopt_account_unknown", {"account": key.target_id})
        if principal is None:
            return Reason("adopt_orphan", {"name": key.principal_id})
        if not principal.is_enabled:
            return Reason("adopt_disabled", {"name": principal.display_name or principal.name})
        return evidence.locked.get(key.principal_id) or evidence.desired.ending.get(key)

    def _find_refusal(self, key: AssignmentKey) -> Reason | None:
        """What records say of it: that it is over, taken back, withheld, or nothing that anybody understands."""
        desired = self.evidence.desired
        if withheld := self._withheld.get(key):
            return withheld.reason or Reason("adopt_not_wanted", {"set": key.permission_set})
        if key in desired.over or key in desired.ended:
            return Reason("adopt_ended")
        if key in desired.kept:
            records = ", ".join(sorted(desired.before.get(key, ())))
            return Reason("adopt_not_understood", {"record": records})
        if key in desired.before:
            return Reason("adopt_withdrawn", {"record": ", ".join(sorted(desired.before[key]))})
        if record := self._find_unclear(key):
            return Reason("adopt_name_unclear", {"record": record})
        return None

    def _find_unclear(self, key: AssignmentKey) -> str:
        """A record about this place that names somebody nobody can find, who may be this one."""
        places = ((key.target_id, key.permission_set, key.principal_type), (key.target_id, "", ""))
        return next((self._unclear[place] for place in places if place in self._unclear), "")

    @cached_property
    def _unclear(self) -> dict[tuple[str, str, str], str]:
        found: dict[tuple[str, str, str], str] = {}
        for standing in self.evidence.desired.standings:
            if not standing.principal_id:
                place = (standing.target_id, standing.permission_set, standing.principal_type)
                found.setdefault(place, standing.records[0])
        for record in self._iter_broken():
            for kind in PrincipalType if record.permission_set else ("",):
                found.setdefault((record.account_id, record.permission_set, kind), str(record.reference))
        return found

    @cached_property
    def _withheld(self) -> dict[AssignmentKey, Standing]:
        standings = self.evidence.desired.standings
        return {key: item for item in standings if item.state is State.WITHHELD and (key := item.key)}

    # What the next run would do

    def _find_more(self, name: str) -> Iterator[AssignmentKey]:
        """What comes once the set is ours; also what waits for no more than the set's own record."""
        actual, management = self.evidence.actual, self.evidence.actual.instance.management_account_id
        for key in self._wanted.get(name, ()):
            standing, account = self.evidence.desired.wanted[key], actual.accounts.get(key.target_id)
            principal = actual.principals.get(key.principal_id)
            is_due = standing.state is State.WANTED or (
                standing.state is State.KEPT and name not in self.evidence.desired.sets
            )
            is_open = account is not None and account.is_active and key.target_id != management
            is_able = principal is not None and principal.is_enabled
            if is_due and is_open and is_able and key not in actual.assignments:
                yield key

    def _find_beside(self, name: str, explained: Collection[AssignmentKey]) -> Iterator[str]:
        """Planned changes of this set that are neither shown nor named as what may be lost."""
        for change in self._changes.get(name, ()):
            # The differences and the older versions say what an update of the set does.
            is_update = change.kind is Kind.UPDATE
            is_shown = change.key in explained if isinstance(change, AssignmentChange) else is_update
            if not is_shown:
                yield identity_of(change)

    @cached_property
    def _assignments(self) -> dict[str, set[AssignmentKey]]:
        return _by_set(self.evidence.actual.assignments)

    @cached_property
    def _wanted(self) -> dict[str, set[AssignmentKey]]:
        return _by_set(self.evidence.desired.wanted)

    @cached_property
    def _changes(self) -> dict[str, list[Change]]:
        found: dict[str, list[Change]] = defaultdict(list)
        plan = self.evidence.plan
        for change in (*plan.changes, *plan.held):
            found[change.key.permission_set if isinstance(change, AssignmentChange) else change.name].append(change)
        return found


def _by_set(keys: Iterable[AssignmentKey]) -> dict[str, set[AssignmentKey]]:
    found: dict[str, set[AssignmentKey]] = defaultdict(set)
    for key in keys:
        found[key.permission_set].add(key)
    return found


def _may_hide(item: Unresolved, name: str) -> bool:
    """Whether something of this set may not have been seen, or seen wrongly."""
    return item.blocks not in ("none", "units") and item.scope.permission_set in (None, name)
