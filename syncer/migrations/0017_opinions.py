"""Why an operation failed in its account, and the task that asks IAM Access Analyzer, on the schedule."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Ask IAM Access Analyzer",
        "syncer.tasks.ask_for_opinions",
        schedule.Every(5, "minutes"),
        300,
        "Asks IAM Access Analyzer about policies that it was not asked about, or long ago; it decides nothing. / "
        "まだ確認していないポリシーや前回の確認から日が経ったポリシーについて、IAM Access Analyzer の所見を取得します。"
        "反映の可否には影響しません。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0016_examinations"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="reason",
            field=models.JSONField(
                blank=True, default=dict, help_text="why it failed, in its account: code and parameters"
            ),
        ),
        migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False),
    ]
