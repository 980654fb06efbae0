"""A part of an hour with all kinds of trouble. `make bench` plays whole hours; see tests/bench/test_faults.py."""

import pytest
from pytest_django import Settings

from tests.factories import make_user
from tests.syncer.hours import TROUBLES, begin_hour
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


def test_nothing_is_wrong_at_any_time_and_all_is_as_wished_in_the_end(world: World, settings: Settings) -> None:
    with begin_hour(world, settings, make_user("花", is_staff=True), seed=1) as hour:
        hour.save()
        hour.live(15, list(TROUBLES))
        sync("--full")  # tries again what AWS refused for good
        hour.settle()
        assert hour.count_written() == hour.saved
