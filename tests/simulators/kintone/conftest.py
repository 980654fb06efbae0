"""A small kintone domain behind a port: two apps, three users, and a client that speaks raw HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from simulators.clock import Clock
from simulators.kintone import App, KintoneSimulator, KintoneWorld
from simulators.serving import Serving

NOW = datetime(2026, 4, 15, 3, 4, 56, tzinfo=UTC)  # a Wednesday, 12:04 in Tokyo

SETS: dict[str, dict[str, Any]] = {
    "name": {"type": "SINGLE_LINE_TEXT", "label": "名前", "unique": True, "required": True, "maxLength": 32},
    "description": {"type": "SINGLE_LINE_TEXT"},
}
ASSIGNMENTS: dict[str, dict[str, Any]] = {
    "account_id": {"type": "SINGLE_LINE_TEXT"},
    "permission_set": {
        "type": "SINGLE_LINE_TEXT",
        "lookup": {
            "relatedApp": {"app": "1"},
            "relatedKeyField": "name",
            "fieldMappings": [{"field": "set_description", "relatedField": "description"}],
        },
    },
    "set_description": {"type": "SINGLE_LINE_TEXT"},
    "users": {"type": "USER_SELECT"},
    "groups": {"type": "MULTI_LINE_TEXT"},
    "teams": {"type": "GROUP_SELECT"},
    "expires_on": {"type": "DATE"},
    "at": {"type": "TIME"},
    "since": {"type": "DATETIME"},
    "seats": {"type": "NUMBER", "minValue": "1", "maxValue": "100"},
    "stage": {"type": "DROP_DOWN", "options": {"prod": {"index": "1"}, "dev": {"index": "0"}}},
    "risk": {"type": "RADIO_BUTTON", "options": {"low": {}, "high": {}}},
    "tags": {"type": "CHECK_BOX", "options": {"pci": {}, "sox": {}}},
    "note": {"type": "RICH_TEXT"},
    "console": {"type": "LINK"},
    "key": {"type": "SINGLE_LINE_TEXT", "unique": True},
    "rows": {
        "type": "SUBTABLE",
        "fields": {
            "item": {"type": "SINGLE_LINE_TEXT", "required": True},
            "size": {"type": "NUMBER"},
            "kind": {"type": "DROP_DOWN", "options": {"a": {}, "b": {}}, "defaultValue": "a"},
        },
    },
}


@dataclass
class Client:
    """A caller with one token for both apps."""

    url: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def send(
        self, method: str, resource: str, values: dict[str, Any] | None = None, **kwargs: Any
    ) -> requests.Response:
        headers = {"X-Cybozu-API-Token": self.token, "Accept-Language": "en", **kwargs.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        kwargs |= {"params": values} if method == "GET" else {"json": values}
        return self.session.request(method, f"{self.url}/k/v1/{resource}.json", headers=headers, timeout=5, **kwargs)

    def ok(self, method: str, resource: str, values: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        answer = self.send(method, resource, values, **kwargs)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, resource: str, values: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """The error of a call that must fail, as `(status, code)` and its errors by key."""
        answer = self.send(method, resource, values, **kwargs)
        body = answer.json()
        messages = {key: one["messages"] for key, one in body.get("errors", {}).items()}
        return (answer.status_code, body["code"]), messages

    def find(self, query: str, app: int = 2) -> list[str]:
        """The ids of the records a query finds."""
        answer = self.ok("GET", "records", {"app": app, "query": query, "fields[0]": "$id"})
        return [record["$id"]["value"] for record in answer["records"]]

    def value(self, record_id: int, code: str, app: int = 2) -> Any:
        return self.ok("GET", "record", {"app": app, "id": record_id})["record"][code]["value"]


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze(NOW)
    return clock


@pytest.fixture
def world(clock: Clock) -> KintoneWorld:
    world = KintoneWorld(clock)
    world.add_user("hana", "花", email="hana@example.jp", password="secret")
    world.add_user("taro", "太郎", email="taro@example.jp", password="secret2")
    world.add_group("cloud", "クラウド部")
    world.add_app("許可セット", SETS)
    world.add_app("割当", ASSIGNMENTS)
    return world


@pytest.fixture
def sets(world: KintoneWorld) -> App:
    return world.app(1)


@pytest.fixture
def assignments(world: KintoneWorld) -> App:
    return world.app(2)


@pytest.fixture
def client(world: KintoneWorld) -> Iterator[Client]:
    token = world.add_token([1, 2], ["view", "add", "edit", "delete", "manage"])
    with Serving(KintoneSimulator(world)) as serving, requests.Session() as session:
        yield Client(serving.url, token, session)
