"""The history of runs, with those that changed nothing folded together between the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from syncer.models import Run

# Nothing was due, nobody asked for it, nothing went wrong: nobody needs a line for each of these.
QUIET = Q(
    status=Run.Status.DONE, by_hand=False, requested_by=None, counts__create=0, counts__update=0, counts__delete=0
)


@dataclass(frozen=True)
class Fold:
    """Neighbouring runs that changed nothing."""

    count: int
    first_at: datetime
    last_at: datetime


def list_notable(runs: QuerySet[Run]) -> QuerySet[Run]:
    """The runs that get a line of their own, newest first."""
    return runs.exclude(QUIET).order_by("-pk")


def fold_between(runs: QuerySet[Run], rows: Sequence[Run], *, is_first: bool) -> list[Run | Fold]:
    """A page's notable runs with the folds between and below them; the first page also has the newest fold above.

    Two statements, however many runs are folded.
    """
    after = list_notable(runs.filter(pk__lt=rows[-1].pk)).values_list("pk", flat=True).first() if rows else None
    bounds = [*([None] if is_first else []), *(run.pk for run in rows), after]
    gaps = list(pairwise(bounds))
    figures: dict[str, Any] = {}
    for number, (above, below) in enumerate(gaps):
        inside = (Q(pk__lt=above) if above else Q()) & (Q(pk__gt=below) if below else Q())
        figures[f"count_{number}"] = Count("pk", filter=inside)
        figures[f"first_{number}"] = Min("requested_at", filter=inside)
        figures[f"last_{number}"] = Max("requested_at", filter=inside)
    found = runs.filter(QUIET).aggregate(**figures) if figures else {}
    folds = [
        Fold(found[f"count_{number}"], found[f"first_{number}"], found[f"last_{number}"])
        if found[f"count_{number}"]
        else None
        for number in range(len(gaps))
    ]
    above_all = folds[:1] if is_first else []
    below_each = folds[1:] if is_first else folds
    lines: list[Run | Fold | None] = [*above_all]
    for run, fold in zip(rows, below_each, strict=True):
        lines += [run, fold]
    return [line for line in lines if line]
