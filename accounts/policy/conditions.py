"""Condition: operators, keys, and values of the right type."""

import re
from collections.abc import Iterator
from datetime import date, time
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from accounts.policy import catalogue
from accounts.policy.actions import Named
from accounts.policy.catalogue import ConditionKey, fits_key, is_open
from accounts.policy.documents import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, Node, shorten
from accounts.policy.findings import Report, Severity
from accounts.policy.globs import has_wildcard
from accounts.policy.grammar import Statement
from accounts.policy.keys import check_key_name, is_global
from accounts.policy.variables import check_variables, has_variable

_COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_OPERATORS: dict[str, str] = {
    **{f"String{how}": "String" for how in (
        "Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")},
    **{f"Numeric{how}": "Numeric" for how in _COMPARISONS},
    **{f"Date{how}": "Date" for how in _COMPARISONS},
    **{f"Arn{how}": "ARN" for how in ("Equals", "Like", "NotEquals", "NotLike")},
    "Bool": "Bool", "BinaryEquals": "Binary", "IpAddress": "IPAddress", "NotIpAddress": "IPAddress", "Null": "Null",
}  # fmt: skip
_BY_LOWER = {name.lower(): name for name in _OPERATORS}
_QUALIFIERS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
_IF_EXISTS = "IfExists"
# Whose values an operator of another type can compare all the same.
_COMPATIBLE = {("String", "ARN"), ("Date", "Numeric"), ("Numeric", "Date"), ("String", "Binary")}
_FOR_TEXT = ("String", "ARN")
_PER_REQUEST_KEYS = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")


class Operator(NamedTuple):
    """`ForAnyValue:StringLikeIfExists` in its parts."""

    name: str
    type: str
    qualifier: str = ""
    if_exists: bool = False

    def __str__(self) -> str:
        head = f"{self.qualifier}:" if self.qualifier else ""
        return f"{head}{self.name}{_IF_EXISTS if self.if_exists else ''}"


def check_conditions(statement: Statement, named: Named, report: Report, *, has_variables: bool) -> None:
    if statement.condition is None:
        return
    for written, block in statement.condition.value.items():
        operator = read_operator(written)
        if operator is None or str(operator) != written:
            near = str(operator) if operator else ", ".join(report.suggest(written, tuple(_OPERATORS)))
            sentence = "policy_invalid_condition_operator_near" if near else ""
            found = shorten(written)
            report.add("INVALID_CONDITION_OPERATOR", block, sentence=sentence, at_key=True, found=found, near=near)
            continue
        _check_operator(operator, block, report)
        if block.kind != OBJECT:
            report.add("DATA_TYPE_MISMATCH", block, sentence="policy_object_expected", element=str(operator))
            continue
        _check_block(operator, block, named, report, has_variables=has_variables)


@lru_cache(maxsize=512)
def read_operator(written: str) -> Operator | None:
    """The operator that is meant, whatever its capitals; IAM takes its own only."""
    head, colon, rest = written.partition(":")
    qualifier = _QUALIFIERS.get(head.lower(), "") if colon else ""
    if colon and not qualifier:
        return None
    name = (rest if colon else written).lower()
    plain = name.removesuffix(_IF_EXISTS.lower())
    known = _BY_LOWER.get(plain)
    return Operator(known, _OPERATORS[known], qualifier, plain != name) if known else None


def _check_operator(operator: Operator, block: Node, report: Report) -> None:
    if operator.name == "Null" and operator.if_exists:
        report.add("NULL_WITH_IF_EXISTS", block, at_key=True)
    if operator.name == "Null" and operator.qualifier:
        report.add("NULL_WITH_QUALIFIER", block, at_key=True, qualifier=operator.qualifier)
    if block.kind == OBJECT and not block.value:
        report.add("EMPTY_OBJECT_CONDITION", block)


def _check_block(operator: Operator, block: Node, named: Named, report: Report, *, has_variables: bool) -> None:
    seen: set[str] = set()
    for name, values in block.value.items():
        if name.lower() in seen:
            report.add("DUPLICATE_KEYS_WITH_DIFFERENT_CASE", values, at_key=True, found=shorten(name))
        seen.add(name.lower())
        key = check_key_name(name, values, report, at_key=True)
        if key:
            _check_key(operator, key, values, report)
            _check_key_is_used(name, values, named, report)
        _check_values(operator, name, values, report, has_variables=has_variables)


