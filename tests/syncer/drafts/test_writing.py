"""Drafts on their way to kintone: in the shape of the app, and never over somebody else's word."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, AuditEvent, Draft, Person, PortalWrite, Record, User, Withheld
from simulators.kintone import Fault
from syncer.drafts import saving, writing
from syncer.drafts.drafting import make_draft
from syncer.drafts.saving import Choice
from syncer.mirror.records import load_records
from syncer.models import AppState
from syncer.states import AssignmentWish
from tests.factories import make_user
from tests.syncer.drafts.drafted import (
    RECORD,
    TEXT,
    add_fields,
    draft_edit,
    draft_new,
    fill,
    make_author,
    state_of,
    value_of,
)
from tests.syncer.kintone_only import catch_up, judge_everything
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db
SEATS = [("hana", "3F"), ("taro", "4F")]


@pytest.fixture
def company(world: World) -> World:
    return fill(world)


@pytest.fixture
def author(company: World) -> User:
    return make_author()


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


def test_refused_draft_says_why_and_is_not_sent_again(company: World, author: User) -> None:
    draft = draft_new(company, author, users=["nobody"])
    writing.write_drafts()
    writing.write_drafts()
    assert state_of(draft) == ("refused", "draft_refused")
    assert not writing.has_waiting()


def test_long_note_with_emoji_arrives_whole(company: World, author: User) -> None:
    """kintone counts and stores more than the basic plane; so do the mirror and its database."""
    add_fields(company, note={"type": "MULTI_LINE_TEXT"})
    note = "夜間対応 🧯👩\u200d🚒\n" * 6_000
    assert len(note) == 60_000
    draft = draft_new(company, author, note=note)
    writing.write_drafts()
    assert (state_of(draft), value_of(company, 2, "note")) == (("written", ""), note)
    assert Record.objects.get(record_id="2", kind=AppKind.ASSIGNMENT).body["note"]["value"] == note


def test_value_that_must_be_there_once_only_is_told_to_the_person(company: World, author: User) -> None:
    """A company may have said so of a field of its own app."""
    company.change_form(company.assignments, lambda form: form["account_id"].update(unique=True))
    catch_up()
    draft = draft_new(company, author, account_id=company.account_ids["shop"])
    writing.write_drafts()
    assert state_of(draft)[0] == "refused"
    assert "account_id" in str(draft.reason)
    catch_up()
    assert Record.objects.filter(kind=AppKind.ASSIGNMENT).count() == 1


def test_edit_changes_its_fields_alone(company: World, author: User) -> None:
    draft_edit(company, author, users=["taro"])
    writing.write_drafts()
    assert value_of(company, 1, "users") == ["taro"]
    assert value_of(company, 1, "account_id") == company.account_ids["shop"]
    assert PortalWrite.objects.get().revision == 2


def test_edit_joins_somebody_else_s_once_that_is_judged(company: World, author: User) -> None:
    """What Ken's colleague wrote by hand must not become our author's word."""
    draft = draft_edit(company, author, users=["taro"])
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "ken"])
    assert writing.write_drafts() == frozenset()
    assert state_of(draft) == ("waiting", "draft_waits_for_judgement")
    assert (Record.objects.get(kind="assignment").revision, draft.attempts) == (2, 0)
    assert writing.find_unjudged() == {f"{company.assignments.id}:1"}
    judge_everything()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert value_of(company, 1, "users") == ["taro", "ken"]
    assert PortalWrite.objects.get().revision == 3


def test_ledger_of_before_a_backup_makes_nobody_s_edit_the_author_s(company: World, author: User) -> None:
    """He had written the second revision once; since the app was restored, the second is somebody else's."""
    before = timezone.now() - timedelta(hours=1)
    PortalWrite.objects.create(app_id=company.assignments.id, record_id="1", revision=2, user=author, at=before)
    draft = draft_edit(company, author, users=["taro"])
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "ken"])
    writing.write_drafts()
    assert state_of(draft) == ("waiting", "draft_waits_for_judgement")
    assert value_of(company, 1, "users") == ["hana", "taro", "ken"]


def test_edit_of_the_same_value_is_shown_to_the_person(company: World, author: User) -> None:
    draft = draft_edit(company, author, expires_on="2030-01-01", users=["taro"])
    company.edit(f"{company.assignments.id}:1", expires_on="2031-01-01")
    writing.write_drafts()
    assert state_of(draft) == ("conflict", "draft_conflict")
    assert draft.conflict["fields"] == [
        {"field": "expires_on", "base": "", "theirs": "2031-01-01", "ours": "2030-01-01"}
    ]
    assert (draft.conflict["revision"], draft.conflict["theirs"]["users"]) == (2, ["hana", "taro"])
    assert value_of(company, 1, "expires_on") == "2031-01-01"


def test_lock_in_kintone_s_database_is_a_race_like_any_other(company: World, author: User) -> None:
    draft, other = draft_edit(company, author, users=["taro"]), draft_new(company, author)
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, code="GAIA_DA02", times=4))
    writing.write_drafts()
    assert [state_of(item) for item in (draft, other)] == [("waiting", "kintone_locked"), ("written", "")]
    writing.write_drafts()
    assert state_of(draft) == ("written", "")


