"""Single cells: from a request's JSON, or from plain Python, to what a record keeps.

A record keeps texts, numbers and times as kintone's text, choices as text or lists of text, users,
groups and organizations as lists of codes.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from simulators.kintone.directory import Directory
from simulators.kintone.errors import fail
from simulators.kintone.fields import ENTITY_TYPES, MULTI_CHOICE_TYPES, SINGLE_CHOICE_TYPES, TEXT_TYPES, Definition
from simulators.kintone.values import date_text, minute_text, number_text, parse_instant, parse_number, time_text


def read_cell(definition: Definition, value: Any, directory: Directory) -> Any:
    """What the record keeps of a value from a request.

    Raises CB_IJ01 for JSON of the wrong shape, GAIA_IL26 to GAIA_IL28 for an unknown user, group or
    organization, GAIA_BL01 for a file never uploaded, and Unreadable for text that is no such value.
    """
    kind = definition["type"]
    if kind in MULTI_CHOICE_TYPES:
        return [_scalar(member) for member in _array(value)]
    if kind in ENTITY_TYPES:
        return [_entity(kind, member, directory) for member in _array(value)]
    if kind == "FILE":
        return _files(_array(value))
    text = _scalar(value)
    if kind in TEXT_TYPES:
        return text
    if kind in SINGLE_CHOICE_TYPES:
        return text or None
    return _read_formatted(kind, text)


def _read_formatted(kind: str, text: str) -> str | None:
    match kind:
        case "NUMBER":
            return number_text(parse_number(text)) if text.strip() else ""
        case "DATE":
            return date_text(text) if text else None
        case "TIME":
            return time_text(text) if text else None
    return minute_text(parse_instant(text)) if text else ""


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise fail("CB_IJ01")
    return str(value)


def _array(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise fail("CB_IJ01")
    return value


def _entity(kind: str, member: Any, directory: Directory) -> str:
    if not isinstance(member, dict) or not isinstance(member.get("code"), str):
        raise fail("CB_IJ01")
    code: str = member["code"]
    directory.require(kind, code)
    return code


def _files(members: list[Any]) -> list[Any]:
    """The simulator takes no uploads, so no file key can be known."""
    if members:
        raise fail("GAIA_BL01", file=members[0].get("fileKey", "") if isinstance(members[0], dict) else "")
    return []


def default_cell(definition: Definition, *, user: str, now: datetime) -> Any:
    """What a new record gets when its caller says nothing of the field. `now` is in the caller's time zone.

    The definition's own default is in the shape of a request, so the caller's value is returned, not a kept one.
    """
    if definition.get("defaultNowValue"):
        return {"DATE": now.date().isoformat(), "TIME": now.strftime("%H:%M")}.get(
            definition["type"], now.isoformat(timespec="seconds")
        )
    default = definition.get("defaultValue")
    if definition["type"] in ENTITY_TYPES:
        return [
            {"code": user if entity["code"] == "LOGINUSER()" else entity["code"]}
            for entity in default or []
            if entity["code"] != "PRIMARY_ORGANIZATION()"
        ]
    return default


def to_request(definition: Definition, plain: Any) -> dict[str, Any]:
    """A plain Python value as a request would send it; a dict with "value" is one already.

    Users, groups and organizations are given as a list of codes, a table as a list of `{code: plain}` rows.
    """
    if isinstance(plain, Mapping) and "value" in plain:
        return dict(plain)
    kind = definition["type"]
    if kind in ENTITY_TYPES:
        return {"value": [{"code": code} for code in plain or []]}
    if kind == "SUBTABLE":
        rows = definition["fields"]
        return {
            "value": [{"value": {code: to_request(rows[code], value) for code, value in row.items()}} for row in plain]
        }
    if kind in MULTI_CHOICE_TYPES:
        return {"value": list(plain or [])}
    return {"value": _plain_text(plain)}


def _plain_text(plain: Any) -> str | None:
    match plain:
        case None:
            return None
        case datetime():
            return minute_text(plain)
        case date():
            return plain.isoformat()
        case time():
            return plain.strftime("%H:%M")
        case Decimal():
            return number_text(plain)
    return str(plain)


def instant_or_now(text: Any, now: datetime) -> str:
    """The time stamp a caller with the right to manage sets on a new record, else the time of the call."""
    return minute_text(parse_instant(_scalar(text)) if text else now.astimezone(UTC))
