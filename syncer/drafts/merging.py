"""Two people changed one record: what both want together, or what one of them has to decide. Pure.

`base` is what the record said when one of them opened it, `theirs` what kintone has now, `ours` what he wants. Lists of
people, groups and policies are merged element by element, so they never contradict each other. A single value that both
changed differently does, and so does moving a record while the other side widens it: nobody has wanted those people, or
those days, in the new place.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from accounts.names import fold
from accounts.policy.documents import NotJson, read_json
from syncer.records.parsing import (
    normalise_account_id,
    normalise_managed_policy,
    parse_duration,
    parse_policy_reference,
)

Value = str | list[str]
Values = Mapping[str, Any]
"""Our field name → text, or a list of texts where the field holds several. A field that is not there is not known."""

PLACE = frozenset({"account_id", "permission_set"})
_WIDENING = frozenset({"users", "more_users", "groups", "expires_on"}) | PLACE
_AWS_POLICY = ":iam::aws:policy/"


class Conflict(NamedTuple):
    """A field that one person has to decide about, in three versions."""

    field: str
    base: Value
    theirs: Value
    ours: Value


@dataclass(frozen=True)
class Merged:
    """What is to be written over `theirs`; nothing where theirs says all of it already."""

    values: Mapping[str, Value] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()


def merge(base: Values, theirs: Values, ours: Values, *, may_move: bool = False) -> Merged:
    """Bring the edits of `ours` onto `theirs`. With `may_move`, who moves the record takes along whoever is in it."""
    wanted: dict[str, Value] = {}
    conflicts: dict[str, Conflict] = {}
    for name, mine in ours.items():
        there = _read(theirs, name, mine)
        versions = Conflict(name, _read(base, name, there), there, mine)
        if _contradicts(versions):
            conflicts[name] = versions
        elif (value := _combine(versions)) != there:
            wanted[name] = value
    if not may_move:
        conflicts |= _find_moves(base, theirs, ours)
    in_order = tuple(conflicts[name] for name in sorted(conflicts, key=_order_of({**base, **theirs, **ours})))
    return Merged({name: value for name, value in wanted.items() if name not in conflicts}, in_order)


def _read(values: Values, name: str, otherwise: Value) -> Value:
    value: Value = values.get(name, otherwise)
    return value


def _order_of(names: Iterable[str]) -> Callable[[str], int]:
    order = {name: number for number, name in enumerate(names)}
    return lambda name: order[name]


def _contradicts(versions: Conflict) -> bool:
    """A single value that both changed, and not to the same."""
    name, base, theirs, ours = versions
    if isinstance(ours, list):
        return False
    return not (is_same(name, theirs, base) or is_same(name, ours, base) or is_same(name, ours, theirs))


def _combine(versions: Conflict) -> Value:
    """Where nobody else changed a value, it is written as ours stands there, blanks and order included."""
    name, base, theirs, ours = versions
    if is_same(name, theirs, base):
        return ours
    if isinstance(ours, list):
        return _merge_lists(name, base, theirs, ours)
    return theirs


def _merge_lists(name: str, base: Value, theirs: Value, ours: list[str]) -> list[str]:
    """Theirs in its order, less what ours takes out, with what ours adds at the end."""
    before, there, mine = (_by_key(name, value) for value in (base, theirs, ours))
    kept = [text for key, text in there.items() if key in mine or key not in before]
    return kept + [text for key, text in mine.items() if key not in there and key not in before]


def _find_moves(base: Values, theirs: Values, ours: Values) -> dict[str, Conflict]:
    """The fields that do not go together: one side moves the record, the other widens it or moves it elsewhere."""
    by_us = {name for name in ours if _widens(name, base, ours)}
    by_them = {name for name in theirs if _widens(name, base, theirs)}
    together = {name for name in by_us & by_them if is_same(name, ours[name], theirs[name])}
    by_us, by_them = by_us - together, by_them - together
    if not (by_us & PLACE and by_them) and not (by_them & PLACE and by_us):
        return {}
    return {name: _show(name, base, theirs, ours) for name in by_us | by_them}


def _show(name: str, base: Values, theirs: Values, ours: Values) -> Conflict:
    there = theirs.get(name, base.get(name, ""))
    before = base.get(name, there)
    return Conflict(name, before, there, ours.get(name, before))


def _widens(name: str, before: Values, after: Values) -> bool:
    """Whether a side moved the record, moved its last day, or added somebody."""
    if name not in _WIDENING or name not in before or name not in after:
        return False
    old, new = before[name], after[name]
    if isinstance(new, list):
        return not _by_key(name, new).keys() <= _by_key(name, old).keys()
    return not is_same(name, old, new)


# --- What is the same -------------------------------------------------------------------------------------------------


def is_same(name: str, one: Value, other: Value) -> bool:
    """Whether two values of a field mean the same, however they are written."""
    if isinstance(one, list) or isinstance(other, list):
        return _by_key(name, one).keys() == _by_key(name, other).keys()
    return one == other or _normalise(name, one) == _normalise(name, other)


def find_added(name: str, before: Value, after: Value) -> list[str]:
    """The elements of a list that came."""
    known = _by_key(name, before)
    return [text for key, text in _by_key(name, after).items() if key not in known]


def _by_key(name: str, value: Value) -> dict[str, str]:
    """What makes an element the same → how it is written, in order."""
    texts = value.splitlines() if isinstance(value, str) else value
    found: dict[str, str] = {}
    for text in texts:
        if text.strip():
            found.setdefault(key_of(name, text), text)
    return found


def key_of(name: str, text: str) -> str:
    """What two ways of writing an element of a list have in common."""
    if name == "managed_policies":
        return _shorten(normalise_managed_policy(text.strip()) or text.strip())
    if name == "customer_managed_policies":
        return str(parse_policy_reference(text.strip()) or text.strip())
    return fold(text)


def _shorten(policy: str) -> str:
    """An AWS managed policy by name, with its path where that is written."""
    return policy.partition(_AWS_POLICY)[2] or policy


def _normalise(name: str, text: str) -> str:
    if name in _NORMALISE:
        return _NORMALISE[name](text)
    return text.replace("\r\n", "\n").strip()


def _normalise_policy(text: str) -> str:
    """The policy itself, whatever its blanks and the order of its keys. What is no JSON is its text."""
    try:
        return json.dumps(read_json(text), sort_keys=True) if text.strip() else ""
    except NotJson:
        return text.replace("\r\n", "\n")


def _normalise_boundary(text: str) -> str:
    """A path or an account's ARN is a customer managed policy, a bare name one of AWS."""
    text = text.strip()
    if _AWS_POLICY in text or not text.startswith(("/", "arn:")):
        return _shorten(text)
    return str(parse_policy_reference(text) or text)


_NORMALISE: Mapping[str, Callable[[str], str]] = {
    "account_id": lambda text: normalise_account_id(text) or text.strip(),
    "inline_policy": _normalise_policy,
    "permissions_boundary": _normalise_boundary,
    "session_duration": lambda text: str(parse_duration(text) or text.strip()),
}
