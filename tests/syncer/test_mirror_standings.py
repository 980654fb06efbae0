"""What follows from wish and truth: states, reasons, wishes, problems, and since when they stand."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts import stops
from accounts.models import Account, Assignment, PermissionSet, Person, Principal, Problem, Wish
from accounts.sentences import render_reason
from simulators.aws import ProvisioningFault
from syncer import preparing
from syncer.changes import Limits
from syncer.mirror.refusals import FIRST_PAUSE, LONGEST_PAUSE
from syncer.models import Change
from syncer.states import AssignmentKey, PrincipalType
from tests.syncer.running import NOTHING, counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, NEWCOMER, World

pytestmark = pytest.mark.django_db

S = Assignment.State


@pytest.fixture
def settled(world: World) -> World:
    """Hana has Reader in shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert sync().code == 0
    return world


def get(account: str, principal: str) -> Assignment:
    return Assignment.objects.get(account__name=account, principal__name=f"{principal}@{DOMAIN}")


def test_since_moves_with_the_state_only(settled: World) -> None:
    before = get("shop", "hana").since
    settled.register("shop", "Reader", "hana")
    sync()
    assert get("shop", "hana").since == before
    settled.delete(*(f"{settled.assignments.id}:{number}" for number in settled.assignments.record_ids()))
    assert sync().code == 3
    assert (get("shop", "hana").state, get("shop", "hana").since > before) == (S.REMOVING, True)


def test_last_day_is_that_of_the_longest_wish(settled: World) -> None:
    today = timezone.localdate()
    settled.register("blog", "Reader", "taro", expires_on=(today + timedelta(days=3)).isoformat())
    settled.register("blog", "Reader", "taro", expires_on=(today + timedelta(days=9)).isoformat())
    sync()
    assert get("blog", "taro").expires_on == today + timedelta(days=9)


def test_assignment_by_hand_on_our_set_is_removed(settled: World, settings: Settings) -> None:
    settings.DRIFT = "overwrite"
    settled.assign("shop", "Reader", "ken")
    assert sync().changes == [("delete", f"Reader ken@{DOMAIN}", "succeeded")]
    assert get("shop", "ken").state == S.REMOVED


def test_orphan_on_our_set_is_removed(settled: World) -> None:
    settled.assign("blog", "Reader", "ken")
    settled.aws.remove_user(settled.principal_ids["ken"])
    outcome = sync()
    assert [change[0::2] for change in outcome.changes] == [("delete", "succeeded")]


