"""Who may run: one holder, who loses the lease when he is silent, dead, or overtaken."""

import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from syncer import leases
from syncer.models import Lease

pytestmark = pytest.mark.django_db

ELSEWHERE: dict[str, Any] = {"host": "another-host", "pid": 1, "started": "1"}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats are written by hand: a test's transaction is not seen by another thread."""
    monkeypatch.setattr(leases, "BEAT_SECONDS", 3600.0)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Another process on this host."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def hold_by(*, seconds_silent: float = 0, **values: Any) -> None:
    """Somebody else holds the lease and was heard of so long ago."""
    heartbeat = timezone.now() - timedelta(seconds=seconds_silent)
    Lease.objects.create(name="run", token="theirs", heartbeat_at=heartbeat, **values)


def acquire() -> bool:
    try:
        with leases.hold_lease():
            return True
    except leases.LeaseBusy:
        return False


def test_free_lease_is_held_and_given_back() -> None:
    with leases.hold_lease() as held:
        assert leases.is_busy()
        assert not held.is_lost
    assert not leases.is_busy()


def test_lease_is_given_back_when_the_work_fails() -> None:
    with pytest.raises(RuntimeError), leases.hold_lease():
        raise RuntimeError
    assert not leases.is_busy()


def test_second_holder_is_refused() -> None:
    with leases.hold_lease(), pytest.raises(leases.LeaseBusy), leases.hold_lease():
        pass


def test_leases_of_other_names_do_not_meet() -> None:
    with leases.hold_lease("run"), leases.hold_lease("comments"):
        assert leases.is_busy("comments")


@pytest.mark.parametrize(("seconds_silent", "is_free"), [(9, False), (11, True)])
def test_holder_elsewhere_is_dead_after_ten_silent_seconds(seconds_silent: float, is_free: bool) -> None:
    hold_by(seconds_silent=seconds_silent, **ELSEWHERE)
    assert acquire() is is_free


def test_dead_process_of_this_host_has_lost_the_lease_at_once(sleeper: subprocess.Popen[bytes]) -> None:
    hold_by(host=socket.gethostname(), pid=sleeper.pid, started=leases._find_start(sleeper.pid))
    assert not acquire()
    sleeper.kill()
    sleeper.wait()
    assert acquire()


def test_killed_process_that_nobody_reaped_counts_as_dead(sleeper: subprocess.Popen[bytes]) -> None:
    hold_by(host=socket.gethostname(), pid=sleeper.pid, started=leases._find_start(sleeper.pid))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert acquire()


def test_later_process_with_the_same_id_does_not_hold_it(sleeper: subprocess.Popen[bytes]) -> None:
    hold_by(host=socket.gethostname(), pid=sleeper.pid, started="earlier")
    assert acquire()


def test_waiting_ends_when_the_lease_is_free() -> None:
    hold_by(**ELSEWHERE)

    def give_back(_seconds: float) -> None:
        Lease.objects.update(token="", heartbeat_at=None)

    with leases.hold_lease(wait=60, sleep=give_back) as held:
        assert held.beat_once()


def test_of_two_who_see_a_dead_lease_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_by(seconds_silent=60, **ELSEWHERE)
    was_alive = leases._is_alive

    def overtaken(row: Lease) -> bool:
        alive = was_alive(row)
        Lease.objects.filter(name="run").update(token="faster", heartbeat_at=timezone.now())
        return alive

    monkeypatch.setattr(leases, "_is_alive", overtaken)
    assert not acquire()
    assert Lease.objects.get().token == "faster"


def test_heartbeat_is_written() -> None:
    with leases.hold_lease() as held:
        Lease.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=8))
        assert held.beat_once()
        assert Lease.objects.filter(heartbeat_at__gt=timezone.now() - timedelta(seconds=2)).exists()


def test_holder_learns_that_somebody_took_over() -> None:
    with leases.hold_lease() as held:
        Lease.objects.update(token="theirs", **ELSEWHERE)
        assert not held.beat_once()
        assert held.is_lost
    assert Lease.objects.get().token == "theirs"


def test_heart_goes_on_when_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    beats, has_gone_on = itertools.count(), threading.Event()

    def beat(_held: leases.Held) -> bool:
        if next(beats) == 0:
            raise OperationalError
        has_gone_on.set()
        return True

    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(leases.Held, "beat_once", beat)
    with leases.hold_lease():
        assert has_gone_on.wait(5)
