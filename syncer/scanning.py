"""Reading kintone into the mirror: complete scans of ids and revisions, and quick looks at what changed.

Deletes leave no trace in kintone, so only a complete scan can tell that a record is gone; each such record is then
asked for by itself before it counts as gone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import AppKind, Record
from syncer.gateways.errors import GatewayError, NotFound
from syncer.gateways.kintone import KintoneApp
from syncer.mirror import records as mirror
from syncer.models import AppState
from syncer.schema import AppSchema, SchemaError, find_code_of_type, match_fields, require_fields
from syncer.states import Reason

OVERLAP = timedelta(minutes=5)  # kintone's times are whole minutes, and clocks differ
SHRUNK_COUNT, SHRUNK_SHARE = 10, 0.05  # missing records that are more than both are not believed


@dataclass(frozen=True)
class AppSource:
    """One kintone app as the settings describe it."""

    kind: AppKind
    app: KintoneApp
    schema: AppSchema
    chosen: Mapping[str, str]


@dataclass(frozen=True)
class AppReading:
    """What one reading of an app found."""

    kind: AppKind
    codes: Mapping[str, str]  # our field name → kintone's code
    changed: frozenset[str] = frozenset()  # APP:ID
    gone: frozenset[str] = frozenset()  # APP:ID, confirmed
    missing: frozenset[str] = frozenset()  # APP:ID, not believed to be gone
    records: int = 0
    shrunk: bool = False


class AppFailure(Exception):
    """The app could not be read; what the mirror holds of it is old and decides nothing."""

    def __init__(self, kind: AppKind, operation: str, reason: Reason) -> None:
        super().__init__(kind, operation, reason)
        self.kind, self.operation, self.reason = kind, operation, reason


def scan_app(source: AppSource) -> AppReading:
    """Read one app completely: ids and revisions of all records, bodies of those that differ. Raises AppFailure."""
    return _reading(source, _scan)


def glance_at_app(source: AppSource) -> AppReading:
    """Read what changed since the last good reading, and count: a count that differs makes it a complete scan."""
    return _reading(source, _glance)


def _reading(source: AppSource, read: Any) -> AppReading:
    state, _created = AppState.objects.get_or_create(kind=source.kind, defaults={"app_id": source.app.app_id})
    try:
        types = {code: field.type for code, field in source.app.fetch_fields().items()}
        codes = match_fields(source.schema, source.app.app_id, types, chosen=source.chosen, known=state.fields)
        started = source.app.server_time or timezone.now()
        reading: AppReading = read(source, state, codes, types)
    except (GatewayError, SchemaError) as error:
        operation = getattr(error, "operation", f"kintone GET app/form/fields.json app {source.app.app_id}")
        AppState.objects.filter(pk=state.pk).update(error=error.reason.as_json())
        raise AppFailure(source.kind, operation, error.reason) from error
    AppState.objects.filter(pk=state.pk).update(
        app_id=source.app.app_id, fields=codes, watermark=started, read_at=timezone.now(), error={}
    )
    return reading


def _scan(source: AppSource, state: AppState, codes: Mapping[str, str], _types: Mapping[str, str]) -> AppReading:
    app = source.app
    scanned = app.scan_revisions()
    known = mirror.load_revisions(source.kind, app.app_id)
    different = sorted((record_id for record_id in scanned if known.get(record_id) != scanned[record_id]), key=int)
    bodies = app.fetch_records(different) if different else []
    changed = take_over(source, codes, bodies)
    missing = mirror.load_references_of(source.kind) - {f"{app.app_id}:{record_id}" for record_id in scanned}
    # A record that came and went between the two requests is missing from both; the next scan tells.
    shrunk = not scanned or len(missing) > max(SHRUNK_COUNT, SHRUNK_SHARE * len(known))
    gone = frozenset() if shrunk else _confirm_gone(source, codes, missing)
    AppState.objects.filter(pk=state.pk).update(scanned_at=timezone.now())
    return AppReading(
        source.kind, codes, changed, gone, missing - gone if shrunk else frozenset(), len(scanned), shrunk
    )


def _glance(source: AppSource, state: AppState, codes: Mapping[str, str], types: Mapping[str, str]) -> AppReading:
    updated = find_code_of_type(types, "UPDATED_TIME")
    if state.watermark is None or state.scanned_at is None or not updated:
        return _scan(source, state, codes, types)
    since = state.watermark.astimezone(UTC).replace(second=0, microsecond=0) - OVERLAP
    condition = f'{updated} >= "{since:%Y-%m-%dT%H:%M:%SZ}"'
    bodies = [body for page in source.app.iter_records(condition) for body in page]
    changed = take_over(source, codes, bodies)
    live = len(mirror.load_revisions(source.kind, source.app.app_id))
    if source.app.count_records() == live:
        return AppReading(source.kind, codes, changed, records=live)
    scanned = _scan(source, state, codes, types)
    return AppReading(
        source.kind, codes, changed | scanned.changed, scanned.gone, scanned.missing, scanned.records, scanned.shrunk
    )


def take_over(source: AppSource, codes: Mapping[str, str], bodies: Collection[Mapping[str, Any]]) -> frozenset[str]:
    """Store what kintone gave; the records (APP:ID) that changed. Raises SchemaError where a body lacks a field."""
    for body in bodies:
        require_fields(source.schema, source.app.app_id, codes, body)
    title = codes[source.schema.title]
    ids = mirror.store_bodies(source.kind, source.app.app_id, bodies, title_code=title)
    return frozenset(f"{source.app.app_id}:{record_id}" for record_id in ids)


def read_records(source: AppSource, codes: Mapping[str, str], record_ids: Collection[str]) -> AppReading:
    """Read these records anew; what is not there any more is asked for by itself. Raises GatewayError, SchemaError.

    More that are missing than a scan would believe are left to the next scan.
    """
    app_id = source.app.app_id
    bodies = source.app.fetch_records(record_ids)
    changed = take_over(source, codes, bodies)
    found = {str(body["$id"]["value"]) for body in bodies}
    asked = {f"{app_id}:{record_id}" for record_id in set(record_ids) - found}
    missing = asked & mirror.load_references_of(source.kind)
    gone = _confirm_gone(source, codes, missing) if len(missing) <= SHRUNK_COUNT else frozenset()
    return AppReading(source.kind, codes, changed, gone)


def _confirm_gone(source: AppSource, codes: Mapping[str, str], missing: Collection[str]) -> frozenset[str]:
    """Ask for each missing record by itself; what is there after all is taken over.

    No transaction: while kintone is asked, nobody else may have to wait for the database, a heartbeat least of all.
    """
    gone: set[str] = set()
    for reference in sorted(missing):
        app_id, _colon, record_id = reference.partition(":")
        try:
            body = source.app.fetch_record(record_id) if app_id == source.app.app_id else None
        except NotFound:
            body = None
        if body is None:
            gone.add(reference)
        else:
            take_over(source, codes, [body])
    mirror.mark_gone(gone)
    return frozenset(gone)


def accept_missing(readings: Collection[AppReading]) -> None:
    """An admin has accepted that these records are gone."""
    for reading in readings:
        mirror.mark_gone(reading.missing)


def find_record(reference: str) -> Record | None:
    """The mirrored record of `APP:ID`."""
    app_id, _colon, record_id = reference.partition(":")
    return Record.objects.filter(app_id=app_id, record_id=record_id).first()
