"""Who is to be told that access ends: a week before its last day, and a day before. Pure.

Told late rather than never: whoever missed the day learns it as long as the last day is not over, each kind once.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

WEEK, DAY = timedelta(days=7), timedelta(days=1)


class Ahead(StrEnum):
    """How far ahead somebody is told."""

    WEEK = "week"
    DAY = "day"


@dataclass(frozen=True)
class LastDay:
    """One record's access that ends, longest wish of all counted: nobody is told of what goes on by another record."""

    record: str  # APP:ID
    account: str
    permission_set: str
    day: date
    written_on: date  # when the record was last written
    names: tuple[str, ...]  # who loses it
    owners: tuple[str, ...] = ()  # kintone codes
    account_id: str = ""
    stage: str = ""


@dataclass(frozen=True)
class Reminder:
    """One thing to tell, once."""

    ahead: Ahead
    ends: LastDay

    @property
    def key(self) -> str:
        return f"last-day:{self.ends.record}:{self.ends.day}:{self.ahead}"


def find_reminders(last_days: Iterable[LastDay], today: date, told: Collection[str]) -> list[Reminder]:
    """What is to be told today and was not told yet (`told` holds keys), the nearest end first."""
    due = (reminder for ends in last_days for reminder in _remind(ends, today) if reminder.key not in told)
    return sorted(due, key=lambda reminder: (reminder.ends.day, reminder.ends.record))


def _remind(ends: LastDay, today: date) -> Iterator[Reminder]:
    left = ends.day - today
    if timedelta() <= left <= DAY:
        yield Reminder(Ahead.DAY, ends)
    elif DAY < left <= WEEK and ends.written_on <= ends.day - WEEK:
        # Who chose a day within the week knows it.
        yield Reminder(Ahead.WEEK, ends)
