"""Whom records name, as rows: filled where bodies are stored, and anew where the form is another."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AppKind, Record, RecordPerson
from syncer.connections import connect_kintone
from syncer.mirror import records
from syncer.mirror.naming import load_alike
from syncer.records.rhythm import Occasion
from syncer.records.scanning import read_app
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db

CODES = {"users": "人", "owners": "表.担当"}


def users(*codes: str) -> dict[str, Any]:
    return {"type": "USER_SELECT", "value": [{"code": code, "name": f"name of {code}"} for code in codes]}


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "SUBTABLE",
        "value": [{"id": str(number), "value": {"担当": row}} for number, row in enumerate(rows)],
    }


def body(record_id: int = 1, revision: int = 1, **cells: Any) -> dict[str, Any]:
    return {
        "$id": {"type": "__ID__", "value": str(record_id)},
        "$revision": {"type": "__REVISION__", "value": str(revision)},
        "作成者": {"type": "CREATOR", "value": {"code": "ken", "name": "健"}},
        "更新日時": {"type": "UPDATED_TIME", "value": "2026-02-03T04:05:00Z"},
        **cells,
    }


def store(*bodies: dict[str, Any], codes: dict[str, str] = CODES) -> None:
    records.store_bodies(AppKind.ASSIGNMENT, "24", bodies, title_code="人", codes=codes)


def named() -> set[tuple[str, str, str]]:
    return set(RecordPerson.objects.values_list("record__record_id", "role", "key"))


def test_owners_author_and_users_are_noted_folded() -> None:
    store(body(人=users("Hana", "taro"), 表=table(users("ＯＷＮＥＲ"), users("hana"))))
    assert named() == {
        ("1", "owner", "owner"), ("1", "owner", "hana"), ("1", "user", "hana"), ("1", "user", "taro"),
        ("1", "author", "ken"),
    }  # fmt: skip
    assert RecordPerson.objects.get(role="owner", key="owner").code == "ＯＷＮＥＲ"


def test_who_is_taken_out_is_named_no_more() -> None:
    store(body(人=users("hana", "taro")), body(2, 人=users("hana")))
    store(body(revision=2, 人=users("TARO", "yuki")))
    assert named() - {("1", "author", "ken"), ("2", "author", "ken")} == {
        ("1", "user", "taro"), ("1", "user", "yuki"), ("2", "user", "hana"),
    }  # fmt: skip
    assert RecordPerson.objects.get(key="taro").code == "TARO"


def test_same_bodies_write_nothing() -> None:
    pages = [body(number, 人=users("hana", "taro"), 表=table(users("owner"))) for number in range(1, 40)]
    store(*pages)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        store(*pages)
    assert not [query for query in asked if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_owner_who_comes_with_a_field_of_the_settings_is_noted_without_a_new_revision() -> None:
    store(body(表=table(users("owner"))), codes={})
    store(body(表=table(users("owner"))))
    assert ("1", "owner", "owner") in named()
    assert Record.objects.get().revision == 1


def test_codes_that_fold_to_the_same_are_found_where_both_are_live() -> None:
    store(body(人=users("Hana", "TARO")), body(2, 人=users("ｈａｎａ", "TARO")), body(3, 人=users("taro")))
    records.mark_gone(["24:3"])
    assert load_alike() == {"hana": ("Hana", "ｈａｎａ")}


def test_form_that_changed_names_people_anew(world: World) -> None:
    """An app gets a field of owners; nobody edits a record."""
    world.register("shop", "Reader", "hana")
    source = connect_kintone()[1]
    read_app(source, Occasion.LOOK)
    assert {role for _record, role, _key in named()} == {"user", "author"}
    field = {"type": "USER_SELECT", "code": "owners", "label": "owners", "defaultValue": []}
    world.change_form(world.assignments, lambda form: form.update(owners=field))
    world.edit(f"{world.assignments.id}:1", owners=["taro"])
    Record.objects.update(revision=2)  # as if a look had brought it under the old form
    world.clock.advance(timedelta(hours=1))
    read_app(source, Occasion.CHECKED)
    assert ("1", "owner", "taro") in named()
