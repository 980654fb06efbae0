"""What deserves a comment, what is told only once, and whom it calls."""

from datetime import timedelta

import pytest

from accounts.sentences import SENTENCES
from syncer.telling import remarks
from syncer.telling.remarks import Remark, Tone, build_mark, choose_mentions, find_tone, is_mendable, is_worth_telling

NOW, LATER = timedelta(0), timedelta(hours=3)
MISSPELT = Remark(
    "managed_policy_misspelt", "managed_policies", 2, {"policy": "ReadOnlyAcces", "near": "ReadOnlyAccess"}
)


@pytest.mark.parametrize(
    ("code", "is_error", "expected"),
    [
        ("managed_policy_unknown", True, True),
        ("json_syntax", True, True),
        ("set_not_adopted", True, True),
        ("may_be_namesake", True, True),
        ("managed_policy_not_listed", False, False),  # it may be newer than the list
        ("managed_policy_not_listed_near", False, True),
        ("managed_policy_withdrawn_kept", False, True),
        ("values_withheld", False, True),
        ("values_withheld_who", False, True),
        ("guardrail_refuses", False, True),
        ("nobody_named", False, True),
        ("group_left", False, True),
        ("person_left", False, False),
        ("person_renamed", False, False),
        ("moved_to_twin", False, False),
        ("moved_to_new_name", False, True),
        ("set_widens", False, True),
        ("set_taken_admin", False, True),
        ("drift", False, False),
        ("something_new", False, False),
        ("policy_invalid_action_near", False, True),
        ("policy_invalid_action", False, False),  # it may be newer than what we know of AWS
        ("policy_redundant_statement", False, False),
    ],
)
def test_worth_telling(code: str, *, is_error: bool, expected: bool) -> None:
    assert is_worth_telling(code, is_error=is_error, stood_for=NOW) is expected


@pytest.mark.parametrize("code", ["person_unknown", "group_unknown"])
def test_what_passes_is_told_once_it_has_not_passed(code: str) -> None:
    assert not is_worth_telling(code, is_error=False, stood_for=timedelta(minutes=119))
    assert is_worth_telling(code, is_error=False, stood_for=LATER)


def test_only_what_the_record_can_mend_is_told_of_aws() -> None:
    assert is_mendable("aws_inline_rejected")
    assert not any(map(is_mendable, ("aws_throttled", "aws_iam_denied", "aws_account_quota", "")))


def test_every_code_here_has_a_sentence() -> None:
    named = {
        *remarks._WARNINGS,
        *remarks._MENDABLE,
        *remarks._OF_NO_REVISION,
        *remarks._NAMED_BY,
    }
    assert named <= set(SENTENCES)


def test_mistake_is_news_in_each_revision() -> None:
    assert MISSPELT.identity(1) != MISSPELT.identity(2)


@pytest.mark.parametrize("code", ["values_withheld", "guardrail_refuses", "aws_refused", "person_unknown"])
def test_decision_is_news_once(code: str) -> None:
    remark = Remark(code, params={"values": "+ taro"})
    assert remark.identity(1) == remark.identity(9)


@pytest.mark.parametrize(
    "other",
    [
        Remark("managed_policy_unknown", "managed_policies", 2, MISSPELT.params),
        Remark("managed_policy_misspelt", "permissions_boundary", 2, MISSPELT.params),
        Remark("managed_policy_misspelt", "managed_policies", 3, MISSPELT.params),
        Remark("managed_policy_misspelt", "managed_policies", 2, {"policy": "other", "near": ""}),
    ],
)
def test_another_place_or_value_is_another_problem(other: Remark) -> None:
    assert other.identity(1) != MISSPELT.identity(1)


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("values_withheld_who", {"values": "+ taro", "who": "hana"}, {"values": "+ taro", "who": "ken"}),
        ("aws_refused", {"text": "request 1"}, {"text": "request 2"}),
        ("set_in_management", {"set": "Deploy", "count": 1}, {"set": "Deploy", "count": 2}),
    ],
)
def test_words_around_it_make_no_news(code: str, before: dict[str, object], after: dict[str, object]) -> None:
    assert Remark(code, params=before).identity(1) == Remark(code, params=after).identity(1)


def test_known_confirmers_change_nothing() -> None:
    params = {"values": "+ taro"}
    assert Remark("values_withheld", params=params).identity(1) == Remark(
        "values_withheld_who", params={**params, "who": "hana"}
    ).identity(1)


def test_gravest_tone_begins() -> None:
    verdict, refused = Remark("guardrail_refuses"), Remark("aws_refused")
    assert find_tone([verdict]) is Tone.VERDICT
    assert find_tone([verdict, refused]) is Tone.REFUSED
    assert find_tone([verdict, refused, MISSPELT]) is Tone.MEND


def test_mark_is_of_one_portal_record_revision_and_set() -> None:
    marks = {
        build_mark("https://genkan.example.com", "24:57", 3, ["a", "b"]),
        build_mark("http://localhost:8000", "24:57", 3, ["a", "b"]),
        build_mark("https://genkan.example.com", "24:58", 3, ["a", "b"]),
        build_mark("https://genkan.example.com", "24:57", 4, ["a", "b"]),
        build_mark("https://genkan.example.com", "24:57", 3, ["a"]),
        build_mark("https://genkan.example.com", "24:57", 3, ["a", "b"], 1),
    }
    assert len(marks) == 6
    assert build_mark("https://genkan.example.com", "24:57", 3, ["b", "a"]) in marks
    assert all(len(mark) == 12 for mark in marks)


def test_mentions_are_people_once_each_and_ten_at_most() -> None:
    codes = ["hana", "Administrator", "", "HANA", "taro", *map(str, range(20))]
    assert choose_mentions(codes, never="administrator") == ["hana", "taro", *map(str, range(8))]
