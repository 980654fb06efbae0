"""The stage rules that come with Genkan. They are rows: an admin changes them, and no later release puts them back."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.names import fold

SHIPPED_RULES = {
    "production": ("Production", "Prod", "本番"),
    "staging": ("Staging", "Development", "検証", "開発"),
    "sandbox": ("Sandbox",),
}


def create_rules(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    stage_rule = apps.get_model("accounts", "StageRule")
    for stage, ou_names in SHIPPED_RULES.items():
        for ou_name in ou_names:
            stage_rule.objects.get_or_create(ou_name=fold(ou_name), defaults={"stage": stage})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    # Going back keeps the rules: they may be an admin's by now, and 0001 takes the table away anyway.
    operations = [migrations.RunPython(create_rules, migrations.RunPython.noop, elidable=False)]
