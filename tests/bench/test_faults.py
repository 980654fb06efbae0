"""What goes wrong, and what comes of it: each trouble alone for a few minutes, then whole hours of them at random.

The invariants are judged after each minute by tests/syncer/hours.py, which knows nothing of the product's code.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.bench.figures import Figures
from tests.factories import make_user
from tests.syncer.hours import FULL_RUN_EACH, TROUBLES, begin_hour
from tests.syncer.running import sync
from tests.syncer.worlds import World, point_settings, serve_world

pytestmark = pytest.mark.django_db
HOURS = int(os.environ.get("BENCH_HOURS", "5"))
BEFORE_A_FULL_RUN = FULL_RUN_EACH - 2  # so that a trouble of four minutes meets looks at changes and a full run
REFUSED_FOR_GOOD = 130  # minutes at most until it is tried again: after one hour, and after two more


@pytest.fixture
def world(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    with serve_world() as served:
        point_settings(served, settings, monkeypatch, tmp_path)
        yield served


@pytest.mark.timeout(600)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_over_within_a_cycle(trouble: str, world: World, settings: Settings, figures: Figures) -> None:
    with begin_hour(world, settings, make_user("花", is_staff=True), seed=1) as hour:
        hour.bring_newcomer()
        hour.minute = BEFORE_A_FULL_RUN
        with hour.troubled(trouble):
            for deed in (hour.register, hour.delete, hour.save, hour.edit):
                if hour.hidden is None:
                    deed()
                hour.run_a_minute()
        minutes = hour.settle(REFUSED_FOR_GOOD)
        ends = ", ".join(f"{count} {end}" for end, count in sorted(hour.log[trouble].items()))
        figures.add(f"{trouble}: over after", minutes, "min", at_most=FULL_RUN_EACH, beside=f"runs: {ends or 'none'}")
        assert hour.count_written() == hour.saved


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(1, HOURS + 1))
def test_hour_of_trouble(seed: int, world: World, settings: Settings, figures: Figures) -> None:
    with begin_hour(world, settings, make_user("花", is_staff=True), seed) as hour:
        hour.live(60, list(TROUBLES))
        sync("--full")  # tries again what AWS refused for good
        minutes = hour.settle()
        ends: Counter[str] = sum(hour.log.values(), Counter())
        told = f"{len(hour.log) - 1} troubles, {hour.count_written()} saves, {sum(ends.values())} runs"
        figures.add(f"an hour of trouble, number {seed}: all as wished after", minutes, "min", at_most=1, beside=told)
        assert hour.count_written() == hour.saved
