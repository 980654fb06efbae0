"""Two edits of one record: nothing of either side is lost without being shown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.drafts.merging import Merged, Value, find_added, is_same, merge

POLICY = '{"Version": "2012-10-17", "Statement": []}'
REFORMATTED = '{\n  "Statement": [],\n  "Version": "2012-10-17"\n}'


def fields_of(merged: Merged) -> list[str]:
    return [conflict.field for conflict in merged.conflicts]


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "both"),
    [
        (["a"], ["a", "b"], ["a", "c"], ["a", "b", "c"]),
        (["a", "b"], ["a"], ["b"], []),
        (["a", "b"], ["b", "a"], ["a"], ["a"]),
        (["a", "b"], ["a", "b", "c"], ["b"], ["b", "c"]),
        (["a"], ["A "], ["a", "b"], ["a", "b"]),
    ],
)
def test_lists_merge_by_element(base: list[str], theirs: list[str], ours: list[str], both: list[str]) -> None:
    merged = merge({"users": base}, {"users": theirs}, {"users": ours})
    assert (merged.values.get("users", theirs), merged.conflicts) == (both, ())


def test_what_they_have_already_is_not_written() -> None:
    assert merge({"users": ["a"]}, {"users": ["a", "b"]}, {"users": ["a", "b"]}) == Merged()


def test_value_that_both_changed_is_a_conflict() -> None:
    merged = merge({"note": "1", "users": ["a"]}, {"note": "2", "users": ["a"]}, {"note": "3", "users": ["b"]})
    assert merged.conflicts == (("note", "1", "2", "3"),)
    assert merged.values == {"users": ["b"]}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("inline_policy", POLICY, REFORMATTED),
        ("session_duration", "PT8H", "8時間"),
        ("account_id", "1234-5678-9012", "１２３４５６７８９０１２"),
        ("permissions_boundary", "ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("permissions_boundary", "/team/Limits", "arn:aws:iam::123456789012:policy/team/Limits"),
        ("managed_policies", ["ReadOnlyAccess"], ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        ("customer_managed_policies", ["/team/Limits"], ["arn:aws:iam::123456789012:policy/team/Limits"]),
        ("users", ["Hana", "taro"], ["taro", "hana"]),
        ("note", "a\r\nb", "a\nb\n"),
    ],
)
def test_same_in_another_spelling_is_no_edit(field: str, one: Value, other: Value) -> None:
    assert is_same(field, one, other)
    assert not merge({field: one}, {field: other}, {field: one if isinstance(one, list) else f"{one}x"}).conflicts


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("inline_policy", '{"a": 1}', '{"a": true}'),
        ("inline_policy", '{"a": 1}', '{"a": 1'),
        ("permissions_boundary", "ReadOnlyAccess", "/ReadOnlyAccess"),
        ("customer_managed_policies", ["/team/Limits"], ["/other/Limits"]),
        ("account_id", "123456789012", "123456789013"),
    ],
)
def test_other_meanings_are_other_values(field: str, one: Value, other: Value) -> None:
    assert not is_same(field, one, other)


def test_new_layout_of_a_policy_is_written() -> None:
    assert merge({"inline_policy": POLICY}, {"inline_policy": POLICY}, {"inline_policy": REFORMATTED}).values


def test_their_policy_wins_over_our_new_layout() -> None:
    theirs = {"inline_policy": '{"a": 1}'}
    assert merge({"inline_policy": POLICY}, theirs, {"inline_policy": REFORMATTED}) == Merged()


@pytest.mark.parametrize(
    ("theirs", "ours", "fields"),
    [
        ({"users": ["a", "b"]}, {"account_id": "2"}, ["account_id", "users"]),
        ({"expires_on": ""}, {"permission_set": "Admin"}, ["permission_set", "expires_on"]),
        ({"account_id": "2"}, {"users": ["a", "b"]}, ["account_id", "users"]),
        ({"account_id": "2"}, {"permission_set": "Admin"}, ["account_id", "permission_set"]),
        ({"users": []}, {"account_id": "2"}, []),
        ({"note": "x"}, {"account_id": "2"}, []),
        ({"account_id": "2"}, {"users": []}, []),
        ({"users": ["a", "b"]}, {"groups": ["g"]}, []),
    ],
)
def test_nobody_is_taken_along_unseen(theirs: dict[str, Any], ours: dict[str, Any], fields: list[str]) -> None:
    base: dict[str, Any] = {
        "account_id": "1", "permission_set": "Reader", "users": ["a"], "groups": [], "expires_on": "2030-01-01",
        "note": "",
    }  # fmt: skip
    assert fields_of(merge(base, base | theirs, ours)) == fields


def test_twin_takes_along_whoever_is_there() -> None:
    base = {"permission_set": "Reader", "users": ["a"]}
    merged = merge(base, base | {"users": ["a", "b"]}, {"permission_set": "Reader-member"}, may_move=True)
    assert merged == Merged({"permission_set": "Reader-member"})


# --- For all records --------------------------------------------------------------------------------------------------

LISTS, SCALARS = ("users", "groups", "managed_policies", "owners"), ("note", "inline_policy", "session_duration")
_elements = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)
_scalars = st.sampled_from(["", "PT1H", "1時間", "PT2H", '{"a": 1}', '{"a":1}', "x"])
records = st.fixed_dictionaries({**dict.fromkeys(LISTS, _elements), **dict.fromkeys(SCALARS, _scalars)})


def find_edits(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every addition, removal and new value."""
    edits = {(name, "=", after[name]) for name in SCALARS if not is_same(name, before[name], after[name])}
    for name in LISTS:
        edits |= {(name, "+", text) for text in find_added(name, before[name], after[name])}
        edits |= {(name, "-", text) for text in find_added(name, after[name], before[name])}
    return edits


def agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(is_same(name, one[name], other[name]) for name in one)


@given(records, records, records)
def test_no_edit_is_lost_without_being_shown(base: Any, theirs: Any, ours: Any) -> None:
    merged = merge(base, theirs, ours)
    result, shown = {**theirs, **merged.values}, set(fields_of(merged))
    for name, kind, value in find_edits(base, ours) | find_edits(base, theirs):
        if name not in shown:
            there = result[name]
            assert is_same(name, there, value) if kind == "=" else (value in there) == (kind == "+")


@given(records, records, records)
def test_nothing_comes_that_nobody_wanted(base: Any, theirs: Any, ours: Any) -> None:
    result = {**theirs, **merge(base, theirs, ours).values}
    assert find_edits(base, result) <= find_edits(base, ours) | find_edits(base, theirs)


@given(records, records, records)
def test_merging_commutes(base: Any, theirs: Any, ours: Any) -> None:
    one, other = merge(base, theirs, ours), merge(base, ours, theirs)
    assert fields_of(one) == fields_of(other)
    if not one.conflicts:
        assert agree({**theirs, **one.values}, {**ours, **other.values})


@given(records, records, records)
def test_merging_twice_changes_nothing(base: Any, theirs: Any, ours: Any) -> None:
    merged = merge(base, theirs, ours)
    if not merged.conflicts:
        assert merge(base, {**theirs, **merged.values}, ours) == Merged()


@given(records, records)
def test_without_another_s_edit_ours_is_what_is_written(base: Any, ours: Any) -> None:
    merged = merge(base, base, ours)
    assert {**base, **merged.values} == ours
    assert not merged.conflicts
