"""Fifty rows a page."""

from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

PAGE_SIZE = 50
Row = TypeVar("Row", bound=Model)


def paginate(request: HttpRequest, rows: QuerySet[Row], *, parameter: str = "page") -> Page[Row]:
    """The page that the address names; the nearest one when it names none."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get(parameter))


def read_query(request: HttpRequest, parameter: str = "q") -> str:
    """What was typed into a search field, at most 200 characters and without NUL, which PostgreSQL refuses."""
    return request.GET.get(parameter, "").replace("\0", "").strip()[:200]


def choose(request: HttpRequest, parameter: str, choices: Any) -> str:
    """A parameter's value if it is one of the choices, else nothing."""
    value = request.GET.get(parameter, "")
    return value if value in choices else ""
