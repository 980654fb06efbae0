"""The pages, the search and the files of a large company, on PostgreSQL: statements, time and memory."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bench.figures import Figures
from tests.integration.processes import PROJECT, Portal, describe_portal, postgres_database

MOST_STATEMENTS, MOST_MILLISECONDS, SEARCH_MILLISECONDS = 40, 150, 100
FLAT = 16  # megabytes that a file of 200,000 rows may take beyond one of 17,000
ASSIGNMENTS, OF_GROUPS = 200_000, 17_000
_SETUP = "import django; django.setup(); from tests.bench import {module}; {module}.main()"


def run(portal: Portal, module: str, *arguments: str) -> dict[str, Any]:
    """A module of the bench in a fresh process with Django; what it printed."""
    command = [sys.executable, "-c", _SETUP.format(module=module), *arguments]
    ended = subprocess.run(command, cwd=PROJECT, env=portal.environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Migrated and full."""
    with postgres_database("genkan_pages") as database:
        variables = {"DATABASE_URL": database, "CACHE_URL": "locmemcache://bench", "CELERY_BROKER_URL": "memory://"}
        portal = describe_portal(
            tmp_path_factory.mktemp("pages"), **variables, DJANGO_SETTINGS_MODULE="portal.settings"
        )
        migrated = portal.run("migrate", "--no-input", seconds=300)
        assert migrated.code == 0, migrated.errors
        counts = run(portal, "seeding")
        assert (counts["people"], counts["accounts"], counts["assignments"]) == (20_000, 1_000, ASSIGNMENTS)
        yield portal


def describe(page: dict[str, Any]) -> str:
    """What stands beside a page's time: ratios to the empty page hold on a busy machine, too."""
    ratio, of_median = page["p95"] / page["empty"], page["median"] / page["empty_median"]
    return (
        f"{ratio:.0f} × empty; median {page['median'] * 1000:.0f} ms, {of_median:.0f} ×; "
        f"{page['statements']} statements, {page['sql'] * 1000:.0f} ms; Python {page['cpu'] * 1000:.0f} ms"
    )


@pytest.mark.timeout(1800)
def test_pages_of_200_000_assignments(figures: Figures, portal: Portal) -> None:
    found = run(portal, "pages")
    pages = found["pages"]
    empty = sorted(page["empty"] for page in pages)[len(pages) // 2] * 1000
    figures.add("an empty page: p95", empty, "ms", beside=f"of {len(pages)} pages the middle one's")
    for page in pages:
        figures.add(f"page: {page['name']}", page["p95"] * 1000, "ms", at_most=MOST_MILLISECONDS, beside=describe(page))
    slowest = sum(page["p95"] * 1000 > MOST_MILLISECONDS for page in pages)
    figures.add("pages above 150 ms", slowest, at_most=0, beside=f"of {len(pages)}")
    most = max(pages, key=lambda page: page["statements"])
    figures.add("pages: most SQL statements", most["statements"], at_most=MOST_STATEMENTS, beside=most["name"])
    for page in found["slow"]:
        figures.add(page["name"], page["median"], "s", beside=describe(page))
    for each in found["searches"]:
        what, beside = f"search: {each['name']}", f"{each['found']} found"
        figures.add(what, each["p95"] * 1000, "ms", at_most=SEARCH_MILLISECONDS, beside=beside)
    assert [page["problem"] for page in [*pages, *found["slow"]] if page["problem"]] == []
    assert all(each["found"] for each in found["searches"])


@pytest.mark.timeout(900)
def test_file_of_200_000_rows(figures: Figures, portal: Portal) -> None:
    small, large = (run(portal, "exports", f"/assignments/?format=csv{more}") for more in ("&kind=group", ""))
    beside = f"{large['seconds'] * 1e6 / large['rows']:.0f} µs a row; {small['seconds']:.1f} s for {small['rows']:,}"
    figures.add(f"a file of {large['rows']:,} rows", large["seconds"], "s", beside=beside)
    figures.add("the same: until its first lines come", large["first"], "s")
    grown = large["megabytes"] - small["megabytes"]
    beside = (
        f"{large['megabytes']:.0f} MB; {small['megabytes']:.0f} MB for {small['rows']:,}, {large['before']:.0f} before"
    )
    figures.add("the same: peak memory", large["megabytes"], "MB", beside=beside)
    figures.add("the same: memory beyond that of 17,000 rows", grown, "MB", at_most=FLAT)
    assert (small["rows"], small["keys"]) == (OF_GROUPS, OF_GROUPS)
    assert (large["rows"], large["keys"]) == (ASSIGNMENTS, ASSIGNMENTS)
