"""Webhooks: at most once, at most sixty a minute, for calls about a single record only.

The body says what changed; it carries no signature and is sent once, whatever the receiver answers.
"""

import json
import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import requests

logger = logging.getLogger(__name__)

EventType = Literal["ADD_RECORD", "UPDATE_RECORD", "DELETE_RECORD", "UPDATE_STATUS", "ADD_RECORD_COMMENT"]
EVENT_TYPES: tuple[EventType, ...] = (
    "ADD_RECORD",
    "UPDATE_RECORD",
    "DELETE_RECORD",
    "UPDATE_STATUS",
    "ADD_RECORD_COMMENT",
)

PER_MINUTE = 60  # notifications in one domain; what is more is dropped
MAX_BYTES = 1_000_000
_TIMEOUT = 10.0  # seconds
_LOG_LENGTH = 10  # runs kintone shows for a webhook


@dataclass(frozen=True)
class Target:
    """One webhook of an app."""

    app_id: int
    url: str
    events: tuple[EventType, ...] = EVENT_TYPES


@dataclass(frozen=True)
class Event:
    """Something that happened to one record; `body` is what the notification says beside id, type and app."""

    type: EventType
    app_id: int
    app_name: str
    body: dict[str, Any]


class Webhooks:
    """Sends events to their targets, each from a thread of its own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._sent_at: deque[datetime] = deque()
        self._threads: list[threading.Thread] = []
        self._sequence = 0
        self.targets: list[Target] = []
        self.log: deque[tuple[str, str]] = deque(maxlen=_LOG_LENGTH)  # (event id, outcome), the latest runs

    def fire(self, event: Event) -> None:
        """Notify every target that wants this event, without waiting for it."""
        for target in list(self.targets):
            if target.app_id == event.app_id and event.type in target.events:
                self._send(target, event)

    def wait(self, timeout: float = 5.0) -> None:
        """Until everything fired so far is delivered or given up."""
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(timeout)

    def _send(self, target: Target, event: Event) -> None:
        with self._lock:
            self._sequence += 1
            event_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{target.url}#{self._sequence}"))
            admitted = self._admit()
            body = {
                "id": event_id,
                "type": event.type,
                "app": {"id": str(event.app_id), "name": event.app_name},
                **event.body,
            }
            payload = json.dumps(body, ensure_ascii=False).encode()
            if not admitted or len(payload) > MAX_BYTES:
                self.log.append((event_id, "GAIA_WT02" if not admitted else "too large"))
                return
            thread = threading.Thread(target=self._deliver, args=(target.url, event_id, payload), daemon=True)
            self._threads = [running for running in self._threads if running.is_alive()]
            self._threads.append(thread)
        thread.start()

    def _admit(self) -> bool:
        now = self._now()
        while self._sent_at and self._sent_at[0] <= now - timedelta(minutes=1):
            self._sent_at.popleft()
        if len(self._sent_at) >= PER_MINUTE:
            return False
        self._sent_at.append(now)
        return True

    def _deliver(self, url: str, event_id: str, payload: bytes) -> None:
        try:
            with requests.post(
                url, data=payload, headers={"Content-Type": "application/json"}, timeout=_TIMEOUT
            ) as answer:
                outcome = str(answer.status_code)
        except requests.RequestException as error:
            outcome = type(error).__name__
        logger.debug("webhook: url=%s outcome=%s", url, outcome)
        self.log.append((event_id, outcome))
