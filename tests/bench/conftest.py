"""The figures of the session, and the companies that they are measured with.

Machines differ and are busy, so nothing here fails for being slow: a bound that is not met says MISSED in the table.
Wrong results do fail.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.bench.figures import Figures, Stopwatch
from tests.companies import Company, serve_company
from tests.integration.processes import PROJECT
from tests.services import redis_server
from tests.services.processes import stop

_FIGURES = pytest.StashKey[Figures]()


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash.setdefault(_FIGURES, Figures())


@pytest.fixture
def stopwatch(figures: Figures) -> Stopwatch:
    """`with stopwatch("what"):` times the block; the table gives it as a multiple of the yardstick."""
    return figures.watch


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """The URL of a Redis database that nobody else uses."""
    if redis_server.URL_NAME not in os.environ:
        pytest.fail("run the bench with make bench, or python -m tests.run bench")
    url = f"{os.environ[redis_server.URL_NAME].rpartition('/')[0]}/13"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture(scope="session")
def company() -> Iterator[Company]:
    """The large company: 200 accounts, 100 sets, 300 users, 1,000 pairs, 3,000 assignments."""
    with serve_company() as served:
        yield served


@pytest.fixture(scope="session")
def going_on() -> Iterator[subprocess.Popen[bytes]]:
    """The 1,200 operations, in processes of their own: they wait for AWS while other figures are taken."""
    command = [sys.executable, "-m", "tests.bench.applying"]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, start_new_session=True)
    yield process
    stop(process)


@pytest.fixture(scope="session", autouse=True)
def _begin_early(request: pytest.FixtureRequest) -> None:
    """What is waited for at the end begins with the session."""
    if any("going_on" in item.fixturenames for item in request.session.items if isinstance(item, pytest.Function)):
        request.getfixturevalue("going_on")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: isinstance(item, pytest.Function) and "going_on" in item.fixturenames)


@pytest.fixture
def _pointed(company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """boto3 of this process talks to the company."""
    for name, value in company.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash.get(_FIGURES, None)
    if figures:
        terminalreporter.section("figures")
        for line in figures.lines():
            terminalreporter.write_line(line)
