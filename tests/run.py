"""`make test`: start what the tests need, run every set of them, stop everything, and say how it went.

`python -m tests.run [SET…] [-- PYTEST ARGUMENTS]` runs some of the sets. Servers are started here and not in a
pytest plug-in: settings are read before any plug-in could change the environment. A set whose servers cannot be had,
that finds no test or that does not end counts as failed; a skipped test is named.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TextIO
from xml.etree import ElementTree

from tests.services import chromium, postgres, redis_server
from tests.services.processes import Missing, stop

ROOT = Path(__file__).resolve().parent.parent
SET_SECONDS = 1200
WORKERS = str(min(os.cpu_count() or 1, 8))
_IN_PARALLEL = ("-n", WORKERS, "--dist", "worksteal", "--max-worker-restart", "0")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class TestSet:
    """Tests that run in one pytest, and end in so many seconds.

    `environment` names, for each variable, the service whose address it takes.
    """

    __test__ = False

    name: str
    paths: tuple[str, ...]
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = SET_SECONDS


@dataclass(frozen=True)
class Result:
    """How one set went. `skipped` holds a line for each test that was left out on purpose."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""


_ROWS_AND_LOCKS = (
    *(
        f"tests/syncer/test_{name}.py"
        for name in (
            "buckets", "leases", "measures", "mirror_records", "mirror_truth", "resuming", "runs",
            "targeted_beside_full", "tasks",
        )
    ),
    "tests/syncer/drafts/test_writing.py",
    "tests/syncer/telling/test_sending.py",
    "tests/portal/test_every_page.py",
    "tests/portal/test_visibility.py",
)  # fmt: skip
_SQLITE = {"DATABASE_URL": "sqlite"}
_SERVERS = {postgres.URL_NAME: "postgres", redis_server.URL_NAME: "redis"}
SETS = (
    TestSet("fast", ("tests",), _IN_PARALLEL, _SQLITE),
    # Where databases may differ: rows, queries and locks. What else is done with them was the same in the fast set.
    TestSet(
        "postgres",
        ("tests/accounts", *_ROWS_AND_LOCKS),
        # The pages of the admin site are Django's own, the same for each database.
        (*_IN_PARALLEL, "-m", "django_db", "--ignore=tests/accounts/test_admin.py"),
        {"DATABASE_URL": "postgres"},
    ),
    TestSet("integration", ("tests/integration",), environment=_SQLITE | _SERVERS),
    TestSet("browser", ("tests/browser",), environment=_SQLITE | {chromium.PATH_NAME: "chromium"}),
)
# On demand: what the fast set runs, on what a company runs it on.
WHOLE = TestSet(
    "whole",
    ("tests",),
    _IN_PARALLEL,
    {"DATABASE_URL": "postgres", "CACHE_URL": "redis", "CELERY_BROKER_URL": "redis", redis_server.URL_NAME: "redis"},
    seconds=3600,
)
BENCH = TestSet("bench", ("tests/bench",), environment=_SQLITE | _SERVERS, seconds=3600)


class Services:
    """The addresses of servers, each started at most once and stopped by `stack`."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._found: dict[str, str | Missing] = {}
        self._lock = threading.Lock()  # two sets run at a time
        self._finders: dict[str, Callable[[], str]] = {
            "sqlite": lambda: f"sqlite:///{folder / 'genkan.sqlite3'}",
            "postgres": lambda: stack.enter_context(postgres.postgres(folder)),
            "redis": lambda: stack.enter_context(redis_server.redis_server(folder)),
            "chromium": chromium.find_chromium,
        }

    def address(self, service: str) -> str:
        """The URL of a server, or a program's path. Raises Missing, each time, when it cannot be had."""
        with self._lock:
            if service not in self._found:
                try:
                    self._found[service] = self._finders[service]()
                except Missing as error:
                    self._found[service] = error
            found = self._found[service]
        if isinstance(found, Missing):
            raise found
        return found


def main(arguments: Sequence[str]) -> int:
    """Run the sets that `arguments` name, all without; the exit code is 0 only if everything passed."""
    chosen, pytest_arguments = parse(arguments)
    for number in _ENDING:
        signal.signal(number, _leave)
    with TemporaryDirectory(prefix="genkan-tests-") as name, ExitStack() as stack:
        folder = Path(name)
        services = Services(stack, folder)
        results = run_all(chosen, services, folder, pytest_arguments)
    print("\n".join(summary(results)))
    return 1 if any(result.failed for result in results) else 0


