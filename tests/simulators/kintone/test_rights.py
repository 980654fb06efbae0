"""Rights on apps, records and fields: how they are set, and what they hide, as an app's administrator meets them."""

import base64
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client

EVERYONE = {"type": "GROUP", "code": "everyone"}


def by(user: str, password: str) -> dict[str, Any]:
    return {"X-Cybozu-API-Token": None, "X-Cybozu-Authorization": base64.b64encode(f"{user}:{password}".encode())}


HANA, TARO = by("hana", "secret"), by("taro", "secret2")


def entity(kind: str, code: str, *rights: str) -> dict[str, Any]:
    return {"entity": {"type": kind, "code": code}, **dict.fromkeys(rights, True)}


def set_record_rights(client: Client, *entities: dict[str, Any], condition: str = "") -> None:
    rights = [{"filterCond": condition, "entities": list(entities)}]
    client.ok("PUT", "record/acl", {"app": 2, "rights": rights})


def set_field_rights(client: Client, code: str, everyone: str) -> None:
    entities = [{"entity": EVERYONE, "accessibility": everyone}]
    client.ok("PUT", "field/acl", {"app": 2, "rights": [{"code": code, "entities": entities}]})


def test_new_app_is_its_creators_and_its_records_are_everybodys(client: Client) -> None:
    creator, everyone = client.ok("GET", "app/acl", {"app": 1})["rights"]
    assert (creator["entity"], creator["appEditable"]) == ({"type": "CREATOR", "code": None}, True)
    assert (everyone["entity"], everyone["appEditable"], everyone["recordDeletable"]) == (EVERYONE, False, True)


def test_settings_are_for_those_who_may_change_the_app(client: Client) -> None:
    assert client.refused("GET", "preview/app/views", {"app": 1}, headers=HANA)[0] == (403, "CB_NO02")
    grant = [entity("USER", "hana", "appEditable", "recordViewable"), entity("GROUP", "everyone", "recordViewable")]
    client.ok("PUT", "app/acl", {"app": 1, "rights": grant})
    client.ok("GET", "preview/app/views", {"app": 1}, headers=HANA)
    assert client.refused("POST", "record", {"app": 1, "record": {}}, headers=TARO)[0] == (403, "CB_NO02")


def test_everyone_comes_last_and_edit_needs_view(client: Client) -> None:
    set_record_rights(client, entity("GROUP", "everyone", "viewable"), entity("USER", "hana", "editable"))
    [rule] = client.ok("GET", "record/acl", {"app": 2})["rights"]
    assert [one["entity"]["code"] for one in rule["entities"]] == ["hana", "everyone"]
    assert [one["editable"] for one in rule["entities"]] == [False, False]


def test_hidden_records_vanish_from_every_reading(client: Client, assignments: App) -> None:
    for seats in (1, 2, 3):
        assignments.add_record({"seats": seats, "key": f"k{seats}"})
    set_record_rights(client, entity("USER", "hana", "viewable"), condition="seats = 2")
    assert client.find("order by $id asc limit 2") == ["1", "3"]
    answer = client.ok("GET", "records", {"app": 2, "totalCount": "true", "query": "limit 1"})
    assert answer["totalCount"] == "2"
    assert client.refused("GET", "record", {"app": 2, "id": 2})[0] == (404, "GAIA_RE01")
    cursor = client.ok("POST", "records/cursor", {"app": 2})
    assert cursor["totalCount"] == "2"
    assert client.ok("GET", "record", {"app": 2, "id": 2}, headers=HANA)["record"]["seats"]["value"] == "2"


def test_rights_of_a_record_go_by_its_fields_and_its_creator(client: Client, assignments: App) -> None:
    assignments.add_record({"users": ["hana"]}, by="taro")
    assignments.add_record({}, by="hana")
    set_record_rights(
        client,
        entity("FIELD_ENTITY", "users", "viewable", "editable", "deletable"),
        entity("FIELD_ENTITY", "作成者", "viewable", "editable"),
        entity("GROUP", "everyone", "viewable"),
    )
    for record_id, headers in ((1, HANA), (1, TARO), (2, HANA)):
        client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {}}, headers=headers)
    assert client.refused("PUT", "record", {"app": 2, "id": 2, "record": {}}, headers=TARO)[0] == (403, "CB_NO02")
    assert client.refused("DELETE", "records", {"app": 2, "ids": [2]}, headers=HANA)[0] == (403, "CB_NO02")
    client.ok("DELETE", "records", {"app": 2, "ids": [1]}, headers=HANA)


