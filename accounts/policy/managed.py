"""AWS's managed policies as they were when the list beside this module was written: their names, paths and powers.

It stands in where IAM's own list has not been read, or not for long. `python -m tests.managed_policies` writes it anew.
The nearest name to what somebody wrote is found here as well, among whatever names are known.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher, get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from unicodedata import normalize

SERVICE_LINKED = "aws-service-role/"  # policies on this path belong to AWS's services: nobody else can attach them
LIKENESS = 0.8  # of two names, from 0 to 1; below it the guess is as often wrong as right
LONGEST_NAME = 128
# What people add to a name, or leave out of it.
_STARTS = ("", "aws", "amazon")
_ENDS = ("", "access", "policy", "role")


@dataclass(frozen=True)
class Listed:
    """flags: the first letters of its powers, and a d if it denies something."""

    name: str
    path: str
    flags: str

    @property
    def is_attachable(self) -> bool:
        return self.path != SERVICE_LINKED

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::aws:policy/{self.path}{self.name}"


@dataclass(frozen=True)
class Bundle:
    """written_on: the day of the newest policy in it."""

    written_on: date
    policies: Mapping[str, Listed]  # by name: names are unique, whatever their paths


@cache
def load_bundle() -> Bundle:
    content = json.loads(files("accounts.policy").joinpath("managed_policies.json").read_bytes())
    rows = [(*full.rpartition("/"), flags) for full, flags in content["policies"].items()]
    policies = {name: Listed(name, path + slash, flags) for path, slash, name, flags in rows}
    return Bundle(date.fromisoformat(content["date"]), policies)


def find_near(written: str, names: tuple[str, ...]) -> str:
    """The name people most likely meant by a name, a path and name, or an ARN; empty when none is near."""
    return _find_near(normalize("NFKC", written[: 4 * LONGEST_NAME]).rpartition("/")[2][:LONGEST_NAME], names)


def find_near_bundled(written: str) -> str:
    return find_near(written, _bundled_names())


@cache
def _bundled_names() -> tuple[str, ...]:
    return tuple(name for name, policy in load_bundle().policies.items() if policy.is_attachable)


@lru_cache(maxsize=1024)
def _find_near(written: str, names: tuple[str, ...]) -> str:
    bare, index = _squeeze(written), _index(names)
    if not bare:
        return ""
    for variant in _vary(bare):
        if variant in index:
            return _likest(written, index[variant])
    close = get_close_matches(bare, index, 5, LIKENESS)
    return _likest(written, [name for key in close for name in index[key]]) if close else ""


@lru_cache(maxsize=4)
def _index(names: tuple[str, ...]) -> Mapping[str, list[str]]:
    """What is left of a name without case and signs → the names."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[_squeeze(name)].append(name)
    return found


def _squeeze(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _vary(bare: str) -> Iterable[str]:
    """The name itself first, then with what is missing, then without what is too much."""
    yield from (f"{start}{bare}{end}" for start in _STARTS for end in _ENDS)
    core = re.sub(r"^(?:aws|amazon)", "", bare)
    yield from (f"{start}{core}{end}" for start in _STARTS for end in _ENDS)
    yield from (bare.removesuffix(end) for end in _ENDS if end)


def _likest(written: str, names: Iterable[str]) -> str:
    return max(names, key=lambda name: (SequenceMatcher(None, written, name).ratio(), -len(name)), default="")
