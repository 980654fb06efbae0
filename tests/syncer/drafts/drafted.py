"""A company in which drafts are written, the drafts, and what became of them."""

from typing import Any

from accounts.models import AppKind, Draft, Person, Record, User
from syncer.drafts.drafting import make_draft
from tests.factories import make_person, make_principal, make_user
from tests.syncer.kintone_only import catch_up
from tests.syncer.worlds import World

RECORD = "/k/v1/record.json"
TEXT = {"type": "SINGLE_LINE_TEXT"}


def fill(world: World) -> World:
    """Hana and Taro have Reader in shop, and everybody is known by his code."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    for name in ("hana", "taro", "ken"):
        make_person(name, kintone_code=name, principal=make_principal(f"{name}@example.com"))
    catch_up()
    return world


def make_author() -> User:
    return make_user("花", person=Person.objects.get(kintone_code="hana"))


def add_fields(world: World, **fields: dict[str, Any]) -> None:
    full = {code: {"code": code, "label": code, **definition} for code, definition in fields.items()}
    world.change_form(world.assignments, lambda form: form.update(full))
    catch_up()


def draft_new(world: World, author: User, **values: Any) -> Draft:
    wish = {"account_id": world.account_ids["blog"], "permission_set": "Reader", "users": ["ken"], "note": "why"}
    draft = make_draft(AppKind.ASSIGNMENT, author, wish | values)
    draft.save()
    return draft


def draft_edit(world: World, author: User, **values: Any) -> Draft:
    record = Record.objects.get(kind=AppKind.ASSIGNMENT)
    draft = make_draft(AppKind.ASSIGNMENT, author, values, record=record)
    draft.save()
    return draft


def state_of(draft: Draft) -> tuple[str, str]:
    draft.refresh_from_db()
    return draft.state, draft.reason.get("code", "")


def value_of(world: World, record_id: int, field: str) -> Any:
    value = world.assignments.record(record_id)[field]["value"]
    return [item["code"] for item in value] if isinstance(value, list) else value
