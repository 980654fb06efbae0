"""Writes of many rows in kintone, against the simulated domain: all or none, and which row was at fault."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from simulators.kintone import App, Fault, KintoneWorld
from simulators.serving import Response, Serving
from syncer.gateways.errors import Conflict, GatewayError, NoAnswer, NotFound, OutcomeUnknown, Unavailable
from syncer.gateways.kintone import Deletion, KintoneApp, Update, Upsert, Written
from syncer.gateways.kintone_bulk import BulkCreate, BulkDelete, BulkFailure, BulkRequest, BulkUpdate, BulkUpsert
from syncer.gateways.kintone_domain import KintoneDomain
from syncer.gateways.kintone_errors import FieldFault, InvalidValues, locate

RECORDS, BULK = "/k/v1/records.json", "/k/v1/bulkRequest.json"
RIGHTS: tuple[Literal["view", "add", "edit", "delete"], ...] = ("view", "add", "edit", "delete")


def row(number: int) -> dict[str, str]:
    return {"account_id": f"{number:012}", "request_key": f"key {number}"}


@pytest.fixture
def app(kintone_world: KintoneWorld) -> App:
    """An app with one record, of key 0."""
    text = {"type": "SINGLE_LINE_TEXT"}
    app = kintone_world.add_app(
        "割当", {"account_id": {**text, "required": True}, "request_key": {**text, "unique": True}, "memo": text}
    )
    app.add_record(row(0))
    return app


@pytest.fixture
def token(kintone_world: KintoneWorld, app: App) -> str:
    return kintone_world.add_token([app.id], RIGHTS)


@pytest.fixture
def writer(kintone_url: str, app: App, token: str, pauses: list[float]) -> Iterator[KintoneApp]:
    with KintoneApp(kintone_url, str(app.id), (token,), sleep=pauses.append) as opened:
        yield opened


@pytest.fixture
def domain(kintone_url: str, token: str, pauses: list[float]) -> Iterator[KintoneDomain]:
    with KintoneDomain(kintone_url, (token,), sleep=pauses.append) as opened:
        yield opened


# Up to a hundred rows


def test_creates_rows_in_their_order(writer: KintoneApp, app: App) -> None:
    assert writer.create_records([row(1), row(2)]) == [Written("2", 1), Written("3", 1)]
    assert app.record(3)["account_id"]["value"] == "000000000002"


def test_no_rows_ask_nothing(writer: KintoneApp) -> None:
    assert writer.create_records([]) == []
    writer.delete_records([])
    assert writer.calls == {}


def test_more_rows_than_kintone_takes_are_the_callers_mistake(writer: KintoneApp) -> None:
    with pytest.raises(ValueError, match="100 records"):
        writer.create_records([row(number) for number in range(101)])
    assert writer.calls == {}


def test_one_bad_row_writes_none_and_is_named(writer: KintoneApp, app: App) -> None:
    with pytest.raises(InvalidValues) as caught:
        writer.create_records([row(1), row(2), row(0)])
    [fault] = caught.value.faults
    assert (fault.record, fault.field) == (2, "request_key")
    assert len(app.record_ids()) == 1


def test_updates_rows_whose_revision_still_stands(writer: KintoneApp, app: App) -> None:
    updates = [Update("1", {"memo": "a"}, revision=1)]
    assert writer.update_records(updates) == [Written("1", 2)]
    with pytest.raises(Conflict):
        writer.update_records(updates)


def test_update_without_a_revision_goes_onto_any(writer: KintoneApp, app: App) -> None:
    app.edit_record(1, {"memo": "x"})
    assert writer.update_records([Update("1", {"memo": "y"})]) == [Written("1", 3)]


def test_upsert_finds_by_key_or_creates(writer: KintoneApp, app: App) -> None:
    assert writer.upsert_record("request_key", "key 0", {"memo": "changed"}) == Written("1", 2)
    assert writer.upsert_record("request_key", "key 9", {"account_id": "9"}) == Written("2", 1)
    assert app.record(2)["request_key"]["value"] == "key 9"


def test_deletes_rows_whose_revision_still_stands(writer: KintoneApp, app: App) -> None:
    writer.create_records([row(1)])
    with pytest.raises(Conflict):
        writer.delete_records([Deletion("2"), Deletion("1", revision=7)])
    writer.delete_records([Deletion("2"), Deletion("1", revision=1)])
    assert app.record_ids() == []


def test_deleting_what_is_gone_is_not_found(writer: KintoneApp) -> None:
    with pytest.raises(NotFound):
        writer.delete_records([Deletion("8")])


@pytest.mark.parametrize("method", ["create_records", "update_records", "delete_records"])
def test_rows_that_may_be_written_are_never_sent_again(
    method: str, writer: KintoneApp, kintone_world: KintoneWorld
) -> None:
    kintone_world.faults.add(Fault(path=RECORDS, hang_up=True))
    rows = {"create_records": row(1), "update_records": Update("1", {"memo": "a"}), "delete_records": Deletion("1")}
    with pytest.raises(NoAnswer):
        getattr(writer, method)([rows[method]])
    assert writer.calls.total() == 1


# Bulk requests


def test_bulk_write_cuts_into_chunks_of_two_thousand(domain: KintoneDomain, app: App) -> None:
    [created] = domain.bulk_write([BulkCreate(str(app.id), [row(number) for number in range(1, 2051)])])
    assert [one.record_id for one in (created[0], created[-1])] == ["2", "2051"]
    assert domain.calls == {f"kintone POST bulkRequest.json app {app.id}": 2}


def test_bulk_write_mixes_kinds_and_apps(kintone_url: str, app: App, kintone_world: KintoneWorld) -> None:
    other = kintone_world.add_app("許可セット", {"name": {"type": "SINGLE_LINE_TEXT"}})
    tokens = (kintone_world.add_token([app.id], RIGHTS), kintone_world.add_token([other.id], RIGHTS))
    with KintoneDomain(kintone_url, tokens) as both:
        done = both.bulk_write(
            [
                BulkCreate(str(app.id), [row(1)]),
                BulkCreate(str(other.id), [{"name": "Reader"}]),
                BulkUpdate(str(app.id), [Update("2", {"memo": "a"}, revision=1)]),
                BulkUpsert(str(app.id), [Upsert("request_key", "key 1", {"memo": "b"})]),
                BulkDelete(str(app.id), [Deletion("1")]),
            ]
        )
    assert done == [[Written("2", 1)], [Written("1", 1)], [Written("2", 2)], [Written("2", 3)], []]
    assert (app.record_ids(), other.record_ids()) == ([2], [1])


def test_bulk_write_reaches_a_guest_space(kintone_world: KintoneWorld, kintone_url: str) -> None:
    guest = kintone_world.add_app("割当", {"memo": {"type": "SINGLE_LINE_TEXT"}}, guest_space=7)
    token = kintone_world.add_token([guest.id], RIGHTS)
    with KintoneDomain(kintone_url, (token,), guest_space_id="7") as domain:
        assert domain.bulk_write([BulkCreate(str(guest.id), [{"memo": "a"}])]) == [[Written("1", 1)]]


def test_row_2107_of_2300_is_named_and_its_chunk_undone(domain: KintoneDomain, app: App) -> None:
    rows = [row(number) for number in range(1, 2301)]
    rows[2107] = {**rows[2107], "request_key": "key 0"}
    with pytest.raises(BulkFailure) as caught:
        domain.bulk_write([BulkCreate(str(app.id), rows)])
    failure = caught.value
    assert (failure.request_index, failure.row_index, failure.rows_done) == (0, 2107, (2000,))
    assert len(failure.done[0]) == 2000
    assert len(app.record_ids()) == 2001


def fail_bulk(domain: KintoneDomain, *requests: BulkRequest[Any]) -> BulkFailure:
    with pytest.raises(BulkFailure) as caught:
        domain.bulk_write(requests)
    return caught.value


def test_part_of_one_row_is_at_fault_by_that_row(domain: KintoneDomain, app: App) -> None:
    app_id = str(app.id)
    failure = fail_bulk(domain, BulkCreate(app_id, [row(1)]), BulkUpdate(app_id, [Update("1", {}, revision=9)]))
    assert (failure.request_index, failure.row_index) == (1, 0)
    assert (type(failure.error), failure.rows_done) == (Conflict, (0, 0))
    assert app.record_ids() == [1]


def test_row_that_kintone_does_not_name_stays_unknown(domain: KintoneDomain, app: App) -> None:
    deletions = [Deletion("1"), Deletion("8")]
    failure = fail_bulk(domain, BulkDelete(str(app.id), deletions))
    assert (failure.request_index, failure.row_index, type(failure.error)) == (0, None, NotFound)


def test_later_request_of_a_chunk_is_found_by_its_own_row(domain: KintoneDomain, app: App) -> None:
    many = [row(number) for number in range(1, 151)]
    bad = [row(number) for number in range(201, 331)]
    bad[120] = {"account_id": ""}
    failure = fail_bulk(domain, BulkCreate(str(app.id), many), BulkCreate(str(app.id), bad))
    assert (failure.request_index, failure.row_index) == (1, 120)


@pytest.mark.parametrize(
    ("fault", "kind", "written"),
    [
        (Fault(path=BULK, hang_up=True), NoAnswer, 1),
        (Fault(path=BULK, status=503, text="Service Unavailable"), Unavailable, 0),
    ],
)
def test_bulk_that_may_have_landed_is_never_sent_again(
    fault: Fault,
    kind: type[GatewayError],
    written: int,
    domain: KintoneDomain,
    app: App,
    kintone_world: KintoneWorld,
) -> None:
    kintone_world.faults.add(fault)
    failure = fail_bulk(domain, BulkCreate(str(app.id), [row(1)]))
    assert (type(failure.error), failure.request_index, domain.calls.total()) == (kind, None, 1)
    assert len(app.record_ids()) == 1 + written


def test_bulk_that_met_a_lock_is_sent_again(domain: KintoneDomain, app: App, kintone_world: KintoneWorld) -> None:
    kintone_world.faults.add(Fault(path=BULK, code="GAIA_DA02", times=3))
    domain.bulk_write([BulkCreate(str(app.id), [row(1)])])
    assert domain.calls.total() == 4


@pytest.mark.parametrize("status", [200, 400])
def test_refusal_in_a_slot_is_one_whatever_the_status(status: int) -> None:
    slots = [{}, {"code": "GAIA_RE01", "id": "x", "message": "none"}, {}]
    answer = Response.json({"results": slots}, status)
    with Serving(lambda _request: answer) as serving, KintoneDomain(serving.url, ("token",)) as domain:
        failure = fail_bulk(domain, *(BulkCreate("2", [row(number)]) for number in range(3)))
    assert (type(failure.error), failure.request_index) == (NotFound, 1)


def test_answer_with_too_few_records_leaves_it_open() -> None:
    answer = Response.json({"ids": ["1"], "revisions": ["1"]})
    with (
        Serving(lambda _request: answer) as serving,
        KintoneApp(serving.url, "2", ("token",)) as app,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        app.create_records([row(1), row(2)])
    assert caught.value.reason.code == "kintone_not_kintone"


# Where the fault lies


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("record.users.value", FieldFault("", (), "users")),
        ("record.stages.values", FieldFault("", (), "stages")),
        ("record.users.values.value", FieldFault("", (), "users")),
        ("record.stages.values[2].value", FieldFault("", (), "stages")),
        ("record[数].value", FieldFault("", (), "数")),
        ("records[3].アカウントID.value", FieldFault("", (), "アカウントID", record=3)),
        ("records[3][数].value", FieldFault("", (), "数", record=3)),
        ("record.members.value[4].value.name.value", FieldFault("", (), "name", table="members", row=4)),
        ("records[9].members.value[0].value[数].value", FieldFault("", (), "数", 9, "members", 0)),
        ("records[7].updateKey.field", FieldFault("", (), record=7)),
        ("records[7].id", FieldFault("", (), record=7)),
        ("query", FieldFault("", ())),
        ("comment.text", FieldFault("", ())),
        ("record", FieldFault("", ())),
    ],
)
def test_fault_is_located_by_kintones_own_words(place: str, expected: FieldFault) -> None:
    assert locate(place) == replace(expected, place=place)


def test_refused_value_tells_field_row_and_messages(kintone_world: KintoneWorld, kintone_url: str) -> None:
    table = {"type": "SUBTABLE", "fields": {"stage": {"type": "DROP_DOWN", "options": {"prod": {"index": "0"}}}}}
    app = kintone_world.add_app("割当", {"members": table})
    rows = [{"value": {"stage": {"value": stage}}} for stage in ("prod", "none")]
    token = kintone_world.add_token([app.id], RIGHTS)
    with KintoneApp(kintone_url, str(app.id), (token,)) as writer, pytest.raises(InvalidValues) as caught:
        writer.create_record({"members": rows})
    [fault] = caught.value.faults
    assert (fault.table, fault.row, fault.field) == ("members", 1, "stage")
    assert "none" in fault.messages[0]
