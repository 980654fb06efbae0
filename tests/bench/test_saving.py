"""The portal's processes in the large company: a routine run, and a save while a full run is going on.

PostgreSQL, Redis and a worker, as in production.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.bench.figures import Figures
from tests.companies import ASYNC_SECONDS, Company
from tests.integration.processes import PROJECT, WORKER, Ended, Portal, describe_portal, end, postgres_database

SAVES = 9
PATIENCE = 900.0  # seconds for one full run
# What a save in the portal does once its record is in kintone, in a process that has Django loaded already.
_PORTAL = """
import sys, django
django.setup()
from syncer.tasks import request_record_run
print("ready", flush=True)
for line in sys.stdin:
    request_record_run(None, line.strip())
    print("asked", flush=True)
"""
_STATE = """
SELECT a.state FROM accounts_assignment a JOIN accounts_wish w ON w.assignment_id = a.id
JOIN accounts_record r ON r.id = w.record_id WHERE r.app_id = %s AND r.record_id = %s
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres_database("genkan_bench") as url:
        yield url


@pytest.fixture(scope="module")
def portal(company: Company, database: str, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """Migrated, and after its first sync: everything is read and proven, nothing was to be done."""
    variables = {"DATABASE_URL": database, "CELERY_BROKER_URL": broker, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    portal = describe_portal(tmp_path_factory.mktemp("portal"), **company.environment, **variables)
    migrated = portal.run("migrate", "--no-input", seconds=PATIENCE)
    assert migrated.code == 0, migrated.errors
    return portal


def count_requests(ended: Ended) -> int:
    """Requests to sso-admin, by the command's own report; it must have planned nothing."""
    assert ended.code == 0, ended.output[-2000:] + ended.errors[-2000:]
    assert ended.report["changes"] == []
    return sum(count for name, count in ended.report["api_calls"].items() if name.startswith("sso-admin:"))


@pytest.mark.timeout(2 * PATIENCE)
def test_routine_run_that_has_nothing_to_do(company: Company, portal: Portal, figures: Figures) -> None:
    before = company.aws.throttled.copy()
    full = count_requests(portal.run("sync", "--full", "--json", seconds=PATIENCE))
    routine = count_requests(portal.run("sync", "--json", seconds=PATIENCE))
    beside = f"{routine:,} calls to {full:,}"
    figures.add("routine run without changes: calls ÷ full proof's", routine / full, "×", at_most=0.25, beside=beside)
    throttled = company.aws.throttled - before
    beside = ", ".join(f"{name}: {count}" for name, count in throttled.items())
    figures.add("a full and a routine run of everything: throttled", throttled.total(), at_most=0, beside=beside)


@contextmanager
def asking(portal: Portal) -> Iterator[subprocess.Popen[str]]:
    """A process of the portal that asks for a targeted run of each record it is told."""
    with subprocess.Popen(
        [sys.executable, "-c", _PORTAL],
        cwd=PROJECT,
        env=portal.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def save(reference: str, asker: subprocess.Popen[str], connection: psycopg.Connection[tuple[str]]) -> float:
    """Seconds from the save until the portal shows the assignment as granted."""
    assert asker.stdin is not None
    begin = time.monotonic()
    asker.stdin.write(f"{reference}\n")
    asker.stdin.flush()
    while [row[0] for row in connection.execute(_STATE, reference.split(":")).fetchall()] != ["granted"]:
        if time.monotonic() - begin > 120:
            pytest.fail(f"{reference} is not granted after two minutes")
        time.sleep(0.02)
    return time.monotonic() - begin


@pytest.mark.timeout(2 * PATIENCE)
def test_save_to_granted_beside_a_full_run(company: Company, database: str, portal: Portal, figures: Figures) -> None:
    """One record with one user, in an account and set that others have already."""
    with (
        portal.running("worker", WORKER),
        asking(portal) as asker,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        save(company.register(0, 0, 299), asker, connection)  # the worker has loaded everything after this one
        begun, full = company.aws.calls.total(), portal.begin("sync", "--full", "--json")
        while company.aws.calls.total() - begun < 200:
            time.sleep(0.1)
        times = [save(company.register(1 + number, 1 + number, 298), asker, connection) for number in range(SAVES)]
        is_beside = full.poll() is None
        ended = end(full, seconds=PATIENCE)
    above = statistics.median(times) - ASYNC_SECONDS
    beside = f"median of {SAVES}, slowest {max(times) - ASYNC_SECONDS:.2f} s"
    what = "save to granted beside a full run, above AWS's own 2 s"
    figures.add(what, above, "s", at_most=2, beside=beside if is_beside else f"{beside}; THE FULL RUN ENDED EARLIER")
    assert ended.code == 0, ended.output[-2000:] + ended.errors[-2000:]
    for number in range(SAVES):
        place = company.account_ids[1 + number], company.arns[1 + number]
        assert (*place, "USER", company.user_ids[298]) in company.aws.assignments()
