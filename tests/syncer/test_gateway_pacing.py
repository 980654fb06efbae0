"""Token buckets, pauses, tries and the tally."""

import threading
from dataclasses import dataclass, field

import pytest

from syncer.gateways.errors import Temporary, Throttled, Unavailable
from syncer.gateways.pacing import Backoff, Tally, TokenBucket, try_again
from syncer.states import Reason

THREE = Backoff(tries=3, first=1.0, longest=8.0)


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def unavailable() -> Unavailable:
    return Unavailable("test:Ask", Reason("test"))


class Service:
    """Fails as told, then answers."""

    def __init__(self, *failures: Temporary) -> None:
        self.failures, self.asked = list(failures), 0

    def ask(self) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def test_bucket_lets_a_burst_through_at_once() -> None:
    time = Time()
    bucket = TokenBucket(10, 3, clock=time.clock, sleep=time.sleep)
    for _ in range(3):
        bucket.acquire()
    assert time.slept == []


def test_bucket_then_holds_to_its_rate() -> None:
    time = Time()
    bucket = TokenBucket(10, 1, clock=time.clock, sleep=time.sleep)
    for _ in range(21):
        bucket.acquire()
    assert time.now == pytest.approx(102.0)


def test_bucket_refills_no_further_than_its_burst() -> None:
    time = Time()
    bucket = TokenBucket(10, 2, clock=time.clock, sleep=time.sleep)
    time.now += 3600
    for _ in range(3):
        bucket.acquire()
    assert time.slept == [pytest.approx(0.1)]


def test_bucket_serves_threads_in_turn() -> None:
    slept: list[float] = []
    bucket = TokenBucket(10, 1, clock=lambda: 0.0, sleep=slept.append)
    threads = [threading.Thread(target=bucket.acquire) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0.5)])
def test_bucket_refuses_impossible_rates(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="bucket"):
        TokenBucket(rate, burst)


@pytest.mark.parametrize(("tried", "full"), [(1, 1.0), (2, 2.0), (3, 4.0), (9, 8.0)])
def test_pauses_double_up_to_the_longest(tried: int, full: float) -> None:
    pauses = [THREE.pause(tried) for _ in range(50)]
    assert min(pauses) >= full / 2
    assert max(pauses) <= full
    assert len(set(pauses)) > 1


def test_pause_is_as_long_as_asked_for() -> None:
    assert THREE.pause(1, 30.0) == 30.0


def test_tries_again_until_there_is_an_answer() -> None:
    time, service = Time(), Service(unavailable(), unavailable())
    assert try_again(service.ask, THREE, (Unavailable,), time.sleep) == "answer"
    assert len(time.slept) == 2


def test_gives_up_after_the_last_try() -> None:
    time, service = Time(), Service(*[unavailable() for _ in range(5)])
    with pytest.raises(Unavailable):
        try_again(service.ask, THREE, (Unavailable,), time.sleep)
    assert (service.asked, len(time.slept)) == (3, 2)


def test_does_not_try_again_what_is_not_worth_it() -> None:
    service = Service(unavailable())
    with pytest.raises(Unavailable):
        try_again(service.ask, THREE, (Throttled,), Time().sleep)
    assert service.asked == 1


def test_waits_as_long_as_the_other_side_asks() -> None:
    time, service = Time(), Service(Throttled("test:Ask", Reason("test"), "", "", 42.0))
    try_again(service.ask, THREE, (Throttled,), time.sleep)
    assert time.slept == [42.0]


def test_tally_hands_out_copies() -> None:
    tally = Tally()
    tally.add("a")
    before = tally.counts()
    tally.add("a")
    assert (before["a"], tally.counts()["a"]) == (1, 2)
