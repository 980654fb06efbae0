"""The mirror of the two kintone apps: bodies in, parsed records out."""

import json
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import AppKind, Record, Wish
from accounts.models.records import RecordQuerySet
from accounts.names import clean, fold
from syncer.desired import Before
from syncer.mirror import revisions
from syncer.mirror.bulk import upsert
from syncer.mirror.naming import note_people
from syncer.models import AppState
from syncer.records.parsing import (
    Fields,
    Notes,
    locate_managed,
    normalise_account_id,
    normalise_set_name,
    parse_assignment,
    parse_permission_set,
    pick_fields,
    read_names,
    read_text,
)
from syncer.states import AssignmentKey, AssignmentWish, PrincipalType, ReadRecord, RecordReference, SetWish

Body = Mapping[str, Any]  # a record as kintone gives it: code → {"type", "value"}
_BATCH = 500
_MIRRORED = [
    "revision", "title", "body", "creator_code", "creator_name", "modifier_code", "modifier_name",
    "created_at", "updated_at", "seen_at", "gone_at", "is_settled",
]  # fmt: skip
_COMPARED = ["kind", "app_id", "record_id", "revision", "body", "title", "updated_at", "seen_at", "gone_at"]


def count_live(kind: AppKind, app_id: str) -> int:
    """How many live records of this app the mirror has."""
    return Record.objects.live().of_kind(kind).filter(app_id=app_id).count()


def find_different(app_id: str, scanned: Mapping[str, int]) -> list[str]:
    """The ids among those scanned whose live record has another revision, or is not here; in their order."""
    pending = dict(scanned)
    rows = Record.objects.live().filter(app_id=app_id).values_list("record_id", "revision")
    for record_id, revision in rows.iterator(_BATCH):
        if pending.get(record_id) == revision:
            del pending[record_id]
    return sorted(pending, key=int)


def load_revisions_of_all() -> dict[str, int]:
    """APP:ID → revision of every live record of both apps."""
    rows = Record.objects.live().values_list("app_id", "record_id", "revision")
    return {f"{app_id}:{record_id}": revision for app_id, record_id, revision in rows}


def is_live(kind: AppKind, reference: str) -> bool:
    """Whether the mirror has this record (APP:ID) as one that kintone has."""
    app_id, _colon, record_id = reference.partition(":")
    return Record.objects.live().of_kind(kind).filter(app_id=app_id, record_id=record_id).exists()


def find_missing(kind: AppKind, app_id: str, scanned: Container[str]) -> frozenset[str]:
    """APP:ID of every live record that is not among the ids scanned, those of an app named before included."""
    rows = Record.objects.live().of_kind(kind).values_list("app_id", "record_id")
    return frozenset(
        f"{app}:{record_id}" for app, record_id in rows.iterator(_BATCH) if app != app_id or record_id not in scanned
    )


def store_bodies(
    kind: AppKind,
    app_id: str,
    bodies: Iterable[Body],
    *,
    title_code: str,
    codes: Mapping[str, str],
    asked_at: datetime | None = None,
) -> set[str]:
    """Take over what kintone gave; the ids of the records that changed since.

    A revision counts as changed whichever way it went, and so does a time under the same revision: an app can be
    restored from a backup and go on from there. A body that differs in nothing else (a field that is new on the form, a
    person with a new name) is taken over and counts as no change. Whatever differs is judged anew.
    What came after `asked_at` and is newer stays: it was asked for later than these bodies.
    `codes` maps our field names to kintone's codes.
    """
    first = not AppState.objects.filter(kind=kind, scanned_at__isnull=False).exists()
    rows = [_build_row(kind, app_id, body, title_code=title_code, at_first_run=first) for body in bodies]
    changed: set[str] = set()
    for start in range(0, len(rows), _BATCH):
        changed |= _store_rows(app_id, rows[start : start + _BATCH], codes, asked_at)
    return changed


@transaction.atomic
def _store_rows(app_id: str, rows: Collection[Record], codes: Mapping[str, str], asked_at: datetime | None) -> set[str]:
    ids = [row.record_id for row in rows]
    known = {row.record_id: row for row in Record.objects.filter(app_id=app_id, record_id__in=ids).only(*_COMPARED)}
    fresh = [row for row in rows if not _is_overtaken(known.get(row.record_id), row, asked_at)]
    changed = [row for row in fresh if _has_changed(known.get(row.record_id), row)]
    unjudged = list(_iter_unjudged(fresh, known))
    revisions.note_revisions(changed, known)
    upsert(changed, unique_fields=["app_id", "record_id"], update_fields=_MIRRORED)
    Record.objects.bulk_update(unjudged, ["body", "title", "in_force_revision"], _BATCH)
    note_people(app_id, fresh, codes)
    return {row.record_id for row in changed}


