"""The grammar of identity policies: which elements there are, what they hold, and which exclude each other.

What comes through is read into `Policy`, so that the checks of meaning see clean values and skip what is broken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from accounts.policy.documents import ARRAY, OBJECT, STRING, Node, shorten
from accounts.policy.findings import Report

NEWEST_VERSION = "2012-10-17"
VERSIONS = (NEWEST_VERSION, "2008-10-17")
_TOP = ("Version", "Id", "Statement")
_STATEMENT = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
_PRINCIPALS = ("Principal", "NotPrincipal")
_EFFECTS = ("Allow", "Deny")
_SID = re.compile(r"[A-Za-z0-9]*")


@dataclass(frozen=True)
class Statement:
    """One statement as far as it can be read. Lists hold text nodes only."""

    node: Node
    effect: str = ""
    actions: tuple[Node, ...] = ()
    resources: tuple[Node, ...] = ()
    excludes_actions: bool = False  # NotAction
    excludes_resources: bool = False  # NotResource
    condition: Node | None = None

    @property
    def is_allowing(self) -> bool:
        return self.effect == "Allow"


@dataclass(frozen=True)
class Policy:
    version: str = ""
    statements: tuple[Statement, ...] = field(default=())

    @property
    def has_variables(self) -> bool:
        """Whether `${…}` is a variable here, and not just text."""
        return self.version == NEWEST_VERSION


def read_policy(root: Node, report: Report) -> Policy:
    """Check the grammar and read the policy."""
    if root.kind != OBJECT:
        report.add("DATA_TYPE_MISMATCH", root, sentence="policy_not_object")
        return Policy()
    _check_names(root, _TOP, report)
    version = _read_version(root, report)
    if (identifier := root.get("Id")) and identifier.kind != STRING:
        _refuse_type(identifier, report, "Id")
    statements = tuple(_iter_statements(root, report))
    _check_sids(statements, report)
    return Policy(version, statements)


def _check_names(node: Node, known: tuple[str, ...], report: Report) -> None:
    for name, value in node.value.items():
        if name in known:
            continue
        if name in _PRINCIPALS and known is _STATEMENT:
            report.add("UNSUPPORTED_PRINCIPAL", value, at_key=True, element=name)
            continue
        if report.is_full:
            return
        near = _find_near(name, known, report)
        sentence = "policy_invalid_policy_element_near" if near else ""
        report.add("INVALID_POLICY_ELEMENT", value, sentence=sentence, at_key=True, element=shorten(name), near=near)


def _find_near(name: str, known: tuple[str, ...], report: Report) -> str:
    return next(iter(report.suggest(name, known)), "")


def _refuse_type(node: Node, report: Report, element: str, sentence: str = "policy_text_expected") -> None:
    report.add("DATA_TYPE_MISMATCH", node, sentence=sentence, element=element)


def _read_version(root: Node, report: Report) -> str:
    node = root.get("Version")
    if node is None:
        report.add_at("MISSING_VERSION", "", root.start, root.start + 1)
        return ""
    if node.kind != STRING or node.value not in VERSIONS:
        found = shorten(report.document.text[node.start : node.end].strip('"'))
        report.add("INVALID_VERSION", node, found=found)
        return NEWEST_VERSION  # what follows is judged as it will be once this is mended
    if node.value != NEWEST_VERSION:
        report.add("OLD_VERSION", node, found=node.value)
    return str(node.value)


# --- Statements ------------------------------------------------------------------------------------------------------


def _iter_statements(root: Node, report: Report) -> Iterator[Statement]:
    node = root.get("Statement")
    if node is None:
        report.add_at("MISSING_STATEMENT", "", root.start, root.start + 1, sentence="policy_no_statement")
        return
    if node.kind == ARRAY and not node.value:
        report.add("MISSING_STATEMENT", node, sentence="policy_no_statement")
        return
    for each in node.iter_items():
        if report.is_full:
            return
        if each.kind != OBJECT:
            _refuse_type(each, report, "Statement", "policy_object_expected")
        else:
            yield _read_statement(each, report)


def _read_statement(node: Node, report: Report) -> Statement:
    _check_names(node, _STATEMENT, report)
    _check_sid(node, report)
    actions, excludes_actions = _read_pair(node, "Action", report)
    resources, excludes_resources = _read_pair(node, "Resource", report)
    return Statement(
        node,
        _read_effect(node, report),
        actions,
        resources,
        excludes_actions,
        excludes_resources,
        _read_condition(node, report),
    )


def _check_sid(node: Node, report: Report) -> None:
    sid = node.get("Sid")
    if sid is None:
        return
    if sid.kind != STRING:
        _refuse_type(sid, report, "Sid")
    elif not sid.value:
        report.add("EMPTY_SID_VALUE", sid)
    elif not _SID.fullmatch(sid.value):
        report.add("UNSUPPORTED_SID", sid, found=shorten(sid.value))


def _read_effect(node: Node, report: Report) -> str:
    effect = node.get("Effect")
    if effect is None:
        report.add_at("MISSING_EFFECT", node.pointer, node.start, node.start + 1)
        return ""
    if effect.kind != STRING or effect.value not in _EFFECTS:
        found = shorten(report.document.text[effect.start : effect.end].strip('"'))
        report.add("INVALID_EFFECT", effect, found=found)
        return ""
    return str(effect.value)


def _read_pair(node: Node, element: str, report: Report) -> tuple[tuple[Node, ...], bool]:
    """Action or NotAction, Resource or NotResource: its texts, and whether it is the latter."""
    plain, negated = node.get(element), node.get(f"Not{element}")
    if plain is not None and negated is not None:
        report.add("UNSUPPORTED_ELEMENT_COMBINATION", negated, at_key=True, one=element, other=f"Not{element}")
        return (), False
    found = plain if plain is not None else negated
    if found is None:
        report.add_at(f"MISSING_{element.upper()}", node.pointer, node.start, node.start + 1)
        return (), False
    name = element if found is plain else f"Not{element}"
    if found.kind == ARRAY and not found.value:
        report.add(f"EMPTY_ARRAY_{element.upper()}", found, element=name)
    return tuple(_iter_texts(found, name, report)), found is negated


def _iter_texts(node: Node, element: str, report: Report) -> Iterator[Node]:
    for each in node.iter_items():
        if each.kind == STRING:
            yield each
        else:
            _refuse_type(each, report, element)


def _read_condition(node: Node, report: Report) -> Node | None:
    condition = node.get("Condition")
    if condition is None:
        return None
    if condition.kind != OBJECT:
        _refuse_type(condition, report, "Condition", "policy_object_expected")
        return None
    if not condition.value:
        report.add("EMPTY_OBJECT_CONDITION", condition)
    return condition


def _check_sids(statements: tuple[Statement, ...], report: Report) -> None:
    seen: set[str] = set()
    for statement in statements:
        sid = statement.node.get("Sid")
        if sid is None or sid.kind != STRING or not sid.value:
            continue
        if sid.value in seen:
            report.add("UNIQUE_SIDS_REQUIRED", sid, found=shorten(sid.value))
        seen.add(sid.value)
