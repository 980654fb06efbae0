"""Pages that are fetched one ahead: kintone answers the next while the one before is stored. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from accounts.tracing import TracedPool

T = TypeVar("T")


@contextmanager
def one_ahead(pages: Iterator[T]) -> Iterator[Iterator[T]]:
    """The pages in their order, never more than one waiting; what fetching raises comes where its page would.

    All of them are asked for in one thread of its own, which is over when the block is left, whatever happened in it:
    a page that nobody takes any more has then been answered.
    """
    with TracedPool(1, thread_name_prefix="one-ahead") as pool:

        def take() -> Iterator[T]:
            coming = pool.submit(next, pages, None)
            while (page := coming.result()) is not None:
                coming = pool.submit(next, pages, None)
                yield page

        yield take()
