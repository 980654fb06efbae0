"""Drafts on their way to kintone: written once, whatever breaks, and never over somebody else's word."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind, AuditEvent, Draft, Person, PortalWrite, Record, User, Withheld
from simulators.kintone import Fault
from syncer import leases
from syncer.drafts import carrying, saving, writing
from syncer.drafts.drafting import make_draft
from syncer.drafts.saving import Choice
from syncer.mirror.records import load_records
from syncer.models import AppState
from syncer.states import AssignmentWish
from tests.factories import make_person, make_principal, make_user
from tests.syncer.kintone_only import catch_up, judge_everything, look_at_kintone
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db
RECORD = "/k/v1/record.json"
TEXT = {"type": "SINGLE_LINE_TEXT"}


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop, and everybody is known by his code."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    for name in ("hana", "taro", "ken"):
        make_person(name, kintone_code=name, principal=make_principal(f"{name}@example.com"))
    catch_up()
    return world


@pytest.fixture
def author(company: World) -> User:
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
        patch.setattr(carrying, "_read_back", _die)
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
    assert state_of(draft) == ("refused", "draft_refused")
    assert not writing.has_waiting()


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


# --- Records that are there -------------------------------------------------------------------------------------------


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
    judge_everything()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")  # there was nothing left to write
    assert company.assignments.record(1)["$revision"]["value"] == "2"
    assert not PortalWrite.objects.exists()


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


# --- The mirror, and what was begun -----------------------------------------------------------------------------------


def test_mirror_has_what_was_written_at_once(company: World, author: User) -> None:
    edited, new = draft_edit(company, author, users=["taro"]), draft_new(company, author)
    writing.write_drafts()
    rows = Record.objects.filter(kind="assignment").order_by("record_id")
    assert [(row.revision, row.is_settled) for row in rows] == [(2, False), (1, False)]
    for draft, record_id, revision in ((edited, 1, 2), (new, 2, 1)):
        draft.refresh_from_db()
        assert draft.written_reference == f"{company.assignments.id}:{record_id}"
        assert draft.written_revision == revision


def test_record_with_the_draft_s_key_is_the_draft_s_own(company: World, author: User) -> None:
    """A try whose trace was lost: kintone refuses the second record, and nobody loses the first."""
    add_fields(company, request_key={**TEXT, "unique": True})
    draft = draft_new(company, author)
    writing.write_drafts()
    Draft.objects.filter(pk=draft.pk).update(state="waiting", attempts=0)
    assert writing.write_drafts() == {f"{company.assignments.id}:2"}
    assert company.assignments.record_ids() == [1, 2]


def test_killed_after_an_update_takes_it_for_what_it_is(
    company: World, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_edit(company, author, users=["taro"])
    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_read_back", _die)
        with pytest.raises(KeyboardInterrupt):
            writing.write_drafts()
    look_at_kintone()  # a run may come in between: the mirror is no witness
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert PortalWrite.objects.get().revision == 2


def test_what_somebody_wrote_after_our_lost_answer_stays_his(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, hang_up=True, times=1))
    writing.write_drafts()
    company.edit(f"{company.assignments.id}:1", groups="developers")
    writing.write_drafts()
    judge_everything()
    writing.write_drafts()
    assert state_of(draft) == ("written", "")
    assert (value_of(company, 1, "users"), value_of(company, 1, "groups")) == (["taro"], "developers")
    assert not PortalWrite.objects.filter(revision=3).exists()


def test_kintone_away_is_tried_after_longer_and_longer_pauses(company: World, author: User) -> None:
    draft = draft_new(company, author)
    company.kintone.faults.add(Fault(status=503, text="maintenance"))
    pauses = []
    for _try in range(6):
        Draft.objects.update(retry_at=None)
        writing.write_drafts()
        draft.refresh_from_db()
        pauses.append(round((draft.retry_at - timezone.now()).total_seconds() / 60) if draft.retry_at else 0)
    assert pauses == [0, 1, 2, 4, 8, 15]
    assert state_of(draft) == ("waiting", "kintone_unavailable")
    company.kintone.faults.clear()
    assert writing.write_drafts() == frozenset()  # not before its time
    Draft.objects.update(retry_at=timezone.now())
    writing.write_drafts()
    assert (state_of(draft)[0], draft.tries) == ("written", 6)


def test_discarded_while_its_answer_was_lost_is_watched_until_it_cannot_arrive(company: World, author: User) -> None:
    """What arrives late without the ledger would count as Administrator's word."""
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, status=503, text="maintenance", times=1))
    writing.write_drafts()
    saving.discard(draft, author)
    writing.write_drafts()
    assert state_of(draft)[0] == "waiting"
    sent = {**(draft.sent or {}), "at": (timezone.now() - timedelta(minutes=3)).isoformat()}
    Draft.objects.filter(pk=draft.pk).update(sent=sent)
    writing.write_drafts()
    assert (state_of(draft)[0], value_of(company, 1, "users")) == ("discarded", ["hana", "taro"])


def test_discarded_too_late_is_written_and_says_so(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["taro"])
    company.kintone.faults.add(Fault(method="PUT", path=RECORD, hang_up=True, times=1))
    writing.write_drafts()
    saving.discard(draft, author)
    writing.write_drafts()
    assert state_of(draft) == ("written", "draft_discarded_too_late")
    assert PortalWrite.objects.get().revision == 2


