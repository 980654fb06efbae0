"""Pages of a list that is too long to count: each begins where the one before ended, whatever comes in meanwhile.

The address carries the key of a row: `older=` it, or `newer=`. The order is by time and key, both falling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from portal.views.paging import PAGE_SIZE, read_key

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class KeyPage(Generic[Row]):
    """Some rows, newest first; `newer` and `older` are the keys on which the pages beside it hang, 0 for no page."""

    rows: Sequence[Row]
    newer: int = 0
    older: int = 0


def page_by_key(request: HttpRequest, rows: QuerySet[Row], time: str) -> KeyPage[Row]:
    """The page that the address names, of rows whose column `time` gives their order; else the newest."""
    older, newer = (read_key(request.GET.get(name, "")) for name in ("older", "newer"))
    if older and (before := _place(rows, older, time)):
        found = _take(rows.filter(_beyond(before, time, "lt")), f"-{time}", "-pk")
        return _build(found[:PAGE_SIZE], has_newer=True, has_older=len(found) > PAGE_SIZE)
    if newer and (after := _place(rows, newer, time)):
        found = _take(rows.filter(_beyond(after, time, "gt")), time, "pk")
        return _build(found[:PAGE_SIZE][::-1], has_newer=len(found) > PAGE_SIZE, has_older=True)
    found = _take(rows, f"-{time}", "-pk")
    return _build(found[:PAGE_SIZE], has_newer=False, has_older=len(found) > PAGE_SIZE)


def _place(rows: QuerySet[Row], key: int, time: str) -> tuple[object, int] | None:
    """The place of a row, also where it is not among those that are shown: what is shown is filtered as ever."""
    return rows.model._default_manager.filter(pk=key).values_list(time, "pk").first()


def _beyond(place: tuple[object, int], time: str, way: str) -> Q:
    at, key = place
    # The first condition is all that an index needs; the second one is for rows of the very same moment.
    return Q(**{f"{time}__{way}e": at}) & (Q(**{f"{time}__{way}": at}) | Q(**{f"pk__{way}": key}))


def _take(rows: QuerySet[Row], *order: str) -> list[Row]:
    return list(rows.order_by(*order)[: PAGE_SIZE + 1])


def _build(rows: Sequence[Row], *, has_newer: bool, has_older: bool) -> KeyPage[Row]:
    if not rows:
        return KeyPage(())
    return KeyPage(rows, rows[0].pk if has_newer else 0, rows[-1].pk if has_older else 0)
