"""Runs as rows: asked for, carried out, lost with their process, begun anew."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import AppKind, Assignment
from simulators.aws import Fault, ProvisioningFault
from syncer import lanes, leases, runs
from syncer.applying import apply_plan
from syncer.gateways.identity_center import IdentityCenter
from syncer.models import AppState, Baseline, Change, Run
from syncer.runs import Stopping
from tests.factories import make_change, make_run, make_user
from tests.syncer.running import NOTHING, counts_of, plan, state_of, sync
from tests.syncer.worlds import DOMAIN, FOREIGN, NEWCOMER, World

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
SETTLED = FOREIGN | {("shop", "Reader", "hana")}


@pytest.fixture
def settled(world: World) -> World:
    """Hana has Reader in shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert sync().code == 0
    return world


def work_off() -> Run:
    """What beat does every ten minutes; the run it made."""
    runs.queue_full_run()
    assert runs.work_off_queue() == 1
    return Run.objects.latest("pk")


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_however_often_it_is_pressed_one_run_waits() -> None:
    assert len({runs.queue_full_run().pk for _press in range(10)}) == 1
    assert Run.objects.count() == 1


def test_request_during_a_run_is_remembered_once(settled: World) -> None:
    Run.objects.create(kind=Run.Kind.FULL, status=Run.Status.RUNNING)
    assert {runs.queue_full_run().pk for _press in range(3)} == {Run.objects.get(status=Run.Status.QUEUED).pk}


def test_first_request_keeps_its_name() -> None:
    first, second = make_user("花"), make_user("太郎")
    runs.queue_full_run(by=first)
    assert runs.queue_full_run(by=second).requested_by == first


def test_word_of_an_admin_reaches_the_run_that_waits() -> None:
    runs.queue_full_run()
    runs.queue_full_run(accept="0123456789ab")
    run = runs.queue_full_run(confirm=True)
    run.refresh_from_db()
    assert (run.accept, run.by_hand) == ("0123456789ab", True)


def test_run_that_waits_bears_the_name_of_the_admin_whose_word_it_carries() -> None:
    admin = make_user("花")
    runs.queue_full_run()
    runs.queue_full_run(by=admin, confirm=True)
    assert Run.objects.get().requested_by == admin


def test_queue_is_worked_off(settled: World) -> None:
    run = work_off()
    assert (run.status, run.counts["unchanged"]) == (Run.Status.DONE, 2)
    assert runs.work_off_queue() == 0


def test_queue_waits_for_whoever_is_at_work(settled: World) -> None:
    runs.queue_full_run()
    with leases.hold_lease():
        assert runs.work_off_queue() == 0
    assert Run.objects.filter(status=Run.Status.QUEUED).exists()


def test_run_by_hand_gives_up_after_its_patience(settled: World) -> None:
    with leases.hold_lease():
        run = runs.run_by_hand(Run(), Stopping(), patience=0)
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "lease_busy")
    assert run.is_over


# --- How it went ------------------------------------------------------------------------------------------------------


def test_run_tells_each_step_with_its_figures(settled: World) -> None:
    run = work_off()
    assert set(run.steps) == {"wish", "truth", "plan", "apply", "tell"}
    assert {step["state"] for step in run.steps.values()} == {"done"}
    assert all(step["seconds"] >= 0 for step in run.steps.values())
    assert (run.steps["wish"]["records"], run.steps["truth"]["accounts"], run.steps["apply"]["total"]) == (2, 5, 0)


def test_step_that_failed_is_marked(settled: World) -> None:
    settled.aws.faults.add(Fault("sso-admin:ListInstances", code="AccessDeniedException"))
    run = work_off()
    assert {name: step["state"] for name, step in run.steps.items()} == {"wish": "done", "truth": "failed"}
    assert run.step == Run.Step.TRUTH


def test_change_keeps_its_request_and_its_times(settled: World) -> None:
    change = Change.objects.get(object=Change.Object.ASSIGNMENT)
    assert len(change.request_id) == 36
    assert change.sent_at
    assert change.finished_at
    assert change.sent_at <= change.finished_at
    assert change.assignment == Assignment.objects.get(account__name="shop", is_wanted=True)


