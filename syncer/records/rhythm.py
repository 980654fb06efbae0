"""How often an app of kintone is read, and how much of it: as often as the requests of its day allow. Pure.

kintone blocks nothing, but it counts the requests to each app and writes to the company's administrators when they are
too many for a day. The rest of the quota belongs to everybody else's programs.

The forecast is what was spent plus what the rest of the day would take. It need not be exact: whatever else asks for
requests shows in what was spent at the next decision, and the rhythm gives way then.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from math import ceil

from syncer.gateways.kintone_usage import DAILY_QUOTA, TIGHT_SHARE, find_day

PAGE = 500  # records of a request
RESERVE = 100  # requests at least, or as many as a scan takes, that scans leave to looks: a forecast is rough
LOOK_EVERY = timedelta(seconds=50)  # the shipped schedule of looks at what changed
RUN_EVERY = timedelta(minutes=10)  # and of full runs
FORM_EVERY = timedelta(minutes=10)  # how old the form as it was last read may be
NIGHT = time(3)  # when everything is read, in the portal's zone
SLACK = timedelta(seconds=10)  # a schedule is never exact: what is due by then is due
OVERDUE = timedelta(days=2)  # a night after which looks do what full runs should have done
LOOK = 1  # requests of a look: what was changed last, and the count with it; a second where that is much
DAY = timedelta(days=1)


class Occasion(StrEnum):
    """Why an app is read."""

    LOOK = "look"  # at what changed, every minute
    ROUTINE = "routine"  # a full run of the schedule, or that somebody pressed for
    CHECKED = "checked"  # by hand, or to carry out what was held: no record may be missed
    EVERYTHING = "everything"


class Extent(StrEnum):
    """How much of an app is read."""

    NOTHING = "nothing"
    CHANGES = "changes"  # what was changed since the last time, and the count
    IDS = "ids"  # ids and revisions of all records, bodies of those that differ
    BODIES = "bodies"  # everything


@dataclass(frozen=True)
class Progress:
    """How far an app was read, and what that took of its day. `records` are as many as there were last."""

    records: int = 0
    spent: int = 0
    looked_at: datetime | None = None
    scanned_at: datetime | None = None
    bodies_at: datetime | None = None


@dataclass(frozen=True)
class Rhythm:
    """The shortest time between two looks, and between two scans; zero for each that the schedule asks for."""

    look: timedelta = timedelta(0)
    scan: timedelta = timedelta(0)


RHYTHMS = (
    Rhythm(),
    Rhythm(scan=timedelta(hours=1)),
    Rhythm(scan=timedelta(hours=6)),
    Rhythm(scan=DAY),
    Rhythm(look=timedelta(minutes=2), scan=DAY),
    Rhythm(look=timedelta(minutes=5), scan=DAY),
    Rhythm(look=timedelta(minutes=10), scan=DAY),
)


def decide(occasion: Occasion, progress: Progress, now: datetime, zone: tzinfo, quota: int = DAILY_QUOTA) -> Extent:
    """How much of the app is to be read now."""
    if occasion is Occasion.EVERYTHING or progress.scanned_at is None or progress.looked_at is None:
        return Extent.BODIES
    if _must_read_everything(occasion, progress.bodies_at, now, zone):
        return Extent.BODIES
    rhythm = choose_rhythm(progress, now, quota)
    if occasion is Occasion.LOOK:
        return Extent.CHANGES if _is_due(progress.looked_at, rhythm.look, now) else Extent.NOTHING
    is_due = occasion is Occasion.CHECKED or _is_due(progress.scanned_at, rhythm.scan, now)
    return Extent.IDS if is_due else Extent.CHANGES


def _must_read_everything(occasion: Occasion, last: datetime | None, now: datetime, zone: tzinfo) -> bool:
    """Whether a night has begun since everything was read. Looks are quick: they leave it to full runs for a while."""
    if last is None:
        return True
    if occasion is Occasion.LOOK:
        return now - last > OVERDUE
    local = now.astimezone(zone)
    night = datetime.combine(local.date(), NIGHT, zone)
    return last < (night if night <= local else night - DAY)


def may_scan(progress: Progress, now: datetime, quota: int = DAILY_QUOTA) -> bool:
    """Whether the day can take a scan that the schedule has not asked for, because the count differs.

    Looks must stay as frequent as they are, and there must be requests left for the scans that are due anyhow.
    """
    rhythm = choose_rhythm(progress, now, quota)
    if progress.scanned_at is None or (rhythm.scan and _is_due(progress.scanned_at, rhythm.scan, now)):
        return True
    after = replace(progress, spent=progress.spent + count_pages(progress.records))
    return choose_rhythm(after, now, quota).scan < DAY


def choose_rhythm(progress: Progress, now: datetime, quota: int = DAILY_QUOTA) -> Rhythm:
    """The quickest of which the day can take the rest; the slowest if it can take none."""
    return next((rhythm for rhythm in RHYTHMS if _fits(progress, rhythm, now, quota)), RHYTHMS[-1])


def _fits(progress: Progress, rhythm: Rhythm, now: datetime, quota: int) -> bool:
    left = 0 if rhythm.scan >= DAY else max(RESERVE, count_pages(progress.records))
    return forecast(progress, rhythm, now) <= TIGHT_SHARE * quota - left


def forecast(progress: Progress, rhythm: Rhythm, now: datetime) -> int:
    """The requests of the whole day if it goes on in this rhythm, a reading of everything included."""
    rest = find_day(now) + DAY - now
    everything_is_due = progress.bodies_at is None or progress.bodies_at < find_day(now)
    pages, scan = count_pages(progress.records), max(rhythm.scan, RUN_EVERY)
    looks = rest / max(rhythm.look, LOOK_EVERY) + rest / RUN_EVERY - rest / scan
    return progress.spent + ceil(looks * LOOK + rest / scan * pages + rest / FORM_EVERY) + pages * everything_is_due


def count_pages(records: int) -> int:
    """Requests of a scan: the last page is known by being short."""
    return records // PAGE + 1


def _is_due(last: datetime, every: timedelta, now: datetime) -> bool:
    return now - last >= every - SLACK
