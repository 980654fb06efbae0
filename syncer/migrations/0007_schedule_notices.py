"""The task that sends what the outbox holds, on the schedule; created only while none has its name."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Send notices",
        "syncer.tasks.send_notices",
        schedule.Every(15, "seconds"),
        15,
        "Tells Slack what runs have written down: failures, held removals, changes by hand. / "
        "失敗、保留した削除、手作業の変更など、実行が書き留めたお知らせを Slack に送ります。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0006_lock_out_runs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
