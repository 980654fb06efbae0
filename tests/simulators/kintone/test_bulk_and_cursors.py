"""Bulk requests, cursors and comments."""

from datetime import timedelta
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client


def part(method: str, resource: str, **payload: Any) -> dict[str, Any]:
    return {"method": method, "api": f"/k/v1/{resource}.json", "payload": payload}


def named(name: str) -> dict[str, Any]:
    return {"name": {"value": name}}


def test_bulk_request_runs_in_order_over_several_apps(client: Client) -> None:
    requests = [
        part("POST", "record", app=1, record=named("a")),
        part("POST", "records", app=2, records=[{"permission_set": {"value": "a"}}, {}]),
        part("PUT", "record", app="1", id="1", record=named("b")),
        part("PUT", "records", app=2, upsert=True, records=[{"id": 1, "record": {}}]),
        part("DELETE", "records", app=2, ids=[2], revisions=[None]),
    ]
    assert client.ok("POST", "bulkRequest", {"requests": requests})["results"] == [
        {"id": "1", "revision": "1"},
        {"ids": ["1", "2"], "revisions": ["1", "1"]},
        {"revision": "2"},
        {"records": [{"id": "1", "revision": "2", "operation": "UPDATE"}]},
        {},
    ]


def test_failed_bulk_request_has_one_filled_slot_and_undoes_all(client: Client, sets: App) -> None:
    sets.add_record({"name": "old"})
    sets.edit_record(1, {"name": "kept"})
    requests = [
        part("DELETE", "records", app=1, ids=[1]),
        part("POST", "records", app=1, records=[named("x"), named("x" * 33)]),
        part("POST", "record", app=1, record=named("y")),
    ]
    answer = client.send("POST", "bulkRequest", {"requests": requests})
    first, failed, last = answer.json()["results"]
    assert (answer.status_code, first, last) == (400, {}, {})
    assert failed["code"] == "CB_VA01"
    assert failed["errors"] == {"records[1].name.value": {"messages": ["Use fewer than 33 characters."]}}
    assert client.find("", app=1) == ["1"]
    assert client.value(1, "name", app=1) == "kept"
    assert sets.add_record({"name": "x"}) == 2


def test_bulk_request_answers_with_the_status_of_the_failure(client: Client) -> None:
    answer = client.send("POST", "bulkRequest", {"requests": [part("PUT", "record", app=1, id=9, record={})]})
    assert (answer.status_code, answer.json()["results"][0]["code"]) == (404, "GAIA_RE01")


def test_more_than_twenty_requests_are_refused(client: Client) -> None:
    requests = [part("POST", "record", app=1, record={})] * 21
    error, messages = client.refused("POST", "bulkRequest", {"requests": requests})
    assert (error, set(messages)) == ((400, "CB_VA01"), {"requests"})


@pytest.mark.parametrize("bad", [part("GET", "records", app=1), part("POST", "record/comment", app=1)])
def test_reads_and_comments_are_not_for_bulk_requests(client: Client, bad: dict[str, Any]) -> None:
    answer = client.send("POST", "bulkRequest", {"requests": [bad]})
    assert (answer.status_code, answer.json()["results"][0]["code"]) == (400, "CB_IL02")


# Cursors


@pytest.fixture
def five_sets(sets: App) -> App:
    for number in range(5):
        sets.add_record({"name": f"set{number}"})
    return sets


def ids(page: dict[str, Any]) -> list[str]:
    return [record["$id"]["value"] for record in page["records"]]


@pytest.mark.usefixtures("five_sets")
def test_cursor_is_read_to_its_end_and_is_gone_then(client: Client) -> None:
    made = client.ok("POST", "records/cursor", {"app": 1, "query": "order by $id asc", "size": 3, "fields": ["$id"]})
    assert made["totalCount"] == "5"
    pages = [client.ok("GET", "records/cursor", {"id": made["id"]}) for _ in range(2)]
    assert [(ids(page), page["next"]) for page in pages] == [(["1", "2", "3"], True), (["4", "5"], False)]
    assert client.refused("GET", "records/cursor", {"id": made["id"]})[0] == (404, "GAIA_CN01")


def test_cursor_keeps_its_members_and_reads_values_late(client: Client, five_sets: App) -> None:
    made = client.ok("POST", "records/cursor", {"app": 1, "query": "order by $id asc", "size": 2})
    five_sets.delete_records([1, 2])
    five_sets.edit_record(3, {"name": "new"})
    five_sets.add_record({"name": "late"})
    pages = [client.ok("GET", "records/cursor", {"id": made["id"]}) for _ in range(3)]
    assert [(ids(page), page["next"]) for page in pages] == [([], True), (["3", "4"], True), (["5"], False)]
    assert pages[1]["records"][0]["name"]["value"] == "new"


@pytest.mark.usefixtures("five_sets")
def test_eleventh_cursor_is_refused_until_one_goes(client: Client, clock: Clock) -> None:
    made = [client.ok("POST", "records/cursor", {"app": 1})["id"] for _ in range(10)]
    assert client.refused("POST", "records/cursor", {"app": 1})[0] == (429, "GAIA_TM12")
    assert client.ok("DELETE", "records/cursor", params={"id": made[0]}) == {}
    assert client.refused("DELETE", "records/cursor", {"id": made[0]})[0] == (404, "GAIA_CN01")
    client.ok("POST", "records/cursor", {"app": 1})
    clock.advance(timedelta(minutes=10))
    client.ok("POST", "records/cursor", {"app": 1})


