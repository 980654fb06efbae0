"""Everything of a run before the first write to AWS: read the wish, read the truth, work out the plan."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from accounts.models import AppKind
from accounts.policy.managed import load_bundle
from syncer.absences import find_stopped
from syncer.cases import Judge
from syncer.changes import Group, Kind, Limits, Plan, identity_of
from syncer.connections import connect_kintone
from syncer.desired import Before, Desired, State
from syncer.directory import Directory, find_policies_in_use
from syncer.drifting import Consequences
from syncer.gateways.errors import GatewayError
from syncer.gateways.identity_center import IdentityCenter
from syncer.guarding import fence_units, find_unmatched_protection
from syncer.mirror import captures, drift, people, refusals, standings, truth
from syncer.mirror import records as record_mirror
from syncer.mirror.judging import load_judge
from syncer.mirror.ledger import Ledger, load_ledger
from syncer.mirror.links import follow_links, load_links
from syncer.mirror.moves import load_moves
from syncer.mirror.naming import load_alike
from syncer.mirror.records import load_before, load_records
from syncer.mirror.stops import load_stops
from syncer.mirror.withdrawals import load_asked
from syncer.models import AppState, Run
from syncer.models import Change as ChangeRow
from syncer.observing import Blind, Observation, observe
from syncer.planning import NOTHING_REFUSED, Circumstances, plan_run
from syncer.recording import identity_of_row, load_removed_lately
from syncer.records.mails import add_mails
from syncer.records.rhythm import Occasion
from syncer.records.scanning import AppFailure, AppReading, AppSource, read_app, read_record, recall_reading
from syncer.records.scanning import read_records as read_records_of
from syncer.records.schema import SchemaError
from syncer.sets.farewells import load_confirmed
from syncer.sets.managed_names import PARTITION, list_bundled
from syncer.states import (
    Actual,
    ActualPolicy,
    AssignmentKey,
    Focus,
    ReadRecord,
    Reason,
    Scope,
    Unresolved,
    find_unread_types,
)
from syncer.wishes import build_desired

MEMORY_OF_THE_BRAKE = timedelta(hours=24)
FRESH = timedelta(days=7)  # IAM's list is read once a day: an older one says that it cannot be read any more


class RunFailed(Exception):
    """The run cannot even plan: something that everything depends on could not be read."""

    def __init__(
        self, reason: Reason, unresolved: tuple[Unresolved, ...] = (), calls: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.unresolved = reason, unresolved
        self.calls = dict(calls or {})  # requests that AWS got before it came to this


class Progress(Protocol):
    """Where a run tells how far it is. Steps are those of `Run.Step`."""

    def begin(self, step: str) -> None: ...
    def note(self, **figures: int) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def begin(self, step: str) -> None:
        pass

    def note(self, **figures: int) -> None:
        pass


@dataclass(frozen=True)
class Wish:
    """What was read of kintone."""

    readings: tuple[AppReading, ...]
    waiting: frozenset[str] = frozenset()  # records that changed earlier and that no run has looked at

    @property
    def changed(self) -> frozenset[str]:
        """Records (APP:ID) that came, changed or went."""
        return self.waiting.union(*(reading.changed | reading.gone for reading in self.readings))

    @property
    def records(self) -> int:
        return sum(reading.records for reading in self.readings)

    @property
    def missing(self) -> frozenset[str]:
        return frozenset().union(*(reading.missing for reading in self.readings))

    @property
    def shrunk(self) -> frozenset[str]:
        return frozenset(str(reading.kind) for reading in self.readings if reading.shrunk)

    def codes(self, kind: AppKind) -> Mapping[str, str]:
        return next(reading.codes for reading in self.readings if reading.kind == kind)


@dataclass(frozen=True)
class _Ask:
    """What a plan is asked for: from which wish, whether refusals are tried again, which checksum is accepted."""

    wish: Wish
    everything: bool
    accept: str


@dataclass(frozen=True)
class Prepared:
    """A plan with everything it was made of."""

    ask: _Ask
    seen: Observation
    records: tuple[ReadRecord, ...]
    actual: Actual  # what was seen, with what other runs did since
    desired: Desired
    plan: Plan
    references: Mapping[str, int]  # APP:ID → row
    is_accepted: bool  # what would have been held was accepted by its checksum
    ledger: Ledger  # what other runs did and do

    @property
    def wish(self) -> Wish:
        return self.ask.wish

    @property
    def center(self) -> IdentityCenter:
        return self.seen.center

    @property
    def left_over(self) -> frozenset[str]:
        """The records (APP:ID) that this run has not dealt with.

        Another run is at their wishes, or they came so late that what they concern was not read.
        """
        keys = {*self.ledger.under_way, *self._find_unread()}
        sets = {wished.record for name, wished in self.desired.sets.items() if self._is_unread(name)}
        return frozenset(record for key in keys for record in self._records_of(key)) | sets

    def _find_unread(self) -> Iterator[AssignmentKey]:
        """What is wanted and not there, or there and wanted no more, where this run has not looked."""
        there, coverage, desired = self.actual.assignments, self.actual.coverage, self.desired
        if coverage.is_complete:
            return
        coming = (key for key, standing in desired.wanted.items() if standing.state is State.WANTED)
        yield from (key for key in coming if key not in there and not coverage.covers(key))
        gone = (key for key in desired.before if key in there and key not in desired.wanted)
        yield from (key for key in gone if not coverage.covers(key))

    def _is_unread(self, name: str) -> bool:
        if self.actual.sets_read is None or name in self.actual.sets_read:
            return False
        there = self.actual.sets.get(name)
        definition = there.definition if there else None
        return definition is None or bool(definition.differences(self.desired.sets[name].definition))

    def _records_of(self, key: AssignmentKey) -> Collection[str]:
        standing = self.desired.wanted.get(key)
        return {*(standing.records if standing else ()), *self.desired.before.get(key, ())}

    def is_outdated(self) -> bool:
        """Records or other runs have moved on since: what was planned may undo what they did."""
        if load_ledger(self.seen.began_at).marks != self.ledger.marks:
            return True
        there = record_mirror.load_revisions_of_all()
        return {key: there[key] for key in there if key not in self.wish.missing} != self.desired.revisions


# --- The wish ---------------------------------------------------------------------------------------------------------


def read_wish(occasion: Occasion) -> Wish:
    """Read both apps into the mirror. Raises RunFailed, after trying both, when one could not be read."""
    readings: list[AppReading] = []
    failures: list[AppFailure] = []
    for source in connect_kintone():
        with source.app:
            try:
                readings.append(read_app(source, occasion))
            except AppFailure as failure:
                failures.append(failure)
    if failures:
        raise RunFailed(failures[0].reason, tuple(_unread(failure) for failure in failures))
    return Wish(tuple(readings))


def read_one_record(reference: str) -> Wish:
    """Read one record by itself. Raises RunFailed when it cannot be read or belongs to neither app."""
    app_id, _colon, record_id = reference.partition(":")
    source = next((item for item in connect_kintone() if item.app.app_id == app_id), None)
    if source is None or not record_id.isdigit():
        raise RunFailed(Reason("record_not_found", {"record": reference}))
    states = {state.kind: state for state in AppState.objects.all()}
    if len(states) < len(AppKind) or not all(state.fields for state in states.values()):
        return read_wish(Occasion.CHECKED)
    try:
        with source.app:
            reading = read_record(source, record_id)
    except (GatewayError, SchemaError) as error:
        operation = getattr(error, "operation", f"kintone GET record.json app {app_id}")
        raise RunFailed(error.reason, (Unresolved(Scope(), operation, error.reason, about=reference),)) from error
    if reading is None:
        raise RunFailed(Reason("record_not_found", {"record": reference}))
    others = (recall_reading(state) for kind, state in states.items() if kind != source.kind)
    return Wish((replace(reading, changed=reading.changed | {reference}), *others))


def read_records(references: Collection[str]) -> Wish:
    """Read these records (APP:ID) by themselves, 500 a request; those of other apps are left out. Raises RunFailed."""
    states = {state.kind: state for state in AppState.objects.all()}
    if len(states) < len(AppKind) or not all(state.fields for state in states.values()):
        return read_wish(Occasion.CHECKED)
    return Wish(tuple(_reread(source, states[source.kind], references) for source in connect_kintone()))


def _reread(source: AppSource, state: AppState, references: Collection[str]) -> AppReading:
    prefix = f"{source.app.app_id}:"
    ids = [reference.removeprefix(prefix) for reference in references if reference.startswith(prefix)]
    try:
        with source.app:
            return read_records_of(source, ids) if ids else recall_reading(state)
    except (GatewayError, SchemaError) as error:
        operation = getattr(error, "operation", f"kintone GET records.json app {source.app.app_id}")
        unread = _unread(AppFailure(source.kind, operation, error.reason))
        raise RunFailed(error.reason, (unread,)) from error


def _unread(failure: AppFailure) -> Unresolved:
    return Unresolved(Scope(), failure.operation, failure.reason, about=f"kintone {failure.kind}")


# --- Truth and plan ---------------------------------------------------------------------------------------------------


def prepare(
    wish: Wish,
    progress: Progress,
    *,
    only: Collection[str] | None = None,
    everything: bool = False,
    proof: bool = False,
    accept: str = "",
) -> Prepared:
    """Read AWS and plan. `only` names the records (APP:ID) of a targeted run. Raises RunFailed.

    `everything` tries again what AWS refused, and proves everything, as `proof` does.
    """
    ask = _Ask(wish, everything, accept)
    focus = None if only is None else _find_focus(wish, only)
    progress.begin(Run.Step.TRUTH)
    try:
        seen = observe(focus, lambda mirrored: _plan(ask, mirrored).plan, everything=everything, proof=proof)
    except Blind as blind:
        raise RunFailed(blind.reason, blind.unresolved, blind.calls) from blind
    actual = seen.actual
    progress.note(
        calls=seen.center.calls.total(),
        accounts=len(actual.accounts),
        permission_sets=len(actual.sets),
        assignments=len(actual.assignments),
    )
    progress.begin(Run.Step.PLAN)
    prepared = _plan(ask, seen)
    plan = prepared.plan
    progress.note(
        create=plan.count(Kind.CREATE), update=plan.count(Kind.UPDATE), delete=plan.count(Kind.DELETE),
        held=len(plan.held),
    )  # fmt: skip
    return prepared


def plan_again(prepared: Prepared) -> Prepared:
    """The plan from what AWS was seen to have and from the records as they are now."""
    return _plan(prepared.ask, prepared.seen)


def plan_as_if(prepared: Prepared, wish: Wish, actual: Actual) -> Prepared:
    """The plan that a run would make if AWS were like this, from the records as they are. Nothing is noted of it."""
    return _plan(_Ask(wish, True, ""), replace(prepared.seen, actual=actual, is_preview=True))


def _plan(ask: _Ask, observed: Observation) -> Prepared:
    """The plan from the records as they are and from what AWS has, or is last known to have.

    Records are loaded after AWS was read, and what other runs did meanwhile counts as there: both may be newer.
    """
    wish, ledger = ask.wish, load_ledger(observed.began_at)
    actual = ledger.overlay(observed.actual, truth.load_sets())
    judge = load_judge(actual)
    actual = fence_units(actual, judge)
    seen = replace(observed, actual=actual)
    sets = load_records(AppKind.PERMISSION_SET, wish.codes(AppKind.PERMISSION_SET), without=wish.missing)
    assignments = load_records(AppKind.ASSIGNMENT, wish.codes(AppKind.ASSIGNMENT), without=wish.missing)
    desired = _build_desired(sets, assignments, load_before(), seen, judge)
    drifting = _judge_drift(desired, seen)
    problems = captures.amend_problems(desired, actual, now=timezone.now())
    desired = replace(desired, problems=(*problems, *drifting.problems))
    references = standings.load_references()
    limits = _load_limits(wish, actual)
    circumstances = load_circumstances(desired, references, ledger, drifting.consequences, everything=ask.everything)
    plan = plan_run(desired, actual, limits, circumstances)
    accepted = _find_accepted(plan, ask.accept)
    if accepted:
        plan = plan_run(desired, actual, replace(limits, accepted=accepted | limits.accepted), circumstances)
    records = (*sets, *assignments)
    return Prepared(ask, observed, records, actual, desired, plan, references, bool(accepted), ledger)


def _judge_drift(desired: Desired, seen: Observation) -> drift.Judgement:
    """What the mirror has is nothing to judge by: a preview heeds what was noted."""
    now = timezone.now()
    if seen.is_preview:
        return drift.foresee(now)
    return drift.judge(desired, seen.actual, began_at=seen.began_at, now=now)


def _find_focus(wish: Wish, only: Collection[str]) -> Focus:
    """The pairs and sets that these records want or wanted; only where one is a set's, the records of others count."""
    codes, without, before = wish.codes(AppKind.ASSIGNMENT), wish.missing, load_before(only)
    sets = load_records(AppKind.PERMISSION_SET, wish.codes(AppKind.PERMISSION_SET), without=without, only=only)
    names = {record.permission_set for record in sets} - {""}
    assignments = load_records(AppKind.ASSIGNMENT, codes, without=without, only=None if names else only)
    pairs = {
        (record.account_id, record.permission_set)
        for record in assignments
        if (str(record.reference) in only or record.permission_set in names)
        and record.account_id
        and record.permission_set
    }
    pairs |= {(item.key.target_id, item.key.permission_set) for reference in only for item in before.get(reference, ())}
    return Focus(frozenset(pairs), frozenset(names))


