"""What could be left out, and conditions that contradict themselves."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from accounts.policy.documents import ARRAY, OBJECT, Node, shorten
from accounts.policy.findings import Report
from accounts.policy.globs import covers, has_wildcard
from accounts.policy.grammar import Statement

_MAX_COMPARED = 20_000  # pairs of one list; a policy that fits has fewer


def check_tidiness(statements: Sequence[Statement], report: Report) -> None:
    for statement in statements:
        _check_redundant(statement.actions, "ACTION", report)
        _check_redundant(statement.resources, "RESOURCE", report)
        _check_null(statement, report)
    _check_statements(statements, report)


def _check_redundant(nodes: Sequence[Node], element: str, report: Report) -> None:
    """Those that another one of the list covers; of two that are the same the later."""
    if len(nodes) < 2:
        return
    groups: dict[str, list[str]] = defaultdict(list)  # service → its patterns
    texts = [str(node.value).lower() if element == "ACTION" else str(node.value) for node in nodes]
    for text in dict.fromkeys(texts):
        if has_wildcard(text):
            groups[_group(text)].append(text)
    seen: set[str] = set()
    budget = _MAX_COMPARED
    for node, text in zip(nodes, texts, strict=True):
        wider = [*groups["*"], *(groups[_group(text)] if _group(text) != "*" else ())]
        budget -= len(wider)
        covering = text if text in seen else next((wide for wide in wider if wide != text and covers(wide, text)), "")
        seen.add(text)
        if budget < 0:
            return
        if covering:
            report.add(f"REDUNDANT_{element}", node, found=shorten(str(node.value)), wider=shorten(covering))


def _group(text: str) -> str:
    """What two patterns must share for one to cover the other; `*` where the wildcard stands before it ends."""
    head, colon, _rest = text.removeprefix("arn:").partition(":")
    return head if colon and not has_wildcard(head) else "*"


def _check_null(statement: Statement, report: Report) -> None:
    """A key that has to be absent and is compared all the same."""
    blocks = statement.condition.value if statement.condition else {}
    absent = {
        name.lower(): values
        for operator, block in blocks.items()
        if operator == "Null" and block.kind == OBJECT
        for name, values in block.value.items()
        if str(values.value).lower() == "true"
    }
    for operator, block in blocks.items():
        if operator == "Null" or operator.endswith("IfExists") or block.kind != OBJECT or ":" in operator:
            continue
        for name in block.value:
            if name.lower() in absent and "Not" not in operator:
                report.add("NULL_NEVER_TRUE", absent[name.lower()], at_key=True, key=shorten(name), operator=operator)


def _check_statements(statements: Sequence[Statement], report: Report) -> None:
    seen: set[Any] = set()
    for statement in statements:
        frozen = _freeze(statement.node, skip="Sid")
        if frozen in seen:
            report.add_at("REDUNDANT_STATEMENT", statement.node.pointer, statement.node.start, statement.node.end)
        seen.add(frozen)


def _freeze(node: Node, skip: str = "") -> Any:
    """The value as one that can be compared, whatever the order. Recursion is bounded by the reader's depth."""
    if node.kind == OBJECT:
        return frozenset((name, _freeze(value)) for name, value in node.value.items() if name != skip)
    if node.kind == ARRAY:
        return frozenset(_freeze(value) for value in node.value)
    return node.value
