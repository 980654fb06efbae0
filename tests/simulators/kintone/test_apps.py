"""Forms, deployment, settings and process management."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client

HANA = {"X-Cybozu-API-Token": None, "X-Cybozu-Authorization": base64.b64encode(b"hana:secret").decode()}
TEXT = {"type": "SINGLE_LINE_TEXT"}


def deploy(client: Client, clock: Clock, app: int, **kwargs: Any) -> str:
    """Deploy and wait; the final status."""
    client.ok("POST", "preview/app/deploy", {"apps": [{"app": app}]}, **kwargs)
    assert status(client, app, **kwargs) == "PROCESSING"
    clock.advance(timedelta(seconds=2))
    return status(client, app, **kwargs)


def status(client: Client, app: int, **kwargs: Any) -> str:
    answer = client.ok("GET", "preview/app/deploy", {"apps[0]": app}, **kwargs)
    assert [one["app"] for one in answer["apps"]] == [str(app)]
    found: str = answer["apps"][0]["status"]
    return found


def test_app_is_made_from_nothing(client: Client, clock: Clock) -> None:
    made = client.ok("POST", "preview/app", {"name": "新しい"}, headers=HANA)
    assert made == {"app": "3", "revision": "1"}
    properties = {"name": {**TEXT, "code": "name", "label": "名前", "unique": True}}
    body = {"app": 3, "properties": properties, "revision": 1}
    assert client.ok("POST", "preview/app/form/fields", body, headers=HANA) == {"revision": "2"}
    assert client.refused("GET", "records", {"app": 3}, headers=HANA)[0] == (404, "GAIA_AP01")
    assert deploy(client, clock, 3, headers=HANA) == "SUCCESS"
    client.ok("POST", "record", {"app": 3, "record": {"name": {"value": "a"}}}, headers=HANA)
    app = client.ok("GET", "app", {"id": 3}, headers=HANA)
    assert (app["appId"], app["name"], app["creator"]) == ("3", "新しい", {"code": "hana", "name": "花"})


def test_form_is_complete_and_typed(client: Client) -> None:
    answer = client.ok("GET", "app/form/fields", {"app": 1, "lang": "ja"})
    assert answer["properties"]["name"] == {
        "type": "SINGLE_LINE_TEXT",
        "code": "name",
        "label": "名前",
        "noLabel": False,
        "required": True,
        "defaultValue": "",
        "unique": True,
        "minLength": "",
        "maxLength": "32",
        "expression": "",
        "hideExpression": False,
    }
    kinds = {definition["type"]: code for code, definition in answer["properties"].items()}
    assert kinds["RECORD_NUMBER"] == "レコード番号"
    assert answer["properties"][kinds["STATUS"]]["enabled"] is False


def test_system_fields_have_the_domains_language_or_the_given_code() -> None:
    app = KintoneWorld(language="en").add_app("x", {"made_by": {"type": "CREATOR"}})
    app.add_record({})
    assert {"Record_number", "made_by", "Updated_datetime"} <= set(app.record(1))
    assert "Created_by" not in app.record(1)


def test_flags_a_type_does_not_have_are_dropped(client: Client) -> None:
    properties = {"memo": {"type": "MULTI_LINE_TEXT", "unique": True}}
    client.ok("POST", "preview/app/form/fields", {"app": 1, "properties": properties})
    assert "unique" not in client.ok("GET", "preview/app/form/fields", {"app": 1})["properties"]["memo"]


@pytest.mark.parametrize(
    "properties",
    [
        {"name": TEXT},
        {"new": {"type": "NOTHING"}},
        {"new": {"type": "CREATOR"}},
        {"1new": TEXT},
        {"t": {"type": "SUBTABLE", "fields": {"name": TEXT}}},
    ],
)
def test_impossible_field_is_refused(client: Client, properties: dict[str, Any]) -> None:
    body = {"app": 1, "properties": properties}
    assert client.refused("POST", "preview/app/form/fields", body)[0] == (400, "CB_VA01")


def test_stale_settings_are_a_conflict(client: Client) -> None:
    body = {"app": 1, "properties": {"new": TEXT}, "revision": 7}
    assert client.refused("POST", "preview/app/form/fields", body)[0] == (409, "GAIA_CO02")


def test_changes_are_not_live_before_deployment(client: Client, clock: Clock, sets: App) -> None:
    sets.add_record({"name": "a", "description": "kept"})
    client.ok("POST", "preview/app/form/fields", {"app": 1, "properties": {"new": TEXT}})
    renamed = {"description": {"code": "about", "label": "説明"}}
    client.ok("PUT", "preview/app/form/fields", {"app": 1, "properties": renamed})
    assert "new" not in client.ok("GET", "app/form/fields", {"app": 1})["properties"]
    assert deploy(client, clock, 1) == "SUCCESS"
    record = client.ok("GET", "record", {"app": 1, "id": 1})["record"]
    assert (record["about"]["value"], record["new"]["value"]) == ("kept", "")
    assert "description" not in record


def test_deleted_fields_are_gone_after_deployment(client: Client, clock: Clock, sets: App) -> None:
    sets.add_record({"name": "a", "description": "x"})
    client.ok("DELETE", "preview/app/form/fields", {"app": 1, "fields": ["description"]})
    deploy(client, clock, 1)
    assert "description" not in client.ok("GET", "record", {"app": 1, "id": 1})["record"]


def test_field_made_anew_under_an_old_code_is_empty(client: Client, clock: Clock, sets: App) -> None:
    sets.add_record({"name": "a", "description": "x"})
    client.ok("DELETE", "preview/app/form/fields", {"app": 1, "fields": ["description"]})
    client.ok("POST", "preview/app/form/fields", {"app": 1, "properties": {"description": TEXT}})
    deploy(client, clock, 1)
    assert client.value(1, "description", app=1) == ""


def test_fields_of_tables_are_renamed_and_added(client: Client, clock: Clock, assignments: App) -> None:
    assignments.add_record({"rows": [{"item": "a", "size": 1}]})
    fields = {"item": {"code": "thing"}, "size": {}, "more": TEXT}
    client.ok("PUT", "preview/app/form/fields", {"app": 2, "properties": {"rows": {"fields": fields}}})
    assert deploy(client, clock, 2) == "SUCCESS"
    row = client.value(1, "rows")[0]
    assert row["id"] == "1"
    assert {code: cell["value"] for code, cell in row["value"].items()} == {"thing": "a", "size": "1", "more": ""}


def test_settings_are_closed_while_deploying(client: Client) -> None:
    client.ok("POST", "preview/app/deploy", {"apps": [{"app": 1}]})
    assert client.send("PUT", "preview/app/settings", {"app": 1, "name": "x"}).status_code == 400


def test_deployment_fails_on_records_that_break_a_new_rule(client: Client, clock: Clock, sets: App) -> None:
    for name in "ab":
        sets.add_record({"name": name, "description": "same"})
    client.ok("PUT", "preview/app/form/fields", {"app": 1, "properties": {"description": {"unique": True}}})
    assert deploy(client, clock, 1) == "FAIL"
    assert client.ok("GET", "app/form/fields", {"app": 1})["properties"]["description"]["unique"] is False


def test_apps_deployed_together_become_live_together(client: Client, clock: Clock, sets: App) -> None:
    for name in "ab":
        sets.add_record({"name": name, "description": "same"})
    client.ok("PUT", "preview/app/form/fields", {"app": 1, "properties": {"description": {"unique": True}}})
    client.ok("PUT", "preview/app/settings", {"app": 2, "name": "別名"})
    client.ok("POST", "preview/app/deploy", {"apps": [{"app": 1}, {"app": 2}]})
    clock.advance(timedelta(seconds=2))
    assert [status(client, app) for app in (1, 2)] == ["FAIL", "CANCEL"]
    assert client.ok("GET", "app", {"id": 2})["name"] == "割当"
    assert deploy(client, clock, 2) == "SUCCESS"


def test_reverted_changes_are_cancelled(client: Client) -> None:
    client.ok("POST", "preview/app/form/fields", {"app": 1, "properties": {"new": TEXT}})
    client.ok("POST", "preview/app/deploy", {"apps": [{"app": 1}], "revert": True})
    assert status(client, 1) == "CANCEL"
    assert "new" not in client.ok("GET", "preview/app/form/fields", {"app": 1})["properties"]


def lookup(key: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    mappings = [{"field": field, "relatedField": related} for field, related in pairs]
    return {**TEXT, "lookup": {"relatedApp": {"app": "1"}, "relatedKeyField": key, "fieldMappings": mappings}}


def test_lookup_key_must_be_unique_when_deployed(client: Client) -> None:
    client.ok("POST", "preview/app/form/fields", {"app": 2, "properties": {"look": lookup("description")}})
    assert client.refused("POST", "preview/app/deploy", {"apps": [{"app": 2}]})[0] == (400, "GAIA_LO03")


@pytest.mark.parametrize(
    "properties",
    [
        {"look": lookup("name", ("seats", "description"))},
        {"look": lookup("name", ("set_description", "description"))},
        {"look": lookup("name", ("nothing", "description"))},
    ],
)
def test_unsound_lookup_is_refused(client: Client, properties: dict[str, Any]) -> None:
    body = {"app": 2, "properties": properties}
    assert client.refused("POST", "preview/app/form/fields", body)[0] == (400, "CB_VA01")


def test_lookup_of_a_missing_app_is_refused(client: Client) -> None:
    look = {**TEXT, "lookup": {"relatedApp": {"app": "99"}, "relatedKeyField": "name"}}
    body = {"app": 2, "properties": {"look": look}}
    assert client.refused("POST", "preview/app/form/fields", body)[0] == (404, "GAIA_AP01")


def test_layout_names_every_field_and_keeps_what_was_put(client: Client) -> None:
    row = {"type": "ROW", "fields": [{"type": "SINGLE_LINE_TEXT", "code": "account_id", "size": {"width": "99"}}]}
    client.ok("PUT", "preview/app/form/layout", {"app": 2, "layout": [row]})
    layout = client.ok("GET", "preview/app/form/layout", {"app": 2})["layout"]
    assert layout[0] == row
    assert [one["code"] for one in layout if one["type"] == "SUBTABLE"] == ["rows"]
    assert len(layout) == len(client.ok("GET", "app/form/layout", {"app": 2})["layout"])


def test_views_and_settings_are_kept(client: Client, clock: Clock) -> None:
    answer = client.ok("PUT", "preview/app/views", {"app": 1, "views": {"全部": {"type": "LIST", "index": 0}}})
    view_id = answer["views"]["全部"]["id"]
    client.ok("PUT", "preview/app/settings", {"app": 1, "name": "別名", "theme": "BLUE"})
    deploy(client, clock, 1)
    assert client.ok("GET", "app/views", {"app": 1})["views"]["全部"]["id"] == view_id
    settings = client.ok("GET", "app/settings", {"app": 1})
    assert (settings["name"], settings["theme"], settings["enableComments"]) == ("別名", "BLUE", True)


def test_the_live_path_of_rights_deploys_all(client: Client) -> None:
    client.ok("POST", "preview/app/form/fields", {"app": 1, "properties": {"new": TEXT}})
    client.ok("PUT", "record/acl", {"app": 1, "rights": []})
    assert "new" in client.ok("GET", "app/form/fields", {"app": 1})["properties"]


def test_apps_are_found_by_code_id_and_name(client: Client, world: KintoneWorld) -> None:
    world.add_app("予備", {}, code="SPARE")
    listed = [
        [app["appId"] for app in client.ok("GET", "apps", params, headers=HANA)["apps"]]
        for params in ({}, {"codes[0]": "SPARE"}, {"ids[0]": 1}, {"name": "割"}, {"limit": 1, "offset": 1})
    ]
    assert listed == [["1", "2", "3"], ["3"], ["1"], ["2"], ["2"]]


# Process management

STATES: dict[str, Any] = {
    "下書き": {"name": "下書き", "index": "0", "assignee": {"type": "ONE", "entities": []}},
    "完了": {"name": "完了", "index": "1", "assignee": {"type": "ONE", "entities": []}},
}
ACTIONS = [{"name": "完了にする", "from": "下書き", "to": "完了"}]


@pytest.fixture
def process(client: Client, clock: Clock, sets: App) -> App:
    sets.add_record({"name": "a"})
    client.ok("PUT", "preview/app/status", {"app": 1, "enable": True, "states": STATES, "actions": ACTIONS})
    deploy(client, clock, 1)
    return sets


@pytest.mark.usefixtures("process")
def test_action_moves_a_record_by_two_revisions(client: Client) -> None:
    assert client.value(1, "ステータス", app=1) == "下書き"
    body = {"app": 1, "id": 1, "action": "完了にする"}
    assert client.ok("PUT", "record/status", body) == {"revision": "3"}
    assert client.find('ステータス = "完了"', app=1) == ["1"]
    assert client.refused("PUT", "record/status", body)[0] == (400, "GAIA_IL03")


def test_many_actions_are_one(client: Client, process: App) -> None:
    process.add_record({"name": "b"})
    records = [{"id": 1, "action": "完了にする"}, {"id": 2, "action": "無い"}]
    assert client.refused("PUT", "records/status", {"app": 1, "records": records})[0] == (400, "GAIA_IL03")
    assert client.value(1, "ステータス", app=1) == "下書き"


@pytest.mark.usefixtures("process")
def test_assignee_is_shown_and_found(client: Client) -> None:
    client.ok("PUT", "record/assignees", {"app": 1, "id": 1, "assignees": ["taro"]})
    assert client.value(1, "作業者", app=1) == [{"code": "taro", "name": "太郎"}]
    assert client.find('作業者 in ("taro")', app=1) == ["1"]


def test_no_process_no_action(client: Client, sets: App) -> None:
    sets.add_record({"name": "a"})
    assert client.refused("PUT", "record/status", {"app": 1, "id": 1, "action": "x"})[0] == (400, "GAIA_ST02")
