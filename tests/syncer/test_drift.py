"""Changes made by hand, from AWS's console to the page: noted, told, left alone, ended."""

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Assignment, PermissionSet, Problem
from syncer.models import Change, Drift
from tests.syncer.running import NOTHING, counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop, and everything there is has been read."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().code == 0
    return world


def let_pass(settings: Settings) -> None:
    """The grace is over."""
    settings.DRIFT_GRACE_HOURS = 0.0


def open_drift() -> list[tuple[str, str, str]]:
    rows = Drift.objects.filter(ended_at__isnull=True).order_by("pk")
    return [(row.kind, row.permission_set_name, row.principal_name) for row in rows]


def test_first_reading_finds_no_drift(world: World) -> None:
    world.add_set("Reader")
    world.assign("shop", "Reader", "ken")
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert "drift" not in sync().codes
    assert not Drift.objects.exists()


def test_hand_made_assignment_is_noted_and_told(company: World) -> None:
    company.assign("shop", "Reader", "ken")
    problems: list[dict[str, Any]] = [item for item in plan().report["problems"] if item["code"] == "drift"]
    assert open_drift() == [("added", "Reader", "ken")]
    assert [(item["severity"], item["record"]) for item in problems] == [("warning", None)]
    assert f"+ shop ({company.account_ids['shop']}) × Reader × ken" in problems[0]["message"]


def test_removal_by_hand_names_the_record(company: World) -> None:
    company.unassign("shop", "Reader", "hana")
    problem = next(item for item in plan().report["problems"] if item["code"] == "drift")
    assert open_drift() == [("removed", "Reader", "hana")]
    assert problem["record"] == f"{company.assignments.id}:1"


def test_set_changed_by_hand_is_remembered_by_a_plan(company: World) -> None:
    """A plan brings the mirror up to date; what it found is not lost by that."""
    arn = company.aws.permission_set_arn("Reader")
    company.aws.change_permission_set(arn, description="by hand")
    plan()
    assert PermissionSet.objects.filter(name="Reader", actual__description="by hand").exists()
    assert "drift" in plan().codes
    assert open_drift() == [("changed", "Reader", "")]
    assert Drift.objects.get().details == [{"field": "description", "before": "", "after": "by hand"}]


def test_drift_ends_with_the_difference(company: World) -> None:
    company.assign("shop", "Reader", "ken")
    plan()
    company.unassign("shop", "Reader", "ken")
    assert "drift" not in plan().codes
    assert open_drift() == []
    assert Drift.objects.get().ended_at is not None


def test_drift_ends_when_a_record_wants_it(company: World) -> None:
    company.assign("shop", "Reader", "ken")
    plan()
    company.register("shop", "Reader", "ken")
    assert "drift" not in plan().codes
    assert open_drift() == []


def test_our_own_change_is_never_drift(company: World) -> None:
    """A run died after AWS had taken its removal: the mirror is older than AWS, and the record wants it again."""
    company.edit(f"{company.assignments.id}:1", users=["taro"])
    assert sync().counts["delete"] == 1
    Assignment.objects.filter(principal__display_name="hana", permission_set__name="Reader").update(in_aws=True)
    company.edit(f"{company.assignments.id}:1", users=["hana", "taro"])
    assert "drift" not in plan().codes
    Change.objects.update(outcome="failed", reason={"code": "run_lost", "params": {}})
    assert "drift" not in plan().codes


def test_problem_of_a_drift_keeps_its_time(company: World) -> None:
    company.assign("shop", "Reader", "ken")
    sync()
    since = Problem.objects.filter(code="drift").values_list("first_seen", flat=True)
    first = list(since)
    sync()
    assert list(since) == first


# --- What becomes of it -----------------------------------------------------------------------------------------------


def test_hand_made_assignment_stays_for_its_grace(company: World) -> None:
    company.assign("shop", "Reader", "ken")
    for _run in range(2):
        outcome = sync()
        assert (outcome.code, outcome.counts) == (0, NOTHING)
    assert ("shop", "Reader", "ken") in company.granted()
    row = Assignment.objects.get(principal__display_name="ken")
    assert (row.state, row.reason["code"]) == ("drifted", "drift_added")


def test_after_its_grace_it_goes(company: World, settings: Settings) -> None:
    company.assign("shop", "Reader", "ken")
    sync()
    let_pass(settings)
    outcome = sync()
    assert outcome.counts == counts_of(delete=1)
    assert Change.objects.get(kind="delete").details[0]["after"] == "drift"
    assert ("shop", "Reader", "ken") not in company.granted()
    assert "drift" not in sync().codes


def test_removal_by_hand_stays_for_its_grace_and_comes_back(company: World, settings: Settings) -> None:
    company.unassign("shop", "Reader", "hana")
    assert sync().counts == NOTHING
    assert state_of("shop", "Reader", "hana") == "drifted"
    let_pass(settings)
    assert sync().counts == counts_of(create=1)
    assert state_of("shop", "Reader", "hana") == "granted"


