"""What rows are found by, and the keys of the rows that are there."""

from typing import Any

from django.db import migrations

from accounts.models.searching import SearchKeyField, refold

_FOUND_BY = {
    "account": ("name", "account_id"),
    "organizationalunit": ("path", "ou_id"),
    "permissionset": ("name", "description"),
    "person": ("name", "email", "kintone_code"),
    "principal": ("display_name", "name", "email"),
}
_BATCH = 500


def fill_keys(apps: Any, _editor: Any) -> None:
    for name, texts in _FOUND_BY.items():
        rows = apps.get_model("accounts", name).objects
        last = 0
        while batch := list(rows.filter(pk__gt=last).order_by("pk").only("pk", *texts)[:_BATCH]):
            refold(batch)
            rows.bulk_update(batch, ["search_key"])
            last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_access_tokens"),
    ]

    operations = [
        *(migrations.AddField(name, "search_key", SearchKeyField(of=texts)) for name, texts in _FOUND_BY.items()),
        migrations.RunPython(fill_keys, migrations.RunPython.noop),
    ]