# --- Deleting ---------------------------------------------------------------------------------------------------------


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


# --- People whom kintone has deleted ----------------------------------------------------------------------------------


def notes_of(draft: Draft) -> list[str]:
    draft.refresh_from_db()
    return [item["code"] for item in draft.notes]


def test_deleted_user_is_written_by_address_where_there_is_a_field(company: World, author: User) -> None:
    add_fields(company, more_users={"type": "MULTI_LINE_TEXT"})
    draft = draft_edit(company, author, users=["hana", "taro", "ken"])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    assert (state_of(draft), notes_of(draft)) == (("written", ""), ["draft_code_moved"])
    assert value_of(company, 1, "users") == ["hana", "ken"]
    assert value_of(company, 1, "more_users") == "taro@example.com"


def test_deleted_user_is_kept_beside_the_record_where_there_is_none(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["hana", "taro", "ken"])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    record = Record.objects.get(kind="assignment")
    assert (notes_of(draft), record.beside) == (["draft_code_beside"], ["taro@example.com"])
    (read,) = load_records(AppKind.ASSIGNMENT, AppState.objects.get(kind="assignment").fields)
    assert isinstance(read.wish, AssignmentWish)
    assert (read.wish.users, read.wish.addresses) == (("hana", "ken"), ("taro@example.com",))


def test_deleted_user_who_is_withheld_is_let_in_under_no_other_name(company: World, author: User) -> None:
    Withheld.objects.create(record=Record.objects.get(kind="assignment"), value="+kintone_user:taro", revision=1)
    draft = draft_edit(company, author, users=["hana", "taro", "ken"])
    company.kintone.remove_user("taro")
    writing.write_drafts()
    assert (notes_of(draft), value_of(company, 1, "users")) == (["draft_code_left_out"], ["hana", "ken"])
    assert Record.objects.get(kind="assignment").beside == []


def test_who_was_kept_beside_the_record_is_taken_out_or_moved_into_it(company: World, author: User) -> None:
    Record.objects.filter(kind="assignment").update(beside=["yuki@example.com", "ken@example.com"])
    draft_edit(company, author, more_users=["ken@example.com"])
    writing.write_drafts()
    assert Record.objects.get(kind="assignment").beside == ["ken@example.com"]
    assert PortalWrite.objects.get().revision == 2
    add_fields(company, more_users={"type": "MULTI_LINE_TEXT"})
    draft_edit(company, author, more_users=["ken@example.com", "taro@example.com"])
    writing.write_drafts()
    assert Record.objects.get(kind="assignment").beside == []
    assert value_of(company, 1, "more_users") == "ken@example.com\ntaro@example.com"


def test_several_deleted_users_and_the_writer_himself_are_left_out(company: World, author: User) -> None:
    add_fields(company, changed_by={"type": "USER_SELECT"}, owners={"type": "USER_SELECT"})
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "yuki"], owners=["hana"])
    catch_up()
    draft = draft_edit(company, author, users=["hana", "taro", "yuki", "ken"], owners=["hana", "ken"])
    for name in ("hana", "taro", "yuki"):
        company.kintone.remove_user(name)
    writing.write_drafts()
    assert sorted(notes_of(draft)) == [
        "draft_code_beside", "draft_code_beside", "draft_code_left_out", "draft_owner_left_out",
    ]  # fmt: skip
    assert (value_of(company, 1, "users"), value_of(company, 1, "owners")) == (["ken"], ["ken"])
    assert value_of(company, 1, "changed_by") == []
    assert sorted(Record.objects.get(kind="assignment").beside) == ["hana@example.com", "taro@example.com"]


def test_somebody_new_whom_nobody_knows_is_refused(company: World, author: User) -> None:
    draft = draft_edit(company, author, users=["hana", "taro", "nobody"])
    writing.write_drafts()
    assert state_of(draft) == ("refused", "draft_refused")
    assert value_of(company, 1, "users") == ["hana", "taro"]


def test_kintone_s_own_list_of_users_tells_who_is_deleted(company: World, author: User, settings: Settings) -> None:
    """`ken` stands in what kintone says about `ken.sato`; with a token for its users nobody has to read that."""
    settings.KINTONE_USERS_API_TOKEN = company.kintone.add_users_token()
    company.kintone.add_user("ken.sato", "ken.sato", email="ken.sato@example.com")
    company.edit(f"{company.assignments.id}:1", users=["ken", "ken.sato"])
    catch_up()
    draft = draft_edit(company, author, users=["ken", "ken.sato", "hana"])
    company.kintone.remove_user("ken.sato")
    writing.write_drafts()
    assert (notes_of(draft), value_of(company, 1, "users")) == (["draft_code_left_out"], ["ken", "hana"])


# --- Apps of another shape --------------------------------------------------------------------------------------------


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


SEATS = [("hana", "3F"), ("taro", "4F")]


def test_value_without_an_option_is_refused_with_its_field(company: World, author: User) -> None:
    options = {name: {"label": name, "index": str(number)} for number, name in enumerate(("team-a", "team-b"))}
    add_fields(company, groups={"type": "CHECK_BOX", "options": options})
    draft = draft_edit(company, author, groups=["team-c"])
    writing.write_drafts()
    assert state_of(draft) == ("refused", "kintone_option_missing")
