"""One run, from start to end: read the wish, read the truth, plan, check, apply, tell (docs/one-run.md)."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Instance, User
from accounts.tracing import working_on
from syncer import lanes, leases, lock_outs
from syncer.applying import ApplyOptions, apply_plan
from syncer.claims import store_claims
from syncer.connections import connect_aws, ownership_tag
from syncer.ending import count, note_findings, note_status, store_outcomes
from syncer.gateways.errors import GatewayError
from syncer.measures import CHANGES, RUN_SECONDS, SUMS
from syncer.mirror import drift, standings
from syncer.mirror.judging import store_rulings
from syncer.mirror.last_days import unsettle_ended
from syncer.mirror.records import load_unsettled, settle, store_in_force
from syncer.mirror.standings import Outcomes
from syncer.mirror.stops import find_pause
from syncer.mirror.truth import store_links
from syncer.models import Baseline, Change, Operation, Run
from syncer.preparing import Prepared, RunFailed, Silent, Wish, plan_again, prepare, read_one_record, read_wish
from syncer.recording import DatabaseRecorder, build_rows, identity_of_row, point_to_rows
from syncer.records.rhythm import Occasion
from syncer.records.scanning import accept_missing
from syncer.reports import Report, problem_as_json, unresolved_as_json
from syncer.resuming import settle_all
from syncer.sets.news import tell_changes
from syncer.states import Ownership, Problem, Reason
from syncer.telling.notices import end_run

logger = logging.getLogger(__name__)

_PLANS = 3  # how often a plan is made outside the lock before it is made inside
PATIENCE = timedelta(minutes=5)  # before records that a failed run did not get to are tried again
LEASE_PATIENCE = 600.0  # seconds that a run by hand waits for the one before it


class Stopping:
    """Set when this process is asked to end: what is under way is followed to its end, nothing new begins."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self, *_signal: object) -> None:
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()


# --- Asking for a run -------------------------------------------------------------------------------------------------


def queue_full_run(*, by: User | None = None, accept: str = "", confirm: bool = False) -> Run:
    """The queued full run: a new one, or the one that waits already. A request during a run is remembered once.

    accept: the checksum of held removals; confirm: an admin's word that a new database may write.
    """
    try:
        with transaction.atomic():
            return Run.objects.create(
                kind=Run.Kind.FULL, requested_by=by, accept=accept, by_hand=confirm, mode=settings.SYNC_MODE
            )
    except IntegrityError:
        queued = Run.objects.filter(kind=Run.Kind.FULL, status=Run.Status.QUEUED)
        wishes: dict[str, Any] = {name: value for name, value in (("accept", accept), ("by_hand", confirm)) if value}
        is_told = not wishes or queued.update(requested_by=by, **wishes)  # an admin's word bears the admin's name
        run = queued.first() if is_told else None
        # Taken up between the statements: what is asked for now still needs a run of its own.
        return run or queue_full_run(by=by, accept=accept, confirm=confirm)


def queue_record_run(reference: str, *, by: User | None = None) -> Run:
    """Ask for a targeted run of one record (APP:ID); one that waits for the same record already serves as well."""
    waiting = Run.objects.filter(
        kind=Run.Kind.RECORD, status=Run.Status.QUEUED, record_reference=reference, mode=settings.SYNC_MODE
    )
    return waiting.first() or Run.objects.create(
        kind=Run.Kind.RECORD, record_reference=reference, requested_by=by, mode=settings.SYNC_MODE
    )


def work_off_queue(stopping: Stopping | None = None, *, wait: float = 0) -> int:
    """Carry out queued full runs while there are any; the number carried out. Another worker at it is no error."""
    done = 0
    while Run.objects.filter(kind=Run.Kind.FULL, status=Run.Status.QUEUED).exists():
        try:
            with leases.hold_lease(wait=wait) as lease:
                done += _take_next(lease, stopping or Stopping())
        except leases.LeaseBusy:
            break
    return done


