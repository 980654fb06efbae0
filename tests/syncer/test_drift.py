"""Changes made by hand, from AWS's console to the page: noted, told, left alone, ended."""

from typing import Any

import pytest

from accounts.models import Assignment, PermissionSet, Problem
from syncer.models import Change, Drift
from tests.syncer.running import plan, sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop, and everything there is has been read."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().code == 0
    return world


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
