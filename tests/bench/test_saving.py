"""The portal's processes in the large company: a routine run, and a save while a full run is going on.

PostgreSQL, Redis and a worker, as in production.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.bench.figures import Figures
from tests.companies import ASYNC_SECONDS, DOMAIN, Company, name_of_set, name_of_user
from tests.integration.processes import PROJECT, WORKER, Ended, Portal, describe_portal, end, postgres_database

SAVES = 9
PATIENCE = 900.0  # seconds for one full run
# Saves in the portal, as its forms do, by an admin: one place a line, in a process that has Django loaded already.
_PORTAL = """
import json, sys, django
django.setup()
from accounts.models import AppKind, User
from syncer.drafts.saving import save
admin, _made = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
print("ready", flush=True)
for line in sys.stdin:
    account_id, permission_set, user = json.loads(line)
    save(AppKind.ASSIGNMENT, admin, {"account_id": account_id, "permission_set": permission_set, "users": [user]})
    print("saved", flush=True)
"""
_STATE = """
SELECT a.state FROM accounts_assignment a JOIN accounts_permissionset s ON s.id = a.permission_set_id
JOIN accounts_account c ON c.id = a.account_id JOIN accounts_principal p ON p.id = a.principal_id
WHERE c.account_id = %s AND s.name = %s AND p.name = %s
"""
Place = tuple[str, str, str]  # account id, permission set, kintone code


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
def saving(portal: Portal) -> Iterator[subprocess.Popen[str]]:
    """A process of the portal that saves each record it is told."""
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


def find_place(company: Company, number: int, user: int) -> Place:
    return company.account_ids[number], name_of_set(number), name_of_user(user)


def save(place: Place, saver: subprocess.Popen[str], connection: psycopg.Connection[tuple[str]]) -> float:
    """Seconds from the save, over kintone, until the portal shows the assignment as granted."""
    assert saver.stdin is not None
    account_id, permission_set, user = place
    begin = time.monotonic()
    saver.stdin.write(f"{json.dumps(place)}\n")
    saver.stdin.flush()
    shown = (account_id, permission_set, f"{user}@{DOMAIN}")
    while [row[0] for row in connection.execute(_STATE, shown).fetchall()] != ["granted"]:
        if time.monotonic() - begin > 120:
            pytest.fail(f"{place} is not granted after two minutes")
        time.sleep(0.02)
    return time.monotonic() - begin


@pytest.mark.timeout(2 * PATIENCE)
def test_save_to_granted_beside_a_full_run(company: Company, database: str, portal: Portal, figures: Figures) -> None:
    """One record with one user, in an account and set that others have already."""
    with (
        portal.running("worker", WORKER),
        saving(portal) as saver,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        save(find_place(company, 0, 299), saver, connection)  # the worker has loaded everything after this one
        begun, full = company.aws.calls.total(), portal.begin("sync", "--full", "--json")
        while company.aws.calls.total() - begun < 200:
            time.sleep(0.1)
        times = [save(find_place(company, 1 + number, 298), saver, connection) for number in range(SAVES)]
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
