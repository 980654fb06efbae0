"""What people stop, in runs: pauses, lock-outs and freezes, against simulators with everything else in disorder."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import stops
from accounts.models import Account, Assignment, AuditEvent, Instance, Person, Principal, Stop, User
from simulators.aws import Fault
from syncer import leases, lock_outs, runs, tasks
from syncer.changes import AssignmentChange, Cause, Kind, Plan
from syncer.gateways.identity_center import IdentityCenter
from syncer.mirror.stops import find_objection, load_removable, load_stops
from syncer.models import Baseline, Change, Run
from syncer.planning import plan_run
from syncer.runs import Stopping
from syncer.states import AssignmentKey, PrincipalType
from tests.factories import make_change, make_run, make_user
from tests.syncer.running import counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db
HANAS = {("shop", "Reader", "hana"), ("blog", "Reader", "hana")}
KENS = ("shop", "Reader", "ken")
SETTLED = FOREIGN | HANAS | {KENS}


@pytest.fixture
def admin() -> User:
    return make_user("管理 花", is_staff=True)


@pytest.fixture
def settled(world: World) -> World:
    """Hana has Reader in shop and blog, Ken in shop, all by records."""
    world.register_set("Reader", session_duration="PT8H")
    world.register("shop", "Reader", "hana", "ken")
    world.register("blog", "Reader", "hana")
    assert sync().code == 0
    return world


def person_of(name: str) -> Person:
    return Person.objects.get(principal__name=f"{name}@{DOMAIN}")


def pause(admin: User, minutes: float = 30) -> Stop:
    return stops.begin_pause(admin, "incident 12", timezone.now() + timedelta(minutes=minutes))


def lock_out(admin: User, name: str = "hana") -> Run:
    """Press the button, and let the worker do its work; the run."""
    stop = stops.lock_out(admin, person_of(name), "stolen laptop")
    run = lock_outs.queue_lock_out(stop)
    runs.work_off_targeted()
    run.refresh_from_db()
    return run


def outcomes_of(run: Run) -> list[tuple[str, str]]:
    """Outcome and code of the reason of each change, in order."""
    return [(change.outcome, change.reason.get("code", "")) for change in run.changes.order_by("position")]


def before_each(monkeypatch: pytest.MonkeyPatch, method: str, act: Callable[[], object]) -> None:
    """Somebody acts while AWS is being asked for a change: after the first was sent, before the second is."""
    send = getattr(IdentityCenter, method)

    def act_and_send(*arguments: Any) -> object:
        answer = send(*arguments)
        act()
        return answer

    monkeypatch.setattr(IdentityCenter, method, act_and_send)


# --- Pause ------------------------------------------------------------------------------------------------------------


def test_paused_run_reads_plans_and_changes_nothing(settled: World, admin: User) -> None:
    settled.register("blog", "Reader", "ken")
    writes = settled.count_writes()
    pause(admin)
    outcome = sync()
    assert (outcome.code, outcome.report["status"]) == (0, "done")
    assert outcome.changes == [("create", f"Reader ken@{DOMAIN}", "planned")]
    assert outcome.codes == {"paused"}
    assert outcome.counts["create"] == 1
    assert settled.count_writes() == writes
    assert Run.objects.latest("pk").mode == Run.Mode.PLAN


def test_paused_run_says_who_until_when_and_why(settled: World, admin: User) -> None:
    pause(admin)
    message = sync().report["problems"][0]["message"]
    assert "管理 花" in message
    assert "incident 12" in message


@pytest.mark.parametrize("ask", [runs.queue_full_run, None])
def test_no_kind_of_run_writes_while_paused(settled: World, admin: User, ask: Callable[[], Run] | None) -> None:
    settled.register("blog", "Reader", "ken")
    writes = settled.count_writes()
    pause(admin)
    if ask:
        ask()
        runs.work_off_queue()
    else:
        runs.run_changes(Stopping())
    assert Run.objects.latest("pk").changes.get().outcome == Change.Outcome.PLANNED
    assert settled.count_writes() == writes


def test_runs_go_on_when_the_pause_has_run_out(settled: World, admin: User) -> None:
    settled.register("blog", "Reader", "ken")
    pause(admin)
    sync()
    Stop.objects.update(until=timezone.now())
    assert sync().counts["create"] == 1
    assert ("blog", "Reader", "ken") in settled.granted()


def test_sweep_notes_the_end_of_a_pause_and_catches_up(settled: World, admin: User) -> None:
    settled.register("blog", "Reader", "ken")
    pause(admin)
    runs.run_changes(Stopping())  # has looked at the record: no look at changes brings it back
    Stop.objects.update(until=timezone.now())
    tasks.sweep()
    assert ("blog", "Reader", "ken") in settled.granted()
    assert AuditEvent.objects.filter(action="pause.end").count() == 1


def test_pause_in_the_middle_of_a_run_begins_nothing_new(
    settled: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled.register("blog", "Reader", "ken", "taro")
    settled.register("platform", "Reader", "ken", "taro")
    before_each(monkeypatch, "create_assignment", lambda: pause(admin))
    outcome = sync()
    assert sorted(change[2] for change in outcome.changes) == ["planned", "planned", "planned", "succeeded"]
    assert (outcome.code, outcome.counts["create"]) == (0, 1)
    assert "paused" in outcome.codes


def test_what_a_pause_left_is_done_after_it(settled: World, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    settled.register("blog", "Reader", "ken", "taro")
    with monkeypatch.context() as patched:
        before_each(patched, "create_assignment", lambda: pause(admin))
        sync()
    assert state_of("blog", "Reader", "taro") in (Assignment.State.REQUESTED, Assignment.State.GRANTED)
    stops.lift_pause(admin)
    assert sync().counts["create"] == 1
    assert settled.granted() == SETTLED | {("blog", "Reader", "ken"), ("blog", "Reader", "taro")}


def test_pause_that_ends_in_the_middle_of_a_run_changes_nothing_in_it(
    settled: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided before the plan is applied; the next run writes."""
    settled.register("blog", "Reader", "ken")
    pause(admin)
    note = runs._Execution._note_pause

    def note_and_lift(execution: Any) -> bool:
        is_paused = note(execution)
        stops.lift_pause(admin)
        return is_paused

    monkeypatch.setattr(runs._Execution, "_note_pause", note_and_lift)
    assert [change[2] for change in sync().changes] == ["planned"]
    assert sync().counts["create"] == 1