def test_what_nobody_foresaw_is_told_on_the_run(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled.register("blog", "Reader", "taro")
    monkeypatch.setattr("syncer.runs.apply_plan", _fail_after(apply_plan))
    run = work_off()
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "unexpected")
    assert "disk full" in run.error["params"]["text"]
    assert not leases.is_busy()


def test_change_under_way_at_an_unforeseen_end_is_not_left_open(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled.register("blog", "Reader", "taro")
    monkeypatch.setattr("syncer.recording.DatabaseRecorder.sent", _raise)
    run = work_off()
    assert [change.outcome for change in run.changes.all()] == [Change.Outcome.SENT]
    assert work_off().counts["unchanged"] == 3  # AWS had carried it out
    assert [change.outcome for change in run.changes.all()] == [Change.Outcome.SUCCEEDED]


def _raise(*_arguments: object) -> None:
    raise OSError("disk full")


def _fail_after(apply: Callable[..., None]) -> Callable[..., None]:
    def both(*arguments: Any) -> None:
        apply(*arguments)
        _raise()

    return both


def test_asked_to_end_begins_nothing_and_says_so(settled: World) -> None:
    settled.register("blog", "Reader", "taro", "ken")
    stopping = Stopping()
    stopping.set()
    run = runs.run_by_hand(Run(), stopping)
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "run_stopped")
    assert settled.granted() == SETTLED
    assert sync().counts == counts_of(create=2)


