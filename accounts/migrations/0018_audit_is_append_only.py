"""The trail is found by what it is about, and the database itself refuses to change it.

A later migration that makes SQLite build the table anew (any but a plain new column) takes its triggers with it: run
`operations_that_guard` again at its end. tests/accounts/test_audit_trail.py notices.
"""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.audit_about import find_about

_BATCH = 1000
_TABLE = "accounts_auditevent"
_WORD = "audit events are append-only"

# Statement triggers fire even where no row is hit, for ON CONFLICT DO UPDATE too; ALWAYS: in replica sessions as well.
_POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION genkan_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{_WORD}' USING ERRCODE = 'restrict_violation'; END $$""",
    f"""CREATE OR REPLACE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {_TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION genkan_refuse_change()""",
    f"ALTER TABLE {_TABLE} ENABLE ALWAYS TRIGGER audit_is_append_only",
)
_POSTGRESQL_BACK = (
    f"DROP TRIGGER IF EXISTS audit_is_append_only ON {_TABLE}",
    "DROP FUNCTION IF EXISTS genkan_refuse_change()",
)
# INSERT OR REPLACE deletes without firing triggers on DELETE, so a row that is there is refused when it is inserted.
_SQLITE = tuple(
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{name} BEFORE {act} ON {_TABLE} {condition}"
    f" BEGIN SELECT RAISE(ABORT, '{_WORD}'); END"
    for name, act, condition in (
        ("update", "UPDATE", ""),
        ("delete", "DELETE", ""),
        ("replace", "INSERT", "WHEN EXISTS (SELECT 1 FROM accounts_auditevent WHERE id = NEW.id)"),
    )
)
_SQLITE_BACK = tuple(f"DROP TRIGGER IF EXISTS audit_no_{name}" for name in ("update", "delete", "replace"))
_GUARDS = {"postgresql": (_POSTGRESQL, _POSTGRESQL_BACK), "sqlite": (_SQLITE, _SQLITE_BACK)}


def guard(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _GUARDS[schema_editor.connection.vendor][0]:
        schema_editor.execute(statement)


def unguard(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _GUARDS[schema_editor.connection.vendor][1]:
        schema_editor.execute(statement)


def fill_about(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What the events of before are about: the last time that they may be written."""
    events = apps.get_model("accounts", "AuditEvent").objects
    last = 0
    while batch := list(events.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        for event in batch:
            found = find_about((event.object_type, event.object_id, event.object_name), event.before, event.after)
            event.about_account, event.about_record = found.account, found.record
            event.about_principal = found.principal
        events.bulk_update(batch, ["about_account", "about_principal", "about_record"])
        last = batch[-1].pk


operations_that_guard = [migrations.RunPython(guard, unguard)]


def _index(name: str, field: str, condition: models.Q | None = None) -> migrations.AddIndex:
    index = models.Index(fields=[field, "-at", "-id"], name=name, condition=condition)
    return migrations.AddIndex(model_name="auditevent", index=index)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0017_account_moves")]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="about_account",
            field=models.CharField(blank=True, default="", help_text="the account it is about", max_length=12),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditevent",
            name="about_principal",
            field=models.CharField(
                blank=True, default="", help_text="the person or group: its principal id", max_length=47
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditevent",
            name="about_record",
            field=models.CharField(blank=True, default="", help_text="the record: APP:ID", max_length=41),
            preserve_default=False,
        ),
        _index("audit_of_actor", "actor"),
        _index("audit_of_action", "action"),
        _index("audit_of_account", "about_account", condition=~models.Q(about_account="")),
        _index("audit_of_principal", "about_principal", condition=~models.Q(about_principal="")),
        _index("audit_of_record", "about_record", condition=~models.Q(about_record="")),
        migrations.RunPython(fill_about, migrations.RunPython.noop),
        *operations_that_guard,
    ]
