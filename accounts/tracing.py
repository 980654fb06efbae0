"""What the work of this moment belongs to: a request, a task, a run, a draft. Each line of the log says it.

Pure. The ids lie in a context variable: each thread and each task has its own, and a pool's threads get those of
whoever gave them work.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

REQUEST = "request_id"  # beside it there are task, task_id, run_id, draft_id

_NONE: Mapping[str, str] = MappingProxyType({})
_ids: ContextVar[Mapping[str, str]] = ContextVar("ids", default=_NONE)


def current_ids() -> Mapping[str, str]:
    """The ids that are known here, by name."""
    return _ids.get()


@contextmanager
def working_on(**ids: object) -> Iterator[None]:
    """Until the block ends, its work belongs to these as well; an empty value is none."""
    token = _ids.set({**_ids.get(), **{name: str(value) for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _ids.reset(token)


class TracedPool(ThreadPoolExecutor):
    """A pool of threads whose work belongs to what its giver worked on."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        ids = current_ids()

        def work() -> T:
            with working_on(**ids):
                return fn(*args, **kwargs)

        return super().submit(work)
