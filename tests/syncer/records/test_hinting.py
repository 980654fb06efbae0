"""What kintone's webhook says: looked at, never believed, and in bursts."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Record
from simulators.kintone import Fault
from simulators.serving import Request, Response, Serving
from syncer import leases, runs, tasks
from syncer.models import Hint, Run
from syncer.preparing import Wish
from syncer.records import hinting
from syncer.records.hinting import heed_hints, note_hint
from syncer.runs import Stopping
from tests.factories import make_run
from tests.syncer.running import sync
from tests.syncer.worlds import FOREIGN, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(world: World) -> World:
    """A run has been, and the table of them is empty again."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana")
    sync()
    Run.objects.all().delete()
    return world


def hint(reference: str) -> bool:
    app_id, _colon, record_id = reference.partition(":")
    return note_hint(app_id, record_id)


def heed() -> list[tuple[str, str]]:
    """Kind and record of the runs that came of it. Time goes on whenever it waits."""

    def pass_moment(_seconds: float) -> None:
        Hint.objects.update(heeded_at=timezone.now() - hinting.MOMENT)

    return [(run.kind, run.record_reference) for run in heed_hints(Stopping(), sleep=pass_moment)]


def test_record_that_changed_is_carried_over_at_once(company: World) -> None:
    reference = company.register("blog", "Reader", "taro")
    hint(reference)
    assert heed() == [("record", reference)]
    assert ("blog", "Reader", "taro") in company.granted()
    assert not hinting.has_hints()


def test_record_that_is_as_it_was_starts_no_run(company: World) -> None:
    company.kintone.calls.clear()
    hint(f"{company.assignments.id}:1")
    assert heed() == []
    assert sum(company.kintone.calls.values()) == 1


def test_word_of_a_deletion_is_not_believed(company: World) -> None:
    hint(f"{company.assignments.id}:1")
    heed()
    assert Record.objects.live().count() == 2


def test_record_that_is_really_gone_takes_its_access_along(company: World) -> None:
    reference = company.register("blog", "Reader", "taro")
    hint(reference)
    heed()
    company.delete(reference)
    hint(reference)
    assert heed() == [("record", reference)]
    assert company.granted() == FOREIGN | {("shop", "Reader", "hana")}


def test_many_that_are_gone_are_left_to_the_scan(company: World) -> None:
    references = [company.register("blog", "Reader", "taro") for _number in range(11)]
    for reference in references:
        hint(reference)
    heed()
    company.delete(*references)
    for reference in references:
        hint(reference)
    assert heed() == []
    assert Record.objects.live().count() == 13


@pytest.mark.parametrize("reference", ["99:1", "{app}:4711"])
def test_stranger_is_forgotten(company: World, reference: str) -> None:
    hint(reference.format(app=company.assignments.id))
    assert heed() == []


def test_many_records_are_one_run_and_one_request(company: World) -> None:
    references = [company.register("blog", "Reader", "taro") for _number in range(20)]
    company.kintone.calls.clear()
    for reference in [*references, *(f"{company.assignments.id}:{number}" for number in range(1000, 1180))]:
        hint(reference)
    assert heed() == [("changes", "")]
    assert sum(company.kintone.calls.values()) == 1


def test_only_the_first_word_wakes_somebody() -> None:
    assert [note_hint("1", "1"), note_hint("1", "1"), note_hint("1", "2")] == [True, False, False]
    assert Hint.objects.count() == 2


