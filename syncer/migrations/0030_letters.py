"""Letters to single people, whether and how they go out, who wants which, and the task that sends them."""

from importlib import import_module

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

schedule = import_module("syncer.migrations.0002_schedule")

SHIPPED_TASKS = (
    schedule.Shipped(
        "Send letters",
        "syncer.tasks.send_letters",
        schedule.Every(30, "seconds"),
        30,
        "Tells single people by Slack or mail what changed for them, where an admin has switched that on. / "
        "管理者が有効にしている場合、本人や所有者に関係する変更を Slack またはメールで知らせます。",
    ),
)


def create_schedule(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    schedule.create_tasks(apps, SHIPPED_TASKS)


def create_settings(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("syncer", "LetterSettings").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0024_put_back"),
        ("syncer", "0029_schedule_github"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LetterChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("access", models.BooleanField(default=True, verbose_name="access that I receive or lose")),
                ("expiry", models.BooleanField(default=True, verbose_name="access that ends soon")),
                ("leaver", models.BooleanField(default=True, verbose_name="people who left")),
                ("shortcut", models.BooleanField(default=True, verbose_name="shortcuts that lead nowhere")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letter_choice",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "choice of letters",
                "verbose_name_plural": "choices of letters",
            },
        ),
        migrations.CreateModel(
            name="LetterSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "people",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not at all"),
                            ("mail", "in a mail"),
                            ("slack", "in Slack, by mail where Slack does not know them"),
                        ],
                        help_text="Each person is told what he received or lost, by whom and why. Each can mute it.",
                        max_length=5,
                        verbose_name="who receives or loses access",
                    ),
                ),
                (
                    "owners",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not at all"),
                            ("mail", "in a mail"),
                            ("slack", "in Slack, by mail where Slack does not know them"),
                        ],
                        help_text="Owners are told a week and a day before access ends, when access ended because somebody left, and which of their shortcuts lead nowhere.",
                        max_length=5,
                        verbose_name="who owns accounts or records",
                    ),
                ),
            ],
            options={
                "verbose_name": "settings of letters",
                "verbose_name_plural": "settings of letters",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="letter_settings_one")],
            },
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="written")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=400, verbose_name="error")),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, help_text="when the matter was over; until then it is not told again", null=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("access", "access that I receive or lose"),
                            ("expiry", "access that ends soon"),
                            ("leaver", "people who left"),
                            ("shortcut", "shortcuts that lead nowhere"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("code", models.CharField(max_length=64)),
                ("params", models.JSONField(blank=True, default=dict)),
                ("path", models.CharField(blank=True, help_text="the portal's page about it", max_length=200)),
                ("key", models.CharField(blank=True, max_length=200)),
                (
                    "way",
                    models.CharField(
                        blank=True, choices=[("slack", "Slack"), ("mail", "mail")], max_length=5, verbose_name="way"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to="accounts.person",
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "letter",
                "verbose_name_plural": "letters",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), ("sent_at__isnull", True)),
                        fields=["retry_at", "id"],
                        name="letter_unsent",
                    ),
                    models.Index(fields=["person", "-id"], name="letter_of_person"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True), fields=("key",), name="letter_once"
                    )
                ],
            },
        ),
        migrations.RunPython(create_schedule, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(create_settings, migrations.RunPython.noop, elidable=False),
    ]
