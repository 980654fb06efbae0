"""Carrying out a lock-out: all that the person has himself on sets of ours is removed, whatever else is out of order.

Nothing but Identity Center is asked, and nothing stands between the button and the removal: what the mirror knows is
sent at once, without reading it again, because AWS says of each removal whether there was anything to remove. What was
assigned by hand meanwhile is looked for after that, where AWS allows to ask what one principal has. So kintone,
Organizations and the identity store may all be down. Of the rules only three count: `SYNC_MODE=plan`, an account that
is not active, and the ownership tag of a set, which is read before the first write to it as ever.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import stops
from accounts.audit import record_event
from accounts.audit_about import About
from accounts.models import Stop
from syncer import lanes, leases
from syncer.applying import ApplyOptions, apply_plan
from syncer.changes import AssignmentChange, Kind, Plan
from syncer.connections import connect_aws, ownership_tag
from syncer.gateways.errors import GatewayError
from syncer.gateways.identity_center import IdentityCenter
from syncer.mirror import truth
from syncer.mirror.standings import Outcomes
from syncer.mirror.stops import LOCKED_OUT, Words, load_removable, store_lock_out
from syncer.models import Change, Run
from syncer.preparing import Progress, RunFailed
from syncer.recording import DatabaseRecorder, build_rows, identity_of_row, point_to_rows
from syncer.reports import count_succeeded
from syncer.resuming import settle_all
from syncer.states import LONGEST_SESSION, Actual, AssignmentKey, Ownership, PrincipalType, Reason

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=5)  # before what a lock-out could not remove is tried again by itself


@dataclass(frozen=True)
class PreparedLockOut:
    """What is to be removed, and what is known of the world where it lies."""

    plan: Plan
    actual: Actual
    center: IdentityCenter


def prepare_lock_out(principal_ids: Collection[str]) -> PreparedLockOut:
    """Plan the removal of all that these users have themselves. Raises RunFailed where AWS cannot even be asked."""
    instance = truth.load_instance()
    if instance is None:
        raise RunFailed(Reason("nothing_read"))
    try:
        center = connect_aws(urgent=True)
    except GatewayError as error:
        raise RunFailed(error.reason) from error
    center.use_instance(instance)
    keys = load_removable(principal_ids)
    actual = Actual(
        instance=instance,
        accounts=truth.load_accounts(),
        sets=truth.load_sets(),
        principals={},
        assignments=keys,
    )
    return PreparedLockOut(_plan_removals(keys), actual, center)


def plan_unknown(prepared: PreparedLockOut, principal_ids: Collection[str]) -> Plan:
    """Removals of what AWS says that these users have and the mirror does not know: assigned by hand meanwhile.

    Asked after everything else is removed, so that a question without an answer keeps nothing waiting.
    """
    if truth.load_may_list_by_principal(timezone.now()) is False:
        return Plan()
    actual = prepared.actual
    names = {there.arn: there.name for there in actual.sets.values() if there.ownership is Ownership.OURS}
    found = {
        AssignmentKey(account_id, names[arn], PrincipalType.USER, principal_id)
        for principal_id in principal_ids
        for account_id, arn in _ask(prepared.center, principal_id)
        if arn in names and _is_open(actual, account_id)
    }
    return _plan_removals(found - actual.assignments)


def _ask(center: IdentityCenter, principal_id: str) -> Collection[tuple[str, str]]:
    """Account id and set ARN of all that a user has himself; nothing where AWS does not say."""
    try:
        return center.list_assignments_of(PrincipalType.USER, principal_id)
    except GatewayError as error:
        logger.info("lock-out: what %s has cannot be asked for: %s", principal_id, error)
        return ()


def _is_open(actual: Actual, account_id: str) -> bool:
    account = actual.accounts.get(account_id)
    return account is not None and account.is_active and account_id != actual.instance.management_account_id


def _plan_removals(keys: Collection[AssignmentKey]) -> Plan:
    sessions = _load_durations({key.permission_set for key in keys})
    return Plan(
        tuple(
            AssignmentChange(Kind.DELETE, key, cause=LOCKED_OUT, sessions=sessions[key.permission_set])
            for key in sorted(keys)
        )
    )


# --- One run ----------------------------------------------------------------------------------------------------------


def carry_out(run: Run, progress: Progress, must_stop: Callable[[], bool]) -> None:
    """Carry out the lock-out of a run whose row says RUNNING; its outcome is on the row, unsaved, when this returns."""
    progress.begin(Run.Step.PLAN)
    locked = _load_words(run.stop)
    prepared = prepare_lock_out(locked)
    with closing(prepared.center):
        _store_plan(run, prepared.plan)
        progress.note(delete=len(prepared.plan.changes))
        if run.mode != Run.Mode.PLAN:
            _remove(run, prepared, locked, progress, must_stop)
        progress.begin(Run.Step.TELL)
        run.api_calls = dict(prepared.center.calls)
    _conclude(run)


def _store_plan(run: Run, plan: Plan) -> None:
    """The plan's rows, after those that the run has already."""
    first, rows = run.changes.count(), build_rows(run, plan)
    for row in rows:
        row.position += first
    Change.objects.bulk_create(rows, 500)
    point_to_rows(run)


