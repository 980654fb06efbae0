"""What a permission set may do, in a few facts that become plain words: how far it reaches, in which services, and what
people should know of.

What is not known is never left out: a customer managed policy, and an AWS managed one that nobody knows, count as
administrator. Boundaries and denials make it less, which is not counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from accounts.policy import catalogue
from accounts.policy.findings import Severity
from accounts.policy.globs import has_wildcard
from accounts.policy.grammar import Statement
from accounts.policy.powers import (
    BILLING_SERVICES,
    EVERYTHING,
    Power,
    find_powers_of_managed,
    find_powers_of_text,
    is_changing,
    load_managed_powers,
    read_statements,
)
from accounts.policy.validator import validate_policy

MAX_SERVICES = 8  # that are named; the rest is counted


class Level(StrEnum):
    """From the most to the least."""

    ADMIN = "admin"
    POWER = "power"
    WRITE = "write"
    BILLING = "billing"
    READ_ONLY = "read_only"
    CUSTOM = "custom"  # changes only what it names, or allows nothing at all


@dataclass(frozen=True)
class SetPolicies:
    """The policies of a set. texts: of AWS managed policies whose text is known, by name."""

    managed: tuple[str, ...] = ()
    customer_managed: tuple[str, ...] = ()
    inline: str = ""
    boundary: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    def iter_texts(self) -> Iterator[str]:
        """The policies whose text is known."""
        if self.inline.strip():
            yield self.inline
        for policy in self.managed:
            if text := self.texts.get(name_of(policy)):
                yield text


@dataclass(frozen=True)
class ServiceAccess:
    """What a set may do in one service."""

    service: str
    reads: bool
    changes: bool


@dataclass(frozen=True)
class Risk:
    """One thing to know of: a code of `accounts.sentences` and its parameters."""

    code: str
    sentence: str
    params: Mapping[str, object]


@dataclass(frozen=True)
class Summary:
    """unknown: policies that nobody can say anything about here."""

    level: Level
    powers: frozenset[Power]
    services: tuple[ServiceAccess, ...] = ()
    risks: tuple[Risk, ...] = ()
    unknown: tuple[str, ...] = ()
    is_readable: bool = True

    def iter_sentences(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Codes and parameters, in the order to be read."""
        yield f"summary_{self.level}", {}
        if not self.is_readable:
            yield "summary_unreadable", {}
        if self.unknown:
            yield "summary_unknown", {"policies": ", ".join(self.unknown)}
        changed = [each.service for each in self.services if each.changes]
        read = [each.service for each in self.services if not each.changes]
        if changed:
            yield "summary_changes", {"services": _list(changed)}
        if read:
            yield "summary_reads", {"services": _list(read)}
        for risk in self.risks:
            yield risk.sentence, dict(risk.params)


def name_of(policy: str) -> str:
    """The name of an AWS managed policy, given by name or ARN."""
    return policy.rpartition("/")[2]


def summarise(policies: SetPolicies) -> Summary:
    """What a set with these policies may do."""
    unknown = list_unknown(policies)
    powers = EVERYTHING if unknown else find_powers_of_set(policies)
    allowing = _list_allowing(policies)
    return Summary(
        _find_level(policies, powers, allowing),
        powers,
        tuple(_iter_services(allowing)),
        tuple(_iter_risks(policies)),
        unknown,
        all(read_statements(text) is not None for text in policies.iter_texts()),
    )


def find_level(policies: SetPolicies) -> Level:
    """The level alone, which takes a quarter of the time."""
    powers = EVERYTHING if list_unknown(policies) else find_powers_of_set(policies)
    return _find_level(policies, powers, _list_allowing(policies))


def _list_allowing(policies: SetPolicies) -> list[Statement]:
    statements = [each for text in policies.iter_texts() for each in read_statements(text) or ()]
    return [statement for statement in statements if statement.is_allowing]


def find_powers_of_set(policies: SetPolicies) -> frozenset[Power]:
    """By the text of a policy where it is known, else by its name."""
    if policies.customer_managed:
        return EVERYTHING
    named = (find_powers_of_managed(policy) for policy in policies.managed if name_of(policy) not in policies.texts)
    read = map(find_powers_of_text, policies.iter_texts())
    return frozenset(chain.from_iterable(chain(named, read)))


