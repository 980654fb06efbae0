"""The pull request for Terraform: its row, which an admin edits, and its task on the schedule."""

from importlib import import_module

import django.core.validators
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Pull request for Terraform",
        "syncer.tasks.offer_terraform",
        schedule.Every(5, "minutes"),
        5 * schedule.MINUTE,
        "Offers the files for Terraform in a GitHub repository, where an admin has switched that on. / "
        "管理者が有効にしている場合、Terraform 用のファイルを GitHub のプルリクエストで提案します。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


def create_settings(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("syncer", "TerraformOffer").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0030_letters"),
    ]

    operations = [
        migrations.CreateModel(
            name="TerraformOffer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "is_on",
                    models.BooleanField(
                        default=False,
                        help_text="The token of GITHUB_TOKEN has to read and write contents and pull requests of the repository.",
                        verbose_name="offer by pull request",
                    ),
                ),
                (
                    "repository",
                    models.CharField(
                        blank=True,
                        help_text="owner/repo",
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[\\w.-]+/[\\w.-]+\\Z", "A repository is written owner/repo."
                            )
                        ],
                        verbose_name="repository",
                    ),
                ),
                (
                    "base",
                    models.CharField(
                        blank=True,
                        help_text="It is merged into this one; empty: the default branch.",
                        max_length=200,
                        verbose_name="branch",
                    ),
                ),
                (
                    "folder",
                    models.CharField(
                        blank=True,
                        help_text="Empty: the repository's root.",
                        max_length=400,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^(?!.*\\.\\.)[\\w.-]+(/[\\w.-]+)*\\Z", "A folder is written like aws/identity-center."
                            )
                        ],
                        verbose_name="folder",
                    ),
                ),
                (
                    "checksum",
                    models.CharField(
                        blank=True, editable=False, help_text="of the export", max_length=64, verbose_name="offered"
                    ),
                ),
                ("pull_url", models.CharField(blank=True, editable=False, max_length=400, verbose_name="pull request")),
                (
                    "checked_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last checked"),
                ),
                ("retry_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="tried again")),
                ("error", models.CharField(blank=True, editable=False, max_length=400, verbose_name="error")),
            ],
            options={
                "verbose_name": "pull request for Terraform",
                "verbose_name_plural": "pull request for Terraform",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="terraform_offer_one")],
            },
        ),
        migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(create_settings, migrations.RunPython.noop, elidable=False),
    ]