def test_domains_administrators_are_a_group(client: Client, assignments: App) -> None:
    assignments.add_record({})
    set_record_rights(client, entity("GROUP", "Administrators", "viewable", "editable"))
    client.ok("PUT", "record", {"app": 2, "id": 1, "record": {}})
    assert client.find("") == ["1"]


@pytest.mark.parametrize("obey", [True, False])
def test_whether_tokens_obey_is_the_worlds_choice(
    client: Client, world: KintoneWorld, assignments: App, obey: bool
) -> None:
    assignments.add_record({})
    set_record_rights(client, entity("USER", "hana", "viewable"))
    world.tokens_obey_rights = obey
    assert client.find("") == ([] if obey else ["1"])


def test_hidden_field_is_absent_and_read_only_field_refuses_values(client: Client, assignments: App) -> None:
    assignments.add_record({"key": "k", "seats": 1})
    set_field_rights(client, "key", "NONE")
    record = client.ok("GET", "record", {"app": 2, "id": 1})["record"]
    assert "key" not in record
    assert record["seats"]["value"] == "1"
    set_field_rights(client, "key", "READ")
    assert client.value(1, "key") == "k"
    change = {"app": 2, "id": 1, "record": {"key": {"value": "other"}}}
    assert client.refused("PUT", "record", change)[0] == (403, "GAIA_NO01")
    client.ok("PUT", "record", {"app": 2, "id": 1, "record": {"seats": {"value": 2}}})


def test_lookup_finds_no_hidden_record(client: Client, sets: App) -> None:
    sets.add_record({"name": "Reader"})
    client.ok("PUT", "record/acl", {"app": 1, "rights": [{"entities": [entity("USER", "hana", "viewable")]}]})
    wish = {"app": 2, "record": {"permission_set": {"value": "Reader"}}}
    assert client.refused("POST", "record", wish)[0] == (400, "GAIA_LO04")


def test_rights_are_evaluated_for_the_caller(client: Client, assignments: App) -> None:
    assignments.add_record({})
    set_record_rights(client, entity("USER", "hana", "viewable", "editable"), entity("GROUP", "everyone", "viewable"))
    [mine] = client.ok("GET", "records/acl/evaluate", {"app": 2, "ids[0]": 1}, headers=TARO)["rights"]
    assert (mine["id"], mine["record"]) == ("1", {"viewable": True, "editable": False, "deletable": False})
    assert mine["fields"]["key"] == {"viewable": True, "editable": False}


@pytest.mark.parametrize(
    ("resource", "rights", "error"),
    [
        ("record/acl", [{"entities": [entity("GROUP", "nobody")]}], "GAIA_IL27"),
        ("record/acl", [{"entities": [entity("FIELD_ENTITY", "nothing")]}], "rights[0].entities[0].entity.code"),
        ("record/acl", [{"entities": [entity("ROBOT", "x")]}], "rights[0].entities[0].entity.type"),
        ("field/acl", [{"code": "nothing", "entities": []}], "rights[0].code"),
        (
            "field/acl",
            [{"code": "key", "entities": [entity("GROUP", "everyone")]}],
            "rights[0].entities[0].accessibility",
        ),
        ("app/acl", [entity("USER", "nobody")], "GAIA_IL26"),
    ],
)
def test_wrong_rights_are_refused(client: Client, resource: str, rights: list[Any], error: str) -> None:
    (_status, code), errors = client.refused("PUT", f"preview/{resource}", {"app": 2, "rights": rights})
    assert error in {code, *errors}


def test_members_of_groups_are_kept(world: KintoneWorld, clock: Clock) -> None:
    world.add_group("ops", "運用", ["hana"])
    again = KintoneWorld.from_state(world.to_state(), clock)
    assert [again.directory.is_member(user, "ops") for user in ("hana", "taro")] == [True, False]
