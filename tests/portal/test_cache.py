"""A Redis that is away makes the portal forgetful, nothing else."""

import time

import pytest
import redis
from django.core.cache import cache, caches
from pytest_django import Settings

from portal.cache import ForgivingRedisCache
from portal.doctor import asking, ground
from portal.views.pacing import MOST, PACE, find_wait
from tests.services.processes import free_port


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.cache._Rest.until", 0.0)


@pytest.fixture
def away(settings: Settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "portal.cache.ForgivingRedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}/0",
            "OPTIONS": {"socket_connect_timeout": 1},
        }
    }


def test_what_cannot_be_asked_is_not_there(away: None) -> None:
    cache.set("key", "value")
    assert (cache.get("key"), cache.get("key", "else"), cache.get_many(["key"]), cache.has_key("key")) == (
        None, "else", {}, False,
    )  # fmt: skip
    assert (cache.add("key", 1), cache.incr("key", 2)) == (True, 2)
    assert (cache.touch("key"), cache.delete("key")) == (False, False)
    assert cache.set_many({"key": 1}) == ["key"]
    cache.delete_many(["key"])


def test_redis_that_is_away_is_asked_once_in_a_while(away: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def fail(*arguments: object) -> None:
        asked.append(arguments)
        raise redis.TimeoutError

    monkeypatch.setattr("django.core.cache.backends.redis.RedisCache.get", fail)
    assert [cache.get("key", 0) for _number in range(5)] == [0] * 5
    assert len(asked) == 1


def test_nobody_waits(away: None) -> None:
    assert [find_wait(7, time.time(), kind=PACE, most=MOST) for _number in range(MOST + 1)][-1] == 0


def test_doctor_says_so(away: None) -> None:
    check = asking.attempt("cache", ground.check_cache)
    assert check.status == "fail"
    shared = caches["default"]
    assert isinstance(shared, ForgivingRedisCache)
    with pytest.raises(redis.ConnectionError):
        shared.require()
