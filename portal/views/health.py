"""For load balancers and orchestrators: does the process answer, and may it be sent requests.

Whoever asks has no sign-in and must never wait: a server that may hang is asked from a thread, one question at a time.
Only the database makes the portal unready. Without broker, worker or beat its pages still work; those are told only.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import KombuError

from portal.celery import app
from syncer.models import Lease, Run

OK, UNREACHABLE, UNAPPLIED, UNKNOWN, LATE = "ok", "unreachable", "unapplied", "unknown", "late"

PATIENCE = 0.9  # seconds that one request waits at most, for all its questions together
GIVE_UP = 10  # seconds after which a question without an answer is asked anew
DATABASE_KEEP, BROKER_KEEP = 1, 10  # seconds that an answer is good for
BEAT_SILENCE = timedelta(minutes=5)  # celery.beat writes what it has run every 3 minutes
WORKER_SILENCE = timedelta(minutes=15)  # the shipped schedule starts a full run every 10 minutes

T = TypeVar("T")


class Probe(Generic[T]):
    """A question that may hang, for askers that must not.

    `ask` waits until PATIENCE seconds after the question was put, whoever put it, and then answers `otherwise`; so it
    does when the question fails.
    """

    def __init__(self, question: Callable[[], T], *, otherwise: T, keep: float) -> None:
        self._question, self._otherwise, self._keep = question, otherwise, keep
        self._lock = threading.Lock()
        self._put_at = 0.0
        self._answer: Future[T] | None = None

    def put(self) -> Future[T]:
        """Put the question, unless it is being answered or the last answer is still good."""
        with self._lock:
            age = time.monotonic() - self._put_at
            if self._answer is None or age > (self._keep if self._answer.done() else GIVE_UP):
                self._put_at = time.monotonic()
                self._answer = Future()
                threading.Thread(target=self._work, args=(self._answer,), name="health", daemon=True).start()
            return self._answer

    def ask(self) -> T:
        answer = self.put()
        try:
            return answer.result(timeout=max(0.0, self._put_at + PATIENCE - time.monotonic()))
        except TimeoutError:
            return self._otherwise

    def _work(self, answer: Future[T]) -> None:
        found = self._otherwise
        try:
            found = self._question()
        finally:  # an error nobody thought of is told by the thread itself, with its traceback
            answer.set_result(found)


@dataclass(frozen=True)
class Ground:
    """What the portal stands on: `database` is ok or unreachable, `migrations` ok, unapplied or unknown."""

    database: str
    migrations: str

    @property
    def bears(self) -> bool:
        return (self.database, self.migrations) == (OK, OK)


NO_GROUND = Ground(UNREACHABLE, UNKNOWN)

# Set once nothing is missing: what this process's code needs stays applied while it runs.
_all_applied = threading.Event()


def examine(connection: BaseDatabaseWrapper) -> Ground:
    """Ask this database whether it answers and whether all migrations are applied."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Ground(OK, _find_migrations(connection))
    except Error:
        return NO_GROUND


def _find_migrations(connection: BaseDatabaseWrapper) -> str:
    if not _all_applied.is_set():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return UNAPPLIED
        _all_applied.set()
    return OK


def _examine_server() -> Ground:
    connection = connections[DEFAULT_DB_ALIAS]  # of this thread alone
    try:
        return examine(connection)
    finally:
        connection.close()


def find_ground() -> Ground:
    """SQLite is a file, which answers or fails at once; a server may hang."""
    connection = connections[DEFAULT_DB_ALIAS]
    return examine(connection) if connection.vendor == "sqlite" else _database.ask()


# Seconds, in the words of Redis; they end the thread, the request has gone on before.
_BROKER_TIMEOUTS = {"socket_connect_timeout": 1, "socket_timeout": 1}


def find_broker(url: str | None = None) -> str:
    """Open a connection to the broker (CELERY_BROKER_URL) and close it: ok or unreachable."""
    try:
        with app.connection_for_write(url, connect_timeout=1, transport_options=_BROKER_TIMEOUTS) as connection:
            connection.ensure_connection(max_retries=0)
            _channel = connection.default_channel  # some transports speak to the broker only here
    except (KombuError, OSError):
        return UNREACHABLE
    return OK


_database: Probe[Ground] = Probe(_examine_server, otherwise=NO_GROUND, keep=DATABASE_KEEP)
BROKER: Probe[str] = Probe(find_broker, otherwise=UNREACHABLE, keep=BROKER_KEEP)


def _judge(last_seen: datetime | None, silence: timedelta) -> str:
    if last_seen is None:
        return UNKNOWN
    return OK if timezone.now() - last_seen <= silence else LATE


def find_beat() -> str:
    """By the last time that beat says it started any task."""
    seen = PeriodicTask.objects.filter(enabled=True).aggregate(seen=Max("last_run_at"))["seen"]
    return _judge(seen, BEAT_SILENCE)


def find_worker() -> str:
    """By the newest trace of work: a run that began or ended, or the heartbeat of one under way."""
    newest = Run.objects.exclude(started_at=None).order_by("-requested_at", "-id").first()
    traces = [newest.started_at, newest.finished_at] if newest else []
    traces.append(Lease.objects.aggregate(seen=Max("heartbeat_at"))["seen"])
    return _judge(max(filter(None, traces), default=None), WORKER_SILENCE)


def _describe_last_run() -> dict[str, Any] | None:
    run = Run.objects.order_by("-requested_at", "-id").first()
    if run is None:
        return None
    return {
        "id": run.pk,
        "kind": run.kind,
        "status": run.status,
        "requested_at": run.requested_at,
        "finished_at": run.finished_at,
    }


def _describe_work(ground: Ground) -> dict[str, Any]:
    if not ground.bears:
        return {"worker": UNKNOWN, "beat": UNKNOWN, "last_run": None}
    return {"worker": find_worker(), "beat": find_beat(), "last_run": _describe_last_run()}


@login_not_required
@require_safe
@cache_control(no_store=True)
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
@cache_control(no_store=True)
def ready(_request: HttpRequest) -> JsonResponse:
    """200 while the database is there with all migrations, else 503; the rest of the body informs."""
    BROKER.put()
    ground = find_ground()
    body = {
        "status": "ok" if ground.bears else "unavailable",
        "database": ground.database,
        "migrations": ground.migrations,
        "broker": BROKER.ask(),
        **_describe_work(ground),
    }
    return JsonResponse(body, status=200 if ground.bears else 503)
