"""Whether a change lets a set do more. Only what is plainly not more is said not to be: the rest counts as more.

Each statement that allows something afterwards must lie within one that allowed it before, and nothing that was denied
may stop being denied.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from accounts.policy.documents import ARRAY, OBJECT, Node
from accounts.policy.globs import covers
from accounts.policy.grammar import Statement
from accounts.policy.powers import may_deny, read_statements
from accounts.policy.summary import SetPolicies, name_of


def does_more(before: SetPolicies, after: SetPolicies) -> bool:
    """Whether a set may do something after the change that it might not do before."""
    if before == after:
        return False
    if before.boundary and before.boundary != after.boundary:
        return True
    allowed, wanted = _read_all(before), _read_all(after)
    if allowed is None or wanted is None or _changes_variables(before, after):
        return True
    if _is_everything(allowed, before):
        return False
    known = [*allowed, *_read_managed(before)]
    return (
        bool(set(after.customer_managed) - set(before.customer_managed))
        or any(not _is_covered_policy(policy, before, after, known) for policy in after.managed)
        or any(not _is_covered(statement, known) for statement in wanted if statement.effect != "Deny")
        or _stops_denying(before, after, wanted)
    )


def _changes_variables(before: SetPolicies, after: SetPolicies) -> bool:
    """Whether `${…}` comes to mean something else, by another version of the language."""
    if "${" not in before.inline and "${" not in after.inline:
        return False
    return ("2012-10-17" in before.inline and "2012-10-17" not in after.inline) or "2012-10-17" not in before.inline


def _read_all(policies: SetPolicies) -> tuple[Statement, ...] | None:
    """The statements of the inline policy; None if it cannot be read."""
    return read_statements(policies.inline) if policies.inline.strip() else ()


def _read_managed(policies: SetPolicies) -> list[Statement]:
    texts = (policies.texts.get(name_of(policy), "") for policy in policies.managed)
    return [statement for text in texts if text for statement in read_statements(text) or ()]


def _is_everything(allowed: Sequence[Statement], before: SetPolicies) -> bool:
    """Whether the set might do everything before. What any other policy denies, it might not."""
    if before.boundary or before.customer_managed or any(not each.is_allowing for each in allowed):
        return False
    names = {name_of(policy) for policy in before.managed}
    if any(may_deny(name) for name in names):
        return False
    return "AdministratorAccess" in names or any(map(_allows_everything, allowed))


def _allows_everything(statement: Statement) -> bool:
    is_limited = statement.excludes_actions or statement.excludes_resources or statement.condition is not None
    return not is_limited and _has_star(statement.actions) and _has_star(statement.resources)


def _has_star(nodes: Iterable[Node]) -> bool:
    return any(node.value == "*" for node in nodes)


def _is_covered_policy(policy: str, before: SetPolicies, after: SetPolicies, known: Sequence[Statement]) -> bool:
    name = name_of(policy)
    if name in map(name_of, before.managed):
        return True
    text = after.texts.get(name, "")
    statements = read_statements(text) if text else None
    if statements is None:
        return False
    return all(_is_covered(statement, known) for statement in statements if statement.effect != "Deny")


# --- Statements ------------------------------------------------------------------------------------------------------


def _is_covered(statement: Statement, known: Iterable[Statement]) -> bool:
    """Whether some statement allowed all of it. What is put together from several counts as more."""
    return any(each.is_allowing and _contains(each, statement) for each in known)


def _contains(wide: Statement, narrow: Statement) -> bool:
    return (
        _holds(wide.actions, narrow.actions, (wide.excludes_actions, narrow.excludes_actions), fold=True)
        and _holds(wide.resources, narrow.resources, (wide.excludes_resources, narrow.excludes_resources), fold=False)
        and (wide.condition is None or _freeze(wide.condition) == _freeze(narrow.condition))
    )


def _holds(wide: Sequence[Node], narrow: Sequence[Node], excludes: tuple[bool, bool], *, fold: bool) -> bool:
    """Whether a list holds whatever another one holds; excludes: whether each is a list of exceptions."""
    ours, theirs = (_texts(nodes, fold=fold) for nodes in (wide, narrow))
    if excludes == (False, False):
        return all(any(covers(pattern, text) for pattern in ours) for text in theirs)
    if excludes == (True, True):  # fewer exceptions are more
        return all(any(covers(pattern, text) for pattern in theirs) for text in ours)
    return excludes == (False, True) and "*" in ours


def _texts(nodes: Iterable[Node], *, fold: bool) -> list[str]:
    return [str(node.value).lower() if fold else str(node.value) for node in nodes]


def _stops_denying(before: SetPolicies, after: SetPolicies, wanted: Iterable[Statement]) -> bool:
    """Whether something is no longer denied, or may be: what a policy of an account denies stands there."""
    if set(before.customer_managed) - set(after.customer_managed):
        return True
    gone = {name_of(policy) for policy in before.managed} - {name_of(policy) for policy in after.managed}
    if any(name not in before.texts and may_deny(name) for name in gone):
        return True
    left = [each for each in (*wanted, *_read_managed(after)) if not each.is_allowing]
    denied = (each for each in (*(_read_all(before) or ()), *_read_managed(before)) if not each.is_allowing)
    return any(not any(_contains(each, one) for each in left) for one in denied)


def _freeze(node: Node | None) -> Any:
    if node is None:
        return None
    if node.kind == OBJECT:
        return frozenset((name.lower(), _freeze(value)) for name, value in node.value.items())
    if node.kind == ARRAY:
        return frozenset(_freeze(value) for value in node.value)
    return node.value
