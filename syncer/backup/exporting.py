"""From rows to a settings file."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Field, Model

from accounts.models import Instance
from syncer.backup.document import Document, Entry
from syncer.backup.references import Names
from syncer.backup.sections import SECTIONS, Section

_BATCH = 2000


def export_settings(now: datetime) -> Document:
    """Everything that neither kintone nor AWS holds, as of one moment."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # else each statement would see a moment of its own
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        names = Names()
        return Document(now, describe_company(), {section.name: list_entries(section, names) for section in SECTIONS})


def describe_company() -> dict[str, str]:
    """What a file is of: it fits no other organization, tenant, kintone or pair of apps."""
    instance = Instance.objects.order_by("pk").first()
    return {
        "management_account_id": instance.management_account_id if instance else "",
        "instance_arn": instance.instance_arn if instance else "",
        "entra_tenant_id": settings.ENTRA_TENANT_ID,
        "kintone_base_url": settings.KINTONE_BASE_URL,
        "permission_set_app_id": settings.KINTONE_PERMISSION_SET_APP_ID,
        "assignment_app_id": settings.KINTONE_ASSIGNMENT_APP_ID,
    }


def list_entries(section: Section, names: Names) -> list[Entry]:
    """The rows of a section, sorted by what makes them known again."""
    rows = section.rows().only(*section.columns).order_by("pk").iterator(_BATCH)
    entries = [build_entry(section, row, names) for row in rows]
    return sorted(entries, key=lambda entry: tuple(str(entry.get(name, "")) for name in section.key))


def build_entry(section: Section, row: Model, names: Names) -> Entry:
    """A row by names. Columns that say nothing but the default are left out."""
    entry = {}
    for name in section.columns:
        field = find_field(section.model, name)
        value = getattr(row, field.attname)
        if value != field.get_default():
            entry[name] = _encode(field, value, names)
    return entry


def _encode(field: "Field[Any, Any]", value: Any, names: Names) -> Any:
    if field.remote_field is not None and value is not None:
        return names.name_of(field.remote_field.model, value)
    return value.isoformat() if isinstance(value, datetime | date) else value


def find_field(model: type[Model], name: str) -> "Field[Any, Any]":
    """A column by its name."""
    return next(field for field in iter_columns(model) if field.name == name)


def iter_columns(model: type[Model]) -> "Iterator[Field[Any, Any]]":
    """The columns of a table that somebody could want to carry: all but what is worked out from others."""
    yield from (field for field in model._meta.concrete_fields if field.name != "search_key")
