"""How often an app is read: pure decisions, and whole days of them on a simulated clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncer.gateways.kintone_usage import DAILY_QUOTA, TIGHT_SHARE
from syncer.records.rhythm import (
    RHYTHMS,
    Extent,
    Occasion,
    Progress,
    choose_rhythm,
    count_pages,
    decide,
    may_scan,
)
from tests.syncer.kintone_days import live_a_day

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 11, 25, 3, tzinfo=UTC)  # in Tokyo
FRESH = Progress(
    records=500,
    spent=100,
    looked_at=NOON - timedelta(minutes=1),
    scanned_at=NOON - timedelta(minutes=10),
    bodies_at=NOON - timedelta(hours=6),
)
MANY = replace(FRESH, records=50_000)


def at(occasion: Occasion, progress: Progress, now: datetime = NOON) -> Extent:
    return decide(occasion, progress, now, TOKYO)


# --- What is due ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("occasion", "extent"),
    [
        (Occasion.LOOK, Extent.CHANGES),
        (Occasion.ROUTINE, Extent.IDS),
        (Occasion.CHECKED, Extent.IDS),
        (Occasion.EVERYTHING, Extent.BODIES),
    ],
)
def test_occasion_decides_in_a_small_app(occasion: Occasion, extent: Extent) -> None:
    assert at(occasion, FRESH) is extent


@pytest.mark.parametrize("occasion", Occasion)
def test_app_never_read_is_read_whole(occasion: Occasion) -> None:
    assert at(occasion, Progress()) is Extent.BODIES


def test_large_app_is_scanned_once_an_hour() -> None:
    assert at(Occasion.ROUTINE, MANY) is Extent.CHANGES
    assert at(Occasion.ROUTINE, replace(MANY, scanned_at=NOON - timedelta(hours=1))) is Extent.IDS


def test_run_by_hand_scans_a_large_app_too() -> None:
    assert at(Occasion.CHECKED, MANY) is Extent.IDS


def test_night_brings_everything_to_the_next_full_run() -> None:
    night = datetime(2026, 11, 25, 18, tzinfo=UTC)  # 3:00 in Tokyo
    read = replace(FRESH, bodies_at=night - timedelta(hours=20), looked_at=night, scanned_at=night)
    assert at(Occasion.ROUTINE, read, night - timedelta(seconds=1)) is not Extent.BODIES
    assert at(Occasion.ROUTINE, read, night) is Extent.BODIES
    assert at(Occasion.LOOK, read, night + timedelta(minutes=1)) is Extent.CHANGES


def test_night_that_was_slept_through_is_made_up_for() -> None:
    assert at(Occasion.ROUTINE, replace(FRESH, bodies_at=NOON - timedelta(hours=10))) is Extent.BODIES


def test_looks_read_everything_where_no_full_run_does() -> None:
    assert at(Occasion.LOOK, replace(FRESH, bodies_at=NOON - timedelta(days=3))) is Extent.BODIES


# --- The quota --------------------------------------------------------------------------------------------------------


def test_rhythm_gives_way_step_by_step() -> None:
    chosen = [choose_rhythm(replace(MANY, spent=spent), NOON) for spent in range(0, DAILY_QUOTA, 100)]
    places = [RHYTHMS.index(rhythm) for rhythm in chosen]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (1, len(RHYTHMS) - 1)


def test_nearly_spent_quota_slows_looks_down() -> None:
    spent = replace(FRESH, spent=int(TIGHT_SHARE * DAILY_QUOTA))
    assert at(Occasion.LOOK, spent) is Extent.NOTHING
    assert at(Occasion.LOOK, replace(spent, looked_at=NOON - timedelta(minutes=10))) is Extent.CHANGES
    assert at(Occasion.ROUTINE, spent) is Extent.CHANGES


def test_new_day_brings_the_old_rhythm_back() -> None:
    evening = datetime(2026, 11, 25, 23, 50, tzinfo=UTC)
    spent = replace(FRESH, spent=DAILY_QUOTA, bodies_at=evening)
    assert choose_rhythm(spent, evening) == RHYTHMS[-1]
    assert choose_rhythm(replace(spent, spent=0), evening + timedelta(minutes=10)) == RHYTHMS[0]


def test_differing_count_brings_no_more_scans_than_the_day_can_take() -> None:
    assert may_scan(MANY, NOON)
    assert not may_scan(replace(MANY, spent=5_000), NOON)
    assert may_scan(replace(MANY, spent=5_000, scanned_at=NOON - timedelta(days=1)), NOON)


@pytest.mark.parametrize(("records", "requests"), [(0, 1), (499, 1), (500, 2), (50_000, 101)])
def test_last_page_is_known_by_being_short(records: int, requests: int) -> None:
    assert count_pages(records) == requests


# --- Days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("records", "scans"), [(500, 144), (10_000, 100), (50_000, 24), (200_000, 4)])
def test_day_stays_within_its_share(records: int, scans: int) -> None:
    day = live_a_day(records)
    assert day.requests <= TIGHT_SHARE * DAILY_QUOTA
    assert day.scans >= scans


@pytest.mark.parametrize("records", [500, 50_000, 200_000])
def test_quiet_day_has_a_look_each_minute(records: int) -> None:
    assert live_a_day(records).longest_gap <= timedelta(seconds=60)


def test_day_in_which_the_count_always_differs_stays_within_its_share() -> None:
    day = live_a_day(50_000, count_differs=True)
    assert day.requests <= TIGHT_SHARE * DAILY_QUOTA
    assert day.longest_gap <= timedelta(minutes=1)
