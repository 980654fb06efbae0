"""Laying a policy out: only blanks change, and nothing is touched that is no JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.policy.formatting import format_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_layout_is_that_of_the_standard_library(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert format_text(text) == json.dumps(value, ensure_ascii=ascii_only, indent=2)


def test_laid_out_twice_is_laid_out_once() -> None:
    text = format_text('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*"],"Resource":"*"}]}')
    assert text
    assert format_text(text) == text


def test_numbers_and_escapes_stay_as_written() -> None:
    assert format_text('{"a":[1.50,2E3,"\\u00e9\\/{\\"}"]}') == (
        '{\n  "a": [\n    1.50,\n    2E3,\n    "\\u00e9\\/{\\"}"\n  ]\n}'
    )


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": 1,}', '{"a": 1} x', "{'a': 1}", '{"a": 1, "a": 2}', "[" * 10_000, '"' + "a" * 50_000 + '"']
)
def test_what_is_no_json_is_left_alone(text: str) -> None:
    assert format_text(text) is None
