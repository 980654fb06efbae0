"""Celery's tasks and *Sync now*: rows are the truth, messages may be lost."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import OperationalError
from django.contrib.sessions.models import Session
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Assignment, AuditEvent, Record
from simulators.aws import ProvisioningFault
from syncer import lanes, leases, runs, tasks
from syncer.models import Run
from tests.factories import make_run, make_user
from tests.syncer.running import sync
from tests.syncer.worlds import FOREIGN, NEWCOMER, World

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that reached the broker."""
    messages: list[str] = []
    monkeypatch.setattr(tasks.work_off_queue, "delay", lambda: messages.append("work_off_queue"))
    return messages


def test_ten_presses_are_one_queued_run(
    sent: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    user = make_user("花")
    with django_capture_on_commit_callbacks(execute=True):
        pressed = {tasks.request_full_run(user).pk for _press in range(10)}
    assert len(pressed) == Run.objects.count() == 1
    assert sent
    assert AuditEvent.objects.filter(action="run.request", actor=user).count() == 10


def test_worker_is_told_only_after_the_commit(
    sent: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tasks.request_full_run(None)
        assert sent == []
    assert sent == ["work_off_queue"]


def test_accepting_is_in_the_audit_trail_with_its_checksum(sent: list[str]) -> None:
    tasks.request_full_run(make_user(), accept="0123456789ab")
    assert AuditEvent.objects.get(action="held.accept").after == {"checksum": "0123456789ab"}


def test_confirming_the_baseline_is_in_the_audit_trail(sent: list[str]) -> None:
    tasks.request_full_run(make_user(), confirm=True)
    assert AuditEvent.objects.filter(action="baseline.confirm").exists()


@pytest.mark.parametrize("error", [OperationalError("gone"), BrokerError("gone"), ConnectionRefusedError("gone")])
def test_press_without_a_broker_waits_for_the_sweep(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    error: Exception,
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(tasks.work_off_queue, "delay", fail)
    with django_capture_on_commit_callbacks(execute=True):
        run = tasks.request_full_run(None)
    assert run.status == Run.Status.QUEUED
    tasks.sweep()
    run.refresh_from_db()
    assert run.status == Run.Status.DONE


def test_schedule_carries_records_over(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    tasks.run_full()
    world.register("blog", "Reader", "taro")
    tasks.run_changes()
    assert world.granted() == FOREIGN | {("shop", "Reader", "hana"), ("blog", "Reader", "taro")}


def test_task_that_runs_twice_does_its_work_once(world: World) -> None:
    runs.queue_full_run()
    tasks.work_off_queue()
    tasks.work_off_queue()
    assert [run.status for run in Run.objects.all()] == [Run.Status.DONE]


def test_changes_wait_for_the_next_look_when_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stopping: runs.Stopping) -> None:
        raise leases.LeaseBusy("run")

    monkeypatch.setattr(runs, "run_changes", refuse)
    tasks.run_changes()
    assert not Run.objects.exists()


def test_sweep_with_nothing_to_do_does_nothing() -> None:
    tasks.sweep()
    assert not Run.objects.exists()


def test_sweep_begins_anew_what_was_lost(world: World) -> None:
    lost = make_run(status=Run.Status.RUNNING, started_at=LONG_AGO, finished_at=None)
    tasks.sweep()
    lost.refresh_from_db()
    assert lost.status == Run.Status.LOST
    assert Run.objects.latest("pk").status == Run.Status.DONE


def test_sweep_leaves_whoever_is_at_work_alone() -> None:
    running = make_run(status=Run.Status.RUNNING, started_at=LONG_AGO, finished_at=None)
    runs.queue_full_run()
    with leases.hold_lease(), leases.hold_lease(lanes.lease_of(running.pk)):
        tasks.sweep()
    running.refresh_from_db()
    assert running.status == Run.Status.RUNNING
    assert Run.objects.filter(status=Run.Status.QUEUED).exists()


def test_ended_sessions_are_forgotten() -> None:
    for key, days in (("ended", -1), ("open", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))
    tasks.clear_sessions()
    assert [session.session_key for session in Session.objects.all()] == ["open"]


# --- Try again --------------------------------------------------------------------------------------------------------


def test_what_aws_refused_and_who_was_waited_for_are_tried_again_at_once(world: World) -> None:
    """Nobody has changed the record: the policy is there by now, and Entra ID has brought the newcomer."""
    world.register_set("Reader")
    world.aws.faults.add(ProvisioningFault("Policy not found.", world.account_ids["shop"]))
    reference = world.register("shop", "Reader", "hana", NEWCOMER)
    sync()
    wanted = Assignment.objects.filter(permission_set__name="Reader").values_list("state", flat=True)
    assert sorted(wanted) == ["failed", "waiting"]
    world.aws.faults.clear()
    world.provision(NEWCOMER)
    record = Record.objects.get(record_id=reference.partition(":")[2], kind="assignment")
    run = tasks.request_retry(make_user(), record, None)
    tasks.retry_records()
    run.refresh_from_db()
    assert (run.status, run.counts["create"]) == ("done", 2)
    assert sorted(wanted.all()) == ["granted", "granted"]
