"""IAM's wildcards: `*` for any signs, `?` for one. Everything else stands for itself."""

import re
from collections.abc import Callable
from functools import lru_cache

_STARS = re.compile(r"\*+")


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


@lru_cache(maxsize=4096)
def compile_glob(glob: str) -> re.Pattern[str]:
    """The glob as an expression for fullmatch. Atomic: any number of stars costs linear time."""
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in _STARS.split(glob))
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}", re.DOTALL)


def build_matcher(glob: str) -> Callable[[str], bool]:
    """A test for many texts, both in lower case. Most globs are a beginning and a star."""
    if "?" in glob:
        fullmatch = compile_glob(glob).fullmatch
        return lambda text: fullmatch(text) is not None
    first, *rest = _STARS.split(glob)
    if rest == [""]:
        return lambda text: text.startswith(first)
    return lambda text: _matches_parts(first, rest, text)


def _matches_parts(first: str, rest: list[str], text: str) -> bool:
    """Each part at its first place behind the one before it."""
    if not rest or not text.startswith(first):
        return text == first
    *middle, last = rest
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) >= at + len(last) and text.endswith(last)


def matches(glob: str, text: str) -> bool:
    """Whatever the case."""
    return build_matcher(glob.lower())(text.lower())


def covers(wide: str, narrow: str) -> bool:
    """Whether whatever `narrow` stands for, `wide` stands for too. False where that is not plain to see."""
    if wide == narrow:
        return True
    if not has_wildcard(wide):
        return False
    if "?" in wide:
        return not has_wildcard(narrow) and compile_glob(wide).fullmatch(narrow) is not None
    return build_matcher(wide)(narrow)  # a star of `narrow` is a sign like any other, which only a star of `wide` takes


def may_meet(one: str, other: str) -> bool:
    """Whether one text can match both globs."""
    if "*" not in one and "*" not in other:
        return len(one) == len(other) and _agree(one, other)
    if "*" not in one:
        return _takes(other, one)
    if "*" not in other:
        return _takes(one, other)
    # Both have a star: what stands between the first and the last of one fits into a star of the other.
    heads, tails = (_STARS.split(one)[0], _STARS.split(other)[0]), (_STARS.split(one)[-1], _STARS.split(other)[-1])
    size = min(map(len, tails))
    return _agree(*heads) and (not size or _agree(tails[0][-size:], tails[1][-size:]))


def _agree(one: str, other: str) -> bool:
    """Sign by sign, as far as the shorter reaches."""
    return all(a == b or a == "?" or b == "?" for a, b in zip(one, other, strict=False))


def _takes(glob: str, text: str) -> bool:
    """Whether a glob takes a text without stars, whose question marks stand for anything."""
    if "?" not in text:
        return build_matcher(glob)(text)
    head, tail = _STARS.split(glob)[0], _STARS.split(glob)[-1]
    long_enough = len(text) >= len(head) + len(tail)
    return long_enough and _agree(head, text) and (not tail or _agree(tail, text[-len(tail) :]))
