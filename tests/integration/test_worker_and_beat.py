"""Worker and beat as processes, on a real PostgreSQL and a real Redis: the schedule, lost messages, killed workers.

The schedule is the shipped one, with seconds for minutes.
"""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from simulators.aws import Fault
from tests.integration.processes import (
    BEAT,
    WORKER,
    Portal,
    describe_portal,
    postgres_database,
    redis_database,
    wait_until,
)
from tests.services.processes import free_port
from tests.syncer.worlds import FOREIGN, World, serve_world

pytestmark = pytest.mark.timeout(180)

PRESS = "from syncer.tasks import request_full_run; request_full_run(None)"
PRESS_TEN_TIMES = """
from concurrent.futures import ThreadPoolExecutor
from syncer.tasks import request_full_run
with ThreadPoolExecutor(10) as pool:
    list(pool.map(lambda _number: request_full_run(None), range(10)))
"""
FULL_RUNS_AFTER = "SELECT status FROM syncer_run WHERE id > %s AND kind = 'full'"
HANGING = "sso-admin:CreateAccountAssignment"
SETTLED = FOREIGN | {("shop", "Reader", "hana")}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a database of our own, gone when the module ends."""
    with postgres_database("genkan_worker") as url:
        yield url


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with redis_database(11) as url:
        yield url


@pytest.fixture(scope="module")
def company() -> Iterator[World]:
    with serve_world() as world:
        world.register_set("Reader")
        world.register("shop", "Reader", "hana")
        yield world


Select = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def select(database: str) -> Iterator[Select]:
    """Ask the database for the values of one column; `%s` stand for the arguments that follow the query."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield lambda query, *values: [row[0] for row in connection.execute(query, values).fetchall()]


@pytest.fixture(scope="module")
def portal(company: World, database: str, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """Migrated, with a quick schedule, and after its first sync."""
    folder = tmp_path_factory.mktemp("portal")
    portal = describe_portal(folder, DATABASE_URL=database, CELERY_BROKER_URL=broker, **company.environment)
    migrated = portal.run("migrate", "--no-input")
    assert migrated.code == 0, migrated.errors
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE django_celery_beat_intervalschedule SET period = 'seconds' WHERE period = 'minutes'")
        connection.execute("UPDATE django_celery_beat_intervalschedule SET every = 1 WHERE every = 50")
        connection.execute("UPDATE django_celery_beat_periodictask SET enabled = false WHERE name = 'Full run'")
    assert portal.run("sync").code == 0
    assert company.granted() == SETTLED
    return portal


@pytest.fixture(scope="module")
def beat(portal: Portal) -> Iterator[None]:
    with portal.running("beat", BEAT):
        yield


@pytest.fixture
def worker(portal: Portal, beat: None) -> Iterator[None]:
    with portal.running("worker", WORKER):
        yield


def has_outcome(select: Select) -> bool:
    """No run waits or goes on."""
    return not select("SELECT id FROM syncer_run WHERE status IN ('queued', 'running')")


def press_sync_now(portal: Portal) -> None:
    pressed = portal.run("shell", "-c", PRESS)
    assert pressed.code == 0, pressed.errors


def test_record_registered_by_rest_is_carried_over_by_itself(worker: None, company: World, select: Select) -> None:
    record = company.post_record(
        {"account_id": company.account_ids["blog"], "permission_set": "Reader", "users": [{"code": "taro"}]}
    )
    wait_until(lambda: ("blog", "Reader", "taro") in company.granted())
    wait_until(lambda: has_outcome(select))
    assert select("SELECT kind FROM syncer_run ORDER BY id DESC LIMIT 1") == ["changes"]
    record_id = record.partition(":")[2]
    assert select(
        "SELECT a.state FROM accounts_assignment a JOIN accounts_wish w ON w.assignment_id = a.id "
        "JOIN accounts_record r ON r.id = w.record_id WHERE r.app_id = '2' AND r.record_id = %s",
        record_id,
    ) == ["granted"]


def test_deleted_record_takes_its_access_along_by_itself(worker: None, company: World) -> None:
    reference = company.register("blog", "Reader", "ken")
    wait_until(lambda: ("blog", "Reader", "ken") in company.granted())
    company.delete(reference)
    wait_until(lambda: ("blog", "Reader", "ken") not in company.granted())


def test_sync_now_is_carried_out_at_once(worker: None, portal: Portal, select: Select) -> None:
    before = select("SELECT max(id) FROM syncer_run")[0]
    press_sync_now(portal)
    wait_until(lambda: has_outcome(select))
    assert select(FULL_RUNS_AFTER, before) == ["done"]


def test_sync_now_without_redis_waits_for_the_sweep(portal: Portal, beat: None, select: Select) -> None:
    before = select("SELECT max(id) FROM syncer_run")[0]
    press_sync_now(portal.with_variables(CELERY_BROKER_URL=f"redis://127.0.0.1:{free_port()}/0"))
    assert select(FULL_RUNS_AFTER, before) == ["queued"]
    with portal.running("worker", WORKER):
        wait_until(lambda: has_outcome(select))
    assert select(FULL_RUNS_AFTER, before) == ["done"]


def test_run_of_a_killed_worker_is_begun_anew(portal: Portal, beat: None, company: World, select: Select) -> None:
    before = select("SELECT max(id) FROM syncer_run")[0]
    company.aws.faults.add(Fault(HANGING, hang=True))
    sent = company.aws.calls[HANGING]
    company.register("platform", "Reader", "taro")
    with portal.running("worker-killed", WORKER) as killed:
        wait_until(lambda: company.aws.calls[HANGING] > sent)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    company.aws.faults.clear()
    assert ("platform", "Reader", "taro") not in company.granted()
    with portal.running("worker", WORKER):
        wait_until(lambda: ("platform", "Reader", "taro") in company.granted())
        wait_until(lambda: has_outcome(select))
    statuses = select("SELECT status FROM syncer_run WHERE id > %s ORDER BY id", before)
    assert statuses[0] == "lost"
    assert set(statuses[1:]) == {"done"}
    assert not select("SELECT id FROM syncer_change WHERE outcome = 'sent'")


def test_two_workers_never_run_at_the_same_time(worker: None, portal: Portal, select: Select) -> None:
    before = select("SELECT max(id) FROM syncer_run")[0]
    with portal.running("worker-two", WORKER):
        for _press in range(3):
            press_sync_now(portal)
        wait_until(lambda: has_outcome(select))
    overlapping = select(
        "SELECT a.id FROM syncer_run a JOIN syncer_run b ON a.id < b.id "
        "AND b.started_at < a.finished_at AND a.started_at < b.finished_at WHERE a.id > %s",
        before,
    )
    assert overlapping == []
    assert set(select("SELECT status FROM syncer_run WHERE id > %s", before)) == {"done"}


def test_ten_presses_at_once_are_one_run_and_one_more(worker: None, portal: Portal, select: Select) -> None:
    """The first may be taken up while others still press; what they ask for is then remembered once."""
    before = select("SELECT max(id) FROM syncer_run")[0]
    with portal.running("worker-two", WORKER):
        pressed = portal.run("shell", "-c", PRESS_TEN_TIMES)
        assert pressed.code == 0, pressed.errors
        wait_until(lambda: has_outcome(select))
    statuses = select(FULL_RUNS_AFTER, before)
    assert statuses in (["done"], ["done", "done"])
