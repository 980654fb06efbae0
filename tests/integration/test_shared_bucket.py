"""Several real processes take from one bucket: a row of SQLite or PostgreSQL, or Redis."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from syncer.gateways.pacing import Pace
from tests.integration.processes import PROJECT, Portal, describe_portal, postgres_database, redis_database

PACE = Pace(40)
SLACK = 0.1  # seconds that a process may need between being let through and looking at the clock

# What each process does: wait for its line, then take in threads and print when it was let through.
_TAKER = """
import json, sys, threading, time
import django
django.setup()
from syncer.connections import build_pacer
count, threads, urgent = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "urgent"
pacer, times = build_pacer(), []
print("ready", flush=True)
input()
def take():
    for _ in range(count // threads):
        pacer.acquire(urgent=urgent)
        times.append(time.time())
workers = [threading.Thread(target=take) for _ in range(threads)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
print(json.dumps(times))
"""


class Taker:
    """A process that takes `count` times when told to."""

    def __init__(self, portal: Portal, count: int, *, threads: int = 1, urgent: bool = False) -> None:
        arguments = [str(count), str(threads), "urgent" if urgent else "patient"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKER, *arguments],
            cwd=PROJECT,
            env=portal.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def times(self) -> list[float]:
        """When it was let through. It must not have lost sight of the bucket."""
        output, errors = self._process.communicate(timeout=60)
        assert "is away" not in errors
        times: list[float] = json.loads(output)
        return times


@pytest.fixture(scope="module", params=["sqlite", "postgres", "redis"])
def portal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The processes' settings, and a database that is migrated; the bucket is in Redis for the one that is given it."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("portal")
        variables = {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"}
        if request.param == "postgres":
            variables["DATABASE_URL"] = stack.enter_context(postgres_database("genkan_bucket"))
        if request.param == "redis":
            variables["CACHE_URL"] = stack.enter_context(redis_database(12))
        described = describe_portal(folder, IDENTITY_CENTER_TPS=str(PACE.per_second), **variables)
        migrated = described.run("migrate", "--no-input")
        assert migrated.code == 0, migrated.errors
        yield described


def take_together(*takers: Taker) -> list[list[float]]:
    for taker in takers:
        taker.go()
    return [taker.times() for taker in takers]


def test_processes_together_keep_to_the_rate_and_share_it(portal: Portal) -> None:
    each = take_together(*(Taker(portal, 60, threads=4) for _ in range(3)))
    together = sorted(time for times in each for time in times)
    assert len(together) == 180
    in_a_second = max(sum(begin <= time <= begin + 1 for time in together) for begin in together)
    assert in_a_second <= PACE.per_second * (1 + PACE.saved + SLACK) + 1
    early = set(together[:120])
    assert all(len(early.intersection(times)) >= PACE.portion_count for times in each)


def test_urgent_process_gets_ahead_of_a_patient_one(portal: Portal) -> None:
    patient, urgent = take_together(Taker(portal, 160, threads=8), Taker(portal, 40, urgent=True))
    assert max(urgent) < sorted(patient)[80]
