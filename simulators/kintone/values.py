"""How kintone reads and writes single values: numbers, dates and times.

Pure functions over text. What cannot be read raises Unreadable with the message for it.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from simulators.kintone.errors import NOT_A_DATE, NOT_A_NUMBER, Text

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2}))?(?:-([0-9]{1,2}))?")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2})(?::[0-9]{2})?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})")

# The largest power of ten a JavaScript number holds; kintone normalises as JavaScript does.
_LARGEST_EXPONENT = 308


class Unreadable(ValueError):
    """A value that is not of its field's type."""

    def __init__(self, message: Text) -> None:
        super().__init__(message.en)
        self.message = message


def parse_number(text: str) -> Decimal:
    """The number in `text`: blanks around it and exponents are fine, thousands separators are not."""
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise Unreadable(NOT_A_NUMBER)
    number = Decimal(stripped)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise Unreadable(NOT_A_NUMBER)
    return number


def number_text(number: Decimal) -> str:
    """The way kintone writes a number: no exponent, no zeros at the ends ("1.5e1" is "15")."""
    if not number:
        return "0"
    return format(number.normalize(), "f")


def date_text(text: str) -> str:
    """YYYY-MM-DD from what kintone accepts: the month and the day may be short or absent (then 01)."""
    match = _DATE.fullmatch(text)
    if not match:
        raise Unreadable(NOT_A_DATE)
    year, month, day = match.groups()
    try:
        return date(int(year), int(month or 1), int(day or 1)).isoformat()
    except ValueError as error:
        raise Unreadable(NOT_A_DATE) from error


def time_text(text: str) -> str:
    """HH:MM; seconds are dropped."""
    match = _TIME.fullmatch(text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise Unreadable(NOT_A_DATE)
    return f"{int(match[1]):02}:{int(match[2]):02}"


def parse_instant(text: str) -> datetime:
    """An instant in UTC. Without a time of day it is midnight UTC."""
    if not _INSTANT.fullmatch(text):
        text = f"{date_text(text)}T00:00Z"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise Unreadable(NOT_A_DATE) from error


def minute_text(instant: datetime) -> str:
    """The way kintone stores an instant: UTC, seconds dropped."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def second_text(instant: datetime) -> str:
    """The way kintone writes the time of comments, apps and users."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
