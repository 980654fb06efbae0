"""What follows from wish and truth: the state of every assignment and permission set, and the problems.

Rows are compared with what they should be and written in bulk, so that a run of 200,000 assignments in which nothing
changed costs reads only.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import Account, AppKind, Assignment, PermissionSet, Person, Principal, Problem, Record, Wish
from accounts.models.searching import refold
from accounts.names import clean, fold
from syncer.changes import AssignmentChange, Kind, Plan, SetChange, Standstill
from syncer.desired import Desired, Standing, State
from syncer.mirror.last_days import company_day
from syncer.planning import Fences, Scopes
from syncer.states import LONGEST_SESSION, Actual, ActualSet, AssignmentKey, Focus, Ownership, Reason
from syncer.states import Problem as ProblemState

_BATCH = 500
UNDER_WAY = Standstill.UNDER_WAY
_AS_BEFORE = Reason("")
"""Of what AWS refused earlier and is not tried again yet: the row keeps the reason it has."""
S = Assignment.State
SetState = PermissionSet.State


@dataclass
class Outcomes:
    """What became of a plan so far. Empty before it is applied."""

    created: set[AssignmentKey] = field(default_factory=set)
    deleted: set[AssignmentKey] = field(default_factory=set)
    refused: dict[AssignmentKey, Reason] = field(default_factory=dict)  # for good, in this run
    postponed: dict[AssignmentKey, Reason] = field(default_factory=dict)  # the next run tries again
    arns: dict[str, str] = field(default_factory=dict)  # of the sets that were made
    sets_done: set[str] = field(default_factory=set)
    sets_deleted: set[str] = field(default_factory=set)
    sets_refused: dict[str, Reason] = field(default_factory=dict)
    sets_postponed: dict[str, Reason] = field(default_factory=dict)


class Place(NamedTuple):
    """The identity of an assignment's row."""

    account: int
    permission_set: int
    principal: int


class Facts(NamedTuple):
    """What a row of an assignment should say."""

    state: str
    reason: dict[str, Any]
    in_aws: bool
    is_wanted: bool
    expires_on: date | None


@dataclass(frozen=True)
class _Rows:
    """Primary keys by what AWS and kintone call things."""

    accounts: Mapping[str, int]
    sets: Mapping[str, int]
    principals: Mapping[str, int]  # by principal id
    stand_ins: Mapping[tuple[str, str], int]  # (type, folded name) of principals without an id

    def place(self, key: AssignmentKey) -> Place | None:
        found = (self.accounts.get(key[0]), self.sets.get(key[1]), self.principals.get(key[3]))
        return _place(*found)

    def place_of(self, standing: Standing) -> Place | None:
        if standing.key:
            return self.place(standing.key)
        principal = self.stand_ins.get((standing.principal_type, _name_key(standing.written_as)))
        found = (self.accounts.get(standing.target_id), self.sets.get(standing.permission_set), principal)
        return _place(*found)


def _place(account: int | None, permission_set: int | None, principal: int | None) -> Place | None:
    if account is None or permission_set is None or principal is None:
        return None
    return Place(account, permission_set, principal)


@transaction.atomic
def store_standings(
    desired: Desired, actual: Actual, plan: Plan, outcomes: Outcomes, *, references: Mapping[str, int], now: datetime
) -> None:
    """Write the state of everything that this run looked at. `references` maps APP:ID to the record's row."""
    _store_sets(desired, actual, plan, outcomes, references)
    rows = _load_rows(desired)
    facts = _Judgement(desired, actual, plan, outcomes).judge(rows, now)
    in_scope = _scope_of(actual, plan, rows)
    _write_assignments(facts, in_scope, now)
    _write_wishes(desired, rows, facts, references, in_scope)
    _remove_stand_ins()


@transaction.atomic
def store_outcomes(
    desired: Desired, actual: Actual, plan: Plan, outcomes: Outcomes, *, references: Mapping[str, int], now: datetime
) -> None:
    """Write what became of the plan, and nothing else: other runs may have moved on since it was stored."""
    names = {change.name for change in plan.changes if isinstance(change, SetChange)}
    keys = {change.key for change in plan.changes if isinstance(change, AssignmentChange)}
    waiting = {key for key in desired.wanted if key.permission_set in names} if names else set()
    only_these = replace(actual, focus=Focus(frozenset(), frozenset(names)))
    _store_sets(desired, only_these, plan, outcomes, references)
    rows = _load_rows(desired)
    touched = {place for key in keys | waiting if (place := rows.place(key))}
    facts = _Judgement(desired, actual, plan, outcomes).judge(rows, now)
    _write_assignments(facts, touched.__contains__, now, is_first=False)
    _write_wishes(desired, rows, facts, references, touched.__contains__)


