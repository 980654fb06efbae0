"""Drafts that delete a record, and records that are gone before a draft arrives."""

import pytest

from accounts.models import AppKind, AuditEvent, Draft, Record, User
from simulators.kintone import Fault
from syncer.drafts import writing
from syncer.drafts.drafting import make_draft
from tests.syncer.drafts.drafted import draft_edit, fill, make_author, state_of
from tests.syncer.kintone_only import catch_up
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    return fill(world)


@pytest.fixture
def author(company: World) -> User:
    return make_author()


def draft_deletion(author: User) -> Draft:
    record = Record.objects.get(kind=AppKind.ASSIGNMENT)
    draft = make_draft(AppKind.ASSIGNMENT, author, {}, record=record, is_deletion=True)
    draft.save()
    return draft


def test_deleted_record_is_gone_here_at_once(company: World, author: User) -> None:
    draft = draft_deletion(author)
    assert writing.write_drafts() == {f"{company.assignments.id}:1"}
    assert (state_of(draft), company.assignments.record_ids()) == (("written", ""), [])
    assert Record.objects.get(kind="assignment").gone_at
    assert AuditEvent.objects.get(action="record.delete").actor == author


def test_deleting_what_is_gone_already_is_done(company: World, author: User) -> None:
    draft = draft_deletion(author)
    company.delete(f"{company.assignments.id}:1")
    writing.write_drafts()
    assert state_of(draft) == ("written", "")


@pytest.mark.parametrize("arrived", [True, False])
def test_deletion_without_an_answer_is_looked_for(arrived: bool, company: World, author: User) -> None:
    draft = draft_deletion(author)
    fault = {"hang_up": True} if arrived else {"status": 503, "text": "maintenance"}
    company.kintone.faults.add(Fault(method="DELETE", path="/k/v1/records.json", times=1, **fault))
    writing.write_drafts()
    assert state_of(draft)[0] == "waiting"
    writing.write_drafts()
    assert (state_of(draft), company.assignments.record_ids()) == (("written", ""), [])


def test_record_that_changed_since_is_not_deleted(company: World, author: User) -> None:
    draft = draft_deletion(author)
    company.edit(f"{company.assignments.id}:1", groups="developers")
    writing.write_drafts()
    assert state_of(draft) == ("conflict", "draft_deletion_overtaken")
    assert [item["field"] for item in draft.conflict["fields"]] == ["groups"]
    assert company.assignments.record_ids() == [1]


def test_edit_of_a_record_that_is_gone_says_so(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.delete(f"{company.assignments.id}:1")
    catch_up()
    writing.write_drafts()
    assert state_of(draft) == ("refused", "draft_record_gone")
