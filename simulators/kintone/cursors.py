"""Cursors: a frozen list of record ids, read page by page. Ten live ones in a domain, ten minutes each."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulators.kintone.errors import fail

MAX_CURSORS = 10
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Cursor:
    """What is left to read. Which records was settled when it was made; their values are read with each page."""

    id: str
    app_id: int
    ids: list[int]
    size: int
    fields: list[str] | None
    expires_at: datetime


class Cursors:
    """The live cursors of a domain."""

    def __init__(self) -> None:
        self.live: dict[str, Cursor] = {}
        self.sequence = 0

    def add(self, app_id: int, ids: list[int], *, size: int, fields: list[str] | None, now: datetime) -> Cursor:
        """Raises GAIA_TM12 when ten are alive."""
        self._expire(now)
        if len(self.live) >= MAX_CURSORS:
            raise fail("GAIA_TM12")
        self.sequence += 1
        digest = hashlib.sha256(f"cursor {self.sequence}".encode()).hexdigest()
        cursor_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
        cursor = self.live[cursor_id] = Cursor(cursor_id, app_id, ids, size, fields, now + LIFETIME)
        return cursor

    def find(self, cursor_id: str, now: datetime) -> Cursor:
        """Raises GAIA_CN01 for one that was never made, is used up, deleted or expired."""
        self._expire(now)
        if cursor_id not in self.live:
            raise fail("GAIA_CN01")
        return self.live[cursor_id]

    def advance(self, cursor: Cursor, now: datetime) -> tuple[list[int], bool]:
        """The ids of the next page and whether another follows; the last page ends the cursor."""
        page, rest = cursor.ids[: cursor.size], cursor.ids[cursor.size :]
        if rest:
            self.live[cursor.id] = replace(cursor, ids=rest, expires_at=now + LIFETIME)
        else:
            del self.live[cursor.id]
        return page, bool(rest)

    def remove(self, cursor_id: str, now: datetime) -> None:
        self.find(cursor_id, now)
        del self.live[cursor_id]

    def _expire(self, now: datetime) -> None:
        self.live = {key: cursor for key, cursor in self.live.items() if cursor.expires_at > now}
