"""Each process and each service dies under load, and nothing is lost.

The schedule is the shipped one, with seconds for minutes.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import requests

from tests.integration.processes import BEAT, WORKER, Portal, describe_portal, postgres_database, wait_until
from tests.services import redis_server
from tests.services.processes import free_port, start, stop
from tests.syncer.worlds import FOREIGN, MEMBERS, Granted, World, serve_world

pytestmark = pytest.mark.timeout(240)

WEB = ("-m", "gunicorn", "portal.wsgi", "--workers", "2", "--graceful-timeout", "5")
SIGN_IN = """
from datetime import timedelta
from django.http import HttpRequest
from django.utils import timezone
from accounts.models import Principal, User
from accounts.tokens import make_token
person = Principal.objects.get(name="hana@example.com").person
user = User.objects.create(username="hana", person=person, is_staff=True, last_login=timezone.now())
print(make_token(HttpRequest(), user, "restarts", "write", timedelta(days=1))[1])
"""


@dataclass
class Broker:
    """A Redis that keeps nothing on disk, and can be killed."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = start([redis_server.find_binary(), *options], log=self.folder / "redis.log")
        wait_until(self._answers)

    def kill(self) -> None:
        if self.process:
            stop(self.process, signal.SIGKILL)

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False


@dataclass
class Site:
    """The portal's processes, by name, beside a company."""

    portal: Portal
    company: World
    broker: Broker
    database: str
    url: str
    token: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    keys: int = 0

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        return {"web": (*WEB, "--bind", self.url.removeprefix("http://")), "worker": WORKER, "beat": BEAT}

    def start(self, name: str) -> None:
        self.processes[name] = self.portal.start(name, self.commands[name])

    def kill(self, name: str) -> None:
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def select(self, query: str) -> list[Any]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            return [row[0] for row in connection.execute(query).fetchall()]

    def register(self, account: str, name: str) -> Granted:
        """As a script of the company does that wants to be sure: with a key, again and again until it is answered."""
        self.keys += 1
        wish = {
            "accounts": [self.company.account_ids[account]],
            "permission_set": "Reader",
            "people": [f"{name}@example.com"],
        }
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": f"{account}-{name}"}
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(requests.RequestException):
                answer = requests.post(f"{self.url}/api/v1/registrations", json=wish, headers=headers, timeout=10)
                if answer.status_code == 202:
                    return account, "Reader", name
                assert answer.status_code >= 500, answer.text
            time.sleep(0.1)
        pytest.fail(f"nobody took {wish}")

    def settle(self, wished: set[Granted]) -> None:
        """All is granted, nothing twice, no run is left over."""
        wait_until(lambda: self.company.granted() >= wished, 60)
        wait_until(lambda: not self.select("SELECT id FROM syncer_run WHERE status IN ('queued', 'running')"))
        assert not self.select("SELECT id FROM syncer_change WHERE outcome = 'sent'")
        assert set(self.select("SELECT state FROM accounts_draft")) == {"written"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("restarts")
    broker = Broker(folder)
    broker.start()
    with serve_world() as company, postgres_database("genkan_restarts") as database:
        company.register_set("Reader")
        company.register("shop", "Reader", "hana")
        variables = {"DATABASE_URL": database, "CELERY_BROKER_URL": broker.url, "CACHE_URL": broker.url}
        portal = describe_portal(folder, **variables, **company.environment)
        migrated = portal.run("migrate", "--no-input")
        assert migrated.code == 0, migrated.errors
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("UPDATE django_celery_beat_intervalschedule SET period = 'seconds', every = 2")
        assert portal.run("sync").code == 0
        token = portal.run("shell", "--verbosity", "0", "-c", SIGN_IN)
        assert token.code == 0, token.errors
        site = Site(portal, company, broker, database, f"http://127.0.0.1:{free_port()}", token.output.strip())
        with _all_running(site):
            yield site
    broker.kill()


@contextmanager
def _all_running(site: Site) -> Iterator[None]:
    try:
        for name in site.commands:
            site.start(name)
        yield
    finally:
        for process in site.processes.values():
            stop(process)


def register_all(site: Site, account: str) -> "list[Any]":
    pool = ThreadPoolExecutor(len(MEMBERS))
    return [pool.submit(site.register, account, name) for name in MEMBERS]


def test_processes_that_are_killed_lose_nothing(site: Site) -> None:
    under_way = register_all(site, "platform")
    for name in ("web", "worker", "beat"):
        time.sleep(0.5)
        site.kill(name)
        site.start(name)
    site.settle({registered.result() for registered in under_way} | FOREIGN)


def test_redis_that_comes_back_empty_loses_nothing(site: Site) -> None:
    under_way = register_all(site, "blog")
    time.sleep(0.5)
    site.broker.kill()
    time.sleep(2)
    assert site.register("shop", "taro")  # with no broker at all
    site.broker.start()
    site.settle({registered.result() for registered in under_way} | FOREIGN | {("shop", "Reader", "taro")})
    assert [process.poll() for process in site.processes.values()] == [None, None, None]


def test_database_connections_that_are_cut_lose_nothing(site: Site) -> None:
    reference = site.company.register("platform", "Reader", groups="developers")
    under_way = [ThreadPoolExecutor(1).submit(site.register, "shop", "ken")]
    for _cut in range(4):
        site.select(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        time.sleep(0.5)
    assert reference
    site.settle({registered.result() for registered in under_way} | FOREIGN | {("platform", "Reader", "developers")})
    assert [process.poll() for process in site.processes.values()] == [None, None, None]
