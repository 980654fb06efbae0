"""The history of runs, with those that changed nothing folded together between the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from syncer.models import Run

# Nothing was due, nobody asked for it, nothing went wrong: nobody needs a line for each of these.
QUIET = Q(status=Run.Status.DONE, by_hand=False, counts__create=0, counts__update=0, counts__delete=0)


@dataclass(frozen=True)
class Fold:
    """Neighbouring runs that changed nothing."""

    count: int
    first_at: datetime
    last_at: datetime


def list_notable(runs: QuerySet[Run]) -> QuerySet[Run]:
    """The runs that get a line of their own, newest first."""
    return runs.exclude(QUIET).order_by("-pk")


def fold_between(runs: QuerySet[Run], page: Sequence[Run], *, is_first: bool, is_last: bool) -> list[Run | Fold]:
    """The page's runs with the folds between them, in one statement however many runs they hold.

    The first page begins with the newest runs of all, the last one goes back to the oldest.
    """
    bounds: list[int | None] = [None, *(run.pk for run in page), None]
    gaps = list(pairwise(bounds))
    figures: dict[str, Any] = {}
    for number, (above, below) in enumerate(gaps):
        if (number == 0 and not is_first) or (number == len(gaps) - 1 and not is_last):
            continue
        inside = (Q(pk__lt=above) if above else Q()) & (Q(pk__gt=below) if below else Q())
        figures[f"count_{number}"] = Count("pk", filter=inside)
        figures[f"first_{number}"] = Min("requested_at", filter=inside)
        figures[f"last_{number}"] = Max("requested_at", filter=inside)
    found = runs.filter(QUIET).aggregate(**figures) if figures else {}
    lines: list[Run | Fold] = []
    for number in range(len(gaps)):
        if found.get(f"count_{number}"):
            lines.append(Fold(found[f"count_{number}"], found[f"first_{number}"], found[f"last_{number}"]))
        lines += page[number : number + 1]
    return lines
