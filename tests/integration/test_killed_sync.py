"""A sync of 40 changes that is killed at a call to AWS: the next one brings the rest, and repeats nothing."""

import random
from collections.abc import Iterator

import pytest

from tests.integration.killing import Stage, list_points, open_stage

POINTS = 6
SEED = 3


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("killing")) as opened:
        yield opened


@pytest.mark.timeout(400)
def test_killed_sync_is_resumed_without_loss_or_repetition(stage: Stage) -> None:
    """Six points by a seed; `make bench` takes them all."""
    points = list_points(stage.prepare())
    assert len(points) > 100
    for point in random.Random(SEED).sample(points, POINTS):
        verdict = stage.play(point)
        assert (point, verdict.repeated) == (point, {})
        assert (point, verdict.end) == (point, stage.wish)
        assert (point, verdict.code, verdict.errors if verdict.code else "") == (point, 0, "")
