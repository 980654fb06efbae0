"""What a run has read of AWS: how, how much of it, and what that cost, beside what was expected."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from syncer.models import Run
from syncer.rotation import SHARES

_STRATEGIES = {
    "by_set": gettext_lazy("Assignments were looked for set by set."),
    "by_account": gettext_lazy("Assignments were looked for account by account."),
    "by_principal": gettext_lazy("Assignments were looked for by user and group."),
    "by_pair": gettext_lazy("Only the pairs of account and set concerned were looked at."),
}


@dataclass(frozen=True)
class Calls:
    """How often one operation was called, every try counted."""

    service: str
    operation: str
    count: int


@dataclass(frozen=True)
class Reading:
    """`sentences` say what was read and how, `figures` what that took."""

    sentences: tuple[str, ...]
    figures: tuple[str, ...]
    calls: tuple[Calls, ...]
    total: int


def build_reading(run: Run) -> Reading | None:
    """None until it is known, and for runs that read nothing."""
    calls = [Calls(*_split(name), count) for name, count in run.api_calls.items()]
    if not calls:
        return None
    return Reading(
        tuple(filter(None, (_describe_extent(run), str(_STRATEGIES.get(run.reading.get("strategy", ""), ""))))),
        tuple(_list_figures(run)),
        tuple(sorted(calls, key=lambda call: (-call.count, call.service, call.operation))),
        sum(call.count for call in calls),
    )


def _split(name: str) -> tuple[str, str]:
    service, _colon, operation = name.partition(":")
    return service, operation


def _describe_extent(run: Run) -> str:
    if run.is_proof:
        return _("Everything was read: a full proof.")
    if run.kind in (Run.Kind.CHANGES, Run.Kind.RECORD):
        return _("What the changed records concern was read; the rest is as last known.")
    if run.share is not None:
        return _(
            "What changed was read, and share %(number)d of %(of)d of the rest; what is left is as last known."
        ) % {
            "number": run.share + 1,
            "of": SHARES,
        }
    return _("Not everything could be read.") if run.unresolved else ""


def _list_figures(run: Run) -> list[str]:
    """Prediction beside truth. A run of before they were noted has none."""
    figures = run.reading
    if "calls" not in figures:
        return []
    calls, predicted = int(figures["calls"]), int(figures.get("predicted") or 0)
    said = ngettext("%(count)d call for assignments", "%(count)d calls for assignments", calls) % {"count": calls}
    return [said, _("%(count)d predicted") % {"count": predicted}] if predicted else [said]
