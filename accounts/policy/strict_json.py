"""JSON as AWS reads it: strict, with the place of each mistake, duplicate keys refused.

Python's own parser takes NaN and lets the last of two equal keys win; neither may pass unseen here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

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
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def parse_strict(text: str) -> Any:
    """The value of `text`. Raises StrictJsonError with the first fault."""
    try:
        return json.loads(text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise StrictJsonError(_explain(text, error)) from error
    except _Duplicate as error:
        raise StrictJsonError(_locate_duplicate(text, error.key)) from error
    except RecursionError as error:
        raise StrictJsonError(JsonFault("json_too_deep", 1, 1)) from error


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise _Duplicate(key)
        value[key] = item
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _explain(text: str, error: json.JSONDecodeError) -> JsonFault:
    """Tell the usual mistakes of people apart from plain bad syntax."""
    position = min(error.pos, len(text))
    line, column = error.lineno, error.colno
    if not text.strip():
        return JsonFault("json_empty", 1, 1)
    found = text[position : position + 1]
    if found in _LOOKALIKES:
        return JsonFault(f"json_{_LOOKALIKES[found]}", line, column, {"character": found})
    if text.startswith("\ufeff"):
        return JsonFault("json_byte_order_mark", 1, 1)
    if found and 0xFF01 <= ord(found) <= 0xFF5E:
        return JsonFault("json_full_width", line, column, {"character": found})
    if text[position : position + 2] in ("//", "/*") or found == "#":
        return JsonFault("json_comment", line, column)
    before = text[:position].rstrip()
    # The parser stops at the closing bracket or, in newer releases, at the comma itself.
    comma = len(before) - 1 if before.endswith(",") else position if found == "," else -1
    after_comma = text[comma + 1 :].lstrip()[:1] if comma >= 0 else ""
    if after_comma in ("}", "]"):
        return JsonFault("json_trailing_comma", *_place(text, comma))
    if position >= len(text.rstrip()):
        return JsonFault("json_ends_early", line, column)
    return JsonFault("json_syntax", line, column, {"found": found})


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _locate_duplicate(text: str, key: str) -> JsonFault:
    """The second place where the key is written; good enough for people, who see the key's name beside it."""
    written = json.dumps(key, ensure_ascii=False)
    first = text.find(written)
    second = text.find(written, first + 1)
    line, column = _place(text, second if second >= 0 else max(first, 0))
    return JsonFault("json_duplicate_key", line, column, {"key": key})
