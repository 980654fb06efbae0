"""What an update changes, field by field, as lines that go and lines that come."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import NamedTuple

from accounts.policy.layout import format_policy
from portal.views.definitions import SET_FIELDS, show_duration
from portal.views.values import show_field

CONTEXT = 2  # unchanged lines around a change of a policy
LONG = 14  # lines; a longer difference is folded until somebody wants to see it


class DiffLine(NamedTuple):
    """A line that goes (`−`), comes (`+`), stays (empty), or says that lines were left out (`…`)."""

    sign: str
    text: str

    @property
    def css_class(self) -> str:
        return {"+": "comes", "−": "goes", "…": "gap"}.get(self.sign, "")


@dataclass(frozen=True)
class FieldDifference:
    """One field of a definition, by the name that people know it by."""

    name: str
    lines: tuple[DiffLine, ...]
    is_code: bool

    @property
    def is_long(self) -> bool:
        return len(self.lines) > LONG


def build_differences(details: Iterable[Mapping[str, str]]) -> list[FieldDifference]:
    """Those of a change's details that say what was there before; the others are words about the change."""
    return [
        compare_values(detail["field"], detail.get("before", ""), detail.get("after", ""))
        for detail in details
        if is_difference(detail)
    ]


def compare_values(field: str, before: str, after: str) -> FieldDifference:
    """One field, each side as text with a line for each element."""
    return FieldDifference(show_field(field), tuple(_compare(field, before, after)), field == "inline_policy")


def compare_texts(name: str, before: str, after: str) -> FieldDifference:
    """Two versions of a file, with a little of what stays around each change."""
    return FieldDifference(name, tuple(_compare_lines(before.splitlines(), after.splitlines(), CONTEXT)), is_code=True)


def is_difference(detail: Mapping[str, str]) -> bool:
    """Whether a detail has two sides."""
    return detail.get("field") in SET_FIELDS


def _compare(field: str, one: str, other: str) -> Iterator[DiffLine]:
    before, after = _split(field, one), _split(field, other)
    # Order means nothing in a list, and every other field is one value: only a policy has a place for each line.
    return _compare_lines(before, after, CONTEXT if field == "inline_policy" else 0)


def _compare_lines(before: list[str], after: list[str], context: int) -> Iterator[DiffLine]:
    for number, line in enumerate(list(unified_diff(before, after, lineterm="", n=context))[2:]):
        if line.startswith("@@"):
            if number and context:
                yield DiffLine("…", "")
        else:
            yield DiffLine({"-": "−", "+": "+"}.get(line[:1], ""), line[1:])


def _split(field: str, value: str) -> list[str]:
    if field == "session_duration":
        return list(show_duration(value))
    return (format_policy(value) if field == "inline_policy" else value).splitlines()
