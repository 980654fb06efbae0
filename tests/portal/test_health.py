"""The health endpoints: what makes the portal unready, what is only told, and that nobody ever waits long."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from portal.views import health
from portal.views.health import Ground, Probe
from syncer.models import Lease, Run

LIVE, READY = "/healthz/live", "/healthz/ready"
GROUND = Ground("ok", "ok")


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are kept for a while; a test begins without any."""
    monkeypatch.setattr(health, "_all_applied", threading.Event())
    monkeypatch.setattr(health, "_database", Probe(health._examine_server, otherwise=health.NO_GROUND, keep=0))
    monkeypatch.setattr(health, "BROKER", Probe(health.find_broker, otherwise="unreachable", keep=0))


@pytest.fixture
def set_ground(monkeypatch: pytest.MonkeyPatch) -> Callable[[Ground], None]:
    return lambda ground: monkeypatch.setattr(health, "find_ground", lambda: ground)


@pytest.fixture
def silent_address() -> Iterator[str]:
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def get_ready(client: Client) -> dict[str, Any]:
    body: dict[str, Any] = client.get(READY).json()
    return body


def open_database(name: Path) -> DatabaseWrapper:
    return DatabaseWrapper(
        {**connection.settings_dict, "ENGINE": "django.db.backends.sqlite3", "NAME": str(name), "OPTIONS": {}}
    )


# --- Both -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("address", [LIVE, READY])
def test_answers_without_sign_in_and_is_never_stored(client: Client, address: str) -> None:
    response = client.get(address)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("address", [LIVE, READY])
def test_head_is_answered_and_post_is_not(client: Client, address: str) -> None:
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert client.post(address).status_code == 405


def test_live_asks_no_database(client: Client) -> None:
    # Without the mark `django_db` any query would fail.
    assert client.get(LIVE).json() == {"status": "ok"}


# --- What makes the portal unready ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_ready_names_everything(client: Client) -> None:
    body = get_ready(client)
    assert set(body) == {"status", "database", "migrations", "broker", "worker", "beat", "last_run"}
    assert (body["status"], body["database"], body["migrations"]) == ("ok", "ok", "ok")


@pytest.mark.parametrize("ground", [Ground("unreachable", "unknown"), Ground("ok", "unapplied")])
def test_missing_ground_is_503_and_asks_no_further(
    client: Client, set_ground: Callable[[Ground], None], ground: Ground
) -> None:
    set_ground(ground)
    response = client.get(READY)
    assert response.status_code == 503
    assert response.json() | {"broker": ""} == {
        "status": "unavailable",
        "database": ground.database,
        "migrations": ground.migrations,
        "broker": "",
        "worker": "unknown",
        "beat": "unknown",
        "last_run": None,
    }


