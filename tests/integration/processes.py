"""The product's own processes beside a small company: commands, worker, beat."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.services import postgres, redis_server
from tests.services.processes import stop

PROJECT = Path(__file__).resolve().parents[2]
WORKER = (
    "-m", "celery", "--app", "portal", "worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "INFO",
    "--without-gossip", "--without-mingle",
)  # fmt: skip
BEAT = ("-m", "celery", "--app", "portal", "beat", "--loglevel", "INFO", "--max-interval", "1")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        report: dict[str, Any] = json.loads(self.output)
        return report


@dataclass(frozen=True)
class Portal:
    """How processes of the product are started here: their environment, and the folder of their logs."""

    environment: Mapping[str, str]
    folder: Path

    def with_variables(self, **variables: str) -> "Portal":
        return Portal({**self.environment, **variables}, self.folder)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `manage.py …` and go on."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, seconds: float = 60) -> Ended:
        """Run `manage.py …` to its end."""
        return end(self.begin(*arguments), seconds=seconds)

    def start(self, name: str, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        """Start a process of the product that goes on until somebody stops it; what it says is added to its log."""
        with self._log(name).open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @contextmanager
    def running(self, name: str, arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
        """A process of the product that goes on until the block ends; its log is shown when the block fails."""
        process = self.start(name, arguments)
        try:
            yield process
        except BaseException as failure:
            failure.add_note(f"{name}:\n{self._log(name).read_text(errors='replace')[-3000:]}")
            raise
        finally:
            stop(process)


def service_url(name: str) -> str:
    """The address of a server that `make test` has started."""
    if name not in os.environ:
        pytest.fail(f"{name} is not set: run these tests with make test, or python -m tests.run integration")
    return os.environ[name]


@contextmanager
def postgres_database(name: str) -> Iterator[str]:
    """The URL of an empty database of our own, gone with the block."""
    server = service_url(postgres.URL_NAME)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def redis_database(number: int) -> Iterator[str]:
    """The URL of a Redis database that nobody else uses."""
    url = f"{service_url(redis_server.URL_NAME).rpartition('/')[0]}/{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


def describe_portal(folder: Path, **variables: str) -> Portal:
    """The portal with this process's test settings, and `variables` over them."""
    return Portal({**os.environ, "AWS_CONFIG_FILE": str(folder / "none"), **variables}, folder)


def end(process: subprocess.Popen[str], number: signal.Signals | None = None, *, seconds: float = 60) -> Ended:
    """Wait for a command's end, after a signal if one is given."""
    if number is not None:
        process.send_signal(number)
    output, errors = process.communicate(timeout=seconds)
    return Ended(process.returncode, output, errors)


def wait_until(is_so: Callable[[], object], seconds: float = 30.0) -> float:
    """Wait for something to become true; how many seconds it took."""
    begin = time.monotonic()
    while not is_so():
        if time.monotonic() - begin > seconds:
            pytest.fail(f"not so after {seconds:.0f} seconds")
        time.sleep(0.1)
    return time.monotonic() - begin