def list_unknown(policies: SetPolicies) -> tuple[str, ...]:
    """The policies that nobody can say anything about here."""
    known = load_managed_powers().keys() | policies.texts.keys()
    return (*policies.customer_managed, *(policy for policy in policies.managed if name_of(policy) not in known))


# --- The level -------------------------------------------------------------------------------------------------------


def _find_level(policies: SetPolicies, powers: frozenset[Power], allowing: Sequence[Statement]) -> Level:
    if Power.ADMIN in powers:
        return Level.ADMIN
    if any(name_of(policy) == "PowerUserAccess" for policy in policies.managed) or any(map(_is_wide, allowing)):
        return Level.POWER
    if Power.BILLING in powers and not _reaches_beyond_billing(policies, allowing):
        return Level.BILLING
    if Power.WRITE not in powers:
        return Level.READ_ONLY if policies.managed or allowing else Level.CUSTOM
    named = [find_powers_of_managed(policy) for policy in policies.managed if name_of(policy) not in policies.texts]
    if any(Power.WRITE in each for each in named) or any(map(_changes_anything, allowing)):
        return Level.WRITE
    return Level.CUSTOM


def _is_wide(statement: Statement) -> bool:
    """Whether it speaks of all services."""
    return statement.excludes_actions or any(str(node.value).startswith("*") for node in statement.actions)


def _reaches_beyond_billing(policies: SetPolicies, allowing: Iterable[Statement]) -> bool:
    services = {service for statement in allowing for service in _list_prefixes(statement)}
    by_name = [policy for policy in policies.managed if name_of(policy) not in policies.texts]
    others = (policy for policy in by_name if Power.BILLING not in find_powers_of_managed(policy))
    return bool(services - BILLING_SERVICES) or any(others)


def _changes_anything(statement: Statement) -> bool:
    """Whether it changes something, wherever and whenever."""
    is_limited = bool(statement.condition and statement.condition.value) or not any(
        node.value == "*" for node in statement.resources
    )
    return not is_limited and any(is_changing(str(node.value)) for node in statement.actions)


# --- Services and risks ----------------------------------------------------------------------------------------------


def _list_prefixes(statement: Statement) -> set[str]:
    if statement.excludes_actions:
        return {"*"}
    return {str(node.value).partition(":")[0].lower() for node in statement.actions}


def _iter_services(allowing: Iterable[Statement]) -> Iterator[ServiceAccess]:
    found: dict[str, set[bool]] = defaultdict(set)
    for statement in allowing:
        if statement.excludes_actions:
            found["*"].update((True, False))
            continue
        for node in statement.actions:
            pattern = str(node.value)
            prefix = pattern.partition(":")[0].lower()
            found[prefix if not has_wildcard(prefix) else "*"].update(_find_ways(pattern))
    for service in sorted(found):
        yield ServiceAccess(service, False in found[service], True in found[service])


def _find_ways(pattern: str) -> set[bool]:
    """Whether the pattern changes something, and whether it reads something."""
    changes = is_changing(pattern)
    prefix, _colon, name = pattern.partition(":")
    service = catalogue.find_service(prefix)
    levels = {action.level for action in service.expand(name)} if service else set()
    return {changes} | ({False} if levels & {"Read", "List"} or has_wildcard(pattern) else set())


def _iter_risks(policies: SetPolicies) -> Iterator[Risk]:
    """The security notes about all texts, each kind once."""
    seen: set[str] = set()
    for text in policies.iter_texts():
        for finding in validate_policy(text):
            if finding.severity is Severity.SECURITY and finding.sentence not in seen:
                seen.add(finding.sentence)
                yield Risk(finding.code, finding.sentence, finding.params)


def _list(services: Sequence[str]) -> str:
    more = len(services) - MAX_SERVICES
    return ", ".join(services[:MAX_SERVICES]) + (f", … (+{more})" if more > 0 else "")
