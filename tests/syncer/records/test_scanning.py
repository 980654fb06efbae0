"""Reading kintone into the mirror: what counts as changed, gone, or not to be believed."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, Record
from simulators.kintone import Fault
from syncer.connections import connect_kintone
from syncer.gateways.kintone import KintoneApp
from syncer.models import AppState
from syncer.records.rhythm import LOOK_EVERY, Occasion
from syncer.records.scanning import NEWEST, AppFailure, AppReading, accept_missing, find_record, read_app
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


def scan() -> AppReading:
    return read_app(connect_kintone()[1], Occasion.CHECKED)


def look() -> AppReading:
    return read_app(connect_kintone()[1], Occasion.LOOK)


def live() -> set[str]:
    return {record.reference for record in Record.objects.live().of_kind(AppKind.ASSIGNMENT)}


@pytest.fixture
def scanned(world: World) -> World:
    """Three assignment records, read once."""
    for account in ("shop", "blog", "platform"):
        world.register(account, "Reader", "hana")
    assert len(scan().changed) == 3
    return world


@pytest.fixture
def first(scanned: World) -> str:
    return f"{scanned.assignments.id}:1"


def test_second_scan_finds_nothing_new(scanned: World) -> None:
    reading = scan()
    assert (reading.changed, reading.gone, reading.records) == (frozenset(), frozenset(), 3)


def test_records_of_the_first_scan_were_here_before(scanned: World) -> None:
    scanned.register("shop", "Reader", "taro")
    scan()
    assert Record.objects.filter(at_first_run=True).count() == 3


def test_changed_record_is_read_anew(scanned: World, first: str) -> None:
    scanned.edit(first, groups="developers")
    assert scan().changed == {first}
    record = find_record(first)
    assert record
    assert (record.revision, record.body["groups"]["value"]) == (2, "developers")


def test_unchanged_records_are_not_fetched_again(scanned: World) -> None:
    before = scanned.kintone.calls["GET", "/k/v1/records.json"]
    scan()
    assert scanned.kintone.calls["GET", "/k/v1/records.json"] == before + 1


def test_lower_revision_is_a_change_too(scanned: World, first: str) -> None:
    """An app may be restored from a backup."""
    Record.objects.filter(record_id="1").update(revision=7)
    assert scan().changed == {first}


def test_deleted_record_is_gone_and_stays_known(scanned: World, first: str) -> None:
    scanned.delete(first)
    assert scan().gone == {first}
    record = find_record(first)
    assert record
    assert record.gone_at
    assert scan().gone == frozenset()


def test_record_that_came_back_is_live_again(scanned: World, first: str) -> None:
    Record.objects.filter(record_id="1").update(gone_at=timezone.now())
    assert scan().changed == {first}
    assert first in live()


def test_record_missing_from_the_scan_is_asked_for_before_it_counts_as_gone(
    scanned: World, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KintoneApp, "scan_revisions", lambda _app: {"2": 1, "3": 1})
    assert scan().gone == frozenset()
    assert first in live()


def test_record_that_cannot_be_asked_for_is_not_gone(scanned: World, first: str) -> None:
    scanned.delete(first)
    scanned.kintone.faults.add(Fault(path="/k/v1/record.json", status=503, text="Service Unavailable"))
    with pytest.raises(AppFailure):
        scan()
    assert first in live()


def test_empty_app_is_not_believed(scanned: World) -> None:
    scanned.delete(*live())
    reading = scan()
    assert (reading.shrunk, reading.gone, len(reading.missing)) == (True, frozenset(), 3)
    assert len(live()) == 3


def test_accepted_records_are_gone(scanned: World) -> None:
    scanned.delete(*live())
    accept_missing([scan()])
    state = AppState.objects.get(kind=AppKind.ASSIGNMENT)
    assert (live(), state.missing, state.is_short) == (set(), [], False)


@pytest.mark.parametrize(
    ("records", "deleted", "is_believed"),
    [(30, 10, True), (30, 11, False), (10, 4, True), (10, 5, False), (4, 3, True)],
)
def test_few_missing_records_are_believed(world: World, records: int, deleted: int, is_believed: bool) -> None:
    references = [world.register("shop", "Reader", "hana") for _ in range(records)]
    scan()
    world.delete(*references[:deleted])
    reading = scan()
    assert (not reading.shrunk, len(reading.gone)) == (is_believed, deleted if is_believed else 0)


def test_records_of_an_app_named_before_are_gone_with_it(scanned: World) -> None:
    Record.objects.filter(record_id="1").update(app_id="999")
    reading = scan()
    assert reading.gone == {"999:1"}
    assert len(live()) == 3


def test_state_tells_how_far_the_app_was_read(scanned: World) -> None:
    state = AppState.objects.get(kind=AppKind.ASSIGNMENT)
    assert state.scanned_at
    assert state.watermark
    assert state.watermark <= scanned.clock.now()
    assert state.fields == {name: name for name in ("account_id", "permission_set", "users", "groups", "expires_on")}


# --- Looks ------------------------------------------------------------------------------------------------------------


def test_look_finds_what_changed(scanned: World, first: str) -> None:
    scanned.edit(first, groups="developers")
    added = scanned.register("shop", "Reader", "taro")
    assert look().changed == {first, added}


def test_change_by_hand_is_in_the_mirror_within_a_minute(scanned: World, first: str) -> None:
    """Looks come as the schedule asks for them; in whichever second of the pause somebody saves."""
    for seconds in (1, 25, 49):
        scanned.clock.advance(timedelta(seconds=seconds))
        scanned.edit(first, groups=f"team-{seconds}")
        scanned.clock.advance(LOOK_EVERY - timedelta(seconds=seconds))
        assert look().changed == {first}
        record = find_record(first)
        assert record
        assert record.body["groups"]["value"] == f"team-{seconds}"
    assert timedelta(minutes=1) >= LOOK_EVERY


def test_quiet_look_costs_one_request(scanned: World) -> None:
    before = scanned.kintone.calls.total()
    assert look().changed == frozenset()
    assert scanned.kintone.calls.total() - before == 1


def test_more_changes_than_a_look_asks_for_are_all_found(world: World) -> None:
    references = [world.register("shop", "Reader", "hana") for _number in range(NEWEST + 5)]
    scan()
    for count in (NEWEST - 1, NEWEST, NEWEST + 5):
        world.clock.advance(timedelta(hours=1))
        scan()
        for reference in references[:count]:
            world.edit(reference, groups=str(count))
        before = world.kintone.calls.total()
        assert look().changed == set(references[:count])
        assert world.kintone.calls.total() - before == (1 if count < NEWEST else 2)


def test_record_that_came_where_another_went_is_found_at_once(scanned: World, first: str) -> None:
    """kintone's number is the same as before; ours is not, once what came is stored."""
    scanned.delete(first)
    added = scanned.register("shop", "Reader", "taro")
    reading = look()
    assert (reading.changed, reading.gone) == (frozenset({added}), frozenset({first}))


