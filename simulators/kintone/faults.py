"""Trouble on demand: what a test wants to go wrong, and when."""

import threading
from dataclasses import dataclass

from simulators.kintone.errors import CATALOGUE, ApiError, Text


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with some of the calls it matches.

    `method` and `path` choose the calls (None: any; the method is the one meant by X-HTTP-Method-Override).
    `nth` is the one matching call it strikes, counted from 1 since it was added; `every` strikes each so-manyth
    call; with neither it strikes each call. `times` ends it after so many strikes.

    What happens, in this order: `latency` seconds pass; `hang` seconds pass and the connection is closed without
    anything done; `code` (a JSON error, its status kintone's and its message ours unless given) or `status` with
    `text` (a plain answer, as gateways give) is answered without anything done; `hang_up` performs the call and
    closes the connection without an answer.
    """

    method: str | None = None
    path: str | None = None
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    status: int = 0
    code: str = ""
    message: str = ""
    text: str = ""
    latency: float = 0.0
    hang: float = 0.0
    hang_up: bool = False

    def matches(self, method: str, path: str) -> bool:
        return self.method in (None, method) and self.path in (None, path)

    def error(self) -> ApiError | None:
        """The JSON error to answer, if it is one."""
        if not self.code:
            return None
        status, message = CATALOGUE.get(self.code, (400, Text("エラー", "Error")))
        if self.message:
            message = Text(self.message, self.message)
        return ApiError(self.status or status, self.code, message.fill())


class Faults:
    """The faults of a world. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._matched: dict[int, int] = {}
        self._struck: dict[int, int] = {}

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._matched.clear()
            self._struck.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that strikes this call; every matching fault counts the call."""
        with self._lock:
            striking = [
                number
                for number, fault in enumerate(self._faults)
                if fault.matches(method, path) and self._strikes(number, fault)
            ]
            if not striking:
                return None
            self._struck[striking[0]] = self._struck.get(striking[0], 0) + 1
            return self._faults[striking[0]]

    def _strikes(self, number: int, fault: Fault) -> bool:
        matched = self._matched[number] = self._matched.get(number, 0) + 1
        if fault.times is not None and self._struck.get(number, 0) >= fault.times:
            return False
        if fault.nth is not None:
            return matched == fault.nth
        return fault.every is None or matched % fault.every == 0