def _build_desired(
    sets: Collection[ReadRecord],
    assignments: Collection[ReadRecord],
    before: Mapping[str, Collection[Before]],
    seen: Observation,
    judge: Judge,
) -> Desired:
    actual, now, zone = seen.actual, timezone.now(), ZoneInfo(settings.TIME_ZONE)
    follow_links(now)
    directory = add_mails(load_directory(actual, now), assignments)
    desired = build_desired(
        sets, assignments, directory,
        before=before, today=now.astimezone(zone).date(), zone=zone, public_url=settings.PUBLIC_URL,
        judge=judge,
    )  # fmt: skip
    stopped = find_stopped(people.load_absent_since(now), now)
    problems = (*desired.problems, *stopped, *load_moves(now), *find_unmatched_protection(judge.register))
    return replace(desired, leaving=seen.leaving, problems=problems)


def load_directory(actual: Actual, now: datetime) -> Directory:
    """What names are looked up in."""
    links = load_links()
    policies, listed_on = _load_policies(actual, now)
    return Directory(
        management_account_id=actual.instance.management_account_id,
        accounts=actual.accounts,
        sets=actual.sets,
        principals=actual.principals,
        links=links.principals,
        namesakes=links.namesakes,
        renamed=links.renamed,
        waiting_hours=people.load_waiting_hours(now),
        policies=policies,
        policies_listed_on=listed_on,
        user_suffix=settings.KINTONE_USER_SUFFIX,
        match_email=settings.IDENTITY_MATCH_EMAIL,
        by_profile=frozenset(links.by_profile),
        alike=load_alike(),
        unread=find_unread_types(actual.unresolved),
    )


