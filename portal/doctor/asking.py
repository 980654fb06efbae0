"""Asking: a check that raises or never ends is a check that failed, and keeps none of the others from an answer."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.db import connections

from portal.doctor.reports import Check, failed
from syncer.gateways.errors import GatewayError
from syncer.states import Reason

logger = logging.getLogger(__name__)

PATIENCE = 8.0  # seconds that an answer is waited for

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """`ask` makes the checks. What it raises, or that it does not end, fails the check `name`."""

    name: str
    ask: Callable[[], Iterable[Check]]


def attempt(name: str, ask: Callable[[], Check]) -> Check:
    """The check that `ask` makes, or the failed check of what it raises."""
    return answer(Question(name, lambda: [ask()]))[0]


def answer(question: Question) -> list[Check]:
    """Ask here and now: for what uses this thread's database."""
    checks: list[Check] = []
    try:
        checks.extend(question.ask())
    except GatewayError as error:
        checks.append(failed(question.name, error.reason))
    except Exception as error:
        logger.exception("doctor: %s failed", question.name)
        text = f"{type(error).__name__}: {error}"[:500]
        checks.append(failed(question.name, Reason("doctor_raised", {"text": text})))
    return checks


def ask_all(questions: Sequence[Question]) -> list[Check]:
    """Ask all at once, each in a thread of its own; the checks in the order of the questions."""
    until = time.monotonic() + PATIENCE
    asked = [(question.name, _begin(partial(answer, question))) for question in questions]
    return [check for name, future in asked for check in _await(name, future, until)]


def within_patience(call: Callable[[], T], *, otherwise: T) -> T:
    """What `call` returns, from another thread; `otherwise` where it hangs. It must not raise."""
    try:
        return _begin(call).result(timeout=PATIENCE)
    except TimeoutError:
        return otherwise


def _await(name: str, future: Future[list[Check]], until: float) -> list[Check]:
    try:
        return future.result(timeout=max(0.0, until - time.monotonic()))
    except TimeoutError:
        return [failed(name, Reason("doctor_no_answer", {"seconds": f"{PATIENCE:g}"}))]


def _begin(call: Callable[[], T]) -> Future[T]:
    """A thread that hangs is left behind, and ends with the process."""
    future: Future[T] = Future()
    threading.Thread(target=_work, args=(call, future), name="doctor", daemon=True).start()
    return future


def _work(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    finally:
        connections.close_all()  # of this thread alone
