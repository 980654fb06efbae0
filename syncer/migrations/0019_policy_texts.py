"""The task that reads the texts of AWS managed policies, on the schedule."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Read texts of AWS managed policies",
        "syncer.tasks.read_policy_texts",
        schedule.Every(5, "minutes"),
        300,
        "Reads what those AWS managed policies say that permission sets name, where it is not known yet. / "
        "許可セットが使用している AWS 管理ポリシーのうち、まだ取得していないものの内容を取得します。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0018_sets_that_go_and_their_versions"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