def test_change_in_the_minute_of_the_last_look_is_not_missed(scanned: World, first: str) -> None:
    """kintone's times are whole minutes."""
    look()
    scanned.edit(first, groups="developers")
    assert look().changed == {first}


def test_clock_of_kintone_counts_not_ours(world: World) -> None:
    world.clock.advance(timedelta(hours=-3))
    first = world.register("shop", "Reader", "hana")
    scan()
    world.edit(first, groups="developers")
    assert look().changed == {first}


def test_look_finds_a_deletion_by_the_count(scanned: World, first: str) -> None:
    scanned.delete(first)
    assert look().gone == {first}


def test_look_finds_records_deleted_together(world: World) -> None:
    """For such deletions kintone calls no webhook."""
    references = [world.register("shop", "Reader", "hana") for _ in range(9)]
    scan()
    world.delete(*references[:3])
    assert look().gone == set(references[:3])


def test_deletion_beside_a_creation_is_found_too(scanned: World, first: str) -> None:
    """kintone's count is the same as before, but not that of the mirror, which has the new record already."""
    scanned.delete(first)
    scanned.register("shop", "Reader", "taro")
    assert look().gone == {first}


def test_first_look_reads_everything(world: World) -> None:
    first = world.register("shop", "Reader", "hana")
    assert look().changed == {first}
    assert AppState.objects.get(kind=AppKind.ASSIGNMENT).scanned_at


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_failure_is_kept_until_the_next_good_reading(scanned: World, settings: Settings) -> None:
    good, settings.KINTONE_ASSIGNMENT_API_TOKEN = settings.KINTONE_ASSIGNMENT_API_TOKEN, "wrong"
    with pytest.raises(AppFailure) as failed:
        scan()
    assert failed.value.kind == AppKind.ASSIGNMENT
    assert AppState.objects.get().error["code"] == "kintone_token_refused"
    settings.KINTONE_ASSIGNMENT_API_TOKEN = good
    scan()
    assert AppState.objects.get().error == {}


def test_failed_reading_moves_no_watermark(scanned: World) -> None:
    before = AppState.objects.get().watermark
    scanned.clock.advance(timedelta(minutes=5))
    scanned.kintone.faults.add(Fault(path="/k/v1/records.json", status=503, text="Service Unavailable"))
    with pytest.raises(AppFailure):
        look()
    assert AppState.objects.get().watermark == before


def test_list_shorter_than_its_count_is_not_believed(scanned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KintoneApp, "_total", lambda _app, _answer: 4)
    with pytest.raises(AppFailure) as failed:
        scan()
    assert failed.value.reason.code == "kintone_truncated"


def test_field_that_went_missing_since_stops_the_app(scanned: World) -> None:
    scanned.change_form(scanned.assignments, lambda form: form.pop("groups"))
    with pytest.raises(AppFailure) as failed:
        scan()
    assert failed.value.reason.code == "kintone_fields_missing"


def test_field_missing_from_a_record_alone_stops_the_app(scanned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form has it still: it is hidden from the token, or went away between two requests."""
    scanned.edit(f"{scanned.assignments.id}:1", groups="developers")
    fetch = KintoneApp.fetch_records

    def fetch_partly(app: KintoneApp, record_ids: Iterable[str]) -> list[dict[str, object]]:
        return [{code: body[code] for code in body if code != "users"} for body in fetch(app, record_ids)]

    monkeypatch.setattr(KintoneApp, "fetch_records", fetch_partly)
    with pytest.raises(AppFailure) as failed:
        scan()
    assert failed.value.reason.code == "kintone_fields_missing"
    assert Record.objects.get(record_id="1", kind=AppKind.ASSIGNMENT).revision == 1


def test_nothing_is_locked_while_kintone_is_asked(scanned: World, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    depths: list[int] = []
    fetch = KintoneApp.fetch_record

    def fetch_and_look(app: KintoneApp, record_id: str) -> object:
        depths.append(len(connection.savepoint_ids))
        return fetch(app, record_id)

    before = len(connection.savepoint_ids)
    monkeypatch.setattr(KintoneApp, "fetch_record", fetch_and_look)
    scanned.delete(first)
    scan()
    assert depths == [before]


def test_field_that_came_later_is_taken_up(scanned: World) -> None:
    text = {"type": "MULTI_LINE_TEXT", "code": "more_users", "label": "more_users"}
    scanned.change_form(scanned.assignments, lambda form: form.update(more_users=text))
    assert "more_users" in scan().codes
