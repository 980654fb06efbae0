"""The tasks that look after people, on the schedule; created only while none has their name."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Waiting people",
        "syncer.tasks.look_for_waiting",
        schedule.Every(1, "minutes"),
        schedule.MINUTE,
        "Asks Identity Center for the people and groups that records wait for. / "
        "レコードが待っている人とグループを Identity Center に尋ねます。",
    ),
    schedule.Shipped(
        "Last days",
        "syncer.tasks.tell_last_days",
        schedule.Daily(9),
        12 * schedule.HOUR,
        "Tells owners a week and a day before access ends. / アクセスが終わる 1 週間前と前日にオーナーへ知らせます。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0004_drift_is_told"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    # Going back leaves the tasks: they may be an admin's by now.
    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