def test_changed_set_stays_for_its_grace_and_is_mended(company: World, settings: Settings) -> None:
    arn = company.aws.permission_set_arn("Reader")
    company.aws.change_permission_set(arn, description="by hand")
    assert sync().counts == NOTHING
    assert PermissionSet.objects.get(name="Reader").reason["code"] == "set_drifted"
    let_pass(settings)
    assert sync().counts == counts_of(update=1)
    assert company.aws.center.sets[arn].description != "by hand"


def test_edit_of_the_record_goes_before_the_grace_of_its_set(company: World) -> None:
    arn = company.aws.permission_set_arn("Reader")
    company.aws.change_permission_set(arn, description="by hand")
    sync()
    company.edit(f"{company.sets.id}:1", description="as registered")
    assert sync().counts == counts_of(update=1)
    assert company.aws.center.sets[arn].description == "as registered"


def test_overwrite_puts_back_at_once(company: World, settings: Settings) -> None:
    settings.DRIFT = "overwrite"
    company.assign("shop", "Reader", "ken")
    outcome = sync()
    assert outcome.counts == counts_of(delete=1)
    assert "drift" in outcome.codes


def test_notify_never_puts_back(company: World, settings: Settings) -> None:
    settings.DRIFT = "notify"
    company.assign("shop", "Reader", "ken")
    sync()
    let_pass(settings)
    assert sync().counts == NOTHING
    assert "drift" in plan().codes


@pytest.mark.parametrize("mode", ["grace", "overwrite", "notify"])
def test_word_of_a_person_goes_before_everything(mode: str, company: World, settings: Settings) -> None:
    settings.DRIFT = mode
    company.assign("shop", "Reader", "ken")
    plan()
    Drift.objects.update(decision="put_back")
    assert sync().counts == counts_of(delete=1)
    assert Change.objects.get(kind="delete").confirmed


def test_what_is_kept_waits_for_kintone_past_its_grace(company: World, settings: Settings) -> None:
    company.assign("shop", "Reader", "ken")
    plan()
    Drift.objects.update(decision="keep")
    let_pass(settings)
    assert sync().counts == NOTHING


def test_drift_after_its_grace_is_braked(company: World, settings: Settings) -> None:
    settings.DRIFT, settings.DELETE_LIMIT_MAX = "overwrite", 0
    company.assign("shop", "Reader", "ken")
    outcome = sync()
    assert (outcome.code, outcome.changes) == (3, [("delete", f"Reader ken@{DOMAIN}", "held")])


def test_record_that_gives_the_same_while_it_drifts_ends_it(company: World) -> None:
    """A targeted run grants what somebody has just assigned by hand."""
    company.assign("shop", "Reader", "ken")
    record = company.register("shop", "Reader", "ken")
    assert sync("--record", record).counts == NOTHING
    assert sync().counts == NOTHING
    assert not Drift.objects.exists()
    assert state_of("shop", "Reader", "ken") == "granted"


def test_targeted_run_leaves_the_drift_of_its_pair(company: World) -> None:
    company.assign("shop", "Reader", "ken")
    company.edit(f"{company.assignments.id}:1", users=["hana"])
    assert sync("--record", f"{company.assignments.id}:1").counts == counts_of(delete=1)
    assert ("shop", "Reader", "ken") in company.granted()
    assert open_drift() == [("added", "Reader", "ken")]


def test_terraform_each_hour_is_told_once_a_day(company: World, settings: Settings) -> None:
    settings.DRIFT = "overwrite"
    for _hour in range(3):
        company.assign("shop", "Reader", "ken")
        sync()
        sync()
    told = Drift.objects.order_by("pk").values_list("told_at", flat=True)
    assert [moment is not None for moment in told] == [True, False, False]


def test_leaver_s_access_made_by_hand_goes_first(company: World) -> None:
    company.aws.directory.users[company.principal_ids["ken"]].status = "DISABLED"
    company.assign("shop", "Reader", "ken")
    assert sync().counts["delete"] == 1
    assert not Drift.objects.exists()


def test_broken_record_of_a_set_leaves_it_alone(company: World) -> None:
    company.edit(f"{company.sets.id}:1", managed_policies="NoSuchPolicy")
    sync()
    arn = company.aws.permission_set_arn("Reader")
    company.aws.change_permission_set(arn, description="by hand")
    assert sync().counts["update"] == 0
    assert not Drift.objects.exists()
    company.edit(f"{company.sets.id}:1", managed_policies="ReadOnlyAccess")
    assert sync().counts["update"] == 1


# --- Ownership --------------------------------------------------------------------------------------------------------


def test_set_without_our_tag_is_not_known_as_ours(company: World) -> None:
    company.aws.tags[company.aws.permission_set_arn("Reader")].clear()
    company.assign("shop", "Reader", "ken")
    sync()
    row = PermissionSet.objects.get(name="Reader")
    assert (row.proved_at, row.settled) == (None, None)
    assert not Drift.objects.exists()


def test_set_of_ours_in_the_management_account_is_remembered(company: World) -> None:
    company.assign("management", "Reader", "hana")
    sync()
    assert PermissionSet.objects.get(name="Reader").captured_at is not None
    company.unassign("management", "Reader", "hana")
    sync()
    assert PermissionSet.objects.get(name="Reader").captured_at is None