def _load_rows(desired: Desired) -> _Rows:
    strangers = {
        (standing.principal_type.value, _name_key(standing.written_as)): clean(standing.written_as, 1024)
        for standing in desired.standings
        if not standing.principal_id
    }
    stand_ins = _load_stand_ins()
    Principal.objects.bulk_create(
        [
            Principal(type=kind, name=written, name_key=key)
            for (kind, key), written in strangers.items()
            if (kind, key) not in stand_ins
        ],
        ignore_conflicts=True,
    )
    _give_stand_ins_a_person()
    return _Rows(
        accounts=dict(Account.objects.values_list("account_id", "pk")),
        sets=dict(PermissionSet.objects.values_list("name", "pk")),
        principals={
            principal_id: pk
            for principal_id, pk in Principal.objects.values_list("principal_id", "pk")
            if principal_id is not None
        },
        stand_ins=_load_stand_ins(),
    )


def _name_key(name: str) -> str:
    """Folding can lengthen a name, a column cannot grow."""
    return clean(fold(name), 1024)


def _load_stand_ins() -> dict[tuple[str, str], int]:
    rows = Principal.objects.filter(principal_id__isnull=True).values_list("type", "name_key", "pk")
    return {(kind, key): pk for kind, key, pk in rows}


def _give_stand_ins_a_person() -> None:
    """Somebody whom only kintone knows is a person too, under the name written there."""
    missing = Principal.objects.filter(principal_id__isnull=True, type=Principal.Type.USER, person__isnull=True)
    Person.objects.bulk_create([Person(principal=row, name=row.name) for row in missing])


def _remove_stand_ins() -> None:
    """Stand-ins that nobody wishes for any more, with the persons made for them."""
    unused = Principal.objects.filter(principal_id__isnull=True, assignments__isnull=True, links__isnull=True)
    Person.objects.filter(principal__in=unused, user__isnull=True).delete()
    unused.filter(person__isnull=True).delete()


def _scope_of(actual: Actual, plan: Plan, rows: _Rows) -> Callable[[Place], bool]:
    """Whether this run says what becomes of a row: a targeted run about its pairs, a full run about everything.

    What a full run has not read is judged by what was last known. Beyond its pairs a targeted run tells what it
    changes; what another run has under way is that one's to tell.
    """
    elsewhere = {rows.place(key) for key, verdict in plan.verdicts.items() if verdict.standstill is UNDER_WAY}
    if actual.focus is None:
        return lambda place: place not in elsewhere
    pairs = {(rows.accounts.get(account), rows.sets.get(name)) for account, name in actual.focus.pairs}
    changed = {rows.place(change.key) for change in plan.changes if isinstance(change, AssignmentChange)}
    return lambda place: place not in elsewhere and ((place.account, place.permission_set) in pairs or place in changed)


# --- Judging ----------------------------------------------------------------------------------------------------------