@pytest.mark.django_db
def test_absent_broker_worker_and_beat_are_told_only(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BROKER", Probe(lambda: "unreachable", otherwise="unreachable", keep=0))
    response = client.get(READY)
    assert response.status_code == 200
    assert response.json() | {"broker": "unreachable", "worker": "unknown", "beat": "unknown"} == response.json()


@pytest.mark.django_db
def test_unapplied_migration_is_found() -> None:
    newest = max(name for app, name in MigrationRecorder(connection).applied_migrations() if app == "syncer")
    MigrationRecorder(connection).record_unapplied("syncer", newest)
    assert health.examine(connection) == Ground("ok", "unapplied")


@pytest.mark.django_db
def test_applied_migrations_are_looked_up_once() -> None:
    health.examine(connection)
    with CaptureQueriesContext(connection) as queries:
        assert health.examine(connection) == GROUND
    assert [query["sql"] for query in queries] == ["SELECT 1"]


@pytest.mark.django_db
def test_missing_migration_is_looked_for_again() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("syncer", "0002_schedule")
    health.examine(connection)
    recorder.record_applied("syncer", "0002_schedule")
    assert health.examine(connection) == GROUND


@pytest.mark.django_db
def test_database_that_cannot_be_opened_is_unreachable(tmp_path: Path) -> None:
    assert health.examine(open_database(tmp_path / "absent" / "genkan.sqlite3")) == Ground("unreachable", "unknown")


@pytest.mark.django_db
def test_empty_database_is_unapplied(tmp_path: Path) -> None:
    empty = open_database(tmp_path / "empty.sqlite3")
    try:
        assert health.examine(empty) == Ground("ok", "unapplied")
    finally:
        empty.close()


# --- The broker -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["memory://", "filesystem://"])
def test_broker_inside_is_ok(url: str) -> None:
    assert health.find_broker(url) == "ok"


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_broker_that_refuses_is_unreachable(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert health.find_broker(f"{scheme}://:secret@127.0.0.1:{port}/0") == "unreachable"


@pytest.mark.django_db
def test_silent_broker_holds_nobody_up(client: Client, monkeypatch: pytest.MonkeyPatch, silent_address: str) -> None:
    url = f"redis://:secret@{silent_address}/0"
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    monkeypatch.setattr(health, "BROKER", Probe(lambda: health.find_broker(url), otherwise="unreachable", keep=0))
    start = time.monotonic()
    body = get_ready(client)
    assert time.monotonic() - start < 1
    assert body["broker"] == "unreachable"
    assert "secret" not in json.dumps(body)


# --- Worker, beat and the last run ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "word"), [(1, "ok"), (6, "late")])
def test_beat_is_known_by_the_last_task_it_started(minutes: int, word: str) -> None:
    PeriodicTask.objects.filter(name="Sweep").update(last_run_at=timezone.now() - timedelta(minutes=minutes))
    assert health.find_beat() == word


@pytest.mark.django_db
def test_beat_that_never_ran_is_unknown() -> None:
    assert health.find_beat() == "unknown"


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "word"), [(1, "ok"), (16, "late")])
def test_worker_is_known_by_the_newest_run(minutes: int, word: str) -> None:
    at = timezone.now() - timedelta(minutes=minutes)
    Run.objects.create(requested_at=at, started_at=at, status=Run.Status.DONE, finished_at=at)
    Run.objects.create(status=Run.Status.QUEUED)
    assert health.find_worker() == word


@pytest.mark.django_db
def test_long_run_that_still_beats_is_work() -> None:
    Run.objects.create(started_at=timezone.now() - timedelta(hours=1), status=Run.Status.RUNNING)
    Lease.objects.create(name="full", heartbeat_at=timezone.now())
    assert health.find_worker() == "ok"


@pytest.mark.django_db
def test_worker_without_a_trace_is_unknown() -> None:
    assert health.find_worker() == "unknown"


@pytest.mark.django_db
def test_last_run_is_told(client: Client) -> None:
    run = Run.objects.create(kind=Run.Kind.CHANGES, status=Run.Status.DONE, finished_at=timezone.now())
    last = get_ready(client)["last_run"]
    assert (last["id"], last["kind"], last["status"]) == (run.pk, "changes", "done")


# --- Questions that may hang ------------------------------------------------------------------------------------------


class Gate:
    """A question that is answered when the test says so, and that counts how often it was put."""

    def __init__(self) -> None:
        self.opened, self.asked = threading.Event(), 0

    def __call__(self) -> str:
        self.asked += 1
        self.opened.wait(timeout=5)
        return "ok"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_question_that_hangs_is_answered_otherwise(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    assert Probe(gate, otherwise="unreachable", keep=9).ask() == "unreachable"


def test_question_that_hangs_is_put_once(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    probe = Probe(gate, otherwise="unreachable", keep=9)
    first = probe.put()
    assert [probe.ask() for _ in range(3)] == ["unreachable"] * 3
    assert probe.put() is first
    assert gate.asked == 1


def test_question_without_answer_is_put_anew_in_the_end(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    monkeypatch.setattr(health, "GIVE_UP", 0)
    probe = Probe(gate, otherwise="unreachable", keep=9)
    assert probe.put() is not probe.put()


def test_late_answer_is_the_next_ones(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    probe = Probe(gate, otherwise="unreachable", keep=9)
    assert probe.ask() == "unreachable"
    gate.opened.set()
    probe.put().result(timeout=5)
    assert probe.ask() == "ok"


@pytest.mark.parametrize(("keep", "asked"), [(9, 1), (0, 2)])
def test_answer_is_kept_for_its_time(gate: Gate, keep: int, asked: int) -> None:
    gate.opened.set()
    probe = Probe(gate, otherwise="unreachable", keep=keep)
    assert [probe.ask(), probe.ask()] == ["ok", "ok"]
    assert gate.asked == asked


def test_question_that_fails_is_answered_otherwise_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    told = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _error: told.set())
    assert Probe(fail, otherwise="unreachable", keep=0).ask() == "unreachable"
    assert told.wait(timeout=5)
