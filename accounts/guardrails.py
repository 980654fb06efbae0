"""The rules that take the place of an approval. Pure; decided at once, by planner and forms with the same call.

A rule speaks about a case when all its scopes and conditions match. Every rule that speaks has to be satisfied; of
those that are not, the strictest says why. What a set may do is judged by its policies, and never too mildly: what is
not known to be harmless is taken for harmful.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from accounts.ownership import count_as


class Power(StrEnum):
    ADMIN = "admin"
    WRITE = "write"
    BILLING = "billing"


class Effect(StrEnum):
    """From the strictest to the mildest."""

    REFUSE = "refuse"
    OWNERS_ONLY = "owners_only"
    GROUPS_ONLY = "groups_only"
    ROLES_ONLY = "roles_only"
    EXPIRES_WITHIN = "expires_within"
    KEEP = "keep"


_STRICTNESS = {effect: position for position, effect in enumerate(Effect)}


@dataclass(frozen=True)
class Rule:
    """One guardrail. What is empty matches everything. `roles` are principal ids; `tag` is a name and a value."""

    name: str
    effect: Effect
    sentence: str = ""
    unit_id: str = ""
    account_id: str = ""
    stage: str = ""
    tag: tuple[str, str] | None = None
    permission_set: str = ""
    power: Power | None = None
    principal_type: str = ""
    is_owner: bool | None = None
    days: int = 0
    roles: frozenset[str] = frozenset()
    ends_on: date | None = None  # of access that is there already; None: it is kept and listed


@dataclass(frozen=True)
class Place:
    """An account as rules see it. `units`: ids of all units above it."""

    account_id: str
    units: frozenset[str] = frozenset()
    stage: str = "other"
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Case:
    """One wish for access. `writers`: principal ids of who registers it and of the groups he is in."""

    place: Place
    permission_set: str
    powers: frozenset[Power]
    principal_type: str
    is_owner: bool = False
    writers: frozenset[str] = frozenset()
    expires_on: date | None = None
    registered_on: date | None = None


@dataclass(frozen=True)
class Verdict:
    """What the rules say to a case: those that are not satisfied, the strictest first.

    is_emergency: no rule, no vanished record and no drift may take it away.
    """

    broken: tuple[Rule, ...] = ()
    is_emergency: bool = False

    @property
    def rule(self) -> Rule | None:
        """The strictest, which says why; None if the case is allowed."""
        return self.broken[0] if self.broken else None

    @property
    def is_allowed(self) -> bool:
        return not self.broken

    @property
    def ending(self) -> Rule | None:
        """The first of them that ends what is there already; None if it is kept."""
        ending = [rule for rule in self.broken if rule.ends_on]
        return min(ending, key=lambda rule: rule.ends_on or date.max, default=None)


def decide(rules: Iterable[Rule], case: Case) -> Verdict:
    """Decide one case."""
    speaking = [rule for rule in rules if matches(rule, case)]
    broken = sorted((rule for rule in speaking if not _is_satisfied(rule, case)), key=_rank)
    return Verdict(tuple(broken), any(rule.effect is Effect.KEEP for rule in speaking))


def _rank(rule: Rule) -> tuple[int, int, str]:
    return _STRICTNESS[rule.effect], rule.days, rule.name


def matches(rule: Rule, case: Case) -> bool:
    """Whether a rule speaks about a case."""
    return (
        covers(rule, case.place)
        and rule.permission_set in ("", case.permission_set)
        and (rule.power is None or rule.power in case.powers)
        and rule.principal_type in ("", case.principal_type)
        and rule.is_owner in (None, case.is_owner)
    )


def covers(rule: Rule, place: Place) -> bool:
    """Whether an account lies in the scope of a rule. Of tags that were never read nobody knows: the rule holds."""
    return (
        rule.account_id in ("", place.account_id)
        and (not rule.unit_id or rule.unit_id in place.units)
        and (not rule.stage or rule.stage == count_as(place.stage) or rule.stage == place.stage)
        and (rule.tag is None or place.tags is None or place.tags.get(rule.tag[0]) == rule.tag[1])
    )


def _is_satisfied(rule: Rule, case: Case) -> bool:
    match rule.effect:
        case Effect.REFUSE:
            return False
        case Effect.OWNERS_ONLY:
            return case.is_owner
        case Effect.GROUPS_ONLY:
            return case.principal_type == "GROUP"
        case Effect.ROLES_ONLY:
            return not rule.roles.isdisjoint(case.writers)
        case Effect.EXPIRES_WITHIN:
            return _ends_within(rule.days, case)
        case Effect.KEEP:
            return True


def _ends_within(days: int, case: Case) -> bool:
    """The last day lies at most so many days after the day of registering or extending."""
    if case.expires_on is None or case.registered_on is None:
        return False
    return case.expires_on <= case.registered_on + timedelta(days=days)


# --- What a permission set may do -------------------------------------------------------------------------------------

EVERYTHING = frozenset(Power)

_ADMIN_POLICIES = ("AdministratorAccess*", "IAMFullAccess", "AWSSSO*Administrator", "AWSOrganizationsFullAccess")
_BILLING_POLICIES = (
    "Billing", "AWSBilling*", "AWSBudgets*", "AWSSavingsPlans*", "AWSPurchaseOrders*", "AWSAccountManagement*",
    "CostOptimizationHub*", "AWSPriceListServiceFullAccess", "AWSCostAndUsage*",
)  # fmt: skip
# Allow all but IAM, organization and account: everything there is to bill, too.
_WIDE_POLICIES = ("PowerUserAccess", "AdministratorAccess")
_READING_POLICIES = ("*ReadOnly", "*ReadOnlyAccess", "*ReadOnlyAccess_v2", "ViewOnlyAccess", "SecurityAudit")

# With any of these one gives oneself everything else.
_ESCALATIONS = tuple(
    f"iam:{action}"
    for action in (
        "AddUserToGroup", "AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy", "CreateAccessKey",
        "CreateLoginProfile", "CreatePolicyVersion", "DeleteRolePermissionsBoundary", "DeleteUserPermissionsBoundary",
        "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy", "SetDefaultPolicyVersion", "UpdateAssumeRolePolicy",
        "UpdateLoginProfile",
    )
) + tuple(
    f"sso:{action}"
    for action in (
        "AttachCustomerManagedPolicyReferenceToPermissionSet", "AttachManagedPolicyToPermissionSet",
        "CreateAccountAssignment", "PutInlinePolicyToPermissionSet",
    )
)  # fmt: skip
_BILLING_SERVICES = frozenset({
    "aws-portal", "billing", "budgets", "bcm-data-exports", "ce", "consolidatedbilling", "cost-optimization-hub", "cur",
    "freetier", "invoicing", "payments", "purchase-orders", "savingsplans", "tax",
})  # fmt: skip
_READING_VERBS = (
    "batchdescribe", "batchget", "describe", "filter", "get", "head", "list", "lookup", "preview", "query", "scan",
    "search", "select", "simulate", "view",
)  # fmt: skip


def find_powers(managed: Iterable[str], inline: str = "", *, has_customer_managed: bool = False) -> frozenset[Power]:
    """What a set with these AWS managed policies (ARNs or names) and this inline policy may do.

    Boundaries and denials make it less, which is not counted. What a customer managed policy says stands in each
    account: it may write. A managed policy that is not known as read-only may write.
    """
    powers = {power for policy in managed for power in _find_powers_of_managed(policy.rpartition("/")[2])}
    if has_customer_managed:
        powers.add(Power.WRITE)
    return frozenset(powers.union(*map(_find_powers_of_statement, _iter_allowing(inline))))


def _find_powers_of_managed(name: str) -> Iterator[Power]:
    if _is_any(name, _ADMIN_POLICIES):
        yield Power.ADMIN
    if _is_any(name, _BILLING_POLICIES + _WIDE_POLICIES):
        yield Power.BILLING
    if not _is_any(name, _READING_POLICIES):
        yield Power.WRITE


def _is_any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _iter_allowing(policy: str) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy that allow something. A policy that cannot be read allows everything."""
    if not policy.strip():
        return
    try:
        statements = json.loads(policy)["Statement"]
    except (ValueError, TypeError, KeyError, RecursionError):
        statements = [{"Effect": "Allow", "Action": "*"}]
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict):
            yield {"Action": "*"}
        elif str(statement.get("Effect")) != "Deny":
            yield statement


def _find_powers_of_statement(statement: Mapping[str, Any]) -> frozenset[Power]:
    if "NotAction" in statement:
        excepted = _list_patterns(statement["NotAction"])
        is_admin = any(not _is_any(action.lower(), excepted) for action in _ESCALATIONS)
        return frozenset({Power.WRITE, Power.BILLING} | ({Power.ADMIN} if is_admin else set()))
    patterns = _list_patterns(statement.get("Action", ()))
    return frozenset(power for pattern in patterns for power in _find_powers_of_pattern(pattern))


def _list_patterns(actions: Any) -> list[str]:
    """Lower case, with square brackets as what they are: IAM knows `*` and `?` only."""
    texts = actions if isinstance(actions, list) else [actions]
    return [str(text).lower().replace("[", "[[]") for text in texts]


def _find_powers_of_pattern(pattern: str) -> Iterator[Power]:
    service, _colon, verb = pattern.partition(":")
    if any(fnmatchcase(action.lower(), pattern) for action in _ESCALATIONS):
        yield Power.ADMIN
    if any(fnmatchcase(name, service) for name in _BILLING_SERVICES):
        yield Power.BILLING
    if not verb.startswith(_READING_VERBS):
        yield Power.WRITE
