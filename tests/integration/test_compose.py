"""docker-compose.yml without an engine: each service of ours is started here by its own command, with exactly the
environment that the file and the image give it, on a real PostgreSQL and a real Redis.

What differs from a container: names of hosts and the port, which another program may have; a folder for the volume.
"""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import yaml

from tests.integration.processes import PROJECT, postgres_database, redis_database, wait_until
from tests.services.processes import free_port, stop
from tests.syncer.worlds import World, serve_world

pytestmark = pytest.mark.timeout(180)

TOKEN = "token-of-the-prometheus-beside-it"
DATABASE = "postgres://genkan:filled-in-postgres-password-of-fifty-characters-or-more@postgres:5432/genkan"
GOING_ON = ("web", "worker", "worker-runs", "beat")
# What celery says before it has a log, where tests run as root; containers do not.
AS_ROOT = re.compile(
    r"^[^{].*SecurityWarning: You're running the worker with superuser(.|\n)*?(?=^\{|\Z)", re.MULTILINE
)
Service = dict[str, Any]


@cache
def list_services() -> dict[str, Service]:
    services: dict[str, Service] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    return {name: service for name, service in services.items() if service["image"] == "genkan"}


@cache
def read_image() -> str:
    """The last stage of the Dockerfile, an instruction a line."""
    return (PROJECT / "Dockerfile").read_text().replace("\\\n", " ").rpartition("\nFROM ")[2]


def read_words(instruction: str) -> list[str]:
    """The words of `CMD`, or of the health check's."""
    words: list[str] = json.loads(re.findall(rf"^\s*{instruction} *(\[.*\])$", read_image(), re.MULTILINE)[0])
    return words


def read_image_variables() -> dict[str, str]:
    """ENV of the last stage, but for the search path."""
    lines = re.findall(r"^ENV (.*)$", read_image(), re.MULTILINE)
    pairs = dict(pair.split("=", 1) for line in lines for pair in line.split())
    return {name: value for name, value in pairs.items() if name != "PATH"}


