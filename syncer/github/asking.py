"""What a comment asks for, and who may. Pure: no Django, no network.

`/sync` alone asks for a full run; behind it, on the same line, may stand up to ten records or accounts that are to be
looked at instead. All further lines are the writer's own.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from accounts.names import fold

COMMAND = "/sync"
MOST_NAMED = 10  # records and accounts in one comment
MARK = "<!-- genkan"  # begins what only the portal's own comments hold
TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})

_RECORD = re.compile(r"([1-9][0-9]{0,9}):([1-9][0-9]{0,19})")
_ACCOUNT = re.compile(r"[0-9]{12}|[0-9]{4}-[0-9]{4}-[0-9]{4}")
# A record's address as a browser shows it in kintone, in a guest space or not.
_ADDRESS = re.compile(
    r"https://[^/]+/k/(?:guest/[0-9]+/)?([1-9][0-9]{0,9})/show#(?:.*&)?record=([1-9][0-9]{0,19})(?:&.*)?"
)
_EDGES = "`,、()（）<>「」"


@dataclass(frozen=True)
class Asked:
    """What a comment names: records (APP:ID), accounts, and what cannot be understood. Nothing: a full run."""

    records: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def names_nothing(self) -> bool:
        return not (self.records or self.accounts or self.wrong)


def find_line(body: str) -> str:
    """The line that holds the command: the first that is not empty."""
    return next((line.strip() for line in body.splitlines() if line.strip()), "")


def parse_request(body: str) -> Asked | None:
    """What a comment asks for; None when it asks for nothing, or is the portal's own."""
    if MARK in body:
        return None
    words = fold(find_line(body)).replace(",", " ").replace("、", " ").split()
    if not words or words[0] != COMMAND:
        return None
    return _sort(word.strip(_EDGES) for word in words[1:])


def _sort(words: Iterable[str]) -> Asked:
    records: list[str] = []
    accounts: list[str] = []
    wrong: list[str] = []
    for word in filter(None, words):
        if found := _RECORD.fullmatch(word) or _ADDRESS.fullmatch(word):
            records.append(f"{found[1]}:{found[2]}")
        elif _ACCOUNT.fullmatch(word):
            accounts.append(word.replace("-", ""))
        else:
            wrong.append(word)
    named = list(dict.fromkeys([*records, *accounts]))
    if len(named) > MOST_NAMED:
        wrong.append(f"… ({len(named)} > {MOST_NAMED})")
    return Asked(tuple(dict.fromkeys(records)), tuple(dict.fromkeys(accounts)), tuple(dict.fromkeys(wrong)))


def may_ask(login: str, association: str, allowed: Collection[str]) -> bool:
    """Whether this person may start a run: named in the setting, or, where it is empty, one of the repository's own."""
    if allowed:
        return fold(login) in {fold(name).removeprefix("@") for name in allowed}
    return association.upper() in TRUSTED