class _Judgement:
    """Decides the state of each assignment from everything the run knows."""

    def __init__(self, desired: Desired, actual: Actual, plan: Plan, outcomes: Outcomes) -> None:
        self.desired, self.actual, self.outcomes = desired, actual, outcomes
        self.fences, self.sheltered = Fences(actual.unresolved), Scopes(desired.sheltered)
        self.there = (actual.assignments | outcomes.created) - outcomes.deleted
        changes = [change for change in plan.changes if isinstance(change, AssignmentChange)]
        self.creating = {change.key for change in changes if change.kind is Kind.CREATE}
        self.deleting = {change.key: change for change in changes if change.kind is Kind.DELETE}
        self.verdicts, self.idle_sets, self.refused = plan.verdicts, plan.idle_sets, plan.refused
        self.held = {change.key for change in plan.held if isinstance(change, AssignmentChange)}

    def judge(self, rows: _Rows, now: datetime) -> dict[Place, Facts]:
        facts = {place: self._judge_removed(key, now) for key in self.outcomes.deleted if (place := rows.place(key))}
        for key in self.there:
            place = rows.place(key)
            if place and key not in self.desired.wanted:
                facts[place] = self._judge_unwanted(key)
        for standing in self.desired.standings:
            place = rows.place_of(standing)
            if place:
                facts[place] = self._judge_wanted(standing)
        return facts

    def _judge_wanted(self, standing: Standing) -> Facts:
        state, reason = self.state_of_wanted(standing)
        in_aws, is_wanted = standing.key in self.there, standing.state is not State.WITHHELD
        return Facts(state, reason.as_json() if reason else {}, in_aws, is_wanted, standing.expires_on)

    def _judge_removed(self, key: AssignmentKey, now: datetime) -> Facts:
        """Gone, but consoles and CLIs that were open then can go on for a while."""
        change = self.deleting.get(key)
        until = now + (change.sessions if change and change.sessions else LONGEST_SESSION)
        reason = Reason("removed_sessions_until", {"until_at": until.isoformat(timespec="seconds")})
        return Facts(S.REMOVED, reason.as_json(), in_aws=False, is_wanted=False, expires_on=None)

    def state_of_wanted(self, standing: Standing) -> tuple[str, Reason | None]:
        key = standing.key
        if key is None:
            return _STATES[standing.state], standing.reason
        if key in self.there:
            return self._state_of_granted(key, standing)
        if self.fences.stop_create(key) and key not in self.outcomes.deleted:
            return S.UNRESOLVED, None
        if verdict := self.verdicts.get(key):
            return _VERDICTS[verdict.standstill], verdict.reason
        if standing.state is not State.WANTED:
            return _STATES[standing.state], standing.reason
        return self._state_of_missing(key)

    def _state_of_granted(self, key: AssignmentKey, standing: Standing) -> tuple[str, Reason | None]:
        """AWS has it and somebody wishes it, which need not mean that it stays."""
        if key in self.deleting or key in self.held or standing.state is State.WITHHELD:
            return self._state_of_unwanted(key)
        if self.fences.stop_create(key) and key not in self.outcomes.created:
            return S.UNRESOLVED, None
        there = self.actual.sets.get(key.permission_set)
        if there and there.ownership is not Ownership.OURS:
            return S.UNMANAGED, standing.reason
        return S.GRANTED, None if standing.state is State.WANTED else standing.reason

    def _state_of_missing(self, key: AssignmentKey) -> tuple[str, Reason | None]:
        """Nothing stands in its way, and AWS does not have it yet."""
        outcomes = self.outcomes
        if key in outcomes.refused:
            return S.FAILED, outcomes.refused[key]
        if key in outcomes.postponed:
            return S.REQUESTED, outcomes.postponed[key]
        if key in self.creating:
            return S.REQUESTED, outcomes.sets_refused.get(key.permission_set)
        if self.idle_sets.get(key.permission_set) is UNDER_WAY:
            return S.REQUESTED, None
        if key.permission_set not in self.actual.sets:
            return S.REQUESTED, Reason("set_not_made", {"set": key.permission_set})
        if key not in self.refused and not self.actual.coverage.covers(key):
            return S.REQUESTED, None  # the next run that reads the pair makes it
        return S.FAILED, _AS_BEFORE

    def _judge_unwanted(self, key: AssignmentKey) -> Facts:
        state, reason = self._state_of_unwanted(key)
        return Facts(state, reason.as_json() if reason else {}, True, False, None)

    def _state_of_unwanted(self, key: AssignmentKey) -> tuple[str, Reason | None]:
        there = self.actual.sets.get(key.permission_set)
        if there and there.ownership is Ownership.TERRAFORM:
            return S.UNMANAGED, Reason("managed_in_terraform", {"set": key.permission_set})
        if there and there.ownership is Ownership.NOT_OURS:
            return S.UNMANAGED, Reason("set_not_ours", {"set": key.permission_set})
        if key in self.deleting:
            return S.REMOVING, self.outcomes.refused.get(key) or self.outcomes.postponed.get(key)
        if key in self.held:
            return S.REMOVING, Reason("removal_held")
        if self.fences.stop_delete(key):
            return S.UNRESOLVED, None
        if verdict := self.verdicts.get(key):
            return _VERDICTS[verdict.standstill], verdict.reason
        return self._state_of_left(key)

    def _state_of_left(self, key: AssignmentKey) -> tuple[str, Reason | None]:
        """Nobody wants it, and this run does not take it away."""
        account = self.actual.accounts.get(key.target_id)
        if key in self.desired.emergency:
            return S.GRANTED, Reason("emergency_kept")
        if key in self.desired.kept:
            return S.GRANTED, Reason("kept_not_understood")
        if account is None or not account.is_active:
            name, state = (account.name, account.state) if account else (key.target_id, "")
            return S.BLOCKED, Reason("account_not_active", {"account": name, "state": state})
        if key not in self.desired.before and self.sheltered.cover(key):
            return S.GRANTED, Reason("sheltered")
        return S.REMOVING, _AS_BEFORE


