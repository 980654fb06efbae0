"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'nobody'}`, and `${*}` for the sign itself."""

import re
from collections.abc import Iterator

from accounts.policy.arns import ESCAPES
from accounts.policy.documents import Node, shorten
from accounts.policy.findings import Report
from accounts.policy.keys import check_key_name

_OPENING = "${"
_DEFAULT = re.compile(r"\s*,\s*('?)(.*)", re.DOTALL)
_NAME = re.compile(r"[^,\s]*")


def has_variable(text: str) -> bool:
    return any(variable not in ESCAPES for variable, _rest in _iter_variables(text))


def check_variables(node: Node, report: Report, *, has_variables: bool) -> None:
    """The variables in a resource or a condition's value."""
    text = str(node.value)
    if _OPENING not in text:
        return
    if not has_variables:
        report.add("VARIABLE_UNSUPPORTED_IN_VERSION", node, found=shorten(text))
        return
    for variable, is_closed in _iter_variables(text):
        if not is_closed:
            report.add("MISSING_BRACE_IN_VARIABLE", node, found=shorten(variable))
        elif variable not in ESCAPES:
            _check_variable(variable, node, report)


def refuse_variables(node: Node, element: str, report: Report) -> None:
    """Elsewhere there are none."""
    if _OPENING in str(node.value):
        report.add("VARIABLE_UNSUPPORTED_IN_ELEMENT", node, element=element, found=shorten(str(node.value)))


def _iter_variables(text: str) -> Iterator[tuple[str, bool]]:
    """Each variable as it is written, and whether it is closed."""
    at = text.find(_OPENING)
    while at >= 0:
        end = text.find("}", at)
        yield (text[at : end + 1], True) if end >= 0 else (text[at:], False)
        at = text.find(_OPENING, end) if end >= 0 else -1


def _check_variable(variable: str, node: Node, report: Report) -> None:
    inside = variable[2:-1]
    found = shorten(variable)
    name = _NAME.match(inside)
    rest = inside[name.end() :] if name else inside
    if not inside.strip():
        report.add("EMPTY_VARIABLE", node, found=found)
    elif rest and not (default := _DEFAULT.fullmatch(rest)):
        report.add("UNSUPPORTED_SPACE_IN_VARIABLE", node, found=found)
    elif rest and default and not (default[1] and default[2].rstrip().endswith("'")):
        report.add("MISSING_QUOTE_IN_VARIABLE", node, found=found)
    elif name:
        check_key_name(name[0], node, report)
