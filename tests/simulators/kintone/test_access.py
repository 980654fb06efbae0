"""Credentials, rights, guest spaces, languages, headers and counters."""

import base64
from datetime import timedelta
from typing import Any

import pytest
import requests

from simulators.clock import Clock
from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client

NO_TOKEN = {"X-Cybozu-API-Token": None}


def login(user: str, password: str) -> dict[str, Any]:
    return NO_TOKEN | {"X-Cybozu-Authorization": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_no_credential_is_401(client: Client) -> None:
    assert client.refused("GET", "records", {"app": 1}, headers=NO_TOKEN)[0] == (401, "CB_AU01")


@pytest.mark.parametrize("credential", ["hana:wrong", "nobody:secret", "Administrator:"])
def test_wrong_password_is_401(client: Client, credential: str) -> None:
    headers = login(*credential.split(":"))
    assert client.refused("GET", "records", {"app": 1}, headers=headers)[0] == (401, "CB_WA01")


def test_suspended_user_cannot_sign_in(client: Client, world: KintoneWorld) -> None:
    world.add_user("hana", "花", email="hana@example.jp", password="secret", valid=False)
    assert client.refused("GET", "records", {"app": 1}, headers=login("hana", "secret"))[0] == (401, "CB_WA01")


def test_user_writes_in_his_own_name(client: Client) -> None:
    body = {"app": 1, "record": {"name": {"value": "a"}}}
    client.ok("POST", "record", body, headers=login("hana", "secret"))
    assert client.value(1, "作成者", app=1) == {"code": "hana", "name": "花"}


def test_unknown_token_is_400(client: Client) -> None:
    client.token = "unknown"
    assert client.refused("GET", "records", {"app": 1})[0] == (400, "GAIA_IA02")


def test_one_unknown_token_among_several_is_400(client: Client) -> None:
    client.token += ",unknown"
    assert client.refused("GET", "records", {"app": 1})[0] == (400, "GAIA_IA02")


def test_tokens_of_different_apps_may_be_joined_or_repeated(client: Client, world: KintoneWorld) -> None:
    tokens = [world.add_token([1]), world.add_token([2])]
    client.token = ", ".join(tokens)
    client.ok("GET", "records", {"app": 1})
    client.ok("GET", "records", {"app": 2})


def test_two_tokens_of_one_app_are_refused(client: Client, world: KintoneWorld) -> None:
    client.token = ",".join([world.add_token([1]), world.add_token([1])])
    assert client.refused("GET", "records", {"app": 1})[0] == (400, "GAIA_DA03")


def test_ten_tokens_are_too_many(client: Client, world: KintoneWorld) -> None:
    client.token = ",".join(world.add_token([100 + number]) for number in range(10))
    assert client.refused("GET", "records", {"app": 1})[0] == (400, "CB_VA01")


@pytest.mark.parametrize(
    ("method", "resource", "values", "right"),
    [
        ("GET", "record", {"app": 1, "id": 1}, "view"),
        ("GET", "records", {"app": 1}, "view"),
        ("POST", "record", {"app": 1, "record": {"name": {"value": "b"}}}, "add"),
        ("POST", "records", {"app": 1, "records": []}, "add"),
        ("PUT", "record", {"app": 1, "id": 1, "record": {}}, "edit"),
        ("PUT", "records", {"app": 1, "records": []}, "edit"),
        ("DELETE", "records", {"app": 1, "ids": [1]}, "delete"),
        ("POST", "record/comment", {"app": 1, "record": 1, "comment": {"text": "x"}}, "view"),
        ("POST", "records/cursor", {"app": 1}, "view"),
        ("GET", "app/form/fields", {"app": 1}, "view"),
        ("GET", "app/form/fields", {"app": 1}, "add"),
        ("GET", "preview/app/form/fields", {"app": 1}, "manage"),
        ("GET", "app/acl", {"app": 1}, "manage"),
    ],
)
def test_token_needs_its_right(
    client: Client, world: KintoneWorld, sets: App, method: str, resource: str, values: dict[str, Any], right: Any
) -> None:
    sets.add_record({"name": "a"})
    others: list[Any] = [one for one in ("view", "add", "edit", "delete", "manage") if one != right]
    if resource == "app/form/fields":
        others = ["edit", "delete", "manage"]
    client.token = world.add_token([1], others)
    assert client.refused(method, resource, values)[0] == (403, "GAIA_NO01")
    client.token = world.add_token([1], [right])
    client.ok(method, resource, values)


def test_upsert_needs_add_as_well(client: Client, world: KintoneWorld) -> None:
    client.token = world.add_token([1], ["edit"])
    assert client.refused("PUT", "records", {"app": 1, "upsert": True, "records": []})[0] == (403, "GAIA_NO01")


def test_token_of_another_app_is_403(client: Client, world: KintoneWorld) -> None:
    client.token = world.add_token([2])
    assert client.refused("GET", "records", {"app": 1})[0] == (403, "GAIA_AP15")


@pytest.mark.parametrize(("method", "resource"), [("GET", "apps"), ("POST", "preview/app")])
def test_token_cannot_list_or_create_apps(client: Client, method: str, resource: str) -> None:
    assert client.refused(method, resource, {"name": "x"})[0] == (403, "GAIA_NO01")


def test_revoked_token_is_unknown(client: Client, world: KintoneWorld) -> None:
    world.revoke_token(client.token)
    assert client.refused("GET", "records", {"app": 1})[0] == (400, "GAIA_IA02")


def test_oauth_token_acts_as_its_user_within_its_scopes(client: Client, world: KintoneWorld) -> None:
    token = world.add_oauth_token("hana", ["k:app_record:read"])
    headers = NO_TOKEN | {"Authorization": f"Bearer {token}"}
    client.ok("GET", "records", {"app": 1}, headers=headers)
    assert client.refused("POST", "record", {"app": 1}, headers=headers)[0] == (403, "CB_NO02")


def test_guest_space_app_needs_its_path(client: Client, world: KintoneWorld) -> None:
    app = world.add_app("ゲスト", {"name": {"type": "SINGLE_LINE_TEXT"}}, guest_space=7)
    client.token = world.add_token([app.id, 1])
    assert client.refused("GET", "records", {"app": app.id})[0] == (400, "GAIA_IL23")
    headers = {"X-Cybozu-API-Token": client.token}
    answers = [
        requests.get(f"{client.url}/k/guest/7/v1/records.json", params={"app": app_id}, headers=headers, timeout=5)
        for app_id in (app.id, 1)
    ]
    assert [answer.status_code for answer in answers] == [200, 403]
    assert answers[1].json()["code"] == "CB_NO02"


@pytest.mark.parametrize(
    ("accepted", "message"),
    [
        ("ja", "送られた値に誤りがあります。"),
        ("en-US,en;q=0.9", "Some of the values sent are wrong."),
        ("*", "送られた値に誤りがあります。"),
        (None, "送られた値に誤りがあります。"),
    ],
)
def test_messages_follow_accept_language(client: Client, accepted: str | None, message: str) -> None:
    answer = client.send("GET", "record", {"app": 1}, headers={"Accept-Language": accepted})
    assert answer.json()["message"] == message


def test_users_own_language_wins(client: Client, world: KintoneWorld) -> None:
    world.add_user("emma", "Emma", email="emma@example.jp", password="pw", language="en")
    answer = client.send("GET", "record", {"app": 1}, headers=login("emma", "pw") | {"Accept-Language": "ja"})
    assert answer.json()["errors"] == {"id": {"messages": ["This parameter is missing."]}}


def test_errors_carry_an_id_of_their_own(client: Client) -> None:
    ids = {client.send("GET", "record", {"app": 1}).json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_headers_tell_time_and_concurrency(client: Client, clock: Clock) -> None:
    clock.advance(timedelta(days=1))
    headers = client.send("GET", "records", {"app": 1}).headers
    assert headers["Date"] == "Thu, 16 Apr 2026 03:04:56 GMT"
    assert (headers["X-ConcurrencyLimit-Limit"], headers["X-ConcurrencyLimit-Running"]) == ("100", "1")


def test_too_many_at_once_is_429(client: Client, world: KintoneWorld) -> None:
    world.concurrency_limit = 0
    answer = client.send("GET", "records", {"app": 1})
    assert (answer.status_code, answer.json()["code"]) == (429, "GAIA_TO04")
    assert answer.headers["X-Cybozu-Error"] == "GAIA_TO04"


def test_calls_are_counted_by_path_and_by_app_and_day(client: Client, world: KintoneWorld) -> None:
    client.ok("GET", "records", {"app": 1})
    client.ok("POST", "records", {"app": 1}, headers={"X-HTTP-Method-Override": "GET"})
    client.ok("POST", "bulkRequest", {"requests": []})
    assert world.calls["GET", "/k/v1/records.json"] == 2
    assert world.requests == {("2026-04-15", 1): 2}


def test_override_must_be_upper_case(client: Client) -> None:
    headers = {"X-HTTP-Method-Override": "get"}
    assert client.refused("POST", "records", {"app": 1}, headers=headers)[0] == (400, "CB_IL02")


def test_unknown_resource_is_no_json(client: Client) -> None:
    answer = client.send("GET", "nothing", {"app": 1})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_get_that_announces_json_and_sends_none_is_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.refused("GET", "records", {"app": 1}, headers=headers)[0] == (400, "CB_IJ01")


def test_array_in_the_url_has_a_hundred_members_at_most(client: Client) -> None:
    assert client.refused("GET", "records", {"app": 1, "fields[100]": "name"})[0] == (400, "CB_IL02")


# The user directory


def users(client: Client, headers: dict[str, str], **params: Any) -> Any:
    return requests.get(f"{client.url}/v1/users.json", params=params, headers=headers, timeout=5)


def test_users_are_listed_by_id_in_pages(client: Client) -> None:
    headers = {"X-Cybozu-Authorization": base64.b64encode(b"hana:secret").decode()}
    listed = users(client, headers).json()["users"]
    assert [(user["id"], user["code"]) for user in listed] == [("1", "Administrator"), ("2", "hana"), ("3", "taro")]
    assert (listed[1]["email"], listed[1]["valid"], listed[1]["name"]) == ("hana@example.jp", True, "花")
    assert [user["code"] for user in users(client, headers, size=1, offset=2).json()["users"]] == ["taro"]
    assert [user["code"] for user in users(client, headers, **{"codes[0]": "taro"}).json()["users"]] == ["taro"]


def test_users_token_reads_users_and_nothing_else(client: Client, world: KintoneWorld) -> None:
    headers = {"Authorization": f"Bearer {world.add_users_token()}"}
    assert users(client, headers).status_code == 200
    assert client.refused("GET", "records", {"app": 1}, headers=NO_TOKEN | headers)[0] == (401, "CB_AU01")


def test_app_token_does_not_read_users(client: Client) -> None:
    answer = users(client, {"X-Cybozu-API-Token": client.token})
    assert (answer.status_code, answer.json()["code"]) == (401, "CB_AU01")


@pytest.mark.parametrize("params", [{"size": 101}, {"size": 0}, {"ids[0]": 1, "codes[0]": "hana"}])
def test_impossible_listing_is_refused(client: Client, world: KintoneWorld, params: dict[str, Any]) -> None:
    answer = users(client, {"Authorization": f"Bearer {world.add_users_token()}"}, **params)
    assert (answer.status_code, answer.json()["code"]) == (400, "CB_VA01")