# --- The key ---------------------------------------------------------------------------------------------------------


def _check_key(operator: Operator, key: ConditionKey, values: Node, report: Report) -> None:
    if operator.type == "Null":
        return
    if operator.type != key.type and (operator.type, key.type) not in _COMPATIBLE:
        report.add("TYPE_MISMATCH", values, at_key=True, operator=str(operator), key=key.name, wanted=key.type)
    if key.is_multivalued and not operator.qualifier:
        severity = None if is_global(key.name) else Severity.WARNING  # our data may be wrong about a service's key
        report.add("MISSING_QUALIFIER", values, at_key=True, severity=severity, key=key.name)
    if not key.is_multivalued and operator.qualifier == "ForAllValues":
        report.add("FORALLVALUES_WITH_SINGLE_VALUED_KEY", values, at_key=True, key=key.name)


def _check_key_is_used(name: str, values: Node, named: Named, report: Report) -> None:
    """Warn of a key that no action of the statement knows; of keys of every request nobody can say so."""
    if named.is_everything or named.has_unknown or not named.known:
        return
    lower = name.lower()
    if is_global(name) and not lower.startswith(_PER_REQUEST_KEYS):
        return
    if is_global(name) or any(_knows(action_keys, lower) for action_keys in _iter_keys(named)):
        return
    actions = ", ".join(shorten(str(node.value)) for node, _actions in named.known[:3])
    report.add("CONDITION_KEY_NOT_FOR_ACTION", values, at_key=True, key=shorten(name), actions=actions)


def _iter_keys(named: Named) -> Iterator[frozenset[str]]:
    """The keys of each action and of its resources, each set once."""
    seen: set[int] = set()
    for action in named.actions:
        service = catalogue.find_service(action.service)
        kinds = (service.resources.get(name) for name in action.resources) if service else ()
        for keys in (action.keys, *(kind.keys for kind in kinds if kind)):
            if id(keys) not in seen:
                seen.add(id(keys))
                yield keys


def _knows(keys: frozenset[str], name: str) -> bool:
    return name in keys or any(fits_key(key, name) for key in keys if is_open(key))


# --- The values ------------------------------------------------------------------------------------------------------


def _check_values(operator: Operator, name: str, values: Node, report: Report, *, has_variables: bool) -> None:
    if values.kind == ARRAY and not values.value:
        _hint_at_empty(operator, values, report, name)
        return
    kinds = {each.kind for each in values.iter_items()}
    if kinds & {OBJECT, ARRAY, NULL}:
        report.add("INVALID_CONDITION_DATA_TYPE", values, key=shorten(name))
        return
    if len(kinds) > 1:
        report.add("INVALID_CONDITION_DATA_TYPE", values, sentence="policy_condition_mixed", key=shorten(name))
    if operator.type in ("Bool", "Null") and len(list(values.iter_items())) > 1:
        report.add("INVALID_CONDITION_MULTIPLE_BOOLEAN", values, key=shorten(name))
    for each in values.iter_items():
        _check_value(operator, each, report, has_variables=has_variables)
    if operator.type == "IPAddress":
        _check_addresses(operator, name, values, report)
    elif operator.type == "Numeric":
        _hint_at_redundant_numbers(operator, values, report)


def _hint_at_empty(operator: Operator, values: Node, report: Report, name: str) -> None:
    code = "EMPTY_ARRAY_CONDITION"
    if operator.qualifier:
        code = f"{code}_{operator.qualifier.upper()}"
    elif operator.if_exists:
        code = f"{code}_IFEXISTS"
    report.add(code, values, key=shorten(name))


