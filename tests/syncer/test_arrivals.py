"""Waiting people and groups: looked for each minute, granted at the next look at the changes."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Assignment, Record
from simulators.aws import Fault
from syncer import runs, tasks
from syncer.arrivals import NAMES_A_MINUTE, take_turn
from syncer.mirror.people import Waiting, load_waiting
from syncer.models import Run
from syncer.states import PrincipalType
from tests.syncer.running import sync
from tests.syncer.worlds import FOREIGN, NEWCOMER, World

pytestmark = pytest.mark.django_db

YUKI = ("shop", "Reader", NEWCOMER)


@pytest.fixture
def waiting(world: World) -> str:
    """A record whose only person Identity Center does not know yet."""
    world.register_set("Reader")
    reference = world.register("shop", "Reader", NEWCOMER)
    sync()
    return reference


def a_minute_passes() -> Run | None:
    """What the schedule does in a minute: look for those waited for, and carry out what changed."""
    tasks.look_for_waiting()
    return runs.run_changes(runs.Stopping())


def calls(world: World, operation: str) -> int:
    return world.aws.calls[f"identitystore:{operation}"]


def test_newcomer_is_granted_between_full_runs(world: World, waiting: str) -> None:
    assert world.granted() == FOREIGN
    world.provision(NEWCOMER)
    a_minute_passes()
    assert world.granted() == FOREIGN | {YUKI}
    assert Run.objects.filter(kind=Run.Kind.FULL).count() == 1
    assert Assignment.objects.filter(state="granted", is_wanted=True).count() == 1


def test_newcomer_is_granted_by_the_first_full_run(world: World, waiting: str) -> None:
    world.provision(NEWCOMER)
    sync()
    assert world.granted() == FOREIGN | {YUKI}


def test_group_is_granted_between_full_runs(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", groups="operators")
    sync()
    world.add_group("operators")
    a_minute_passes()
    assert ("shop", "Reader", "operators") in world.granted()


def test_person_who_comes_back_is_granted_between_full_runs(world: World) -> None:
    world.change_person("taro", external_id="entra-taro")
    world.register_set("Reader")
    world.register("shop", "Reader", "taro")
    sync()
    world.remove_person("taro")
    sync()
    world.provision("taro", external_id="entra-taro")
    a_minute_passes()
    assert ("shop", "Reader", "taro") in world.granted()


def test_namesake_who_comes_is_not_granted(world: World) -> None:
    world.change_person("taro", external_id="entra-taro")
    world.register_set("Reader")
    world.register("shop", "Reader", "taro")
    sync()
    world.remove_person("taro")
    sync()
    world.provision("taro", external_id="entra-new-hire")
    a_minute_passes()
    assert ("shop", "Reader", "taro") not in world.granted()
    assert Assignment.objects.filter(is_wanted=True, reason__code="may_be_namesake").exists()


def test_nobody_waited_for_costs_no_request(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    sync()
    before = world.aws.calls.total()
    tasks.look_for_waiting()
    assert world.aws.calls.total() == before


def test_who_has_not_come_changes_nothing(world: World, waiting: str) -> None:
    assert a_minute_passes() is None
    assert calls(world, "GetUserId") == 2  # as the code is written, and with the suffix
    assert not Record.objects.filter(is_settled=False).exists()


def test_newcomer_who_is_disabled_still_waits(world: World, waiting: str) -> None:
    world.provision(NEWCOMER)
    world.disable(NEWCOMER)
    assert a_minute_passes() is None
    world.enable(NEWCOMER)
    a_minute_passes()
    assert YUKI in world.granted()


def test_failed_look_is_made_again(world: World, waiting: str) -> None:
    world.provision(NEWCOMER)
    world.aws.faults.add(Fault("identitystore:GetUserId", "InternalServerException", status=500))
    assert a_minute_passes() is None
    world.aws.faults.clear()
    a_minute_passes()
    assert YUKI in world.granted()


def test_name_that_aws_does_not_take_stands_in_nobodys_way(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", groups="no such name")
    world.register("shop", "Reader", NEWCOMER)
    sync()
    world.aws.faults.add(Fault("identitystore:GetGroupId", "ValidationException"))
    world.provision(NEWCOMER)
    a_minute_passes()
    assert YUKI in world.granted()


@pytest.mark.parametrize("is_allowed", [True, False])
def test_person_is_found_by_mail_where_that_is_allowed(world: World, settings: Settings, is_allowed: bool) -> None:
    settings.IDENTITY_MATCH_EMAIL, settings.KINTONE_USER_SUFFIX = is_allowed, ""
    world.kintone.add_user("yuki.mail@example.com", "yuki", email="yuki.mail@example.com")
    world.register_set("Reader")
    world.register("shop", "Reader", "yuki.mail@example.com")
    sync()
    world.principal_ids[NEWCOMER] = world.aws.add_user("yuki@upn.example.com", NEWCOMER, "yuki.mail@example.com")
    a_minute_passes()
    assert (YUKI in world.granted()) is is_allowed


@pytest.mark.parametrize(("hours", "code"), [(1, "not_provisioned"), (2, "not_provisioned_long")])
def test_long_wait_names_the_likely_cause(world: World, waiting: str, hours: int, code: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=hours, minutes=1)):
        sync()
    reason = Assignment.objects.get(is_wanted=True).reason
    assert reason["code"] == code
    assert reason["params"].get("hours", hours) == hours


# --- Taking turns ---------------------------------------------------------------------------------------------------


def crowd(count: int) -> list[Waiting]:
    return [Waiting(number, PrincipalType.USER, f"person{number}", "") for number in range(count)]


MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize("count", [0, 1, NAMES_A_MINUTE])
def test_few_are_all_looked_for_each_minute(count: int) -> None:
    assert list(take_turn(crowd(count), MORNING)) == crowd(count)


def test_many_take_turns_and_nobody_is_left_out() -> None:
    many = crowd(2 * NAMES_A_MINUTE + 1)
    turns = [take_turn(many, MORNING + timedelta(minutes=minute)) for minute in range(3)]
    assert sorted(item.pk for turn in turns for item in turn) == [item.pk for item in many]
    assert max(map(len, turns)) == NAMES_A_MINUTE


def test_oldest_come_first(world: World, waiting: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        world.register("shop", "Reader", groups="aardvarks")
        sync()
    assert [item.name for item in load_waiting()] == [NEWCOMER, "aardvarks"]
