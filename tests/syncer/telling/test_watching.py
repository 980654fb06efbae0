"""The watch: what it finds in the database and the settings, told once, and over when it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from accounts.models import Stop
from simulators.entra import make_certificate
from syncer import tasks
from syncer.models import Notice, Run, SecretEnd
from syncer.telling.messages import render_notice
from syncer.telling.notices import tell_run
from syncer.telling.watching import FULL_RUN, watch
from tests.factories import make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    """A time at which the database is old."""
    MigrationRecorder.Migration.objects.update(applied=timezone.now() - timedelta(days=9))
    return timezone.now()


def make_old_run(minutes: int, **values: Any) -> Run:
    at = timezone.now() - timedelta(minutes=minutes)
    return make_run(requested_at=at, started_at=at, finished_at=at, **values)


def standing() -> list[str]:
    return list(Notice.objects.filter(ended_at=None).order_by("key").values_list("key", flat=True))


def test_silence_is_told_though_no_run_begins(now: datetime) -> None:
    make_old_run(45)
    tasks.watch()
    tasks.watch()
    [notice] = Notice.objects.all()
    assert "45 分間" in render_notice(notice)


def test_calm_portal_is_told_nothing(now: datetime) -> None:
    make_old_run(5)
    watch(now)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "changes"},
        {"kind": "record"},
        {"status": "failed", "steps": {"wish": {"state": "failed"}}},
        {"status": "failed", "error": {"code": "lease_lost"}},
        {"status": "running", "steps": {}},
        {"status": "lost", "steps": {}},
    ],
)
def test_other_runs_and_failed_ones_break_no_silence(now: datetime, values: dict[str, Any]) -> None:
    make_old_run(45)
    make_old_run(3, **values)
    watch(now)
    assert standing() == ["watch:no_run"]


def test_run_in_which_aws_refused_something_came_through(now: datetime) -> None:
    make_old_run(3, status="failed", error={"code": "changes_failed"})
    watch(now)
    assert standing() == []


def test_silence_is_over_when_a_run_comes_through(now: datetime) -> None:
    make_old_run(45)
    watch(now)
    Notice.objects.update(sent_at=now)
    make_old_run(0)
    watch(now)
    watch(now)
    assert standing() == []
    assert [notice.code for notice in Notice.objects.order_by("pk")] == ["notice_no_run", "notice_resolved"]


def test_database_that_never_saw_a_run_is_told_after_its_first_half_hour(now: datetime) -> None:
    watch(now)
    assert Notice.objects.get().code == "notice_no_run_yet"


def test_new_database_is_given_its_time() -> None:
    MigrationRecorder.Migration.objects.update(applied=timezone.now())
    watch(timezone.now())
    assert standing() == []


def test_pause_says_nothing_of_runs_and_ends_nothing(now: datetime) -> None:
    make_old_run(45)
    watch(now)
    Notice.objects.update(sent_at=now)
    Stop.objects.create(kind=Stop.Kind.PAUSE, reason="work", begun_by=make_user(), until=now + timedelta(hours=1))
    watch(now)
    assert Notice.objects.count() == 1
    assert standing() == ["watch:no_run"]
    Notice.objects.all().delete()
    watch(now)
    assert standing() == []


def test_plan_mode_without_a_schedule_is_silent(now: datetime, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    make_old_run(45, mode="plan")
    watch(now)
    assert standing() == ["watch:no_run"]
    Notice.objects.all().delete()
    PeriodicTask.objects.filter(task=FULL_RUN).update(enabled=False)
    watch(now)
    assert standing() == []


def test_daily_schedule_is_not_hurried(now: datetime) -> None:
    interval = PeriodicTask.objects.get(task=FULL_RUN).interval
    interval.every, interval.period = 1, "days"
    interval.save()
    make_old_run(23 * 60)
    watch(now)
    assert standing() == []


def test_runs_leave_alone_what_the_watch_told(now: datetime) -> None:
    SecretEnd.objects.create(kind="entra_secret", ends_on=timezone.localdate() + timedelta(days=5))
    make_old_run(1)
    watch(now)
    before = standing()
    tell_run(make_run())
    assert standing() == before != []


def test_watch_leaves_alone_what_runs_told(now: datetime) -> None:
    make_old_run(1)
    tell_run(make_run(status="failed", steps={}, error={"code": "kintone_unreachable", "params": {}}))
    watch(now)
    assert standing() == ["run:kintone_unreachable"]


def test_end_of_a_secret_is_told_by_its_name_and_leads_to_its_page(now: datetime) -> None:
    make_old_run(1)
    row = SecretEnd.objects.create(kind="scim_token", name="A&B", ends_on=timezone.localdate() + timedelta(days=5))
    watch(now)
    notice = Notice.objects.get()
    text = render_notice(notice)
    assert "A&amp;B" in text
    assert "あと 5 日" in text
    assert notice.path == f"/admin/syncer/secretend/{row.pk}/change/"


def test_certificate_of_the_settings_is_read(now: datetime, settings: Settings) -> None:
    make_old_run(1)
    settings.ENTRA_CLIENT_CERTIFICATE = make_certificate("genkan", datetime.now(UTC), days=6).certificate_pem
    watch(now)
    assert standing() == ["watch:entra_certificate"]


def test_exported_credentials_of_aws_are_told(now: datetime, settings: Settings) -> None:
    make_old_run(1)
    settings.AWS_CREDENTIAL_EXPIRATION = now + timedelta(minutes=50)
    watch(now)
    assert "更新されません" in render_notice(Notice.objects.get())
