"""Any list as a CSV file: streamed in batches, so that 200,000 rows take no more memory than a page of them.

The file is for spreadsheets: it begins with a byte order mark, else Excel takes Japanese for Latin, and a cell that a
spreadsheet would take for a formula gets an apostrophe in front, since names and notes come from anybody.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext

from accounts.audit import record_event

CHUNK = 1000  # rows read, rendered and sent at a time
_BYTE_ORDER_MARK = "\ufeff"
# What begins a formula in one spreadsheet or another; full width too, which Japanese Excel takes for half.
_FORMULA_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "−", "﹦", "﹢", "﹣", "﹫")
_LINE_SIGNS = ("\t", "\r", "\n")
_WHITE = "\ufeff\u200b \u3000\u00a0"
_BEGINS_FORMULA = re.compile(f"[{_WHITE}]*[{re.escape(''.join(_FORMULA_SIGNS + _LINE_SIGNS))}]")
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.-]")  # names of sets may hold = + @ and commas, a broken one anything
Row = TypeVar("Row")
_Known = dict[object, tuple[object, str]]


class Column(NamedTuple, Generic[Row]):
    """A heading, and what stands below it for a row."""

    title: str | Promise
    cell: Callable[[Row], object]


def wants_csv(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def stream_csv(
    request: HttpRequest, name: str, columns: Sequence[Column[Row]], rows: Iterable[Row]
) -> StreamingHttpResponse:
    """The rows as a file. `rows` are read while they are sent; who took which list is kept in the audit trail."""
    if request.method != "HEAD":
        filters = {key: value for key, value in request.GET.items() if value and key not in ("format", "page")}
        record_event("list.export", request=request, obj=("list", name, request.path), after={"filters": filters})
    response = StreamingHttpResponse(
        _iter_chunks(columns, rows, translation.get_language() or "en"), content_type="text/csv; charset=utf-8"
    )
    plain = _NOT_IN_FILE_NAMES.sub("-", name)
    response["Content-Disposition"] = f'attachment; filename="genkan-{plain}-{timezone.localdate():%Y-%m-%d}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _iter_chunks(columns: Sequence[Column[Row]], rows: Iterable[Row], language: str) -> Iterator[bytes]:
    """The view has returned by the time that this runs, so each batch is rendered in the language it was asked in."""
    with translation.override(language):
        head = _render([[str(column.title) for column in columns]])
    yield (_BYTE_ORDER_MARK + head).encode()
    remaining = iter(rows)
    cells = [column.cell for column in columns]
    while batch := list(islice(remaining, CHUNK)):
        known: _Known = {}
        with translation.override(language):
            text = _render([[_write(cell(row), known) for cell in cells] for row in batch])
        yield text.encode()


def _write(value: object, known: _Known) -> str:
    """A value as it stands in the file. known: those of this batch, since names, states and days come again and again.

    Words that wait for a language are known by themselves: to compare them is to translate them.
    """
    if value is None:
        return ""
    if type(value) in _REPEATED:
        key: object = value
    elif isinstance(value, Promise):
        key = id(value)
    else:
        return neutralise(as_text(value))
    if (found := known.get(key)) is None:
        found = known[key] = value, neutralise(as_text(value))  # held, so that no other value gets its id
    return found[1]


_REPEATED = frozenset({str, bool, date})


def _render(lines: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(lines)
    return buffer.getvalue()


def as_text(value: object) -> str:
    """A value as people read it: times in the portal's zone, several values on lines of their own."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return str(value)


def neutralise(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula. Some look past what is white at its beginning."""
    text = cell.replace("\0", "")
    return f"'{text}" if _BEGINS_FORMULA.match(text) else text
