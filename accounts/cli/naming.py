"""Names of CLI profiles: from a pattern that each person chooses, in characters that no shell needs quoted. Pure."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import jaconv

DEFAULT_PATTERN = "{set}-{id}"  # as the AWS CLI's own wizard names them
PATTERNS = (DEFAULT_PATTERN, "{account}-{set}", "{stage}-{account}-{set}")
FIELDS = ("account", "id", "set", "stage", "unit")
LONGEST_PATTERN = 100  # characters
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)
_LETTERS = re.compile(r"[A-Za-z0-9]", re.ASCII)
_DASHES = re.compile(r"-{2,}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class AccountRole:
    """One permission set in one account, which is a role there.

    `short_name` is what an admin calls the account in names; region: its own.
    """

    account_id: str
    account_name: str
    permission_set: str
    stage: str = ""
    unit: str = ""
    short_name: str = ""
    region: str = ""


@dataclass(frozen=True)
class Profile:
    """A role under the name it has in the file. `was` is the name that it could not have, because others would."""

    name: str
    role: AccountRole
    was: str = ""

    @property
    def login_command(self) -> str:
        return write_login(self.name)


def write_login(profile_name: str) -> str:
    """The command that signs in for one profile."""
    return f"aws sso login --profile {profile_name}"


def is_pattern(text: str) -> bool:
    """It names known fields only, and at least the set, so that not everything would be called alike."""
    try:
        fields = [(name, spec, how) for _text, name, spec, how in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    is_plain = all(name in FIELDS and not spec and not how for name, spec, how in fields)
    return is_plain and "set" in {name for name, *_rest in fields} and len(text) <= LONGEST_PATTERN


def name_profiles(
    roles: Iterable[AccountRole], pattern: str = DEFAULT_PATTERN, *, is_kebab: bool = False
) -> list[Profile]:
    """The roles in their order, each under a name of its own.

    Whatever the pattern would call alike gets the account's id, all of it, so that names depend on no order; a number
    tells apart what unsafe characters still did. Raises ValueError for what is no pattern.
    """
    if not is_pattern(pattern):
        raise ValueError(f"no pattern: {pattern!r}")
    rows = list(roles)
    names = [_render(pattern, role, is_kebab=is_kebab) for role in rows]
    met = Counter(names)
    wished = [name if met[name] == 1 else f"{name}-{role.account_id}" for name, role in zip(names, rows, strict=True)]
    return _number(rows, names, wished)


def _number(roles: Sequence[AccountRole], names: Sequence[str], wished: Sequence[str]) -> list[Profile]:
    taken: set[str] = set()
    profiles = []
    for role, plain, wish in zip(roles, names, wished, strict=True):
        name, number = wish, 2
        while name in taken:
            name, number = f"{wish}-{number}", number + 1
        taken.add(name)
        profiles.append(Profile(name, role, plain if plain != name else ""))
    return profiles


def _render(pattern: str, role: AccountRole, *, is_kebab: bool) -> str:
    account = to_ascii(role.short_name or role.account_name) or role.account_id
    values = {
        "account": account, "id": role.account_id, "set": to_ascii(role.permission_set) or "set",
        "stage": to_ascii(role.stage), "unit": to_ascii(role.unit.rpartition("/")[2]),
    }  # fmt: skip
    name = to_ascii(pattern.format_map({key: _kebab(value) if is_kebab else value for key, value in values.items()}))
    # A name that begins with a dash would be read as an option.
    return name or role.account_id


def _kebab(text: str) -> str:
    return _DASHES.sub("-", _CAMEL.sub("-", text).replace("_", "-").replace(".", "-")).lower()


@lru_cache(maxsize=20_000)
def to_ascii(text: str) -> str:
    """The text in characters that are safe in a name: kana in Latin letters, the rest as dashes. May be empty.

    Kept: the names of a company are the same for all who ask.

    >>> to_ascii("決済 カート-prod")
    'kato-prod'
    """
    latin = text if text.isascii() else _spell(text)
    safe = _DASHES.sub("-", _UNSAFE.sub("-", latin))
    return safe.strip("-.") if _LETTERS.search(safe) else ""


def _spell(text: str) -> str:
    katakana = jaconv.hira2kata(unicodedata.normalize("NFKC", text))
    latin = jaconv.kata2alphabet(katakana.replace("ー", ""))  # long vowels are written short
    return unicodedata.normalize("NFKD", latin)
