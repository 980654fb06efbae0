"""AWS's limits on an inline policy of a permission set (facts: sso-admin model, IAM quotas)."""

import re
from collections.abc import Iterator
from typing import Any

from accounts.policy.strict_json import JsonFault, StrictJsonError, locate, parse_strict

MAX_BYTES = 32_768  # sso-admin PutInlinePolicyToPermissionSet
MAX_NON_WHITE = 10_240  # IAM: inline policies of a role, white space not counted
_REFUSED = re.compile(r"[^\u0009\u000A\u000D\u0020-\u00FF]")  # what IAM does not take in a policy
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_WHITE = re.compile(rb"[\t\n\r ]+")


def check_inline_policy(text: str) -> list[JsonFault]:
    """The faults for which AWS would refuse the text as a permission set's inline policy; empty means it may pass."""
    try:
        value = parse_strict(text)
    except StrictJsonError as error:
        return [error.fault]
    return [*_check_size(text), *_check_characters(text), *_check_shape(value)]


def _check_size(text: str) -> Iterator[JsonFault]:
    encoded = text.encode(errors="replace")
    if len(encoded) > MAX_BYTES:
        yield JsonFault("policy_too_large", 1, 1, {"size": len(encoded), "limit": MAX_BYTES})
    dense = len(_WHITE.sub(b"", encoded))
    if dense > MAX_NON_WHITE:
        yield JsonFault("policy_too_long", 1, 1, {"size": dense, "limit": MAX_NON_WHITE})


def _check_characters(text: str) -> Iterator[JsonFault]:
    """The first character that AWS does not take, written plainly or as an escape."""
    plain = _REFUSED.search(text)
    if plain:
        yield JsonFault("policy_character", *locate(text, plain.start()), {"character": plain[0]})
        return
    escapes = (escape for escape in _ESCAPE.finditer(text) if escape[1])
    escaped = next((escape for escape in escapes if _REFUSED.match(chr(int(escape[1], 16)))), None)
    if escaped:
        yield JsonFault("policy_character", *locate(text, escaped.start()), {"character": escaped[0]})


def _check_shape(value: Any) -> Iterator[JsonFault]:
    if not isinstance(value, dict):
        yield JsonFault("policy_not_object", 1, 1)
    elif not isinstance(value.get("Statement"), list | dict) or not value["Statement"]:
        yield JsonFault("policy_no_statement", 1, 1)
