"""One of our sets turns up in the management account: what is said of it, and how its twin comes to be."""

from typing import Any

import pytest

from accounts.models import AuditEvent, Draft, PermissionSet, Person, PortalWrite, User, Withheld
from simulators.kintone import Fault
from syncer.drafts import writing
from syncer.drafts.drafting import NotPossible
from syncer.sets import twins
from tests.factories import make_user
from tests.syncer.running import plan, sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop, Ken in blog; then somebody assigns it in the management account."""
    world.register_set("Reader", description="読むだけ")
    world.register("shop", "Reader", "hana", "taro", expires_on="2030-03-31")
    world.register("blog", "Reader", "ken")
    assert sync().code == 0
    world.assign("management", "Reader", "hana")
    sync()
    return world


@pytest.fixture
def admin(company: World) -> User:
    return make_user("管理", person=Person.objects.get(kintone_code="hana"), is_staff=True)


def reader() -> PermissionSet:
    return PermissionSet.objects.select_related("record").get(name="Reader")


def make_twin(user: User) -> Draft:
    return twins.make_twin(reader(), user, twins.plan_twin(reader()).checksum)


def set_of(world: World, record_id: int) -> Any:
    return world.assignments.record(record_id)["permission_set"]["value"]


# --- Out of reach -----------------------------------------------------------------------------------------------------


def test_set_that_was_made_for_the_management_account_is_not_captured(world: World) -> None:
    """Terraform has taken it over as it was exported: that is what was to happen."""
    world.register_set("Boss")
    world.register("management", "Boss", "hana")
    sync()
    world.assign("management", "Boss", "hana")
    assert "set_in_management" not in {item["code"] for item in sync().report["problems"]}
    boss = PermissionSet.objects.get(name="Boss")
    assert (boss.ownership, boss.captured_at) == (PermissionSet.Ownership.TERRAFORM, None)


def test_captured_set_is_critical_and_lists_what_is_held(company: World) -> None:
    company.register("blog", "Reader", "taro")
    problems = plan().report["problems"]
    problem = next(item for item in problems if item["code"] == "set_in_management")
    assert (problem["severity"], problem["record"]) == ("error", f"{company.sets.id}:1")
    for who in ("shop × hana", "shop × taro", "blog × ken", "blog × taro"):
        assert who in problem["message"]
    assert "3" in problem["message"]
    assert "managed_in_terraform" not in {item["code"] for item in problems}


def test_set_that_was_never_ours_is_not_critical(company: World) -> None:
    assert not PermissionSet.objects.filter(name="Root", captured_at__isnull=False).exists()


def test_command_frees_it_in_the_management_account(company: World) -> None:
    ((principal, command),) = twins.list_commands(reader())
    assert principal.display_name == "hana"
    assert command == (
        f"aws sso-admin delete-account-assignment --region {company.aws.region} "
        f"--instance-arn {company.aws.instance_arn} --permission-set-arn {company.aws.permission_set_arn('Reader')} "
        f"--target-type AWS_ACCOUNT --target-id {company.account_ids['management']} "
        f"--principal-type USER --principal-id {company.principal_ids['hana']}"
    )


# --- The list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Reader", "Reader-member"),
        ("x" * 25, "x" * 25 + "-member"),
        ("x" * 26, "x" * 25 + "-member"),
        ("A" * 24 + "-Admin", "A" * 24 + "-member"),
    ],
)
def test_name_of_the_twin_fits(name: str, twin: str, db: None) -> None:
    assert twins._choose_name(name) == twin


def test_taken_name_gets_a_number(company: World) -> None:
    company.register_set("Reader-member")
    plan()
    assert twins.plan_twin(reader()).name == "Reader-member2"


def test_records_that_cannot_move_stay_with_their_reason(company: World) -> None:
    company.edit(f"{company.assignments.id}:2", account_id="12")
    company.register("management", "Reader", "taro")
    sync()
    plan = twins.plan_twin(reader())
    assert [record.record_id for record in plan.moves] == ["1"]
    assert {reason.code for _record, reason in plan.left} == {"twin_newer_revision", "management_account"}


def test_only_the_confirmed_list_is_written(company: World, admin: User) -> None:
    checksum = twins.plan_twin(reader()).checksum
    company.register("shop", "Reader", "ken")
    sync()
    with pytest.raises(NotPossible) as refused:
        twins.make_twin(reader(), admin, checksum)
    assert (refused.value.reason.code, Draft.objects.count()) == ("list_changed", 0)


# --- The writing ------------------------------------------------------------------------------------------------------


def test_twin_is_made_and_records_move_to_it(company: World, admin: User) -> None:
    make_twin(admin)
    writing.write_drafts()
    twin = company.sets.record(2)
    assert (twin["name"]["value"], twin["description"]["value"]) == ("Reader-member", "読むだけ")
    assert [set_of(company, number) for number in (1, 2)] == ["Reader-member"] * 2
    assert company.assignments.record(1)["expires_on"]["value"] == "2030-03-31"
    assert list(PortalWrite.objects.order_by("pk").values_list("record_id", "revision", "keeps_access")) == [
        ("2", 1, False), ("1", 2, True), ("2", 2, True),
    ]  # fmt: skip


def test_run_gives_the_same_people_the_twin(company: World, admin: User) -> None:
    make_twin(admin)
    writing.write_drafts()
    outcome = sync()
    there = {(account, who) for account, name, who in company.granted() if name == "Reader-member"}
    assert there == {("shop", "hana"), ("shop", "taro"), ("blog", "ken")}
    moved = [item["record"] for item in outcome.report["problems"] if item["code"] == "moved_to_twin"]
    assert moved == [f"{company.assignments.id}:1", f"{company.assignments.id}:2"]


def test_pressed_twice_makes_one_twin(company: World, admin: User) -> None:
    make_twin(admin)
    with pytest.raises(NotPossible) as refused:
        make_twin(admin)
    assert refused.value.reason.code == "twin_made"
    assert Draft.objects.count() == 3


def test_kintone_away_in_the_middle_resumes(company: World, admin: User) -> None:
    make_twin(admin)
    company.kintone.faults.add(Fault(method="PUT", path="/k/v1/record.json", status=503, text="maintenance", times=1))
    writing.write_drafts()
    assert list(Draft.objects.order_by("pk").values_list("state", flat=True)) == ["written", "waiting", "waiting"]
    writing.write_drafts()
    assert not Draft.objects.exclude(state=Draft.State.WRITTEN).exists()
    assert company.sets.record_ids() == [1, 2]


def test_record_edited_meanwhile_moves_once_it_is_judged(company: World, admin: User) -> None:
    make_twin(admin)
    company.edit(f"{company.assignments.id}:1", users=["taro"])
    writing.write_drafts()
    assert set_of(company, 1) == "Reader"
    sync()
    writing.write_drafts()
    assert set_of(company, 1) == "Reader-member"
    assert [item["code"] for item in company.assignments.record(1)["users"]["value"]] == ["taro"]


def test_refused_twin_can_be_tried_again(company: World, admin: User) -> None:
    make_twin(admin)
    company.kintone.faults.add(Fault(method="POST", path="/k/v1/record.json", code="CB_VA01", times=1))
    writing.write_drafts()
    assert set(Draft.objects.values_list("state", flat=True)) == {"refused"}
    make_twin(admin)
    writing.write_drafts()
    assert set_of(company, 1) == "Reader-member"


def test_one_act_is_in_the_trail(company: World, admin: User) -> None:
    make_twin(admin)
    event = AuditEvent.objects.get(action="permission_set.twin")
    assert event.actor == admin
    assert event.after == {
        "name": "Reader-member",
        "records": [f"{company.assignments.id}:1", f"{company.assignments.id}:2"],
    }


def test_owner_of_the_set_s_record_may_and_others_may_not(company: World) -> None:
    author = make_user("太郎", person=Person.objects.get(kintone_code="taro"))
    other = make_user("健", person=Person.objects.get(kintone_code="ken"))
    record = reader().record
    assert record
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=author)
    assert (twins.may_make_twin(author, reader()), twins.may_make_twin(other, reader())) == (True, False)


def test_owner_of_the_set_who_owns_no_account_moves_it_all_the_same(company: World) -> None:
    """He may not register in these accounts; moving the same people widens nothing."""
    owner = make_user("健", person=Person.objects.get(kintone_code="ken"))
    make_twin(owner)
    writing.write_drafts()
    sync()
    there = {(account, who) for account, name, who in company.granted() if name == "Reader-member"}
    assert there == {("shop", "hana"), ("shop", "taro"), ("blog", "ken")}
    assert not Withheld.objects.exists()
