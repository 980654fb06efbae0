"""Who may run: one row in the database, kept alive by a heartbeat.

No broker redelivers the task of a killed worker soon, so a row tells whether somebody is at work: silent for ten
seconds, or its process on this host gone, and the next one takes over.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from syncer.models import Lease

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
DEAD_AFTER = timedelta(seconds=10)
FULL_RUN, CHANGED_RECORDS, MIRROR = "run", "changes", "mirror"


class LeaseBusy(Exception):
    """Somebody else is at work, and did not end within the time to wait."""


class Held:
    """A lease that this process holds. `is_lost` turns true when somebody took it over."""

    def __init__(self, name: str, token: str) -> None:
        self.name, self.token, self.is_of_one_run = name, token, False
        self._stop, self._lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{name}", daemon=True)

    @property
    def is_lost(self) -> bool:
        return self._lost.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        row = Lease.objects.filter(name=self.name, token=self.token)
        if self.is_of_one_run:
            row.delete()
        else:
            row.update(token="", heartbeat_at=None)

    def _beat(self) -> None:
        try:
            while not self._stop.wait(BEAT_SECONDS):
                try:
                    if not self.beat_once():
                        return
                except Exception:
                    # The database may be away for a moment; the next beat tries again, silence does the rest.
                    logger.exception("lease: the heartbeat of %s could not be written", self.name)
        finally:
            connection.close()

    def beat_once(self) -> bool:
        """Write one heartbeat; False when the lease is somebody else's now."""
        if Lease.objects.filter(name=self.name, token=self.token).update(heartbeat_at=timezone.now()):
            return True
        logger.error("lease: %s was taken over", self.name)
        self._lost.set()
        return False


@contextmanager
def hold_lease(
    name: str = FULL_RUN,
    *,
    wait: float = 0,
    is_of_one_run: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Held]:
    """Hold the lease for the body; waits up to `wait` seconds. Raises LeaseBusy.

    is_of_one_run: nobody will ask for this name again, so its row goes with the lease.
    """
    held = _acquire(name, wait, sleep)
    held.is_of_one_run = is_of_one_run
    held.start()
    try:
        yield held
    finally:
        held.stop()


def lock_mirror() -> None:
    """Let one run at a time write what it makes of the mirror, until the transaction ends."""
    Lease.objects.get_or_create(name=MIRROR)
    Lease.objects.select_for_update().get(name=MIRROR)


def is_known(name: str) -> bool:
    """Somebody has held the lease, or does."""
    return Lease.objects.filter(name=name).exists()


def is_busy(name: str = FULL_RUN) -> bool:
    """Somebody alive holds the lease."""
    row = Lease.objects.filter(name=name).first()
    return row is not None and _is_alive(row)


def _acquire(name: str, wait: float, sleep: Callable[[float], None]) -> Held:
    deadline = time.monotonic() + wait
    while True:
        held = _try_acquire(name)
        if held:
            return held
        if time.monotonic() >= deadline:
            raise LeaseBusy(name)
        sleep(min(0.5, max(0.0, deadline - time.monotonic())))


def _try_acquire(name: str) -> Held | None:
    row, _created = Lease.objects.get_or_create(name=name)
    if _is_alive(row):
        return None
    held = Held(name, str(uuid.uuid4()))
    # The old token and heartbeat in the condition: of several who see a dead lease, one wins.
    won = Lease.objects.filter(name=name, token=row.token, heartbeat_at=row.heartbeat_at).update(
        token=held.token,
        host=socket.gethostname(),
        pid=os.getpid(),
        started=_find_start(os.getpid()),
        heartbeat_at=timezone.now(),
    )
    return held if won else None


def _is_alive(row: Lease) -> bool:
    if not row.token or row.heartbeat_at is None or _is_silent(row.heartbeat_at):
        return False
    if row.host != socket.gethostname():
        return True
    start = _find_start(row.pid)
    return bool(start) and start == row.started


def _is_silent(heartbeat: datetime) -> bool:
    return timezone.now() - heartbeat > DEAD_AFTER


def _find_start(pid: int) -> str:
    """Something that tells this process from a later one with the same id; empty when it is gone."""
    try:
        # Fields after the command's closing parenthesis; the 20th of them is the start time in clock ticks.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        return _find_start_elsewhere(pid)


def _find_start_elsewhere(pid: int) -> str:
    """Without /proc: whether a process of that id exists."""
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