def _check_value(operator: Operator, node: Node, report: Report, *, has_variables: bool) -> None:
    if node.kind == STRING:
        check_variables(node, report, has_variables=has_variables)
        if "${" in node.value and has_variables:
            if operator.type not in _FOR_TEXT and has_variable(node.value):
                report.add("INVALID_VARIABLE_FOR_OPERATOR", node, operator=str(operator))
            return
    text = _write(node)
    if operator.type == "Date":
        _check_date(node, text, operator, report)
    elif operator.type == "String":
        _check_wildcard(node, text, operator, report)
    elif operator.type in _FORMS:
        form, code = _FORMS[operator.type]
        if not form.fullmatch(text):
            report.add(code, node, found=shorten(text), operator=str(operator))


def _write(node: Node) -> str:
    return str(node.value).lower() if node.kind == BOOLEAN else str(node.value)


_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_FORMS = {
    "Bool": (_BOOLEAN, "TYPE_MISMATCH_BOOLEAN"),
    "Null": (_BOOLEAN, "TYPE_MISMATCH_BOOLEAN"),
    "Numeric": (_NUMBER, "TYPE_MISMATCH_NUMBER"),
    "Binary": (_BASE64, "TYPE_MISMATCH_STRING"),
}
_EPOCH = re.compile(r"\d{1,19}", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?([Zz]|[-+]\d{2}:?\d{2})?)?)?)?",
    re.ASCII,
)


def _check_date(node: Node, text: str, operator: Operator, report: Report) -> None:
    if node.kind == NUMBER or (_EPOCH.fullmatch(text) and len(text) > 4):
        report.add("INVALID_DATE_VALUE", node, found=shorten(text))
    elif not _is_date(text):
        report.add("TYPE_MISMATCH_DATE", node, found=shorten(text), operator=str(operator))


def _is_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if not match:
        return False
    year, month, day, hour, minute, second = (int(match[group] or default) for group, default in zip(
        range(1, 7), (1, 1, 1, 0, 0, 0), strict=True))  # fmt: skip
    try:
        date(max(year, 1), month, day)
        time(hour, minute, second)
    except ValueError:
        return False
    return True


def _check_wildcard(node: Node, text: str, operator: Operator, report: Report) -> None:
    if "Like" not in operator.name and has_wildcard(text):
        report.add("WILDCARD_WITHOUT_LIKE_OPERATOR", node, operator=str(operator), found=shorten(text),
                   near=operator.name.replace("EqualsIgnoreCase", "Like").replace("Equals", "Like"))  # fmt: skip


def _hint_at_redundant_numbers(operator: Operator, values: Node, report: Report) -> None:
    if values.kind == ARRAY and len(values.value) > 1 and ("Less" in operator.name or "Greater" in operator.name):
        which = "greatest" if "Less" in operator.name else "least"
        report.add("REDUNDANT_CONDITION_VALUE_NUM", values, sentence=f"policy_redundant_number_{which}",
                   operator=str(operator))  # fmt: skip


# --- Addresses -------------------------------------------------------------------------------------------------------

_PRIVATE = [ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


def _check_addresses(operator: Operator, name: str, values: Node, report: Report) -> None:
    networks = [network for each in values.iter_items() if (network := _read_network(each, operator, report))]
    if name.lower() != "aws:sourceip" or not networks:
        return
    private = [any(_lies_in(network, space) for space in _PRIVATE) for network in networks]
    code = "PRIVATE_NOT_IP_ADDRESS" if operator.name == "NotIpAddress" else "PRIVATE_IP_ADDRESS"
    if all(private):
        report.add(code, values)
    elif any(private):
        report.add(f"{code}_SUBSET", values)


def _lies_in(network: IPv4Network | IPv6Network, space: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(space, IPv4Network) and network.subnet_of(space)
    return isinstance(space, IPv6Network) and network.subnet_of(space)


def _read_network(node: Node, operator: Operator, report: Report) -> IPv4Network | IPv6Network | None:
    text = str(node.value)
    if "${" in text:
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        report.add("TYPE_MISMATCH_IP_RANGE", node, found=shorten(text), operator=str(operator))
        return None
    if "/" in text and str(network.network_address) != text.partition("/")[0].lower() and network.version == 4:
        report.add("IMPROVE_IP_RANGE", node, found=shorten(text), near=str(network))
    return network