def _iter_unjudged(rows: Iterable[Record], known: Mapping[str, Record]) -> Iterator[Record]:
    """The stored rows that say something else under the revision they have: what is in force is another one's word."""
    for row in rows:
        stored = known.get(row.record_id)
        if stored is not None and stored.revision == row.revision and stored.body != row.body:
            stored.body, stored.title, stored.in_force_revision = row.body, row.title, None
            yield stored


def _has_changed(stored: Record | None, row: Record) -> bool:
    if stored is None or stored.gone_at is not None:
        return True
    return stored.revision != row.revision or (stored.updated_at != row.updated_at and stored.body != row.body)


def _is_overtaken(stored: Record | None, row: Record, asked_at: datetime | None) -> bool:
    """Whether somebody else has read the record later than this body was asked for, or found it gone."""
    if stored is None or asked_at is None:
        return False
    if stored.gone_at is not None:
        return stored.gone_at > asked_at
    return stored.seen_at > asked_at and stored.revision > row.revision


def _build_row(kind: AppKind, app_id: str, body: Body, *, title_code: str, at_first_run: bool) -> Record:
    by_type = {field["type"]: field.get("value") for field in body.values()}
    creator, modifier = by_type.get("CREATOR") or {}, by_type.get("MODIFIER") or {}
    now = timezone.now()
    return Record(
        kind=kind,
        app_id=app_id,
        record_id=str(body["$id"]["value"]),
        revision=int(body["$revision"]["value"]),
        title=clean(str(body.get(title_code, {}).get("value") or ""), 200),
        body=_clean_body(body),
        creator_code=clean(creator.get("code") or "", 128),
        creator_name=clean(creator.get("name") or "", 256),
        modifier_code=clean(modifier.get("code") or "", 128),
        modifier_name=clean(modifier.get("name") or "", 256),
        created_at=_parse_time(by_type.get("CREATED_TIME")) or now,
        updated_at=_parse_time(by_type.get("UPDATED_TIME")) or now,
        seen_at=now,
        at_first_run=at_first_run,
    )


def _clean_body(body: Body) -> dict[str, Any]:
    """The body as PostgreSQL's jsonb takes it: NUL and halves of characters are replaced."""
    text = json.dumps(body, ensure_ascii=False)
    if "\\u0000" not in text and not _HALF.search(text):
        return dict(body)
    cleaned: dict[str, Any] = json.loads(clean(text, len(text)).replace("\\u0000", "\ufffd"))
    return cleaned


_HALF = re.compile(r"[\ud800-\udfff]")


def _parse_time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def mark_gone(references: Collection[str], *, is_noted: bool = False) -> None:
    """Tombstones for records that are gone; what they wanted is remembered until AWS has lost it.

    is_noted: who deleted them is in the audit trail already.
    """
    by_app: dict[str, list[str]] = {}
    for reference in references:
        app_id, _colon, record_id = reference.partition(":")
        by_app.setdefault(app_id, []).append(record_id)
    for app_id, record_ids in by_app.items():
        for start in range(0, len(record_ids), _BATCH):
            batch = record_ids[start : start + _BATCH]
            _bury(Record.objects.live().filter(app_id=app_id, record_id__in=batch), is_noted=is_noted)


@transaction.atomic
def _bury(rows: RecordQuerySet, *, is_noted: bool) -> None:
    if not is_noted:
        revisions.note_ends(rows)
    rows.update(gone_at=timezone.now(), is_settled=False)


def load_unsettled() -> frozenset[str]:
    """APP:ID of the records that changed or went and that no run has looked at since."""
    rows = Record.objects.filter(is_settled=False).values_list("app_id", "record_id")
    return frozenset(f"{app_id}:{record_id}" for app_id, record_id in rows)


def settle(
    revisions: Mapping[str, int],
    only: Collection[str] | None,
    *,
    until: datetime,
    without: Collection[str] = (),
) -> None:
    """A run has looked at these revisions, and at what was gone by `until`; `only` narrows it down (APP:ID)."""
    seen = [
        pk
        for pk, app_id, record_id, revision, gone_at in Record.objects.filter(is_settled=False).values_list(
            "pk", "app_id", "record_id", "revision", "gone_at"
        )
        if (reference := f"{app_id}:{record_id}") and (only is None or reference in only)
        if reference not in without
        if (gone_at <= until if gone_at else revisions.get(reference) == revision)
    ]
    for start in range(0, len(seen), _BATCH):
        Record.objects.filter(pk__in=seen[start : start + _BATCH]).update(is_settled=True)


# --- Parsing what is mirrored -----------------------------------------------------------------------------------------


