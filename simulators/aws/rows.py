"""Rows in the order of a number, with a cheap jump to the row after a given one: what paging needs."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Rows(Generic[T]):
    """An ordered collection. A row keeps its number for life: a page token stays good while others come and go."""

    def __init__(self, rows: Iterable[tuple[int, T]] = ()) -> None:
        self._rows = dict(rows)
        self._numbers = sorted(self._rows)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[T]:
        return (self._rows[number] for number in self._numbers)

    def __contains__(self, number: int) -> bool:
        return number in self._rows

    def add(self, number: int, row: T) -> None:
        if number not in self._rows:
            insort(self._numbers, number)
        self._rows[number] = row

    def remove(self, number: int) -> None:
        del self._rows[number]
        del self._numbers[bisect_left(self._numbers, number)]

    def last(self) -> T:
        return self._rows[self._numbers[-1]]

    def after(self, number: int | None) -> Iterator[tuple[int, T]]:
        """The rows with greater numbers, or all for None."""
        start = 0 if number is None else bisect_right(self._numbers, number)
        for index in range(start, len(self._numbers)):
            yield self._numbers[index], self._rows[self._numbers[index]]
