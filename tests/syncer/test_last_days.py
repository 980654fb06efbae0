"""Last days: told ahead, and ended by the first run of any kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import Account, OwnerEntry, Person, Record
from accounts.sentences import render
from syncer import runs, tasks
from syncer.mirror.last_days import company_day
from syncer.models import Letter, LetterSettings, Notice, Run
from tests import factories
from tests.syncer.running import sync
from tests.syncer.worlds import FOREIGN, World

pytestmark = pytest.mark.django_db

TOKYO = ZoneInfo("Asia/Tokyo")
HANA, KEN = ("shop", "Reader", "hana"), ("shop", "Reader", "ken")


@contextmanager
def on(day: date, at: time = time(10)) -> Iterator[None]:
    with time_machine.travel(datetime.combine(day, at, TOKYO)):
        yield


def today() -> date:
    return datetime.now(TOKYO).date()


def register_until(world: World, day: date, *users: str, **values: Any) -> str:
    world.register_set("Reader")
    return register_reader(world, day, *users, **values)


def register_reader(world: World, day: date | None, *users: str, **values: Any) -> str:
    ends = {"expires_on": day.isoformat()} if day else {}
    reference = world.register("shop", "Reader", *users, **ends, **values)
    sync()
    return reference


def look_at_changes() -> Run | None:
    return runs.run_changes(runs.Stopping())


def told() -> list[tuple[str, str]]:
    return [(notice.code, notice.params["names"]) for notice in Notice.objects.order_by("pk")]


# --- The end --------------------------------------------------------------------------------------------------------


def test_next_look_at_the_changes_ends_a_passed_day(world: World) -> None:
    register_until(world, today(), "hana")
    with on(today() + timedelta(days=1), time(0, 1)):
        run = look_at_changes()
        assert world.granted() == FOREIGN
    assert run
    assert run.kind == Run.Kind.CHANGES


def test_last_day_itself_is_left_alone(world: World) -> None:
    register_until(world, today(), "hana")
    with on(today(), time(23, 59)):
        assert look_at_changes() is None
    assert HANA in world.granted()


def test_what_has_ended_is_not_looked_at_again(world: World) -> None:
    register_until(world, today(), "hana")
    with on(today() + timedelta(days=1)):
        look_at_changes()
        assert look_at_changes() is None


def test_day_of_a_record_that_broke_ends_between_full_runs(world: World) -> None:
    reference = register_until(world, today(), "hana")
    world.edit(reference, account_id="12")
    sync()
    assert HANA in world.granted()
    with on(today() + timedelta(days=1)):
        look_at_changes()
        assert world.granted() == FOREIGN
        assert look_at_changes() is None


def test_longer_wish_of_another_record_is_no_reason_to_look_for_ever(world: World) -> None:
    register_until(world, today(), "hana")
    register_reader(world, None, "hana")
    with on(today() + timedelta(days=1)):
        look_at_changes()
        assert HANA in world.granted()
        assert look_at_changes() is None


def test_end_in_an_account_that_is_not_active_waits_for_it(world: World) -> None:
    register_until(world, today(), "hana")
    world.aws.set_account_state(world.account_ids["shop"], "SUSPENDED")
    with on(today() + timedelta(days=1)):
        sync()
        Record.objects.update(is_settled=True)
        assert look_at_changes() is None


# --- Telling --------------------------------------------------------------------------------------------------------


def test_owners_are_told_a_week_and_a_day_before(world: World) -> None:
    reference = register_until(world, today() + timedelta(days=7), "hana", "ken")
    tasks.tell_last_days()
    assert told() == [("last_day_week", "hana, ken")]
    with on(today() + timedelta(days=6)):
        tasks.tell_last_days()
    assert told() == [("last_day_week", "hana, ken"), ("last_day_tomorrow", "hana, ken")]
    notice = Notice.objects.latest("pk")
    assert notice.path == f"/records/{reference.replace(':', '/')}/extend/"
    assert "shop" in render(notice.code, notice.params).message


def test_owners_get_a_letter_of_each_reminder_once(world: World) -> None:
    reference = register_until(world, today() + timedelta(days=7), "hana")
    ken = Person.objects.get(email="ken@example.com")
    OwnerEntry.objects.create(account=Account.objects.get(name="shop"), principal=factories.get_principal(ken))
    LetterSettings.objects.update(owners="mail")
    for _number in range(2):
        tasks.tell_last_days()
    letter = Letter.objects.get(person=ken)
    assert (letter.kind, letter.params["names"], letter.path) == (
        "expiry", "hana", f"/records/{reference.replace(':', '/')}/extend/",
    )  # fmt: skip
    with on(today() + timedelta(days=6)):
        tasks.tell_last_days()
    assert Letter.objects.filter(person=ken).count() == 2


def test_telling_often_tells_once(world: World) -> None:
    register_until(world, today() + timedelta(days=7), "hana")
    for days in (0, 0, 1, 2):
        with on(today() + timedelta(days=days)):
            tasks.tell_last_days()
    assert len(told()) == 1


def test_task_that_missed_two_days_tells_the_end_that_is_still_ahead(world: World) -> None:
    register_until(world, today() + timedelta(days=7), "hana")
    tasks.tell_last_days()
    with on(today() + timedelta(days=7)):
        tasks.tell_last_days()
    assert [code for code, _names in told()] == ["last_day_week", "last_day_tomorrow"]


def test_access_that_goes_on_by_another_record_is_not_told(world: World) -> None:
    register_until(world, today() + timedelta(days=1), "hana", "ken")
    register_reader(world, None, "hana")
    tasks.tell_last_days()
    assert told() == [("last_day_tomorrow", "ken")]


def test_full_run_does_not_take_a_reminder_for_over(world: World) -> None:
    register_until(world, today() + timedelta(days=1), "hana")
    tasks.tell_last_days()
    sync()
    tasks.tell_last_days()
    assert len(Notice.objects.filter(kind=Notice.Kind.PEOPLE)) == 1


def test_day_ends_in_the_companys_zone() -> None:
    assert company_day(datetime(2026, 11, 23, 15, tzinfo=ZoneInfo("UTC"))) == date(2026, 11, 24)


# --- Zones ------------------------------------------------------------------------------------------------------------

NEW_YORK = ZoneInfo("America/New_York")  # on 2026-11-01 the clocks go back, on 2027-03-14 forward


@pytest.mark.parametrize("day", [date(2026, 11, 1), date(2027, 3, 14), date(2027, 7, 1)])
def test_last_day_ends_at_its_own_midnight_also_when_clocks_change(settings: Settings, day: date) -> None:
    settings.TIME_ZONE = NEW_YORK.key
    midnight = datetime.combine(day + timedelta(days=1), time(), NEW_YORK).astimezone(UTC)
    assert company_day(midnight - timedelta(seconds=1)) == day
    assert company_day(midnight) == day + timedelta(days=1)


def test_run_ends_a_day_of_25_hours_after_the_25th(world: World, settings: Settings) -> None:
    settings.TIME_ZONE = NEW_YORK.key
    long_day = date(2026, 11, 1)
    begin = datetime.combine(long_day, time(), NEW_YORK).astimezone(UTC)
    with time_machine.travel(begin + timedelta(hours=1)):
        register_until(world, long_day, "hana")
        assert HANA in world.granted()
    with time_machine.travel(begin + timedelta(hours=24, minutes=59)):
        sync()
        assert HANA in world.granted()
    with time_machine.travel(begin + timedelta(hours=25)):
        sync()
        assert HANA not in world.granted()
