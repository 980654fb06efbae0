"""Java's regular expressions, as AWS's service models write them, for Python."""

import re
import sys
import unicodedata
from collections import defaultdict
from functools import cache

_TOKEN = re.compile(r"\\p\{(?P<category>[A-Z])\}|\\.|[\[\]]|[^\\\[\]]+", re.DOTALL)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""The pattern for `fullmatch`, which is how AWS applies it; `\w` and `\d` are ASCII as in Java."""
    parts, in_class = [], False
    for token in _TOKEN.finditer(pattern):
        if token["category"]:
            characters = _characters()[token["category"]]
            parts.append(characters if in_class else f"[{characters}]")
        else:
            in_class = {"[": True, "]": False}.get(token[0], in_class)
            parts.append(token[0])
    return re.compile("".join(parts), re.ASCII)


@cache
def _characters() -> dict[str, str]:
    """The characters of each Unicode category (L, M, N …) as the inside of a character class."""
    runs: defaultdict[str, list[list[int]]] = defaultdict(list)
    for code in range(sys.maxunicode + 1):
        found = runs[unicodedata.category(chr(code))[0]]
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return {
        category: "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in found) for category, found in runs.items()
    }