# --- Lock-out ---------------------------------------------------------------------------------------------------------


def test_lock_out_removes_what_the_person_has_himself(settled: World, admin: User) -> None:
    run = lock_out(admin)
    assert (run.status, run.counts["delete"]) == (Run.Status.DONE, 2)
    assert settled.granted() == SETTLED - HANAS


def test_lock_out_asks_identity_center_alone(settled: World, admin: User) -> None:
    run = lock_out(admin)
    assert {name.partition(":")[0] for name in run.api_calls} == {"sso-admin"}


@pytest.mark.parametrize(
    "operation",
    ["organizations:*", "identitystore:*", "iam:*", "sso-admin:ListPermissionSets", "sso-admin:ListAccount*"],
)
def test_lock_out_works_while_other_reads_fail(settled: World, admin: User, operation: str, settings: Settings) -> None:
    settled.aws.faults.add(Fault(operation, code="AccessDeniedException"))
    settings.KINTONE_BASE_URL = "http://127.0.0.1:1"
    assert lock_out(admin).status == Run.Status.DONE
    assert settled.granted() == SETTLED - HANAS


def test_lock_out_goes_through_pause_and_brake(settled: World, admin: User, settings: Settings) -> None:
    pause(admin)
    settings.DELETE_LIMIT_MAX = settings.DELETE_LIMIT_COUNT = 0
    settings.DELETE_LIMIT_SHARE = 0.0
    assert lock_out(admin).status == Run.Status.DONE
    assert settled.granted() == SETTLED - HANAS


