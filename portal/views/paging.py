"""Fifty rows a page, and an end to counting: nobody turns two hundred pages, and counting on would read all rows."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

if TYPE_CHECKING:
    _Paginator = Paginator[Any]  # generic for the type checker only
else:
    _Paginator = Paginator

PAGE_SIZE = 50
MOST_ROWS = 10_000
_LONGEST_KEY = 18  # digits; Python refuses to read thousands, and databases what is above 2^63
Row = TypeVar("Row", bound=Model)


class BoundedPaginator(_Paginator):
    """Pages of the first `MOST_ROWS` rows; `has_more` tells that there are others."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows, PAGE_SIZE)
        self._rows = rows

    @cached_property
    def _counted(self) -> int:
        return self._rows.order_by()[: MOST_ROWS + 1].count()

    @property
    def count(self) -> int:
        return min(self._counted, MOST_ROWS)

    @property
    def has_more(self) -> bool:
        return self._counted > MOST_ROWS


class KeyPaginator(BoundedPaginator):
    """The same pages: the keys of one are found first, so that sorting and skipping carry nothing of what it shows."""

    def __init__(self, found: QuerySet[Any], shown: QuerySet[Any]) -> None:
        super().__init__(found)
        self._shown = shown

    def page(self, number: int | str) -> Page[Any]:
        valid = self.validate_number(number)
        start = (valid - 1) * self.per_page
        keys = self._take_keys(start, min(start + self.per_page, self.count))
        rows = self._shown.in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], valid, self)

    def _take_keys(self, start: int, end: int) -> list[int]:
        return list(self._rows.values_list("pk", flat=True)[start:end])


class FoundPaginator(KeyPaginator):
    """Of what is dear to find: it is found once, for counting and for the page."""

    @cached_property
    def _keys(self) -> list[int]:
        return super()._take_keys(0, MOST_ROWS + 1)

    @cached_property
    def _counted(self) -> int:
        return len(self._keys)

    def _take_keys(self, start: int, end: int) -> list[int]:
        return self._keys[start:end]


def paginate(request: HttpRequest, rows: QuerySet[Row], *, parameter: str = "page") -> Page[Row]:
    """The page that the address names; the nearest one when it names none."""
    return BoundedPaginator(rows).get_page(request.GET.get(parameter))


def paginate_keys(
    request: HttpRequest, found: QuerySet[Row], shown: QuerySet[Row], *, kind: type[KeyPaginator] = KeyPaginator
) -> Page[Row]:
    """`paginate` of rows that carry much. found: which, in their order; shown: any rows, with what the page shows."""
    return kind(found, shown).get_page(request.GET.get("page"))


def read_query(request: HttpRequest, parameter: str = "q") -> str:
    """What was typed into a search field, at most 200 characters and without NUL, which PostgreSQL refuses."""
    return request.GET.get(parameter, "").replace("\0", "").strip()[:200]


def read_key(text: str) -> int:
    """The number of a row that somebody sent, 0 for what is none: a key has at most 18 digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_KEY else 0


def choose(request: HttpRequest, parameter: str, choices: Any) -> str:
    """A parameter's value if it is one of the choices, else nothing."""
    value = request.GET.get(parameter, "")
    return value if value in choices else ""
