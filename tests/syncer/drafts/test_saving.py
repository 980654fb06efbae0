"""Saving in the portal: what becomes a draft, from which values, by whom; and what people do about drafts."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import AppKind, AuditEvent, Draft, PrincipalLink, Record, User, Withheld
from syncer.drafts import outcomes as draft_outcomes
from syncer.drafts import saving
from syncer.drafts.carrying import Apps, Discarded
from syncer.drafts.drafting import NotPossible
from syncer.drafts.failures import tell
from syncer.drafts.merging import Conflict
from syncer.drafts.saving import Choice, Wanted, load_start, save, save_together
from syncer.models import AppState
from tests.factories import get_principal, make_person, make_problem, make_record, make_user

pytestmark = pytest.mark.django_db
FIELDS = ("account_id", "permission_set", "users", "groups", "expires_on", "note", "owners")
WISH = {"account_id": "123456789012", "permission_set": "Reader", "users": ["ken"]}


def as_body(values: dict[str, Any]) -> dict[str, Any]:
    people = {name: [{"code": code} for code in values.get(name, ())] for name in ("users", "owners")}
    return {name: {"value": people.get(name, values.get(name, ""))} for name in FIELDS}


@pytest.fixture(autouse=True)
def app_state(db: None) -> None:
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", fields={name: name for name in FIELDS})


@pytest.fixture
def admin() -> User:
    return make_user("管理", is_staff=True)


@pytest.fixture
def record() -> Record:
    """Hana and Taro, until the end of March; all of it is in force."""
    values = {**WISH, "users": ["hana", "taro"], "expires_on": "2030-03-31", "owners": ["hana"]}
    in_force = {**values, "addresses": [], "groups": []}
    return make_record(body=as_body(values), in_force=in_force, is_settled=True, title="123456789012")


def rewrite(record: Record, **values: Any) -> None:
    """Somebody writes a newer revision in kintone, and a run judges it."""
    record.body |= {name: cell for name, cell in as_body(values).items() if name in values}
    record.revision += 1
    record.save()


# --- Forms ------------------------------------------------------------------------------------------------------------


def test_form_starts_from_what_is_written_and_in_force(record: Record) -> None:
    start = load_start(record)
    assert (start.revision, start.withheld) == (1, ())
    assert start.values["users"] == ["hana", "taro"]
    assert start.values == start.written


def test_form_starts_from_what_is_in_force_and_lists_what_is_withheld(record: Record) -> None:
    rewrite(record, users=["hana", "taro", "ken"], expires_on="2031-01-01", note="x")
    for value in ("+kintone_user:ken", "+expires_on:2031-01-01"):
        Withheld.objects.create(record=record, value=value, revision=2)
    start = load_start(record)
    assert [row.value for row in start.withheld] == ["+expires_on:2031-01-01", "+kintone_user:ken"]
    assert (start.values["users"], start.values["expires_on"]) == (["hana", "taro"], "2030-03-31")
    assert (start.values["note"], start.written["users"]) == ("x", ["hana", "taro", "ken"])


def test_broken_value_stands_as_it_was_written(record: Record) -> None:
    rewrite(record, expires_on="2030-13-45")
    make_problem(record, "date_wrong", field="expires_on", params={"value": "2030-13-45"})
    assert load_start(record).values["expires_on"] == "2030-13-45"


def test_set_in_force_reads_like_a_form(record: Record) -> None:
    in_force = {"name": "Reader", "session_duration": 5400, "managed_policies": ["A"], "absent": ["relay_state"]}
    values = saving.read_in_force(make_record(AppKind.PERMISSION_SET, in_force={**in_force, "relay_state": ""}))
    assert values == {"name": "Reader", "session_duration": "PT90M", "managed_policies": ["A"]}


# --- What becomes a draft ---------------------------------------------------------------------------------------------


def test_new_record_is_a_draft_in_the_trail(admin: User) -> None:
    draft = save(AppKind.ASSIGNMENT, admin, {**WISH, "users": [" ken ", "ken", ""], "note": "a\0b"})
    assert (draft.state, draft.record, draft.batch) == ("waiting", None, "")
    assert (draft.values["users"], draft.values["note"]) == (["ken"], "a\ufffdb")
    assert AuditEvent.objects.get(action="draft.save").object_id == str(draft.pk)


def test_one_person_cannot_fill_the_queue(admin: User, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "MOST_OPEN", 2)
    first = save(AppKind.ASSIGNMENT, admin, WISH)
    save(AppKind.ASSIGNMENT, admin, WISH)
    with pytest.raises(NotPossible) as refusal:
        save(AppKind.ASSIGNMENT, admin, WISH)
    assert (refusal.value.reason.code, refusal.value.reason.params) == ("draft_too_many_open", {"limit": 2})
    with pytest.raises(NotPossible):
        saving.delete(record, admin)
    assert save(AppKind.ASSIGNMENT, make_user(is_staff=True), WISH).pk
    saving.discard(first, admin)
    assert save(AppKind.ASSIGNMENT, admin, WISH).pk


def test_only_edits_are_kept_with_what_they_were_made_from(admin: User, record: Record) -> None:
    start = load_start(record)
    draft = save(
        AppKind.ASSIGNMENT, admin, {**start.values, "note": "why"},
        record=record, base_revision=start.revision, base_values=start.values,
    )  # fmt: skip
    assert (draft.values, draft.base_revision) == ({"note": "why"}, 1)
    assert draft.base_values == start.values


def test_edit_beside_what_is_withheld_leaves_that_withheld(admin: User, record: Record) -> None:
    """The form showed two people; who was withheld stays in the record, and stays withheld."""
    rewrite(record, users=["hana", "taro", "ken"])
    Withheld.objects.create(record=record, value="+kintone_user:ken", revision=2)
    draft = save(AppKind.ASSIGNMENT, admin, {"users": ["hana", "yuki"]}, record=record)
    assert draft.values == {"users": ["hana", "ken", "yuki"]}
    assert Withheld.objects.get().confirmed_at is None


def test_writing_it_anew_lets_in_what_was_withheld(admin: User, record: Record) -> None:
    rewrite(record, users=["hana", "taro", "ken"])
    Withheld.objects.create(record=record, value="+kintone_user:ken", revision=2)
    save(AppKind.ASSIGNMENT, admin, {"users": ["hana", "taro", "ken"]}, record=record)
    assert Withheld.objects.get().confirmed_by == admin


def test_who_may_not_confirm_does_not_by_writing_it_anew(record: Record) -> None:
    rewrite(record, users=["hana", "taro", "ken"])
    Withheld.objects.create(record=record, value="+kintone_user:ken", revision=2)
    owner = make_user("花", person=make_person("花", kintone_code="hana"))
    save(AppKind.ASSIGNMENT, owner, {"users": ["hana", "taro", "ken"]}, record=record)
    assert Withheld.objects.get().confirmed_at is None


@pytest.mark.parametrize(("policies", "is_confirmed"), [(["A", "B"], False), (["A", "Admin"], True)])
def test_edit_of_a_set_lets_in_no_withheld_policy_beside_his_own(
    policies: list[str], is_confirmed: bool, admin: User
) -> None:
    AppState.objects.create(kind="permission_set", app_id="23", fields={"managed_policies": "managed_policies"})
    body = {"managed_policies": {"type": "MULTI_LINE_TEXT", "value": "A\nAdmin"}}
    record = make_record(AppKind.PERMISSION_SET, body=body, in_force={"managed_policies": ["A"]})
    Withheld.objects.create(record=record, value="+managed_policies:0123456789abcdef", revision=1)
    draft = save(AppKind.PERMISSION_SET, admin, {"managed_policies": policies}, record=record)
    assert draft.values == {"managed_policies": policies}
    assert Withheld.objects.filter(confirmed_at__isnull=False).exists() == is_confirmed


def test_form_that_opened_before_somebody_wrote_keeps_its_own_base(admin: User, record: Record) -> None:
    start = load_start(record)
    rewrite(record, users=["hana"])
    draft = save(
        AppKind.ASSIGNMENT, admin, {**start.values, "users": ["hana", "taro", "ken"]},
        record=record, base_revision=start.revision, base_values=start.values,
    )  # fmt: skip
    assert (draft.base_revision, draft.base_values) == (1, start.values)


def test_nothing_changed_is_nothing_to_save(admin: User, record: Record) -> None:
    with pytest.raises(NotPossible) as refused:
        save(AppKind.ASSIGNMENT, admin, load_start(record).values, record=record)
    assert (refused.value.reason.code, Draft.objects.count()) == ("draft_nothing_changed", 0)


def test_records_of_one_submit_belong_together(admin: User) -> None:
    drafts = save_together(admin, [Wanted(AppKind.ASSIGNMENT, WISH)] * 2)
    assert drafts[0].batch == drafts[1].batch != ""


@pytest.mark.parametrize("count", [0, 101])
def test_one_submit_is_one_request_to_kintone(count: int, admin: User) -> None:
    with pytest.raises(NotPossible):
        save_together(admin, [Wanted(AppKind.ASSIGNMENT, WISH)] * count)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("name", ["request_key", "changed_by", "$id", "name"])
def test_only_fields_that_people_fill_in_are_taken(name: str, admin: User) -> None:
    with pytest.raises(ValueError, match="no such field"):
        save(AppKind.ASSIGNMENT, admin, {**WISH, name: "x"})


def test_what_the_app_has_no_field_for_is_not_lost_silently(admin: User) -> None:
    with pytest.raises(NotPossible) as refused:
        save(AppKind.ASSIGNMENT, admin, {**WISH, "more_users": ["yuki@example.com"]})
    assert refused.value.reason.as_json() == {"code": "keep_no_field", "params": {"field": "more_users"}}


def test_who_is_kept_beside_a_record_can_be_taken_out(admin: User, record: Record) -> None:
    record.beside = ["a@example.com", "b@example.com"]
    record.in_force = {**(record.in_force or {}), "addresses": record.beside}
    record.save()
    assert load_start(record).values["more_users"] == ["a@example.com", "b@example.com"]
    draft = save(AppKind.ASSIGNMENT, admin, {"more_users": ["b@example.com"]}, record=record)
    assert draft.values == {"more_users": ["b@example.com"]}


def test_record_that_is_gone_takes_no_edit(admin: User, record: Record) -> None:
    Record.objects.update(gone_at=timezone.now())
    record.refresh_from_db()
    with pytest.raises(NotPossible):
        saving.delete(record, admin)
    with pytest.raises(NotPossible):
        save(AppKind.ASSIGNMENT, admin, WISH, record=record)


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_outsider_may_neither_edit_nor_delete(record: Record) -> None:
    outsider = make_user("健")
    with pytest.raises(PermissionDenied):
        save(AppKind.ASSIGNMENT, outsider, {"note": "x"}, record=record)
    with pytest.raises(PermissionDenied):
        saving.delete(record, outsider)
    assert not Draft.objects.exists()


def test_auditor_changes_nothing(record: Record) -> None:
    auditor = make_user("監査", person=make_person("監査", kintone_code="hana"), is_auditor=True)
    with pytest.raises(PermissionDenied):
        save(AppKind.ASSIGNMENT, auditor, WISH)
    with pytest.raises(PermissionDenied):
        saving.delete(record, auditor)


@pytest.mark.parametrize(
    ("values", "may"),
    [({"users": ["hana"]}, True), ({"users": ["taro"]}, False), ({"users": ["hana", "x"]}, False),
     ({"users": ["hana"], "note": "x"}, False), ({"users": []}, False)],
)  # fmt: skip
def test_anybody_may_take_out_himself_and_nothing_else(values: dict[str, Any], may: bool, record: Record) -> None:
    taro = make_user("太郎")
    PrincipalLink.objects.create(source="kintone_user", key="taro", principal=get_principal(taro))
    if may:
        assert save(AppKind.ASSIGNMENT, taro, values, record=record).values == values
    else:
        with pytest.raises(PermissionDenied):
            save(AppKind.ASSIGNMENT, taro, values, record=record)


def test_hostile_base_takes_nobody_else_out(record: Record) -> None:
    """A form that claims to have opened with somebody in the record who is not in it."""
    ken = make_user("健")
    PrincipalLink.objects.create(source="kintone_user", key="ken", principal=get_principal(ken))
    draft = save(AppKind.ASSIGNMENT, ken, {"users": []}, record=record, base_values={"users": ["ken"]})
    assert draft.values == {"users": ["hana", "taro"]}


# --- What people do about drafts --------------------------------------------------------------------------------------


@pytest.fixture
def author() -> User:
    return make_user("花", person=make_person("花", kintone_code="hana"))


@pytest.fixture
def draft(author: User, record: Record) -> Draft:
    return save(AppKind.ASSIGNMENT, author, {"users": ["hana", "ken"], "note": "mine"}, record=record)


def overtake(draft: Draft, record: Record) -> Draft:
    """Somebody else has written another note and put Yuki in."""
    theirs = {**(draft.base_values or {}), "note": "theirs", "users": ["hana", "taro", "yuki"]}
    conflict = Conflict("note", "", "theirs", "mine")
    draft_outcomes.stop_in_conflict(draft, [conflict], theirs=theirs, record=record)
    draft.refresh_from_db()
    return draft


def test_discarded_draft_is_forgotten(draft: Draft, author: User) -> None:
    saving.discard(draft, author)
    draft.refresh_from_db()
    assert draft.state == "discarded"
    assert AuditEvent.objects.get(action="draft.discard").after == draft.values


def test_draft_that_may_have_arrived_is_looked_for_before_it_is_forgotten(draft: Draft, author: User) -> None:
    draft_outcomes.begin(draft, sent={}, revision=1)
    saving.discard(draft, author)
    draft.refresh_from_db()
    assert (draft.state, draft.discarded_at is None) == ("waiting", False)
    assert not draft_outcomes.begin(draft, sent={}, revision=1)  # never sent again


def test_what_another_process_sends_is_neither_sent_again_nor_forgotten(draft: Draft) -> None:
    """Two at once, where the first was silent so long that its lease was taken over."""
    late = Draft.objects.get(pk=draft.pk)
    assert draft_outcomes.begin(draft, sent={}, revision=1)
    assert not draft_outcomes.begin(late, sent={}, revision=1)
    for state in ("waiting", "written"):
        Draft.objects.update(state=state)
        tell(late, Discarded(), Apps(ExitStack()))
        late.refresh_from_db()
        assert late.state == state


def test_one_of_a_submit_is_discarded_with_the_others(admin: User) -> None:
    drafts = save_together(admin, [Wanted(AppKind.ASSIGNMENT, WISH)] * 2)
    saving.discard(drafts[1], admin)
    assert set(Draft.objects.values_list("state", flat=True)) == {"discarded"}


def test_what_is_written_cannot_be_discarded(draft: Draft, author: User) -> None:
    Draft.objects.update(state="written")
    draft.refresh_from_db()
    for act in (saving.discard, saving.send_now):
        with pytest.raises(NotPossible):
            act(draft, author)


def test_send_now_waits_no_longer(draft: Draft, author: User) -> None:
    Draft.objects.update(retry_at=timezone.now(), tries=5, state="refused")
    draft.refresh_from_db()
    saving.send_now(draft, author)
    draft.refresh_from_db()
    assert (draft.state, draft.retry_at, draft.tries) == ("waiting", None, 0)


@pytest.mark.parametrize("act", [saving.send_now, saving.discard])
def test_hostile_hand_on_somebody_else_s_draft_is_refused(act: Any, draft: Draft) -> None:
    with pytest.raises(PermissionDenied):
        act(draft, make_user("健"))
    draft.refresh_from_db()
    assert draft.state == "waiting"


@pytest.mark.parametrize(
    ("choice", "note"), [(Choice("mine"), "mine"), (Choice("other", "both"), "both"), (Choice("theirs"), None)]
)
def test_author_decides_field_by_field(
    choice: Choice, note: str | None, draft: Draft, author: User, record: Record
) -> None:
    overtake(draft, record)
    saving.resolve(draft, author, {"note": choice}, revision=record.revision)
    assert (draft.state, draft.conflict, draft.base_revision) == ("waiting", {}, record.revision)
    assert draft.values.get("note") == note
    assert draft.values["users"] == ["hana", "yuki", "ken"]
    assert draft.base_values is not None
    assert draft.base_values["note"] == "theirs"


@pytest.mark.parametrize(("choice", "purpose"), [(Choice("mine"), "twin:Reader"), (Choice("other", "Admin"), "")])
def test_move_to_a_twin_that_goes_elsewhere_is_judged_like_any_edit(
    choice: Choice, purpose: str, author: User, record: Record
) -> None:
    draft = save(AppKind.ASSIGNMENT, author, {"permission_set": "Twin"}, record=record, purpose="twin:Reader")
    theirs = {**(draft.base_values or {}), "permission_set": "Writer"}
    conflict = Conflict("permission_set", "Reader", "Writer", "Twin")
    draft_outcomes.stop_in_conflict(draft, [conflict], theirs=theirs, record=record)
    draft.refresh_from_db()
    saving.resolve(draft, author, {"permission_set": choice}, revision=record.revision)
    assert (draft.state, draft.purpose) == ("waiting", purpose)


def test_taking_all_of_theirs_leaves_nothing_to_send(author: User, record: Record) -> None:
    draft = overtake(save(AppKind.ASSIGNMENT, author, {"note": "mine"}, record=record), record)
    saving.resolve(draft, author, {"note": Choice("theirs")}, revision=record.revision)
    draft.refresh_from_db()
    assert draft.state == "discarded"


def test_deletion_goes_on_from_what_was_seen(author: User, record: Record) -> None:
    draft = overtake(saving.delete(record, author), record)
    saving.resolve(draft, author, {"note": Choice("mine")}, revision=record.revision)
    assert (draft.state, draft.is_deletion, draft.base_revision) == ("waiting", True, record.revision)


def test_only_the_author_decides_what_goes_out_in_his_name(draft: Draft, admin: User, record: Record) -> None:
    overtake(draft, record)
    with pytest.raises(PermissionDenied):
        saving.resolve(draft, admin, {"note": Choice("mine")}, revision=record.revision)


@pytest.mark.parametrize(("choices", "revision"), [({}, 1), ({"note": Choice("mine")}, 7)])
def test_unseen_or_open_choices_are_not_taken(
    choices: dict[str, Choice], revision: int, draft: Draft, author: User, record: Record
) -> None:
    overtake(draft, record)
    with pytest.raises(NotPossible):
        saving.resolve(draft, author, choices, revision=revision)
    draft.refresh_from_db()
    assert draft.state == "conflict"


def test_own_drafts_are_visible_and_others_to_those_who_see_everything(draft: Draft, admin: User, author: User) -> None:
    assert list(Draft.objects.visible_to(author)) == list(Draft.objects.visible_to(admin)) == [draft]
    assert not Draft.objects.visible_to(make_user("健")).exists()
