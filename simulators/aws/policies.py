"""What AWS says to an inline policy: Identity Center at once to broken JSON, IAM in each account to the rest."""

import json
import re
from typing import Any

NON_BLANK_LIMIT = 10_240  # bytes of all inline policies of a role, white space not counted; source: IAM quotas
_VERSIONS = {"2008-10-17", "2012-10-17"}
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


def syntax_fault(document: str) -> str | None:
    """Why the text is no policy document at all, or None."""
    try:
        value = json.loads(document)
    except json.JSONDecodeError as error:
        return str(error)
    return None if isinstance(value, dict) else "the document is no JSON object"


def is_too_large(document: str) -> bool:
    return len(re.sub(r"\s", "", document).encode()) > NON_BLANK_LIMIT


def rejection(document: str) -> str | None:
    """Why IAM does not take a document that is JSON, or None: its grammar, not whether actions exist."""
    policy = json.loads(document)
    if policy.get("Version", "2008-10-17") not in _VERSIONS:
        return "The policy must contain a valid version string"
    statements = policy.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        return "The policy has no statement"
    faults = (_statement_fault(statement) for statement in statements)
    return next((fault for fault in faults if fault), None)


def _statement_fault(statement: Any) -> str | None:
    if not isinstance(statement, dict):
        return "A statement is no JSON object"
    if statement.keys() & {"Principal", "NotPrincipal"}:
        return "Policy document should not specify a principal"
    unknown = sorted(statement.keys() - _ELEMENTS)
    if unknown:
        return f"Syntax errors in policy: unknown element {unknown[0]}"
    if statement.get("Effect") not in {"Allow", "Deny"}:
        return "Syntax errors in policy: Effect is neither Allow nor Deny"
    for element in ("Action", "Resource"):
        if (element in statement) == (f"Not{element}" in statement):
            return f"Policy statement must contain either {element} or Not{element}"
    return _action_fault(statement.get("Action", statement.get("NotAction")))


def _action_fault(actions: Any) -> str | None:
    listed = actions if isinstance(actions, list) else [actions]
    if not listed:
        return "Policy statement must contain actions"
    for action in listed:
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    return None
