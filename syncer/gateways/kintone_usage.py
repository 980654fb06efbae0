"""How many requests kintone counts for an app in a day, and how many the day will see. Pure.

kintone blocks nothing: above the day's quota it writes to the company's administrators. What is left of the quota
belongs to their other programs. The day begins at 9:00 in Japan, which is midnight in UTC.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from syncer.gateways.pacing import StoreAway

logger = logging.getLogger(__name__)

DAILY_QUOTA = 10_000  # requests to an app: kintone's standard course; the wide course has ten times as many
TIGHT_SHARE = 0.7  # of the quota: from here on the portal asks less often
FLUSH_EVERY = 100  # requests: so many are lost at most when a process is killed
# Operations that no app's quota counts. A bulk request is free, whatever it holds.
NOT_COUNTED = frozenset({"apps.json", "bulkRequest.json", "preview/app.json"})
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Spent(NamedTuple):
    """Requests to one app within the hour that begins then."""

    app_id: str
    hour: datetime


class UsageStore(Protocol):
    """Keeps the counts of all processes. Thread safe."""

    def add(self, counts: Mapping[Spent, int]) -> None:
        """Add these. Raises StoreAway; then none of them was added."""


class Meter:
    """Counts a process's requests, and hands them to the store now and then: a scan must not write a row a page.

    Every thread may count. Only the one that made the meter goes to the store, where a transaction of its own may be
    open, by itself.
    """

    def __init__(self, store: UsageStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._clock = store, clock
        self._lock, self._counts, self._owner = threading.Lock(), Counter[Spent](), threading.get_ident()

    def count(self, app_id: str) -> None:
        with self._lock:
            self._counts[Spent(app_id, find_hour(self._clock()))] += 1
            is_full = self._counts.total() >= FLUSH_EVERY
        if is_full and threading.get_ident() == self._owner:
            self.flush()

    def flush(self) -> None:
        """Hand over what was counted. Where the store is away it is kept until the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            self._store.add(counts)
        except StoreAway as error:
            logger.warning("kintone usage: %d requests are not stored yet: %s", counts.total(), error)
            with self._lock:
                self._counts += counts


# --- The day ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """Requests to one app: of the day so far, and of this hour and the one before."""

    today: int = 0
    lately: int = 0


@dataclass(frozen=True)
class Forecast:
    """What a day's requests come to if it goes on as in the last hour or two."""

    spent: int
    expected: int
    quota: int = DAILY_QUOTA

    @property
    def share(self) -> float:
        return self.expected / self.quota

    @property
    def is_tight(self) -> bool:
        return self.share >= TIGHT_SHARE


def forecast_day(usage: Usage, now: datetime, quota: int = DAILY_QUOTA) -> Forecast:
    """What is spent, and the recent pace until the day ends."""
    per_hour = usage.lately / ((now - find_hour(now) + _HOUR) / _HOUR)
    rest = (find_day(now) + _DAY - now) / _HOUR
    return Forecast(usage.today, usage.today + round(per_hour * rest), quota)


def find_hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def find_day(now: datetime) -> datetime:
    """When kintone's day began."""
    return find_hour(now).replace(hour=0)
