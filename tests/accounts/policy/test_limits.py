"""What Identity Center and IAM hold: bytes, characters, and how many policies."""

import json
from typing import Any

import pytest

from accounts.policy.limits import MAX_BYTES, MAX_CHECKED, MAX_NON_WHITE, check_attached
from accounts.policy.validator import validate_policy

STATEMENT = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


def policy(**values: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT], **values}, ensure_ascii=False)


def codes(text: str) -> list[str]:
    return [finding.code for finding in validate_policy(text)]


def dense_size(text: str) -> int:
    return len("".join(text.split()).encode())


def test_characters_without_white_space_are_counted() -> None:
    spare = MAX_NON_WHITE - dense_size(policy(Id=""))
    assert codes(policy(Id="x" * spare)) == []
    (finding,) = validate_policy(policy(Id="x" * (spare + 1)))
    assert finding.code == "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"
    assert finding.params == {"size": MAX_NON_WHITE + 1, "limit": MAX_NON_WHITE}


def test_bytes_are_counted_not_letters() -> None:
    assert codes(policy(Id="é" * (MAX_NON_WHITE // 2))) == ["POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"]


def test_bytes_with_white_space_are_counted_too() -> None:
    text = policy()
    assert codes(text + " " * (MAX_BYTES - len(text))) == []
    assert codes(text + " " * (MAX_BYTES - len(text) + 1)) == ["POLICY_SIZE_EXCEEDS_IDENTITY_CENTER_QUOTA"]


def test_text_far_too_long_is_not_looked_at_further() -> None:
    (finding,) = validate_policy("[" * (MAX_CHECKED + 1))
    assert (finding.code, finding.severity) == ("POLICY_SIZE_NOT_CHECKED_FURTHER", "error")


@pytest.mark.parametrize("character", ["花", "😀", "\u200b", "\u0100", "\ud800"])
def test_character_beyond_latin_1_is_refused_with_its_place(character: str) -> None:
    (finding,) = validate_policy(policy(Id=character).replace('"Id"', '\n "Id"'))
    assert (finding.code, finding.severity, finding.line, finding.column) == ("UNSUPPORTED_CHARACTER", "error", 2, 9)
    assert finding.params == {"character": character, "column": 9}


@pytest.mark.parametrize("escape", ["\\u82b1", "\\ud83d", "\\u0000", "\\u0008"])
def test_escape_for_such_a_character_is_refused_too(escape: str) -> None:
    (finding,) = validate_policy(policy(Id="AA").replace("AA", f"a{escape}"))
    assert (finding.code, finding.params["character"]) == ("UNSUPPORTED_CHARACTER", escape)


@pytest.mark.parametrize("harmless", ["\\\\u82b1", "\\u00e9", "\\t\\n\\r", "é \x7f \u0080"])
def test_what_latin_1_holds_is_taken(harmless: str) -> None:
    assert codes(policy(Id="AA").replace("AA", harmless)) == []


@pytest.mark.parametrize(
    ("managed", "own", "expected"),
    [
        (20, 0, []),
        (21, 0, [("ATTACHED_POLICIES_ABOVE_DEFAULT", "warning")]),
        (15, 10, [("ATTACHED_POLICIES_ABOVE_DEFAULT", "warning")]),
        (26, 0, [("ATTACHED_POLICIES_ABOVE_MAXIMUM", "error")]),
        (0, 26, [("ATTACHED_POLICIES_ABOVE_MAXIMUM", "error")]),
    ],
)
def test_attached_policies_are_counted_together(managed: int, own: int, expected: list[tuple[str, str]]) -> None:
    assert [(finding.code, finding.severity) for finding in check_attached(managed, own)] == expected