def _remove(
    run: Run,
    prepared: PreparedLockOut,
    locked: Mapping[str, Words],
    progress: Progress,
    must_stop: Callable[[], bool],
) -> None:
    """What the mirror knows first; only then, where AWS allows the question, what it does not know."""
    progress.begin(Run.Step.APPLY)
    outcomes = Outcomes()
    _apply(run, prepared, outcomes, progress, must_stop)
    unknown = plan_unknown(prepared, locked)
    if unknown.changes:
        _store_plan(run, unknown)
        _apply(run, replace(prepared, plan=unknown), outcomes, progress, must_stop)
    with transaction.atomic():
        leases.lock_mirror()
        store_lock_out(outcomes, locked, timezone.now())


def _load_words(stop: Stop | None) -> Mapping[str, Words]:
    """All ids of the person with who locked him out, when and why; none once that is lifted."""
    return {
        principal_id: stops.describe(holding)
        for principal_id, holding in stops.find_locked().items()
        if stop is not None and holding.pk == stop.pk
    }


def _apply(
    run: Run, prepared: PreparedLockOut, outcomes: Outcomes, progress: Progress, must_stop: Callable[[], bool]
) -> None:
    total = run.changes.count()
    before = total - len(prepared.plan.changes)
    progress.note(done=before, total=total)
    recorder = DatabaseRecorder(
        run=run,
        rows={identity_of_row(row): row for row in run.changes.all()},
        revisions={},
        stop=must_stop,
        progress=lambda done: progress.note(done=done, total=total),
        settle=lambda row: settle_all([row], prepared.center),
        outcomes=outcomes,
        ended=before,
    )
    options = ApplyOptions(ownership_tag(), lanes.TARGETED_SLOTS, lanes.TARGETED_POLL_SECONDS)
    apply_plan(prepared.plan, prepared.actual, prepared.center, recorder, options)


def _conclude(run: Run) -> None:
    changes = list(run.changes.all())
    is_planned = run.mode == Run.Mode.PLAN
    done = count_succeeded(changes)
    run.counts = {**{str(kind): done.get(kind, 0) for kind in Kind}, **({"delete": len(changes)} if is_planned else {})}
    failed = [change for change in changes if change.outcome == Change.Outcome.FAILED]
    is_cut_off = not is_planned and any(change.outcome == Change.Outcome.PLANNED for change in changes)
    run.status = Run.Status.FAILED if failed or is_cut_off else Run.Status.DONE
    if is_cut_off:
        run.error = Reason("run_stopped").as_json()
    elif failed:
        run.error = Reason("changes_failed", {"count": len(failed)}).as_json()
    _record(run, changes, failed)


def _record(run: Run, changes: Collection[Change], failed: Collection[Change]) -> None:
    """What was removed, and until when consoles and CLIs that were open can go on, in the audit trail."""
    removed = [change for change in changes if change.outcome == Change.Outcome.SUCCEEDED]
    principal = run.stop.principal if run.stop else None
    if not (removed or failed) or principal is None:
        return
    until = find_sessions_end(changes)
    record_event(
        "person.removed",
        actor=run.requested_by,
        obj=stops.name_of(principal),
        after={
            "removed": [f"{change.account_id} {change.permission_set_name}" for change in removed],
            "failed": [f"{change.account_id} {change.permission_set_name}" for change in failed],
            "sessions_until": until.isoformat() if until else None,
        },
        outcome=run.status,
        about=About(principal=principal.principal_id or ""),
    )


def find_longest_session(names: Collection[str]) -> timedelta | None:
    """How long the longest session of these permission sets can live; None for no set."""
    return max(_load_durations(names).values(), default=None)


def _load_durations(names: Collection[str]) -> dict[str, timedelta]:
    """Session durations by set; the longest that AWS allows where the definition is not known."""
    sets = truth.load_sets(names) if names else {}
    found = {name: sets[name].definition for name in names if name in sets}
    return {name: there.session_duration if (there := found.get(name)) else LONGEST_SESSION for name in names}


def find_sessions_end(changes: Collection[Change]) -> datetime | None:
    """Until when sessions begun before these removals can live on: the last of removal + session duration."""
    durations = _load_durations({change.permission_set_name for change in changes})
    ends = [
        change.finished_at + durations[change.permission_set_name]
        for change in changes
        if change.finished_at and change.outcome == Change.Outcome.SUCCEEDED
    ]
    return max(ends, default=None)


# --- What is left -----------------------------------------------------------------------------------------------------


def queue_lock_out(stop: Stop) -> Run:
    """A queued run that carries out this lock-out."""
    return Run.objects.create(kind=Run.Kind.LOCK_OUT, stop=stop, requested_by=stop.begun_by, mode=settings.SYNC_MODE)


def queue_what_is_left() -> int:
    """Queue runs for the locked who have something that can be removed; how many.

    It may have been assigned by hand, sent by a run that was under way, or what could not be removed a while ago.
    """
    if settings.SYNC_MODE == Run.Mode.PLAN:
        return 0
    ids: dict[int, set[str]] = {}
    by_pk = {}
    for principal_id, stop in stops.find_locked().items():
        ids.setdefault(stop.pk, set()).add(principal_id)
        by_pk[stop.pk] = stop
    open_or_fresh = Run.objects.filter(kind=Run.Kind.LOCK_OUT, stop__in=ids).exclude(
        finished_at__lte=timezone.now() - PATIENCE
    )
    busy = set(open_or_fresh.values_list("stop_id", flat=True))
    due = [by_pk[pk] for pk in ids if pk not in busy and load_removable(ids[pk])]
    for stop in due:
        queue_lock_out(stop)
    return len(due)
