from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("syncer", "0033_schedule_terraform"),
    ]

    operations = [
        migrations.AddField(
            model_name="terraformoffer",
            name="commit",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="that the branch was set to",
                max_length=64,
            ),
        ),
    ]
