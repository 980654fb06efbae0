"""The task that posts comments, on the schedule, and the row of their settings that an admin edits."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Post comments",
        "syncer.tasks.post_comments",
        schedule.Every(30, "seconds"),
        30,
        "Posts on kintone's records what runs have written down: what is wrong with a record, and that it is mended. / "
        "レコードの問題点や、それが解消したことを、kintone のレコードにコメントします。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


def create_settings(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("syncer", "CommentSettings").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0012_comments"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(create_settings, migrations.RunPython.noop, elidable=False),
    ]
