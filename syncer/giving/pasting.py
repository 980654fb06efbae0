"""What people paste: lists from a mail, a sheet or a chat → the names in them, each with its line. Pure."""

import re
from typing import NamedTuple

MOST_PASTED = 1000  # names of one paste; what comes after is not looked at
LONGEST_NAME = 320  # characters; no name of anything here is longer

_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:、，；]+@[^\s<>()\[\]\"',;:、，；]+")
_DIVIDERS = re.compile(r"[,;\t、，；]")
_SEMICOLONS = re.compile(r"[;\t]")
_QUOTED = re.compile(r"\"[^\"]*\"\s*(?=<)")  # what somebody is called, before his address
_BULLET = re.compile(r"^\s*(?:[-*•・]\s+|\d{1,3}[.)]\s+)")


class Pasted(NamedTuple):
    """One name of a list, and the line it stands in, counted from 1."""

    line: int
    text: str


def split_pasted(text: str) -> list[Pasted]:
    """The names of a list, each once.

    Lines, commas and tabs divide. Of "Hana Sato <hana@example.com>" the address is meant. Blanks divide nothing: names
    of people and groups have some.
    """
    found: dict[str, Pasted] = {}
    for number, line in enumerate(text.replace("\0", "").splitlines(), 1):
        for name in _split_line(line):
            found.setdefault(name, Pasted(number, name))
            if len(found) == MOST_PASTED:
                return list(found.values())
    return list(found.values())


def _split_line(line: str) -> list[str]:
    line = _QUOTED.sub("", _BULLET.sub("", line.replace("＠", "@")))
    dividers = _SEMICOLONS if ";" in line and "@" in line else _DIVIDERS  # mail programs write "Sato, Hana <hana@…>;"
    parts = (name for part in dividers.split(line) for name in _ADDRESS.findall(part) or [part])
    names = (part.strip().strip("\"'").rstrip(".").strip() for part in parts)
    return [name[:LONGEST_NAME] for name in names if name]


def is_address(text: str) -> bool:
    """Whether a name is written like an address, and can be one that Entra ID will bring."""
    return _ADDRESS.fullmatch(text) is not None and "." in text.rpartition("@")[2]
