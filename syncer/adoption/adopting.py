"""Bringing permission sets that are in AWS already under Genkan, without anybody losing or gaining access.

    compare → write what records lack → let a run judge what was written → read AWS and kintone anew → tag

The tag is the last act. Each set stands for itself: one that cannot be adopted, or fails, keeps no other from it. Every
call begins from what is there, so one that was killed is simply run again.
"""

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.audit import record_event
from accounts.models import AppKind, PermissionSet, Person, PrincipalLink, Problem, User
from syncer import leases, runs
from syncer.adoption.checks import Comparison, Evidence, Naming, Obstacle, Take, Verdict, find_codes
from syncer.adoption.files import Fault, Owners, find_paths, match_losses, parse_losses, parse_owners, resolve_owners
from syncer.adoption.reading import NotFree, SetReader, SetReading
from syncer.adoption.records import Forms, Writer
from syncer.changes import AssignmentChange, Plan
from syncer.connections import connect_kintone_domain, connect_kintone_users, ownership_tag
from syncer.drafts.carrying import Apps
from syncer.gateways.errors import GatewayError
from syncer.mirror import standings, truth
from syncer.mirror.judging import COMMAND
from syncer.mirror.stops import load_stops
from syncer.models import Run
from syncer.observing import is_proof_due
from syncer.preparing import Prepared, RunFailed, Silent, Wish, load_directory, plan_as_if, prepare, read_wish
from syncer.records.rendering import DoesNotFit
from syncer.records.rhythm import Occasion
from syncer.records.schema import SchemaError
from syncer.reports import unresolved_as_json
from syncer.states import EVERY_PAIR, Actual, AssignmentKey, Focus, Ownership, Reason

logger = logging.getLogger(__name__)

LEASE = "adopt"
TOGETHER = 20  # sets that are read anew, compared once more and tagged before the next ones are looked at


class Outcome(StrEnum):
    SHOWN = "shown"
    ADOPTED = "adopted"
    LEFT = "left"  # it stays as it is, and says why
    FAILED = "failed"


@dataclass(frozen=True)
class Order:
    """What is asked for. Without names it is every set that is not ours.

    leave_out, owners: the contents of the files. confirmed: the checksum of the verdict that somebody had before him
    when he said yes; empty where nobody looked at one.
    """

    names: frozenset[str] = frozenset()
    take: Take = Take.NOTHING
    leave_out: str = ""
    owners: str = ""
    applies: bool = False
    by: User | None = None
    confirmed: str = ""


@dataclass
class SetResult:
    """What became of one set."""

    verdict: Verdict
    outcome: Outcome = Outcome.SHOWN
    reasons: tuple[Obstacle, ...] = ()
    records: list[str] = field(default_factory=list)  # APP:ID, written now


@dataclass
class Result:
    """What came of all of it. faults: file → what is wrong with its lines; then nothing was done."""

    sets: list[SetResult] = field(default_factory=list)
    terraform: tuple[str, ...] = ()
    ownerless: tuple[str, ...] = ()  # accounts that get records and have no owner in the CSV
    faults: Mapping[str, list[Fault]] = field(default_factory=dict)
    error: Reason | None = None
    unresolved: list[dict[str, Any]] = field(default_factory=list)
    actual: Actual | None = None
    api_calls: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """`held` where sets were to be adopted and wait for somebody's word."""
        outcomes = {item.outcome for item in self.sets}
        if self.error or any(self.faults.values()) or self.unresolved or Outcome.FAILED in outcomes:
            return "failed"
        return "held" if Outcome.LEFT in outcomes else "done"


def adopt(order: Order) -> Result:
    """Compare, and where the order says so, adopt."""
    started = time.monotonic()
    try:
        with leases.hold_lease(LEASE):
            result = _adopt(order)
    except leases.LeaseBusy:
        result = Result(error=Reason("adopt_busy"))
    except RunFailed as failure:
        result = Result(error=failure.reason, unresolved=[unresolved_as_json(item) for item in failure.unresolved])
    except (GatewayError, SchemaError) as error:
        result = Result(error=error.reason)
    result.seconds = time.monotonic() - started
    return result


