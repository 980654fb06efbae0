"""What people decide about changes made by hand, from the press of a button to kintone and AWS."""

from typing import Any

import pytest

from accounts.models import Account, AuditEvent, Draft, OwnerEntry, PermissionSet, Person, PortalWrite, Principal, User
from simulators.kintone import Fault
from syncer import decisions, runs
from syncer.drafts import writing
from syncer.drafts.drafting import NotPossible
from syncer.models import Drift, Run
from syncer.tasks import write_drafts
from tests.factories import make_user
from tests.syncer.running import plan, sync
from tests.syncer.worlds import DOMAIN, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop, and everything there is has been read."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().code == 0
    return world


@pytest.fixture
def admin(company: World) -> User:
    return make_user("管理", person=Person.objects.get(kintone_code="hana"), is_staff=True)


def find_drift(company: World) -> Drift:
    plan()
    return Drift.objects.get(ended_at__isnull=True)


def value_of(world: World, record_id: int, field: str) -> Any:
    value = world.assignments.record(record_id)[field]["value"]
    return [item["code"] for item in value] if isinstance(value, list) else value


# --- Keeping ----------------------------------------------------------------------------------------------------------


def test_kept_group_becomes_a_record(company: World, admin: User) -> None:
    company.assign("shop", "Reader", "developers")
    decisions.keep(find_drift(company), admin)
    assert writing.write_drafts() == {f"{company.assignments.id}:2"}
    assert value_of(company, 2, "groups") == "developers"
    assert value_of(company, 2, "account_id") == company.account_ids["shop"]
    assert "drift" not in sync().codes
    assert ("shop", "Reader", "developers") in company.granted()
    assert Drift.objects.get().ended_at is not None


def test_kept_person_is_named_by_his_kintone_code(company: World, admin: User) -> None:
    company.register("blog", "Reader", "ken")
    sync()
    company.assign("shop", "Reader", "ken")
    decisions.keep(find_drift(company), admin)
    writing.write_drafts()
    assert value_of(company, 3, "users") == ["ken"]


def test_person_without_kintone_goes_to_further_users(company: World, admin: User) -> None:
    company.change_form(
        company.assignments,
        lambda form: form.update({"more_users": {"code": "more_users", "label": "", "type": "MULTI_LINE_TEXT"}}),
    )
    sync()
    company.assign("shop", "Reader", "ken")
    decisions.keep(find_drift(company), admin)
    writing.write_drafts()
    assert value_of(company, 2, "more_users") == f"ken@{DOMAIN}"
    assert "drift" not in sync().codes


def test_person_whom_no_field_can_name_cannot_be_kept(company: World, admin: User) -> None:
    company.assign("shop", "Reader", "ken")
    drift = find_drift(company)
    with pytest.raises(NotPossible) as refused:
        decisions.keep(drift, admin)
    drift.refresh_from_db()
    assert (refused.value.reason.code, drift.decision, Draft.objects.count()) == ("keep_no_kintone_user", "", 0)


def test_kept_removal_takes_the_name_out_of_its_records(company: World, admin: User) -> None:
    company.unassign("shop", "Reader", "hana")
    decisions.keep(find_drift(company), admin)
    writing.write_drafts()
    assert value_of(company, 1, "users") == ["taro"]
    assert "drift" not in sync().codes
    assert ("shop", "Reader", "hana") not in company.granted()


def test_kept_definition_becomes_the_set_s_record(company: World, admin: User) -> None:
    arn = company.aws.permission_set_arn("Reader")
    company.aws.change_permission_set(arn, description="by hand", session_duration="PT4H")
    decisions.keep(find_drift(company), admin)
    writing.write_drafts()
    record = company.sets.record(1)
    assert (record["description"]["value"], record["session_duration"]["value"]) == ("by hand", "PT4H")
    assert "drift" not in sync().codes
    assert company.aws.center.sets[arn].description == "by hand"


def test_kintone_away_keeps_the_draft_and_says_so(company: World, admin: User) -> None:
    company.unassign("shop", "Reader", "hana")
    drift = find_drift(company)
    decisions.keep(drift, admin)
    company.kintone.faults.add(Fault(status=503, text="maintenance", times=8))
    writing.write_drafts()
    assert Draft.objects.get().reason["code"] == "kintone_unavailable"
    company.kintone.faults.clear()
    writing.write_drafts()
    assert Draft.objects.get().state == Draft.State.WRITTEN


def test_record_that_went_meanwhile_opens_the_decision_again(company: World, admin: User) -> None:
    company.unassign("shop", "Reader", "hana")
    drift = find_drift(company)
    decisions.keep(drift, admin)
    company.delete(f"{company.assignments.id}:1")
    writing.write_drafts()
    drift.refresh_from_db()
    assert (drift.decision, Draft.objects.get().state) == ("", "refused")


