"""The task that looks at GitHub's issue and answers there, on the schedule."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "GitHub issue",
        "syncer.tasks.watch_github",
        schedule.Every(30, "seconds"),
        30,
        "Looks for new /sync comments on the issue and answers them; does nothing while GitHub is not set up. / "
        "Issue の新しい /sync コメントを確認して返信します。GitHub が未設定の間は何もしません。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0028_github_requests"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False)]
