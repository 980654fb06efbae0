"""IAM's wildcards, against a definition that is slow and plain."""

import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.globs import build_matcher, covers, matches, may_meet

GLOBS = st.text(alphabet="ab*?", max_size=6)
WORDS = ["".join(signs) for length in range(5) for signs in product("ab", repeat=length)]


def takes(glob: str, text: str) -> bool:
    if not glob:
        return not text
    if glob[0] == "*":
        return takes(glob[1:], text) or (bool(text) and takes(glob, text[1:]))
    return bool(text) and glob[0] in ("?", text[0]) and takes(glob[1:], text[1:])


@settings(deadline=None)
@given(GLOBS)
def test_matcher_takes_what_the_definition_takes(glob: str) -> None:
    matcher = build_matcher(glob)
    assert [word for word in WORDS if matcher(word)] == [word for word in WORDS if takes(glob, word)]


@settings(deadline=None)
@given(GLOBS, GLOBS)
def test_wider_glob_takes_all_of_the_narrower(wide: str, narrow: str) -> None:
    if covers(wide, narrow):
        assert all(takes(wide, word) for word in WORDS if takes(narrow, word))


@settings(deadline=None)
@given(GLOBS, GLOBS)
def test_globs_with_a_common_text_may_meet(one: str, other: str) -> None:
    if any(takes(one, word) and takes(other, word) for word in WORDS):
        assert may_meet(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("a", "b"), ("a*", "b*"), ("*a", "*b"), ("ab", "a"), ("a*b", "a*c"), ("?", "ab"), ("*/*", "ab")]
)
def test_globs_without_a_common_text_do_not_meet(one: str, other: str) -> None:
    assert not may_meet(one, other)


def test_case_does_not_count_in_actions() -> None:
    assert matches("S3:get*", "s3:GetObject")
    assert not matches("s3:get?", "s3:GetObject")


def test_many_stars_take_no_longer() -> None:
    began = time.perf_counter()
    for glob in ("*a" * 50 + "b", "?*a" * 50 + "b"):
        assert not build_matcher(glob)("a" * 5_000)
    assert time.perf_counter() - began < 1
