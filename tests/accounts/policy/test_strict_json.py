"""Strict JSON: what AWS refuses is refused here, with the place where a person has to look."""

import json
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.strict_json import MAX_DEPTH, JsonFault, StrictJsonError, parse_strict


def fault_of(text: str) -> JsonFault:
    with pytest.raises(StrictJsonError) as caught:
        parse_strict(text)
    return caught.value.fault


def place_of(fault: JsonFault) -> tuple[str, int, int]:
    return (fault.code, fault.line, fault.column)


@pytest.mark.parametrize(
    "value",
    [{}, [], None, True, 0, -1.5, "", "花子 😀", {"a": {"a": 1}}, [{"a": 1}, {"a": 2}], {"a": "NaN", "b": '"Infinity'}],
)
def test_good_json_is_read(value: Any) -> None:
    assert parse_strict(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("json_empty", 1, 1)),
        (" \n\t ", ("json_empty", 1, 1)),
        ("{", ("json_ends_early", 1, 2)),
        ('{"a": "b', ("json_ends_early", 1, 7)),
        ('{"a": 1,\n}', ("json_trailing_comma", 1, 8)),
        ('{"a": [1, 2 ,  ]}', ("json_trailing_comma", 1, 13)),
        ('{"a": 1 "b": 2}', ("json_syntax", 1, 9)),
        ("{'a': 1}", ("json_syntax", 1, 2)),
        ('{"a": "line\nbreak"}', ("json_syntax", 1, 12)),
        ('{} {"a": 1}', ("json_syntax", 1, 4)),
        ("{“a”: 1}", ("json_smart_quotes", 1, 2)),
        ('{\n "a"： 1}', ("json_full_width", 2, 5)),
        ('{\u3000"a": 1}', ("json_full_width", 1, 2)),
        ('{\u00a0"a": 1}', ("json_no_break_space", 1, 2)),
        ("\ufeff{}", ("json_byte_order_mark", 1, 1)),
        ('{\n  // why\n  "a": 1}', ("json_comment", 2, 3)),
        ('{/* why */ "a": 1}', ("json_comment", 1, 2)),
        ('{"a": 1} # why', ("json_comment", 1, 10)),
        ('{"a": NaN}', ("json_syntax", 1, 7)),
        ('{"a": "NaN",\n "b": [-Infinity]}', ("json_syntax", 2, 8)),
        ("[Infinity]", ("json_syntax", 1, 2)),
    ],
)
def test_mistake_is_named_with_its_place(text: str, expected: tuple[str, int, int]) -> None:
    assert place_of(fault_of(text)) == expected


def test_duplicate_key_is_found_in_its_own_object() -> None:
    text = '{"Statement": [\n{"Effect": "Allow"},\n{"Effect": "Deny",\n  "Effect": "Allow"}]}'
    fault = fault_of(text)
    assert place_of(fault) == ("json_duplicate_key", 4, 3)
    assert fault.params == {"key": "Effect"}


def test_value_that_looks_like_the_key_is_no_duplicate() -> None:
    assert place_of(fault_of('{"a": "b", "b": {"a": 1},\n"b": 2}')) == ("json_duplicate_key", 2, 1)


def test_duplicate_key_written_with_escapes_is_found() -> None:
    fault = fault_of('{"a": 1, "\\u0061": 2}')
    assert (fault.code, fault.column, fault.params) == ("json_duplicate_key", 10, {"key": "\\u0061"})


def test_deep_nesting_is_refused_whatever_the_stack() -> None:
    assert parse_strict("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert place_of(fault_of("[" * (MAX_DEPTH + 1))) == ("json_too_deep", 1, MAX_DEPTH + 1)
    assert fault_of('{"a":' * 100_000).code == "json_too_deep"


def test_brackets_inside_a_text_do_not_nest() -> None:
    assert parse_strict(json.dumps("[{" * 100 + '\\"' + "[" * 100)).startswith("[{")


def test_number_too_long_for_python_is_a_fault() -> None:
    fault = fault_of('{"a":\n -' + "9" * (sys.get_int_max_str_digits() + 1) + "}")
    assert place_of(fault) == ("json_syntax", 2, 2)
    assert len(fault.params["found"]) < 30


def test_open_text_full_of_quotes_is_read_in_a_moment() -> None:
    began = time.perf_counter()
    assert fault_of('"' + '\\"' * 50_000).code == "json_ends_early"
    assert time.perf_counter() - began < 2


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:\\ \n1eNaITnf“　#/*\ufeff\ud800') | st.text())
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        assert parse_strict(text) == json.loads(text)
    except StrictJsonError as error:
        place = error.fault
    else:
        return
    assert 1 <= place.line <= text.count("\n") + 1
    assert 1 <= place.column <= len(text) + 1


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_whatever_json_writes_is_read(value: Any) -> None:
    assert parse_strict(json.dumps(value)) == value
