"""The nightly settings file, on the schedule."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Settings file",
        "syncer.tasks.export_nightly",
        schedule.Daily(3),
        schedule.HOUR,
        "Writes what neither kintone nor AWS holds into a file in BACKUP_DIR. / "
        "kintone にも AWS にもない設定を BACKUP_DIR のファイルに書き出します。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0023_schedule_shortcuts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