def test_set_change_that_was_stopped_halfway_is_not_left_open(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to end after the set was updated and before its accounts got it."""
    stopping = Stopping()
    update = IdentityCenter.update_permission_set
    monkeypatch.setattr(IdentityCenter, "update_permission_set", lambda *given: stopping.set(update(*given)))
    settled.edit(f"{settled.sets.id}:{settled.sets.record_ids()[0]}", managed_policies="ViewOnlyAccess")
    run = runs.run_by_hand(Run(), stopping)
    assert [(change.outcome, change.reason["code"]) for change in run.changes.all()] == [("failed", "run_stopped")]
    assert sync().counts == counts_of(update=1)


def test_run_that_lost_its_lease_begins_nothing_more(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled.register("blog", "Reader", "taro")
    monkeypatch.setattr(leases.Held, "is_lost", property(lambda _held: True))
    run = runs.run_by_hand(Run(), Stopping())
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "lease_lost")
    assert settled.granted() == SETTLED


# --- Lost and found ---------------------------------------------------------------------------------------------------


@pytest.fixture
def lost(settled: World) -> Run:
    """A run whose process died after it had sent a creation that AWS then carried out."""
    settled.register("blog", "Reader", "taro")
    run = make_run(status=Run.Status.RUNNING, started_at=LONG_AGO, finished_at=None, counts={})
    make_change(run, outcome=Change.Outcome.SENT, request_id="0" * 36, account_id=settled.account_ids["blog"])
    settled.assign("blog", "Reader", "taro")
    return run


def test_run_of_a_dead_process_is_marked_lost(lost: Run) -> None:
    sync()
    lost.refresh_from_db()
    assert (lost.status, lost.error["code"], lost.is_over) == (Run.Status.LOST, "run_lost", True)
    assert [change.outcome for change in lost.changes.all()] == [Change.Outcome.FAILED]


def test_next_run_finds_what_the_lost_one_did(settled: World, lost: Run) -> None:
    assert sync().counts == NOTHING
    assert state_of("blog", "Reader", "taro") == Assignment.State.GRANTED


def test_what_was_lost_is_begun_anew(settled: World, lost: Run) -> None:
    runs.recover_lost_runs()
    assert Run.objects.get(status=Run.Status.QUEUED).kind == Run.Kind.FULL
    assert runs.work_off_queue() == 1


def test_running_run_of_a_living_process_is_left_alone(lost: Run) -> None:
    with leases.hold_lease(lanes.lease_of(lost.pk)):
        runs.recover_lost_runs()
    lost.refresh_from_db()
    assert lost.status == Run.Status.RUNNING


def test_changes_of_a_lost_run_are_not_forgotten(settled: World) -> None:
    """It had read the record already, so that the record looks unchanged to the next one."""
    settled.register("blog", "Reader", "taro")
    plan()
    make_run(kind=Run.Kind.CHANGES, status=Run.Status.RUNNING, started_at=LONG_AGO, finished_at=None)
    runs.run_changes(Stopping())
    runs.work_off_queue()
    assert ("blog", "Reader", "taro") in settled.granted()


# --- Changed records --------------------------------------------------------------------------------------------------


def test_record_registered_by_rest_is_carried_over(settled: World) -> None:
    record = settled.post_record(
        {"account_id": settled.account_ids["blog"], "permission_set": "Reader", "users": [{"code": "taro"}]}
    )
    run = runs.run_changes(Stopping())
    assert run
    assert (run.kind, run.status, run.counts["create"]) == (Run.Kind.CHANGES, Run.Status.DONE, 1)
    assert [change.record_reference for change in run.changes.all()] == [record]
    assert settled.granted() == SETTLED | {("blog", "Reader", "taro")}


def test_no_change_makes_no_run(settled: World) -> None:
    calls = settled.aws.calls.total()
    assert runs.run_changes(Stopping()) is None
    assert (Run.objects.count(), settled.aws.calls.total()) == (1, calls)


def test_changed_record_is_carried_over_once(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    assert runs.run_changes(Stopping())
    assert runs.run_changes(Stopping()) is None


def test_changed_records_cost_few_requests(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    run = runs.run_changes(Stopping())
    assert run
    assert not {name for name in run.api_calls if name.startswith(("organizations", "identitystore", "iam"))}
    assert sum(run.api_calls.values()) <= 10


def test_new_set_and_its_first_assignment_come_together(settled: World) -> None:
    settled.register_set("Viewer", managed_policies="ViewOnlyAccess")
    settled.register("blog", "Viewer", "taro")
    run = runs.run_changes(Stopping())
    assert run
    assert run.counts["create"] == 2
    assert ("blog", "Viewer", "taro") in settled.granted()


def test_changed_set_reaches_all_its_accounts(settled: World) -> None:
    settled.register("blog", "Reader", "taro")
    sync()
    settled.edit(f"{settled.sets.id}:{settled.sets.record_ids()[0]}", managed_policies="ViewOnlyAccess")
    run = runs.run_changes(Stopping())
    assert run
    assert (run.status, run.counts["update"]) == (Run.Status.DONE, 1)
    assert plan().counts == NOTHING


def test_deleted_record_is_found_by_the_count(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.delete(record)
    run = runs.run_changes(Stopping())
    assert run
    assert run.counts["delete"] == 1
    assert settled.granted() == SETTLED


def test_records_moved_between_accounts_leave_the_old_one(settled: World) -> None:
    record = settled.register("blog", "Reader", "taro")
    sync()
    settled.edit(record, account_id=settled.account_ids["platform"])
    run = runs.run_changes(Stopping())
    assert run
    assert (run.counts["create"], run.counts["delete"]) == (1, 1)
    assert settled.granted() == SETTLED | {("platform", "Reader", "taro")}


def test_emptied_app_is_held_in_each_kind_of_run(settled: World) -> None:
    settled.delete(f"{settled.assignments.id}:{settled.assignments.record_ids()[0]}")
    runs.run_changes(Stopping())
    assert work_off().status == Run.Status.HELD
    assert settled.granted() == SETTLED


def test_unreadable_kintone_makes_no_run_but_is_known(settled: World, settings: Settings) -> None:
    settings.KINTONE_ASSIGNMENT_API_TOKEN = "wrong"
    assert runs.run_changes(Stopping()) is None
    assert AppState.objects.get(kind=AppKind.ASSIGNMENT).error["code"] == "kintone_token_refused"


def test_changes_before_the_first_full_run_wait_for_it(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    assert runs.run_changes(Stopping()) is None
    assert sync().counts == counts_of(create=2)


def test_waiting_person_is_found_by_the_full_run(settled: World) -> None:
    settled.register("blog", "Reader", NEWCOMER)
    run = runs.run_changes(Stopping())
    assert run
    assert run.counts["waiting"] == 1
    settled.provision(NEWCOMER)
    assert work_off().counts["create"] == 1


def test_refusal_in_a_changes_run_stands(settled: World) -> None:
    settled.aws.faults.add(ProvisioningFault("No.", settled.account_ids["blog"]))
    settled.register("blog", "Reader", "taro")
    run = runs.run_changes(Stopping())
    assert run
    assert run.status == Run.Status.FAILED
    assert work_off().counts["failed"] == 1


# --- The baseline -----------------------------------------------------------------------------------------------------


@pytest.fixture
def owned(world: World) -> World:
    """A new database beside a set of ours that AWS has already: Taro's assignment is registered, Ken's is not."""
    world.add_set("Reader")
    world.assign("shop", "Reader", "taro")
    world.assign("shop", "Reader", "ken")
    world.register_set("Reader")
    world.register("shop", "Reader", "taro", "hana")
    return world


def test_run_of_beat_only_plans_before_the_baseline(owned: World) -> None:
    run = work_off()
    assert (run.status, [problem["code"] for problem in run.problems]) == (Run.Status.DONE, ["baseline_missing"])
    assert {change.outcome for change in run.changes.all()} == {Change.Outcome.PLANNED}
    assert owned.count_writes() == 0
    assert not Baseline.objects.exists()


def test_changes_only_plan_before_the_baseline(owned: World) -> None:
    work_off()
    owned.register("blog", "Reader", "ken")
    run = runs.run_changes(Stopping())
    assert run
    assert [problem["code"] for problem in run.problems] == ["baseline_missing"]
    assert owned.count_writes() == 0


def test_admin_confirms_the_baseline(owned: World) -> None:
    admin = make_user("花")
    runs.queue_full_run(by=admin, confirm=True)
    runs.work_off_queue()
    assert Baseline.objects.get().confirmed_by == str(admin)
    assert owned.granted() == FOREIGN | {("shop", "Reader", "taro"), ("shop", "Reader", "hana")}


def test_beat_goes_on_after_the_baseline(owned: World) -> None:
    sync()
    owned.register("blog", "Reader", "ken")
    assert work_off().counts["create"] == 1


def test_company_without_sets_of_ours_needs_no_word(world: World) -> None:
    world.register_set("Reader")
    assert work_off().counts["create"] == 1


def test_sets_that_may_be_ours_need_a_word_too(owned: World) -> None:
    owned.aws.faults.add(Fault("sso-admin:ListTagsForResource", code="AccessDeniedException"))
    work_off()
    assert not Baseline.objects.exists()


def test_plan_mode_confirms_nothing(owned: World, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    sync()
    assert not Baseline.objects.exists()
    assert owned.count_writes() == 0


# --- Cost -------------------------------------------------------------------------------------------------------------


def _populate(world: World, first: int, last: int) -> None:
    for number in range(first, last):
        name = f"p{number}"
        world.provision(name)
        world.kintone.add_user(name, name, email=f"{name}@{DOMAIN}")
        world.register("shop", "Reader", name)
        world.assign("shop", "Reader", name)


def _count_statements() -> tuple[int, int]:
    """SQL statements of a run that finds new records, and of the one after it."""
    counts = []
    for _run in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert sync().code == 0
        counts.append(len(queries))
    return counts[0], counts[1]


def test_statements_do_not_grow_with_rows(settled: World) -> None:
    _populate(settled, 0, 20)
    few = _count_statements()
    _populate(settled, 20, 200)
    many = _count_statements()
    assert many[1] == few[1]
    assert many[0] - few[0] < 16  # SQLite takes some dozens of rows an INSERT, and the trail has many columns
    assert Assignment.objects.filter(state=Assignment.State.GRANTED).count() == 201
