"""The folder of a demo: what it keeps between two starts, and that only one demo uses it at a time."""

import fcntl
import hashlib
import json
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class DemoRefused(Exception):
    """The demo cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class DemoFolder:
    """Paths below one folder. `reset` removes what stands here by name and nothing else."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "portal.sqlite3"

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def answers(self) -> Path:
        """What processes say on standard output: one JSON object each."""
        return self.path / "answers"

    @property
    def broker(self) -> Path:
        return self.path / "broker"

    def state_of(self, simulator: str) -> Path:
        """Where a simulator keeps its world."""
        return self.path / f"{simulator}.json"

    def away_of(self, simulator: str) -> Path:
        """As long as somebody leaves a file there, the service is under maintenance."""
        return self.path / "away" / simulator

    @contextmanager
    def occupied(self, url: str) -> Iterator[None]:
        """Keep other demos out while the block runs. Raises DemoRefused if one is in."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise DemoRefused(
                    f"A demo already runs in {self.path}: {lock.read() or 'it has just started'}. "
                    "Stop it with Ctrl-C, or start this one with another --folder and --port."
                ) from error
            lock.truncate(0)
            lock.write(url)
            lock.flush()
            yield

    def reset(self) -> None:
        """Forget everything a demo has kept."""
        for folder in (self.logs, self.answers, self.broker, self.path / "away"):
            shutil.rmtree(folder, ignore_errors=True)
        kept = (
            "portal.sqlite3*",
            "kintone.json*",
            "aws.json*",
            "entra.json*",
            "ports.json",
            "secret_key",
            "synced.json",
        )
        for pattern in kept:
            for file in self.path.glob(pattern):
                file.unlink()

    def prepare(self) -> None:
        """Make the folders. Messages of an earlier start go: what is to be done stands in the database."""
        for folder in (self.broker, self.path / "away"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.logs, self.answers, self.path / "away", self.broker / "queue", self.broker / "control"):
            folder.mkdir(parents=True, exist_ok=True)

    def secret_key(self) -> str:
        """The signing key, made at the first start: sessions outlive a restart."""
        file = self.path / "secret_key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(50), encoding="utf-8")
        return file.read_text(encoding="utf-8")

    def webhook_token(self) -> str:
        """What the simulated kintone proves itself with; of the key, so that it outlives a restart as well."""
        return hashlib.sha256(f"webhook {self.secret_key()}".encode()).hexdigest()[:32]

    def choose_ports(self, names: tuple[str, ...]) -> dict[str, int]:
        """A free port for each name, the one of the last start where that is possible."""
        file = self.path / "ports.json"
        known: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        ports = {name: known[name] if name in known and is_free(known[name]) else find_free_port() for name in names}
        file.write_text(json.dumps(ports), encoding="utf-8")
        return ports

    @property
    def is_synced(self) -> bool:
        """The first run has been made on this database."""
        return (self.path / "synced.json").exists()

    def mark_synced(self, outcome: dict[str, Any]) -> None:
        (self.path / "synced.json").write_text(json.dumps(outcome, ensure_ascii=False), encoding="utf-8")


def is_free(port: int) -> bool:
    """Whether a server could listen at the port of the loopback interface now."""
    with socket.socket() as listener:
        # As servers do: connections that are still closing do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
