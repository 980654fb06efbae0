"""A policy's text laid out afresh. Only blanks change: no value, no name, no order, no way of writing a number."""

import re

from accounts.policy.documents import parse_document
from accounts.policy.limits import MAX_CHECKED

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_STEP = "  "


def format_text(text: str) -> str | None:
    """The same JSON with a line for each value. None where the text is no JSON yet, or too long to be looked at."""
    if len(text) > MAX_CHECKED or parse_document(text).faults:
        return None
    parts: list[str] = []
    depth, before = 0, ""
    for sign in _TOKEN.findall(text):
        depth -= sign in "}]"
        parts.append(_find_gap(before, sign, depth))
        parts.append(sign)
        depth += sign in "{["
        before = sign
    return "".join(parts)


def _find_gap(before: str, sign: str, depth: int) -> str:
    """What stands between two pieces."""
    if before == ":":
        return " "
    if not before or sign in ",:" or before + sign in ("{}", "[]"):
        return ""
    return "\n" + _STEP * depth
