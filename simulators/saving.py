"""Keeping a simulator's world in a file, so that the demo finds it again as it was left."""

import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Saving:
    """Writes `state()` to `path` soon after each `changed()`, at most a few times a second, atomically."""

    def __init__(self, path: Path, state: Callable[[], dict[str, Any]], delay: float = 0.2) -> None:
        self._path, self._state, self._delay = path, state, delay
        self._dirty, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def changed(self) -> None:
        self._dirty.set()

    def stop(self) -> None:
        """Write what is not written yet, and end."""
        self._stopping.set()
        self._dirty.set()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            self._dirty.wait()
            last = self._stopping.wait(self._delay)
            self._dirty.clear()
            self._write()
            if last:
                return

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {"dir": self._path.parent, "prefix": self._path.name, "delete": False}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", **options) as file:
            json.dump(self._state(), file, ensure_ascii=False)
        Path(file.name).replace(self._path)


def load_state(path: Path) -> dict[str, Any] | None:
    """The state saved at `path`, or None when nothing was saved."""
    if not path.exists():
        return None
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return state
