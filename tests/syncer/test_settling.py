"""What a change in kintone sets going: soon, whoever saw it first, and taking away only what was taken back."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from simulators.aws import Fault
from syncer import runs
from syncer.models import Baseline, Run
from syncer.runs import Stopping
from tests.syncer.running import NOTHING, counts_of, plan, sync
from tests.syncer.worlds import FOREIGN, NEWCOMER, READ_ONLY, VIEW_ONLY, World

pytestmark = pytest.mark.django_db

DENIED = Fault("iam:ListPolicies", code="AccessDenied")


@pytest.fixture
def settled(world: World) -> World:
    """Hana has Reader in shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert sync().code == 0
    return world


def test_change_that_plan_saw_first_is_carried_out(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    assert plan().counts == counts_of(create=1)
    assert runs.run_changes(Stopping()) is not None
    assert ("blog", "Reader", "taro") in settled.granted()


def test_change_is_looked_at_once(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    runs.run_changes(Stopping())
    assert runs.run_changes(Stopping()) is None


def test_change_of_a_failed_run_is_tried_again_after_a_while(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    settled.aws.faults.add(Fault("sso-admin:ListPermissionSets", code="AccessDeniedException"))
    failed = runs.run_changes(Stopping())
    settled.aws.faults.clear()
    assert failed is not None
    assert failed.status == Run.Status.FAILED
    assert runs.run_changes(Stopping()) is None
    with time_machine.travel(timezone.now() + runs.PATIENCE + timedelta(seconds=1)):
        assert runs.run_changes(Stopping()) is not None
    assert ("blog", "Reader", "taro") in settled.granted()


def test_one_record_by_hand_confirms_no_new_database(world: World) -> None:
    world.add_set("Reader")
    world.register_set("Reader")
    reference = world.register("shop", "Reader", "hana")
    assert sync("--record", reference).codes >= {"baseline_missing"}
    assert not Baseline.objects.exists()
    assert world.granted() == FOREIGN


def test_accepted_removals_do_not_count_on(settled: World) -> None:
    for account in ("shop", "blog", "platform"):
        settled.register(account, "Reader", "hana", "taro", "ken")
    assert sync().code == 0
    settled.delete(*[f"{settled.assignments.id}:{record_id}" for record_id in settled.assignments.record_ids()[1:]])
    held = sync()
    assert held.code == 3
    last = settled.register("blog", "Reader", "ken")
    assert sync("--accept", held.report["checksum"]).code == 0
    settled.delete(last)
    assert sync().counts == counts_of(delete=1)


def test_organization_without_groups_is_no_failure(settled: World) -> None:
    settled.aws.remove_group(settled.principal_ids["developers"])
    outcome = sync()
    assert (outcome.code, outcome.counts) == (0, NOTHING)


def test_denied_list_of_policies_is_no_failure(world: World) -> None:
    world.aws.faults.add(DENIED)
    world.register_set("Reader", managed_policies=READ_ONLY)
    world.register("shop", "Reader", "hana")
    assert (sync().code, world.granted()) == (0, FOREIGN | {("shop", "Reader", "hana")})


def test_names_are_known_without_iams_list_of_policies(world: World) -> None:
    world.aws.faults.add(DENIED)
    world.add_set("Reader")
    world.register_set("Reader", managed_policies="ReadOnlyAccess\njob-function/ViewOnlyAccess")
    outcome = sync()
    assert "policy" not in str(outcome.report["problems"])
    (reader,) = [each for each in world.aws.center.sets.values() if each.name == "Reader"]
    assert set(reader.managed) == {READ_ONLY, VIEW_ONLY}


def test_mistyped_group_takes_nothing_away_run_after_run(settled: World) -> None:
    reference = settled.register("blog", "Reader", groups="developers")
    assert sync().code == 0
    settled.edit(reference, groups="develpoers")
    for _run in range(2):
        outcome = sync()
        assert (outcome.code, outcome.counts["delete"], outcome.codes) == (0, 0, {"group_unknown"})
    settled.edit(reference, groups="")
    assert sync().counts == counts_of(delete=1)


def test_person_taken_out_beside_a_newcomer_loses_access_at_once(settled: World) -> None:
    reference = settled.register("blog", "Reader", "taro", NEWCOMER)
    assert sync().counts == counts_of(create=1, waiting=1)
    settled.edit(reference, users=[NEWCOMER])
    assert sync().counts == counts_of(delete=1, waiting=1)
    assert ("blog", "Reader", "taro") not in settled.granted()
