"""What people wrote into kintone by themselves, for the audit trail: who, and what each field said before and after.

What the portal wrote is in the trail already, by the person who saved it: its revisions stand in the ledger. kintone
names the last writer of a record only, so several revisions between two looks are told as one; and nobody tells who
deleted a record.
"""

from collections.abc import Collection, Mapping
from typing import Any

from accounts.audit import build_event, find_place
from accounts.models import AuditEvent, PortalWrite, Record, User
from accounts.names import fold
from syncer.models import AppState
from syncer.records.parsing import normalise_account_id, pick_fields, read_text

_BATCH = 500
_TECHNICAL = {"request_key"}  # written by the portal for itself
Codes = Mapping[str, str]


def note_revisions(rows: Collection[Record], known: Mapping[str, Record]) -> None:
    """Events of the records of one app that came or changed. `known`: what the mirror had of them, by record id."""
    noted = [row for row in rows if not row.at_first_run or row.record_id in known]
    if not noted:
        return
    ours, codes = _load_ours(noted), _load_codes(noted[0])
    foreign = [row for row in noted if (row.record_id, row.revision) not in ours]
    users = _load_users({row.modifier_code for row in foreign if row.modifier_code})
    events = (_build_event(row, known.get(row.record_id), users, codes) for row in foreign)
    AuditEvent.objects.bulk_create([event for event in events if event.before or event.after], _BATCH)


def note_ends(rows: Collection[Record]) -> None:
    """Events of records of one app that kintone has no more."""
    codes = _load_codes(next(iter(rows))) if rows else {}
    AuditEvent.objects.bulk_create(
        [
            build_event("kintone.delete", obj=_name(row), before=_read(row, codes), about=find_place(row))
            for row in rows
        ],
        _BATCH,
    )


def _load_codes(row: Record) -> Codes:
    """How the app calls our fields."""
    state = AppState.objects.filter(kind=row.kind, app_id=row.app_id).first()
    return state.fields if state else {}


def _load_ours(rows: Collection[Record]) -> set[tuple[str, int]]:
    """The revisions that the portal wrote."""
    by_id = {row.record_id: row for row in rows}
    writes = PortalWrite.objects.filter(app_id=next(iter(rows)).app_id, record_id__in=by_id)
    return {(write.record_id, write.revision) for write in writes if write.is_of(by_id[write.record_id])}


def _load_users(codes: Collection[str]) -> dict[str, User]:
    """The sign-ins of those who wrote, by folded kintone code."""
    found = User.objects.filter(person__kintone_code__in=codes).select_related("person")
    return {fold(user.person.kintone_code): user for user in found if user.person}


def _build_event(row: Record, stored: Record | None, users: Mapping[str, User], codes: Codes) -> AuditEvent:
    """Of a change it holds the fields that differ; nothing before and after means that none of ours does."""
    before = _read(stored, codes) if stored and stored.gone_at is None else None
    after = _read(row, codes)
    if before is not None:
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before, after = ({name: values.get(name) for name in changed} for values in (before, after))
    return build_event(
        "kintone.create" if before is None else "kintone.change",
        actor=users.get(fold(row.modifier_code)),
        by=row.modifier_name or row.modifier_code,
        obj=_name(row),
        before=before,
        after=after,
        outcome=f"revision {row.revision}",
        about=find_place(row, {"account_id": _find_account(row, codes)}),
    )


def _name(row: Record) -> tuple[str, str, str]:
    return "record", row.reference, row.title


def _read(row: Record, codes: Codes) -> dict[str, Any]:
    """The cells that mean something to us and are filled in, as kintone gave them."""
    cells = pick_fields(row.body, codes)
    return {
        name: value
        for name, cell in cells.items()
        if name not in _TECHNICAL and (value := cell.get("value")) not in (None, "", [])
    }


def _find_account(row: Record, codes: Codes) -> str:
    return normalise_account_id(read_text(pick_fields(row.body, codes), "account_id"))
