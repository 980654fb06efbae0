"""What goes wrong while kintone is read: the mirror loses nothing by it, says why, and goes on when it is mended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, Record
from simulators.kintone import Fault
from syncer.connections import connect_kintone
from syncer.gateways.kintone import KintoneApp
from syncer.gateways.kintone_usage import DAILY_QUOTA, TIGHT_SHARE, find_hour
from syncer.mirror import records as mirror
from syncer.models import AppState, KintoneUsage
from syncer.preparing import RunFailed, read_one_record
from syncer.records.rhythm import Occasion
from syncer.records.scanning import AppFailure, AppReading, find_record, read_app, read_record, read_records
from syncer.records.usage import load_usage
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db

TEXT = {"type": "MULTI_LINE_TEXT", "label": "text"}


def read(occasion: Occasion = Occasion.CHECKED) -> AppReading:
    return read_app(connect_kintone()[1], occasion)


def look() -> AppReading:
    return read(Occasion.LOOK)


def fail(occasion: Occasion = Occasion.CHECKED) -> str:
    """The code of the sentence with which the app stops."""
    with pytest.raises(AppFailure) as failed:
        read(occasion)
    assert state().error["code"] == failed.value.reason.code
    return failed.value.reason.code


def state() -> AppState:
    return AppState.objects.get(kind=AppKind.ASSIGNMENT)


def shift(**values: Any) -> None:
    AppState.objects.filter(kind=AppKind.ASSIGNMENT).update(**values)


def held() -> dict[str, int]:
    return {row.reference: row.revision for row in Record.objects.live().of_kind(AppKind.ASSIGNMENT)}


def register(world: World, count: int) -> list[str]:
    return [world.register("shop", "Reader", "hana") for _number in range(count)]


@pytest.fixture
def three(world: World) -> list[str]:
    """Three assignment records, read once."""
    references = register(world, 3)
    read()
    return references


@pytest.fixture
def thirty(world: World) -> list[str]:
    references = register(world, 30)
    read()
    return references


# --- The form, pinned without a request -------------------------------------------------------------------------------


def rename(code: str, new: str) -> Any:
    """Give a field another code, as people do who only meant its label."""

    def change(form: dict[str, Any]) -> None:
        form[new] = {**form.pop(code), "code": new}

    return change


def test_renamed_field_stops_the_look_that_meets_it(world: World, three: list[str]) -> None:
    world.change_form(world.assignments, rename("users", "people"))
    world.edit(three[0], groups="developers")
    before = held()
    assert fail(Occasion.LOOK) == "kintone_fields_missing"
    assert held() == before


def test_renamed_field_named_in_the_settings_goes_on(world: World, three: list[str], settings: Settings) -> None:
    world.change_form(world.assignments, rename("users", "people"))
    world.edit(three[0], groups="developers")
    assert fail(Occasion.LOOK) == "kintone_fields_missing"
    settings.KINTONE_ASSIGNMENT_FIELDS = {"users": "people"}
    assert look().codes["users"] == "people"
    assert state().error == {}


def test_changed_type_stops_the_look_that_meets_it(world: World, three: list[str]) -> None:
    number = {"type": "NUMBER", "code": "groups", "label": "groups"}
    world.change_form(world.assignments, lambda form: form.update(groups=number))
    world.edit(three[0], expires_on="2030-01-01")
    before = held()
    assert fail(Occasion.LOOK) == "kintone_field_type"
    assert held() == before


def test_quiet_look_notices_the_form_within_ten_minutes(world: World, three: list[str]) -> None:
    world.change_form(world.assignments, lambda form: form.pop("users"))
    shift(watermark=timezone.now() + timedelta(days=1))  # so that no body comes
    assert look().changed == frozenset()
    shift(form_at=timezone.now() - timedelta(minutes=10))
    assert fail(Occasion.LOOK) == "kintone_fields_missing"


def test_look_finds_the_time_field_under_its_new_code(world: World, three: list[str]) -> None:
    """It is a field like any other: codes of system fields can be changed as well."""
    code = next(code for code, kind in state().form.items() if kind == "UPDATED_TIME")
    world.change_form(world.assignments, rename(code, "changed_at"))
    world.edit(three[0], groups="developers")
    assert look().changed == {three[0]}


def test_new_field_has_every_body_read_anew(world: World, three: list[str]) -> None:
    world.change_form(world.assignments, lambda form: form.update(more_users={**TEXT, "code": "more_users"}))
    reading = read()
    record = find_record(three[0])
    assert record
    assert "more_users" in record.body
    assert (reading.changed, record.revision) == (frozenset(), 1)


def test_targeted_reading_stops_at_a_renamed_field(world: World, three: list[str]) -> None:
    world.change_form(world.assignments, rename("users", "people"))
    read_app(connect_kintone()[0], Occasion.CHECKED)
    with pytest.raises(RunFailed) as failed:
        read_one_record(three[0])
    assert failed.value.reason.code == "kintone_fields_missing"


# --- Rights and vanishing records -------------------------------------------------------------------------------------


def test_rights_lost_on_half_of_the_records_take_nothing(world: World, thirty: list[str]) -> None:
    with world.hide(*thirty[:15]):
        reading = read()
        assert (reading.shrunk, reading.gone, reading.missing) == (True, frozenset(), frozenset(thirty[:15]))
        assert held().keys() == set(thirty)


def test_rights_lost_on_half_of_a_small_app_take_nothing(world: World) -> None:
    references = register(world, 10)
    read()
    with world.hide(*references[:5]):
        assert (read().gone, look().gone) == (frozenset(), frozenset())
        reading = read_records(connect_kintone()[1], [reference.partition(":")[2] for reference in references])
    assert (reading.gone, set(held())) == (frozenset(), set(references))


def test_looks_remember_what_is_missing_and_scan_no_more(world: World, thirty: list[str]) -> None:
    with world.hide(*thirty[:15]):
        read()
        before = world.kintone.calls.total()
        reading = look()
    assert (reading.shrunk, reading.missing) == (True, frozenset(thirty[:15]))
    assert world.kintone.calls.total() - before == 1


def test_records_that_are_back_are_missing_no_more(world: World, thirty: list[str]) -> None:
    with world.hide(*thirty[:15]):
        read()
    reading = look()
    assert (reading.shrunk, reading.missing, reading.gone) == (False, frozenset(), frozenset())


@pytest.mark.parametrize("occasion", [Occasion.LOOK, Occasion.ROUTINE, Occasion.CHECKED, Occasion.EVERYTHING])
def test_brake_is_on_at_every_way_of_reading(world: World, thirty: list[str], occasion: Occasion) -> None:
    with world.hide(*thirty[:15]):
        assert read(occasion).gone == frozenset()
    assert held().keys() == set(thirty)


def test_brake_is_on_for_a_single_record(world: World, thirty: list[str]) -> None:
    """Webhooks ask for one record after another: each of them alone would look like a deletion."""
    with world.hide(*thirty[:15]):
        for reference in thirty[:15]:
            reading = read_record(connect_kintone()[1], reference.partition(":")[2])
            assert reading
            assert (reading.gone, reading.shrunk) == (frozenset(), True)
    assert held().keys() == set(thirty)


def test_brake_is_on_for_a_burst_of_hints(world: World, thirty: list[str]) -> None:
    ids = [reference.partition(":")[2] for reference in thirty]
    with world.hide(*thirty[:15]):
        reading = read_records(connect_kintone()[1], ids)
    assert (reading.gone, reading.missing) == (frozenset(), frozenset(thirty[:15]))


def test_records_of_a_burst_are_gone_where_the_count_agrees(world: World, thirty: list[str]) -> None:
    world.delete(*thirty[:2])
    world.edit(thirty[2], groups="developers")
    before = world.kintone.calls.total()
    reading = read_records(connect_kintone()[1], [reference.partition(":")[2] for reference in thirty[:3]])
    assert (set(reading.changed), set(reading.gone)) == ({thirty[2]}, set(thirty[:2]))
    assert world.kintone.calls.total() - before == 2


def test_single_record_is_gone_where_the_count_agrees(world: World, three: list[str]) -> None:
    world.delete(three[0])
    before = world.kintone.calls.total()
    reading = read_record(connect_kintone()[1], three[0].partition(":")[2])
    assert reading
    assert (set(reading.gone), world.kintone.calls.total() - before) == ({three[0]}, 2)


def test_last_record_is_not_believed_to_be_gone_alone(world: World) -> None:
    (only,) = register(world, 1)
    read()
    world.delete(only)
    reading = read_record(connect_kintone()[1], only.partition(":")[2])
    assert reading
    assert (reading.shrunk, set(held())) == (True, {only})


def test_many_deleted_records_are_asked_for_together(world: World) -> None:
    references = register(world, 499)
    read()
    world.delete(*references[:24])
    before = world.kintone.calls.total()
    assert look().gone == set(references[:24])
    assert world.kintone.calls.total() - before == 4  # the look, the scan, one question about the 24


# --- Restored from a backup -------------------------------------------------------------------------------------------


def test_record_under_its_old_revision_with_another_time_is_a_change(world: World, three: list[str]) -> None:
    """The app was restored, and the record edited as often as before."""
    Record.objects.update(in_force_revision=1)
    world.clock.advance(timedelta(hours=1))
    world.edit(three[0], groups="developers")
    world.restore(three[0], revision=1)
    assert look().changed == {three[0]}
    record = find_record(three[0])
    assert record
    assert (record.body["groups"]["value"], record.in_force_revision) == ("developers", None)


def test_revisions_that_went_back_are_taken_over(world: World, three: list[str]) -> None:
    for _time in range(3):
        world.edit(three[0], groups="developers")
    assert look().changed == {three[0]}
    world.restore(three[0], revision=2)
    assert read().changed == {three[0]}
    assert held()[three[0]] == 2


def test_older_body_does_not_overwrite_what_came_meanwhile(
    world: World, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save brings its own record while a scan has a page of before."""
    store = mirror.store_bodies

    def store_late(*arguments: Any, **options: Any) -> set[str]:
        monkeypatch.setattr(mirror, "store_bodies", store)
        world.edit(three[0], groups="developers")
        read_record(connect_kintone()[1], three[0].partition(":")[2])
        return store(*arguments, **options)

    monkeypatch.setattr(mirror, "store_bodies", store_late)
    world.edit(three[0], groups="others")
    read()
    assert held()[three[0]] == 3


