"""`make test` itself: it must not call a run good that was not."""

import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import run
from tests.services import apt, chromium, postgres, redis_server
from tests.services.processes import Missing, free_port, serving

REPORT = """<testsuites><testsuite name="pytest" tests="5" failures="1" errors="1" skipped="1">
<testcase classname="tests.test_a" name="test_b"><skipped message="only on Linux"/></testcase>
</testsuite></testsuites>"""
GREEN = '<testsuites><testsuite tests="3" failures="0" errors="0" skipped="0"/></testsuites>'
NOTHING = '<testsuites><testsuite tests="0" failures="0" errors="0" skipped="0"/></testsuites>'


def read(folder: Path, text: str, exit_code: int | None) -> run.Result:
    report = folder / "report.xml"
    report.write_text(text)
    return run.read_report("fast", report, exit_code, 1.0)


def test_failures_and_errors_count_as_failed(tmp_path: Path) -> None:
    result = read(tmp_path, REPORT, 1)
    assert (result.passed, result.failed) == (2, 2)


def test_skipped_test_is_named(tmp_path: Path) -> None:
    result = read(tmp_path, REPORT, 1)
    assert "            skipped tests.test_a.test_b: only on Linux" in run.summary([result])


def test_green_report_is_good(tmp_path: Path) -> None:
    assert read(tmp_path, GREEN, 0) == run.Result("fast", passed=3, seconds=1.0)


@pytest.mark.parametrize(
    ("text", "exit_code"), [(GREEN, 1), (GREEN, 3), (GREEN, None), (GREEN, -9), (NOTHING, 0), (NOTHING, 5)]
)
def test_trouble_without_failed_test_counts_as_one(tmp_path: Path, text: str, exit_code: int | None) -> None:
    result = read(tmp_path, text, exit_code)
    assert result.failed == 1
    assert result.reason


def test_pytest_without_report_counts_as_failed(tmp_path: Path) -> None:
    assert run.read_report("fast", tmp_path / "none.xml", -11, 1.0).failed == 1


def test_last_line_is_the_sum() -> None:
    results = [run.Result("fast", passed=3, failed=1), run.Result("browser", passed=4)]
    assert run.summary(results)[-1] == "7 passed, 1 failed"


def test_whole_runs_what_fast_runs_on_real_services() -> None:
    sets, _rest = run.parse(["whole"])
    fast = next(each for each in run.SETS if each.name == "fast")
    assert [(each.paths, each.options) for each in sets] == [(fast.paths, fast.options)]
    names = ("DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL")
    assert [sets[0].environment[name] for name in names] == ["postgres", "redis", "redis"]


def test_without_arguments_everything_but_bench_runs() -> None:
    assert [each.name for each in run.parse([])[0]] == ["fast", "postgres", "integration", "browser"]


def test_words_after_dashes_go_to_pytest() -> None:
    sets, rest = run.parse(["browser", "--", "-k", "sign_in"])
    assert ([each.name for each in sets], rest) == (["browser"], ("-k", "sign_in"))


def test_unknown_set_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        run.parse(["slow"])


def test_set_whose_server_is_missing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.URL_NAME, f"postgres://postgres@127.0.0.1:{free_port()}/postgres")
    needs = run.TestSet("postgres", ("tests",), environment={"DATABASE_URL": "postgres"})
    with ExitStack() as stack:
        result = run.run(needs, run.Services(stack, tmp_path), tmp_path, ())
    assert result.failed == 1
    assert result.reason.endswith("Run: unset TEST_POSTGRES_URL")


def test_set_with_a_failing_test_fails(tmp_path: Path) -> None:
    test = tmp_path / "test_failing.py"
    test.write_text("def test_good(): pass\ndef test_bad(): assert 0\n")
    options = ("-p", "no:django", f"--rootdir={tmp_path}", f"--confcutdir={tmp_path}", "-p", "no:cacheprovider")
    with ExitStack() as stack:
        failing = run.TestSet("fast", (str(test),), options)
        result = run.run(failing, run.Services(stack, tmp_path), tmp_path, ())
    assert (result.passed, result.failed) == (1, 1)


