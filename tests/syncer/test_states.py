"""Frozen values: scopes, definitions and how they are compared and shown."""

from datetime import timedelta
from typing import Any

import pytest

from syncer.changes import AssignmentChange, Cause, Kind, Plan, SetChange, identity_of
from syncer.states import (
    AssignmentKey,
    Boundary,
    Definition,
    PolicyReference,
    PrincipalType,
    Reason,
    RecordReference,
    Scope,
    render_duration,
    show_value,
)

KEY = AssignmentKey("000000000001", "Admin", PrincipalType.USER, "hana")


@pytest.mark.parametrize(
    ("scope", "covers_key", "covers_set"),
    [
        (Scope(), True, True),
        (Scope("000000000001"), True, False),
        (Scope("000000000002"), False, False),
        (Scope(permission_set="Admin"), True, True),
        (Scope(permission_set="Reader"), False, False),
        (Scope("000000000001", "Admin"), True, False),
        (Scope("000000000001", "Reader"), False, False),
        (Scope(principal_type=PrincipalType.USER), True, False),
        (Scope(principal_type=PrincipalType.GROUP), False, False),
    ],
)
def test_scope_covers_what_it_does_not_narrow_down(scope: Scope, covers_key: bool, covers_set: bool) -> None:
    assert (scope.covers(KEY), scope.covers_set("Admin")) == (covers_key, covers_set)


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        (Scope(), "everything"),
        (Scope("000000000001", "Admin"), "account 000000000001 × permission set Admin"),
        (Scope(principal_type=PrincipalType.GROUP), "groups"),
    ],
)
def test_scope_reads_well(scope: Scope, shown: str) -> None:
    assert str(scope) == shown


@pytest.mark.parametrize(
    ("minutes", "text"), [(60, "PT1H"), (90, "PT1H30M"), (45, "PT45M"), (720, "PT12H"), (0, "PT0H")]
)
def test_duration_as_aws_takes_it(minutes: int, text: str) -> None:
    assert render_duration(timedelta(minutes=minutes)) == text


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('{"a": 1, "b": [1, 2]}', '{\n  "b": [1,2],\n  "a": 1\n}'),
        ('{"a": "\\u00e9"}', '{"a": "é"}'),
        ("", ""),
        ("not JSON", "not JSON"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_policies_that_say_the_same_do_not_differ(left: str, right: str) -> None:
    assert Definition(inline_policy=left).differences(Definition(inline_policy=right)) == ()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ('{"a": true}', '{"a": 1}'),
        ('{"a": "1"}', '{"a": 1}'),
        ("{}", ""),
        ("not JSON", "{}"),
        ("[" * 100_000, "{}"),
    ],
)
def test_policies_that_say_something_else_differ(left: str, right: str) -> None:
    (difference,) = Definition(inline_policy=left).differences(Definition(inline_policy=right))
    assert difference == ("inline_policy", left, right)


@pytest.mark.parametrize(
    "values",
    [
        {"description": "other"},
        {"session_duration": timedelta(hours=2)},
        {"relay_state": "https://example.com"},
        {"managed_policies": frozenset({"arn:aws:iam::aws:policy/ReadOnlyAccess"})},
        {"customer_managed_policies": frozenset({PolicyReference("/", "LogReader")})},
        {"inline_policy": "{}"},
        {"permissions_boundary": Boundary("arn:aws:iam::aws:policy/ReadOnlyAccess")},
    ],
)
def test_each_field_makes_a_difference(values: dict[str, Any]) -> None:
    (difference,) = Definition().differences(Definition(**values))
    assert [difference.field] == list(values)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (frozenset({"b", "a"}), "a\nb"),
        (frozenset({PolicyReference("/team/", "LogReader")}), "/team/LogReader"),
        (Boundary("arn:aws:iam::aws:policy/ReadOnlyAccess"), "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        (Boundary(customer_managed=PolicyReference("/", "Limits")), "/Limits"),
        (timedelta(minutes=90), "PT1H30M"),
    ],
)
def test_values_are_shown_in_a_stable_order(value: Any, shown: str) -> None:
    assert show_value(value) == shown


def test_reason_is_stored_as_json() -> None:
    assert Reason("set_broken", {"set": "Admin"}).as_json() == {"code": "set_broken", "params": {"set": "Admin"}}


def test_record_is_named_without_its_revision() -> None:
    assert str(RecordReference("24", "17", 3)) == "24:17"


def test_identity_of_a_change_is_the_same_in_every_run() -> None:
    one = AssignmentChange(Kind.DELETE, KEY, "24:1", counts=True, cause=Cause.WITHDRAWN)
    another = AssignmentChange(Kind.DELETE, KEY, "24:2", cause=Cause.NO_RECORD)
    assert identity_of(one) == identity_of(another) == "delete assignment 000000000001 Admin USER hana"
    assert identity_of(SetChange(Kind.DELETE, "Admin")) == "delete permission_set Admin"


def test_plan_counts_both_kinds_of_object() -> None:
    changes = (SetChange(Kind.CREATE, "Admin"), AssignmentChange(Kind.CREATE, KEY), SetChange(Kind.DELETE, "Old"))
    assert [Plan(changes).count(kind) for kind in Kind] == [2, 0, 1]
