"""One kintone record → a wish, or problems with field and line. Written as people write, never guessed."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.records.parsing import (
    SET_FIELDS,
    Fields,
    Notes,
    normalise_account_id,
    normalise_managed_policy,
    normalise_set_name,
    parse_assignment,
    parse_date,
    parse_duration,
    parse_permission_set,
    parse_policy_reference,
    read_codes,
    read_lines,
    read_text,
)
from syncer.states import AssignmentWish, PolicyReference, Problem, SetWish

POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
USERS = [{"code": "hana", "name": "花子"}, {"code": "taro", "name": "太郎"}]


def fields(**values: Any) -> Fields:
    return {name: {"type": "ANY", "value": value} for name, value in values.items()}


def read_set(**values: Any) -> tuple[SetWish | None, list[Problem]]:
    notes = Notes("23:1")
    return parse_permission_set(fields(**{"name": "Admin", **values}), notes), notes.problems


def read_assignment(**values: Any) -> tuple[AssignmentWish | None, list[Problem]]:
    notes = Notes("24:1")
    defaults = {"account_id": "000000000001", "permission_set": "Admin", "users": USERS}
    return parse_assignment(fields(**defaults | values), notes), notes.problems


def wish_of_set(**values: Any) -> SetWish:
    wish, problems = read_set(**values)
    assert problems == []
    assert wish is not None
    return wish


def the_problem(result: tuple[object, list[Problem]]) -> tuple[str, str, int | None]:
    """Code, field and line of the one error, because of which there is no wish."""
    wish, problems = result
    assert wish is None
    (problem,) = problems
    assert problem.severity == "error"
    return (problem.code, problem.field, problem.line)


# --- Values of kintone's fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [{}, {"value": None}, {"value": ""}, {"value": []}, {"type": "FILE"}, None, "text"])
def test_unset_field_is_empty(cell: Any) -> None:
    given_fields = {"users": cell}
    assert (read_text(given_fields, "users"), read_lines(given_fields, "users")) == ("", [])
    assert read_codes(given_fields, "users") == ()


def test_lines_keep_their_numbers() -> None:
    assert read_lines(fields(groups="\n 開発 \r\n\r\nＯＰＳ\n"), "groups") == [(2, "開発"), (4, "OPS")]


def test_choices_are_lines() -> None:
    assert read_lines(fields(groups=["dev", "", "ops"]), "groups") == [(1, "dev"), (3, "ops")]


def test_user_selection_gives_codes() -> None:
    assert read_codes(fields(users=USERS), "users") == ("hana", "taro")


@pytest.mark.parametrize("nobody", [{"code": None, "name": "退職者"}, {"code": "", "name": ""}, {"name": "退職者"}, {}])
def test_user_without_code_is_unknown_not_withdrawn(nobody: dict[str, Any]) -> None:
    assert read_codes(fields(users=[nobody, USERS[0]]), "users") == ("?", "hana")


def test_users_can_be_written_as_lines() -> None:
    assert read_codes(fields(users="hana\ntaro@example.com\n"), "users") == ("hana", "taro@example.com")


# --- Single values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "012345678901",
        " 0123-4567-8901 ",
        "０１２３４５６７８９０１",
        "0123 4567 8901",
        "0123−4567‐8901",
        "　012345678901　",
    ],
)
def test_account_id_as_people_write_it(text: str) -> None:
    assert normalise_account_id(text) == "012345678901"


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890123", "01234567890x", "١٢٣٤٥٦٧٨٩٠١٢", "0123.45678901", "😀", "1" * 100_000]
)
def test_account_id_is_never_guessed(text: str) -> None:
    assert normalise_account_id(text) == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Admin", "Admin"),
        (" a+b=c,d.e@f_g-h ", "a+b=c,d.e@f_g-h"),
        ("x" * 32, "x" * 32),
        ("x" * 33, ""),
        ("管理者", ""),
        ("Admin User", ""),
        ("Admin\nUser", ""),
        ("Admin/User", ""),
        ("😀", ""),
        ("", ""),
    ],
)
def test_set_name_as_aws_takes_it(text: str, name: str) -> None:
    assert normalise_set_name(text) == name


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("PT8H", 480),
        ("pt8h", 480),
        ("PT480M", 480),
        ("PT28800S", 480),
        ("PT1H30M", 90),
        ("8時間", 480),
        ("８ 時間", 480),
        ("1時間30分", 90),
        ("1.5時間", 90),
        ("90分", 90),
        ("8 hours", 480),
        ("8h", 480),
        ("90 mins", 90),
        ("1 hr 30 min", 90),
    ],
)
def test_duration_as_people_write_it(text: str, minutes: int) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    ["", "8", "PT", "PT0H", "0時間", "P1D", "-PT1H", "PT1.5H", "半日", "30分1時間", "h", "😀", "PT" + "9" * 5000 + "H",
     "9" * 400 + "時間", "PT٨H"],
)  # fmt: skip
def test_duration_is_never_guessed(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("LogReader", ("/", "LogReader")),
        ("/LogReader", ("/", "LogReader")),
        ("/team/sub/LogReader", ("/team/sub/", "LogReader")),
        ("team/LogReader", ("/team/", "LogReader")),
        ("arn:aws:iam::012345678901:policy/team/LogReader", ("/team/", "LogReader")),
        ("arn:aws-us-gov:iam::012345678901:policy/LogReader", ("/", "LogReader")),
    ],
)
def test_customer_managed_policy_is_read(text: str, reference: tuple[str, str]) -> None:
    assert parse_policy_reference(text) == PolicyReference(*reference)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/team/",
        "//LogReader",
        "/te am/LogReader",
        "/チーム/LogReader",
        "Log Reader",
        "x" * 129,
        "/" + "x" * 511 + "/LogReader",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",  # AWS's own
        "arn:aws:iam::1234:policy/LogReader",
        "arn:aws:iam::012345678901:role/LogReader",
    ],
)
def test_what_aws_takes_for_no_customer_managed_policy(text: str) -> None:
    assert parse_policy_reference(text) is None


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("ReadOnlyAccess", "ReadOnlyAccess"),
        ("/ReadOnlyAccess", "ReadOnlyAccess"),
        ("job-function/Billing", "job-function/Billing"),
        ("arn:aws:iam::aws:policy/job-function/Billing", "arn:aws:iam::aws:policy/job-function/Billing"),
        ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"),
        ("arn:aws:iam::012345678901:policy/ReadOnlyAccess", ""),
        ("Read Only Access", ""),
        ("閲覧", ""),
        ("", ""),
        ("a//b", ""),
    ],
)
def test_managed_policy_is_read(text: str, policy: str) -> None:
    assert normalise_managed_policy(text) == policy


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-11-23x", "2026-11-231", "20261123", "2026-W47-1", "2026-02-30", "明日"]
)
def test_date_is_never_guessed(text: str) -> None:
    assert parse_date(text) is None


# --- A permission set ------------------------------------------------------------------------------------------------


def test_set_with_a_name_alone_has_aws_defaults() -> None:
    assert wish_of_set() == SetWish("Admin", absent=SET_FIELDS)


def test_set_with_everything() -> None:
    wish = wish_of_set(
        description="一行目\r\n二行目",
        session_duration="８時間",
        relay_state="https://console.aws.amazon.com/cloudwatch/home?region=ap-northeast-1",
        managed_policies="ReadOnlyAccess\n\nReadOnlyAccess\nＶｉｅｗＯｎｌｙＡｃｃｅｓｓ",
        customer_managed_policies="/team/LogReader\nLogReader\n/team/LogReader",
        inline_policy=POLICY,
        permissions_boundary="/team/Limits",
    )
    assert wish == SetWish(
        "Admin",
        "一行目\n二行目",
        timedelta(hours=8),
        "https://console.aws.amazon.com/cloudwatch/home?region=ap-northeast-1",
        ("ReadOnlyAccess", "ViewOnlyAccess"),
        (PolicyReference("/team/", "LogReader"), PolicyReference("/", "LogReader")),
        POLICY,
        "/team/Limits",
    )


def test_field_that_is_empty_is_not_absent() -> None:
    assert wish_of_set(description=None, inline_policy=" \n").absent == SET_FIELDS - {"description", "inline_policy"}


@pytest.mark.parametrize(("text", "hours"), [("PT1H", 1), ("60分", 1), ("PT12H", 12), ("720分", 12)])
def test_session_may_be_as_short_and_as_long_as_aws_takes_it(text: str, hours: int) -> None:
    assert wish_of_set(session_duration=text).session_duration == timedelta(hours=hours)


def test_relay_state_may_be_as_long_as_aws_takes_it() -> None:
    assert wish_of_set(relay_state="x" * 240).relay_state == "x" * 240


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"name": ""}, ("name_missing", "name", None)),
        ({"name": "管理者"}, ("name_wrong", "name", None)),
        ({"session_duration": "一日"}, ("duration_wrong", "session_duration", None)),
        ({"session_duration": "PT3601S"}, ("duration_wrong", "session_duration", None)),
        ({"session_duration": "59分"}, ("duration_out_of_range", "session_duration", None)),
        ({"session_duration": "PT12H1M"}, ("duration_out_of_range", "session_duration", None)),
        ({"session_duration": "9" * 5000 + "時間"}, ("duration_wrong", "session_duration", None)),
        ({"relay_state": "https://example.com/花"}, ("relay_state_wrong", "relay_state", None)),
        ({"relay_state": "a\nb"}, ("relay_state_wrong", "relay_state", None)),
        ({"relay_state": "x" * 241}, ("relay_state_long", "relay_state", None)),
        ({"managed_policies": "A\nnot a name"}, ("managed_policy_wrong", "managed_policies", 2)),
        ({"customer_managed_policies": "\n\n/"}, ("customer_policy_wrong", "customer_managed_policies", 3)),
        ({"permissions_boundary": "not a name"}, ("boundary_wrong", "permissions_boundary", None)),
        ({"permissions_boundary": "/not a/name"}, ("boundary_wrong", "permissions_boundary", None)),
        ({"inline_policy": '{"Statement": [{}],\n'}, ("json_ends_early", "inline_policy", 1)),
        ({"inline_policy": "[" * 10_000}, ("json_too_deep", "inline_policy", 1)),
        ({"inline_policy": ["text"]}, ("json_single_quotes", "inline_policy", 1)),
        ({"managed_policies": "\n".join(f"P{n}" for n in range(26))}, ("too_many_policies", "managed_policies", None)),
    ],
)
def test_set_that_cannot_be_understood(values: dict[str, Any], problem: tuple[str, str, int | None]) -> None:
    assert the_problem(read_set(**values)) == problem


def test_managed_and_customer_managed_policies_are_counted_together() -> None:
    lines = "\n".join(f"P{number}" for number in range(13))
    assert the_problem(read_set(managed_policies=lines, customer_managed_policies=lines))[0] == "too_many_policies"
    wish, problems = read_set(managed_policies=lines, customer_managed_policies=lines[: lines.rindex("\n")])
    assert wish is not None
    assert len(wish.managed_policies) + len(wish.customer_managed_policies) == 25
    assert [(problem.code, problem.severity) for problem in problems] == [("many_policies", "warning")]


def test_warnings_about_a_policy_block_nothing_and_are_counted() -> None:
    actions = [f"s3:Nonsense{number}" for number in range(5)]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement}, indent=1)
    wish, problems = read_set(inline_policy=policy)
    assert wish is not None
    assert wish.inline_policy == policy
    codes = [(problem.code, problem.severity, problem.line) for problem in problems]
    assert codes[0] == ("policy_invalid_action", "warning", 6)
    assert codes[3:] == [("policy_more_warnings", "warning", None)]
    assert problems[3].params == {"count": 2}


def test_error_in_a_policy_keeps_its_line_and_its_words() -> None:
    wish, problems = read_set(inline_policy=POLICY.replace('"Effect"', '\n"Principal": "*", "Effect"'))
    assert wish is None
    assert [(problem.code, problem.field, problem.line) for problem in problems] == [
        ("policy_unsupported_principal", "inline_policy", 2)
    ]


def test_notes_on_security_stay_out_of_the_record() -> None:
    policy = POLICY.replace("s3:*", "secretsmanager:GetSecretValue")
    assert wish_of_set(inline_policy=policy).inline_policy == policy


def test_every_problem_of_a_record_is_told_at_once() -> None:
    _wish, problems = read_set(name="", session_duration="?", managed_policies="?\n\n?", inline_policy="{")
    assert [(problem.code, problem.line) for problem in problems] == [
        ("name_missing", None),
        ("duration_wrong", None),
        ("managed_policy_wrong", 1),
        ("managed_policy_wrong", 3),
        ("json_ends_early", 1),
    ]
    assert {problem.record for problem in problems} == {"23:1"}


@pytest.mark.parametrize(
    ("written", "boundary"),
    [
        ("PowerUserAccess", "PowerUserAccess"),
        ("arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/PowerUserAccess"),
        ("/PowerUserAccess", "/PowerUserAccess"),
        ("／team／Limits", "/team/Limits"),
        ("arn:aws:iam::012345678901:policy/team/Limits", "/team/Limits"),
    ],
)
def test_boundary_says_whose_policy_it_is(written: str, boundary: str) -> None:
    assert wish_of_set(permissions_boundary=written).permissions_boundary == boundary


# --- An assignment record --------------------------------------------------------------------------------------------


def test_assignment_with_everything() -> None:
    wish, problems = read_assignment(
        account_id="０１２３-4567-8901",
        groups="開発\n開発\nops",
        more_users="guest@example.com\n",
        expires_on="2026-11-23",
        note="なんでも",
    )
    assert problems == []
    assert wish == AssignmentWish(
        "012345678901", "Admin", ("hana", "taro"), ("guest@example.com",), ("開発", "ops"), date(2026, 11, 23)
    )


def test_assignment_of_nobody_is_a_valid_wish_with_a_warning() -> None:
    wish, (problem,) = read_assignment(users=[])
    assert wish == AssignmentWish("000000000001", "Admin")
    assert (problem.code, problem.severity) == ("nobody_named", "warning")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"account_id": None}, ("account_missing", "account_id", None)),
        ({"account_id": "1234"}, ("account_wrong", "account_id", None)),
        ({"account_id": 12345678901}, ("account_missing", "account_id", None)),
        ({"permission_set": ""}, ("set_missing", "permission_set", None)),
        ({"permission_set": "管理者"}, ("name_wrong", "permission_set", None)),
        ({"expires_on": "2026-13-01"}, ("date_wrong", "expires_on", None)),
        ({"users": [{"code": "x" * 1025}]}, ("person_unknown", "users", 1)),
        ({"more_users": "a@example.com\n" + "x" * 5000}, ("person_unknown", "more_users", 2)),
        ({"groups": "ﷺ" * 100}, ("group_unknown", "groups", 1)),
    ],
)
def test_assignment_that_cannot_be_understood(values: dict[str, Any], problem: tuple[str, str, int | None]) -> None:
    assert the_problem(read_assignment(**values)) == problem


# --- Anything at all -------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("９" * 6000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "value", "x"]), inner),
    max_leaves=5,
)
NAMES = ("name", *SET_FIELDS, "account_id", "permission_set", "users", "groups", "more_users", "expires_on")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING.map(lambda value: {"value": value}) | ANYTHING))
@pytest.mark.parametrize("parse", [parse_permission_set, parse_assignment])
def test_any_input_is_a_wish_or_a_problem(parse: Callable[[Fields, Notes], object], cells: Fields) -> None:
    notes = Notes("24:1")
    assert (parse(cells, notes) is None) == notes.has_errors
