"""`stopwatch` times a block; the table of all times stands at the end of the run."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

Stopwatch = Callable[..., AbstractContextManager[None]]
_TIMES = pytest.StashKey[list[tuple[str, float, float]]]()


@pytest.fixture
def stopwatch(pytestconfig: pytest.Config) -> Stopwatch:
    """`with stopwatch("what", limit=seconds):` fails when the block takes longer than its limit."""
    times = pytestconfig.stash.setdefault(_TIMES, [])

    @contextmanager
    def watch(what: str, *, limit: float) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        seconds = time.perf_counter() - begin
        times.append((what, seconds, limit))
        assert seconds < limit, f"{what} took {seconds:.1f} s; {limit:.0f} s are allowed"

    return watch


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("times")
    for what, seconds, limit in config.stash.get(_TIMES, []):
        terminalreporter.write_line(f"{seconds:8.2f} s of {limit:4.0f} s  {what}")
