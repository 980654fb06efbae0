"""A day of readings on a simulated clock, as the shipped schedule asks for them: no network, no database.

What a reading takes is what `tests/syncer/records/test_scanning.py` counts of real ones.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from syncer.records.rhythm import (
    FORM_EVERY,
    LOOK,
    LOOK_EVERY,
    RUN_EVERY,
    Extent,
    Occasion,
    Progress,
    count_pages,
    decide,
    may_scan,
)

ZONE = ZoneInfo("Asia/Tokyo")
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)  # 9:00 in Japan, when kintone's day begins


@dataclass
class Day:
    """What one app was asked for in a day."""

    progress: Progress
    form_at: datetime
    scans: int = 0  # readings of all bodies among them
    longest_gap: timedelta = timedelta(0)  # between two readings

    @property
    def requests(self) -> int:
        return self.progress.spent

    def read(self, occasion: Occasion, now: datetime, *, count_differs: bool) -> None:
        extent = decide(occasion, self.progress, now, ZONE)
        if extent is Extent.NOTHING:
            return
        last = self.progress.looked_at or now
        self.longest_gap = max(self.longest_gap, now - last)
        self._spend(self._find_cost(extent, now))
        if extent is Extent.CHANGES and count_differs and may_scan(self.progress, now):
            self._spend(count_pages(self.progress.records))
            extent = Extent.IDS
        self._note(extent, now)

    def _find_cost(self, extent: Extent, now: datetime) -> int:
        if extent is Extent.CHANGES and now - self.form_at < FORM_EVERY:
            return LOOK
        self.form_at = now
        return 1 + (LOOK if extent is Extent.CHANGES else count_pages(self.progress.records))

    def _spend(self, requests: int) -> None:
        self.progress = replace(self.progress, spent=self.progress.spent + requests)

    def _note(self, extent: Extent, now: datetime) -> None:
        is_scan = extent is not Extent.CHANGES
        self.scans += is_scan
        self.progress = replace(
            self.progress,
            looked_at=now,
            scanned_at=now if is_scan else self.progress.scanned_at,
            bodies_at=now if extent is Extent.BODIES else self.progress.bodies_at,
        )


def live_a_day(records: int, *, count_differs: bool = False) -> Day:
    """One day of kintone, after a day before it."""
    before = MIDNIGHT - timedelta(minutes=1)
    start = Progress(records, looked_at=before, scanned_at=before, bodies_at=MIDNIGHT - timedelta(hours=6))
    day = Day(start, before)
    for occasion, now in _list_beats():
        day.read(occasion, now, count_differs=count_differs)
    return day


def _list_beats() -> list[tuple[Occasion, datetime]]:
    """Every time that the schedule asks for a reading."""
    looks = [(Occasion.LOOK, MIDNIGHT + number * LOOK_EVERY) for number in range(timedelta(days=1) // LOOK_EVERY)]
    runs = [(Occasion.ROUTINE, MIDNIGHT + number * RUN_EVERY) for number in range(timedelta(days=1) // RUN_EVERY)]
    return sorted([*looks, *runs], key=lambda beat: beat[1])
