"""How often the outside is asked: token buckets, pauses between tries, and a tally of what was sent."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from secrets import SystemRandom
from typing import NamedTuple, Protocol, TypeVar

from syncer.gateways.errors import Temporary

logger = logging.getLogger(__name__)

T = TypeVar("T")
Sleep = Callable[[float], None]

_random = SystemRandom()


class Pacer(Protocol):
    """Something that says when the next request may be sent. Thread safe."""

    def acquire(self, *, urgent: bool = False) -> None:
        """Wait until one request may be sent. Urgent ones go before those that are not, where both share a pacer."""


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

    def acquire(self, *, urgent: bool = False) -> None:
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


# --- One bucket for several processes ---------------------------------------------------------------------------------
#
# Its whole state is one time, `paid_until`: each request pays for one interval more. While it lies in the future there
# is a debt. A patient caller waits until there is none; an urgent one goes at once and leaves the debt to the patient.


_HAIR = 1e-6  # seconds: who is less than this too early is in time


@dataclass(frozen=True)
class Pace:
    """Requests a second, and three amounts, each in seconds' worth of them.

    saved: what an idle time is worth afterwards. portion: what a patient process gets at a time, to be spread evenly.
    credit: how far ahead of their time urgent requests may go, all processes together.
    In no stretch of t seconds are more than t + saved + credit seconds' worth sent: with the defaults and 10 a second
    a burst of 20, which is what AWS's limit of 20 a second seems to allow.
    """

    per_second: float
    saved: float = 0.5
    portion: float = 0.25
    credit: float = 1.5

    def __post_init__(self) -> None:
        if self.per_second <= 0 or min(self.saved, self.portion, self.credit) < 0:
            raise ValueError(f"a pace needs a rate above 0 and amounts of 0 or more: {self}")

    @property
    def interval(self) -> float:
        return 1 / self.per_second

    @property
    def portion_count(self) -> int:
        return max(1, int(self.portion * self.per_second))

    @property
    def furthest(self) -> float:
        """How far `paid_until` may lie ahead, in seconds: with a slow rate, one interval at least."""
        return max(self.credit, self.interval, self.portion)


class Grant(NamedTuple):
    """So many requests: the first in `wait` seconds (at once if below 0), each other one interval after the one before.

    None at all: ask again in `wait` seconds.
    """

    amount: int
    wait: float


def hand_out(paid_until: float, now: float, pace: Pace, *, urgent: bool) -> tuple[float, Grant]:
    """The bucket's next state, and what the caller gets."""
    if paid_until - now > pace.furthest + pace.interval:
        paid_until = now  # never so far ahead by the same clock: it was set back, or another machine's is wrong
    begin = max(paid_until, now - pace.saved)
    if urgent:
        too_early = begin + pace.interval - now - pace.furthest
        return (begin, Grant(0, too_early)) if too_early > _HAIR else (begin + pace.interval, Grant(1, 0.0))
    if begin - now > _HAIR:
        return begin, Grant(0, begin - now)
    return begin + pace.portion_count * pace.interval, Grant(pace.portion_count, begin - now)


class StoreAway(Exception):
    """The place where the bucket is kept does not answer."""


class BucketStore(Protocol):
    """Keeps one bucket for all processes. Thread safe."""

    def take(self, *, urgent: bool) -> Grant:
        """`hand_out`, without anybody in between. Raises StoreAway."""


class SharedBucket:
    """Takes from a bucket that other processes take from as well. Thread safe.

    Patient callers of this process stand in line, and only the first of them asks the store. Where the store is away,
    this process keeps to `alone` and looks again after a rest: no run fails because its bucket does.
    """

    REST_SECONDS = 5.0
    PATIENCE_SECONDS = 5.0  # a patient caller that was kept waiting so long goes on credit: urgent ones starve nobody

    def __init__(
        self,
        store: BucketStore,
        pace: Pace,
        alone: Pacer,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._store, self._pace, self._alone, self._clock, self._sleep = store, pace, alone, clock, sleep
        self._line, self._due = threading.Lock(), deque[float]()
        self._away_until = float("-inf")

    def acquire(self, *, urgent: bool = False) -> None:
        try:
            pause = self._take_at_once() if urgent else self._take_in_line()
        except StoreAway:
            self._alone.acquire(urgent=urgent)
        else:
            if pause > 0:
                self._sleep(pause)

    def _take_at_once(self) -> float:
        return self._ask(lambda _waited: True, courtesy=0.0).wait

    def _take_in_line(self) -> float:
        with self._line:
            self._forget_old()
            if not self._due:
                courtesy = self._pace.interval / 2  # the longer a process waits, the sooner it asks in its turn
                grant = self._ask(lambda waited: waited >= self.PATIENCE_SECONDS, courtesy)
                first = self._clock() + grant.wait
                self._due.extend(first + number * self._pace.interval for number in range(grant.amount))
            return self._due.popleft() - self._clock()

    def _forget_old(self) -> None:
        """What was not used in time is lost, as in any bucket that is full."""
        while self._due and self._due[0] < self._clock() - self._pace.saved:
            self._due.popleft()

    def _ask(self, is_urgent: Callable[[float], bool], courtesy: float) -> Grant:
        """Ask until something is granted; `is_urgent` is told how long that took so far."""
        begin = self._clock()
        while True:
            grant = self._ask_once(urgent=is_urgent(self._clock() - begin))
            if grant.amount:
                return grant
            self._sleep(grant.wait + courtesy)
            courtesy /= 2

    def _ask_once(self, *, urgent: bool) -> Grant:
        if self._clock() < self._away_until:
            raise StoreAway
        try:
            return self._store.take(urgent=urgent)
        except StoreAway as error:
            self._away_until = self._clock() + self.REST_SECONDS
            logger.warning("pace: the shared bucket is away, this process keeps to its own: %s", error)
            raise


# --- Tries and tallies ------------------------------------------------------------------------------------------------


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