def parse(arguments: Sequence[str]) -> tuple[tuple[TestSet, ...], tuple[str, ...]]:
    """The sets to run, and what follows `--` for pytest."""
    own = list(takewhile(lambda word: word != "--", arguments))
    known = {each.name: each for each in (*SETS, WHOLE, BENCH)}
    parser = argparse.ArgumentParser(prog="python -m tests.run", description="Run Genkan's tests.")
    parser.add_argument(
        "sets",
        nargs="*",
        metavar="SET",
        help=f"of {', '.join(known)}; without, {', '.join(each.name for each in SETS)}",
    )
    names = parser.parse_args(own).sets
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no such set: {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or SETS, tuple(arguments[len(own) + 1 :])


def run_all(
    chosen: Sequence[TestSet], services: Services, folder: Path, pytest_arguments: Sequence[str]
) -> list[Result]:
    """Run two sets at a time, the first beside the others: those mostly wait for servers and a browser.

    What the others print comes when the first is over, so that it can be read.
    """
    first, *others = chosen
    logs = [folder / f"{each.name}.log" for each in others]

    def run_beside(each: TestSet, log: Path) -> Result:
        with log.open("w") as out:
            return run(each, services, folder, pytest_arguments, out)

    with ThreadPoolExecutor(2) as lanes:
        try:
            leading = lanes.submit(run, first, services, folder, pytest_arguments)
            waiting = [lanes.submit(run_beside, *pair) for pair in zip(others, logs, strict=True)]
            results = [leading.result()]
            for future, log in zip(waiting, logs, strict=True):
                results.append(future.result())
                print(log.read_text(errors="replace"), flush=True)
        except BaseException:
            lanes.shutdown(wait=False, cancel_futures=True)
            for process in tuple(_RUNNING):
                stop(process, signal.SIGINT)
            raise
    return results


def run(
    each: TestSet, services: Services, folder: Path, pytest_arguments: Iterable[str], out: TextIO | None = None
) -> Result:
    """Run one set in a pytest of its own. `out` takes what it prints; our own output does where there is none."""
    print(f"\n--- {each.name}: {' '.join(each.paths)}", flush=True, file=out)
    try:
        addresses = {variable: services.address(service) for variable, service in each.environment.items()}
    except Missing as error:
        return Result(each.name, failed=1, reason=str(error))
    for variable, address in addresses.items():
        print(f"    {variable}={address}", flush=True, file=out)
    report = folder / f"{each.name}.xml"
    command = [sys.executable, "-m", "pytest", *each.paths, *each.options, f"--junit-xml={report}", *pytest_arguments]
    begin = time.monotonic()
    exit_code = _run(command, os.environ | addresses, each.seconds, out)
    return read_report(each.name, report, exit_code, time.monotonic() - begin)


def read_report(name: str, report: Path, exit_code: int | None, seconds: float) -> Result:
    """What pytest's JUnit report says, distrusted: a pytest that failed without a failed test counts as one."""
    root = ElementTree.parse(report).getroot() if report.is_file() else ElementTree.Element("testsuites")
    counts = {key: sum(int(suite.get(key, 0)) for suite in root.iter("testsuite")) for key in _COUNTED}
    failed = counts["failures"] + counts["errors"]
    passed = counts["tests"] - failed - counts["skipped"]
    reason = "" if failed or (passed and exit_code == 0) else _REASONS.get(exit_code, f"pytest ended with {exit_code}")
    return Result(name, passed, failed or int(bool(reason)), tuple(_skipped(root)), seconds, reason)


def summary(results: Sequence[Result]) -> list[str]:
    """The last lines: each set, what was left out, and the sum."""
    lines = [""]
    for result in results:
        reason = f"  {result.reason}" if result.reason else ""
        lines.append(f"{result.name:12}{result.passed:6} passed{result.failed:5} failed{result.seconds:7.0f} s{reason}")
        lines += [f"{'':12}skipped {line}" for line in result.skipped]
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    return [*lines, f"{passed} passed, {failed} failed"]


_COUNTED = ("tests", "failures", "errors", "skipped")
_REASONS = {
    None: "did not end in its time",
    0: "no test ran",
    2: "interrupted, or a module could not be imported",
    4: "pytest was called wrongly, or a folder is not there",
    5: "no test was found",
}


def _skipped(root: ElementTree.Element) -> Iterable[str]:
    for case in root.iter("testcase"):
        if (skipped := case.find("skipped")) is not None:
            yield f"{case.get('classname')}.{case.get('name')}: {skipped.get('message')}"


_RUNNING: set[subprocess.Popen[bytes]] = set()


def _run(command: Sequence[str], environment: Mapping[str, str], seconds: float, out: TextIO | None) -> int | None:
    """The exit code of a program in its own process group; None if it did not end in time. Nothing of it stays."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
    )
    _RUNNING.add(process)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _RUNNING.discard(process)
        stop(process, signal.SIGINT)


def _leave(number: int, _frame: FrameType | None) -> None:
    """End on the first signal, and let nothing disturb the stopping of the servers."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
