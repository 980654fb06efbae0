"""A run as the JSON that `plan` and `sync` print (README, "Commands"), with every code said in a sentence."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.sentences import render, render_reason
from syncer.models import Change, Run
from syncer.shapes import COUNTS
from syncer.states import Problem, Scope, Unresolved

EXIT_CODES = {"done": 0, "failed": 1, "held": 3}


@dataclass
class Report:
    """What came of planning or of a run, before anybody renders it. Problems and reasons are codes still."""

    status: str = "done"
    error: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    unresolved: list[dict[str, Any]] = field(default_factory=list)
    api_calls: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    checksum: str = ""

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.status]

    def as_json(self) -> dict[str, Any]:
        error = render_reason(self.error)
        return {
            "status": self.status,
            "error": error.message if error else None,
            "counts": {name: self.counts.get(name, 0) for name in COUNTS},
            "changes": [_render_change(change) for change in self.changes],
            "problems": [_render_problem(problem) for problem in self.problems],
            "unresolved": [_render_unresolved(item) for item in self.unresolved],
            "api_calls": dict(sorted(self.api_calls.items())),
            "seconds": round(self.seconds, 3),
            "checksum": self.checksum or None,
        }


def report_of(run: Run) -> Report:
    """The report of a run that is over."""
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0.0
    return Report(
        status=run.status if run.status in EXIT_CODES else "failed",
        error=run.error,
        counts=run.counts,
        changes=list(run.changes.order_by("position")),
        problems=run.problems,
        unresolved=run.unresolved,
        api_calls=run.api_calls,
        seconds=seconds,
        checksum=run.checksum,
    )


def _render_change(change: Change) -> dict[str, Any]:
    reason = render_reason(change.reason)
    return {
        "kind": change.kind,
        "object": change.object,
        "account_id": change.account_id or None,
        "permission_set": change.permission_set_name,
        "principal_type": change.principal_type or None,
        "principal": change.principal_name or change.principal_id or None,
        "record": change.record_reference or None,
        "outcome": "failed" if change.outcome == Change.Outcome.SENT else change.outcome,
        "reason": reason.message if reason else None,
    }


def _render_problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    sentence = render(problem["code"], problem["params"])
    return {
        "record": problem["record"] or None,
        "field": problem["field"] or None,
        "line": problem["line"],
        "code": problem["code"],
        "severity": problem["severity"],
        "message": sentence.message,
        "remedy": sentence.remedy,
    }


def _render_unresolved(item: Mapping[str, Any]) -> dict[str, Any]:
    reason = render_reason(item["reason"])
    named = {"scope": item["scope"], "operation": item["operation"]}
    return {**named, "reason": reason.message if reason else ""}


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem as it is kept with a run."""
    return {
        "record": problem.record,
        "field": problem.field,
        "line": problem.line,
        "code": problem.code,
        "severity": problem.severity,
        "params": dict(problem.params),
    }


def unresolved_as_json(item: Unresolved) -> dict[str, Any]:
    """An unresolved scope as it is kept with a run."""
    scope = item.about if item.about and item.scope == Scope() else str(item.scope)
    return {"scope": scope, "operation": item.operation, "reason": item.reason.as_json(), "blocks": item.blocks}


def count_succeeded(changes: list[Change]) -> Counter[str]:
    """How many changes of each kind succeeded."""
    return Counter(change.kind for change in changes if change.outcome == Change.Outcome.SUCCEEDED)
