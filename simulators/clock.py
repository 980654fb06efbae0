"""A clock that tests can move: simulators ask it for the time instead of the machine."""

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """The real time plus what tests added to it, in UTC.

    `freeze()` stops it; `advance()` moves it on, frozen or not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        with self._lock:
            return self._frozen or datetime.now(UTC) + self._offset

    def freeze(self, at: datetime | None = None) -> None:
        with self._lock:
            self._frozen = at or datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> None:
        with self._lock:
            if self._frozen:
                self._frozen += by
            else:
                self._offset += by
