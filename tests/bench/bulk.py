"""Rows by the hundred thousand in PostgreSQL, through COPY: what a model would fill in by itself is filled in here."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, models

from accounts.models.searching import SearchKeyField
from accounts.search import build_key

Row = Mapping[str, Any]  # a value for each column that has no default; foreign keys as `…_id`


def store(model: type[models.Model], rows: Iterable[Row]) -> int:
    """Write the rows, numbered from 1 on, into the empty table of a model; how many there were."""
    fields = model._meta.concrete_fields
    plain = {field.attname: _adapt(field, field.get_default()) for field in fields}
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table, number = model._meta.db_table, 0
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
        for number, row in enumerate(rows, start=1):
            values = {"id": number, **row}
            copy.write_row([_find_value(field, values, plain) for field in fields])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {number + 1})")
    return number


def tidy() -> None:
    """What autovacuum does by itself in a portal that lives: statistics, and pages known to be visible to all."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _find_value(field: Any, values: Row, plain: Row) -> Any:
    if isinstance(field, SearchKeyField):
        return build_key(str(values.get(name, "")) for name in field.of)
    return _adapt(field, values[field.attname]) if field.attname in values else plain[field.attname]


def _adapt(field: Any, value: Any) -> Any:
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, ensure_ascii=False)
    return value
