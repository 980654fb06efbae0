"""Hands the sums of this process to the database, where those of all processes meet, and reads them back.

Web servers and workers may share neither a disk nor a Redis; the database they share. A process hands over every few
seconds from a thread of its own: no request and no run ever waits for it. What a killed process had not handed over
is lost. The table is `models.MeasuredSum`; this module is imported before there are models.
"""

import atexit
import json
import logging
import os
import threading
from collections.abc import Mapping, Sequence

from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

from syncer.measures import SUMS, Series, Sums

logger = logging.getLogger(__name__)

SECONDS = 10.0  # between two times that a process hands over
ROWS = 200  # in one statement: SQLite takes so many parameters

_UPSERT = (
    "INSERT INTO syncer_measuredsum (name, labels, value) VALUES {rows} "
    "ON CONFLICT (name, labels) DO UPDATE SET value = syncer_measuredsum.value + EXCLUDED.value"
)


def hand_over(sums: Sums = SUMS) -> None:
    """Add this process's sums to the database's. Where that is away they are kept until the next time."""
    taken = sums.take()
    try:
        _store(taken)
    except Error as error:
        logger.warning("measures: %d sums are not stored yet: %s", len(taken), error)
        sums.put(taken)


def _store(taken: Mapping[Series, float]) -> None:
    # In one order everywhere: two processes that lock the same rows in two orders would wait for each other.
    rows = sorted((series.name, json.dumps(series.labels), amount) for series, amount in taken.items())
    if rows:
        with transaction.atomic():
            for start in range(0, len(rows), ROWS):
                _add(rows[start : start + ROWS])


def _add(rows: Sequence[tuple[str, str, float]]) -> None:
    statement = _UPSERT.format(rows=", ".join(["(%s, %s, %s)"] * len(rows)))
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])


def load_sums() -> dict[Series, float]:
    """What all processes have handed over so far."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT name, labels, value FROM syncer_measuredsum")
        return {Series(name, tuple(json.loads(labels))): value for name, labels, value in cursor.fetchall()}


class Clerk:
    """The thread that hands over. A forked process starts one of its own."""

    def __init__(self) -> None:
        self._lock, self._pid = threading.Lock(), 0

    def begin(self) -> None:
        """Start it, unless it works in this process already."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._work, name="measures", daemon=True).start()
                atexit.register(hand_over)

    def _work(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(SECONDS)
            try:
                hand_over()
            finally:
                connections[DEFAULT_DB_ALIAS].close()


CLERK = Clerk()
