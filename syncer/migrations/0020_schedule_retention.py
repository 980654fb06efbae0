"""The nightly deletion of what is older than RETENTION_DAYS."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")
SHIPPED_TASKS = (
    schedule.Shipped(
        "Forget the past",
        "syncer.tasks.forget_the_past",
        schedule.Daily(4),
        schedule.HOUR,
        "Deletes runs, removed assignments and deleted records that are older than RETENTION_DAYS. / "
        "RETENTION_DAYS を過ぎた実行、外れた割当、削除済みのレコードを消去します。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0019_policy_texts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
