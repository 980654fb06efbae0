"""What is counted and timed while the portal works, and the sums of this process. Pure.

A process adds to its sums, which costs a dictionary's entry; `measured` hands them to the database now and then, where
those of all processes meet. Labels have few values: routes, operations, kinds, never an id or a name.
"""

import os
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

SUM = "sum"  # in the place of a bucket: the seconds of all together
LONGEST_LABEL = 80  # characters; the labels of a series are a column of a table


@dataclass(frozen=True)
class Count:
    """A sum that only grows, for each combination of labels."""

    name: str
    help: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Times(Count):
    """How often something took so many seconds: a histogram with these upper bounds, and one above them all."""

    bounds: tuple[float, ...]


class Series(NamedTuple):
    """One number of a measure: its name, the values of its labels and, of times, the bucket."""

    name: str
    labels: tuple[str, ...]


_PAGE_BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RUN_BOUNDS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_WAIT_BOUNDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)

CALLS = Count(
    "genkan_calls",
    "Requests to AWS, kintone, Slack and GitHub, every try counted, by what came of them.",
    ("service", "operation", "result"),
)
CALL_SECONDS = Count("genkan_call_seconds", "Seconds that these requests took.", ("service", "operation"))
BUDGET_WAIT = Count(
    "genkan_budget_wait_seconds",
    "Seconds that requests to AWS waited for their turn in the token bucket.",
    ("service", "traffic"),
)
CHANGES = Count("genkan_changes", "Changes of runs that have ended.", ("object", "kind", "outcome"))
DATABASE_ERRORS = Count(
    "genkan_database_errors", "Statements and requests that the database failed.", ("where", "kind")
)
RUN_SECONDS = Times("genkan_run_seconds", "How long runs took.", ("kind", "status"), _RUN_BOUNDS)
PAGE_SECONDS = Times(
    "genkan_page_seconds", "How long pages took to be answered.", ("route", "method", "status"), _PAGE_BOUNDS
)
TASK_SECONDS = Times("genkan_task_seconds", "How long tasks took.", ("task", "result"), _RUN_BOUNDS)
TASK_WAIT = Times("genkan_task_wait_seconds", "How long tasks waited for a worker.", ("queue",), _WAIT_BOUNDS)

COUNTS = (CALLS, CALL_SECONDS, BUDGET_WAIT, CHANGES, DATABASE_ERRORS)
TIMES = (RUN_SECONDS, PAGE_SECONDS, TASK_SECONDS, TASK_WAIT)


class Sums:
    """What this process has counted and not handed over yet. Thread safe."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew. A forked process must: its parent hands over these, and may have been holding the lock."""
        self._lock, self._sums = threading.Lock(), defaultdict[Series, float](float)

    def add(self, measure: Count, labels: tuple[str, ...], amount: float = 1) -> None:
        self.put({Series(measure.name, _shorten(labels)): amount})

    def time(self, measure: Times, labels: tuple[str, ...], seconds: float) -> None:
        place, short = bisect_left(measure.bounds, seconds), _shorten(labels)
        bound = str(measure.bounds[place]) if place < len(measure.bounds) else "+Inf"
        self.put({Series(measure.name, (*short, bound)): 1, Series(measure.name, (*short, SUM)): max(seconds, 0.0)})

    def put(self, sums: Mapping[Series, float]) -> None:
        with self._lock:
            for series, amount in sums.items():
                self._sums[series] += amount

    def take(self) -> Mapping[Series, float]:
        """All of them; they are somebody else's now."""
        with self._lock:
            taken, self._sums = self._sums, defaultdict(float)
        return taken


def _shorten(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(label[:LONGEST_LABEL] for label in labels)


SUMS = Sums()
os.register_at_fork(after_in_child=SUMS.forget)