Listing = tuple[tuple[ActualPolicy, ...], date | None]
"""AWS's managed policies, and of what day the list is unless it is fresh."""


def _load_policies(actual: Actual, now: datetime) -> Listing:
    if actual.policies:
        return actual.policies, None
    partition = actual.instance.instance_arn.split(":")[1]
    return load_listing(now, partition, find_policies_in_use(actual.sets.values()))


def load_listing(now: datetime, partition: str = PARTITION, in_use: Collection[ActualPolicy] = ()) -> Listing:
    """IAM's own list as it was read last; else the one that comes with Genkan, with what is attached."""
    mirrored, read_at = truth.load_policies(), truth.find_policies_age()
    if mirrored and read_at:
        return mirrored, None if now - read_at < FRESH else read_at.date()
    return list_bundled(partition, in_use), load_bundle().written_on


def load_circumstances(
    desired: Desired, references: Mapping[str, int], ledger: Ledger, drifting: Consequences, *, everything: bool
) -> Circumstances:
    """What else the plan has to heed, as it stands now."""
    stops = load_stops()
    return Circumstances(
        locked={principal_id: Reason("locked_out", words) for principal_id, words in stops.locked.items()},
        frozen={account_id: Reason("account_frozen", words) for account_id, words in stops.frozen.items()},
        refused=NOTHING_REFUSED if everything else refusals.load_refused(desired, references, timezone.now()),
        drift=drifting.left_alone,
        drifting_sets=drifting.sets_left_alone,
        under_way=ledger.under_way,
        sets_under_way=ledger.sets_under_way,
        overdue=drifting.overdue,
        asked=drifting.asked | load_asked(desired.before, timezone.now()),
    )


def _load_limits(wish: Wish, actual: Actual) -> Limits:
    lately = list(load_removed_lately(actual.assignments, since=timezone.now() - MEMORY_OF_THE_BRAKE))
    return Limits(
        count=settings.DELETE_LIMIT_COUNT,
        share=settings.DELETE_LIMIT_SHARE,
        maximum=settings.DELETE_LIMIT_MAX,
        removed_lately=tuple(key for key, group in lately if group is Group.ACCESS),
        people_lately=frozenset(key.principal_id for key, group in lately if group is Group.PEOPLE),
        shrunk=wish.shrunk,
        accepted=load_confirmed(timezone.now()),
    )


def _find_accepted(plan: Plan, checksum: str) -> frozenset[str]:
    """What is held, if the checksum stands for exactly that or for more; else nothing."""
    held = frozenset(identity_of(change) for change in plan.held)
    if not checksum or not held:
        return frozenset()
    if plan.checksum == checksum:
        return held
    run = Run.objects.filter(checksum=checksum).order_by("-pk").first()
    rows = run.changes.filter(outcome=ChangeRow.Outcome.HELD) if run else []
    return held if held <= {identity_of_row(row) for row in rows} else frozenset()
