"""What a permission set may do, as guardrails speak of it. Never too mildly: what is not known counts as everything.

AWS managed policies are known by their names and by what their texts allowed when `managed_policies.json` was written;
`python -m tests.managed_policies` writes it anew. What a customer managed policy says stands in each account.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from accounts.policy import catalogue
from accounts.policy.catalogue import Action
from accounts.policy.documents import parse_document
from accounts.policy.findings import Report
from accounts.policy.globs import matches
from accounts.policy.grammar import Policy, Statement, read_policy
from accounts.policy.managed import load_bundle
from accounts.policy.risks import ESCALATIONS


class Power(StrEnum):
    ADMIN = "admin"
    WRITE = "write"
    BILLING = "billing"


EVERYTHING = frozenset(Power)
_CHANGING_LEVELS = frozenset({"Write", "Tagging", "Permissions"})
BILLING_SERVICES = frozenset({
    "aws-portal", "bcm-data-exports", "bcm-pricing-calculator", "billing", "billingconductor", "budgets", "ce",
    "consolidatedbilling", "cost-optimization-hub", "cur", "freetier", "invoicing", "payments", "purchase-orders",
    "savingsplans", "tax",
})  # fmt: skip
_READING_VERBS = (
    "batchdescribe", "batchget", "describe", "filter", "get", "head", "list", "lookup", "preview", "query", "scan",
    "search", "select", "simulate", "view",
)  # fmt: skip
_READING_POLICIES = ("*ReadOnly", "*ReadOnlyAccess", "*ReadOnlyAccess_v2")


def find_powers(managed: Iterable[str], inline: str = "", *, has_customer_managed: bool = False) -> frozenset[Power]:
    """What a set with these AWS managed policies (ARNs or names) and this inline policy may do.

    Boundaries and denials make it less, which is not counted.
    """
    if has_customer_managed:
        return EVERYTHING
    find = _find_powers_kept if len(inline) <= _LONGEST_KEPT else find_powers_of_text
    inside = find(inline) if inline.strip() else frozenset[Power]()
    return inside.union(*(find_powers_of_managed(policy) for policy in managed))


_LONGEST_KEPT = 20_000  # characters; AWS takes half of that


@lru_cache(maxsize=600)
def _find_powers_kept(text: str) -> frozenset[Power]:
    """Kept: who tries a rule asks for the powers of all sets, each time anew."""
    return find_powers_of_text(text)


def find_powers_of_managed(policy: str) -> frozenset[Power]:
    """Of an AWS managed policy, by its name or ARN."""
    name = policy.rpartition("/")[2]
    known = load_managed_powers().get(name)
    if known is not None:
        return known
    return frozenset() if any(fnmatchcase(name, pattern) for pattern in _READING_POLICIES) else EVERYTHING


@cache
def load_managed_powers() -> Mapping[str, frozenset[Power]]:
    """AWS managed policy → powers, from the file beside this module."""
    letters = {power.value[0]: power for power in Power}
    flags = {name: policy.flags for name, policy in load_bundle().policies.items()}
    sets = {each: frozenset(letters[letter] for letter in each if letter in letters) for each in set(flags.values())}
    return {name: sets[each] for name, each in flags.items()}


def may_deny(name: str) -> bool:
    """Whether an AWS managed policy denies something, so that a set without it might do more."""
    listed = load_bundle().policies.get(name)
    return listed is None or "d" in listed.flags


def find_powers_of_text(text: str) -> frozenset[Power]:
    """Of one policy. What cannot be read allows everything."""
    policy = read_statements(text)
    if policy is None:
        return EVERYTHING
    powers = (power for statement in policy for power in _find_powers_of_statement(statement))
    return frozenset(powers)


def read_statements(text: str) -> tuple[Statement, ...] | None:
    policy = read_policy_of(text)
    return None if policy is None else policy.statements


def read_policy_of(text: str) -> Policy | None:
    """A policy that AWS may hold; None if it cannot be read whole."""
    document = parse_document(text)
    if document.root is None or document.faults:
        return None
    report = Report(document)
    policy = read_policy(document.root, report)
    broken = {"DATA_TYPE_MISMATCH", "MISSING_STATEMENT", "UNSUPPORTED_ELEMENT_COMBINATION"}
    if any(finding.code in broken for finding in report.findings) or report.is_full:
        return None
    return policy


# --- One statement ---------------------------------------------------------------------------------------------------


def _find_powers_of_statement(statement: Statement) -> Iterator[Power]:
    if statement.effect == "Deny":
        return
    patterns = [str(node.value) for node in statement.actions]
    if statement.excludes_actions:
        yield Power.WRITE
        yield Power.BILLING
        if any(not any(matches(pattern, action) for pattern in patterns) for action in ESCALATIONS):
            yield Power.ADMIN
        return
    for pattern in patterns:
        yield from _find_powers_of_pattern(pattern)


def _find_powers_of_pattern(pattern: str) -> Iterator[Power]:
    service = pattern.partition(":")[0].lower()
    if any(matches(pattern, action) for action in ESCALATIONS):
        yield Power.ADMIN
    if any(matches(service, name) for name in BILLING_SERVICES):
        yield Power.BILLING
    if is_changing(pattern):
        yield Power.WRITE


def is_changing(pattern: str) -> bool:
    """Whether some action that a pattern stands for changes something: by its verb, else by AWS's access levels."""
    prefix, _colon, name = pattern.partition(":")
    if name.lower().startswith(_READING_VERBS):
        return False
    service = catalogue.find_service(prefix) if name and not name.startswith(("*", "?")) else None
    actions = service.expand(name) if service else ()
    return not actions or any(is_changing_action(action) for action in actions)


def is_changing_action(action: Action) -> bool:
    return action.level in _CHANGING_LEVELS and not action.name.lower().startswith(_READING_VERBS)