_STATES = {
    State.WANTED: S.REQUESTED,
    State.KEPT: S.BLOCKED,
    State.WAITING: S.WAITING,
    State.BLOCKED: S.BLOCKED,
    State.WITHHELD: S.BLOCKED,
}
_VERDICTS = {Standstill.BLOCKED: S.BLOCKED, Standstill.DRIFTED: S.DRIFTED, Standstill.UNDER_WAY: S.APPLYING}


def count_states(desired: Desired, actual: Actual, plan: Plan, outcomes: Outcomes) -> Counter[str]:
    """How many wished assignments and wished or owned sets are in each state."""
    judgement, sets = _Judgement(desired, actual, plan, outcomes), _SetJudgement(desired, actual, plan, outcomes)
    counts = Counter(
        judgement.state_of_wanted(standing)[0]
        for standing in desired.standings
        if actual.focus is None or standing.identity[:2] in actual.focus.pairs
    )
    for name in {*desired.sets, *desired.set_states} if actual.focus is None else actual.focus.sets:
        counts[sets.state_of(name)[0]] += 1
    return Counter({str(state): count for state, count in counts.items()})


# --- Writing assignments ----------------------------------------------------------------------------------------------

_FACTS = list(Facts._fields)


def _write_assignments(
    facts: Mapping[Place, Facts], in_scope: Callable[[Place], bool], now: datetime, *, is_first: bool = True
) -> None:
    """is_first: the plan is stored. Later only what AWS has now is news where another run has judged otherwise."""
    stored = _load_stored()
    new = [(place, fact) for place, fact in facts.items() if place not in stored and in_scope(place)]
    Assignment.objects.bulk_create([_build_row(place, _give_reason(fact, None), now) for place, fact in new])
    changed: list[Assignment] = []
    for place, (pk, was) in stored.items():
        if not in_scope(place):
            continue
        fact = facts.get(place, Facts(S.REMOVED, {}, in_aws=False, is_wanted=False, expires_on=None))
        if not is_first and fact.is_wanted != was.is_wanted:
            fact = was._replace(in_aws=fact.in_aws)
        fact = _give_reason(fact, was)
        if fact != was:
            changed.append(_build_row(place, fact, now, pk=pk, was=was))
    moved = [row for row in changed if row.since == now]
    kept = [row for row in changed if row.since != now]
    Assignment.objects.bulk_update(moved, [*_FACTS, "since"], _BATCH)
    Assignment.objects.bulk_update(kept, _FACTS, _BATCH)


def _give_reason(fact: Facts, was: Facts | None) -> Facts:
    """What is as it was says why it became so."""
    if fact.reason != _AS_BEFORE.as_json() and (fact.state != S.REMOVED or fact.reason):
        return fact
    return fact._replace(reason=was.reason if was and was.state == fact.state else {})


def _load_stored() -> dict[Place, tuple[int, Facts]]:
    rows = Assignment.objects.values_list("pk", "account_id", "permission_set_id", "principal_id", *_FACTS)
    return {Place(*row[1:4]): (row[0], Facts(*row[4:])) for row in rows.iterator(5000)}


def _build_row(
    place: Place, fact: Facts, now: datetime, *, pk: int | None = None, was: Facts | None = None
) -> Assignment:
    row = Assignment(
        pk=pk,
        account_id=place.account,
        permission_set_id=place.permission_set,
        principal_id=place.principal,
        **fact._asdict(),
    )
    row.since = now if was is None or was.state != fact.state else _EARLIER
    return row


_EARLIER = datetime.min.replace(tzinfo=timezone.get_default_timezone())  # a mark: the time in the row stays


class Link(NamedTuple):
    """The identity of a wish: which assignment, wanted by which record's row."""

    place: Place
    record: int


