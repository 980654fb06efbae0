"""AWS's limits on an inline policy of a permission set (facts: sso-admin model, IAM quotas)."""

import re
from collections.abc import Iterator
from typing import Any

from accounts.policy.strict_json import JsonFault, StrictJsonError, parse_strict

MAX_BYTES = 32_768  # sso-admin PutInlinePolicyToPermissionSet
MAX_NON_WHITE = 10_240  # IAM: inline policies of a role, white space not counted
_ALLOWED = re.compile(r"[\u0009\u000A\u000D\u0020-\u00FF]*")  # what IAM takes in a policy


def check_inline_policy(text: str) -> list[JsonFault]:
    """The faults for which AWS would refuse the text as a permission set's inline policy; empty means it may pass."""
    try:
        value = parse_strict(text)
    except StrictJsonError as error:
        return [error.fault]
    return list(_check_limits(text)) + list(_check_shape(value))


def _check_limits(text: str) -> Iterator[JsonFault]:
    size = len(text.encode())
    if size > MAX_BYTES:
        yield JsonFault("policy_too_large", 1, 1, {"size": size, "limit": MAX_BYTES})
    dense = len("".join(text.split()))
    if dense > MAX_NON_WHITE:
        yield JsonFault("policy_too_long", 1, 1, {"size": dense, "limit": MAX_NON_WHITE})
    allowed = _ALLOWED.match(text)
    if allowed and allowed.end() < len(text):
        position = allowed.end()
        line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
        yield JsonFault("policy_character", line, column, {"character": text[position]})


def _check_shape(value: Any) -> Iterator[JsonFault]:
    if not isinstance(value, dict):
        yield JsonFault("policy_not_object", 1, 1)
    elif not isinstance(value.get("Statement"), list | dict):
        yield JsonFault("policy_no_statement", 1, 1)
