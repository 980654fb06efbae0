"""The requests that kintone counts: how they are counted, kept, and foreseen."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import OperationalError

from simulators.kintone import Fault
from syncer.connections import connect_kintone, connect_kintone_domain
from syncer.gateways.errors import Unavailable
from syncer.gateways.kintone_bulk import BulkCreate
from syncer.gateways.kintone_usage import FLUSH_EVERY, Forecast, Meter, Spent, Usage, find_hour, forecast_day
from syncer.gateways.pacing import StoreAway
from syncer.models import KintoneUsage
from syncer.records.usage import KEPT, DatabaseUsage, _add, load_usage
from tests.syncer.worlds import World

# 8:59 in Japan, the last minute of kintone's day.
LAST_MINUTE = datetime(2026, 11, 24, 23, 59, 30, tzinfo=UTC)


class Store:
    """Keeps counts in memory, and is away when told so."""

    def __init__(self) -> None:
        self.counts, self.is_away, self.visits = Counter[Spent](), False, 0

    def add(self, counts: Mapping[Spent, int]) -> None:
        if self.is_away:
            raise StoreAway("out")
        self.visits += 1
        self.counts.update(counts)


@pytest.fixture
def store() -> Store:
    return Store()


# Counting


def test_store_is_visited_once_in_a_hundred_requests(store: Store) -> None:
    meter = Meter(store, clock=lambda: LAST_MINUTE)
    for _number in range(FLUSH_EVERY + 1):
        meter.count("24")
    assert (store.visits, store.counts.total()) == (1, FLUSH_EVERY)
    meter.flush()
    meter.flush()
    assert (store.visits, store.counts.total()) == (2, FLUSH_EVERY + 1)


def test_other_threads_count_and_leave_the_store_alone(store: Store) -> None:
    meter = Meter(store, clock=lambda: LAST_MINUTE)

    def count() -> None:
        for _number in range(2 * FLUSH_EVERY):
            meter.count("24")

    thread = Thread(target=count)
    thread.start()
    thread.join()
    assert store.visits == 0
    meter.count("24")
    assert (store.visits, store.counts.total()) == (1, 2 * FLUSH_EVERY + 1)


def test_requests_go_to_the_hour_they_were_sent_in(store: Store) -> None:
    times = iter([LAST_MINUTE, LAST_MINUTE + timedelta(minutes=1)])
    meter = Meter(store, clock=lambda: next(times))
    meter.count("24")
    meter.count("24")
    meter.flush()
    assert {spent.hour.hour for spent in store.counts} == {23, 0}


def test_counts_wait_for_a_store_that_is_away(store: Store) -> None:
    meter, store.is_away = Meter(store), True
    meter.count("24")
    meter.flush()
    store.is_away = False
    meter.count("24")
    meter.flush()
    assert store.counts.total() == 2


# Keeping


@pytest.mark.django_db
def test_counts_of_all_processes_add_up() -> None:
    spent = Spent("24", find_hour(LAST_MINUTE))
    DatabaseUsage().add({spent: 2})
    DatabaseUsage().add({spent: 3, Spent("23", spent.hour): 7})
    assert load_usage("24", LAST_MINUTE) == Usage(today=5, lately=5)


@pytest.mark.django_db
def test_day_ends_at_nine_in_japan() -> None:
    DatabaseUsage().add({Spent("24", find_hour(LAST_MINUTE)): 4})
    assert load_usage("24", LAST_MINUTE + timedelta(minutes=1)) == Usage(today=0, lately=4)
    assert load_usage("24", LAST_MINUTE + timedelta(hours=2)) == Usage()


@pytest.mark.django_db
def test_old_hours_are_forgotten() -> None:
    for at in (LAST_MINUTE - KEPT - timedelta(hours=1), LAST_MINUTE):
        DatabaseUsage().add({Spent("24", find_hour(at)): 1})
    assert KintoneUsage.objects.count() == 1


@pytest.mark.django_db
def test_database_that_fails_has_added_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(spent: Spent, count: int) -> None:
        if spent.app_id == "23":
            raise OperationalError("database is locked")
        _add(spent, count)

    monkeypatch.setattr("syncer.records.usage._add", add)
    hour = find_hour(LAST_MINUTE)
    with pytest.raises(StoreAway):
        DatabaseUsage().add({Spent("24", hour): 1, Spent("23", hour): 1})
    assert not KintoneUsage.objects.exists()


# What kintone counts, and we with it


def count_stored() -> int:
    return sum(KintoneUsage.objects.values_list("requests", flat=True))


@pytest.mark.django_db
def test_we_count_what_kintone_counts(world: World) -> None:
    world.kintone.faults.add(Fault(path="/k/v1/records.json", code="GAIA_TO04", times=1))
    _sets, assignments = connect_kintone()
    with assignments.app as app:
        app.fetch_fields()
        app.create_record({"account_id": "1"})
        app.scan_revisions()
    with connect_kintone_domain() as domain:
        domain.bulk_write([BulkCreate(assignments.app.app_id, [{"account_id": "2"}])])
    counted = sum(count for (_day, app_id), count in world.kintone.requests.items() if app_id == world.assignments.id)
    refused = 1  # that kintone counts what it refuses is not known; so we do
    assert count_stored() == counted + refused == 4


@pytest.mark.django_db
def test_requests_of_a_reading_that_fails_are_counted(world: World) -> None:
    world.kintone.faults.add(Fault(status=503, text="Service Unavailable"))
    _sets, assignments = connect_kintone()
    with pytest.raises(Unavailable), assignments.app as app:
        app.count_records()
    assert count_stored() == 4


# Foreseeing


@pytest.mark.parametrize(
    ("hour", "minute", "usage", "expected", "is_tight"),
    [
        (0, 0, Usage(0, 0), 0, False),
        (12, 0, Usage(2_400, 200), 2_400 + 200 * 12, False),
        (12, 30, Usage(2_500, 300), 2_500 + 2_300, False),
        (12, 0, Usage(1_000, 500), 7_000, True),
        (23, 30, Usage(6_990, 30), 7_000, True),
        (23, 30, Usage(6_980, 30), 6_990, False),
    ],
)
def test_recent_pace_goes_on_until_the_day_ends(
    hour: int, minute: int, usage: Usage, expected: int, is_tight: bool
) -> None:
    day = forecast_day(usage, datetime(2026, 11, 25, hour, minute, tzinfo=UTC))
    assert (day.expected, day.is_tight) == (expected, is_tight)


def test_wide_course_has_more_to_spend() -> None:
    assert Forecast(spent=1, expected=50_000, quota=100_000).share == 0.5
