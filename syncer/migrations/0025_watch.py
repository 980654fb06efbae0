"""Threads of notices, ends of secrets, and the watch on the schedule."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Watch",
        "syncer.tasks.watch",
        schedule.Every(1, "minutes"),
        schedule.MINUTE,
        "Tells when no run comes through any more, and when certificates and secrets end soon. / "
        "実行が成功しなくなったこと、証明書やシークレットの期限が近いことを知らせます。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0024_schedule_backup"),
    ]

    operations = [
        migrations.CreateModel(
            name="SecretEnd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("entra_secret", "client secret of Entra ID"),
                            ("scim_token", "token by which Entra ID provisions Identity Center"),
                            ("aws_key", "access key of AWS"),
                            ("github_token", "token of GitHub"),
                            ("other", "another secret"),
                        ],
                        max_length=12,
                        verbose_name="what ends",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="To tell it from others. Never the secret itself.",
                        max_length=80,
                        verbose_name="name",
                    ),
                ),
                (
                    "ends_on",
                    models.DateField(
                        help_text="Slack is told 30 days, a week and a day before.", verbose_name="last day"
                    ),
                ),
            ],
            options={
                "verbose_name": "end of a secret",
                "verbose_name_plural": "ends of secrets",
                "constraints": [models.UniqueConstraint(fields=("kind", "name"), name="secret_end_once")],
            },
        ),
        migrations.AddField(
            model_name="notice",
            name="channel",
            field=models.CharField(blank=True, help_text="of Slack, where a bot has posted it", max_length=80),
        ),
        migrations.AddField(
            model_name="notice",
            name="thread",
            field=models.CharField(
                blank=True, help_text="the time by which Slack knows the thread's first", max_length=32
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["key", "-id"], name="notice_by_key"),
        ),
        migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False),
    ]