def test_burst_about_one_record_is_two_runs(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = company.register("blog", "Reader", "taro")
    looks: list[Collection[str]] = []
    read = hinting._read

    def read_while_it_goes_on(references: Collection[str]) -> Wish:
        wish = read(references)
        looks.append(references)
        if len(looks) == 1:
            for number in range(59):
                company.edit(reference, users=["taro", "ken"] if number % 2 else ["taro"])
                hint(reference)
        return wish

    monkeypatch.setattr(hinting, "_read", read_while_it_goes_on)
    hint(reference)
    assert heed() == [("record", reference)] * 2
    assert looks == [[reference]] * 2


def test_somebody_elses_look_is_not_doubled() -> None:
    note_hint("1", "1")
    with leases.hold_lease(hinting.LEASE):
        assert heed() == []
    assert hinting.has_hints()


def test_unreadable_kintone_leaves_it_to_the_sweep(company: World) -> None:
    reference = company.register("blog", "Reader", "taro")
    hint(reference)
    company.kintone.faults.add(Fault(path="/k/v1/records.json", status=503, text="Service Unavailable"))
    assert heed() == []
    assert hinting.has_hints()
    company.kintone.faults.clear()
    Hint.objects.update(heeded_at=None)
    tasks.sweep()
    assert ("blog", "Reader", "taro") in company.granted()


def test_plan_mode_only_plans(company: World, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    hint(company.register("blog", "Reader", "taro"))
    heed()
    assert Run.objects.get().mode == Run.Mode.PLAN
    assert ("blog", "Reader", "taro") not in company.granted()


def test_long_run_keeps_nobody_from_looking(company: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = company.register("blog", "Reader", "taro"), company.register("blog", "Reader", "ken")
    execute, inner = runs.execute, list[tuple[str, str]]()

    def look_meanwhile(run: Run, *values: Any, **named: Any) -> Run:
        if run.record_reference == first:
            hint(second)
            inner.extend(heed())
        return execute(run, *values, **named)

    monkeypatch.setattr(runs, "execute", look_meanwhile)
    hint(first)
    assert heed() == [("record", first)]
    assert inner == [("record", second)]


def test_busy_workers_mirror_it_and_leave_the_rest(company: World) -> None:
    for _number in range(hinting.MOST_RUNS):
        make_run(kind=Run.Kind.RECORD, status=Run.Status.RUNNING)
    reference = company.register("blog", "Reader", "taro")
    hint(reference)
    assert heed() == []
    assert Record.objects.filter(record_id=reference.partition(":")[2], is_settled=False).exists()
    Run.objects.all().delete()
    tasks.run_changes()
    assert ("blog", "Reader", "taro") in company.granted()


def test_old_hints_are_forgotten() -> None:
    note_hint("1", "1")
    Hint.objects.update(is_pending=False, noted_at=timezone.now() - timedelta(days=2))
    heed()
    assert not Hint.objects.exists()


def test_hint_waits_where_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def fail(_task: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("celery.app.task.Task.delay", fail)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.take_hint("1", "1")
    assert hinting.has_hints()


# --- kintone's own webhooks -------------------------------------------------------------------------------------------


@pytest.fixture
def delivered(world: World) -> Iterator[list[bytes]]:
    """What kintone sends, as it sends it."""
    bodies: list[bytes] = []

    def receive(request: Request) -> Response:
        bodies.append(request.body)
        return Response.json({})

    with Serving(receive) as receiver:
        for app in (world.sets, world.assignments):
            world.kintone.add_webhook(app.id, receiver.url)
        yield bodies


def deliver(world: World, client: Client, bodies: list[bytes]) -> None:
    world.kintone.webhooks.wait()
    for body in bodies:
        answer = client.post("/webhooks/kintone/?token=secret", body, content_type="application/json")
        assert answer.status_code == 200
    bodies.clear()


def test_record_changed_by_hand_is_mirrored_at_once(
    company: World, client: Client, delivered: list[bytes], settings: Settings
) -> None:
    settings.KINTONE_WEBHOOK_TOKEN = "secret"
    reference = company.register("blog", "Reader", "taro")
    deliver(company, client, delivered)
    assert heed() == [("record", reference)]
    assert ("blog", "Reader", "taro") in company.granted()
    company.delete(reference)
    deliver(company, client, delivered)
    assert heed() == [("record", reference)]
    assert ("blog", "Reader", "taro") not in company.granted()
