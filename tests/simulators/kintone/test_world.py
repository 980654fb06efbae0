"""Faults, webhooks, and keeping a world."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from simulators.clock import Clock
from simulators.kintone import ApiError, App, Fault, KintoneSimulator, KintoneWorld
from simulators.serving import Request, Response, Serving
from tests.simulators.kintone.conftest import Client

RECORDS = "/k/v1/records.json"
BODY = {"app": 1, "record": {"name": {"value": "a"}}}


def statuses(client: Client, count: int) -> list[int]:
    return [client.send("GET", "records", {"app": 1}).status_code for _ in range(count)]


def test_nth_call_fails_with_plain_text(client: Client, world: KintoneWorld) -> None:
    world.faults.add(Fault(method="GET", path=RECORDS, nth=2, status=503, text="Service Unavailable"))
    assert statuses(client, 3) == [200, 503, 200]
    world.faults.clear()
    world.faults.add(Fault(path=RECORDS, status=503, text="<html>"))
    answer = client.send("GET", "records", {"app": 1})
    assert (answer.text, answer.headers["Content-Type"]) == ("<html>", "text/plain; charset=utf-8")


def test_every_second_call_fails_twice(client: Client, world: KintoneWorld) -> None:
    world.faults.add(Fault(every=2, times=2, code="GAIA_TO04"))
    assert statuses(client, 7) == [200, 429, 200, 429, 200, 200, 200]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(code="GAIA_DA02"), (400, "GAIA_DA02")),
        (Fault(code="GAIA_TO04"), (429, "GAIA_TO04")),
        (Fault(code="GAIA_XX99", status=520, message="謎"), (520, "GAIA_XX99")),
    ],
)
def test_fault_is_an_error_that_does_nothing(
    client: Client, world: KintoneWorld, sets: App, fault: Fault, expected: tuple[int, str]
) -> None:
    world.faults.add(fault)
    assert client.refused("POST", "record", BODY)[0] == expected
    assert sets.record_ids() == []


def test_answer_is_lost_after_the_call_was_done(client: Client, world: KintoneWorld, sets: App) -> None:
    world.faults.add(Fault(method="POST", hang_up=True))
    with pytest.raises(requests.ConnectionError):
        client.send("POST", "record", BODY)
    assert sets.record_ids() == [1]


def test_hanging_call_is_never_done(client: Client, world: KintoneWorld, sets: App) -> None:
    world.faults.add(Fault(method="POST", hang=0.05))
    with pytest.raises(requests.ConnectionError):
        client.send("POST", "record", BODY)
    assert sets.record_ids() == []


def test_latency_only_delays(client: Client, world: KintoneWorld) -> None:
    world.faults.add(Fault(latency=0.05))
    assert client.send("POST", "record", BODY).elapsed >= timedelta(seconds=0.05)


# Webhooks


class Receiver:
    """An HTTP application that keeps what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    def __call__(self, request: Request) -> Response:
        self.bodies.append(json.loads(request.body))
        return Response(500)


@pytest.fixture
def receiver(world: KintoneWorld) -> Iterator[Receiver]:
    receiver = Receiver()
    with Serving(receiver) as serving:
        world.add_webhook(1, f"{serving.url}/hook")
        yield receiver
        world.webhooks.wait()


def test_single_record_calls_are_told_once(client: Client, world: KintoneWorld, receiver: Receiver) -> None:
    client.ok("POST", "record", BODY)
    world.webhooks.wait()
    client.ok("PUT", "record", {"app": 1, "id": 1, "record": {"description": {"value": "x"}}})
    world.webhooks.wait()
    client.ok("POST", "record/comment", {"app": 1, "record": 1, "comment": {"text": "hi"}})
    world.webhooks.wait()
    added, updated, commented = receiver.bodies
    assert added["type"] == "ADD_RECORD"
    assert added["app"] == {"id": "1", "name": "許可セット"}
    assert added["record"]["$id"] == {"type": "__ID__", "value": "1"}
    assert added["recordTitle"] == "a"
    assert added["url"] == "https://example.cybozu.com/k/1/show#record=1"
    assert (updated["type"], updated["record"]["description"]["value"]) == ("UPDATE_RECORD", "x")
    assert (commented["type"], commented["recordId"], commented["comment"]["text"]) == ("ADD_RECORD_COMMENT", "1", "hi")
    assert len({body["id"] for body in receiver.bodies}) == 3


def test_deletion_in_the_app_is_told_without_the_record(world: KintoneWorld, sets: App, receiver: Receiver) -> None:
    for name in "abc":
        sets.add_record({"name": name})
    world.webhooks.wait()
    receiver.bodies.clear()
    sets.delete_records([1], by="hana")
    sets.delete_records([2, 3])
    world.webhooks.wait()
    assert [{name: body[name] for name in ("type", "recordId", "deletedBy")} for body in receiver.bodies] == [
        {"type": "DELETE_RECORD", "recordId": "1", "deletedBy": {"code": "hana", "name": "花"}}
    ]


