"""A run's five steps and its one-line title, in words."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from syncer.models import Run
from syncer.telling.outcomes import describe_outcome

_WORDS = {
    Run.Step.WISH: gettext_lazy("Read kintone"),
    Run.Step.TRUTH: gettext_lazy("Read AWS"),
    Run.Step.PLAN: gettext_lazy("Plan"),
    Run.Step.APPLY: gettext_lazy("Apply"),
    Run.Step.TELL: gettext_lazy("Tell"),
}


class Step(NamedTuple):
    """One step: its name, `done`, `now`, `failed` or empty, its figures, and seconds."""

    key: str
    word: str
    state: str
    figures: tuple[str, ...]
    seconds: float | None


class Progress(NamedTuple):
    done: int
    total: int


def build_steps(run: Run, *, notices: int = 0) -> list[Step]:
    """`notices`: how many things it had to tell operators. A lock-out reads nothing before it removes."""
    left_out = (Run.Step.WISH, Run.Step.TRUTH) if run.kind == Run.Kind.LOCK_OUT else ()
    return [_build_step(run, key, str(word), notices) for key, word in _WORDS.items() if key not in left_out]


def find_progress(run: Run) -> Progress | None:
    """How many changes are through; None when there are none."""
    apply = run.steps.get(Run.Step.APPLY) or {}
    total = int(apply.get("total") or 0)
    return Progress(int(apply.get("done") or 0), total) if total else None


def describe_run(run: Run) -> str:
    """What is going on, or what came of it."""
    if run.status == Run.Status.QUEUED:
        return _("Waiting for its turn")
    if run.status == Run.Status.RUNNING:
        return _describe_running(run)
    return describe_outcome(run)


def _describe_running(run: Run) -> str:
    progress = find_progress(run)
    if run.step == Run.Step.APPLY and progress:
        return ngettext("Applying %(count)d change", "Applying %(count)d changes", progress.total) % {
            "count": progress.total
        }
    return {
        Run.Step.WISH: _("Reading kintone"),
        Run.Step.TRUTH: _("Reading AWS"),
        Run.Step.PLAN: _("Comparing kintone with AWS"),
        Run.Step.TELL: _("Telling who waits for it"),
    }.get(Run.Step(run.step) if run.step else Run.Step.WISH, _("Under way"))


def _build_step(run: Run, key: str, word: str, notices: int) -> Step:
    figures: dict[str, Any] = run.steps.get(key) or {}
    if key == Run.Step.TELL and notices:
        figures = {**figures, "notices": notices}
    state = figures.get("state", "")
    if not figures and run.step == key and not run.is_over:
        state = "now"
    return Step(
        key,
        word,
        state if state in ("done", "now", "failed") else "",
        _show_figures(key, figures),
        _show_seconds(key, figures),
    )


def _show_seconds(key: str, figures: dict[str, Any]) -> float | None:
    """What takes no time is not worth a word: comparing is arithmetic, and below 0.05 s it would say 0.0."""
    taken = float(figures.get("seconds") or 0)
    return taken if taken >= 0.05 and key != Run.Step.PLAN else None


def _show_figures(key: str, figures: dict[str, Any]) -> tuple[str, ...]:
    counts = {name: value for name, value in figures.items() if isinstance(value, int)}
    return tuple(_SHOWN[key](counts)) if counts else ()


def _show_wish(counts: dict[str, int]) -> list[str]:
    records = counts.get("records", 0)
    return [ngettext("%(count)d record", "%(count)d records", records) % {"count": records}]


def _show_truth(counts: dict[str, int]) -> list[str]:
    calls = counts.get("calls", 0)
    return [ngettext("%(count)d call", "%(count)d calls", calls) % {"count": calls}]


def _show_plan(counts: dict[str, int]) -> list[str]:
    words = {
        "create": _("create %(count)d"),
        "update": _("update %(count)d"),
        "delete": _("delete %(count)d"),
        "held": _("%(count)d held"),
    }
    return [word % {"count": counts[name]} for name, word in words.items() if counts.get(name)] or [_("nothing due")]


def _show_apply(counts: dict[str, int]) -> list[str]:
    total = counts.get("total", 0)
    return [_("%(done)d of %(total)d") % {"done": counts.get("done", 0), "total": total}] if total else []


def _show_tell(counts: dict[str, int]) -> list[str]:
    notices = counts.get("notices", 0)
    return [ngettext("%(count)d notice", "%(count)d notices", notices) % {"count": notices}] if notices else []


_SHOWN: dict[str, Callable[[dict[str, int]], list[str]]] = {
    Run.Step.WISH: _show_wish,
    Run.Step.TRUTH: _show_truth,
    Run.Step.PLAN: _show_plan,
    Run.Step.APPLY: _show_apply,
    Run.Step.TELL: _show_tell,
}