def _write_wishes(
    desired: Desired,
    rows: _Rows,
    facts: Mapping[Place, Facts],
    references: Mapping[str, int],
    in_scope: Callable[[Place], bool],
) -> None:
    """Which record wants what. A wish taken back stays, marked, until AWS has lost the assignment."""
    wanted = {link: term for link, term in _links_of(desired, rows, references) if in_scope(link.place)}
    stored = _load_wishes()
    assignments = {place: pk for place, (pk, _was) in _load_stored().items()}
    new = [
        Wish(assignment_id=assignments[link.place], record_id=link.record, **term._asdict())
        for link, term in wanted.items()
        if link not in stored and link.place in assignments
    ]
    Wish.objects.bulk_create(new, ignore_conflicts=True)
    kept = [
        Wish(pk=stored[link].pk, is_current=True, **term._asdict())
        for link, term in wanted.items()
        if link in stored and (stored[link].term, stored[link].is_current) != (term, True)
    ]
    undecided = _undecided(desired, references)
    taken_back = {
        link: wish
        for link, wish in stored.items()
        if link not in wanted and in_scope(link.place)
        if link.record not in undecided or _is_over(wish)  # a passed day ends a word that stands as well
    }
    dropped = [wish.pk for link, wish in taken_back.items() if not _is_in_aws(link.place, facts)]
    marked = [
        Wish(pk=wish.pk, is_current=False, **wish.term._asdict())
        for link, wish in taken_back.items()
        if wish.is_current and _is_in_aws(link.place, facts)
    ]
    Wish.objects.bulk_update([*kept, *marked], ["expires_on", "is_current", "is_refused"], _BATCH)
    for start in range(0, len(dropped), _BATCH):
        Wish.objects.filter(pk__in=dropped[start : start + _BATCH]).delete()
    # A stand-in's row has no history worth keeping once nobody waits for it.
    Assignment.objects.filter(principal__principal_id__isnull=True, wishes__isnull=True).delete()


class Term(NamedTuple):
    """How a record wants an assignment: until when, and whether that is in force."""

    expires_on: date | None
    is_refused: bool


def _links_of(desired: Desired, rows: _Rows, references: Mapping[str, int]) -> Iterator[tuple[Link, Term]]:
    for standing in desired.standings:
        place = rows.place_of(standing)
        if place is not None:
            is_refused = standing.state is State.WITHHELD
            for record, ends in standing.wanted_by.items():
                yield Link(place, references[record]), Term(ends, is_refused)


def _undecided(desired: Desired, references: Mapping[str, int]) -> set[int]:
    """Live records that are not understood now: their last word stands."""
    return {row for reference, row in references.items() if reference not in desired.valid}


def _is_over(wish: "_StoredWish") -> bool:
    return wish.term.expires_on is not None and wish.term.expires_on < company_day(timezone.now())


def _is_in_aws(place: Place, facts: Mapping[Place, Facts]) -> bool:
    return place in facts and facts[place].in_aws


class _StoredWish(NamedTuple):
    pk: int
    is_current: bool
    term: Term


def _load_wishes() -> dict[Link, _StoredWish]:
    rows = Wish.objects.values_list(
        "assignment__account_id", "assignment__permission_set_id", "assignment__principal_id",
        "record_id", "pk", "is_current", "expires_on", "is_refused",
    )  # fmt: skip
    return {Link(Place(*row[:3]), row[3]): _StoredWish(row[4], row[5], Term(*row[6:])) for row in rows.iterator(5000)}


# --- Permission sets --------------------------------------------------------------------------------------------------


def _store_sets(
    desired: Desired, actual: Actual, plan: Plan, outcomes: Outcomes, references: Mapping[str, int]
) -> None:
    wished = {*desired.sets, *desired.set_states}
    there = set(PermissionSet.objects.values_list("name", flat=True))
    named, descriptions = _load_set_records()
    PermissionSet.objects.bulk_create([PermissionSet(name=name) for name in sorted(wished - there)])
    rows = {row.name: row for row in PermissionSet.objects.all()}
    judgement, changed = _SetJudgement(desired, actual, plan, outcomes), []
    for name, row in rows.items():
        if actual.focus is not None and name not in actual.focus.sets:
            continue
        state, reason = judgement.state_of(name)
        if state == SetState.FAILED and reason is None and row.state == state:
            values: dict[str, Any] = {"reason": row.reason}
        else:
            values = {"reason": reason.as_json() if reason else {}}
        record = desired.sets[name].record if name in desired.sets else named.get(name)
        values |= {"state": state, "record_id": references.get(record) if record else None}
        values["description"] = descriptions.get(record or "", (row.actual or {}).get("description", ""))
        if any(getattr(row, field_name) != value for field_name, value in values.items()):
            for field_name, value in values.items():
                setattr(row, field_name, value)
            changed.append(row)
    refold(changed)
    PermissionSet.objects.bulk_update(changed, ["state", "reason", "record", "description", "search_key"], _BATCH)


