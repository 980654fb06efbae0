"""Where pages, tasks and the database are counted and timed."""

import sys
import time
from collections.abc import Callable
from typing import Any

from celery import Task
from django.core.signals import got_request_exception
from django.db import Error, IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse

from syncer.measured import CLERK, hand_over
from syncer.measures import DATABASE_ERRORS, PAGE_SECONDS, SUMS, TASK_SECONDS, TASK_WAIT

SENT_AT = "sent_at"  # in the message of a task: seconds since 1970
_METHODS = frozenset({"GET", "HEAD", "POST"})

GetResponse = Callable[[HttpRequest], HttpResponse]
Execute = Callable[[str, Any, bool, dict[str, Any]], Any]

_begun: dict[str, float] = {}  # task id → when, by this process's clock


class PageTimesMiddleware:
    """Times each answer by its route, never by its path. A list that streams counts until it begins."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begin = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in _METHODS else "other"
        labels = (_name_route(request), str(method), f"{response.status_code // 100}xx")
        SUMS.time(PAGE_SECONDS, labels, time.perf_counter() - begin)
        return response


def _name_route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match else "none"


# --- Tasks ------------------------------------------------------------------------------------------------------------


def stamp(headers: dict[str, Any]) -> None:
    """Note in a task's message when it was sent."""
    headers[SENT_AT] = time.time()


def begin_task(task: "Task[..., Any]", task_id: str) -> None:
    """A worker has taken it up: how long it waited, by the clocks of both."""
    request, _begun[task_id] = task.request, time.monotonic()
    sent_at = request.get(SENT_AT)
    if isinstance(sent_at, int | float) and request.delivery_info:
        SUMS.time(TASK_WAIT, (str(request.delivery_info.get("routing_key") or ""),), time.time() - sent_at)


def end_task(task: "Task[..., Any]", task_id: str, state: str | None) -> None:
    begun_at = _begun.pop(task_id, None)
    if begun_at is not None:
        SUMS.time(TASK_SECONDS, (str(task.name), str(state or "").lower()), time.monotonic() - begun_at)


def begin_process(**_kwargs: Any) -> None:
    """A worker, or a process of one, is ready."""
    CLERK.begin()


def end_process(**_kwargs: Any) -> None:
    """A worker's process ends: what it has counted must not end with it."""
    hand_over()


# --- Database ---------------------------------------------------------------------------------------------------------


def watch_database() -> None:
    """Count what the database fails from now on: statements, and requests that it could not even be asked for."""
    connection_created.connect(_watch_connection, dispatch_uid="metrics")
    got_request_exception.connect(_note_request, dispatch_uid="metrics")


def _watch_connection(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    if _execute not in connection.execute_wrappers:
        connection.execute_wrappers.append(_execute)


def _execute(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    try:
        return execute(sql, params, many, context)
    except IntegrityError:  # how two who do the same at once find out; not the database's fault
        raise
    except Error as error:
        SUMS.add(DATABASE_ERRORS, ("statement", type(error).__name__))
        raise


def _note_request(**_kwargs: Any) -> None:
    error = sys.exception()
    if isinstance(error, Error):
        SUMS.add(DATABASE_ERRORS, ("request", type(error).__name__))
