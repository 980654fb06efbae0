"""The date functions of the query language: TODAY(), THIS_MONTH(LAST), FROM_TODAY(-3, WEEKS) and so on.

Each is a span of days in the caller's time zone. Pure: the time comes in as an argument.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from simulators.kintone.errors import fail
from simulators.kintone.query import Function

_WEEKDAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_NEIGHBOURS = {"LAST": -1, "THIS": 0, "NEXT": 1}


@dataclass(frozen=True)
class Days:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def instants(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The first and the last second of these days in `zone`, in UTC."""
        start = datetime.combine(self.first, time(0), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(0), zone) - timedelta(seconds=1)
        return start.astimezone(UTC), end.astimezone(UTC)


def days_of(function: Function, today: date) -> Days | None:
    """The days `function` means, or None if it is no date function.

    Raises GAIA_IL08 for a wrong number of arguments, GAIA_IQ23 for an impossible day, GAIA_IQ25 for a wrong unit.
    """
    name, arguments = function.name, function.arguments
    if name == "FROM_TODAY":
        return _from_today(arguments, today)
    if name in _FIXED:
        _require_at_most(arguments, 0)
        day = today + timedelta(days=_FIXED[name])
        return Days(day, day)
    neighbour, _, unit = name.partition("_")
    if neighbour not in _NEIGHBOURS or unit not in _PERIODS:
        return None
    _require_at_most(arguments, 0 if unit == "YEAR" else 1)
    return _PERIODS[unit](today, _NEIGHBOURS[neighbour], arguments[0] if arguments else "")


_FIXED = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}


def _require_at_most(arguments: tuple[str, ...], count: int) -> None:
    if len(arguments) > count:
        raise fail("GAIA_IL08")


def _from_today(arguments: tuple[str, ...], today: date) -> Days:
    if len(arguments) != 2:
        raise fail("GAIA_IL08")
    try:
        number = int(arguments[0])
    except ValueError as error:
        raise fail("GAIA_IL08") from error
    match arguments[1].upper():
        case "DAYS":
            day = today + timedelta(days=number)
        case "WEEKS":
            day = today + timedelta(weeks=number)
        case "MONTHS":
            day = _same_day(today, number)
        case "YEARS":
            day = _same_day(today, 12 * number)
        case _:
            raise fail("GAIA_IQ25")
    return Days(day, day)


def _month_start(today: date, months: int) -> date:
    years, month = divmod(today.month - 1 + months, 12)
    return date(today.year + years, month + 1, 1)


def _month_end(start: date) -> date:
    return start.replace(day=calendar.monthrange(start.year, start.month)[1])


def _same_day(today: date, months: int) -> date:
    start = _month_start(today, months)
    return start.replace(day=min(today.day, _month_end(start).day))


def _week(today: date, neighbour: int, argument: str) -> Days:
    sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=neighbour)
    if not argument:
        return Days(sunday, sunday + timedelta(days=6))
    if argument.upper() not in _WEEKDAYS:
        raise fail("GAIA_IL08")
    day = sunday + timedelta(days=_WEEKDAYS.index(argument.upper()))
    return Days(day, day)


def _month(today: date, neighbour: int, argument: str) -> Days:
    start = _month_start(today, neighbour)
    if not argument:
        return Days(start, _month_end(start))
    if argument.upper() == "LAST":
        return Days(_month_end(start), _month_end(start))
    if not argument.isdecimal() or not 1 <= int(argument) <= 31:
        raise fail("GAIA_IQ23", value=argument)
    # A day the month does not have is the first of the next month.
    day = min(start + timedelta(days=int(argument) - 1), _month_end(start) + timedelta(days=1))
    return Days(day, day)


def _year(today: date, neighbour: int, _: str) -> Days:
    return Days(date(today.year + neighbour, 1, 1), date(today.year + neighbour, 12, 31))


_PERIODS: dict[str, Callable[[date, int, str], Days]] = {"WEEK": _week, "MONTH": _month, "YEAR": _year}
