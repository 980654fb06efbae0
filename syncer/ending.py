"""The end of a run: what came of it, in the mirror and as figures, findings and a status of the run itself."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from syncer import leases
from syncer.changes import Kind, SetChange
from syncer.mirror import refusals, standings
from syncer.mirror.standings import Outcomes
from syncer.mirror.truth import store_applied_sets
from syncer.models import Change, Run
from syncer.preparing import Prepared
from syncer.recording import point_to_rows
from syncer.reports import count_succeeded, problem_as_json, unresolved_as_json
from syncer.states import Problem, Reason


def store_outcomes(run: Run, prepared: Prepared, outcomes: Outcomes) -> None:
    """The mirror as the changes have left AWS."""
    now = timezone.now()
    with transaction.atomic():
        leases.lock_mirror()
        _store_applied_sets(prepared, outcomes, now)
        standings.store_outcomes(
            prepared.desired, prepared.actual, prepared.plan, outcomes, references=prepared.references, now=now
        )
    refusals.store_refusals(outcomes, prepared.desired, prepared.references, now)
    point_to_rows(run)


def _store_applied_sets(prepared: Prepared, outcomes: Outcomes, now: datetime) -> None:
    done = {
        change.name: change.definition
        for change in prepared.plan.changes
        if isinstance(change, SetChange) and change.definition and change.name in outcomes.sets_done
    }
    store_applied_sets(done, outcomes.arns, at=now)


def count(prepared: Prepared, outcomes: Outcomes, changes: list[Change], *, applied: bool) -> dict[str, int]:
    states = standings.count_states(prepared.desired, prepared.actual, prepared.plan, outcomes)
    counted = count_succeeded(changes) if applied else {kind: prepared.plan.count(kind) for kind in Kind}
    return {
        **{str(kind): counted.get(kind, 0) for kind in Kind},
        "unchanged": prepared.plan.unchanged,
        **{state: states.get(state, 0) for state in ("waiting", "blocked", "failed")},
    }


def note_findings(run: Run, prepared: Prepared, notices: Iterable[Problem]) -> None:
    """What was read and what was not, what it cost, and what is wrong with the records or is to be known."""
    if figures := prepared.actual.figures:
        run.reading, run.is_proof, run.share = figures.as_json(), figures.is_proof, figures.share
    run.api_calls = dict(prepared.center.calls)
    run.unresolved = [unresolved_as_json(item) for item in prepared.actual.unresolved]
    run.checksum = prepared.plan.checksum
    problems = (*notices, *prepared.seen.notices, *prepared.desired.problems)
    run.problems = [problem_as_json(problem) for problem in problems]


def note_status(run: Run, prepared: Prepared, changes: list[Change], *, is_stopped: bool) -> None:
    """Failed, with the reason of most weight; else held; else done."""
    is_failed = any(change.outcome == Change.Outcome.FAILED for change in changes)
    if is_stopped or is_failed or prepared.actual.unresolved:
        run.status = Run.Status.FAILED
        run.error = (Reason("run_stopped") if is_stopped else _main_error(prepared, changes)).as_json()
    else:
        run.status = Run.Status.HELD if prepared.plan.held else Run.Status.DONE


def _main_error(prepared: Prepared, changes: list[Change]) -> Reason:
    """The one sentence at the top: what could not be read, else how many changes failed."""
    if prepared.actual.unresolved:
        return prepared.actual.unresolved[0].reason
    failed = [change for change in changes if change.outcome == Change.Outcome.FAILED]
    return Reason("changes_failed", {"count": len(failed)})