@pytest.mark.usefixtures("five_sets")
def test_reading_a_cursor_keeps_it_alive(client: Client, clock: Clock) -> None:
    made = client.ok("POST", "records/cursor", {"app": 1, "size": 1})
    for _ in range(3):
        clock.advance(timedelta(minutes=9))
        client.ok("GET", "records/cursor", {"id": made["id"]})
    clock.advance(timedelta(minutes=10))
    assert client.refused("GET", "records/cursor", {"id": made["id"]})[0] == (404, "GAIA_CN01")


@pytest.mark.parametrize("values", [{"query": "limit 1"}, {"size": 501}, {"size": 0}])
def test_impossible_cursor_is_refused(client: Client, values: dict[str, Any]) -> None:
    assert client.refused("POST", "records/cursor", {"app": 1, **values})[0] == (400, "CB_VA01")


# Comments


@pytest.fixture
def commented(sets: App) -> App:
    sets.add_record({"name": "a"})
    return sets


def say(client: Client, text: str, **more: Any) -> str:
    answer: str = client.ok("POST", "record/comment", {"app": 1, "record": 1, "comment": {"text": text, **more}})["id"]
    return answer


@pytest.mark.usefixtures("commented")
def test_comment_by_token_is_the_administrators(client: Client) -> None:
    mentions = [{"code": "hana", "type": "USER"}, {"code": "cloud", "type": "GROUP"}]
    assert say(client, "見てください", mentions=mentions) == "1"
    answer = client.ok("GET", "record/comments", {"app": 1, "record": 1})
    assert answer == {
        "comments": [
            {
                "id": "1",
                "text": "花 クラウド部 見てください",
                "createdAt": "2026-04-15T03:04:56Z",
                "creator": {"code": "Administrator", "name": "Administrator"},
                "mentions": mentions,
            }
        ],
        "older": False,
        "newer": False,
    }
    assert client.value(1, "$revision", app=1) == "1"


@pytest.mark.usefixtures("commented")
def test_comments_come_ten_at_a_time_newest_first(client: Client) -> None:
    for number in range(12):
        say(client, str(number))
    page = client.ok("GET", "record/comments", {"app": 1, "record": 1})
    assert ([one["id"] for one in page["comments"]][::9], page["older"], page["newer"]) == (["12", "3"], True, False)
    params = {"app": 1, "record": 1, "order": "asc", "offset": 1, "limit": 2}
    page = client.ok("GET", "record/comments", params)
    assert ([one["id"] for one in page["comments"]], page["older"], page["newer"]) == (["2", "3"], True, True)


@pytest.mark.parametrize("params", [{"limit": 11}, {"limit": -1}, {"order": "DESC"}])
@pytest.mark.usefixtures("commented")
def test_impossible_page_of_comments_is_refused(client: Client, params: dict[str, Any]) -> None:
    assert client.refused("GET", "record/comments", {"app": 1, "record": 1, **params})[0] == (400, "CB_VA01")


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ({"text": ""}, "CB_VA01"),
        ({"text": "x" * 65_536}, "CB_VA01"),
        ({"text": "x", "mentions": [{"code": "hana", "type": "USER"}] * 11}, "CB_VA01"),
        ({"text": "x", "mentions": [{"code": "hana", "type": "PERSON"}]}, "CB_VA01"),
        ({"text": "x", "mentions": [{"code": "nobody", "type": "USER"}]}, "GAIA_IL26"),
    ],
)
@pytest.mark.usefixtures("commented")
def test_impossible_comment_is_refused(client: Client, comment: dict[str, Any], code: str) -> None:
    body = {"app": 1, "record": 1, "comment": comment}
    assert client.refused("POST", "record/comment", body)[0] == (400, code)


@pytest.mark.usefixtures("commented")
def test_deleted_comment_is_missing_with_400(client: Client) -> None:
    comment_id = say(client, "x")
    body = {"app": 1, "record": 1, "comment": comment_id}
    assert client.ok("DELETE", "record/comment", params=body) == {}
    assert client.refused("DELETE", "record/comment", body)[0] == (400, "GAIA_RE02")
    assert say(client, "y") == "2"


def test_comments_go_with_their_record_and_come_back_with_it(client: Client, commented: App) -> None:
    say(client, "x")
    body = {"requests": [part("DELETE", "records", app=1, ids=[1]), part("DELETE", "records", app=1, ids=[9])]}
    assert client.send("POST", "bulkRequest", body).status_code == 404
    assert len(commented.comments(1)) == 1
    commented.delete_records([1])
    assert commented.comments(1) == []


def test_comments_may_be_switched_off(client: Client, world: KintoneWorld, commented: App) -> None:
    client.ok("PUT", "preview/app/settings", {"app": 1, "enableComments": False})
    client.ok("PUT", "app/acl", {"app": 1, "rights": []})
    body = {"app": 1, "record": 1, "comment": {"text": "x"}}
    assert client.refused("POST", "record/comment", body)[0] == (403, "CB_NO02")
