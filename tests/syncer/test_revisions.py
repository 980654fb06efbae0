"""What people write in kintone stands in the trail: by whom, and what was before and after."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AppKind, AuditEvent, PortalWrite, Record
from syncer.mirror import records
from syncer.models import AppState
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scanned_before() -> None:
    fields = {"account_id": "アカウント", "permission_set": "permission_set", "note": "note", "request_key": "key"}
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", scanned_at=timezone.now(), fields=fields)


def body(record_id: int = 1, revision: int = 1, **values: str) -> dict[str, Any]:
    cells = {"アカウント": "1111 2222 3333", "permission_set": "Reader", **values}
    return {
        "$id": {"type": "__ID__", "value": str(record_id)},
        "$revision": {"type": "__REVISION__", "value": str(revision)},
        "更新者": {"type": "MODIFIER", "value": {"code": "taro", "name": "鈴木 太郎"}},
        "更新日時": {"type": "UPDATED_TIME", "value": f"2026-02-03T04:0{revision}:00Z"},
        **{code: {"type": "SINGLE_LINE_TEXT", "value": value} for code, value in cells.items()},
    }


def store(*bodies: dict[str, Any]) -> None:
    records.store_bodies(AppKind.ASSIGNMENT, "24", bodies, title_code="アカウント", codes={})


def test_new_record_is_told_by_its_writer() -> None:
    store(body())
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.about_record) == ("kintone.create", "鈴木 太郎", "24:1")
    assert event.about_account == "111122223333"
    assert event.before is None
    assert event.after == {"account_id": "1111 2222 3333", "permission_set": "Reader"}


def test_change_holds_the_fields_that_differ() -> None:
    store(body(note="old", 備考="a"))
    store(body(revision=2, note="new", 備考="b"))
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.before, event.after) == ("kintone.change", {"note": "old"}, {"note": "new"})
    assert event.outcome == "revision 2"


def test_field_that_is_none_of_ours_is_not_told() -> None:
    store(body(備考="a", key="x"))
    store(body(revision=2, 備考="b", key="y"))
    assert AuditEvent.objects.count() == 1


def test_writer_with_a_sign_in_is_linked() -> None:
    user = factories.make_user(person=factories.make_person(kintone_code="taro"))
    store(body())
    assert AuditEvent.objects.get().actor == user


def test_write_of_the_portal_is_told_once() -> None:
    PortalWrite.objects.create(app_id="24", record_id="1", revision=1, user=factories.make_user())
    store(body(), body(2))
    assert [event.about_record for event in AuditEvent.objects.all()] == ["24:2"]


def test_first_filling_of_the_mirror_is_no_news() -> None:
    AppState.objects.all().delete()
    store(body())
    assert not AuditEvent.objects.exists()


def test_deleted_record_is_told_with_what_it_said() -> None:
    store(body())
    records.mark_gone(["24:1", "24:99"])
    records.mark_gone(["24:1"])
    event = AuditEvent.objects.filter(action="kintone.delete").get()
    assert (event.about_record, event.actor_name) == ("24:1", "")
    assert event.before == {"account_id": "1111 2222 3333", "permission_set": "Reader"}


def test_deletion_by_the_portal_is_told_by_the_portal() -> None:
    store(body())
    records.mark_gone(["24:1"], is_noted=True)
    assert Record.objects.get().gone_at
    assert not AuditEvent.objects.filter(action="kintone.delete").exists()


def test_record_that_comes_back_is_told_as_new() -> None:
    store(body())
    records.mark_gone(["24:1"])
    store(body(revision=2))
    assert AuditEvent.objects.latest("pk").action == "kintone.create"
