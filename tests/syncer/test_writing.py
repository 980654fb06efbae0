"""Drafts on their way to kintone: written once, whatever breaks, and never over somebody else's word."""

from typing import Any

import pytest

from accounts.models import AppKind, AuditEvent, Draft, Person, PortalWrite, Record, User
from simulators.kintone import Fault
from syncer import leases, writing
from syncer.drafting import make_draft
from tests.factories import make_user
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db
RECORD = "/k/v1/record.json"
TEXT = {"type": "SINGLE_LINE_TEXT"}


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().code == 0
    return world


@pytest.fixture
def author(company: World) -> User:
    return make_user("花", person=Person.objects.get(kintone_code="hana"))


def add_fields(world: World, **fields: dict[str, Any]) -> None:
    full = {code: {"code": code, "label": code, **definition} for code, definition in fields.items()}
    world.change_form(world.assignments, lambda form: form.update(full))
    sync()


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


# --- New records ------------------------------------------------------------------------------------------------------


def test_new_record_says_what_the_draft_says(company: World, author: User) -> None:
    draft = draft_new(company, author)
    assert writing.write_drafts() == {f"{company.assignments.id}:2"}
    assert state_of(draft) == ("written", "")
    assert (value_of(company, 2, "users"), value_of(company, 2, "permission_set")) == (["ken"], "Reader")


def test_written_revision_is_in_the_ledger_and_the_trail(company: World, author: User) -> None:
    draft_new(company, author)
    writing.write_drafts()
    write = PortalWrite.objects.get()
    assert (write.record_id, write.revision, write.user, write.keeps_access) == ("2", 1, author, False)
    assert AuditEvent.objects.get(action="record.write").actor_name == "花"


def test_default_of_the_form_is_nobody_s_word(company: World, author: User) -> None:
    add_fields(company, groups={"type": "MULTI_LINE_TEXT", "defaultValue": "developers"})
    draft_new(company, author)
    writing.write_drafts()
    assert value_of(company, 2, "groups") == ""


def test_writer_is_named_where_the_app_has_a_field(company: World, author: User) -> None:
    add_fields(company, changed_by={"type": "USER_SELECT"}, request_key={**TEXT, "unique": True})
    draft = draft_new(company, author)
    writing.write_drafts()
    assert value_of(company, 2, "changed_by") == ["hana"]
    assert value_of(company, 2, "request_key") == draft.request_key


@pytest.mark.parametrize("with_key", [True, False])
def test_lost_answer_makes_no_second_record(with_key: bool, company: World, author: User) -> None:
    if with_key:
        add_fields(company, request_key={**TEXT, "unique": True})
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(method="POST", path=RECORD, hang_up=True, times=1))
    assert writing.write_drafts() == frozenset()
    assert state_of(draft) == ("waiting", "kintone_unreachable")
    assert writing.write_drafts() == {f"{company.assignments.id}:2"}
    assert company.assignments.record_ids() == [1, 2]
    assert PortalWrite.objects.get().record_id == "2"


def test_record_that_never_arrived_is_sent_again(company: World, author: User) -> None:
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(method="POST", path=RECORD, status=503, text="maintenance", times=1))
    writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.assignments.record_ids() == [1, 2]


def test_process_that_died_after_sending_leaves_no_second_record(
    company: World, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_new(company, author)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_finish", _die)
        with pytest.raises(KeyboardInterrupt):
            writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.assignments.record_ids() == [1, 2]


def _die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_refused_draft_says_why_and_is_not_sent_again(company: World, author: User) -> None:
    draft = draft_new(company, author, users=["nobody"])
    writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("refused", "kintone_error")
    assert draft.attempts == 1


def test_missing_right_waits_for_it(company: World, author: User) -> None:
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(method="POST", path=RECORD, code="GAIA_NO01", times=1))
    writing.write_drafts()
    assert state_of(draft) == ("waiting", "kintone_no_right")
    writing.write_drafts()
    assert state_of(draft) == ("written", "")


def test_one_app_that_is_away_does_not_keep_the_other_waiting(company: World, author: User) -> None:
    first, second = draft_new(company, author), draft_new(company, author)
    other = make_draft(AppKind.PERMISSION_SET, author, {"name": "Other"})
    other.save()
    company.kintone.faults.add(Fault(method="POST", path=RECORD, status=503, text="maintenance", nth=1))
    writing.write_drafts()
    assert [state_of(item)[0] for item in (first, second, other)] == ["waiting", "waiting", "written"]


def test_only_one_process_writes(company: World, author: User) -> None:
    draft = draft_new(company, author)
    with leases.hold_lease(writing.LEASE):
        assert writing.write_drafts() == frozenset()
    assert state_of(draft) == ("waiting", "")


# --- Records that are there -------------------------------------------------------------------------------------------


def test_edit_changes_its_fields_alone(company: World, author: User) -> None:
    draft_edit(company, author, users=["taro"])
    writing.write_drafts()
    assert value_of(company, 1, "users") == ["taro"]
    assert value_of(company, 1, "account_id") == company.account_ids["shop"]
    assert PortalWrite.objects.get().revision == 2


def test_edit_never_goes_over_somebody_else_s(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "ken"])
    writing.write_drafts()
    assert state_of(draft) == ("conflict", "kintone_conflict")
    assert value_of(company, 1, "users") == ["hana", "taro", "ken"]


def test_edit_whose_answer_was_lost_is_found(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, hang_up=True, times=1))
    writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.assignments.record(1)["$revision"]["value"] == "2"


def test_revision_of_somebody_else_is_never_ours(company: World, author: User) -> None:
    """It says what the draft says and more: the ledger must not make that more our author's word."""
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, status=503, text="maintenance", times=1))
    writing.write_drafts()
    company.edit(f"{company.assignments.id}:1", users=["taro"], groups="developers")
    writing.write_drafts()
    assert state_of(draft) == ("conflict", "kintone_conflict")
    assert not PortalWrite.objects.exists()


def test_draft_waits_for_the_one_before_it(company: World, author: User) -> None:
    first = make_draft(AppKind.PERMISSION_SET, author, {"name": ""})
    first.save()
    second = draft_edit(company, author, permission_set="Other")
    Draft.objects.filter(pk=second.pk).update(after=first)
    writing.write_drafts()
    assert [state_of(first)[0], state_of(second)[0]] == ["refused", "refused"]
    assert value_of(company, 1, "permission_set") == "Reader"
