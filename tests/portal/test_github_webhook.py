"""GitHub's webhook: who may call it, what it takes, and that playing it back does nothing."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import AuditEvent
from portal.views import webhooks
from simulators.github import GitHubSimulator, User, sign
from syncer import retention, tasks
from syncer.models import Run, SyncRequest

pytestmark = pytest.mark.django_db

SECRET = "It's a Secret to Everybody"
HANA = User("hana", "MEMBER")


@pytest.fixture(autouse=True)
def set_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GITHUB_WEBHOOK_SECRET, settings.GITHUB_SYNC_ISSUE = SECRET, "Example/AWS-Access#12"
    monkeypatch.setattr(tasks, "_send", lambda _task: None)


@pytest.fixture
def github() -> GitHubSimulator:
    return GitHubSimulator()


@pytest.fixture
def caller() -> Client:
    """GitHub has no cookie and no CSRF token."""
    return Client(enforce_csrf_checks=True)


def call(caller: Client, event: Mapping[str, Any] | bytes, **headers: str) -> Any:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    sent = {"X-GitHub-Event": "issue_comment", "X-Hub-Signature-256": sign(SECRET, body), "X-GitHub-Delivery": "1"}
    content_type = headers.pop("content_type", "application/json")
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.post("/webhooks/github/", body, content_type=content_type, headers=sent)


def test_comment_asks_for_a_full_run(caller: Client, github: GitHubSimulator) -> None:
    answer = call(caller, github.event(github.write(HANA, "/sync")))
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    run = Run.objects.get()
    assert (run.kind, run.status, run.asked_by) == (Run.Kind.FULL, Run.Status.QUEUED, "hana (GitHub)")
    event = AuditEvent.objects.get(action="github.request")
    assert (event.actor_name, event.object_id) == ("hana (GitHub)", str(run.pk))


def test_form_that_holds_json_is_understood(caller: Client, github: GitHubSimulator) -> None:
    body = urlencode({"payload": json.dumps(github.event(github.write(HANA, "/sync")))}).encode()
    assert call(caller, body, content_type="application/x-www-form-urlencoded").json() == {"status": "ok"}
    assert Run.objects.count() == 1


def test_delivery_played_back_starts_nothing(caller: Client, github: GitHubSimulator) -> None:
    event = github.event(github.write(HANA, "/sync"))
    call(caller, event)
    Run.objects.update(status=Run.Status.DONE)
    assert call(caller, event, X_GitHub_Delivery="2").json() == {"status": "ignored"}
    assert (Run.objects.count(), SyncRequest.objects.count()) == (1, 1)


def test_nothing_that_was_played_back_starts_anything_years_later(caller: Client, github: GitHubSimulator) -> None:
    event = github.event(github.write(HANA, "/sync"))
    call(caller, event)
    Run.objects.all().delete()
    SyncRequest.objects.update(created_at=timezone.now() - timedelta(days=9000))
    retention.forget_the_past(timezone.now())
    assert call(caller, event).json() == {"status": "ignored"}
    assert not Run.objects.exists()


def test_event_says_no_more_than_it_has_to(caller: Client) -> None:
    user = {"login": "hana", "type": "User"}
    comment = {"id": 1, "body": "/sync", "user": user, "author_association": "OWNER"}
    repository, issue = {"full_name": "example/aws-access"}, {"number": 12}
    event = {"action": "created", "comment": comment, "repository": repository, "issue": issue}
    assert call(caller, event).json() == {"status": "ok"}


@pytest.mark.parametrize("action", ["edited", "deleted", "pinned"])
def test_only_new_comments_count(caller: Client, github: GitHubSimulator, action: str) -> None:
    assert call(caller, github.event(github.write(HANA, "/sync"), action)).json() == {"status": "ignored"}
    assert not SyncRequest.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"repository": {"full_name": "example/other"}}, {"issue": {"number": 13}}, {"repository": None}, {"issue": []},
        {"comment": None}, {"comment": {"id": "x"}}, {"action": None}, {"issue": {}},
    ],
)  # fmt: skip
def test_other_events_are_ignored(caller: Client, github: GitHubSimulator, change: dict[str, Any]) -> None:
    answer = call(caller, github.event(github.write(HANA, "/sync")) | change)
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    assert not SyncRequest.objects.exists()


@pytest.mark.parametrize("body", ["thanks!", "what does /sync do?", "> /sync", "/sync\n<!-- genkan x -->"])
def test_other_comments_are_ignored(caller: Client, github: GitHubSimulator, body: str) -> None:
    assert call(caller, github.event(github.write(HANA, body))).json() == {"status": "ignored"}


@pytest.mark.parametrize("user", [User("dependabot[bot]", "MEMBER", "Bot"), User("", "MEMBER")])
def test_bots_and_nobody_are_ignored(caller: Client, github: GitHubSimulator, user: User) -> None:
    assert call(caller, github.event(github.write(user, "/sync"))).json() == {"status": "ignored"}


def test_hidden_member_is_looked_up_before_he_is_refused(caller: Client, github: GitHubSimulator) -> None:
    call(caller, github.event(github.write(User("hana", "MEMBER", hides_membership=True), "/sync")))
    assert SyncRequest.objects.get().verdict == SyncRequest.Verdict.UNSURE
    assert not Run.objects.exists()


def test_setting_needs_no_looking_up(caller: Client, github: GitHubSimulator, settings: Settings) -> None:
    settings.GITHUB_ALLOWED_USERS = ("taro",)
    call(caller, github.event(github.write(HANA, "/sync")))
    assert SyncRequest.objects.get().verdict == SyncRequest.Verdict.REFUSED
    assert AuditEvent.objects.get(action="github.refuse").outcome == "denied"
    assert not Run.objects.exists()


def test_other_event_is_ignored(caller: Client, github: GitHubSimulator) -> None:
    event = github.event(github.write(HANA, "/sync"))
    assert call(caller, event, X_GitHub_Event="issues").json() == {"status": "ignored"}


def test_ping_is_answered(caller: Client) -> None:
    assert call(caller, {"zen": "Keep it logically awesome."}, X_GitHub_Event="ping").json() == {"status": "pong"}


def test_unset_issue_takes_nothing(caller: Client, github: GitHubSimulator, settings: Settings) -> None:
    settings.GITHUB_SYNC_ISSUE = ""
    assert call(caller, github.event(github.write(HANA, "/sync"))).json() == {"status": "ignored"}


@pytest.mark.parametrize("method", ["post", "get"])
def test_unset_secret_is_no_page(caller: Client, settings: Settings, method: str) -> None:
    settings.GITHUB_WEBHOOK_SECRET = ""
    assert getattr(caller, method)("/webhooks/github/").status_code == 404


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_post_is_understood(caller: Client, method: str) -> None:
    assert getattr(caller, method)("/webhooks/github/").status_code == 405


def test_signature_is_githubs_own_example(caller: Client) -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert call(caller, b"Hello, World!", X_Hub_Signature_256=signature).status_code == 400


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=鍵"])
def test_wrong_signature_is_refused(caller: Client, github: GitHubSimulator, signature: str) -> None:
    event = github.event(github.write(HANA, "/sync"))
    assert call(caller, event, X_Hub_Signature_256=signature).status_code == 403
    assert not SyncRequest.objects.exists()


def test_signature_is_of_the_very_bytes(caller: Client, github: GitHubSimulator) -> None:
    event = github.event(github.write(HANA, "/sync"))
    body = json.dumps(event).encode()
    assert call(caller, body + b" ", X_Hub_Signature_256=sign(SECRET, body)).status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_body_that_is_no_object_is_refused(caller: Client, body: bytes) -> None:
    assert call(caller, body).status_code == 400


def test_large_body_is_refused_unread(caller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "LARGEST", 10)
    assert call(caller, {"note": "x" * 10}).status_code == 413


def test_nothing_is_asked_while_it_answers(
    caller: Client,
    github: GitHubSimulator,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    woken: list[object] = []
    monkeypatch.setattr("requests.sessions.Session.request", lambda *_values, **_named: pytest.fail("it asked GitHub"))
    monkeypatch.setattr(tasks, "_send", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        call(caller, github.event(github.write(HANA, "/sync")))
    assert woken == [tasks.answer_github, tasks.work_off_queue]


def test_signed_in_people_need_a_signature_too(client: Client) -> None:
    assert call(client, {}, X_Hub_Signature_256="").status_code == 403
