"""Values of records and definitions as lines of text, and policies as lines of coloured JSON. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FIELDS: dict[str, str | Promise] = {
    "name": _("name"),
    "description": _("description"),
    "session_duration": _("session duration"),
    "relay_state": _("relay state"),
    "managed_policies": _("AWS managed policies"),
    "customer_managed_policies": _("customer managed policies"),
    "inline_policy": _("inline policy"),
    "permissions_boundary": _("permissions boundary"),
    "owners": _("owners"),
    "account_id": _("account"),
    "permission_set": _("permission set"),
    "users": _("users"),
    "groups": _("groups"),
    "more_users": _("further users"),
    "addresses": _("further users"),
    "expires_on": _("last day"),
    "note": _("note"),
    "stale_accounts": _("accounts with an older version"),
}
_TOKEN = re.compile(r'(?P<key>"(?:\\.|[^"\\])*")(?=\s*:)|(?P<string>"(?:\\.|[^"\\])*"?)|(?P<rest>[^"]+)')


def show_field(name: str) -> str:
    """What people call a field; a name we do not know as it is."""
    return str(FIELDS.get(name, name))


class Token(NamedTuple):
    """A piece of JSON: `key`, `string` or `rest`."""

    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """One line of code; `severity` is `error`, `warning` or empty."""

    number: int
    tokens: tuple[Token, ...]
    severity: str = ""


def split_policy(text: str, marks: Mapping[int, str] | None = None) -> list[Line]:
    """Lines of JSON with their tokens; `marks` gives severities by line number."""
    marks = marks or {}
    return [Line(number, _tokenize(line), marks.get(number, "")) for number, line in enumerate(text.splitlines(), 1)]


def _tokenize(line: str) -> tuple[Token, ...]:
    return tuple(Token(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(line))


def to_lines(value: Any) -> list[str]:
    """A stored value as lines: text, lists, kintone's users, policy references, boundaries."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return value.splitlines()
    if isinstance(value, Mapping):
        return _lines_of_mapping(value)
    if isinstance(value, Collection):
        return [line for item in value for line in to_lines(item)]
    return [str(value)]


def _lines_of_mapping(value: Mapping[str, Any]) -> list[str]:
    if "code" in value:
        name, code = str(value.get("name") or ""), str(value["code"])
        return [f"{name} ({code})" if name and name != code else code]
    if "path" in value and "name" in value:
        return [f"{value['path']}{value['name']}"]
    return [line for item in value.values() for line in to_lines(item)]
