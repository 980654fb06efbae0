"""Undo, as people press it, and as they might try to misuse it. The request carries an id and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Draft, OwnerEntry, PortalWrite, Record, User
from accounts.models.records import AppKind
from syncer.drafts import outcomes
from syncer.drafts.drafting import make_draft
from syncer.drafts.undoing import WITHIN
from syncer.gateways.kintone import Written
from syncer.models import Withdrawal
from tests import factories
from tests.portal.pages import get_html, get_text, make_client
from tests.portal.test_withdrawal_pages import Company, press

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return Company()


def write(draft: Draft, **record: Any) -> None:
    """kintone has it, and the mirror and a run follow."""
    Draft.objects.filter(pk=draft.pk).update(attempts=1)
    there = Record.objects.get(drafts=draft)
    written = Written(there.record_id, there.revision + 1)
    outcomes.note_write(draft, there.app_id, written)
    outcomes.finish(draft, there.app_id, written)
    Record.objects.filter(pk=there.pk).update(revision=there.revision + 1, **record)


def take_out(company: Company, user: User, whom: Any = None) -> Withdrawal:
    """It has been taken out of kintone and is not in force any more."""
    draft = press(user, company.url(whom or user))
    record = company.record
    names = {"users": draft.values.get("users", ["hana"])}
    body = {**record.body, "users": {"value": [{"code": code} for code in names["users"]]}}
    write(draft, body=body, in_force={**(record.in_force or {}), **names}, in_force_revision=2)
    return Withdrawal.objects.get(draft=draft)


def end_record(company: Company, user: User) -> Withdrawal:
    draft = press(user, company.url())
    write(draft, gone_at=timezone.now())
    return Withdrawal.objects.get(draft=draft)


def undo(user: User, withdrawal: Withdrawal, **values: Any) -> Any:
    return make_client(user).post(f"/withdrawals/{withdrawal.pk}/undo/", values)


def read_errors(user: User, withdrawal: Withdrawal) -> str:
    """What the page says to somebody who pressed in vain."""
    response = make_client(user).post(f"/withdrawals/{withdrawal.pk}/undo/", follow=True)
    return str(response.content.decode())


def count_undoing() -> int:
    return Draft.objects.filter(purpose__startswith="undo:").count()


# --- Undoing ----------------------------------------------------------------------------------------------------------


def test_page_after_a_removal_offers_it_with_the_time(company: Company) -> None:
    draft = press(company.hana, company.url(company.hana))
    text = get_text(make_client(company.hana), f"/drafts/{draft.pk}/")
    assert "for 10 more minutes" in text
    assert f"/withdrawals/{draft.withdrawal.pk}/undo/" in get_html(make_client(company.hana), f"/drafts/{draft.pk}/")


def test_who_took_himself_out_is_put_back_in_the_record(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    response = undo(company.hana, withdrawal)
    draft = Draft.objects.get(purpose=f"undo:{withdrawal.pk}")
    assert response["Location"] == f"/drafts/{draft.pk}/"
    assert (draft.record, draft.values, draft.after) == (company.record, {"users": ["hana"]}, withdrawal.draft)
    assert AuditEvent.objects.get(action="record.put_back").after == {"users": ["hana"]}
    assert "This was undone." in get_text(make_client(company.hana), f"/drafts/{withdrawal.draft_id}/")


def test_ledger_names_what_was_in_force_and_no_more(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    undo(company.hana, withdrawal)
    draft = Draft.objects.get(purpose=f"undo:{withdrawal.pk}")
    Draft.objects.filter(pk=draft.pk).update(values={"users": ["hana", "mallory"]})
    draft.refresh_from_db()
    write(draft)
    back = PortalWrite.objects.get(revision=3).puts_back
    principal_id = factories.get_principal(company.hana).principal_id
    assert back is not None
    assert back["names"] == {"kintone_user:hana": principal_id}
    assert (back["account_id"], back["permission_set"]) == (company.account.account_id, "Deploy")


def test_ended_record_comes_back_as_a_new_one(company: Company) -> None:
    owner = company.make_owner()
    company.record.body["note"] = {"value": "for the release"}
    company.record.save()
    undo(owner, end_record(company, owner))
    draft = Draft.objects.get(purpose__startswith="undo:")
    assert (draft.record, draft.kind, draft.is_deletion) == (None, AppKind.ASSIGNMENT, False)
    assert {name: value for name, value in draft.values.items() if value} == {
        "account_id": company.account.account_id, "permission_set": "Deploy", "users": ["hana"],
        "more_users": ["taro@example.com"], "groups": ["developers"], "note": "for the release",
    }  # fmt: skip


def test_before_kintone_has_it_nothing_is_written(company: Company) -> None:
    draft = press(company.hana, company.url(company.hana))
    response = make_client(company.hana).post(f"/withdrawals/{draft.withdrawal.pk}/undo/", follow=True)
    draft.refresh_from_db()
    assert (draft.state, count_undoing()) == ("discarded", 0)
    assert "Nothing was removed" in response.content.decode()


def test_removal_that_is_being_written_is_undone_after_it(company: Company) -> None:
    draft = press(company.hana, company.url(company.hana))
    Draft.objects.filter(pk=draft.pk).update(attempts=1)
    undo(company.hana, draft.withdrawal)
    assert Draft.objects.get(purpose__startswith="undo:").after == draft


def test_all_of_one_submit_come_back(company: Company) -> None:
    other = company.add_record(["hana"], [], [])
    factories.get_principal(company.hana).assignments.get().wishes.create(record=other)
    draft = press(company.hana, company.url(company.hana), also=[other.pk])
    Draft.objects.update(state="written", attempts=1)
    undo(company.hana, draft.withdrawal)
    found = Draft.objects.filter(purpose__startswith="undo:")
    assert {row.record for row in found} == {company.record, other}


def test_others_that_came_meanwhile_stay(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    body = {**company.record.body, "users": {"value": [{"code": "ken"}]}}
    Record.objects.filter(pk=company.record.pk).update(body=body, revision=3)
    undo(company.hana, withdrawal)
    draft = Draft.objects.get(purpose__startswith="undo:")
    assert draft.base_values is not None
    assert (draft.base_values["users"], draft.values) == (["ken"], {"users": ["ken", "hana"]})


def test_activity_leads_back_to_it(company: Company) -> None:
    withdrawal, admin = take_out(company, company.hana), factories.make_user("管理", is_staff=True)
    link = f'href="/drafts/{withdrawal.draft_id}/"'
    assert link in get_html(make_client(company.hana), "/activity/")
    assert link not in get_html(make_client(admin), "/activity/")


# --- Attacks ----------------------------------------------------------------------------------------------------------


def test_nobody_undoes_what_others_did(company: Company) -> None:
    withdrawal, admin = take_out(company, company.hana), factories.make_user("管理", is_staff=True)
    assert undo(company.ken, withdrawal).status_code == 404
    response = undo(admin, withdrawal)
    assert (response.status_code, count_undoing()) == (403, 0)
    assert "Only the person who took it out can undo that." in response.content.decode()
    assert "/undo/" not in get_html(make_client(admin), f"/drafts/{withdrawal.draft_id}/")


def test_auditor_undoes_nothing(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    User.objects.filter(pk=company.hana.pk).update(is_auditor=True)
    assert (undo(company.hana, withdrawal).status_code, count_undoing()) == (403, 0)


def test_once_is_enough(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    undo(company.hana, withdrawal)
    assert "It has been undone already." in read_errors(company.hana, withdrawal)
    assert count_undoing() == 1


def test_ten_minutes_and_no_longer(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    Withdrawal.objects.update(at=timezone.now() - WITHIN)
    assert "can be undone for 10 minutes" in read_errors(company.hana, withdrawal)
    assert "/undo/" not in get_html(make_client(company.hana), f"/drafts/{withdrawal.draft_id}/")
    assert count_undoing() == 0


def test_other_values_in_the_request_say_nothing(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    undo(
        company.hana, withdrawal, users="mallory", values='{"users": ["mallory"]}', record="1", expires_on="2099-01-01"
    )
    assert Draft.objects.get(purpose__startswith="undo:").values == {"users": ["hana"]}


def test_who_lost_the_account_puts_nobody_back(company: Company) -> None:
    owner = company.make_owner()
    for withdrawal in (take_out(company, owner, company.hana), end_record(company, owner)):
        OwnerEntry.objects.all().delete()
        assert "may not take access out of this record any more" in read_errors(owner, withdrawal)
        OwnerEntry.objects.create(account=company.account, principal=factories.get_principal(owner))
    assert count_undoing() == 0


@pytest.mark.parametrize(
    "change",
    [{"permission_set": "Admin"}, {"account_id": "000000000000"}, {"expires_on": "2099-12-31"}],
)
def test_record_that_went_elsewhere_takes_nobody_along(company: Company, change: dict[str, str]) -> None:
    in_force = {**(company.record.in_force or {}), "expires_on": "2099-01-01"}
    Record.objects.update(in_force=in_force)
    company.record.in_force = in_force
    withdrawal = take_out(company, company.hana)
    Record.objects.update(in_force={**in_force, **change})
    assert "was moved, or its last day was" in read_errors(company.hana, withdrawal)
    assert count_undoing() == 0


def test_last_day_that_has_passed_is_over(company: Company) -> None:
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    in_force = {**(company.record.in_force or {}), "expires_on": yesterday}
    Record.objects.update(in_force=in_force)
    company.record.in_force = in_force
    withdrawal = take_out(company, company.hana)
    assert "has passed" in read_errors(company.hana, withdrawal)
    assert count_undoing() == 0


def test_what_somebody_took_out_since_is_his_word(company: Company) -> None:
    withdrawal, owner = take_out(company, company.hana), company.make_owner()
    base = {"users": ["hana"]}
    later = make_draft(AppKind.ASSIGNMENT, owner, {"users": []}, record=company.record, base_values=base)
    later.state = "written"
    later.save()
    assert "所有者 has taken the same out of the record since then." in read_errors(company.hana, withdrawal)
    assert count_undoing() == 0


def test_removal_that_wrote_nothing_has_nothing_to_put_back(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    Draft.objects.update(attempts=0)
    assert "nothing to put back" in read_errors(company.hana, withdrawal)


def test_what_was_withheld_does_not_come_into_force_by_it(company: Company) -> None:
    in_force = {**(company.record.in_force or {}), "users": []}
    Record.objects.update(in_force=in_force)
    company.record.in_force = in_force
    withdrawal = take_out(company, company.make_owner(), company.hana)
    assert "nothing to put back" in read_errors(withdrawal.draft.author, withdrawal)


# --- The address ------------------------------------------------------------------------------------------------------


def test_undo_is_for_people_who_are_signed_in_and_press(company: Company) -> None:
    withdrawal = take_out(company, company.hana)
    url = f"/withdrawals/{withdrawal.pk}/undo/"
    assert Client().post(url)["Location"].startswith("/sign-in/")
    assert make_client(company.hana).get(url).status_code == 405
    assert make_client(company.hana).post("/withdrawals/9999/undo/").status_code == 404
