"""Reading and writing single and many records."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from simulators.clock import Clock
from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client


def test_new_record_is_read_back_as_text(client: Client) -> None:
    assert client.ok("POST", "record", {"app": 1, "record": {"name": {"value": "Admin"}}}) == {
        "id": "1",
        "revision": "1",
    }
    record = client.ok("GET", "record", {"app": 1, "id": 1})["record"]
    assert record["$id"] == {"type": "__ID__", "value": "1"}
    assert record["$revision"] == {"type": "__REVISION__", "value": "1"}
    assert record["name"] == {"type": "SINGLE_LINE_TEXT", "value": "Admin"}
    assert record["レコード番号"] == {"type": "RECORD_NUMBER", "value": "1"}
    assert record["作成者"]["value"] == {"code": "Administrator", "name": "Administrator"}
    assert record["作成日時"] == {"type": "CREATED_TIME", "value": "2026-04-15T03:04:00Z"}
    assert "ステータス" not in record


def test_unknown_record_is_404(client: Client) -> None:
    assert client.refused("GET", "record", {"app": 1, "id": 9}) == ((404, "GAIA_RE01"), {})


def test_unknown_app_is_404(client: Client) -> None:
    assert client.refused("GET", "record", {"app": 99, "id": 9}) == ((404, "GAIA_AP01"), {})


@pytest.mark.parametrize("name", ["app", "id"])
def test_missing_parameter_is_named(client: Client, name: str) -> None:
    values: dict[str, Any] = {"app": 1, "id": 1}
    del values[name]
    assert client.refused("GET", "record", values) == ((400, "CB_VA01"), {name: ["This parameter is missing."]})


def test_parameter_below_one_is_refused(client: Client) -> None:
    error, messages = client.refused("GET", "record", {"app": 1, "id": 0})
    assert (error, messages) == ((400, "CB_VA01"), {"id": ["Give 1 or more."]})


def test_records_are_a_hundred_newest_first_without_total(client: Client, sets: App) -> None:
    for number in range(103):
        sets.add_record({"name": f"set{number}"})
    answer = client.ok("GET", "records", {"app": 1})
    assert [record["$id"]["value"] for record in answer["records"]][:2] == ["103", "102"]
    assert len(answer["records"]) == 100
    assert answer["totalCount"] is None


def test_total_is_counted_beyond_the_page(client: Client, sets: App) -> None:
    for number in range(3):
        sets.add_record({"name": f"set{number}"})
    answer = client.ok("GET", "records", {"app": 1, "query": "limit 1", "totalCount": "true"})
    assert (len(answer["records"]), answer["totalCount"]) == (1, "3")


def test_fields_choose_and_unknown_ones_are_ignored(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    fields = {"fields[0]": "name", "fields[1]": "nothing", "fields[2]": "$revision"}
    answer = client.ok("GET", "records", {"app": 1, **fields})
    assert set(answer["records"][0]) == {"name", "$revision"}


def test_unknown_fields_are_ignored_when_writing(client: Client) -> None:
    client.ok("POST", "record", {"app": 1, "record": {"name": {"value": "a"}, "nothing": {"value": "x"}}})


def test_long_get_may_be_a_post(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    body = {"app": "1", "fields": ["name"], "query": "$id in (" + ",".join(f'"{n}"' for n in range(1, 501)) + ")"}
    answer = client.ok("POST", "records", body, headers={"X-HTTP-Method-Override": "GET"})
    assert answer["records"] == [{"name": {"type": "SINGLE_LINE_TEXT", "value": "a"}}]


def test_url_over_eight_kilobytes_fails(client: Client) -> None:
    assert client.send("GET", "records", {"app": 1, "query": "あ" * 1000}).status_code == 414


def test_update_keeps_what_is_not_sent(client: Client, sets: App, clock: Clock) -> None:
    sets.add_record({"name": "a", "description": "old"}, by="hana")
    clock.advance(timedelta(minutes=2))
    assert client.ok("PUT", "record", {"app": 1, "id": 1, "record": {"name": {"value": "b"}}}) == {"revision": "2"}
    record = client.ok("GET", "record", {"app": 1, "id": 1})["record"]
    assert (record["name"]["value"], record["description"]["value"]) == ("b", "old")
    assert (record["作成者"]["value"]["code"], record["更新者"]["value"]["code"]) == ("hana", "Administrator")
    assert record["更新日時"]["value"] == "2026-04-15T03:06:00Z"


def test_stale_revision_is_a_conflict(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    sets.edit_record(1, {"name": "b"})
    stale = {"app": 1, "id": 1, "revision": 1, "record": {}}
    assert client.refused("PUT", "record", stale) == ((409, "GAIA_CO02"), {})


@pytest.mark.parametrize("revision", [-1, "-1", None, 2, "2"])
def test_fitting_or_no_revision_is_taken(client: Client, sets: App, revision: Any) -> None:
    sets.add_record({"name": "a"})
    sets.edit_record(1, {"name": "b"})
    client.ok("PUT", "record", {"app": 1, "id": 1, "revision": revision, "record": {}})


def test_update_key_finds_the_record(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    key = {"field": "name", "value": "a"}
    client.ok("PUT", "record", {"app": 1, "updateKey": key, "record": {"description": {"value": "x"}}})
    assert client.value(1, "description", app=1) == "x"


def test_update_key_that_finds_nothing_is_404(client: Client) -> None:
    key = {"field": "name", "value": "a"}
    assert client.refused("PUT", "record", {"app": 1, "updateKey": key, "record": {}})[0] == (404, "GAIA_RE20")


def test_update_key_must_be_unique(client: Client) -> None:
    key = {"field": "description", "value": "a"}
    assert client.refused("PUT", "record", {"app": 1, "updateKey": key, "record": {}})[0] == (400, "CB_VA01")


def test_update_key_may_not_stand_in_the_record(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    body = {"app": 1, "updateKey": {"field": "name", "value": "a"}, "record": {"name": {"value": "a"}}}
    assert client.refused("PUT", "record", body)[0] == (400, "CB_VA01")


def test_upsert_updates_and_inserts(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    records: list[dict[str, Any]] = [
        {"updateKey": {"field": "name", "value": name}, "record": {}} for name in ("a", "b")
    ]
    records.append({"id": 77, "record": {"name": {"value": "c"}}})
    answer = client.ok("PUT", "records", {"app": 1, "upsert": True, "records": records})
    assert answer["records"] == [
        {"id": "1", "revision": "2", "operation": "UPDATE"},
        {"id": "2", "revision": "1", "operation": "INSERT"},
        {"id": "3", "revision": "1", "operation": "INSERT"},
    ]
    assert client.value(2, "name", app=1) == "b"


def test_many_records_are_written_at_once(client: Client) -> None:
    records = [{"name": {"value": f"set{number}"}} for number in range(3)]
    answer = client.ok("POST", "records", {"app": 1, "records": records})
    assert answer == {"ids": ["1", "2", "3"], "revisions": ["1", "1", "1"]}
    changes = [{"id": number, "record": {"description": {"value": "x"}}} for number in (1, 2)]
    answer = client.ok("PUT", "records", {"app": 1, "records": changes})
    assert answer == {"records": [{"id": "1", "revision": "2"}, {"id": "2", "revision": "2"}]}


def test_one_bad_record_undoes_all(client: Client, sets: App) -> None:
    sets.add_record({"name": "taken"})
    records: list[dict[str, Any]] = [{"name": {"value": "a"}}, {"name": {"value": "taken"}}, {}]
    error, messages = client.refused("POST", "records", {"app": 1, "records": records})
    assert error == (400, "CB_VA01")
    assert messages == {
        "records[1].name.value": ["Another record has this value."],
        "records[2].name.value": ["Fill in a value."],
    }
    assert client.find("", app=1) == ["1"]
    assert client.ok("POST", "record", {"app": 1, "record": {"name": {"value": "a"}}})["id"] == "2"


def test_duplicates_within_one_call_are_seen(client: Client) -> None:
    records = [{"name": {"value": "a"}}] * 2
    assert "records[1].name.value" in client.refused("POST", "records", {"app": 1, "records": records})[1]


@pytest.mark.parametrize(("method", "name"), [("POST", "records"), ("PUT", "records"), ("DELETE", "ids")])
def test_a_hundred_and_one_are_too_many(client: Client, method: str, name: str) -> None:
    error, messages = client.refused(method, "records", {"app": 1, name: [{}] * 101})
    assert (error, set(messages)) == ((400, "CB_VA01"), {name})


def test_unknown_id_among_many_undoes_all(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    changes = [{"id": number, "record": {"description": {"value": "x"}}} for number in (1, 9)]
    assert client.refused("PUT", "records", {"app": 1, "records": changes})[0] == (404, "GAIA_RE01")
    assert client.value(1, "description", app=1) == ""


def test_delete_by_body_and_by_url(client: Client, sets: App) -> None:
    for name in "abc":
        sets.add_record({"name": name})
    assert client.ok("DELETE", "records", {"app": 1, "ids": [1]}) == {}
    assert client.ok("DELETE", "records", params={"app": 1, "ids[0]": 2, "revisions[0]": ""}) == {}
    assert client.find("", app=1) == ["3"]


def test_delete_checks_revisions_and_undoes(client: Client, sets: App) -> None:
    for name in "ab":
        sets.add_record({"name": name})
    body = {"app": 1, "ids": [1, 2], "revisions": [-1, 5]}
    assert client.refused("DELETE", "records", body)[0] == (409, "GAIA_CO02")
    assert client.find("", app=1) == ["2", "1"]


def test_deleted_id_is_not_given_again(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    sets.delete_records([1])
    assert sets.add_record({"name": "a"}) == 2


def test_record_number_has_the_app_code(client: Client, world: KintoneWorld) -> None:
    app = world.add_app("印", {"name": {"type": "SINGLE_LINE_TEXT"}}, code="PS")
    app.add_record({"name": "a"})
    client.token = world.add_token([app.id])
    assert client.value(1, "レコード番号", app=app.id) == "PS-1"
    assert client.find('レコード番号 = "PS-1"', app=app.id) == ["1"]


def test_who_manages_may_set_creator_and_times(client: Client) -> None:
    stamps = {"作成者": {"value": {"code": "hana"}}, "作成日時": {"value": "2020-01-01T00:00:30Z"}}
    client.ok("POST", "record", {"app": 1, "record": {"name": {"value": "a"}, **stamps}})
    assert client.value(1, "作成者", app=1)["code"] == "hana"
    assert client.value(1, "作成日時", app=1) == "2020-01-01T00:00:00Z"


def test_who_does_not_manage_may_not(client: Client, world: KintoneWorld) -> None:
    client.token = world.add_token([1], ["add"])
    body = {"app": 1, "record": {"name": {"value": "a"}, "作成者": {"value": {"code": "hana"}}}}
    assert client.refused("POST", "record", body)[0] == (403, "GAIA_NO01")


@pytest.mark.parametrize("body", ["{", "[]", '{"app": 1, "record": []}', '{"app": 1, "record": {"name": "a"}}'])
def test_wrong_json_is_refused(client: Client, body: str) -> None:
    answer = client.send("POST", "record", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "CB_IJ01")


def test_one_of_many_writers_with_one_revision_wins(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    body = {"app": 1, "id": 1, "revision": 1, "record": {}}

    def write(_: int) -> int:
        headers = {"X-Cybozu-API-Token": client.token}
        return requests.put(f"{client.url}/k/v1/record.json", json=body, headers=headers, timeout=5).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == [200] + [409] * 7
