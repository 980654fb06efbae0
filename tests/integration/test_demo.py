"""`manage.py demo` as people start it: a process of its own with an empty environment, in a folder of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.services.processes import free_port

PROJECT = Path(__file__).resolve().parents[2]
BARE = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
LAST_LINE = "Ctrl-C ends it all"
FIRST_RUN = "First run: "

pytestmark = pytest.mark.timeout(300)  # the first start carries a whole company into AWS


@dataclass
class Running:
    """A demo that has said its last line. `said` is all it said."""

    process: subprocess.Popen[str]
    port: int
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


def _command(folder: Path, port: int) -> list[str]:
    return [sys.executable, "manage.py", "demo", "--folder", str(folder), "--port", str(port)]


@contextmanager
def _demo(folder: Path) -> Iterator[Running]:
    port = free_port()
    with subprocess.Popen(
        _command(folder, port), cwd=PROJECT, env=BARE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        running = Running(process, port)
        try:
            for line in process.stdout:
                running.said.append(line.rstrip("\n"))
                if LAST_LINE in line:
                    break
            else:
                pytest.fail(process.stderr.read())
            yield running
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=30)


def _refusal(folder: Path, port: int) -> str:
    """What a demo says that does not start."""
    ended = subprocess.run(
        _command(folder, port), cwd=PROJECT, env=BARE, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    return ended.stderr


def _descendants(pid: int) -> dict[int, str]:
    """The processes below `pid`: their ids and command lines."""
    found: dict[int, str] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        found |= {int(child): command} | _descendants(int(child))
    return found


def _wait_for_end(pids: dict[int, str]) -> dict[int, str]:
    """Those that are still there after ten seconds."""
    deadline = time.monotonic() + 10
    while alive := {pid: command for pid, command in pids.items() if _is_alive(pid)}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return alive


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a demo has started from nothing, been looked at, and been stopped with Ctrl-C."""
    folder = tmp_path_factory.mktemp("demo")
    with _demo(folder) as demo:
        assert any(line.startswith(FIRST_RUN) for line in demo.said)
        assert requests.get(f"{demo.url}/healthz/ready", timeout=10).status_code == 200
        processes = _descendants(demo.process.pid)
        assert demo.stop() == 0
        assert _wait_for_end(processes) == {}
    return folder


def test_first_run_reaches_every_kind_of_state(folder: Path) -> None:
    counts = json.loads((folder / "synced.json").read_text(encoding="utf-8"))

    assert 5 <= counts["create"] <= 20
    assert 1 <= counts["update"] <= 3
    assert 1 <= counts["delete"] <= 5
    assert counts["failed"] == 1
    assert counts["waiting"] >= 2
    assert counts["blocked"] >= 5


def test_each_process_has_a_log(folder: Path) -> None:
    logs = {file.stem for file in (folder / "log").iterdir()}

    first = {"migrate", "sync", "console", "second-sync"}
    assert logs == {"kintone", "aws", "entra", *first, "web", "worker", "beat"}


def test_second_start_begins_where_the_first_ended(folder: Path) -> None:
    key = (folder / "secret_key").read_text(encoding="utf-8")
    ports = (folder / "ports.json").read_text(encoding="utf-8")
    with _demo(folder) as demo:
        assert not any(line.startswith(FIRST_RUN) for line in demo.said)
        assert demo.stop(signal.SIGTERM) == 0

    assert (folder / "secret_key").read_text(encoding="utf-8") == key
    assert (folder / "ports.json").read_text(encoding="utf-8") == ports


def test_second_demo_is_refused(folder: Path, tmp_path: Path) -> None:
    with _demo(folder) as demo:
        in_same_folder = _refusal(folder, free_port())
        at_same_port = _refusal(tmp_path, demo.port)

    assert f"A demo already runs in {folder}: {demo.url}." in in_same_folder
    assert f"Port {demo.port} is taken" in at_same_port


def test_person_of_the_cast_signs_in(folder: Path) -> None:
    with _demo(folder) as demo, requests.Session() as browser:
        picker = browser.get(f"{demo.url}/oidc/authenticate/", timeout=10)
        oid = re.search(r"name='oid' value='([^']+)'[^>]*>(?:(?!name='oid').)*橋本 隆", picker.text, re.DOTALL)
        action = re.search(r"<form method='post' action='([^']+)'><ul>", picker.text)
        assert oid
        assert action
        home = browser.post(urljoin(picker.url, unescape(action[1])), data={"oid": oid[1]}, timeout=10)

    assert home.url == f"{demo.url}/"
    assert "橋本 隆" in home.text
    assert "ServiceDeveloper" in home.text


def test_dying_worker_ends_the_demo_with_its_log(folder: Path) -> None:
    with _demo(folder) as demo:
        processes = _descendants(demo.process.pid)
        worker = next(pid for pid, command in processes.items() if " worker " in command)
        os.kill(worker, signal.SIGKILL)
        _said, complaint = demo.process.communicate(timeout=30)

    assert demo.process.returncode == 1
    assert f"worker ended with exit code -9. The last lines of {folder}/log/worker.log:" in complaint
    assert _wait_for_end(processes) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_killed_launcher_takes_everything_along(folder: Path) -> None:
    with _demo(folder) as demo:
        processes = _descendants(demo.process.pid)
        demo.process.kill()
        demo.process.wait()

        assert len(processes) >= 7
        assert _wait_for_end(processes) == {}
