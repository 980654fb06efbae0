"""Starting processes, watching them, and being sure that they end. Knows nothing of what they are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1
STOP_SECONDS = 6.0
"""How long a process may take to end before it is killed."""
_TAIL_LINES = 15


class Stopped(Exception):
    """Somebody asked the launcher to end."""


class ProcessFailed(Exception):
    """A process ended, or did not come up; the text names it and ends with the last lines of its log."""


@dataclass(frozen=True)
class Supervised:
    """One process. One that `ends` does so by itself; those that `outlast` the others are stopped after them."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ends: bool
    outlasts: bool

    def fail(self, what: str) -> ProcessFailed:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return ProcessFailed("\n".join([f"{self.name} {what}. The last lines of {self.log}:", *lines]))


class Supervisor:
    """Runs processes in `folder`, each in a session of its own, so that Ctrl-C reaches the launcher alone.

    Everything that waits raises Stopped after a SIGINT, SIGTERM or SIGHUP, and ProcessFailed when a process ends that
    was to go on. Use it as a context: leaving it ends every process.
    """

    def __init__(self, folder: Path, logs: Path) -> None:
        self._folder, self._logs = folder, logs
        self._running: list[Supervised] = []
        self._signals = 0

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        answer: Path | None = None,
        ends: bool = False,
        outlasts: bool = False,
    ) -> Supervised:
        """Start Python with `arguments`. The log of this start is `<logs>/<name>.log`.

        Standard output goes to the log too, or to the file `answer`. `ends` says that it is to end by itself.
        """
        log = self._logs / f"{name}.log"
        with log.open("wb") as errors, answer.open("wb") if answer else nullcontext(errors) as output:
            process = subprocess.Popen(  # noqa: S603  # the launcher's own list, no shell
                [sys.executable, "-m", "portal.demo.leash", str(os.getpid()), sys.executable, *arguments],
                cwd=self._folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        child = Supervised(name, process, log, ends=ends, outlasts=outlasts)
        self._running.append(child)
        return child

    def check(self) -> None:
        """Raise if it is time to end, or if a process has ended that was to go on."""
        if self._signals:
            raise Stopped
        for child in self._running:
            if not child.ends and child.process.poll() is not None:
                raise child.fail(f"ended with exit code {child.process.returncode}")

    def wait_until(self, is_done: Callable[[], bool], child: Supervised, seconds: float) -> None:
        """Wait for something that `child` brings about. Raises ProcessFailed when it takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while not is_done():
            self.check()
            if time.monotonic() > deadline:
                raise child.fail(f"was not ready after {seconds:.0f} seconds")
            time.sleep(POLL_SECONDS)

    def finish(self, child: Supervised) -> int:
        """Wait for a process that ends by itself, and return its exit code."""
        while child.process.poll() is None:
            self.check()
            time.sleep(POLL_SECONDS)
        return child.process.returncode

    def watch(self) -> None:
        """Go on until somebody ends it."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End every process, those that outlast the others last. A second Ctrl-C kills what is left at once."""
        for is_last in (False, True):
            children = [child for child in self._running if child.outlasts == is_last]
            for child in children:
                child.process.terminate()
            self._wait_for_end(children)
            for child in children:
                _kill(child)
        self._running.clear()

    def _wait_for_end(self, children: list[Supervised]) -> None:
        deadline, signals = time.monotonic() + STOP_SECONDS, self._signals
        while any(child.process.poll() is None for child in children):
            if time.monotonic() > deadline or self._signals > signals:
                return
            time.sleep(POLL_SECONDS)

    def _note_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1


def _kill(child: Supervised) -> None:
    """Kill what is left of a process and of those it started."""
    if child.process.poll() is None:
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
