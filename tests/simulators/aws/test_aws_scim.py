"""People come and go by SCIM, as Entra ID brings them."""

import json
from typing import Any

import pytest

from simulators.aws import AwsSimulator, AwsWorld, scim
from simulators.serving import Request, Response

MEI = {
    "userName": "mei@example.com", "displayName": "芽衣", "name": {"givenName": "芽", "familyName": "衣"},
    "emails": [{"value": "mei@example.com", "primary": True}], "externalId": "oid-1", "active": True,
}  # fmt: skip


class Directory:
    """Entra ID's side."""

    def __init__(self) -> None:
        self.world = AwsWorld()
        self._application = AwsSimulator(self.world)

    def send(self, method: str, path: str = "", body: Any = None, *, token: str = "", **query: str) -> Response:
        headers = {"authorization": f"Bearer {token or scim.token_of(self.world)}"}
        text = json.dumps(body).encode() if body is not None else b""
        values = {name: [value] for name, value in query.items()}
        return self._application(Request(method, scim.BASE + path, values, headers, text))

    def create(self) -> str:
        return str(json.loads(self.send("POST", "", MEI).body)["id"])


@pytest.fixture
def directory() -> Directory:
    return Directory()


def test_newcomer_is_in_the_identity_store(directory: Directory) -> None:
    user = directory.world.directory.users[directory.create()]
    assert (user.user_name, user.display_name, user.external_id, user.status) == (
        "mei@example.com", "芽衣", "oid-1", "ENABLED",
    )  # fmt: skip


def test_user_is_found_by_name(directory: Directory) -> None:
    user_id = directory.create()
    found = json.loads(directory.send("GET", filter='userName eq "MEI@example.com"').body)
    assert [user["id"] for user in found["Resources"]] == [user_id]
    assert json.loads(directory.send("GET", filter='externalId eq "oid-2"').body)["totalResults"] == 0


@pytest.mark.parametrize("operation", [{"path": "active", "value": "False"}, {"value": {"active": False}}])
def test_leaver_is_disabled_and_stays(operation: dict[str, Any], directory: Directory) -> None:
    user_id = directory.create()
    directory.send("PATCH", f"/{user_id}", {"Operations": [{"op": "Replace", **operation}]})
    assert directory.world.directory.users[user_id].status == "DISABLED"


def test_hard_delete_removes_the_user(directory: Directory) -> None:
    user_id = directory.create()
    assert directory.send("DELETE", f"/{user_id}").status == 204
    assert user_id not in directory.world.directory.users


def test_what_is_wrong_is_refused(directory: Directory) -> None:
    directory.create()
    statuses = [
        directory.send("GET", token="another").status,
        directory.send("GET", "/nobody").status,
        directory.send("POST", "", MEI).status,
        directory.send("POST", "", {"userName": "x"}).status,
        directory.send("GET", filter="name pr").status,
        directory.send("PUT", "", MEI).status,
    ]
    assert statuses == [401, 404, 409, 400, 400, 405]