def test_calls_about_many_records_are_not_told(client: Client, world: KintoneWorld, receiver: Receiver) -> None:
    client.ok("POST", "records", {"app": 1, "records": [BODY["record"]]})
    client.ok("PUT", "records", {"app": 1, "records": [{"id": 1, "record": {}}]})
    request = {"method": "PUT", "api": "/k/v1/record.json", "payload": {"app": 1, "id": 1, "record": {}}}
    client.ok("POST", "bulkRequest", {"requests": [request]})
    client.ok("DELETE", "records", {"app": 1, "ids": [1]})
    client.refused("POST", "record", {"app": 1})
    world.webhooks.wait()
    assert receiver.bodies == []


def test_sixty_a_minute_and_the_rest_is_dropped(
    world: KintoneWorld, sets: App, receiver: Receiver, clock: Clock
) -> None:
    for number in range(62):
        sets.add_record({"name": str(number)})
    world.webhooks.wait()
    assert len(receiver.bodies) == 60
    clock.advance(timedelta(minutes=1))
    sets.add_record({"name": "later"})
    world.webhooks.wait()
    assert len(receiver.bodies) == 61


def test_dead_receiver_hurts_nobody(client: Client, world: KintoneWorld) -> None:
    world.add_webhook(1, "http://localhost:9/", ["ADD_RECORD"])
    client.ok("POST", "record", BODY)
    world.webhooks.wait()
    assert [outcome for _, outcome in world.webhooks.log] == ["ConnectionError"]


# Keeping a world


def test_world_survives_json(client: Client, world: KintoneWorld, sets: App, assignments: App, clock: Clock) -> None:
    sets.add_record({"name": "Admin", "description": "すべて"}, by="hana")
    assignments.add_record({"permission_set": "Admin", "users": ["taro"], "rows": [{"item": "a"}]})
    client.ok("POST", "record/comment", {"app": 1, "record": 1, "comment": {"text": "hi"}})
    client.ok("POST", "preview/app/form/fields", {"app": 1, "properties": {"new": {"type": "NUMBER"}}})
    client.ok("POST", "preview/app/deploy", {"apps": [{"app": 1}]})
    cursor = client.ok("POST", "records/cursor", {"app": 1})["id"]
    world.add_oauth_token("hana", ["k:app_record:read"])
    state = json.loads(json.dumps(world.to_state()))
    again = KintoneWorld.from_state(state, clock)
    assert again.to_state() == world.to_state()
    with Serving(KintoneSimulator(again)) as serving, requests.Session() as session:
        there = Client(serving.url, client.token, session)
        for app in (1, 2):
            assert there.ok("GET", "records", {"app": app}) == client.ok("GET", "records", {"app": app})
        assert there.refused("POST", "record", {"app": 1, "record": {"name": {"value": "Admin"}}})[0][0] == 400
        assert there.ok("GET", "records/cursor", {"id": cursor})["next"] is False
        clock.advance(timedelta(seconds=2))
        assert "new" in there.ok("GET", "app/form/fields", {"app": 1})["properties"]
    assert again.app(1).add_record({"name": "b"}) == 2
    assert again.app(2).add_record({"rows": [{"item": "b"}]}) == 2
    assert again.app(2).record(2)["rows"]["value"][0]["id"] == "2"


def test_same_calls_make_the_same_world(clock: Clock) -> None:
    def build() -> dict[str, Any]:
        world = KintoneWorld(clock)
        app = world.add_app("x", {"name": {"type": "SINGLE_LINE_TEXT"}})
        app.add_record({"name": "a"})
        world.add_token([app.id])
        return world.to_state()

    assert build() == build()


def test_change_is_told_after_success_only(client: Client, world: KintoneWorld) -> None:
    changes: list[int] = []
    world.on_change = lambda: changes.append(1)
    client.ok("GET", "records", {"app": 1})
    client.refused("POST", "record", {"app": 1})
    assert changes == []
    client.ok("POST", "record", BODY)
    assert changes == [1]


def test_python_writes_are_checked_too(sets: App) -> None:
    with pytest.raises(ApiError, match=r"record\.name\.value: Fill in a value"):
        sets.add_record({})
    with pytest.raises(ApiError, match="GAIA_IL26"):
        sets.add_record({"name": "a"}, by="nobody")
    with pytest.raises(ApiError, match="GAIA_IQ11"):
        sets.add_record({"nothing": "a"})
    assert sets.record_ids() == []


def test_refused_app_leaves_no_trace(world: KintoneWorld) -> None:
    with pytest.raises(ApiError):
        world.add_app("x", {"look": {"type": "SINGLE_LINE_TEXT", "lookup": {"relatedApp": {"app": "9"}}}})
    assert world.add_app("y", {}).id == 3


def test_unknown_right_is_a_mistake(world: KintoneWorld) -> None:
    wrong: Any = ["viewing"]
    with pytest.raises(ValueError, match="viewing"):
        world.add_token([1], wrong)
