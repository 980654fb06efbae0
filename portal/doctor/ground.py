"""What the portal itself stands on: settings, keys, database, cache, broker, worker and beat."""

from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.checks import CheckMessage
from django.core.checks.security.base import check_secret_key, check_secret_key_fallbacks
from django.db import DEFAULT_DB_ALIAS, Error, connections
from redis import RedisError

from portal.cache import ForgivingRedisCache
from portal.checks import check_sign_in
from portal.doctor.asking import within_patience
from portal.doctor.reports import Check, failed, passed, warned, wrong_settings
from portal.environment import is_loopback
from portal.views import health
from syncer.required import find_missing
from syncer.states import Reason

# --- Settings -----------------------------------------------------------------------------------------------------


def check_settings() -> Check:
    """Every setting that web, worker and beat need is there; what is missing or wrong is named with an example."""
    found = [*wrong_settings, *find_missing("web", "kintone", "aws")]
    if found:
        return failed("settings", Reason("settings_missing", {"text": "\n".join(found)}))
    return passed("settings", Reason("doctor_settings"))


def check_key() -> Check:
    """Django's own opinion of SECRET_KEY and its fallbacks."""
    asked = {"SECRET_KEY": check_secret_key, "SECRET_KEY_FALLBACKS": check_secret_key_fallbacks}
    if weak := [name for name, check in asked.items() if check(None)]:
        return failed("secret_key", Reason("doctor_key_weak", {"text": ", ".join(weak)}))
    return passed("secret_key", Reason("doctor_key"))


def check_public_url() -> Check:
    """http is good on this very machine only; so say the settings, and a process that was started before them."""
    name, url = "public_url", settings.PUBLIC_URL
    if url.startswith("https://"):
        return passed(name, Reason("doctor_url", {"url": url}))
    if is_loopback(url):
        return passed(name, Reason("doctor_url_local", {"url": url}))
    return failed(name, Reason("doctor_url_open", {"url": url}))


def check_sign_in_settings() -> Check:
    """What `manage.py check --deploy` says of the sign-in."""
    if find_missing("web"):
        return warned("sign_in", Reason("doctor_skipped", {"cause": "settings"}))
    found = check_sign_in()
    if found:
        return failed("sign_in", Reason("doctor_sign_in_weak", {"text": _quote(found)}))
    return passed("sign_in", Reason("doctor_sign_in"))


def _quote(messages: list[CheckMessage]) -> str:
    return " ".join(str(message.msg) for message in messages)


# --- Database -----------------------------------------------------------------------------------------------------


def check_database() -> Iterator[Check]:
    """Whether it answers; then whether it has all migrations. A server may hang, and is asked from a thread first."""
    connection = connections[DEFAULT_DB_ALIAS]
    is_server = connection.vendor != "sqlite"
    trouble = within_patience(_find_trouble, otherwise="no answer") if is_server else _find_trouble()
    if trouble:
        yield failed("database", Reason("doctor_database_away", {"text": trouble}))
        return
    yield passed("database", Reason("doctor_database", {"kind": connection.display_name}))
    if health.examine(connection).migrations == health.OK:
        yield passed("migrations", Reason("doctor_migrations"))
    else:
        yield failed("migrations", Reason("doctor_migrations_missing"))


def _find_trouble() -> str:
    """What the database says against a question; empty when it answers."""
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


# --- Cache, broker, worker, beat ------------------------------------------------------------------------------------


def check_cache() -> Check:
    """Where the cache is a server, whether it answers."""
    shared = caches[DEFAULT_CACHE_ALIAS]
    if not isinstance(shared, ForgivingRedisCache):
        return passed("cache", Reason("doctor_cache_memory"))
    try:
        shared.require()
    except RedisError as error:
        return failed("cache", Reason("doctor_cache_away", {"text": str(error)}))
    return passed("cache", Reason("doctor_cache"))


def check_broker() -> Check:
    kind = settings.CELERY_BROKER_URL.partition("://")[0]
    if health.find_broker() == health.OK:
        return passed("broker", Reason("doctor_broker", {"kind": kind}))
    return failed("broker", Reason("doctor_broker_away", {"kind": kind}))


def check_worker() -> Check:
    return _judge(
        "worker",
        health.find_worker,
        seen=Reason("doctor_worker"),
        late=Reason("doctor_worker_late", {"minutes": _minutes(health.WORKER_SILENCE.total_seconds())}),
        never=Reason("doctor_worker_never"),
    )


def check_beat() -> Check:
    return _judge(
        "beat",
        health.find_beat,
        seen=Reason("doctor_beat"),
        late=Reason("doctor_beat_late", {"minutes": _minutes(health.BEAT_SILENCE.total_seconds())}),
        never=Reason("doctor_beat_never"),
    )


def _judge(name: str, find: Callable[[], str], *, seen: Reason, late: Reason, never: Reason) -> Check:
    found = find()
    if found == health.OK:
        return passed(name, seen)
    return failed(name, late) if found == health.LATE else warned(name, never)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g}"
