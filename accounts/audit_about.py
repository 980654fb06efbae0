"""What an act is about: an account, a person or group, a record; by these the trail is searched. Pure.

Events are written in many places, and each says what it has in its own words: its object, and values before and after.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ACCOUNT = re.compile(r"[0-9]{12}")
_RECORD = re.compile(r"[0-9]{1,20}:[0-9]{1,20}")  # APP:ID
_PRINCIPAL = 47  # characters of a principal id at most


@dataclass(frozen=True)
class About:
    """An account (12 digits), a principal (its id in Identity Center), a record (APP:ID); empty where none is meant."""

    account: str = ""
    principal: str = ""
    record: str = ""


def find_about(obj: tuple[str, str, str], before: Any, after: Any, given: About | None = None) -> About:
    """What is given, else what the object is, else what the values name: the later state goes before the earlier."""
    given = given or About()
    values = [value for value in (after, before) if isinstance(value, Mapping)]
    kind, object_id, name = obj
    return About(
        given.account or _first(_ACCOUNT, object_id if kind == "account" else "", *_pick(values, "account_id")),
        given.principal or next(iter(_pick(values, "principal_id")), "")[:_PRINCIPAL],
        given.record
        or _first(
            _RECORD, object_id if kind == "record" else "", name if kind == "draft" else "", *_pick(values, "record")
        ),
    )


def _pick(values: list[Mapping[str, Any]], key: str) -> Iterator[str]:
    return (text for value in values if isinstance(text := value.get(key), str) and text)


def _first(pattern: re.Pattern[str], *texts: str) -> str:
    return next((text for text in texts if pattern.fullmatch(text)), "")
