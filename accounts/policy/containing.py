"""Whether what a statement of a policy speaks of lies within what others speak of: plainly, or not at all.

A statement is the sum of its actions in its resources, so each of these pairs may lie within another statement. Nothing
smaller is put together, the spelling of a variable is not its value, and a wildcard of a resource stays within its part
of the ARN: what IAM might read otherwise does not lie within.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from accounts.policy.documents import ARRAY, OBJECT, STRING, Node
from accounts.policy.globs import covers, has_wildcard, may_meet
from accounts.policy.grammar import Policy, Statement

_ARN_PARTS = 6
_VARIABLE = "${"
_VARIABLES = re.compile(r"\$\{(?:.*\}|.*)", re.DOTALL)  # from the first to the last: a default value may hold a brace
_NO_VARIABLE = "$\ue000"  # stands for `${` where the language has no variables


class Part(NamedTuple):
    """One text of a list, or all of a list of exceptions, which cannot be taken apart."""

    texts: tuple[str, ...]
    excludes: bool = False


@dataclass(frozen=True)
class Rule:
    """A statement ready to be compared: actions in lower case, `${` only where a variable begins."""

    effect: str
    actions: Part
    resources: Part
    condition: Any = None

    @cached_property
    def by_service(self) -> Mapping[str, Sequence[str]]:
        """The actions by the service that they name; those that name none under the empty text."""
        found: dict[str, list[str]] = defaultdict(list)
        for action in self.actions.texts:
            found[_service_of(action)].append(action)
        return dict(found)


def build_rules(policy: Policy) -> tuple[Rule, ...]:
    return tuple(_build_rule(statement, has_variables=policy.has_variables) for statement in policy.statements)


def _build_rule(statement: Statement, *, has_variables: bool) -> Rule:
    def read(nodes: Sequence[Node]) -> tuple[str, ...]:
        return tuple(_read_text(node, has_variables=has_variables) for node in nodes)

    return Rule(
        statement.effect,
        Part(tuple(action.lower() for action in read(statement.actions)), statement.excludes_actions),
        Part(read(statement.resources), statement.excludes_resources),
        _freeze(statement.condition, has_variables=has_variables),
    )


def _read_text(node: Node, *, has_variables: bool) -> str:
    text = str(node.value)
    return text if has_variables else text.replace(_VARIABLE, _NO_VARIABLE)


def _freeze(node: Node | None, *, has_variables: bool) -> Any:
    """A condition as a value. The order of keys and values says nothing, nor does the case of a key."""
    if node is None:
        return None
    if node.kind == OBJECT:
        items = ((name.lower(), _freeze(value, has_variables=has_variables)) for name, value in node.value.items())
        return frozenset(items)
    if node.kind == ARRAY:
        return frozenset(_freeze(value, has_variables=has_variables) for value in node.value)
    return node.kind, _read_text(node, has_variables=has_variables) if node.kind == STRING else str(node.value)


# --- Comparing -------------------------------------------------------------------------------------------------------


def lies_within(rule: Rule, others: Sequence[Rule]) -> bool:
    """Whether each action of a rule in each of its resources lies within one of the others."""
    fitting = [each for each in others if each.condition is None or each.condition == rule.condition]
    actions = {_mark([_holds_action(each, part) for each in fitting]) for part in _iter_parts(rule.actions)}
    resources = {_mark([_holds(each.resources, part) for each in fitting]) for part in _iter_parts(rule.resources)}
    return all(one & other for one in actions for other in resources)


def _iter_parts(part: Part) -> Iterator[Part]:
    """An empty list speaks of nothing; an empty list of exceptions does not say that of everything."""
    if part.excludes:
        yield part
    else:
        yield from (Part((text,)) for text in dict.fromkeys(part.texts))


def _mark(holding: Sequence[bool]) -> int:
    """Which ones do, as the bits of a number, because many parts are held by the same."""
    return sum(1 << at for at, each in enumerate(holding) if each)


def _holds_action(rule: Rule, part: Part) -> bool:
    if rule.actions.excludes or part.excludes:
        return _holds_exceptions(rule.actions, part) or _is_clear_of(rule.actions, part)
    (action,) = part.texts
    service = _service_of(action)
    near = (rule.by_service.get(each, ()) for each in dict.fromkeys((service, "")))
    return any(_takes(pattern, action) for patterns in near for pattern in patterns)


def _is_clear_of(exceptions: Part, part: Part) -> bool:
    """Whether an action is none of the exceptions, as far as they can be read."""
    if part.excludes or not exceptions.texts or any(_VARIABLE in text for text in (*exceptions.texts, *part.texts)):
        return False
    return not any(may_meet(exception, text) for exception in exceptions.texts for text in part.texts)


def _holds(wide: Part, narrow: Part) -> bool:
    if wide.excludes or narrow.excludes:
        return _holds_exceptions(wide, narrow)
    return any(_takes(pattern, text) for pattern in wide.texts for text in narrow.texts)


def _holds_exceptions(wide: Part, narrow: Part) -> bool:
    """Whether one list holds another one, which is a list of exceptions: fewer exceptions are more."""
    if not wide.excludes:
        return narrow.excludes and "*" in wide.texts
    if not narrow.excludes or not wide.texts:
        return wide == narrow
    return all(any(_takes(pattern, text) for pattern in narrow.texts) for text in wide.texts)


def _takes(wide: str, narrow: str) -> bool:
    """Whether a resource, or an action, stands for whatever another does.

    A variable may become anything, which only a star takes. What a variable of `wide` becomes is not known, and the
    star in `${*}` is none.
    """
    if wide == narrow or wide == "*":
        return True
    if _VARIABLE in wide:
        return False
    meant = _VARIABLES.sub("*", narrow) if _VARIABLE in narrow else narrow
    ours, theirs = _split_arn(wide), _split_arn(meant)
    return len(ours) == len(theirs) and all(map(covers, ours, theirs))


def _split_arn(text: str) -> list[str]:
    """The parts of an ARN, those that are missing behind a star among them. Anything else is one part."""
    if not text.startswith("arn:"):
        return [text]
    parts = text.split(":", _ARN_PARTS - 1)
    return parts + ["*"] * (_ARN_PARTS - len(parts)) if parts[-1].endswith("*") else parts


def _service_of(action: str) -> str:
    service, colon, _name = action.partition(":")
    return service if colon and not has_wildcard(service) else ""