def test_sets_beside_the_first_are_shown_after_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sets = []
    for name in ("first", "second", "third"):
        test = tmp_path / f"test_{name}.py"
        test.write_text(f"def test_it(): print('{name} speaks')")
        options = ("-p", "no:django", f"--rootdir={tmp_path}", f"--confcutdir={tmp_path}", "-p", "no:cacheprovider")
        sets.append(run.TestSet(name, (str(test),), (*options, "-s")))
    with ExitStack() as stack:
        results = run.run_all(sets, run.Services(stack, tmp_path), tmp_path, ())
    assert [(result.name, result.passed) for result in results] == [("first", 1), ("second", 1), ("third", 1)]
    shown = capfd.readouterr().out
    assert shown.index("first speaks") < shown.index("second speaks") < shown.index("third speaks")


def test_bare_pytest_leaves_servers_and_browser_out(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    assert {"integration", "browser", "bench"} <= set(pytestconfig.getini("norecursedirs"))


def test_service_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = iter(["first", "second"])
    monkeypatch.setattr(chromium, "find_chromium", lambda: next(paths))
    with ExitStack() as stack:
        services = run.Services(stack, tmp_path)
        assert services.address("chromium") == services.address("chromium") == "first"


def test_server_that_dies_shows_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such folder'); raise SystemExit(3)"]
    with (
        pytest.raises(Missing, match="no such folder"),
        serving(command, log=tmp_path / "log", is_ready=lambda: False),
    ):
        pass


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def falls_silent(port: int) -> bool:
    """Whether nobody listens within two seconds: the kernel takes a moment to end a killed process."""
    deadline = time.monotonic() + 2
    while listens(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not listens(port)


def test_stop_ends_what_a_server_left_behind(tmp_path: Path) -> None:
    port = free_port()
    child = f"import socket, time; listener = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).wait()"
    with serving([sys.executable, "-c", parent], log=tmp_path / "log", is_ready=lambda: listens(port)):
        pass
    assert falls_silent(port)


def test_server_is_asked_before_it_is_killed(tmp_path: Path) -> None:
    polite = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit('goodbye'))\n"
        "print('up', flush=True)\nsignal.pause()\n"
    )
    log = tmp_path / "log"
    command = [sys.executable, "-c", polite]
    with serving(command, log=log, is_ready=lambda: "up" in log.read_text(), stop_with=signal.SIGINT):
        pass
    assert log.read_text().split() == ["up", "goodbye"]


def program(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_valkey_is_not_taken_for_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valkey = program(tmp_path, "redis-server", "echo 'Valkey server v=8.1.0'")
    monkeypatch.setattr(redis_server, "_candidates", lambda: iter([valkey]))
    monkeypatch.setattr(apt, "may_install", lambda: False)
    with pytest.raises(Missing, match="apt-get install redis-server"):
        redis_server.find_binary()


def test_program_that_tells_no_version_is_no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = program(tmp_path, "chromium", "echo 'please install the snap' >&2; exit 1")
    browser = program(tmp_path, "chrome", "echo 'Chromium 156.0'")
    monkeypatch.delenv(chromium.PATH_NAME, raising=False)
    monkeypatch.setattr(chromium, "_candidates", lambda: iter([note, browser]))
    assert chromium.find_chromium() == browser


def test_postgres_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "postgres", "echo 'postgres (PostgreSQL) 13.9'")
    program(tmp_path, "initdb", "exit 0")
    monkeypatch.setattr(postgres, "_system_folders", lambda: iter([tmp_path]))
    assert postgres.find_binaries(tmp_path, copy=False) != tmp_path


def test_given_redis_that_is_silent_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(redis_server.URL_NAME, f"redis://127.0.0.1:{free_port()}/0")
    with (
        pytest.raises(Missing, match="Run: unset TEST_REDIS_URL"),
        redis_server.redis_server(tmp_path),
    ):
        pass
