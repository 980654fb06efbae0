"""The files for Terraform, made anew after runs."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")
SHIPPED_TASKS = (
    schedule.Shipped(
        "Files for Terraform",
        "syncer.tasks.export_terraform",
        schedule.Every(5, "minutes"),
        5 * schedule.MINUTE,
        "Writes what kintone wants in the management account for the page /terraform/, where a run has come through. / "
        "実行のあとに、管理アカウントで必要な設定を /terraform/ のページ向けに書き出します。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0032_untaken_exports"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