def _take_next(lease: leases.Held, stopping: Stopping) -> int:
    recover_lost_runs()
    run = Run.objects.filter(kind=Run.Kind.FULL, status=Run.Status.QUEUED).order_by("requested_at", "pk").first()
    if run is None:
        return 0
    execute(run, stopping, lease=lease)
    return 1


def work_off_targeted(stopping: Stopping | None = None) -> int:
    """Carry out queued targeted runs, lock-outs first, beside whatever else is going on; the number carried out."""
    waiting = Run.objects.exclude(kind=Run.Kind.FULL).filter(status=Run.Status.QUEUED).order_by("requested_at", "pk")
    in_order = sorted(waiting, key=lambda run: run.kind != Run.Kind.LOCK_OUT)
    return sum(execute(run, stopping or Stopping()).is_over for run in in_order)


def recover_lost_runs(*, full_run_follows: bool = False) -> int:
    """Find out what dead processes left under way, and mark their runs as lost; how many.

    A full run is asked for where one was lost, unless one follows anyway; the records of a targeted one are looked at
    again by themselves.
    """
    _settle_abandoned()
    marked = [run for run in Run.objects.filter(status=Run.Status.RUNNING) if _is_dead(run) and _mark_lost(run)]
    if any(run.kind == Run.Kind.FULL for run in marked) and not full_run_follows:
        queue_full_run()
    return len(marked)


def _is_dead(run: Run) -> bool:
    """Its process is gone; one without a lease may be about to take it."""
    name = lanes.lease_of(run.pk)
    is_new = run.started_at is not None and timezone.now() - run.started_at < leases.DEAD_AFTER
    return not leases.is_busy(name) and (leases.is_known(name) or not is_new)


def _settle_abandoned() -> None:
    abandoned = lanes.list_abandoned()
    if not abandoned:
        return
    try:
        center = connect_aws(urgent=True)
    except GatewayError as error:
        logger.warning("run: what a dead process left under way cannot be asked for: %s", error)
        return
    with center:
        settle_all(abandoned, center)


@transaction.atomic
def _mark_lost(run: Run) -> bool:
    reason = Reason("run_lost")
    if not Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(status=Run.Status.LOST):
        return False
    _end_open_changes(run, reason)
    run.status, run.finished_at, run.error = Run.Status.LOST, timezone.now(), reason.as_json()
    end_run(run)
    logger.warning("run: %s was lost with its process", run.pk)
    return True


def _end_open_changes(run: Run, reason: Reason) -> int:
    """Changes that were begun and will not be followed any more have failed, as far as this run knows; how many.

    One whose operation is still open is not known to have failed: whoever settles the operation says so.
    """
    still_open = Operation.objects.filter(ended_at__isnull=True).values("change")
    begun = run.changes.filter(outcome=Change.Outcome.SENT).exclude(pk__in=still_open)
    return begun.update(outcome=Change.Outcome.FAILED, reason=reason.as_json(), finished_at=timezone.now())