def test_broken_record_keeps_what_it_last_wanted(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.edit(record, account_id="12")
    outcome = sync()
    assert (outcome.counts["delete"], outcome.codes) == (0, {"account_wrong"})
    assert (get("blog", "taro").state, get("blog", "taro").reason["code"]) == (S.GRANTED, "kept_not_understood")
    assert Wish.objects.get(record__record_id="2").is_current


def test_mended_record_takes_up_where_it_stood(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.edit(record, account_id="12")
    sync()
    settled.edit(record, account_id=settled.account_ids["blog"], users=["ken"])
    outcome = sync()
    assert {change[:2] for change in outcome.changes} == {
        ("create", f"Reader ken@{DOMAIN}"),
        ("delete", f"Reader taro@{DOMAIN}"),
    }


def test_removal_that_failed_is_tried_again_with_its_cause(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.aws.faults.add(ProvisioningFault("No.", settled.account_ids["blog"]))
    settled.delete(record)
    assert sync().code == 1
    assert (get("blog", "taro").state, get("blog", "taro").in_aws) == (S.REMOVING, True)
    settled.aws.faults.clear()
    outcome = sync("--full")
    assert outcome.report["changes"][0]["record"] == record
    assert get("blog", "taro").state == S.REMOVED


# --- Waiting ----------------------------------------------------------------------------------------------------------


def test_waiting_person_is_shown_by_the_name_in_kintone(settled: World) -> None:
    settled.register("blog", "Reader", NEWCOMER)
    sync()
    waiting = Assignment.objects.get(account__name="blog")
    assert (waiting.state, waiting.reason["code"]) == (S.WAITING, "not_provisioned")
    assert (waiting.principal.principal_id, waiting.principal.name) == (None, NEWCOMER)
    assert Person.objects.filter(name=NEWCOMER).exists()


def test_person_whom_nobody_waits_for_any_more_leaves_no_trace(settled: World) -> None:
    record = settled.register("blog", "Reader", NEWCOMER)
    sync()
    settled.edit(record, users=["taro"])
    sync()
    assert not Principal.objects.filter(principal_id=None).exists()
    assert not Person.objects.filter(name=NEWCOMER).exists()


def test_provisioned_person_is_one_person(settled: World) -> None:
    settled.register("blog", "Reader", NEWCOMER)
    sync()
    settled.provision(NEWCOMER)
    sync()
    assert [person.principal and person.principal.name for person in Person.objects.filter(name=NEWCOMER)] == [
        f"{NEWCOMER}@{DOMAIN}"
    ]


def test_plan_shows_but_does_not_wait(settled: World) -> None:
    settled.register("blog", "Reader", NEWCOMER)
    assert plan().counts["waiting"] == 1
    assert not Assignment.objects.filter(account__name="blog").exists()


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_pause_doubles_up_to_a_day(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault("No.", settled.account_ids["blog"]))
    settled.register("blog", "Reader", "taro")
    now, pauses = timezone.now(), []
    for _try in range(7):
        with time_machine.travel(now, tick=False):
            sync()
            retry_at = get("blog", "taro").retry_at
        assert retry_at
        pauses.append(retry_at - now)
        now = retry_at + timedelta(minutes=1)
    assert pauses == [FIRST_PAUSE * 2**number for number in range(5)] + [LONGEST_PAUSE] * 2


def test_changed_set_is_worth_another_try(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault("No.", settled.account_ids["blog"]))
    settled.register("blog", "Reader", "taro")
    sync()
    settled.aws.faults.clear()
    settled.edit(f"{settled.sets.id}:1", description="mended")
    sync()
    assert state_of("blog", "Reader", "taro") == S.GRANTED


def test_set_that_aws_refused_waits_until_its_record_changes(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault("No.", settled.account_ids["shop"]))
    settled.edit(f"{settled.sets.id}:1", managed_policies="ViewOnlyAccess")
    sync()
    settled.aws.faults.clear()
    assert sync().changes == []
    row = PermissionSet.objects.get(name="Reader")
    assert (row.state, row.reason["code"], row.failures) == (PermissionSet.State.FAILED, "aws_refused", 1)
    settled.edit(f"{settled.sets.id}:1", managed_policies="ReadOnlyAccess\nViewOnlyAccess")
    assert sync().changes == [("update", "Reader", "succeeded")]
    row.refresh_from_db()
    assert (row.state, row.failures, row.retry_at) == (PermissionSet.State.IN_SYNC, 0, None)


# --- Problems ---------------------------------------------------------------------------------------------------------


def test_problem_keeps_the_time_since_when_it_stands(settled: World) -> None:
    settled.register("blog", "Nowhere", "taro")
    sync()
    first = Problem.objects.get()
    sync()
    assert (Problem.objects.get().pk, Problem.objects.get().first_seen) == (first.pk, first.first_seen)


def test_mended_problem_is_gone(settled: World) -> None:
    record = settled.register("blog", "Nowhere", "taro")
    sync()
    settled.edit(record, permission_set="Reader")
    sync()
    assert not Problem.objects.exists()


def test_problem_of_a_deleted_record_is_gone(settled: World) -> None:
    record = settled.register("blog", "Nowhere", "taro")
    sync()
    settled.delete(record)
    sync()
    assert not Problem.objects.exists()


def test_set_shows_its_description_in_full(settled: World) -> None:
    settled.edit(f"{settled.sets.id}:1", description="本番の読み取り")
    sync()
    assert PermissionSet.objects.get(name="Reader").description == "本番の読み取り"
    assert sync().changes == []


# --- What the planner left alone, and what it removed -----------------------------------------------------------------


def heed(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Let runs heed these circumstances beside those that hold."""
    load = preparing.load_circumstances
    monkeypatch.setattr(preparing, "load_circumstances", lambda *args, **more: replace(load(*args, **more), **values))


def key_of(world: World, account: str, principal: str, name: str = "Reader") -> AssignmentKey:
    return AssignmentKey(world.account_ids[account], name, PrincipalType.USER, world.principal_ids[principal])


def test_removed_access_says_until_when_sessions_live(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    (first, *_others) = settled.assignments.record_ids()
    settled.edit(f"{settled.assignments.id}:{first}", users=["ken"])
    with time_machine.travel(timezone.now(), tick=False):
        sync()
        reason, end = get("shop", "hana").reason, timezone.now() + timedelta(hours=1)
    assert get("shop", "hana").state == S.REMOVED
    assert reason == {"code": "removed_sessions_until", "params": {"until_at": end.isoformat(timespec="seconds")}}
    shown = render_reason(reason)
    assert shown
    assert f"{timezone.localtime(end):%Y-%m-%d %H:%M}" in shown.message
    sync()
    assert get("shop", "hana").reason == reason


def test_change_made_by_hand_is_shown_as_such(settled: World) -> None:
    settled.assign("blog", "Reader", "ken")
    settled.aws.change_permission_set(settled.aws.permission_set_arn("Reader"), session_duration="PT2H")
    outcome = sync()
    assert outcome.counts == NOTHING
    assert get("blog", "ken").state == S.DRIFTED
    reader = PermissionSet.objects.get(name="Reader")
    assert (reader.state, reader.reason["code"]) == (PermissionSet.State.PENDING, "set_drifted")


def test_locked_person_and_frozen_account_are_shown_as_blocked(settled: World) -> None:
    stops.lock_out(None, Person.objects.get(principal__name=f"hana@{DOMAIN}"), "left in anger")
    stops.freeze(None, Account.objects.get(name="blog"), "audit")
    settled.register("blog", "Reader", "taro")
    outcome = sync()
    assert outcome.counts == counts_of(delete=1, blocked=2)
    for row, code in ((get("shop", "hana"), "locked_out"), (get("blog", "taro"), "account_frozen")):
        assert (row.state, row.in_aws, row.reason["code"]) == (S.BLOCKED, False, code)


def test_targeted_run_removes_what_a_locked_person_has_elsewhere(settled: World) -> None:
    hana = Person.objects.get(principal__name=f"hana@{DOMAIN}")
    stops.lock_out(None, hana, "left in anger")
    record = settled.register("blog", "Reader", "taro")
    assert sync("--record", record).counts == counts_of(create=1, delete=1)
    assert (get("shop", "hana").state, get("shop", "hana").in_aws) == (S.BLOCKED, False)
    assert ("shop", "Reader", "hana") not in settled.granted()


@pytest.mark.parametrize("state", [S.APPLYING, S.REMOVING])
def test_state_of_what_another_run_has_under_way_is_kept(
    settled: World, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    Assignment.objects.update(state=state)
    heed(monkeypatch, under_way=frozenset({key_of(settled, "shop", "hana")}))
    settled.register("blog", "Reader", "taro")
    assert sync().counts == counts_of(create=1)
    assert get("shop", "hana").state == state


def test_person_asked_to_go_goes_from_what_is_not_understood(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.edit(record, account_id="12")
    heed(monkeypatch, asked=frozenset({key_of(settled, "blog", "taro")}))
    assert sync().counts == counts_of(delete=1)


def test_many_leavers_are_held_on_their_own(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "Limits", partial(Limits, people_count=0))
    settled.register("blog", "Reader", "taro", "ken")
    sync()
    settled.disable("taro")
    outcome = sync()
    assert (outcome.code, outcome.counts, state_of("blog", "Reader", "taro")) == (3, NOTHING, S.REMOVING)
    assert [change[0::2] for change in outcome.changes] == [("delete", "held")]
    assert Change.objects.get(outcome=Change.Outcome.HELD).reason["code"] == "too_many_people"
    assert sync("--accept", outcome.report["checksum"]).counts == counts_of(delete=1, waiting=1)