# --- kintone out of order ---------------------------------------------------------------------------------------------


def test_maintenance_in_the_middle_of_a_scan_takes_nothing(world: World) -> None:
    references = register(world, 501)
    read()
    world.delete(references[0])
    before = state()
    for nth in range(2, 6):  # the first page comes, the second does not, however often it is asked for
        world.kintone.faults.add(Fault(path="/k/v1/records.json", nth=nth, status=503, text="Service Unavailable"))
    assert fail() == "kintone_unavailable"
    after = state()
    assert (after.watermark, after.scanned_at) == (before.watermark, before.scanned_at)
    assert held().keys() == set(references)


def test_first_reading_that_broke_off_begins_anew(world: World) -> None:
    """Half of an app is no mirror: nothing may be planned from it."""
    register(world, 501)
    for nth in range(2, 6):
        world.kintone.faults.add(Fault(path="/k/v1/records.json", nth=nth, status=503, text="Service Unavailable"))
    assert fail() == "kintone_unavailable"
    assert state().scanned_at is None
    world.kintone.faults.clear()
    assert read(Occasion.LOOK).records == 501
    assert Record.objects.filter(at_first_run=True).count() == 501


def test_count_of_bodies_that_differs_is_settled_by_the_ids(
    world: World, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody registers while everything is read."""
    pages = KintoneApp.iter_all
    monkeypatch.setattr(KintoneApp, "iter_all", lambda app: ((page[1:], count) for page, count in pages(app)))
    reading = read(Occasion.EVERYTHING)
    assert (reading.records, reading.gone) == (3, frozenset())


def test_wrong_token_leaves_everything(world: World, three: list[str], settings: Settings) -> None:
    settings.KINTONE_ASSIGNMENT_API_TOKEN = "wrong"
    before = held()
    assert [fail(occasion) for occasion in (Occasion.LOOK, Occasion.CHECKED)] == ["kintone_token_refused"] * 2
    assert held() == before


# --- The quota --------------------------------------------------------------------------------------------------------


def spend(share: float = TIGHT_SHARE) -> None:
    """All programs together, so far today."""
    KintoneUsage.objects.all().delete()
    hour = find_hour(timezone.now())
    KintoneUsage.objects.create(app_id=state().app_id, hour=hour, requests=int(share * DAILY_QUOTA))


def test_nearly_spent_quota_spares_looks_and_forgets_nothing(world: World, three: list[str]) -> None:
    spend()
    world.edit(three[0], groups="developers")
    before = world.kintone.calls.total()
    assert look().changed == frozenset()
    assert world.kintone.calls.total() == before
    shift(read_at=timezone.now() - timedelta(minutes=10))
    assert look().changed == {three[0]}


def test_nearly_spent_quota_puts_a_scan_off_that_only_the_count_asks_for(world: World, three: list[str]) -> None:
    spend()
    shift(read_at=timezone.now() - timedelta(hours=1))
    world.delete(three[0])
    assert look().gone == frozenset()
    assert read().gone == {three[0]}


def test_requests_of_readings_are_counted(world: World) -> None:
    with connect_kintone()[1].app as app:
        read_app(replace(connect_kintone()[1], app=app), Occasion.LOOK)
    asked = sum(count for (_day, number), count in world.kintone.requests.items() if number == world.assignments.id)
    assert (load_usage(str(world.assignments.id), timezone.now()).today, asked) == (2, 2)


def test_10_001_records_are_scanned_with_21_requests(world: World) -> None:
    """More than an offset may skip."""
    world.multiply(register(world, 1)[0], 10_001)
    before = world.kintone.calls.total()
    assert len(connect_kintone()[1].app.scan_revisions()) == 10_001
    assert world.kintone.calls.total() - before == 21