def load_records(
    kind: AppKind, codes: Mapping[str, str], *, without: Collection[str] = (), only: Collection[str] | None = None
) -> list[ReadRecord]:
    """The live records of one app, parsed. `codes` maps our field names to kintone's codes.

    `without` names records (APP:ID) that a complete scan did not find and that are not confirmed gone yet; `only`
    those to load, all if it is not given.
    """
    rows = Record.objects.live().of_kind(kind).defer("title", "creator_name", "modifier_name")
    if only is not None:
        rows = rows.filter(record_id__in={reference.partition(":")[2] for reference in only})
    return [
        _read(row, codes)
        for row in rows.iterator(_BATCH)
        if row.reference not in without and (only is None or row.reference in only)
    ]


def _read(row: Record, codes: Mapping[str, str]) -> ReadRecord:
    fields, notes = read_fields(row, codes), Notes(row.reference)
    in_force = row.in_force or {}
    wish: SetWish | AssignmentWish | None
    if row.kind == AppKind.PERMISSION_SET:
        wish = parse_permission_set(fields, notes)
        name = normalise_set_name(read_text(fields, "name"))
    else:
        wish = parse_assignment(fields, notes)
        name = normalise_set_name(read_text(fields, "permission_set"))
    return ReadRecord(
        reference=RecordReference(row.app_id, row.record_id, row.revision),
        wish=wish,
        problems=tuple(notes.problems),
        account_id=normalise_account_id(read_text(fields, "account_id")),
        permission_set=name,
        updated_at=row.updated_at,
        at_first_run=row.at_first_run,
        was_valid=row.in_force is not None,
        in_force_name=in_force.get("name", ""),
        in_force_principals=frozenset(
            fold(name) for field in ("users", "addresses", "groups") for name in in_force.get(field, ())
        ),
        by=in_force.get("by", {}),
        lines=locate_managed(fields) if row.kind == AppKind.PERMISSION_SET else {},
    )


def read_fields(row: Record, codes: Mapping[str, str]) -> Fields:
    """What the record says, by our names for its fields, with whom the portal keeps beside it."""
    fields: dict[str, Any] = pick_fields(row.body, codes)
    if row.beside:
        lines = [*(text for _number, text in read_names(fields, "more_users")), *row.beside]
        fields["more_users"] = {"type": "MULTI_LINE_TEXT", "value": "\n".join(lines)}
    return fields


def load_before(only: Collection[str] | None = None) -> dict[str, list[Before]]:
    """For each record, or only these, what was in force of it when it was last understood, by APP:ID."""
    before: dict[str, list[Before]] = {}
    wishes = Wish.objects.filter(assignment__principal__principal_id__isnull=False, is_refused=False)
    if only is not None:
        wishes = wishes.filter(record__record_id__in={reference.partition(":")[2] for reference in only})
    for app_id, record_id, is_current, expires_on, account_id, name, kind, principal_id in wishes.values_list(
        "record__app_id",
        "record__record_id",
        "is_current",
        "expires_on",
        "assignment__account__account_id",
        "assignment__permission_set__name",
        "assignment__principal__type",
        "assignment__principal__principal_id",
    ):
        key = AssignmentKey(account_id, name, PrincipalType(kind), principal_id or "")
        before.setdefault(f"{app_id}:{record_id}", []).append(Before(key, expires_on, is_current))
    return before


@transaction.atomic
def store_in_force(records: Collection[ReadRecord], valid: Collection[str]) -> None:
    """The newest revision of these valid records is now the one in force."""
    revisions = {
        (record.reference.app_id, record.reference.record_id): record
        for record in records
        if str(record.reference) in valid
    }
    rows = [
        row
        for row in Record.objects.live().only("app_id", "record_id", "in_force_revision").iterator(_BATCH)
        if (found := revisions.get((row.app_id, row.record_id))) and row.in_force_revision != found.reference.revision
    ]
    for row in rows:
        record = revisions[row.app_id, row.record_id]
        row.in_force, row.in_force_revision = wish_as_json(record.wish), record.reference.revision
    Record.objects.bulk_update(rows, ["in_force", "in_force_revision"], _BATCH)


def wish_as_json(wish: SetWish | AssignmentWish | None) -> dict[str, Any]:
    """As the column of what is in force holds it."""
    return dict(_iter_json(wish))


def _iter_json(wish: SetWish | AssignmentWish | None) -> Iterator[tuple[str, Any]]:
    for name, value in asdict(wish).items() if wish else ():
        if isinstance(value, timedelta):
            yield name, int(value.total_seconds())
        elif isinstance(value, date):
            yield name, value.isoformat()
        elif isinstance(value, frozenset):
            yield name, sorted(value)
        elif isinstance(value, tuple):
            yield name, [str(item) if isinstance(item, str) else "".join(item) for item in value]
        else:
            yield name, value
