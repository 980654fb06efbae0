"""kintone's webhook: who may call it, what it takes, and that it is only a hint."""

import json
import logging
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from portal.views import webhooks
from syncer import tasks
from syncer.models import Hint

pytestmark = pytest.mark.django_db

TOKEN, APP = "f3Zq-webhook-token", "24"
SAVED = {
    "id": "01491692",
    "type": "UPDATE_RECORD",
    "app": {"id": APP, "name": "割当"},
    "record": {"$id": {"type": "__ID__", "value": "57"}, "users": {"type": "USER_SELECT", "value": []}},
}
DELETED = {"id": "1", "type": "DELETE_RECORD", "app": {"id": APP}, "recordId": "57", "deletedBy": {"code": "hana"}}
COMMENTED = {"id": "1", "type": "ADD_RECORD_COMMENT", "app": {"id": APP}, "recordId": "57", "comment": {"id": "3"}}


@pytest.fixture(autouse=True)
def set_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KINTONE_WEBHOOK_TOKEN, settings.KINTONE_ASSIGNMENT_APP_ID = TOKEN, APP
    settings.KINTONE_PERMISSION_SET_APP_ID = "23"
    monkeypatch.setattr(tasks, "_send", lambda _task: None)


@pytest.fixture
def kintone() -> Client:
    """kintone has no cookie and no CSRF token."""
    return Client(enforce_csrf_checks=True)


def call(kintone: Client, body: Any = SAVED, *, token: str | None = TOKEN) -> Any:
    query = "" if token is None else f"?token={token}"
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return kintone.post(f"/webhooks/kintone/{query}", content, content_type="application/json")


def hinted() -> list[str]:
    return [str(hint) for hint in Hint.objects.all()]


@pytest.mark.parametrize(
    "body",
    [
        SAVED, DELETED, COMMENTED, {**SAVED, "type": "ADD_RECORD"}, {**SAVED, "type": "UPDATE_STATUS"},
        {**SAVED, "type": "SOMETHING_NEW"}, {**DELETED, "app": {"id": 24}, "recordId": 57},
    ],
)  # fmt: skip
def test_event_is_taken_as_a_hint(kintone: Client, body: dict[str, Any]) -> None:
    assert call(kintone, body).status_code == 200
    assert hinted() == ["24:57"]


@pytest.mark.parametrize("app", ["23", "24"])
def test_both_apps_are_ours(kintone: Client, app: str) -> None:
    assert call(kintone, {**SAVED, "app": {"id": app}}).status_code == 200
    assert hinted() == [f"{app}:57"]


def test_nothing_is_asked_while_it_answers(kintone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_values: object, **_named: object) -> None:
        raise AssertionError("a request handler asked kintone")

    monkeypatch.setattr("requests.sessions.Session.request", refuse)
    assert call(kintone).status_code == 200


def test_worker_is_woken_once_for_a_burst(
    kintone: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    woken: list[object] = []
    monkeypatch.setattr(tasks, "_send", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        for _number in range(60):
            call(kintone)
    assert (len(woken), Hint.objects.count()) == (1, 1)


@pytest.mark.parametrize("method", ["post", "get"])
def test_unset_token_is_no_page(kintone: Client, settings: Settings, method: str) -> None:
    settings.KINTONE_WEBHOOK_TOKEN = ""
    assert getattr(kintone, method)("/webhooks/kintone/?token=").status_code == 404


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], f"{TOKEN}x", "鍵"])
def test_wrong_token_is_refused(kintone: Client, token: str | None) -> None:
    assert call(kintone, token=token).status_code == 403
    assert hinted() == []


def test_token_in_the_body_does_not_count(kintone: Client) -> None:
    assert kintone.post("/webhooks/kintone/", {"token": TOKEN}).status_code == 403


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_post_is_understood(kintone: Client, method: str) -> None:
    assert getattr(kintone, method)(f"/webhooks/kintone/?token={TOKEN}").status_code == 405


def test_signed_in_people_need_the_token_too(client: Client) -> None:
    assert call(client, token=None).status_code == 403


@pytest.mark.parametrize("body", ["", "{", "[]", "1", "null", '"text"', b"\xff\xfe", "[" * 100_000])
def test_body_that_is_no_object_is_refused(kintone: Client, body: str | bytes) -> None:
    assert call(kintone, body).status_code == 400
    assert hinted() == []


def test_large_body_is_refused_unread(kintone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "LARGEST", 1000)
    monkeypatch.setattr(webhooks, "_parse", lambda _content: pytest.fail("it was read"))
    assert call(kintone, json.dumps({**SAVED, "note": "x" * 1000})).status_code == 413


@pytest.mark.parametrize("app", ["25", "", "024", "24 ", None, {"id": "24"}, ["24"], True])
def test_other_app_is_refused(kintone: Client, app: Any) -> None:
    assert call(kintone, {**SAVED, "app": {"id": app}}).status_code == 400
    assert hinted() == []


@pytest.mark.parametrize(
    "more", [{}, {"recordId": "x"}, {"recordId": "-1"}, {"recordId": "٣"}, {"recordId": "1" * 21}, {"record": []}]
)
def test_event_of_no_record_is_ignored(kintone: Client, more: dict[str, Any]) -> None:
    assert call(kintone, {"type": "SOMETHING", "app": {"id": APP}, **more}).json() == {"status": "ignored"}
    assert hinted() == []


@pytest.mark.parametrize("token", [TOKEN, "wrong-token"])
def test_token_is_in_no_log(kintone: Client, token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "django.request")  # where the settings say more, it is still in none
    call(kintone, "nonsense", token=token)
    assert caplog.records
    assert not any(token in record.getMessage() for record in caplog.records)