def _load_set_records() -> tuple[dict[str, str], dict[str, str]]:
    """Set name → APP:ID of the record that has that name, understood or not; APP:ID → description in force."""
    rows = Record.objects.live().of_kind(AppKind.PERMISSION_SET).only("title", "app_id", "record_id", "in_force")
    named = {row.title.strip(): row.reference for row in rows}
    return named, {row.reference: row.in_force["description"] for row in rows if row.in_force}


class _SetJudgement:
    """Decides the state of each permission set."""

    def __init__(self, desired: Desired, actual: Actual, plan: Plan, outcomes: Outcomes) -> None:
        self.desired, self.actual, self.outcomes = desired, actual, outcomes
        self.fences, self.standstills = Fences(actual.unresolved), plan.idle_sets
        self.pending = {change.name for change in plan.changes if isinstance(change, SetChange)} - outcomes.sets_done

    def state_of(self, name: str) -> tuple[str, Reason | None]:
        desired, outcomes = self.desired, self.outcomes
        if name in outcomes.sets_deleted:
            return SetState.REMOVED, None
        if self.fences.stop_set(name):
            return SetState.UNRESOLVED, None
        if name in desired.set_states:
            return SetState.BLOCKED, desired.set_states[name]
        if name in outcomes.sets_refused:
            return SetState.FAILED, outcomes.sets_refused[name]
        if name in outcomes.sets_postponed:
            return SetState.PENDING, outcomes.sets_postponed[name]
        if name in self.pending:
            return SetState.PENDING, None
        there = self.actual.sets.get(name)
        return self._state_of_wished(name, there) if name in desired.sets else _state_of_unwished_set(name, there)

    def _state_of_wished(self, name: str, there: ActualSet | None) -> tuple[str, Reason | None]:
        """Neither in line nor about to be: it was changed by hand and is left for now, or AWS refused it earlier."""
        if name in self.outcomes.sets_done or self._is_in_line(name, there):
            return SetState.IN_SYNC, None
        if standstill := self.standstills.get(name):
            is_drift = standstill is Standstill.DRIFTED
            return SetState.PENDING, Reason("set_drifted", {"set": name}) if is_drift else None
        if self.actual.sets_read is not None and name not in self.actual.sets_read:
            return SetState.PENDING, None  # the next run that reads the set brings it in line
        return SetState.FAILED, None

    def _is_in_line(self, name: str, there: ActualSet | None) -> bool:
        if there is None or there.definition is None:
            return False
        return not there.definition.differences(self.desired.sets[name].definition) and not there.stale_accounts


def _state_of_unwished_set(name: str, there: ActualSet | None) -> tuple[str, Reason | None]:
    if there is None:
        return SetState.REMOVED, None
    if there.ownership is Ownership.TERRAFORM:
        return SetState.UNMANAGED, Reason("managed_in_terraform", {"set": name})
    if there.ownership is not Ownership.OURS:
        return SetState.UNMANAGED, Reason("set_not_ours", {"set": name})
    return SetState.IN_SYNC, Reason("set_without_record", {"set": name})


# --- Problems ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def store_problems(problems: Collection[ProblemState], references: Mapping[str, int]) -> None:
    """Exactly these problems stand now; those that stood before keep the time since when."""
    wanted = {_identity(problem, references): problem for problem in problems}
    stored = {
        (row.record_id, row.code, row.field, row.line, _stable(row.params)): row.pk for row in Problem.objects.all()
    }
    dropped = [pk for identity, pk in stored.items() if identity not in wanted]
    for start in range(0, len(dropped), _BATCH):
        Problem.objects.filter(pk__in=dropped[start : start + _BATCH]).delete()
    Problem.objects.bulk_create(
        [
            Problem(
                record_id=identity[0], code=problem.code, severity=problem.severity, field=problem.field,
                line=problem.line, params=dict(problem.params),
            )
            for identity, problem in wanted.items() if identity not in stored
        ],
    )  # fmt: skip


def _identity(problem: ProblemState, references: Mapping[str, int]) -> tuple[int | None, str, str, int | None, str]:
    return (references.get(problem.record), problem.code, problem.field, problem.line, _stable(problem.params))


def _stable(params: Mapping[str, Any]) -> str:
    return repr(sorted(params.items()))


def load_references() -> dict[str, int]:
    """APP:ID → row of every live record."""
    rows = Record.objects.live().values_list("app_id", "record_id", "pk")
    return {f"{app_id}:{record_id}": pk for app_id, record_id, pk in rows}
