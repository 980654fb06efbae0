"""A targeted run in the middle of a full one: neither undoes what the other did."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Assignment, Record
from syncer import leases, runs
from syncer.models import Change, Run
from syncer.recording import DatabaseRecorder
from syncer.runs import Stopping
from tests.syncer.running import NOTHING, state_of, sync
from tests.syncer.worlds import FOREIGN, World

pytestmark = pytest.mark.django_db

HANA, TARO, KEN = (("shop", "Reader", name) for name in ("hana", "taro", "ken"))
Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def settled(world: World) -> World:
    """Hana and Taro have Reader in shop, by a record each."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    world.register("shop", "Reader", "taro")
    assert sync().code == 0
    return world


def target(reference: str) -> Run:
    """What a save of this record starts."""
    run = runs.run_by_hand(Run(kind=Run.Kind.RECORD, record_reference=reference), Stopping())
    assert run.status == Run.Status.DONE
    return run


def intrude(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], object]) -> None:
    """Let `act` happen once, right before the next call of a method."""
    original, acts = getattr(owner, name), [act]

    def after(*arguments: Any, **options: Any) -> Any:
        if acts:
            acts.pop()()
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, after)


@pytest.fixture
def after_reading(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """AWS has been read, the plan is not stored yet."""
    return lambda act: intrude(monkeypatch, runs._Execution, "_store_plan", act)


@pytest.fixture
def after_planning(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """The plan is stored, nothing is sent yet."""
    return lambda act: intrude(monkeypatch, runs, "apply_plan", act)


@pytest.fixture
def after_applying(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Everything is sent, the outcomes are not stored yet."""
    return lambda act: intrude(monkeypatch, runs._Execution, "_store_end", act)


@pytest.mark.parametrize("moment", ["after_reading", "after_planning", "after_applying"])
def test_what_a_save_granted_stays(settled: World, moment: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(moment)(lambda: target(settled.register("shop", "Reader", "ken")))
    assert sync("--full").counts == NOTHING
    assert settled.granted() == FOREIGN | {HANA, TARO, KEN}
    assert state_of(*KEN) == Assignment.State.GRANTED
    assert sync("--full").counts == NOTHING


@pytest.mark.parametrize("moment", ["after_reading", "after_planning", "after_applying"])
def test_what_a_save_took_away_stays_away(settled: World, moment: str, request: pytest.FixtureRequest) -> None:
    def withdraw() -> None:
        settled.delete(f"{settled.assignments.id}:1")
        target(f"{settled.assignments.id}:1")

    request.getfixturevalue(moment)(withdraw)
    assert sync("--full").counts == NOTHING
    assert settled.granted() == FOREIGN | {TARO}
    assert state_of(*HANA) == Assignment.State.REMOVED
    assert sync("--full").counts == NOTHING


def test_planned_creation_that_nobody_wants_any_more_is_superseded(settled: World, after_planning: Meanwhile) -> None:
    reference = settled.register("shop", "Reader", "ken")

    def change_mind() -> None:
        settled.delete(reference)
        target(reference)

    after_planning(change_mind)
    assert sync().changes == [("create", "Reader ken@example.com", "superseded")]
    assert settled.granted() == FOREIGN | {HANA, TARO}


def test_planned_removal_that_another_record_wants_kept_is_superseded(
    settled: World, after_planning: Meanwhile
) -> None:
    settled.delete(f"{settled.assignments.id}:1")
    after_planning(lambda: target(settled.register("shop", "Reader", "hana")))
    assert sync().changes == [("delete", "Reader hana@example.com", "superseded")]
    assert settled.granted() == FOREIGN | {HANA, TARO}
    assert state_of(*HANA) == Assignment.State.GRANTED


def test_set_that_a_save_changed_is_not_changed_again(settled: World, after_reading: Meanwhile) -> None:
    def change_set() -> None:
        settled.edit(f"{settled.sets.id}:1", session_duration="PT8H")
        target(f"{settled.sets.id}:1")

    after_reading(change_set)
    writes = settled.aws.calls.copy()
    assert sync("--full").counts == NOTHING
    assert (settled.aws.calls - writes)["sso-admin:UpdatePermissionSet"] == 1


def test_targeted_run_waits_for_no_lease(settled: World) -> None:
    with leases.hold_lease():
        target(settled.register("shop", "Reader", "ken"))
    assert KEN in settled.granted()


def test_wish_that_a_full_run_is_carrying_out_is_looked_at_again(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record says otherwise by now: what is under way ends first, the next look does the rest."""
    reference = settled.register("shop", "Reader", "ken")

    def change_mind() -> None:
        settled.delete(reference)
        assert target(reference).changes.count() == 0

    intrude(monkeypatch, DatabaseRecorder, "sent", change_mind)
    sync()
    assert KEN in settled.granted()
    assert Record.objects.get(record_id=reference.partition(":")[2]).is_settled is False
    runs.run_changes(Stopping())
    assert settled.granted() == FOREIGN | {HANA, TARO}
    assert state_of(*KEN) == Assignment.State.REMOVED


def test_waiting_request_serves_all_saves_of_one_record() -> None:
    asked = {runs.queue_record_run("2:1").pk for _press in range(3)}
    assert len(asked) == 1
    assert runs.queue_record_run("2:2").pk not in asked


def test_queued_request_is_carried_out_once(settled: World) -> None:
    run = runs.queue_record_run(settled.register("shop", "Reader", "ken"))
    assert (runs.work_off_targeted(), runs.work_off_targeted()) == (1, 0)
    run.refresh_from_db()
    assert run.status == Run.Status.DONE
    assert [change.outcome for change in run.changes.all()] == [Change.Outcome.SUCCEEDED]


def test_each_run_gives_its_lease_and_its_lanes_back(settled: World) -> None:
    run = target(settled.register("shop", "Reader", "ken"))
    assert not leases.is_known(f"run:{run.pk}")
    assert not Change.objects.filter(operations__ended_at__isnull=True, operations__isnull=False).exists()
