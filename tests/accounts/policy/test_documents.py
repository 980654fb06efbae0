"""Reading JSON: what AWS refuses is a fault, with the place where a person has to look, whatever the text is."""

import json
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.documents import (
    ARRAY,
    MAX_DEPTH,
    MAX_FAULTS,
    NUMBER,
    OBJECT,
    Document,
    Node,
    NotJson,
    parse_document,
    read_json,
)


def rebuild(node: Node) -> Any:
    """The value as Python's own parser gives it."""
    if node.kind == OBJECT:
        return {name: rebuild(value) for name, value in node.value.items()}
    if node.kind == ARRAY:
        return [rebuild(value) for value in node.value]
    return json.loads(node.value) if node.kind == NUMBER else node.value


def read(text: str) -> Any:
    document = parse_document(text)
    assert document.faults == ()
    assert document.root is not None
    return rebuild(document.root)


def faults_of(text: str) -> list[tuple[str, int, int]]:
    document = parse_document(text)
    return [(fault.sentence, *document.locate(fault.start)) for fault in document.faults]


@pytest.mark.parametrize(
    "value",
    [{}, [], None, True, 0, -1.5, "", "花子 😀", {"a": {"a": 1}}, [{"a": 1}, {"a": 2}], {"a": "NaN", "b": '"Infinity'}],
)
def test_good_json_is_read(value: Any) -> None:
    assert read(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("json_empty", 1, 1)),
        (" \n\t ", ("json_empty", 1, 1)),
        ("{", ("json_ends_early", 1, 2)),
        ('{"a": "b', ("json_ends_early", 1, 7)),
        ('{"a": 1,\n}', ("json_trailing_comma", 1, 8)),
        ('{"a": [1, 2 ,  ]}', ("json_trailing_comma", 1, 13)),
        ('{"a": 1 "b": 2}', ("json_missing_comma", 1, 9)),
        ('{"a": 1\n "b": 2}', ("json_missing_comma", 2, 2)),
        ('["a" "b"]', ("json_missing_comma", 1, 6)),
        ("[1,,2]", ("json_syntax", 1, 4)),
        ("[}", ("json_syntax", 1, 2)),
        ('["a"}', ("json_wrong_sign", 1, 5)),
        ('{"a": ["b"}', ("json_wrong_sign", 1, 11)),
        ('{"a" 1}', ("json_missing_colon", 1, 6)),
        ('{"a",}', ("json_no_value", 1, 5)),
        ('{"a": }', ("json_syntax", 1, 7)),
        ("{1: 2}", ("json_key", 1, 2)),
        ('{a: 1, "b": 2}', ("json_unquoted", 1, 2)),
        ("{'a': 1}", ("json_single_quotes", 1, 2)),
        ('{"a": "line\nbreak"}', ("json_line_break", 1, 12)),
        ('{"a": "tab\there"}', ("json_control", 1, 11)),
        ('{"a": "\x00"}', ("json_control", 1, 8)),
        ('{"a": "C:\\dir"}', ("json_escape", 1, 10)),
        ('{"a": 007}', ("json_number", 1, 7)),
        ('{"a": +1}', ("json_number", 1, 7)),
        ('{"a": 1.}', ("json_number", 1, 7)),
        ('{"a": 0x1F}', ("json_number", 1, 7)),
        ('{"a": True}', ("json_word", 1, 7)),
        ('{"a": undefined}', ("json_word", 1, 7)),
        ('{} {"a": 1}', ("json_after_end", 1, 4)),
        ('{"a": 1}}', ("json_after_end", 1, 9)),
        ("{“a”: 1}", ("json_smart_quotes", 1, 2)),
        ("{“a: 1}", ("json_smart_quotes", 1, 2)),
        ('{\n "a"： 1}', ("json_full_width", 2, 5)),
        ('{"a": 1，"b": 2}', ("json_full_width", 1, 8)),
        ("｛}", ("json_full_width", 1, 1)),
        ('{"a": １}', ("json_full_width", 1, 7)),
        ('{\u3000"a": 1}', ("json_full_width", 1, 2)),
        ('{\u00a0"a": 1}', ("json_no_break_space", 1, 2)),
        ("\ufeff{}", ("json_byte_order_mark", 1, 1)),
        ('{\n  // why\n  "a": 1}', ("json_comment", 2, 3)),
        ('{/* why */ "a": 1}', ("json_comment", 1, 2)),
        ('{"a": 1} # why', ("json_comment", 1, 10)),
        ('{"a": NaN}', ("json_word", 1, 7)),
        ('{"a": "NaN",\n "b": [-Infinity]}', ("json_word", 2, 8)),
        ("[Infinity]", ("json_word", 1, 2)),
        ("%", ("json_syntax", 1, 1)),
    ],
)
def test_mistake_is_named_with_its_place(text: str, expected: tuple[str, int, int]) -> None:
    assert faults_of(text) == [expected]


