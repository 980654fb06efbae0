"""How often the outside is asked: token buckets, pauses between tries, and a tally of what was sent."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from secrets import SystemRandom
from typing import NamedTuple, Protocol, TypeVar

from syncer.gateways.errors import Temporary

T = TypeVar("T")
Sleep = Callable[[float], None]

_random = SystemRandom()


class Pacer(Protocol):
    """Something that says when the next request may be sent. Thread safe."""

    def acquire(self) -> None:
        """Wait until one request may be sent."""


class Rate(NamedTuple):
    """Requests a second in the long run, and how many at once after a pause."""

    per_second: float
    burst: float


class TokenBucket:
    """Holds the callers of one process to a rate; they are let through in the order they came."""

    def __init__(
        self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic, sleep: Sleep = time.sleep
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a bucket needs a rate above 0 and a burst of 1 or more: {rate}, {burst}")
        self._rate, self._burst, self._clock, self._sleep = rate, burst, clock, sleep
        self._lock = threading.Lock()
        self._tokens, self._filled_at = burst, clock()

    def acquire(self) -> None:
        """Take a token, and wait for it if it is not there yet.

        The token is taken before the wait, on credit: whoever comes later waits longer, and nobody looks twice.
        """
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate) - 1
            self._filled_at = now
            wait = -self._tokens / self._rate
        if wait > 0:
            self._sleep(wait)


@dataclass(frozen=True)
class Backoff:
    """Pauses between tries, in seconds: doubling from `first` up to `longest`, half of each by chance."""

    tries: int
    first: float
    longest: float

    def pause(self, tried: int, asked_for: float | None = None) -> float:
        """The pause after the `tried`-th try; never shorter than what the other side asked for."""
        full = min(self.longest, self.first * 2 ** (tried - 1))
        return max(_random.uniform(full / 2, full), asked_for or 0.0)


def try_again(call: Callable[[], T], backoff: Backoff, worth: tuple[type[Temporary], ...], sleep: Sleep) -> T:
    """Call until it succeeds, the tries are used up, or it fails with something that is not `worth` another try."""
    for tried in range(1, backoff.tries):
        try:
            return call()
        except worth as error:
            sleep(backoff.pause(tried, error.retry_after))
    return call()


class Tally:
    """Counts by name. Thread safe, and its counts are a copy that may be kept."""

    def __init__(self) -> None:
        self._lock, self._counts = threading.Lock(), Counter[str]()

    def add(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def counts(self) -> Counter[str]:
        with self._lock:
            return self._counts.copy()
