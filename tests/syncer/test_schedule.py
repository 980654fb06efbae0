"""The schedule that comes with Genkan."""

from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from portal.celery import app

pytestmark = pytest.mark.django_db

migration = import_module("syncer.migrations.0002_schedule")
people_migration = import_module("syncer.migrations.0005_schedule_people")


def create_schedule() -> None:
    migration.create_schedule(apps, connection.schema_editor())


def find_task(name: str) -> PeriodicTask:
    return PeriodicTask.objects.get(task=f"syncer.tasks.{name}")


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("run_full", 600), ("run_changes", 50), ("sweep", 60), ("look_for_waiting", 60), ("send_notices", 15)],
)
def test_task_comes_back_after_seconds(name: str, seconds: int) -> None:
    assert find_task(name).schedule.run_every.total_seconds() == seconds


@pytest.mark.parametrize("name", ["clear_sessions", "forget_the_past"])
def test_old_rows_are_cleared_at_four_in_the_portals_zone(name: str) -> None:
    crontab = find_task(name).crontab
    assert (crontab.minute, crontab.hour, str(crontab.timezone)) == ("0", "4", settings.TIME_ZONE)


def test_last_days_are_told_at_nine_in_the_portals_zone() -> None:
    crontab = find_task("tell_last_days").crontab
    assert (crontab.minute, crontab.hour, str(crontab.timezone)) == ("0", "9", settings.TIME_ZONE)


@pytest.mark.parametrize("name", ["run_full", "run_changes", "sweep", "look_for_waiting", "send_notices"])
def test_message_expires_before_the_next_but_one_is_due(name: str) -> None:
    task = find_task(name)
    assert 0 < task.expire_seconds <= task.schedule.run_every.total_seconds()


def test_every_task_exists() -> None:
    app.loader.import_default_modules()
    scheduled = PeriodicTask.objects.filter(task__startswith="syncer.").values_list("task", flat=True)
    assert set(scheduled) <= set(app.tasks)


def test_every_task_says_what_it_is_for() -> None:
    assert not PeriodicTask.objects.filter(task__startswith="syncer.", description="").exists()


def test_creating_again_keeps_an_admins_edits() -> None:
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.filter(name="Full run").update(interval=hourly, enabled=False)
    create_schedule()
    task = find_task("run_full")
    assert (task.interval, task.enabled) == (hourly, False)


def test_creating_again_adds_nothing() -> None:
    def count() -> list[int]:
        return [model.objects.count() for model in (PeriodicTask, IntervalSchedule, CrontabSchedule)]

    before = count()
    create_schedule()
    people_migration.create_schedule(apps, connection.schema_editor())
    assert count() == before


def test_task_of_a_later_version_leaves_the_others_alone() -> None:
    PeriodicTask.objects.all().delete()
    import_module("syncer.migrations.0007_schedule_notices").create_schedule(apps, connection.schema_editor())
    assert [task.name for task in PeriodicTask.objects.all()] == ["Send notices"]


def test_absent_task_is_created_on_the_schedule_that_is_there() -> None:
    PeriodicTask.objects.filter(name="Sweep").delete()
    schedules = IntervalSchedule.objects.count()
    create_schedule()
    assert find_task("sweep").interval.every == 1
    assert IntervalSchedule.objects.count() == schedules


def test_running_beat_learns_of_a_new_task() -> None:
    PeriodicTask.objects.filter(name="Sweep").delete()
    before = PeriodicTasks.last_change()
    create_schedule()
    assert PeriodicTasks.last_change() > before
