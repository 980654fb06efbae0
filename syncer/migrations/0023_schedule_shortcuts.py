"""The weekly look at kept shortcuts, on the schedule, and the row of their settings that an admin edits."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Check shortcuts",
        "portal.tasks.check_shortcuts",
        schedule.Every(7, "days"),
        24 * schedule.HOUR,
        "Marks kept shortcuts whose account, permission sets or audience are gone. / "
        "アカウント、許可セット、対象がなくなったショートカットに印を付けます。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


def create_settings(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("accounts", "ShortcutSettings").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0023_kept_shortcuts"),
        ("syncer", "0022_read_for_people"),
    ]

    operations = [
        migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(create_settings, migrations.RunPython.noop, elidable=False),
    ]
