"""`stopwatch` times a block; the table at the end of the run gives each as a multiple of the yardstick.

Machines differ and are busy: seconds mean little, ratios within one run do. Nothing here fails for being slow.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

Stopwatch = Callable[[str], AbstractContextManager[None]]
YARDSTICK = "two bare differences of 200,000 and 200,000 assignments"
_TIMES = pytest.StashKey[dict[str, float]]()


@pytest.fixture
def stopwatch(pytestconfig: pytest.Config) -> Stopwatch:
    """`with stopwatch("what"):` times the block."""
    times = pytestconfig.stash.setdefault(_TIMES, {})

    @contextmanager
    def watch(what: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        times[what] = time.perf_counter() - begin

    return watch


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    times = config.stash.get(_TIMES, {})
    yardstick = times.get(YARDSTICK)
    terminalreporter.section("times")
    for what, seconds in times.items():
        ratio = f"{seconds / yardstick:8.1f} ×" if yardstick else " " * 10
        terminalreporter.write_line(f"{seconds:8.3f} s {ratio}  {what}")
