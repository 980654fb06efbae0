"""Kill -9 at every call to AWS of a sync of 40 changes, and the sync after it."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench.figures import Figures
from tests.integration.killing import Point, Stage, Verdict, list_points, open_stage

STAGES = 2  # at once; each is a company, its simulators' ports and one process after the other
EVERY = int(os.environ.get("BENCH_KILL_EVERY", "1"))  # of the points; 10 takes a tenth of the time


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[list[Stage]]:
    folders = [tmp_path / str(number) for number in range(STAGES)]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        yield [stack.enter_context(open_stage(folder)) for folder in folders]


@pytest.mark.timeout(3000)
def test_killed_at_every_call(stages: list[Stage], figures: Figures) -> None:
    counts, *_others = [stage.prepare() for stage in stages]
    points = list_points(counts)[::EVERY]

    def play(number: int) -> list[Verdict]:
        stage, share = stages[number], points[number::STAGES]
        return [stage.play(point) for point in share]

    with ThreadPoolExecutor(STAGES) as pool:
        verdicts = [verdict for part in pool.map(play, range(STAGES)) for verdict in part]
    wish = stages[0].wish
    lost = [verdict.point for verdict in verdicts if verdict.end != wish]
    repeated = [(verdict.point, verdict.repeated) for verdict in verdicts if verdict.repeated]
    failed = [(verdict.point, verdict.errors) for verdict in verdicts if verdict.code]
    killed = sum(verdict.was_killed for verdict in verdicts)
    beside = f"{killed} killed; {dict(counts)} calls"
    figures.add("kill -9 at each call of 40 changes, then resumed: points", len(points), beside=beside)
    for what, bad in (("end state differs", lost), ("writes repeated", repeated), ("next sync failed", failed)):
        figures.add(f"kill -9, then resumed: {what}", len(bad), at_most=0)
    assert (lost, repeated, failed) == ([], [], [])
    assert {Point(*point).purpose for point in points} == {"read", "write", "poll"}
