"""Whether a change lets a set do more. Only what is plainly not more is said not to be: the rest counts as more.

All that is allowed afterwards must lie within what was allowed before, and nothing that was denied may stop being so.
"""

from collections.abc import Sequence
from dataclasses import replace

from accounts.policy.containing import Part, Rule, build_rules, lies_within
from accounts.policy.globs import matches
from accounts.policy.powers import is_changing, may_deny, read_policy_of
from accounts.policy.risks import SECRETS
from accounts.policy.summary import SetPolicies, name_of

LADDER = ("PowerUserAccess", "ReadOnlyAccess", "ViewOnlyAccess")
"""What AWS offers for one job after another, the widest first. Their texts do not lie within each other to the last
action: power users do not see IAM, and readers do."""


def does_more(before: SetPolicies, after: SetPolicies) -> bool:
    """Whether a set may do something after the change that it might not do before."""
    if before == after:
        return False
    if before.boundary and before.boundary != after.boundary:
        return True
    allowed, wanted = _read_inline(before), _read_inline(after)
    if allowed is None or wanted is None:
        return True
    there, left = [*allowed, *_read_managed(before)], [*wanted, *_read_managed(after)]
    return _allows_more(before, after, there, wanted) or _stops_denying(before, after, there, left)


def _read_inline(policies: SetPolicies) -> tuple[Rule, ...] | None:
    """The rules of the inline policy; None if it cannot be read."""
    return _read_rules(policies.inline) if policies.inline.strip() else ()


def _read_managed(policies: SetPolicies) -> list[Rule]:
    """The rules of the AWS managed policies whose text is known."""
    texts = (policies.texts.get(name_of(policy), "") for policy in policies.managed)
    return [rule for text in texts if text for rule in _read_rules(text) or ()]


def _read_rules(text: str) -> tuple[Rule, ...] | None:
    policy = read_policy_of(text)
    return None if policy is None else build_rules(policy)


# --- What is allowed -------------------------------------------------------------------------------------------------


def _allows_more(before: SetPolicies, after: SetPolicies, there: Sequence[Rule], wanted: Sequence[Rule]) -> bool:
    """Whether something is allowed that was not. Denials are another matter: they were there, or are no loss."""
    known = [rule for rule in there if rule.effect == "Allow"]
    if _is_everything(before, known):
        return False
    return (
        bool(set(after.customer_managed) - set(before.customer_managed))
        or any(not _is_known(policy, before, after, known) for policy in after.managed)
        or any(not lies_within(rule, known) for rule in wanted if rule.effect != "Deny")
    )


def _is_everything(before: SetPolicies, known: Sequence[Rule]) -> bool:
    """Whether everything was allowed, but for what is denied or beyond the boundary."""
    names = map(name_of, before.managed)
    return "AdministratorAccess" in names or any(map(_allows_everything, known))


def _allows_everything(rule: Rule) -> bool:
    lists = (rule.actions, rule.resources)
    return rule.condition is None and all("*" in each.texts and not each.excludes for each in lists)


def _is_known(policy: str, before: SetPolicies, after: SetPolicies, known: Sequence[Rule]) -> bool:
    """Whether an AWS managed policy allows nothing new, or only to look at more on the way down the ladder."""
    name = name_of(policy)
    if name in map(name_of, before.managed):
        return True
    rules = _read_rules(after.texts.get(name, ""))
    if rules is None:
        return False
    new = [rule for rule in rules if rule.effect != "Deny" and not lies_within(rule, known)]
    return not new or (_steps_down(name, before) and all(_only_looks(rule, known) for rule in new))


def _steps_down(name: str, before: SetPolicies) -> bool:
    """Whether the set had the text of a policy further up."""
    above = LADDER[: LADDER.index(name)] if name in LADDER else ()
    return any(name_of(policy) in above and name_of(policy) in before.texts for policy in before.managed)


def _only_looks(rule: Rule, known: Sequence[Rule]) -> bool:
    """Whether what is new of a rule changes nothing and shows no data."""
    if rule.actions.excludes:
        return False
    parts = (replace(rule, actions=Part((action,))) for action in rule.actions.texts)
    new = (part.actions.texts[0] for part in parts if not lies_within(part, known))
    return not any(is_changing(action) or any(matches(action, secret) for secret in SECRETS) for action in new)


# --- What is denied --------------------------------------------------------------------------------------------------


def _stops_denying(before: SetPolicies, after: SetPolicies, there: Sequence[Rule], left: Sequence[Rule]) -> bool:
    """Whether something is no longer denied, or may be: what a policy of an account denies stands there."""
    if set(before.customer_managed) - set(after.customer_managed):
        return True
    gone = set(map(name_of, before.managed)) - set(map(name_of, after.managed))
    if any(name not in before.texts and may_deny(name) for name in gone):
        return True
    denials = [rule for rule in left if rule.effect == "Deny"]
    return any(not lies_within(rule, denials) for rule in there if rule.effect != "Allow")