def test_lock_out_needs_no_baseline(settled: World, admin: User) -> None:
    Baseline.objects.all().delete()
    lock_out(admin)
    assert settled.granted() == SETTLED - HANAS


def test_plan_mode_from_outside_stops_a_lock_out(settled: World, admin: User, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    run = lock_out(admin)
    assert outcomes_of(run) == [("planned", "")] * 2
    assert (run.counts["delete"], lock_outs.queue_what_is_left()) == (2, 0)
    assert settled.granted() == SETTLED


def test_lock_out_leaves_what_is_not_ours(settled: World, admin: User) -> None:
    settled.add_set("Foreign", ours=False)
    for account in ("shop", "management"):
        settled.assign(account, "Foreign", "hana")
    settled.assign("closed", "Reader", "hana")
    settled.assign("shop", "Reader", "developers")
    plan()
    left = {("shop", "Foreign", "hana"), ("management", "Foreign", "hana"), ("closed", "Reader", "hana")}
    run = lock_out(admin)
    assert run.counts["delete"] == 2
    assert settled.granted() >= left | {("shop", "Reader", "developers"), ("management", "Root", "hana")}


def test_tag_is_read_before_a_lock_out_writes(settled: World, admin: User) -> None:
    settled.aws.set_tags(settled.aws.permission_set_arn("Reader"), {"managed-by": "somebody"})
    run = lock_out(admin)
    assert outcomes_of(run) == [("failed", "ownership_lost")] * 2
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "changes_failed")
    assert settled.granted() == SETTLED


def test_states_say_who_locked_out_and_why(settled: World, admin: User) -> None:
    lock_out(admin)
    assignment = Assignment.objects.get(account__name="shop", principal__person=person_of("hana"), is_wanted=True)
    assert (assignment.state, assignment.in_aws) == (Assignment.State.BLOCKED, False)
    assert assignment.reason["code"] == "locked_out"
    assert (assignment.reason["params"]["by"], assignment.reason["params"]["why"]) == ("管理 花", "stolen laptop")


def test_audit_trail_says_until_when_open_sessions_can_live(settled: World, admin: User) -> None:
    run = lock_out(admin)
    event = AuditEvent.objects.get(action="person.removed")
    last = max(change.finished_at for change in run.changes.all() if change.finished_at)
    assert event.after is not None
    assert event.after["sessions_until"] == (last + timedelta(hours=8)).isoformat()
    assert len(event.after["removed"]) == 2
    assert (event.actor, event.object_id) == (admin, str(person_of("hana").pk))


def test_locking_out_somebody_without_access_is_done_at_once(settled: World, admin: User) -> None:
    run = lock_out(admin, "taro")
    assert (run.status, run.changes.count()) == (Run.Status.DONE, 0)
    assert not AuditEvent.objects.filter(action="person.removed").exists()


def test_lock_out_before_anything_was_read_says_so(admin: User) -> None:
    principal = Principal.objects.create(type="USER", principal_id="x", name="x", name_key="x")
    stop = stops.lock_out(admin, Person.objects.create(principal=principal), "left")
    run = lock_outs.queue_lock_out(stop)
    runs.work_off_targeted()
    run.refresh_from_db()
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "nothing_read")


# --- Lock-out: attacks ------------------------------------------------------------------------------------------------


def test_locked_person_who_is_registered_again_gets_nothing(settled: World, admin: User) -> None:
    lock_out(admin)
    settled.post_record({"account_id": settled.account_ids["platform"], "permission_set": "Reader",
                         "users": [{"code": "hana"}]})  # fmt: skip
    runs.run_changes(Stopping())
    sync()
    sync("--full")
    assert settled.granted() == SETTLED - HANAS


