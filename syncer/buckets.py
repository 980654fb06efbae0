"""Where the token bucket of all processes is kept: in Redis, or in a row of the database where there is none.

What is handed out is for `gateways.pacing` to say. Neither store ever takes part in a transaction of a run: a row that
is changed in one would keep all other processes waiting until its end, and come back with its failure.
"""

import time
from collections.abc import Callable
from contextlib import closing
from functools import cache

import redis
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from redis.backoff import NoBackoff
from redis.retry import Retry

from syncer.gateways.pacing import Grant, Pace, StoreAway, hand_out

SECONDS_TO_ANSWER = 0.5  # waiting longer costs more than what this process might send too much

# `hand_out`, in Redis and by its clock. Lua's own way to write a number would lose the microseconds.
_SCRIPT = """
local interval, saved, furthest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count, urgent = tonumber(ARGV[4]), ARGV[5] == 'urgent'
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local paid_until = tonumber(redis.call('GET', KEYS[1]) or '0')
if paid_until - now > furthest + interval then paid_until = now end
local begin = math.max(paid_until, now - saved)
local wait = begin - now
if urgent then wait = math.max(0, begin + interval - now - furthest) end
if wait > 0.000001 then return {0, string.format('%.6f', wait)} end
redis.call('SET', KEYS[1], string.format('%.6f', begin + count * interval), 'EX', 3600)
return {count, string.format('%.6f', wait)}
"""


class RedisStore:
    """A bucket in Redis, by Redis's own clock."""

    def __init__(self, url: str, name: str, pace: Pace) -> None:
        self._client, self._key, self._pace = _connect_redis(url), f"genkan:bucket:{name}", pace
        self._script = self._client.register_script(_SCRIPT)

    def take(self, *, urgent: bool) -> Grant:
        pace = self._pace
        count = 1 if urgent else pace.portion_count
        arguments = (pace.interval, pace.saved, pace.furthest, count, "urgent" if urgent else "patient")
        try:
            granted, wait = self._script(keys=[self._key], args=arguments)
        except redis.RedisError as error:
            raise StoreAway(str(error)) from error
        return Grant(int(granted), float(wait))


@cache
def _connect_redis(url: str) -> redis.Redis:
    """One pool of connections a process: it may be used by threads and after a fork."""
    return redis.Redis.from_url(
        url,
        socket_timeout=SECONDS_TO_ANSWER,
        socket_connect_timeout=SECONDS_TO_ANSWER,
        retry=Retry(NoBackoff(), 1),  # once more at once, for a connection that was closed while nobody used it
    )


class DatabaseStore:
    """A bucket in a row, by this machine's clock.

    It has a connection of its own for each question: the caller's may be in a transaction, and threads that read have
    none that anybody would close.
    """

    TRIES = 20

    def __init__(self, name: str, pace: Pace, clock: Callable[[], float] = time.time) -> None:
        self._name, self._pace, self._clock = name, pace, clock

    def take(self, *, urgent: bool) -> Grant:
        try:
            with closing(_copy_connection()) as connection, connection.cursor() as cursor:
                return self._take(cursor, urgent=urgent)
        except Error as error:
            raise StoreAway(str(error)) from error

    def _take(self, cursor: CursorWrapper, *, urgent: bool) -> Grant:
        for _ in range(self.TRIES):
            found = self._find(cursor)
            paid_until, grant = hand_out(found, self._clock(), self._pace, urgent=urgent)
            if not grant.amount or self._replace(cursor, found, paid_until):
                return grant
        raise StoreAway("too many processes take from the bucket at the same moment")

    def _find(self, cursor: CursorWrapper) -> float:
        cursor.execute("SELECT paid_until FROM syncer_bucket WHERE name = %s", [self._name])
        row = cursor.fetchone()
        if row:
            return float(row[0])
        insert = "INSERT INTO syncer_bucket (name, paid_until) VALUES (%s, 0) ON CONFLICT DO NOTHING"
        cursor.execute(insert, [self._name])
        return 0.0

    def _replace(self, cursor: CursorWrapper, old: float, new: float) -> bool:
        """Write the new state if the old one still stands; whether it did."""
        update = "UPDATE syncer_bucket SET paid_until = %s WHERE name = %s AND paid_until = %s"
        cursor.execute(update, [new, self._name, old])
        return bool(cursor.rowcount)


def _copy_connection() -> BaseDatabaseWrapper:
    """Another connection to the database, with little patience for a lock: SQLite's writer may be this very thread."""
    connection = connections["default"].copy()
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = SECONDS_TO_ANSWER
    return connection
