"""One bucket for several processes: what it hands out to patient and urgent callers. Only waiting moves the clock."""

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.gateways.pacing import Grant, Pace, SharedBucket, StoreAway, TokenBucket, hand_out

TEN = Pace(10)
SLACK = 1e-6


@dataclass
class MemoryStore:
    """The bucket of several `SharedBucket`s, kept in this test."""

    pace: Pace
    now: float = 1000.0
    paid_until: float = 0.0
    is_away: bool = False
    asked: int = 0
    slept: list[float] = field(default_factory=list)

    def take(self, *, urgent: bool) -> Grant:
        self.asked += 1
        if self.is_away:
            raise StoreAway("gone")
        paid_until, grant = hand_out(self.paid_until, self.now, self.pace, urgent=urgent)
        if grant.amount:
            self.paid_until = paid_until
        return grant

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def open(self) -> SharedBucket:
        alone = TokenBucket(self.pace.per_second, 1, clock=self.clock, sleep=self.sleep)
        return SharedBucket(self, self.pace, alone, clock=self.clock, sleep=self.sleep)


def send(store: MemoryStore, bucket: SharedBucket, count: int, *, urgent: bool = False) -> list[float]:
    """The times at which requests were let through."""
    times = []
    for _ in range(count):
        bucket.acquire(urgent=urgent)
        times.append(store.now)
    return times


def test_patient_caller_alone_uses_the_whole_rate() -> None:
    store = MemoryStore(TEN)
    times = send(store, store.open(), 1000)
    assert times[-1] - times[0] == pytest.approx(99.9 - TEN.saved, abs=0.11)


def test_patient_caller_alone_is_spread_evenly() -> None:
    store = MemoryStore(TEN, paid_until=1000.0)
    times = send(store, store.open(), 100)
    assert max(later - sooner for sooner, later in pairwise(times)) == pytest.approx(0.15)
    assert min(later - sooner for sooner, later in pairwise(times)) == pytest.approx(0.05)


def test_store_is_asked_once_a_portion() -> None:
    store = MemoryStore(TEN)
    send(store, store.open(), 100)
    assert store.asked <= 2 * 100 / TEN.portion_count


def test_idle_hour_is_worth_what_may_be_saved() -> None:
    store = MemoryStore(TEN, paid_until=1000.0)
    bucket = store.open()
    store.now += 3600
    assert len([time for time in send(store, bucket, 20) if time < 4600.1]) == 6  # half a second's, and what is due


def test_urgent_caller_goes_at_once_before_a_patient_one() -> None:
    store = MemoryStore(TEN)
    send(store, store.open(), 50)
    store.slept.clear()
    send(store, store.open(), 10, urgent=True)
    assert store.slept == []


def test_patient_caller_pays_back_what_urgent_ones_took() -> None:
    store = MemoryStore(TEN, paid_until=1000.0)
    send(store, store.open(), 10, urgent=True)
    assert send(store, store.open(), 1) == [pytest.approx(1001.05)]


def test_who_has_waited_longer_is_served_first() -> None:
    store = MemoryStore(TEN, paid_until=1000.5)
    store.open().acquire()
    assert store.slept[0] == pytest.approx(0.55)  # who was refused before asks again after 0.5 seconds exactly


def test_urgent_callers_take_no_more_than_the_credit() -> None:
    store = MemoryStore(TEN, paid_until=1000.0)
    times = send(store, store.open(), 16, urgent=True)
    assert Counter(times)[1000.0] == 15
    assert times[-1] == pytest.approx(1000.1)


def test_urgent_callers_starve_nobody() -> None:
    store = MemoryStore(TEN)
    patient, urgent = store.open(), store.open()
    store.paid_until = store.now + TEN.credit

    def sleep(seconds: float) -> None:
        """Whoever is kept waiting is overtaken by an urgent caller again."""
        store.now += seconds
        while store.paid_until + TEN.interval <= store.now + TEN.credit - TEN.interval:
            store.take(urgent=True)

    patient._sleep = urgent._sleep = sleep
    assert send(store, patient, 1)[0] - 1000.0 <= SharedBucket.PATIENCE_SECONDS + TEN.furthest + 1