def test_record_that_changed_meanwhile_keeps_what_was_added(company: World, admin: User) -> None:
    """The task writes, lets a run judge what the other has added, and writes again."""
    company.unassign("shop", "Reader", "hana")
    decisions.keep(find_drift(company), admin)
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro", "ken"])
    write_drafts()
    assert Draft.objects.get().state == "written"
    assert value_of(company, 1, "users") == ["taro", "ken"]
    assert ("shop", "Reader", "ken") in company.granted()


# --- Deciding once ----------------------------------------------------------------------------------------------------


def test_decision_is_taken_once(company: World, admin: User) -> None:
    company.assign("shop", "Reader", "developers")
    drift = find_drift(company)
    decisions.keep(drift, admin)
    for decide in (decisions.keep, decisions.put_back):
        with pytest.raises(NotPossible) as refused:
            decide(drift, admin)
        assert refused.value.reason.code == "drift_decided"
    assert (Draft.objects.count(), Run.objects.filter(status="queued").count()) == (1, 0)


def test_drift_that_is_over_cannot_be_decided(company: World, admin: User) -> None:
    company.assign("shop", "Reader", "developers")
    drift = find_drift(company)
    company.unassign("shop", "Reader", "developers")
    plan()
    with pytest.raises(NotPossible):
        decisions.put_back(drift, admin)


def test_decision_is_in_the_trail(company: World, admin: User) -> None:
    company.assign("shop", "Reader", "developers")
    decisions.put_back(find_drift(company), admin)
    event = AuditEvent.objects.get(action="drift.put_back")
    assert (event.actor, event.object_name) == (admin, f"+ {company.account_ids['shop']} × Reader × developers")


# --- Who may ----------------------------------------------------------------------------------------------------------


def make_owner(company: World, name: str, account: str = "") -> User:
    person = Person.objects.get(principal__name=f"{name}@{DOMAIN}")
    if account:
        OwnerEntry.objects.create(
            account=_account(company, account), principal=Principal.objects.get(name=f"{name}@{DOMAIN}")
        )
    return make_user(name, person=person)


def _account(company: World, name: str) -> Account:
    return Account.objects.get(account_id=company.account_ids[name])


def test_owner_of_the_account_decides_and_nobody_else(company: World) -> None:
    company.assign("shop", "Reader", "developers")
    drift = find_drift(company)
    owner, other = make_owner(company, "taro", "shop"), make_owner(company, "hana", "blog")
    assert decisions.find_rights(owner, [drift]) == {drift.pk: (True, True)}
    assert decisions.find_rights(other, [drift]) == {drift.pk: (False, False)}


def test_what_an_owner_keeps_is_in_force_as_his_word(company: World) -> None:
    company.assign("shop", "Reader", "developers")
    company.unassign("shop", "Reader", "hana")
    plan()
    owner = make_owner(company, "taro", "shop")
    for drift in Drift.objects.filter(ended_at__isnull=True):
        decisions.keep(drift, owner)
    assert len(writing.write_drafts()) == 2
    outcome = sync()
    assert {"drift", "values_withheld"}.isdisjoint(outcome.codes)
    assert {who for account, _name, who in company.granted() if account == "shop"} == {"taro", "developers"}


def test_in_a_protected_account_only_admins_keep(company: World, settings: Any) -> None:
    settings.PROTECTED_OUS = ("service",)
    company.assign("shop", "Reader", "developers")
    drift = find_drift(company)
    owner = make_owner(company, "taro", "shop")
    assert decisions.find_rights(owner, [drift])[drift.pk] == (True, False)


def test_owner_of_the_record_decides_about_its_set(company: World) -> None:
    arn = company.aws.permission_set_arn("Reader")
    company.aws.change_permission_set(arn, description="by hand")
    drift = find_drift(company)
    author, other = make_owner(company, "taro"), make_owner(company, "hana", "shop")
    record = PermissionSet.objects.get(name="Reader").record
    assert record
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=author)
    assert decisions.find_rights(author, [drift])[drift.pk] == (True, True)
    assert decisions.find_rights(other, [drift])[drift.pk] == (False, False)


def test_put_back_asks_for_a_run_in_the_person_s_name(company: World, admin: User) -> None:
    company.unassign("shop", "Reader", "hana")
    run = decisions.put_back(find_drift(company), admin)
    assert (run.requested_by, run.status) == (admin, "queued")
    runs.work_off_queue()
    assert ("shop", "Reader", "hana") in company.granted()
