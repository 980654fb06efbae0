"""What AWS refuses as the inline policy of a permission set."""

import json
from typing import Any

import pytest

from accounts.policy.limits import MAX_BYTES, MAX_NON_WHITE, check_inline_policy

STATEMENT = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def policy(**values: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT], **values}, ensure_ascii=False)


def codes(text: str) -> list[str]:
    return [fault.code for fault in check_inline_policy(text)]


@pytest.mark.parametrize("statement", [[STATEMENT], STATEMENT])
def test_good_policy_has_no_faults(statement: Any) -> None:
    assert check_inline_policy(policy(Statement=statement)) == []


def test_only_the_first_fault_of_bad_json_is_told() -> None:
    assert codes('{"Statement": [}, “') == ["json_syntax"]


@pytest.mark.parametrize("text", ["[]", '"Statement"', "1", "null", "true"])
def test_policy_must_be_an_object(text: str) -> None:
    assert codes(text) == ["policy_not_object"]


@pytest.mark.parametrize("statement", [None, "Allow", 1, [], {}])
def test_policy_needs_a_statement(statement: Any) -> None:
    assert codes(policy(Statement=statement)) == ["policy_no_statement"]


def dense_size(text: str) -> int:
    return len("".join(text.split()).encode())


def test_characters_without_white_space_are_counted() -> None:
    spare = MAX_NON_WHITE - dense_size(policy(Id=""))
    assert codes(policy(Id="x" * spare)) == []
    (fault,) = check_inline_policy(policy(Id="x" * (spare + 1)))
    assert (fault.code, fault.params) == ("policy_too_long", {"size": MAX_NON_WHITE + 1, "limit": MAX_NON_WHITE})


def test_bytes_are_counted_not_letters() -> None:
    assert codes(policy(Id="é" * (MAX_NON_WHITE // 2))) == ["policy_too_long"]


def test_bytes_with_white_space_are_counted_too() -> None:
    text = policy()
    assert codes(text + " " * (MAX_BYTES - len(text))) == []
    assert codes(text + " " * (MAX_BYTES - len(text) + 1)) == ["policy_too_large"]


@pytest.mark.parametrize("character", ["花", "😀", "\u200b", "\u0100", "\ud800"])
def test_character_beyond_latin_1_is_refused_with_its_place(character: str) -> None:
    (fault,) = check_inline_policy('{"Statement": [{}],\n "Id": "' + character + '"}')
    assert (fault.code, fault.line, fault.column) == ("policy_character", 2, 9)
    assert fault.params == {"character": character}


@pytest.mark.parametrize("escape", ["\\u82b1", "\\ud83d\\ude00", "\\u0000", "\\u0008"])
def test_escape_for_such_a_character_is_refused_too(escape: str) -> None:
    (fault,) = check_inline_policy('{"Statement": [{}],\n "Id": "a' + escape + '"}')
    assert (fault.code, fault.line, fault.column) == ("policy_character", 2, 10)
    assert fault.params == {"character": escape[:6]}


@pytest.mark.parametrize("harmless", ["\\\\u82b1", "\\u00e9", "\\t\\n\\r", "é \x7f \u0080"])
def test_what_latin_1_holds_is_taken(harmless: str) -> None:
    assert check_inline_policy('{"Statement": [{}], "Id": "' + harmless + '"}') == []


def test_every_fault_is_told() -> None:
    assert codes(policy(Statement=[], Id="花" * MAX_BYTES)) == [
        "policy_too_large",
        "policy_too_long",
        "policy_character",
        "policy_no_statement",
    ]