def test_slow_rate_lets_urgent_callers_through_too() -> None:
    store = MemoryStore(Pace(0.5), paid_until=1000.0)
    assert send(store, store.open(), 3, urgent=True) == pytest.approx([1000.0, 1002.0, 1004.0])


def test_clock_set_back_does_not_stop_the_bucket() -> None:
    store = MemoryStore(TEN, paid_until=1000.0 + 3600)
    assert send(store, store.open(), 1) == [1000.0]


def test_unused_portion_is_lost_in_time() -> None:
    store = MemoryStore(TEN)
    bucket = store.open()
    send(store, bucket, 1)
    store.now += 60
    asked = store.asked
    send(store, bucket, 1)
    assert store.asked == asked + 1


@pytest.mark.parametrize("values", [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0)])
def test_impossible_paces_are_refused(values: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="pace"):
        Pace(*values)


# --- The store is away ------------------------------------------------------------------------------------------------


def test_store_away_leaves_the_rate_of_this_process(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore(TEN, is_away=True)
    with caplog.at_level(logging.WARNING):
        times = send(store, store.open(), 101)
    assert times[-1] - times[0] == pytest.approx(10.0)
    assert "the shared bucket is away" in caplog.text


def test_store_away_is_asked_again_after_a_rest() -> None:
    store = MemoryStore(TEN, is_away=True)
    bucket = store.open()
    send(store, bucket, 20)
    assert store.asked == 1
    store.is_away = False
    store.now += SharedBucket.REST_SECONDS
    send(store, bucket, 1)
    assert (store.asked, store.paid_until > 0) == (2, True)


# --- For any pace and callers -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    urgent: bool
    pause: float


paces = st.builds(Pace, st.floats(0.5, 50), st.floats(0, 2), st.floats(0, 1), st.floats(0, 3))
steps = st.lists(st.builds(Step, st.booleans(), st.sampled_from([0, 0, 0, 0.01, 0.3, 2])), max_size=80)


def play(pace: Pace, actions: list[Step]) -> list[tuple[float, bool]]:
    """Callers ask the store itself: when what they got is due, and to whom it went."""
    now, paid_until, sent = 1000.0, 0.0, list[tuple[float, bool]]()
    for step in actions:
        now += step.pause
        state, grant = hand_out(paid_until, now, pace, urgent=step.urgent)
        if grant.amount:
            paid_until = state
            assert paid_until <= now + pace.furthest + SLACK
        else:
            assert grant.wait > 0
        sent += [(max(now, now + grant.wait + number * pace.interval), step.urgent) for number in range(grant.amount)]
    return sorted(sent)


def count_most(times: list[float], window: float) -> int:
    return max((sum(begin <= each <= begin + window for each in times) for begin in times), default=0)


@given(paces, steps, st.sampled_from([0.0, 0.1, 1.0, 5.0]))
def test_no_stretch_of_time_sees_more_than_it_may(pace: Pace, actions: list[Step], window: float) -> None:
    sent = play(pace, actions)
    most = (window + pace.saved + pace.furthest) * pace.per_second + 1
    assert count_most([due for due, _urgent in sent], window) <= most + SLACK


@given(paces, steps, st.sampled_from([0.0, 0.1, 1.0, 5.0]))
def test_patient_callers_never_go_on_credit(pace: Pace, actions: list[Step], window: float) -> None:
    sent = play(pace, actions)
    times = [due for due, urgent in sent if not urgent]
    assert count_most(times, window) <= (window + pace.saved) * pace.per_second + 1 + SLACK


def test_threads_stand_in_line() -> None:
    """Real threads: eight take 200 together, and none of what the store hands out is taken twice or lost."""
    store = MemoryStore(Pace(1000, saved=0, portion=0.005))
    lock, granted, through = threading.Lock(), [0], [0]

    @dataclass
    class Counting:
        def take(self, *, urgent: bool) -> Grant:
            with lock:
                grant = store.take(urgent=urgent)
                granted[0] += grant.amount
                return grant

    def sleep(seconds: float) -> None:
        with lock:
            store.now += seconds

    bucket = SharedBucket(Counting(), store.pace, TokenBucket(1, 1), clock=store.clock, sleep=sleep)

    def work() -> None:
        for _ in range(25):
            bucket.acquire()
            with lock:
                through[0] += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert through[0] == 200
    assert 200 <= granted[0] < 200 + store.pace.portion_count