def _adopt(order: Order) -> Result:
    losses, faulty_losses = parse_losses(order.leave_out)
    lines, faulty_lines = parse_owners(order.owners) if order.owners else ([], [])
    if faulty_losses or faulty_lines:
        return Result(faults={"leave_out": faulty_losses, "owners": faulty_lines})
    if order.applies and not Run.objects.filter(kind=Run.Kind.FULL, is_proof=True).exists():
        _look_around(order)
    is_quick = bool(order.names) and not is_proof_due(timezone.now())
    prepared = _prepare(read_wish(Occasion.CHECKED), is_quick=is_quick)
    with closing(prepared.center):
        adopting = _Adopting(order, prepared)
        candidates = adopting.find_candidates()
        keys = [key for key in prepared.seen.actual.assignments if key.permission_set in candidates]
        left_out, faulty_losses = match_losses(losses, keys, prepared.seen.actual.principals)
        naming = adopting.build_naming(prepared)
        paths = find_paths(prepared.seen.actual.accounts, truth.load_units())
        owners, faulty_lines = resolve_owners(lines, naming.directory, naming.codes, paths)
        if faulty_losses or faulty_lines:
            return Result(faults={"leave_out": faulty_losses, "owners": faulty_lines})
        adopting.left_out, adopting.owners = left_out, owners
        return adopting.go(candidates, is_quick=is_quick)


def _prepare(wish: Wish, *, is_quick: bool) -> Prepared:
    """What the rest of the world is like: read now, or as the last proof of it and the runs since have left it.

    The sets in question are read anew in any case, all of them, and so are people and groups.
    """
    if not is_quick:
        return prepare(wish, Silent(), proof=True)
    prepared = prepare(wish, Silent(), only=frozenset())
    center, seen = prepared.center, prepared.seen
    try:
        people = {item.principal_id: item for item in (*center.list_users(), *center.list_groups())}
    except BaseException:
        center.close()
        raise
    return replace(prepared, seen=replace(seen, actual=replace(seen.actual, principals=people)))


def _look_around(order: Order) -> None:
    """A run that only plans, where none has seen everything yet: it judges what was there first, as the baseline."""
    run = Run(kind=Run.Kind.FULL, mode=Run.Mode.PLAN, everything=True, requested_by=order.by)
    runs.run_by_hand(run, runs.Stopping())
    if run.status == Run.Status.FAILED and not run.counts:  # nothing at all could be judged
        raise RunFailed(Reason.from_json(run.error or {"code": "unexpected"}))