def test_all_mistakes_are_told_where_the_rest_can_be_read() -> None:
    text = '\ufeff{ // mine\n“Version”： \'2012-10-17\',\n"Statement": ["a",],\n}'
    assert [fault for fault, _line, _column in faults_of(text)] == [
        "json_byte_order_mark",
        "json_comment",
        "json_smart_quotes",
        "json_full_width",
        "json_single_quotes",
        "json_trailing_comma",
        "json_trailing_comma",
    ]


def test_fault_tells_where_in_the_tree_it_stands() -> None:
    document = parse_document('{"Statement": [{}, {"Action": ["a",]}]}')
    assert [fault.path for fault in document.faults] == ["/Statement/1/Action"]


def test_duplicate_key_is_found_in_its_own_object() -> None:
    text = '{"Statement": [\n{"Effect": "Allow"},\n{"Effect": "Deny",\n  "Effect": "Allow"}]}'
    assert faults_of(text) == [("json_duplicate_key", 4, 3)]
    assert parse_document(text).faults[0].params == {"key": "Effect"}


def test_value_that_looks_like_the_key_is_no_duplicate() -> None:
    assert faults_of('{"a": "b", "b": {"a": 1},\n"b": 2}') == [("json_duplicate_key", 2, 1)]


def test_duplicate_key_written_with_escapes_is_found() -> None:
    (fault,) = parse_document('{"a": 1, "\\u0061": 2}').faults
    assert (fault.sentence, fault.start, fault.params) == ("json_duplicate_key", 9, {"key": "\\u0061"})


def test_deep_nesting_is_refused_whatever_the_stack() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert faults_of("[" * (MAX_DEPTH + 1)) == [("json_too_deep", 1, MAX_DEPTH + 1)]
    assert faults_of('{"a":' * 100_000)[-1][0] == "json_too_deep"


def test_brackets_inside_a_text_do_not_nest() -> None:
    assert read(json.dumps("[{" * 100 + '\\"' + "[" * 100)).startswith("[{")


def test_number_of_any_length_is_kept_as_it_is_written() -> None:
    digits = "9" * (sys.get_int_max_str_digits() + 1)
    document = parse_document(f'{{"a": -{digits}, "b": 1e400}}')
    assert document.faults == ()
    assert document.root is not None
    assert [node.value for node in document.root.value.values()] == [f"-{digits}", "1e400"]


def test_open_text_full_of_quotes_is_read_in_a_moment() -> None:
    began = time.perf_counter()
    assert faults_of('"' + '\\"' * 50_000) == [("json_ends_early", 1, 1)]
    assert time.perf_counter() - began < 2


def test_number_of_faults_has_an_end() -> None:
    assert len(parse_document("[" + "NaN," * 1000 + "1]").faults) == MAX_FAULTS


def find(document: Document, pointer: str) -> Node:
    node = document.root
    for step in pointer.split("/")[1:]:
        assert node is not None
        node = node.value[int(step)] if node.kind == ARRAY else node.value[step.replace("~1", "/").replace("~0", "~")]
    assert node is not None
    return node


def test_every_value_knows_its_place_and_its_pointer() -> None:
    text = '{\n  "a~/b": [1, {"c": "花"}]\n}'
    document = parse_document(text)
    node = find(document, "/a~0~1b/1/c")
    assert node.pointer == "/a~0~1b/1/c"
    assert text[node.start : node.end] == '"花"'
    assert text[node.key_start : node.key_end] == '"c"'
    assert document.locate(node.start) == (2, 21)


def test_value_alone_keeps_numbers_as_they_are_written() -> None:
    assert read_json('{"a": [1.50, null, "x"]}') == {"a": ["1.50", None, "x"]}
    with pytest.raises(NotJson, match="json_trailing_comma"):
        read_json("[1,]")


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet='{}[]",:\\ \n1eNaITnf“’　#/*\ufeff\ud800') | st.text())
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    document = parse_document(text)
    if document.faults:
        assert all(0 <= fault.start <= fault.end <= len(text) for fault in document.faults)
    else:
        assert read(text) == json.loads(text)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_whatever_json_writes_is_read(value: Any) -> None:
    assert read(json.dumps(value)) == value
