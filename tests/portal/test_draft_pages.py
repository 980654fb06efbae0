"""Drafts as people see them: their own, why they wait, and what can be done."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AppKind, Draft, User
from syncer.drafts.drafting import make_draft
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
WISH = {"account_id": "123456789012", "permission_set": "Reader", "users": ["ken"]}


@pytest.fixture
def author() -> User:
    return factories.make_user("花")


@pytest.fixture
def client(author: User) -> Client:
    return make_client(author)


def store(author: User, **values: Any) -> Draft:
    draft = make_draft(AppKind.ASSIGNMENT, author, WISH)
    draft.save()
    Draft.objects.filter(pk=draft.pk).update(**values)
    draft.refresh_from_db()
    return draft


def store_conflict(author: User, *, is_deletion: bool = False) -> Draft:
    record = factories.make_record(revision=7)
    conflict = {
        "fields": [{"field": "note", "base": "old", "theirs": "theirs", "ours": "mine"}],
        "theirs": {"note": "theirs", "users": ["yuki"]},
        "revision": 7,
        "by": "太郎",
    }
    return store(
        author, state="conflict", conflict=conflict, is_deletion=is_deletion, record=record, base_revision=6,
        base_values={"note": "old"}, values={} if is_deletion else {"note": "mine"},
        reason={"code": "draft_conflict", "params": {"by": "太郎"}},
    )  # fmt: skip


# --- Who sees what ----------------------------------------------------------------------------------------------------


def test_own_drafts_are_listed_with_state_and_reason(client: Client, author: User) -> None:
    store(author, reason={"code": "kintone_unavailable", "params": {"operation": "kintone POST record.json app 24"}})
    text = get_text(client, "/drafts/")
    assert "123456789012 × Reader" in text
    assert "kintone is out of order for the moment" in text
    assert "Send now" in text


def test_others_see_nothing_of_it(author: User) -> None:
    store(author)
    assert "Reader" not in get_text(make_client(factories.make_user()), "/drafts/")


@pytest.mark.parametrize("role", ["is_staff", "is_auditor"])
def test_who_sees_everything_sees_them_all(role: str, author: User) -> None:
    store(author)
    values: dict[str, Any] = {role: True}
    assert "123456789012 × Reader" in get_text(make_client(factories.make_user(**values)), "/drafts/")


@pytest.mark.parametrize("address", ["", "send/", "discard/", "resolve/"])
def test_somebody_else_s_draft_is_not_found(address: str, author: User) -> None:
    draft, other = store(author), make_client(factories.make_user())
    response = other.post(f"/drafts/{draft.pk}/{address}") if address else other.get(f"/drafts/{draft.pk}/")
    assert response.status_code == 404
    draft.refresh_from_db()
    assert draft.state == "waiting"


@pytest.mark.parametrize("address", ["send/", "discard/", "resolve/"])
def test_auditor_looks_and_does_nothing(address: str, author: User) -> None:
    draft = store_conflict(author)
    auditor = make_client(factories.make_user(is_auditor=True))
    assert auditor.post(f"/drafts/{draft.pk}/{address}").status_code == 403
    assert "Send it like this" not in get_text(auditor, f"/drafts/{draft.pk}/")


@pytest.mark.parametrize("address", ["send/", "resolve/"])
def test_changes_need_post(address: str, client: Client, author: User) -> None:
    assert client.get(f"/drafts/{store(author).pk}/{address}").status_code == 405


# --- One draft --------------------------------------------------------------------------------------------------------


def test_page_follows_a_draft_on_its_way(client: Client, author: User) -> None:
    draft = store(author)
    html = get_html(client, f"/drafts/{draft.pk}/")
    assert 'hx-trigger="every 1s"' in html
    assert 'http-equiv="refresh"' in html
    seen = html.partition("?seen=")[2][:16]
    part = {"HX-Request": "true", "HX-Target": "draft"}
    assert client.get(f"/drafts/{draft.pk}/?seen={seen}", headers=part).status_code == 204
    Draft.objects.update(state="refused", reason={"code": "draft_record_gone", "params": {}})
    text = get_text(client, f"/drafts/{draft.pk}/?seen={seen}", part="draft")
    assert "The record is not in kintone any more" in text


def test_written_draft_leads_to_its_record_and_run(client: Client, author: User) -> None:
    record = factories.make_record(is_settled=True)
    draft = store(author, state="written", written_reference=record.reference, written_revision=1)
    run = factories.make_run(kind="record", record_reference=record.reference)
    html = get_html(client, f"/drafts/{draft.pk}/")
    assert f"/records/{record.app_id}/{record.record_id}/" in html
    assert f"/runs/{run.pk}/" in html
    assert "hx-trigger" not in html


def test_draft_that_no_worker_takes_says_so(client: Client, author: User) -> None:
    draft = store(author, created_at=timezone.now() - timedelta(minutes=5))
    assert "No worker has taken it up yet" in get_text(client, f"/drafts/{draft.pk}/")


def test_record_s_page_shows_what_kintone_does_not_have_yet(client: Client, author: User) -> None:
    record = factories.make_record(beside=["taro@example.com"], in_force={"addresses": ["taro@example.com"]})
    store(author, record=record)
    text = get_text(client, f"/assignments/{record.pk}/")
    assert "Not in kintone yet" in text
    assert "beside the record: taro@example.com" in text
    assert "Not in kintone yet" not in get_text(make_client(factories.make_user()), f"/assignments/{record.pk}/")


def test_what_was_written_otherwise_is_said(client: Client, author: User) -> None:
    note = {"code": "draft_code_moved", "params": {"code": "taro", "name": "taro@example.com"}}
    draft = store(author, state="written", notes=[note])
    assert "the address taro@example.com instead" in get_text(client, f"/drafts/{draft.pk}/")


def test_drafts_of_one_submit_stand_together(client: Client, author: User) -> None:
    draft = store(author, batch="b")
    store(author, batch="b", values={**WISH, "permission_set": "Admin"})
    assert "123456789012 × Admin" in get_text(client, f"/drafts/{draft.pk}/")


def test_send_now_takes_away_the_pause(client: Client, author: User) -> None:
    draft = store(author, retry_at=timezone.now(), tries=4)
    assert client.post(f"/drafts/{draft.pk}/send/").status_code == 302
    draft.refresh_from_db()
    assert (draft.retry_at, draft.tries) == (None, 0)


def test_discarding_asks_first(client: Client, author: User) -> None:
    draft = store(author)
    assert "ken" in get_text(client, f"/drafts/{draft.pk}/discard/")
    draft.refresh_from_db()
    assert draft.state == "waiting"
    client.post(f"/drafts/{draft.pk}/discard/")
    draft.refresh_from_db()
    assert draft.state == "discarded"
    assert "Reader" not in get_text(client, "/drafts/")
    assert "Reader" in get_text(client, "/drafts/?all=1")


def test_admin_may_discard_what_somebody_left_behind(author: User) -> None:
    draft = store(author)
    make_client(factories.make_user(is_staff=True)).post(f"/drafts/{draft.pk}/discard/")
    draft.refresh_from_db()
    assert draft.state == "discarded"


# --- Contradictions ---------------------------------------------------------------------------------------------------


def test_both_versions_are_shown(client: Client, author: User) -> None:
    text = get_text(client, f"/drafts/{store_conflict(author).pk}/")
    assert "What kintone has theirs" in text
    assert "What I wrote mine" in text
    assert "revision 7, last changed by 太郎" in text


def test_choice_is_sent_again(client: Client, author: User) -> None:
    draft = store_conflict(author)
    data = {"revision": 7, "take-note": "other", "other-note": "both\r\nof us"}
    assert client.post(f"/drafts/{draft.pk}/resolve/", data).status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.values, draft.base_revision) == ("waiting", {"note": "both\nof us"}, 7)


def test_missing_choice_keeps_what_was_typed(client: Client, author: User) -> None:
    draft = store_conflict(author)
    html = client.post(f"/drafts/{draft.pk}/resolve/", {"revision": 7, "other-note": "typed"}).content.decode()
    assert "Choose what is to stand here." in html
    assert "typed" in html
    draft.refresh_from_db()
    assert draft.state == "conflict"


def test_choice_about_an_older_version_is_not_taken(client: Client, author: User) -> None:
    draft = store_conflict(author)
    client.post(f"/drafts/{draft.pk}/resolve/", {"revision": 6, "take-note": "mine"})
    draft.refresh_from_db()
    assert draft.state == "conflict"


@pytest.mark.parametrize(("take", "state"), [("mine", "waiting"), ("theirs", "discarded")])
def test_deletion_is_decided_after_looking(take: str, state: str, client: Client, author: User) -> None:
    draft = store_conflict(author, is_deletion=True)
    assert "What changed meanwhile" in get_text(client, f"/drafts/{draft.pk}/")
    client.post(f"/drafts/{draft.pk}/resolve/", {"revision": 7, "take-deletion": take})
    draft.refresh_from_db()
    assert draft.state == state


def test_list_asks_the_database_as_often_for_thirty_as_for_three(client: Client, author: User) -> None:
    def add(number: int) -> None:
        for _each in range(number):
            account = factories.make_account()
            store(author, record=factories.make_record(), values={**WISH, "account_id": account.account_id})

    add(3)
    with CaptureQueriesContext(connection) as few:
        get_html(client, "/drafts/")
    add(27)
    with CaptureQueriesContext(connection) as many:
        get_html(client, "/drafts/")
    assert len(many) == len(few) < 20
