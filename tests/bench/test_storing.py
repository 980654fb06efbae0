"""Reading, planning and storing a run of 200,000 assignments, and the same at a tenth of the size, on PostgreSQL."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulators.aws import Limits
from tests.bench.figures import Figures
from tests.companies import Size, serve_company
from tests.integration.processes import PROJECT, describe_portal, postgres_database

LARGE = Size(users=20_000, groups=0, pairs=2000, each=100)
SMALL = Size(users=2_000, groups=0, pairs=200, each=100)
STATEMENTS_OF_A_PAGE = 20


def measure(size: Size, folder: Path) -> dict[str, Any]:
    """The first run of a portal, whose mirror is empty: every assignment becomes rows."""
    folder.mkdir()
    with (
        serve_company(size, limits=Limits.unthrottled(), latency=0) as company,
        postgres_database(f"genkan_storing_{folder.name}") as database,
    ):
        variables = {"DATABASE_URL": database, "IDENTITY_CENTER_TPS": "1000"}
        variables |= {"CACHE_URL": "locmemcache://bench", "CELERY_BROKER_URL": "memory://"}
        portal = describe_portal(folder, **company.environment | variables, DJANGO_SETTINGS_MODULE="portal.settings")
        migrated = portal.run("migrate", "--no-input", seconds=300)
        assert migrated.code == 0, migrated.errors
        command = [sys.executable, "-m", "tests.bench.storing"]
        ended = subprocess.run(
            command, cwd=PROJECT, env=portal.environment, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    report = found["report"]
    assert (report["status"], report["problems"], report["unresolved"]) == ("done", [], [])
    assert report["counts"]["unchanged"] == size.assignments + size.sets
    return found


@pytest.mark.timeout(1200)
def test_run_of_200_000_assignments(figures: Figures, tmp_path: Path) -> None:
    small, large = measure(SMALL, tmp_path / "small"), measure(LARGE, tmp_path / "large")
    what = "a run of 200,000 assignments"
    beside = f"{small['statements']:,} for 20,000"
    # Assignments, wishes and principals go in as whole columns: a statement for each table, whatever the rows. What
    # grows are the records, which come from kintone in pages of 500 and are taken over page by page.
    pages = (LARGE.pairs - SMALL.pairs) / 500
    figures.add(f"{what}: statements", large["statements"], beside=beside)
    more = (large["statements"] - small["statements"]) / pages
    figures.add(f"{what}: further statements for each page of records", more, at_most=STATEMENTS_OF_A_PAGE)
    figures.add(f"{what}: peak memory", large["megabytes"], "MB", beside=f"{small['megabytes']:.0f} MB for 20,000")
    figures.add(f"{what}: read, planned, stored", large["seconds"], "s", beside=f"{small['seconds']:.0f} s for 20,000")
