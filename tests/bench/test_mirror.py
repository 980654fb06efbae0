"""An app of 50,000 records: mirrored from nothing, scanned, looked at, and a whole day of it on a simulated clock."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.kintone import Fault
from syncer.gateways.kintone_usage import DAILY_QUOTA, TIGHT_SHARE
from syncer.records.rhythm import count_pages
from tests.bench.figures import Figures
from tests.integration.processes import PROJECT, describe_portal, postgres_database
from tests.syncer.kintone_days import live_a_day
from tests.syncer.worlds import serve_world

LARGE, SMALL = 50_000, 5_000
PAGE_SECONDS = 0.1  # until kintone has answered a page; the loopback alone takes no time that a network knows
LINES = {"type": "MULTI_LINE_TEXT", "code": "note", "label": "note"}
NOTE = "本番の障害対応のため。" * 20  # 220 characters, as people write them
COMMAND = "import django; django.setup(); from tests.bench import mirroring; mirroring.main()"


def mirror(records: int, folder: Path, database: str, *, latency: float = 0.0) -> dict[str, Any]:
    """The app's readings in a portal that has not seen it yet."""
    folder.mkdir(parents=True)
    with serve_world() as world:
        world.change_form(world.assignments, lambda form: form.update(note=LINES))
        only = world.register("shop", "Reader", "hana", "taro", groups="developers", note=NOTE)
        world.restore(only, updated_at="2026-01-05T01:02:00Z")  # long before the first look
        world.multiply(only, records)
        if latency:
            world.kintone.faults.add(Fault(path="/k/v1/records.json", latency=latency))
        variables = {"DATABASE_URL": database, "CACHE_URL": "locmemcache://bench", "CELERY_BROKER_URL": "memory://"}
        portal = describe_portal(
            folder, **dict(world.environment) | variables, DJANGO_SETTINGS_MODULE="portal.settings"
        )
        migrated = portal.run("migrate", "--no-input", seconds=300)
        assert migrated.code == 0, migrated.errors
        ended = subprocess.run(
            [sys.executable, "-c", COMMAND],
            cwd=PROJECT,
            env=portal.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "SQLite":
        yield f"sqlite:///{folder / 'db.sqlite3'}"
    else:
        with postgres_database(f"genkan_mirror_{folder.name}") as url:
            yield url


def mirror_both(kind: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A small app whose pages take no time, and a large one whose pages do."""
    with empty_database(kind, folder / "small") as database:
        small = mirror(SMALL, folder / "small", database)
    with empty_database(kind, folder / "large") as database:
        return small, mirror(LARGE, folder / "large", database, latency=PAGE_SECONDS)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["PostgreSQL", "SQLite"])
def test_app_of_50_000_records(figures: Figures, tmp_path: Path, kind: str) -> None:
    small, large = mirror_both(kind, tmp_path)
    first, scan, look, pages = large["first"], large["scan"], large["look"], count_pages(LARGE)
    what, begin = "50,000 records", small["first"]
    ratio, alone = first["seconds"] / first["bare"], begin["seconds"] / begin["bare"]
    beside = f"{first['seconds']:.0f} s to {first['bare']:.0f} s; {alone:.1f} × where a page takes no time"
    figures.add(f"{what} mirrored, {kind}: time ÷ bare requests", ratio, "×", at_most=2, beside=beside)
    figures.add(f"{what}: requests beside the form's", first["requests"] - 1, at_most=pages)
    grown = (first["megabytes"] - begin["megabytes"]) * 1024 / (LARGE - SMALL)
    beside = f"{first['megabytes']:.0f} MB, {begin['megabytes']:.0f} MB for 5,000"
    figures.add(f"{what}: memory for each record above 5,000", grown, "KB", at_most=1, beside=beside)
    beside = f"{scan['seconds']:.0f} s to {scan['bare']:.0f} s"
    figures.add(f"{what} scanned: requests beside the form's", scan["requests"] - 1, at_most=pages, beside=beside)
    figures.add(f"{what}: requests of a quiet look", look["requests"], at_most=1, beside=f"{look['seconds']:.2f} s")
    assert (first["requests"], scan["requests"], look["requests"]) == (1 + pages, 1 + pages, 1)


@pytest.mark.parametrize("records", [500, 10_000, LARGE])
def test_day_of_an_app(figures: Figures, records: int) -> None:
    day = live_a_day(records)
    beside = f"{day.scans} scans, {day.longest_gap.total_seconds():.0f} s between two readings at most"
    figures.add(
        f"a day of {records:,} records: requests", day.requests, at_most=TIGHT_SHARE * DAILY_QUOTA, beside=beside
    )
    assert day.requests <= TIGHT_SHARE * DAILY_QUOTA
