"""Redis as Django's cache, which nobody has to have: while it is away nothing is remembered, and no page fails for it.

What is kept there are counts of questions and the keys of Entra ID, both for minutes. The doctor says when it is away.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache

logger = logging.getLogger(__name__)
T = TypeVar("T")


class ForgivingRedisCache(RedisCache):
    """What cannot be asked is not there, and what cannot be kept is lost."""

    def require(self) -> None:
        """Ask Redis whether it is there. Raises redis.RedisError."""
        super().has_key("require")

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or(True, lambda: super(ForgivingRedisCache, self).add(key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(default, lambda: super(ForgivingRedisCache, self).get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _or(None, lambda: super(ForgivingRedisCache, self).set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or(False, lambda: super(ForgivingRedisCache, self).touch(key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return _or(False, lambda: super(ForgivingRedisCache, self).delete(key, version))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return _or(False, lambda: super(ForgivingRedisCache, self).has_key(key, version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return _or(delta, lambda: super(ForgivingRedisCache, self).incr(key, delta, version))

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        return _or({}, lambda: super(ForgivingRedisCache, self).get_many(keys, version))

    def set_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        return _or([*data], lambda: super(ForgivingRedisCache, self).set_many(dict(data), timeout, version))

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        _or(None, lambda: super(ForgivingRedisCache, self).delete_many(keys, version))


class _Rest:
    """How long this process leaves a Redis alone that did not answer: pages must not wait for it again and again."""

    SECONDS = 10.0
    until = 0.0


def _or(otherwise: T, ask: Callable[[], T]) -> T:
    if time.monotonic() < _Rest.until:
        return otherwise
    try:
        return ask()
    except redis.RedisError as error:
        _Rest.until = time.monotonic() + _Rest.SECONDS
        logger.warning("cache: Redis cannot be asked, and is left alone for %d s: %s", _Rest.SECONDS, error)
        return otherwise
