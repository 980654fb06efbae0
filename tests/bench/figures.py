"""What the bench has measured, as a table: each figure beside its bound, and beside what others need."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from time import perf_counter

Stopwatch = Callable[[str], AbstractContextManager[None]]
YARDSTICK = "two bare differences of 200,000 and 200,000 assignments"


@dataclass(frozen=True)
class Figure:
    """One measured value. `bound` is what it must not exceed, or with `at_least` must reach; None: for information."""

    what: str
    value: float
    unit: str = ""
    bound: float | None = None
    at_least: bool = False
    beside: str = ""

    @property
    def verdict(self) -> str:
        if self.bound is None:
            return ""
        is_met = self.value >= self.bound if self.at_least else self.value <= self.bound
        return "ok" if is_met else "MISSED"

    def line(self) -> str:
        bound = "" if self.bound is None else f"{'≥' if self.at_least else '≤'} {_show(self.bound)}"
        cells = f"{self.what:<66}{_show(self.value):>10} {self.unit:<6}{bound:>9}  {self.verdict:<7}{self.beside}"
        return cells.rstrip()


@dataclass
class Figures:
    """Those of one session; `times` are blocks by name, in seconds."""

    rows: list[Figure] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)

    def add(
        self,
        what: str,
        value: float,
        unit: str = "",
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        beside: str = "",
    ) -> None:
        bound = at_most if at_least is None else at_least
        self.rows.append(Figure(what, value, unit, bound, at_least is not None, beside))

    @contextmanager
    def watch(self, what: str) -> Iterator[None]:
        begin = perf_counter()
        yield
        self.times[what] = perf_counter() - begin

    def lines(self) -> list[str]:
        yardstick = self.times.get(YARDSTICK)
        ratios = {what: f"{seconds / yardstick:8.1f} ×" if yardstick else "" for what, seconds in self.times.items()}
        blocks = [f"{seconds:8.3f} s {ratios[what]:>10}  {what}" for what, seconds in self.times.items()]
        return [*(row.line() for row in self.rows), *([""] if blocks else []), *blocks]


def _show(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.2f}"
