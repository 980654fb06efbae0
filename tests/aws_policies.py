"""What IAM policies of the product say."""

from collections.abc import Mapping
from typing import Any


def list_allowed(policy: Mapping[str, Any]) -> set[str]:
    """Every action that a policy allows."""
    return {
        action for statement in policy["Statement"] if statement["Effect"] == "Allow" for action in statement["Action"]
    }