def test_locked_person_made_anew_under_his_name_gets_nothing(settled: World, admin: User) -> None:
    """No record named him before, so that his name means the new id."""
    lock_out(admin, "taro")
    old = settled.principal_ids["taro"]
    settled.aws.remove_user(old)
    settled.provision("taro")
    settled.register("platform", "Reader", "taro")
    sync()
    sync("--full")
    assert settled.principal_ids["taro"] != old
    assert settled.principal_ids["taro"] not in {row[3] for row in settled.aws.assignments()}


def test_locked_person_keeps_what_a_group_gives(settled: World, admin: User) -> None:
    """Only Entra ID takes him out of it; the page says so."""
    settled.register("blog", "Reader", groups="developers")
    sync()
    plan()  # reads who is in the group, now that it is assigned
    lock_out(admin, "ken")
    assert settled.granted() == (SETTLED | {("blog", "Reader", "developers")}) - {KENS}
    ids = [settled.principal_ids["ken"]]
    assert [str(row.principal) for beyond in stops.list_beyond(ids) for row in beyond.assignments] == ["developers"]


def test_assignment_by_hand_is_removed_without_any_grace(settled: World, admin: User) -> None:
    lock_out(admin)
    settled.assign("platform", "Reader", "hana")
    pause(admin)
    Run.objects.filter(kind=Run.Kind.LOCK_OUT).update(finished_at=timezone.now() - lock_outs.PATIENCE)
    sync()  # any reading will do: that of a paused run as well
    assert ("platform", "Reader", "hana") in settled.granted()
    tasks.sweep()
    assert settled.granted() == SETTLED - HANAS


