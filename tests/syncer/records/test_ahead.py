"""Fetching one page ahead: in order, no further, and nothing left running."""

import threading
from collections.abc import Iterator

import pytest

from syncer.records.ahead import one_ahead


class Pages:
    """Numbers as pages, fetched until `fails_at`."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.count, self.fails_at = count, fails_at
        self.fetched: list[int] = []
        self.stored: list[int] = []
        self.threads: set[str] = set()

    def __iter__(self) -> Iterator[int]:
        for number in range(1, self.count + 1):
            self.threads.add(threading.current_thread().name)
            if number == self.fails_at:
                raise TimeoutError(number)
            self.fetched.append(number)
            yield number


def test_pages_come_in_their_order() -> None:
    pages = Pages(20)
    with one_ahead(iter(pages)) as ahead:
        assert list(ahead) == list(range(1, 21))
    assert pages.threads == {"one-ahead_0"}


def test_no_page_at_all() -> None:
    with one_ahead(iter(Pages(0))) as ahead:
        assert list(ahead) == []


def test_one_page_waits_and_no_more() -> None:
    pages = Pages(20)
    with one_ahead(iter(pages)) as ahead:
        for page in ahead:
            assert len(pages.fetched) <= page + 1


def store_until(pages: Pages, last: int) -> None:
    """Take the pages and fail behind the one numbered `last`."""
    with one_ahead(iter(pages)) as ahead:
        for page in ahead:
            pages.stored.append(page)
            if page == last:
                raise ValueError("stored")


def test_failure_comes_where_its_page_would() -> None:
    pages = Pages(5, fails_at=3)
    with pytest.raises(TimeoutError):
        store_until(pages, 5)
    assert pages.stored == [1, 2]


def test_nothing_runs_on_after_a_failure_of_whoever_takes_them() -> None:
    pages = Pages(20)
    with pytest.raises(ValueError, match="stored"):
        store_until(pages, 1)
    assert not any(thread.name.startswith("one-ahead") for thread in threading.enumerate())
    assert len(pages.fetched) <= 2
