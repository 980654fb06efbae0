"""Writing to kintone, against the simulated domain: once, or not at all, and never twice."""

from collections.abc import Iterator

import pytest

from simulators.kintone import App, Fault, KintoneWorld
from syncer.gateways.errors import Conflict, Denied, GatewayError, NoAnswer, NotFound, Permanent, Unavailable
from syncer.gateways.kintone import KintoneApp, Written

RECORD = "/k/v1/record.json"


@pytest.fixture
def app(kintone_world: KintoneWorld) -> App:
    """An app with a unique key, and one record."""
    kintone_world.add_user("hana", "花", email="hana@example.com")
    app = kintone_world.add_app(
        "割当",
        {
            "account_id": {"type": "SINGLE_LINE_TEXT", "required": True},
            "users": {"type": "USER_SELECT"},
            "request_key": {"type": "SINGLE_LINE_TEXT", "unique": True},
        },
    )
    app.add_record({"account_id": "000000000001", "request_key": 'a "quoted" \\ key'})
    return app


@pytest.fixture
def writer(kintone_world: KintoneWorld, kintone_url: str, app: App, pauses: list[float]) -> Iterator[KintoneApp]:
    token = kintone_world.add_token([app.id], ("view", "add", "edit"))
    with KintoneApp(kintone_url, str(app.id), (token,), sleep=pauses.append) as opened:
        yield opened


def test_creates_a_record_with_users(writer: KintoneApp) -> None:
    written = writer.create_record({"account_id": "000000000002", "users": [{"code": "hana"}]})
    record = writer.fetch_record(written.record_id)
    assert written == Written("2", 1)
    assert record["users"]["value"] == [{"code": "hana", "name": "花"}]


def test_changes_only_the_fields_it_names(writer: KintoneApp) -> None:
    written = writer.update_record("1", {"users": [{"code": "hana"}]}, revision=1)
    record = writer.fetch_record("1")
    assert written == Written("1", 2)
    assert record["account_id"]["value"] == "000000000001"


def test_record_that_changed_meanwhile_is_a_conflict(writer: KintoneApp, app: App) -> None:
    app.edit_record(1, {"account_id": "000000000009"})
    with pytest.raises(Conflict):
        writer.update_record("1", {"account_id": "000000000002"}, revision=1)
    assert writer.fetch_record("1")["account_id"]["value"] == "000000000009"


def test_record_that_is_gone_is_not_found(writer: KintoneApp) -> None:
    with pytest.raises(NotFound):
        writer.update_record("7", {"account_id": "000000000002"}, revision=1)


def test_finds_a_record_by_its_key(writer: KintoneApp) -> None:
    found = writer.find_record("request_key", 'a "quoted" \\ key')
    assert found is not None
    assert found["$id"]["value"] == "1"
    assert writer.find_record("request_key", "another") is None


def test_refused_value_names_its_field(writer: KintoneApp) -> None:
    with pytest.raises(Permanent) as caught:
        writer.create_record({"account_id": ""})
    assert "account_id: " in caught.value.text


def test_token_without_the_right_is_denied(kintone_world: KintoneWorld, kintone_url: str, app: App) -> None:
    token = kintone_world.add_token([app.id], ("view",))
    with KintoneApp(kintone_url, str(app.id), (token,)) as reader, pytest.raises(Denied):
        reader.create_record({"account_id": "000000000002"})


@pytest.mark.parametrize("code", ["GAIA_TO04", "GAIA_DA02", "GAIA_RE18"])
def test_write_that_was_not_carried_out_is_sent_again(
    code: str, writer: KintoneApp, kintone_world: KintoneWorld, app: App
) -> None:
    kintone_world.faults.add(Fault(method="POST", path=RECORD, code=code, times=2))
    writer.create_record({"account_id": "000000000002"})
    assert len(app.record_ids()) == 2
    assert writer.calls[f"kintone POST record.json app {app.id}"] == 3


@pytest.mark.parametrize(
    ("fault", "error", "records"),
    [
        (Fault(method="POST", path=RECORD, hang_up=True), NoAnswer, 2),
        (Fault(method="POST", path=RECORD, status=503, text="maintenance"), Unavailable, 1),
    ],
)
def test_write_that_may_have_landed_is_never_sent_again(
    fault: Fault, error: type[GatewayError], records: int, writer: KintoneApp, kintone_world: KintoneWorld, app: App
) -> None:
    kintone_world.faults.add(fault)
    with pytest.raises(error):
        writer.create_record({"account_id": "000000000002"})
    assert len(app.record_ids()) == records
    assert writer.calls[f"kintone POST record.json app {app.id}"] == 1
