"""The history of runs, with those that changed nothing folded together between the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import Q, QuerySet

from syncer.models import Run

# Nothing was due, nobody asked for it, nothing went wrong: nobody needs a line for each of these.
QUIET = Q(
    status=Run.Status.DONE,
    by_hand=False,
    requested_by=None,
    asked_by="",
    counts__create=0,
    counts__update=0,
    counts__delete=0,
)


@dataclass(frozen=True)
class Fold:
    """Neighbouring runs that changed nothing, or that all came to the same."""

    count: int
    first_at: datetime
    last_at: datetime
    has_same_outcome: bool = False


def list_notable(runs: QuerySet[Run]) -> QuerySet[Run]:
    """The runs that get a line of their own, newest first."""
    return runs.exclude(QUIET).order_by("-pk")


def fold_between(runs: QuerySet[Run], rows: Sequence[Run], *, is_first: bool) -> list[Run | Fold]:
    """A page's notable runs with the folds between and below them; the first page also has the newest fold above.

    Two statements, however many runs are folded: whatever lies between two notable runs is quiet.
    """
    after = list_notable(runs.filter(pk__lt=rows[-1].pk)).values_list("pk", flat=True).first() if rows else None
    inside = (Q() if is_first or not rows else Q(pk__lt=rows[0].pk)) & (Q(pk__gt=after) if after else Q())
    found = runs.filter(inside).order_by("-pk").values_list("pk", "requested_at")
    notable = {run.pk: run for run in rows}
    lines: list[Run | Fold] = []
    for is_notable, group in groupby(found, key=lambda pair: pair[0] in notable):
        pairs = list(group)
        lines += [notable[pk] for pk, _at in pairs] if is_notable else [Fold(len(pairs), pairs[-1][1], pairs[0][1])]
    return lines


def fold_repeats(lines: Iterable[Run | Fold]) -> list[Run | Fold]:
    """The same hold or the same failure, run after run, is one line and a fold of the earlier ones."""
    folded: list[Run | Fold] = []
    for _outcome, group in groupby(lines, key=_name_outcome):
        newest, *earlier = group
        folded.append(newest)
        repeats = [run for run in earlier if isinstance(run, Run)]
        if len(repeats) == 1:
            folded += repeats
        elif repeats:
            folded.append(Fold(len(repeats), repeats[-1].requested_at, repeats[0].requested_at, has_same_outcome=True))
    return folded


def _name_outcome(line: Run | Fold) -> object:
    """Equal for runs that say the same; nothing else is equal to a run that changed something or was asked for."""
    if isinstance(line, Fold) or line.requested_by_id or line.asked_by or line.by_hand or not line.is_over:
        return line
    if any(line.counts.get(kind) for kind in ("create", "update", "delete")):
        return line
    unread = sorted({f"{item['operation']} {item['scope']}" for item in line.unresolved})
    return line.mode, line.status, line.checksum, line.error.get("code"), line.counts.get("failed"), *unread