def run_by_hand(run: Run, stopping: Stopping, *, patience: float = LEASE_PATIENCE) -> Run:
    """Carry out an unsaved run in this process; a full one waits for the lease. It has its outcome on return."""
    if run.kind != Run.Kind.FULL:
        return _begin_by_hand(run, stopping)
    try:
        with leases.hold_lease(wait=patience) as lease:
            return _begin_by_hand(run, stopping, lease)
    except leases.LeaseBusy:
        run.status, run.finished_at = Run.Status.FAILED, timezone.now()
        run.error = Reason("lease_busy", {"minutes": int(patience // 60)}).as_json()
        run.save()
        return run


def _begin_by_hand(run: Run, stopping: Stopping, lease: leases.Held | None = None) -> Run:
    """It has not been in the queue, where one full run may wait already."""
    recover_lost_runs(full_run_follows=run.kind == Run.Kind.FULL)
    run.status, run.started_at = Run.Status.RUNNING, timezone.now()
    run.save()
    return execute(run, stopping, lease=lease)


def run_changes(stopping: Stopping) -> Run | None:
    """Carry out what changed in kintone; None when nothing did, or when it could not be read (the log says why).

    Beside a full run, but one look at a time. Raises LeaseBusy while another look is going on.
    """
    with leases.hold_lease(leases.CHANGED_RECORDS):
        recover_lost_runs()
        try:
            wish = read_wish(Occasion.LOOK)
        except RunFailed as failure:
            logger.warning("run: changed records could not be read: %s", failure.reason)
            return None
        if not Instance.objects.exists():
            return None
        if not _has_failed_lately():
            unsettle_ended(timezone.now())
            wish = replace(wish, waiting=load_unsettled())
        if not wish.changed:
            return None
        run = Run.objects.create(kind=Run.Kind.CHANGES, mode=settings.SYNC_MODE)
        return execute(run, stopping, wish=wish)


def _has_failed_lately() -> bool:
    """What could not be carried out a moment ago is not tried again at every look."""
    last = Run.objects.filter(finished_at__gt=timezone.now() - PATIENCE).order_by("-pk").first()
    return last is not None and last.status == Run.Status.FAILED


# --- One run ----------------------------------------------------------------------------------------------------------


def execute(run: Run, stopping: Stopping, *, lease: leases.Held | None = None, wish: Wish | None = None) -> Run:
    """Carry out a run, unless somebody else has taken it up from the queue; of a wish read already, only what changed.

    `lease` is that of full runs. Each run has one of its own too, which says that its process is alive.
    """
    try:
        with working_on(run_id=run.pk), leases.hold_lease(lanes.lease_of(run.pk), is_of_one_run=True) as own:
            if run.status == Run.Status.RUNNING or _take_up(run):
                held = [own, lease] if lease else [own]
                _carry_out(run, lambda: bool(stopping) or any(item.is_lost for item in held), wish)
                if any(item.is_lost for item in held):
                    _fail(run, Reason("lease_lost"))
                _finish(run)
    except leases.LeaseBusy:
        pass
    return run


def _take_up(run: Run) -> bool:
    queued = Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED)
    is_mine = bool(queued.update(status=Run.Status.RUNNING, started_at=timezone.now()))
    run.refresh_from_db()
    return is_mine


def _carry_out(run: Run, must_stop: Callable[[], bool], wish: Wish | None) -> None:
    logger.info("run: %s begins kind=%s mode=%s", run.pk, run.kind, run.mode)
    progress = _Steps(run)
    try:
        if run.kind == Run.Kind.LOCK_OUT:
            lock_outs.carry_out(run, progress, must_stop)
        else:
            _Execution(run, progress, must_stop).go(wish)
        progress.end("done")
    except RunFailed as failure:
        run.unresolved = [unresolved_as_json(item) for item in failure.unresolved]
        run.api_calls = failure.calls
        _fail(run, failure.reason)
    except Exception as error:
        logger.exception("run: %s failed", run.pk)
        reason = _unexpected(error)
        _end_open_changes(run, reason)
        _fail(run, reason)
    progress.end("failed")


def _finish(run: Run) -> None:
    run.finished_at = timezone.now()
    seconds = (run.finished_at - (run.started_at or run.finished_at)).total_seconds()
    SUMS.time(RUN_SECONDS, (run.kind, run.status), seconds)
    end_run(run)
    logger.info("run: %s ends status=%s counts=%s", run.pk, run.status, run.counts)


def _unexpected(error: Exception) -> Reason:
    return Reason("unexpected", {"text": f"{type(error).__name__}: {error}"[:500]})


def _fail(run: Run, reason: Reason) -> None:
    run.status, run.error = Run.Status.FAILED, reason.as_json()


class _Steps:
    """Writes how far a run is to its row, for the page that watches."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._since = time.monotonic()

    def begin(self, step: str) -> None:
        self._close("done")
        self.run.step, self._since = step, time.monotonic()
        self.run.steps[step] = {"state": "now"}
        self._save()

    def note(self, **figures: int) -> None:
        self.run.steps[self.run.step].update(figures)
        self._save()

    def end(self, state: str) -> None:
        """Close the step that is going on, as `done` or `failed`."""
        self._close(state)

    def _close(self, state: str) -> None:
        if self.run.steps.get(self.run.step, {}).get("state") == "now":
            seconds = round(time.monotonic() - self._since, 3)
            self.run.steps[self.run.step] |= {"state": state, "seconds": seconds}

    def _save(self) -> None:
        self.run.save(update_fields=["step", "steps"])


class _Execution:
    def __init__(self, run: Run, progress: _Steps, must_stop: Callable[[], bool]) -> None:
        self.run, self.progress, self.must_stop = run, progress, must_stop
        self.notices: list[Problem] = []

    def go(self, wish: Wish | None) -> None:
        run = self.run
        self.progress.begin(Run.Step.WISH)
        if wish is None:
            wish = read_one_record(run.record_reference) if run.record_reference else read_wish(_occasion_of(run))
        self.progress.note(records=wish.records, changed=len(wish.changed))
        only, read_at = None if run.kind == Run.Kind.FULL else wish.changed, timezone.now()
        prepared = prepare(wish, self.progress, only=only, everything=run.everything, accept=run.accept)
        with closing(prepared.center):
            may_write = self._may_write(prepared)
            prepared = self._store_plan(prepared)
            outcomes = self._apply(prepared) if may_write else Outcomes()
        self.progress.begin(Run.Step.TELL)
        self._store_end(prepared, outcomes, applied=may_write)
        settle(prepared.desired.revisions, only, until=read_at, without=prepared.left_over)

    def _may_write(self, prepared: Prepared) -> bool:
        """Not in plan mode or a pause, and not from a new database beside sets of ours until somebody has said so."""
        if self.run.mode == Run.Mode.PLAN or self._note_pause():
            self.run.mode = Run.Mode.PLAN
            return False
        if Baseline.objects.exists():
            return True
        is_confirmed = self.run.by_hand and self.run.kind == Run.Kind.FULL
        may_be_ours = (Ownership.OURS, Ownership.UNKNOWN)  # tags that could not be read are not the tags of others
        if is_confirmed or not any(there.ownership in may_be_ours for there in prepared.actual.sets.values()):
            Baseline.objects.create(confirmed_by=str(self.run.requested_by or "manage.py sync"))
            return True
        self.notices.append(Problem("baseline_missing", "warning"))
        return False

    def _note_pause(self) -> bool:
        """Whether somebody has paused runs; who and why is told with the run."""
        pause = find_pause()
        self.notices += [Problem("paused", "warning", params=pause.params)] if pause else []
        return pause is not None

    def _store_plan(self, prepared: Prepared) -> Prepared:
        """Everything the plan says becomes visible before the first write; the plan that was stored.

        Where another run or a newer record came in between, the plan is made anew: it might undo what they did. The
        last time it is made under the lock, where nobody can come in between.
        """
        for _attempt in range(_PLANS):
            with transaction.atomic():
                leases.lock_mirror()
                if not prepared.is_outdated():
                    self._write_plan(prepared)
                    return prepared
            prepared = plan_again(prepared)
        with transaction.atomic():
            leases.lock_mirror()
            prepared = plan_again(prepared)
            self._write_plan(prepared)
            return prepared

    def _write_plan(self, prepared: Prepared) -> None:
        now = timezone.now()
        desired = prepared.desired
        store_claims(desired.rulings)  # before what is in force: a claim that was lost would not be made again
        store_in_force(prepared.records, desired.valid - desired.rulings.keys())
        store_rulings(desired.rulings, desired.valid, desired.revisions)
        tell_changes()
        standings.store_problems(prepared.desired.problems, prepared.references)
        store_links(prepared.desired.links)
        standings.store_standings(
            prepared.desired, prepared.actual, prepared.plan, Outcomes(), references=prepared.references, now=now
        )
        drift.store_proofs(prepared.actual, at=now)
        Change.objects.bulk_create(build_rows(self.run, prepared.plan), 500)
        point_to_rows(self.run)

    def _apply(self, prepared: Prepared) -> Outcomes:
        self.progress.begin(Run.Step.APPLY)
        total = len(prepared.plan.changes)
        self.progress.note(done=0, total=total)
        recorder = DatabaseRecorder(
            run=self.run,
            rows={identity_of_row(row): row for row in self.run.changes.all()},
            revisions=prepared.desired.revisions,
            wanted=prepared.desired.wanted,
            stop=self.must_stop,
            progress=lambda done: self.progress.note(done=done, total=total),
            settle=lambda row: settle_all([row], prepared.center),
        )
        if self.run.kind == Run.Kind.FULL:
            options = ApplyOptions(ownership_tag(), settings.IDENTITY_CENTER_OUTSTANDING)
        else:
            options = ApplyOptions(ownership_tag(), lanes.TARGETED_SLOTS, lanes.TARGETED_POLL_SECONDS)
        apply_plan(prepared.plan, prepared.actual, prepared.center, recorder, options)
        if prepared.is_accepted and not self.must_stop() and not find_pause():
            accept_missing(prepared.wish.readings)
        return recorder.outcomes

    def _store_end(self, prepared: Prepared, outcomes: Outcomes, *, applied: bool) -> None:
        run = self.run
        if applied and prepared.plan.changes:
            store_outcomes(run, prepared, outcomes)
        left = _end_open_changes(run, Reason("run_stopped"))
        changes = list(run.changes.all())
        is_cut_off = left > 0 or any(change.outcome == Change.Outcome.PLANNED for change in changes)
        is_stopped = applied and is_cut_off and not self._note_pause()
        run.counts = count(prepared, outcomes, changes, applied=applied)
        note_findings(run, prepared, self.notices)
        note_status(run, prepared, changes, is_stopped=is_stopped)
        for change in changes:
            SUMS.add(CHANGES, (change.object, change.kind, change.outcome))


def _occasion_of(run: Run) -> Occasion:
    """What is accepted or confirmed by hand is held against every record there is."""
    if run.everything:
        return Occasion.EVERYTHING
    return Occasion.CHECKED if run.by_hand or run.accept else Occasion.ROUTINE


# --- Planning only ----------------------------------------------------------------------------------------------------


def plan_only() -> Report:
    """Read and plan without a lease, a run or a write to AWS; only the mirror is brought up to date."""
    started = time.monotonic()
    try:
        prepared = prepare(read_wish(Occasion.CHECKED), Silent(), proof=True)
    except RunFailed as failure:
        return Report(
            status="failed",
            error=failure.reason.as_json(),
            unresolved=[unresolved_as_json(item) for item in failure.unresolved],
            api_calls=failure.calls,
            seconds=time.monotonic() - started,
        )
    except Exception as error:
        logger.exception("run: planning failed")
        return Report(status="failed", error=_unexpected(error).as_json(), seconds=time.monotonic() - started)
    prepared.center.close()
    unresolved = prepared.actual.unresolved
    return Report(
        status="failed" if unresolved else "held" if prepared.plan.held else "done",
        error=unresolved[0].reason.as_json() if unresolved else {},
        counts=count(prepared, Outcomes(), [], applied=False),
        changes=build_rows(Run(), prepared.plan),
        problems=[problem_as_json(problem) for problem in (*prepared.seen.notices, *prepared.desired.problems)],
        unresolved=[unresolved_as_json(item) for item in unresolved],
        api_calls=dict(prepared.center.calls),
        seconds=time.monotonic() - started,
        checksum=prepared.plan.checksum,
    )