@dataclass(frozen=True)
class Stack:
    """What `docker compose up` would have: a filled `.env`, and where the others are."""

    filled: Mapping[str, str]
    places: Mapping[str, str]  # as in the file → here
    folder: Path

    def place(self, text: str) -> str:
        for name, here in self.places.items():
            text = text.replace(name, here)
        return text

    def describe(self, name: str) -> dict[str, str]:
        """The environment of a service, and of nothing else on this machine."""
        own = {name: self._fill(str(value)) for name, value in list_services()[name]["environment"].items()}
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        return {**read_image_variables(), "PATH": path, "HOSTNAME": name, **self.filled, **own}

    def _fill(self, value: str) -> str:
        return self.place(re.sub(r"\$\{(\w+)[^}]*\}", lambda match: self.filled[match[1]], value))

    def command_of(self, name: str) -> list[str]:
        """A worker is called after its container, which is this one machine for all here."""
        words = [self.place(word) for word in list_services()[name].get("command", read_words("CMD"))]
        return [*words, "--hostname", f"celery@{name}"] if "worker" in words else words

    def check(self, name: str) -> "subprocess.Popen[str]":
        """Begin its health check."""
        health = list_services()[name].get("healthcheck")
        kind, *words = health["test"] if health else ["CMD", *read_words("HEALTHCHECK .* CMD")]
        words = [self.place(word).replace("$$", "$") for word in words]
        return self._begin(name, ["sh", "-c", *words] if kind == "CMD-SHELL" else words)

    def run(self, name: str) -> "subprocess.Popen[str]":
        return self._begin(name, self.command_of(name))

    def _begin(self, name: str, command: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command, cwd=PROJECT, env=self.describe(name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def read_log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                self.command_of(name), cwd=PROJECT, env=self.describe(name), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            yield
        finally:
            stop(process, signal.SIGKILL)  # how they end is for other tests

    def ask(self, path: str) -> str:
        address = f"http://{self.places['web:8000']}{path}"
        return requests.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).text


def fill_example(values: Mapping[str, str]) -> dict[str, str]:
    """`.env.example` as somebody fills it in: what is not commented out there, and `values`."""
    lines = (PROJECT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    secrets = {name: f"filled-in-{name.lower().replace('_', '-')}-of-fifty-characters-or-more" for name in given}
    return {**secrets, **{name: shlex.split(value)[0] for name, value in given.items() if value}, **values}


@pytest.fixture(scope="module")
def company() -> Iterator[World]:
    with serve_world() as world:
        world.register_set("Reader")
        world.register("shop", "Reader", "hana")
        yield world


@pytest.fixture(scope="module")
def stack(company: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("compose")
    port = free_port()
    with postgres_database("genkan_compose") as database, redis_database(9) as broker, redis_database(10) as cache_url:
        places = {
            DATABASE: database,
            "redis://redis:6379/0": broker,
            "redis://redis:6379/1": cache_url,
            "/backup": str(folder),
            "web:8000": f"127.0.0.1:{port}",
            "localhost:8000": f"127.0.0.1:{port}",
            "0.0.0.0:8000": f"127.0.0.1:{port}",
        }
        filled = fill_example({"METRICS_TOKEN": TOKEN, "SYNC_MODE": "plan", **company.environment})
        yield Stack(filled, places, folder)


@pytest.fixture(scope="module")
def migrated(stack: Stack) -> tuple[int, str]:
    """How the one-shot ended; then the schedule is made quick."""
    process = stack.run("migrate")
    output, _nothing = process.communicate(timeout=90)
    with psycopg.connect(stack.places[DATABASE], autocommit=True) as connection:
        connection.execute("UPDATE django_celery_beat_intervalschedule SET period = 'seconds' WHERE period = 'minutes'")
    return process.returncode, output


@pytest.fixture(scope="module")
def up(stack: Stack, migrated: tuple[int, str]) -> Iterator[Stack]:
    """All that go on, and web answering."""
    with ExitStack() as running:
        for name in GOING_ON:
            running.enter_context(stack.running(name))
        try:
            wait_until(lambda: is_answering(stack), 60)
            yield stack
        except BaseException as failure:
            for name in GOING_ON:
                failure.add_note(f"{name}:\n{stack.read_log(name)[-2000:]}")
            raise


def is_answering(stack: Stack) -> bool:
    try:
        return '"ok"' in stack.ask("/healthz/live")
    except requests.ConnectionError:
        return False


def test_every_service_of_ours_is_tried_here() -> None:
    assert set(list_services()) == {"migrate", *GOING_ON}


def test_migrate_ends_well(migrated: tuple[int, str]) -> None:
    code, output = migrated
    assert code == 0, output


def test_database_and_broker_are_those_of_the_file(up: Stack) -> None:
    told = json.loads(up.ask("/healthz/ready"))
    assert (told["status"], told["database"], told["migrations"], told["broker"]) == ("ok", "ok", "ok", "ok")


def test_each_is_found_healthy_by_its_own_check(up: Stack) -> None:
    wait_until(lambda: all("ready." in up.read_log(name) for name in ("worker", "worker-runs")), 60)
    checks = {name: up.check(name) for name in GOING_ON}
    results = {name: (process.communicate(timeout=60)[0], process.returncode) for name, process in checks.items()}
    assert {name: code for name, (_output, code) in results.items()} == dict.fromkeys(GOING_ON, 0), results


def test_beat_ticks_and_each_worker_takes_from_its_own_queues(up: Stack) -> None:
    wait_until(lambda: "Sending due task" in up.read_log("beat"), 60)
    wait_until(lambda: "syncer.tasks.sweep" in up.read_log("worker-runs"), 60)
    wait_until(lambda: "syncer.tasks.send_notices" in up.read_log("worker"), 60)
    assert "syncer.tasks.run_changes" not in up.read_log("worker-runs")
    assert "syncer.tasks.sweep" not in up.read_log("worker")


def test_every_line_is_json_and_holds_no_secret(up: Stack) -> None:
    for name in GOING_ON:
        for line in AS_ROOT.sub("", up.read_log(name)).splitlines():
            assert json.loads(line)["level"] in ("INFO", "WARNING"), line
            assert "filled-in-" not in line


def test_web_tells_what_workers_counted(up: Stack) -> None:
    wait_until(
        lambda: 'genkan_task_seconds_count{result="success",task="syncer.tasks.sweep"}' in up.ask("/metrics"), 60
    )
    assert 'genkan_queue_messages{queue="runs"}' in up.ask("/metrics")