class _Adopting:
    """One call, from the comparison to the tags."""

    def __init__(self, order: Order, prepared: Prepared) -> None:
        self.order, self.prepared = order, prepared
        self.actual = prepared.seen.actual
        self.reader = SetReader(prepared.center, self.actual, ownership_tag())
        self.left_out: frozenset[AssignmentKey] = frozenset()
        self.owners = Owners()
        self.results: dict[str, SetResult] = {}

    def find_candidates(self) -> frozenset[str]:
        """Sets that are nobody's whom we know. Whoever names another one is told why it is none."""
        free = {
            name
            for name, there in self.actual.sets.items()
            if there.ownership in (Ownership.NOT_OURS, Ownership.UNKNOWN)
        }
        for name in self.order.names - free:
            there = self.actual.sets.get(name)
            code = "adopt_unknown_set" if there is None else "managed_in_terraform"
            if there is not None and there.ownership is Ownership.OURS:
                code = "adopt_ours_already"
            self.end(Verdict(name, obstacles=(Obstacle(Reason(code, {"set": name})),)), Outcome.LEFT)
        return frozenset(free & self.order.names if self.order.names else free)

    def go(self, candidates: Collection[str], *, is_quick: bool) -> Result:
        readings, faults = self.reader.read_all(sorted(candidates), with_assignments=is_quick)
        verdicts = self.compare(self.prepared.wish, readings, faults, candidates)
        ownerless = {
            key.target_id
            for verdict in verdicts.values()
            for key in verdict.unregistered
            if not self.owners.find(key.target_id)
        }
        if self.order.applies:
            self._apply(verdicts, readings)
        else:
            for verdict in verdicts.values():
                self.end(verdict, Outcome.SHOWN, verdict.find_hindrances(self.order.take))
        terraform = (name for name, there in self.actual.sets.items() if there.ownership is Ownership.TERRAFORM)
        return Result(
            sets=[self.results[name] for name in sorted(self.results)],
            terraform=tuple(sorted(terraform)),
            ownerless=tuple(sorted(ownerless)),
            unresolved=[unresolved_as_json(item) for item in self.actual.unresolved if item.blocks != "none"],
            actual=self.actual,
            api_calls=dict(self.prepared.center.calls),
        )

    def end(self, verdict: Verdict, outcome: Outcome, reasons: Iterable[Obstacle] = ()) -> None:
        result = self.results.setdefault(verdict.name, SetResult(verdict))
        result.verdict, result.outcome, result.reasons = verdict, outcome, tuple(reasons) or verdict.obstacles

    # Comparing

    def compare(
        self, wish: Wish, readings: Mapping[str, SetReading], faults: Mapping[str, Reason], names: Collection[str]
    ) -> dict[str, Verdict]:
        self._as_if = plan_as_if(self.prepared, wish, self._imagine(readings))
        comparison = Comparison(self._build_evidence(self._as_if, readings, faults))
        return {name: comparison.judge(name) for name in sorted(names)}

    def _imagine(self, readings: Mapping[str, SetReading]) -> Actual:
        """AWS as it is, but these sets are ours; their assignments as read now, where they were."""
        fresh = {name: item.assignments for name, item in readings.items() if item.assignments is not None}
        others = {key for key in self.actual.assignments if key.permission_set not in fresh}
        sets = {name: item.there for name, item in readings.items()}
        return replace(
            self.actual,
            sets={**self.actual.sets, **sets},
            assignments=frozenset(others).union(*fresh.values()),
            coverage=EVERY_PAIR,
            sets_read=None,
            focus=None,
        )

    def _build_evidence(
        self, as_if: Prepared, readings: Mapping[str, SetReading], faults: Mapping[str, Reason]
    ) -> Evidence:
        app_id = settings.KINTONE_ASSIGNMENT_APP_ID
        return Evidence(
            desired=as_if.desired,
            actual=as_if.actual,
            plan=as_if.plan,
            records=[record for record in as_if.records if record.reference.app_id == app_id],
            naming=self.build_naming(as_if),
            holders={name: item.holders for name, item in readings.items()},
            faults=faults,
            locked={key: Reason("locked_out", words) for key, words in load_stops().locked.items()},
            left_out=self.left_out,
        )

    def build_naming(self, prepared: Prepared) -> Naming:
        directory = load_directory(prepared.actual, timezone.now())
        links = (link for link in prepared.desired.links if link.key.source == PrincipalLink.Source.KINTONE_USER)
        people = Person.objects.exclude(kintone_code="").filter(principal__principal_id__isnull=False)
        stored = people.values_list("principal__principal_id", "kintone_code")
        codes = {link.principal_id: link.key.key for link in links}
        codes |= {principal_id: code for principal_id, code in stored if principal_id}
        codes |= find_codes(directory, self._kintone_codes)
        return Naming(directory, frozenset(prepared.wish.codes(AppKind.ASSIGNMENT)), codes)

    @cached_property
    def _kintone_codes(self) -> tuple[str, ...]:
        """The login names of everybody whom kintone has; none where there is no token to ask for them."""
        users = connect_kintone_users()
        if users is None:
            return ()
        with users:
            return tuple(user.code for user in users.iter_users() if user.is_valid)

    # Adopting

    def _apply(self, verdicts: Mapping[str, Verdict], readings: Mapping[str, SetReading]) -> None:
        able: list[str] = []
        for name, verdict in verdicts.items():
            if hindrances := self._find_hindrances(verdict):
                self.end(verdict, Outcome.LEFT, hindrances)
            else:
                self.results[name] = SetResult(verdict)
                able.append(name)
        self._write(able, readings)
        able = [name for name in able if self.results[name].outcome is not Outcome.FAILED]
        written = [reference for name in able for reference in self.results[name].records]
        if written:
            self._have_judged(written)
        for start in range(0, len(able), TOGETHER):
            self._tag_undisturbed(able[start : start + TOGETHER])

    def _find_hindrances(self, verdict: Verdict) -> tuple[Obstacle, ...]:
        if self.order.confirmed and verdict.checksum != self.order.confirmed:
            return (Obstacle(Reason("list_changed")),)
        return verdict.find_hindrances(self.order.take)

    def _write(self, names: Iterable[str], readings: Mapping[str, SetReading]) -> None:
        """What the records lack. What kintone refuses of one set is no matter of the others."""
        lacking = [name for name in names if self._lacks_words(self.results[name].verdict)]
        if not lacking:
            return
        with ExitStack() as stack:
            apps = Apps(stack)
            forms = Forms(apps.open(AppKind.PERMISSION_SET), apps.open(AppKind.ASSIGNMENT))
            domain = stack.enter_context(connect_kintone_domain())
            writer = Writer(domain, forms, self.build_naming(self._as_if), self.owners, self.order.by)
            for name in lacking:
                result, definition = self.results[name], readings[name].there.definition
                try:
                    result.records = writer.write(result.verdict, definition, self.order.take) if definition else []
                except (GatewayError, DoesNotFit) as error:
                    logger.warning("adopt: records of %s could not be written: %s", name, error)
                    self.end(result.verdict, Outcome.FAILED, [Obstacle(error.reason)])

    def _lacks_words(self, verdict: Verdict) -> bool:
        differs = bool(verdict.differences) and self.order.take is Take.AWS
        return verdict.lacks_record or differs or bool(verdict.unregistered)

    def _have_judged(self, written: Collection[str]) -> None:
        """A run that only plans looks at what was written, so that it is in force before the set is ours.

        Guardrails then know the access as one that was there: it is kept and listed, or has the end that a rule sets.
        """
        wish = read_wish(Occasion.CHECKED)
        narrowed = tuple(
            replace(reading, changed=reading.changed & frozenset(written), gone=frozenset())
            for reading in wish.readings
        )
        run = Run.objects.create(
            kind=Run.Kind.CHANGES, mode=Run.Mode.PLAN, requested_by=self.order.by,
            status=Run.Status.RUNNING, started_at=timezone.now(),
        )  # fmt: skip
        runs.execute(run, runs.Stopping(), wish=replace(wish, readings=narrowed))

    def _tag_undisturbed(self, names: list[str]) -> None:
        """A full run that read the tags before would write into the mirror, after us, that the sets are not ours."""
        try:
            with leases.hold_lease(wait=runs.LEASE_PATIENCE):
                self._tag_together(names)
        except leases.LeaseBusy:
            reason = Reason("lease_busy", {"minutes": int(runs.LEASE_PATIENCE // 60)})
            for name in names:
                self.end(self.results[name].verdict, Outcome.FAILED, [Obstacle(reason)])

    def _tag_together(self, names: list[str]) -> None:
        """Read these sets and kintone anew, and tag those of which every assignment is wanted."""
        readings, faults = self.reader.read_all(names, with_assignments=True)
        verdicts = self.compare(read_wish(Occasion.CHECKED), readings, faults, names)
        for name, verdict in verdicts.items():
            if doubts := verdict.find_doubts(self.order.take):
                self.end(verdict, Outcome.LEFT, doubts)
                continue
            try:
                self._tag(name, readings[name])
            except (GatewayError, NotFree) as error:
                logger.warning("adopt: %s could not be tagged: %s", name, error)
                self.end(verdict, Outcome.FAILED, [Obstacle(error.reason)])
            else:
                self.end(self.results[name].verdict, Outcome.ADOPTED)  # as it was before anything was written

    def _tag(self, name: str, reading: SetReading) -> None:
        arn = reading.there.arn
        self.reader.require_free(self.actual.sets[name])
        self.prepared.center.tag_permission_set(arn, dict([ownership_tag()]))
        _store(name, reading, self._as_if, self.order)


# --- What the mirror knows from now on --------------------------------------------------------------------------------


@transaction.atomic
def _store(name: str, reading: SetReading, as_if: Prepared, order: Order) -> None:
    """The set is ours, and all its assignments are known: what is assigned by hand after this is drift."""
    leases.lock_mirror()
    now, definition = timezone.now(), reading.there.definition
    known = truth.definition_as_json(definition) if definition else None
    PermissionSet.objects.filter(name=name).update(
        arn=reading.there.arn, ownership=PermissionSet.Ownership.OURS, actual=known, read_at=now,
        settled=known, settled_at=now, proved_at=now,
    )  # fmt: skip
    keys = {*as_if.actual.assignments, *as_if.desired.wanted}
    pairs = frozenset(key[:2] for key in keys if key.permission_set == name)
    standings.store_standings(
        as_if.desired, replace(as_if.actual, focus=Focus(pairs, frozenset({name}))), _narrow(as_if.plan, name),
        standings.Outcomes(), references=as_if.references, now=now,
    )  # fmt: skip
    Problem.objects.filter(code="set_not_adopted", params__set=name).delete()
    row = PermissionSet.objects.get(name=name)
    record_event(
        "permission_set.adopt", actor=order.by, by=COMMAND, obj=("permission_set", str(row.pk), name),
        after={"take": order.take, "assignments": len(reading.assignments or ())},
    )  # fmt: skip


def _narrow(plan: Plan, name: str) -> Plan:
    """What is planned for this set: other sets of the same comparison are not ours yet."""

    def is_about_it(change: Any) -> bool:
        return (change.key.permission_set if isinstance(change, AssignmentChange) else change.name) == name

    changes, held = (tuple(filter(is_about_it, items)) for items in (plan.changes, plan.held))
    return replace(plan, changes=changes, held=held)
