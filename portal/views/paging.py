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


def paginate(request: HttpRequest, rows: QuerySet[Row], *, parameter: str = "page") -> Page[Row]:
    """The page that the address names; the nearest one when it names none."""
    return BoundedPaginator(rows).get_page(request.GET.get(parameter))


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
