"""Exports over time: when a new one is made and kept, what is told, and what is forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from syncer import retention, tasks
from syncer.models import Notice, Run, TerraformExport
from syncer.telling.notices import tell_run
from syncer.terraform import exports
from syncer.terraform.exports import checksum_of, find_latest, refresh_if_due, take
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ENDED = {"tell": {"state": "done"}}


def text(*names: str) -> dict[str, str]:
    return {"genkan_assignments.tf": "\n".join(f'resource "a" "{name}" {{\n}}' for name in names)}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the mirror would give; to be changed in place."""
    found = text("one")
    monkeypatch.setattr(exports, "build_files", lambda: dict(found))
    return found


def make_run(**values: Any) -> Run:
    return factories.make_run(**{"steps": ENDED, **values})


def test_without_a_run_nothing_is_made(files: dict[str, str]) -> None:
    assert refresh_if_due() is None
    make_run(kind=Run.Kind.RECORD)
    assert refresh_if_due() is None  # a targeted run has not read everything


def test_new_row_only_where_the_text_differs(files: dict[str, str]) -> None:
    for _number in range(2):
        make_run()
        tasks.export_terraform()
    assert TerraformExport.objects.get().run == Run.objects.latest("pk")
    files |= text("one", "two")
    tasks.export_terraform()
    assert TerraformExport.objects.count() == 1  # no run has come through since
    make_run(kind=Run.Kind.CHANGES)
    tasks.export_terraform()
    assert TerraformExport.objects.count() == 2


def test_slack_hears_once_what_was_not_taken_over_and_when_it_was(files: dict[str, str], settings: Settings) -> None:
    def go() -> list[tuple[str, int]]:
        run = make_run()
        refresh_if_due()
        tell_run(run)
        rows = Notice.objects.filter(key="terraform").order_by("pk")
        return [(row.code, row.params.get("count", 0)) for row in rows]

    assert go() == []  # nothing was ever taken over: nobody uses it
    take(exports.refresh(), None)
    assert go() == []
    files |= text("one", "two")
    assert go() == go() == [("notice_terraform", 1)]
    Notice.objects.update(sent_at=NOW)
    newest = find_latest().newest
    assert newest
    take(newest, None)
    assert go() == [("notice_terraform", 1), ("notice_resolved", 0)]


def test_taking_over_bears_a_name() -> None:
    user: User = factories.make_user("花子")
    row = TerraformExport.objects.create(files=text(), checksum=checksum_of(text()), pending=3)
    take(row, user)
    assert (row.taken_by, row.pending, AuditEvent.objects.get().actor) == ("花子", 0, user)
    assert find_latest().is_taken


def test_old_exports_go_but_the_newest_and_the_one_taken_over(settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    old = NOW - timedelta(days=31)

    def make(name: str, **values: Any) -> TerraformExport:
        return TerraformExport.objects.create(files=text(name), checksum=name, checked_at=old, **values)

    make("first", taken_at=old - timedelta(days=2))
    taken, _between, newest = make("second", taken_at=old), make("third"), make("fourth")
    assert retention.forget_the_past(NOW)["exports"] == 2
    assert set(TerraformExport.objects.all()) == {taken, newest}
