"""What the validator finds: frozen values that know nothing of languages. `accounts.sentences` has the words.

Codes are those of IAM Access Analyzer where it has the check, so that people can look them up; their severity is ours:
what AWS refuses, or what can never do what it says, is an error and blocks; names that our data does not know only
warn, because AWS adds some every day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from accounts.policy.catalogue import suggest
from accounts.policy.documents import Document, Node


class Severity(StrEnum):
    """Only an error blocks."""

    ERROR = "error"
    WARNING = "warning"
    SECURITY = "security"
    HINT = "hint"


@dataclass(frozen=True)
class Finding:
    """One thing to say about a policy. Lines and columns count from 1; the end is the place behind the last sign.

    sentence: its key in `accounts.sentences`, which may say more exactly than the code what is the matter.
    """

    code: str
    severity: Severity
    path: str = ""
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    sentence: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """The page of AWS that explains it."""
        group = _ANALYZER_GROUPS.get(self.code)
        if group is None:
            return f"{_GUIDE}/{_PAGES.get(self.code, 'reference_policies_grammar')}.html"
        anchor = self.code.lower().replace("_", "-")
        return f"{_GUIDE}/{_ANALYZER}.html#{_ANALYZER}-{group}-{anchor}"


_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_ANALYZER = "access-analyzer-reference-policy-checks"
_E, _W, _S, _H = Severity.ERROR, Severity.WARNING, Severity.SECURITY, Severity.HINT

# Access Analyzer's checks: its group → code → our severity.
_ANALYZER_CHECKS: Mapping[str, Mapping[str, Severity]] = {
    "error": {
        "ARN_ACCOUNT_NOT_ALLOWED": _E,
        "ARN_REGION_NOT_ALLOWED": _E,
        "DATA_TYPE_MISMATCH": _E,
        "DUPLICATE_KEYS_WITH_DIFFERENT_CASE": _E,
        "EMPTY_VARIABLE": _E,
        "INVALID_ACTION": _W,
        "INVALID_ARN_ACCOUNT": _E,
        "INVALID_ARN_PREFIX": _E,
        "INVALID_ARN_RESOURCE": _W,
        "INVALID_ARN_SERVICE_CASE": _E,
        "INVALID_CONDITION_DATA_TYPE": _E,
        "INVALID_CONDITION_KEY_FORMAT": _E,
        "INVALID_CONDITION_MULTIPLE_BOOLEAN": _E,
        "INVALID_CONDITION_OPERATOR": _E,
        "INVALID_EFFECT": _E,
        "INVALID_GLOBAL_CONDITION_KEY": _W,
        "INVALID_PARTITION": _E,
        "INVALID_POLICY_ELEMENT": _E,
        "INVALID_REGION": _E,
        "INVALID_SERVICE": _W,
        "INVALID_SERVICE_CONDITION_KEY": _W,
        "INVALID_SERVICE_IN_ACTION": _W,
        "INVALID_VARIABLE_FOR_OPERATOR": _E,
        "INVALID_VERSION": _E,
        "JSON_SYNTAX_ERROR": _E,
        "MISSING_ACTION": _E,
        "MISSING_ARN_FIELD": _E,
        "MISSING_ARN_REGION": _E,
        "MISSING_BRACE_IN_VARIABLE": _E,
        "MISSING_EFFECT": _E,
        "MISSING_QUALIFIER": _E,
        "MISSING_QUOTE_IN_VARIABLE": _E,
        "MISSING_RESOURCE": _E,
        "MISSING_STATEMENT": _E,
        "NULL_WITH_IF_EXISTS": _E,
        "PRIVATE_IP_ADDRESS": _E,
        "PRIVATE_NOT_IP_ADDRESS": _E,
        "UNIQUE_SIDS_REQUIRED": _E,
        "UNSUPPORTED_ELEMENT_COMBINATION": _E,
        "UNSUPPORTED_PRINCIPAL": _E,
        "UNSUPPORTED_SID": _E,
        "UNSUPPORTED_SPACE_IN_VARIABLE": _E,
        "VARIABLE_UNSUPPORTED_IN_ELEMENT": _E,
        "VARIABLE_UNSUPPORTED_IN_VERSION": _E,
    },
    "general-warning": {
        "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE": _W,
        "CREATE_SLR_WITH_NOT_RESOURCE": _W,
        "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE": _W,
        "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE": _W,
        "CREATE_SLR_WITH_STAR_IN_RESOURCE": _W,
        "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION": _W,
        "DEPRECATED_GLOBAL_CONDITION_KEY": _W,
        "INVALID_DATE_VALUE": _W,
        "MISSING_VERSION": _W,
        "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA": _E,  # a permission set has no second inline policy
        "TYPE_MISMATCH": _W,
        "TYPE_MISMATCH_BOOLEAN": _W,
        "TYPE_MISMATCH_DATE": _E,  # IAM refuses what it cannot read as a date
        "TYPE_MISMATCH_IP_RANGE": _W,
        "TYPE_MISMATCH_NUMBER": _W,
        "TYPE_MISMATCH_STRING": _W,
        "WILDCARD_WITHOUT_LIKE_OPERATOR": _W,
    },
    "security-warning": {
        "FORALLVALUES_WITH_SINGLE_VALUED_KEY": _S,
        "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE": _S,
        "PASS_ROLE_WITH_NOT_RESOURCE": _S,
        "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE": _S,
        "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE": _S,
        "PASS_ROLE_WITH_STAR_IN_RESOURCE": _S,
        "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION": _S,
    },
    "suggestion": {
        "EMPTY_ARRAY_ACTION": _H,
        "EMPTY_ARRAY_CONDITION": _H,
        "EMPTY_ARRAY_CONDITION_FORALLVALUES": _H,
        "EMPTY_ARRAY_CONDITION_FORANYVALUE": _H,
        "EMPTY_ARRAY_CONDITION_IFEXISTS": _H,
        "EMPTY_ARRAY_RESOURCE": _H,
        "EMPTY_OBJECT_CONDITION": _H,
        "EMPTY_SID_VALUE": _H,
        "IMPROVE_IP_RANGE": _H,
        "NULL_WITH_QUALIFIER": _H,
        "PRIVATE_IP_ADDRESS_SUBSET": _H,
        "PRIVATE_NOT_IP_ADDRESS_SUBSET": _H,
        "REDUNDANT_ACTION": _H,
        "REDUNDANT_CONDITION_VALUE_NUM": _H,
        "REDUNDANT_RESOURCE": _H,
        "REDUNDANT_STATEMENT": _H,
        "WILDCARD_IN_SERVICE_NAME": _H,
    },
}
# Checks of our own.
_OWN_CHECKS: Mapping[str, Severity] = {
    "ADMINISTRATOR": _S,
    "ATTACHED_POLICIES_ABOVE_DEFAULT": _W,
    "ATTACHED_POLICIES_ABOVE_MAXIMUM": _E,
    "CONDITION_KEY_NOT_FOR_ACTION": _W,
    "DATA_EXPOSURE": _S,
    "FILE_NOT_UTF8": _E,
    "FILE_UNREADABLE": _E,
    "MORE_FINDINGS": _H,
    "NAMES_NOT_CHECKED": _H,
    "NOT_ACTION_WITH_ALLOW": _S,
    "NULL_NEVER_TRUE": _H,
    "OLD_VERSION": _W,
    "POLICY_SIZE_EXCEEDS_IDENTITY_CENTER_QUOTA": _E,
    "POLICY_SIZE_NOT_CHECKED_FURTHER": _E,
    "PRIVILEGE_ESCALATION": _S,
    "RESOURCE_NOT_FOR_ACTION": _W,
    "RESOURCE_STAR_NEEDED": _W,
    "UNSUPPORTED_CHARACTER": _E,
}
_PAGES = {
    "ADMINISTRATOR": "best-practices",
    "ATTACHED_POLICIES_ABOVE_DEFAULT": "reference_iam-quotas",
    "ATTACHED_POLICIES_ABOVE_MAXIMUM": "reference_iam-quotas",
    "CONDITION_KEY_NOT_FOR_ACTION": "reference_policies_actions-resources-contextkeys",
    "DATA_EXPOSURE": "best-practices",
    "NOT_ACTION_WITH_ALLOW": "reference_policies_elements_notaction",
    "NULL_NEVER_TRUE": "reference_policies_elements_condition_operators",
    "OLD_VERSION": "reference_policies_elements_version",
    "POLICY_SIZE_EXCEEDS_IDENTITY_CENTER_QUOTA": "reference_iam-quotas",
    "POLICY_SIZE_NOT_CHECKED_FURTHER": "reference_iam-quotas",
    "PRIVILEGE_ESCALATION": "best-practices",
    "RESOURCE_NOT_FOR_ACTION": "reference_policies_actions-resources-contextkeys",
    "RESOURCE_STAR_NEEDED": "reference_policies_actions-resources-contextkeys",
    "UNSUPPORTED_CHARACTER": "reference_iam-quotas",
}
_ANALYZER_GROUPS = {code: group for group, checks in _ANALYZER_CHECKS.items() for code in checks}
SEVERITIES: Mapping[str, Severity] = {
    **{code: severity for checks in _ANALYZER_CHECKS.values() for code, severity in checks.items()},
    **_OWN_CHECKS,
}
MAX_FINDINGS = 200  # of one policy; nobody reads more, and hostile texts would cost time
MAX_SUGGESTED = 8
MAX_LOOKED_UP = 1000  # patterns of one policy; 10,240 characters hold some 800


class Report:
    """Collects the findings of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.findings: list[Finding] = []
        self._suggested = self._looked_up = 0

    @property
    def is_full(self) -> bool:
        return len(self.findings) >= MAX_FINDINGS

    def suggest(self, word: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """The known names nearest to a word, for the first words of a document only: it takes time."""
        self._suggested += 1
        return suggest(word, known) if self._suggested <= MAX_SUGGESTED else ()

    def may_look_up(self) -> bool:
        """Whether another pattern may be compared with all names of a service."""
        self._looked_up += 1
        return self._looked_up <= MAX_LOOKED_UP

    def add(
        self,
        code: str,
        node: Node,
        *,
        sentence: str = "",
        severity: Severity | None = None,
        at_key: bool = False,
        **params: Any,
    ) -> None:
        """A finding about a value, or with `at_key` about its name."""
        start, end = (node.key_start, node.key_end) if at_key and node.key_start >= 0 else (node.start, node.end)
        self.add_at(code, node.pointer, start, end, sentence=sentence, severity=severity, **params)

    def add_at(
        self,
        code: str,
        path: str,
        start: int,
        end: int,
        *,
        sentence: str = "",
        severity: Severity | None = None,
        **params: Any,
    ) -> None:
        if self.is_full:
            return
        self.findings.append(
            Finding(
                code,
                severity or SEVERITIES[code],
                path,
                *self.document.locate(start),
                *self.document.locate(end),
                sentence or f"policy_{code.lower()}",
                params,
            )
        )