def test_lock_behind_which_somebody_else_wrote_is_merged(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.edit(f"{company.assignments.id}:1", groups="developers")
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, code="GAIA_DA02", times=4))
    writing.write_drafts()
    assert state_of(draft) == ("waiting", "draft_waits_for_judgement")
    judge_everything()
    writing.write_drafts()
    assert (value_of(company, 1, "users"), value_of(company, 1, "groups")) == (["taro"], "developers")


def test_two_people_at_once_both_have_their_way(company: World, author: User) -> None:
    other = make_user("太郎", person=Person.objects.get(kintone_code="taro"))
    first, second = draft_edit(company, author, users=["hana"]), draft_edit(company, other, users=["taro", "ken"])
    writing.write_drafts()
    judge_everything()
    writing.write_drafts()
    assert [state_of(item)[0] for item in (first, second)] == ["written", "written"]
    assert value_of(company, 1, "users") == ["ken"]
    assert list(PortalWrite.objects.order_by("revision").values_list("revision", "user")) == [
        (2, author.pk), (3, other.pk),
    ]  # fmt: skip


def test_second_save_of_the_same_person_waits_for_no_run(company: World, author: User) -> None:
    for users in (["taro"], ["taro", "ken"]):
        draft = draft_edit(company, author, users=users)
        writing.write_drafts()
        assert state_of(draft) == ("written", "")
    other = make_user("太郎", person=Person.objects.get(kintone_code="taro"))
    draft = draft_edit(company, other, users=["ken"])
    writing.write_drafts()
    assert state_of(draft) == ("waiting", "draft_waits_for_judgement")


def test_draft_waits_for_the_one_before_it(company: World, author: User) -> None:
    first = make_draft(AppKind.PERMISSION_SET, author, {"name": ""})
    first.save()
    second = draft_edit(company, author, permission_set="Other")
    Draft.objects.filter(pk=second.pk).update(after=first)
    writing.write_drafts()
    assert [state_of(first)[0], state_of(second)[0]] == ["refused", "refused"]
    assert value_of(company, 1, "permission_set") == "Reader"


def test_mirror_has_what_was_written_at_once(company: World, author: User) -> None:
    edited, new = draft_edit(company, author, users=["taro"]), draft_new(company, author)
    writing.write_drafts()
    rows = Record.objects.filter(kind="assignment").order_by("record_id")
    assert [(row.revision, row.is_settled) for row in rows] == [(2, False), (1, False)]
    for draft, record_id, revision in ((edited, 1, 2), (new, 2, 1)):
        draft.refresh_from_db()
        assert draft.written_reference == f"{company.assignments.id}:{record_id}"
        assert draft.written_revision == revision


def test_policies_that_came_withheld_are_shown_and_not_merged(company: World, author: User) -> None:
    record = Record.objects.get(kind="permission_set")
    draft = make_draft(AppKind.PERMISSION_SET, author, {"managed_policies": ["Billing"]}, record=record)
    draft.save()
    company.edit(record.reference, managed_policies="AdministratorAccess")
    catch_up()
    Withheld.objects.create(record=record, value="+managed_policies:0123456789abcdef", revision=2)
    writing.write_drafts()
    assert state_of(draft) == ("conflict", "draft_conflict")
    saving.resolve(draft, author, {"managed_policies": Choice("mine")}, revision=2)
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert company.sets.record(1)["managed_policies"]["value"] == "Billing"


def test_people_in_rows_of_a_table_are_written_as_rows(company: World, author: User, settings: Settings) -> None:
    columns = {code: {"code": code, "label": code, **TEXT} for code in ("社員", "席")}
    add_fields(company, 利用者表={"type": "SUBTABLE", "fields": columns})
    settings.KINTONE_ASSIGNMENT_FIELDS = {"more_users": "社員"}
    rows = [{"社員": f"{name}@example.com", "席": seat} for name, seat in SEATS]
    company.edit(f"{company.assignments.id}:1", 利用者表=rows)
    catch_up()
    draft = draft_edit(company, author, more_users=["ken@example.com", "hana@example.com"])
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    table = company.assignments.record(1)["利用者表"]["value"]
    assert [(row["value"]["社員"]["value"], row["value"]["席"]["value"]) for row in table] == [
        ("hana@example.com", "3F"),
        ("ken@example.com", ""),
    ]
    (record,) = load_records(AppKind.ASSIGNMENT, AppState.objects.get(kind=AppKind.ASSIGNMENT).fields)
    assert isinstance(record.wish, AssignmentWish)
    assert record.wish.addresses == ("hana@example.com", "ken@example.com")


def test_value_without_an_option_is_refused_with_its_field(company: World, author: User) -> None:
    options = {name: {"label": name, "index": str(number)} for number, name in enumerate(("team-a", "team-b"))}
    add_fields(company, groups={"type": "CHECK_BOX", "options": options})
    draft = draft_edit(company, author, groups=["team-c"])
    writing.write_drafts()
    assert state_of(draft) == ("refused", "kintone_option_missing")
