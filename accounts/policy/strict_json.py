"""JSON as AWS reads it: strict, with the place of each mistake, duplicate keys refused.

Python's own parser takes NaN, lets the last of two equal keys win and gives up on long numbers and deep nesting in ways
of its own; none of them may pass unseen or stop anybody here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

MAX_DEPTH = 50  # brackets; a policy needs about six, and Python's own limit depends on who calls
_LOOKALIKES = {
    "“": "smart_quotes",
    "”": "smart_quotes",
    "„": "smart_quotes",
    "‘": "smart_quotes",
    "’": "smart_quotes",
    "\u3000": "full_width",
    "\ufeff": "byte_order_mark",
    "\u00a0": "no_break_space",
}
# A text that is not closed reaches to the end: trying it again from every quotation mark in it would take minutes.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|-?Infinity|NaN|-?[0-9]+', re.DOTALL)


@dataclass(frozen=True)
class JsonFault:
    """What is wrong and where; line and column count from 1. `code` is one of `accounts.sentences`."""

    code: str
    line: int
    column: int
    params: Mapping[str, Any] = field(default_factory=dict)


class StrictJsonError(ValueError):
    def __init__(self, fault: JsonFault) -> None:
        super().__init__(f"{fault.code} at line {fault.line}, column {fault.column}")
        self.fault = fault


class _Duplicate(ValueError):
    """Two equal keys in one object."""


class _NotANumber(ValueError):
    """A word or a row of digits that Python takes for a number, or refuses for its length, and JSON does not know."""

    def __init__(self, written: str) -> None:
        super().__init__(written)
        self.written = written


def parse_strict(text: str) -> Any:
    """The value of `text`. Raises StrictJsonError with the first fault."""
    if too_deep := _find_too_deep(text):
        raise StrictJsonError(too_deep)
    try:
        return json.loads(
            text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant, parse_int=_parse_integer
        )
    except json.JSONDecodeError as error:
        raise StrictJsonError(_explain(text, error)) from error
    except _Duplicate as error:
        raise StrictJsonError(_locate_duplicate(text)) from error
    except _NotANumber as error:
        raise StrictJsonError(_locate_number(text, error.written)) from error


def locate(text: str, position: int) -> tuple[int, int]:
    """Line and column of a position, both from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _Duplicate
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise _NotANumber(name)


def _parse_integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:  # Python converts some thousand digits at most
        raise _NotANumber(digits) from error


def _explain(text: str, error: json.JSONDecodeError) -> JsonFault:
    """Tell the usual mistakes of people apart from plain bad syntax."""
    position = min(error.pos, len(text))
    line, column = error.lineno, error.colno
    if not text.strip():
        return JsonFault("json_empty", 1, 1)
    found = text[position : position + 1]
    if found in _LOOKALIKES:
        return JsonFault(f"json_{_LOOKALIKES[found]}", line, column, {"character": found})
    if found and 0xFF01 <= ord(found) <= 0xFF5E:
        return JsonFault("json_full_width", line, column, {"character": found})
    if text[position : position + 2] in ("//", "/*") or found == "#":
        return JsonFault("json_comment", line, column)
    before = text[:position].rstrip()
    # The parser stops at the closing bracket or, in newer releases, at the comma itself.
    comma = len(before) - 1 if before.endswith(",") else position if found == "," else -1
    after_comma = text[comma + 1 :].lstrip()[:1] if comma >= 0 else ""
    if after_comma in ("}", "]"):
        return JsonFault("json_trailing_comma", *locate(text, comma))
    if position >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return JsonFault("json_ends_early", line, column)
    return JsonFault("json_syntax", line, column, {"found": found})


# --- Finding the place -----------------------------------------------------------------------------------------------


def _find_too_deep(text: str) -> JsonFault | None:
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > MAX_DEPTH:
            return JsonFault("json_too_deep", *locate(text, token.start()))
    return None


def _locate_number(text: str, written: str) -> JsonFault:
    """The constant or number itself, not the same letters inside a text."""
    found = next(token.start() for token in _TOKEN.finditer(text) if token[0] == written)
    shown = written if len(written) <= 20 else f"{written[:20]}…"
    return JsonFault("json_syntax", *locate(text, found), {"found": shown})


def _locate_duplicate(text: str) -> JsonFault:
    """The second place where a key stands in the same object, with the key as it is written."""
    opened: list[set[str]] = []  # the keys so far of every bracket that is open
    before = ""
    for token in _TOKEN.finditer(text):
        if token[0] in "{[":
            opened.append(set())
        elif token[0] in "}]":
            opened.pop()
        elif token[0] == ":":
            key = json.loads(before)
            if key in opened[-1]:
                place = locate(text, token.string.rindex(before, 0, token.start()))
                return JsonFault("json_duplicate_key", *place, {"key": before[1:-1]})
            opened[-1].add(key)
        before = token[0]
    return JsonFault("json_duplicate_key", 1, 1, {"key": ""})
