from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def read_everything(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The next look reads every body, and so notes whom the records name."""
    apps.get_model("syncer", "AppState").objects.update(bodies_at=None)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0021_people_of_records"),
        ("syncer", "0021_withdrawals"),
    ]

    operations = [
        migrations.RunPython(read_everything, migrations.RunPython.noop),
    ]
