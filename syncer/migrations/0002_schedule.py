"""The schedule that comes with Genkan, as rows of django-celery-beat.

An admin may change, disable or delete them. A task is created only while none has its name, so what he changed stays.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

MINUTE, HOUR = 60, 3600  # seconds


class Every(NamedTuple):
    number: int
    period: str

    def build(self) -> tuple[str, str, dict[str, Any]]:
        """The task's column, the schedule's model, and its values."""
        return "interval", "IntervalSchedule", {"every": self.number, "period": self.period}


class Daily(NamedTuple):
    hour: int

    def build(self) -> tuple[str, str, dict[str, Any]]:
        """As `Every.build`; the hour is one of the portal's own zone."""
        always = dict.fromkeys(("day_of_week", "day_of_month", "month_of_year"), "*")
        hour = {"minute": "0", "hour": str(self.hour)}
        return "crontab", "CrontabSchedule", {**hour, **always, "timezone": settings.TIME_ZONE}


class Shipped(NamedTuple):
    """One task. A message that no worker took within `expire_seconds` is dropped: the next one is due by then."""

    name: str
    task: str
    schedule: Every | Daily
    expire_seconds: int
    description: str


SHIPPED_TASKS = (
    Shipped(
        "Full run",
        "syncer.tasks.run_full",
        Every(10, "minutes"),
        10 * MINUTE,
        "Reads kintone and AWS, plans, and applies what differs. / "
        "kintone と AWS を読み取り、差分を計画して反映します。",
    ),
    Shipped(
        "Changed records",
        "syncer.tasks.run_changes",
        Every(50, "seconds"),
        50,
        "Fetches the kintone records that changed. 50 seconds, so that a record is here within a minute. / "
        "変更された kintone レコードを読み取ります。1 分以内に反映するため 50 秒ごとです。",
    ),
    Shipped(
        "Sweep",
        "syncer.tasks.sweep",
        Every(1, "minutes"),
        MINUTE,
        "Finds what was left behind: runs whose process ended, requests that the broker lost. / "
        "プロセスが終了した実行や、ブローカーで失われた依頼など、取り残されたものを片付けます。",
    ),
    Shipped(
        "Clear sessions",
        "syncer.tasks.clear_sessions",
        Daily(4),
        HOUR,
        "Deletes sessions that ended. / 期限切れのセッションを削除します。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    create_tasks(apps, SHIPPED_TASKS)


def create_tasks(apps: Apps, shipped_tasks: Iterable[Shipped]) -> None:
    """Create those whose name no task has; later migrations ship theirs with it."""
    periodic_task = apps.get_model("django_celery_beat", "PeriodicTask")
    present = set(periodic_task.objects.values_list("name", flat=True))
    absent = [shipped for shipped in shipped_tasks if shipped.name not in present]
    for shipped in absent:
        kind, model, values = shipped.schedule.build()
        schedules = apps.get_model("django_celery_beat", model).objects
        # Not get_or_create: nothing in the database keeps two equal schedules from being there.
        schedule = schedules.filter(**values).first() or schedules.create(**values)
        periodic_task.objects.create(
            name=shipped.name,
            task=shipped.task,
            expire_seconds=shipped.expire_seconds,
            description=shipped.description,
            **{kind: schedule},
        )
    if absent:
        _wake_beat(apps)


def _wake_beat(apps: Apps) -> None:
    """A beat that runs while the database is migrated reads the schedule anew when this time moves."""
    periodic_tasks = apps.get_model("django_celery_beat", "PeriodicTasks")
    periodic_tasks.objects.update_or_create(ident=1, defaults={"last_update": timezone.now()})


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    # Going back leaves the tasks: they may be an admin's by now.
    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