def test_create_for_the_locked_is_superseded_in_a_run_under_way(
    settled: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While AWS is at work on the first, whoever comes second in the same account is locked out."""
    settled.register("platform", "Reader", "ken", "taro")
    second = max(("ken", "taro"), key=lambda name: settled.principal_ids[name])
    locked: list[Stop] = []
    before_each(
        monkeypatch, "create_assignment", lambda: locked.append(stops.lock_out(admin, person_of(second), "left"))
    )
    sync()
    run = Run.objects.latest("pk")
    assert outcomes_of(run) == [("succeeded", ""), ("superseded", "locked_out")]
    assert ("platform", "Reader", second) not in settled.granted()


def test_create_that_was_sent_already_is_removed_by_the_lock_out(settled: World, admin: User) -> None:
    run = make_run(status=Run.Status.RUNNING, finished_at=None)
    taro = settled.principal_ids["taro"]
    make_change(
        run, outcome="sent", account_id=settled.account_ids["blog"], permission_set_name="Reader", principal_id=taro
    )
    settled.assign("blog", "Reader", "taro")
    assert {key.target_id for key in load_removable([taro])} == {settled.account_ids["blog"]}


def test_lifting_while_the_run_removes_keeps_the_rest(
    settled: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled.register("shop", "Viewer", "hana")
    settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
    sync()
    before_each(monkeypatch, "delete_assignment", lambda: stops.lift_lock_out(admin, person_of("hana")))
    run = lock_out(admin)
    found = outcomes_of(run)
    assert found.count(("succeeded", "")) == 1
    assert found.count(("superseded", "lock_out_lifted")) == 2
    assert run.status == Run.Status.DONE


def test_access_comes_back_after_lifting(settled: World, admin: User) -> None:
    lock_out(admin)
    stops.lift_lock_out(admin, person_of("hana"))
    assert sync().code == 0
    assert settled.granted() == SETTLED
    assert state_of("shop", "Reader", "hana") == Assignment.State.GRANTED


def test_run_of_a_lifted_lock_out_removes_nothing(settled: World, admin: User) -> None:
    stop = stops.lock_out(admin, person_of("hana"), "left")
    run = lock_outs.queue_lock_out(stop)
    stops.lift_lock_out(admin, person_of("hana"))
    runs.work_off_targeted()
    run.refresh_from_db()
    assert (run.status, run.changes.count()) == (Run.Status.DONE, 0)
    assert settled.granted() == SETTLED


def test_lock_out_waits_for_no_full_run(settled: World, admin: User) -> None:
    full = runs.queue_full_run()
    run = lock_outs.queue_lock_out(stops.lock_out(admin, person_of("hana"), "left"))
    with leases.hold_lease():
        assert (runs.work_off_queue(), runs.work_off_targeted()) == (0, 1)
    run.refresh_from_db()
    assert (run.status, full.status) == (Run.Status.DONE, Run.Status.QUEUED)
    assert settled.granted() == SETTLED - HANAS


def test_removal_that_failed_is_tried_again_after_a_while(settled: World, admin: User) -> None:
    settled.aws.faults.add(Fault("sso-admin:DeleteAccountAssignment", code="InternalServerException", status=500))
    assert lock_out(admin).status == Run.Status.FAILED
    assert state_of("shop", "Reader", "hana") == Assignment.State.REMOVING
    settled.aws.faults.clear()
    assert lock_outs.queue_what_is_left() == 0
    Run.objects.update(finished_at=timezone.now() - lock_outs.PATIENCE)
    assert (lock_outs.queue_what_is_left(), lock_outs.queue_what_is_left()) == (1, 0)
    tasks.sweep()
    assert settled.granted() == SETTLED - HANAS


def test_nothing_is_queued_for_those_who_have_nothing(settled: World, admin: User) -> None:
    lock_out(admin)
    Run.objects.update(finished_at=timezone.now() - timedelta(days=1))
    assert lock_outs.queue_what_is_left() == 0


# --- Freeze -----------------------------------------------------------------------------------------------------------


def test_frozen_account_gets_nobody_new_and_loses_as_ever(settled: World, admin: User) -> None:
    stops.freeze(admin, Account.objects.get(name="shop"), "audit")
    record = settled.register("shop", "Reader", "taro")
    sync()
    assert ("shop", "Reader", "taro") not in settled.granted()
    settled.delete(record, f"{settled.assignments.id}:{settled.assignments.record_ids()[0]}")
    sync()
    assert settled.granted() == FOREIGN | {("blog", "Reader", "hana")}


def test_access_comes_after_the_freeze(settled: World, admin: User) -> None:
    account = Account.objects.get(name="shop")
    stops.freeze(admin, account, "audit")
    settled.register("shop", "Reader", "taro")
    sync()
    stops.lift_freeze(admin, account)
    sync()
    assert ("shop", "Reader", "taro") in settled.granted()


# --- What stops forbid just before a change is sent -------------------------------------------------------------------


def key_of(world: World, account: str, name: str) -> AssignmentKey:
    return AssignmentKey(world.account_ids[account], "Reader", PrincipalType.USER, world.principal_ids[name])


def test_objections(settled: World, admin: User) -> None:
    stops.lock_out(admin, person_of("hana"), "left")
    stops.freeze(admin, Account.objects.get(name="blog"), "audit")
    hana, ken, frozen = key_of(settled, "shop", "hana"), key_of(settled, "shop", "ken"), key_of(settled, "blog", "ken")
    group = AssignmentKey(hana.target_id, "Reader", PrincipalType.GROUP, hana.principal_id)
    cases = [
        (AssignmentChange(Kind.CREATE, hana), "locked_out"),
        (AssignmentChange(Kind.CREATE, ken), ""),
        (AssignmentChange(Kind.CREATE, frozen), "account_frozen"),
        (AssignmentChange(Kind.CREATE, group), ""),
        (AssignmentChange(Kind.DELETE, frozen), ""),
        (AssignmentChange(Kind.DELETE, hana, cause=Cause.LOCKED_OUT), ""),
        (AssignmentChange(Kind.DELETE, ken, cause=Cause.LOCKED_OUT), "lock_out_lifted"),
    ]
    for change, code in cases:
        objection = find_objection(change)
        assert (objection.code if objection else "") == code, change


def test_loaded_stops_carry_their_words(settled: World, admin: User) -> None:
    stops.lock_out(admin, person_of("hana"), "left")
    stops.freeze(admin, Account.objects.get(name="blog"), "audit")
    found = load_stops()
    assert found.locked[settled.principal_ids["hana"]]["why"] == "left"
    assert found.frozen[settled.account_ids["blog"]]["by"] == "管理 花"


def test_assignment_that_no_reading_has_found_is_removed_where_aws_says_what_somebody_has(
    settled: World, admin: User
) -> None:
    settled.aws.delegated_lists_by_principal = True
    Instance.objects.update(may_list_by_principal=None, tried_at=None)
    settled.add_set("Foreign", ours=False)
    for account, name in (("platform", "Reader"), ("shop", "Foreign"), ("closed", "Reader")):
        settled.assign(account, name, "hana")
    run = lock_out(admin)
    assert (run.status, run.counts["delete"]) == (Run.Status.DONE, 3)
    assert [change.position for change in run.changes.order_by("position")] == [0, 1, 2]
    assert run.steps["apply"]["done"] == run.steps["apply"]["total"] == 3
    left = {("shop", "Foreign", "hana"), ("closed", "Reader", "hana")}
    assert settled.granted() == (SETTLED - HANAS) | left


def test_lock_out_does_not_ask_what_aws_has_denied(settled: World, admin: User) -> None:
    Instance.objects.update(may_list_by_principal=False, tried_at=timezone.now())
    assert "sso-admin:ListAccountAssignmentsForPrincipal" not in lock_out(admin).api_calls


# --- Beside a full run ------------------------------------------------------------------------------------------------


def test_lock_out_does_not_wait_for_a_full_run(settled: World, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed while a full run has AWS at work: done before that run ends, and not undone by it."""
    settled.register("platform", "Reader", "ken")
    seen: list[tuple[str, bool]] = []

    def press() -> None:
        run = lock_out(admin)
        seen.append((run.status, bool(settled.granted() & HANAS)))

    with monkeypatch.context() as patched:
        before_each(patched, "create_assignment", press)
        assert sync().counts["create"] == 1
    assert seen == [(Run.Status.DONE, False)]
    assert state_of("shop", "Reader", "hana") == Assignment.State.BLOCKED
    assert sync().counts == counts_of(blocked=2)
    assert settled.granted() == (SETTLED - HANAS) | {("platform", "Reader", "ken")}


def test_lock_out_between_reading_and_plan_is_not_undone(
    settled: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full run has read AWS with the assignments, and plans after they are gone."""
    pressed: list[Run] = []

    def press_and_plan(*arguments: Any) -> Plan:
        if not pressed:
            pressed.append(lock_out(admin))
        return plan_run(*arguments)

    monkeypatch.setattr("syncer.preparing.plan_run", press_and_plan)
    sync()
    assert settled.granted() == SETTLED - HANAS
    assert state_of("shop", "Reader", "hana") == Assignment.State.BLOCKED
    assert not Assignment.objects.filter(principal__person=person_of("hana"), is_wanted=True, in_aws=True).exists()


def test_lock_out_in_the_lane_of_a_full_run_waits_for_its_operation_only(
    settled: World, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A create for the very person is under way in the same account: it ends, and then it is removed."""
    settled.register("shop", "Viewer", "hana")
    settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
    stop: list[Stop] = []
    with monkeypatch.context() as patched:
        before_each(patched, "create_assignment", lambda: stop.append(stops.lock_out(admin, person_of("hana"), "left")))
        sync()
    assert ("shop", "Viewer", "hana") in settled.granted()
    tasks.sweep()
    assert settled.granted() == SETTLED - HANAS
