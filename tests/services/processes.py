"""Starting a server for the tests, and being sure that it ends."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 10.0


class Missing(Exception):
    """Something the tests need cannot be had here. The message ends in the one line to run."""


def free_port() -> int:
    """A port on the loopback interface that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def first_line(command: Sequence[str]) -> str | None:
    """The first line a program prints, usually its version; None if it is absent or does not run."""
    if not shutil.which(command[0]):
        return None
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip().splitlines()[0] if result.returncode == 0 and result.stdout.strip() else None


def start(command: Sequence[str], *, log: Path, user: str | None = None) -> subprocess.Popen[bytes]:
    """Start a program as the head of its own process group, without a terminal, its output in `log`.

    `user` is for root only: the name to run under, with that user's main group and no other.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            start_new_session=True,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else (),
        )


def stop(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM) -> None:
    """End a program started in its own group: asked politely, then killed with all it left behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, first)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def serving(
    command: Sequence[str],
    *,
    log: Path,
    is_ready: Callable[[], bool],
    user: str | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server until the block ends. Raises Missing, with the end of its log, if it does not become ready."""
    process = start(command, log=log, user=user)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                end = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise Missing(f"{command[0]} does not start:\n{end}")
            time.sleep(0.05)
        yield
    finally:
        stop(process, stop_with)
