"""Whom each mirrored record names: a relation beside the bodies, so that somebody's records are found by an index.

It follows from the body, from where the form has its fields, and from the ledger. It is looked at whenever a body is
stored, and with every body that is read once the form has changed; only what differs is written.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from django.db.models import F

from accounts.models import PortalWrite, Record, RecordPerson
from accounts.names import clean, fold
from syncer.mirror.bulk import upsert
from syncer.records.parsing import find_cell, list_users

_BATCH = 500
_Key = tuple[int, str, str]  # record, role, folded code
_Named = tuple[str, int | None]  # the code as it is written, the user who made the record here
_FIELDS = {"owners": RecordPerson.Role.OWNER.value, "users": RecordPerson.Role.USER.value}
_AUTHOR = RecordPerson.Role.AUTHOR.value


def note_people(app_id: str, rows: Collection[Record], codes: Mapping[str, str]) -> None:
    """Make the relation say what these rows of one app say. `codes` maps our field names to kintone's codes."""
    known = Record.objects.filter(app_id=app_id, record_id__in=[row.record_id for row in rows])
    pks, writes = dict(known.values_list("record_id", "pk")), _load_first_writes(app_id, rows)
    wanted = {
        (pks[row.record_id], role, key): named
        for row in rows
        for role, key, named in _iter_people(row, codes, writes.get(row.record_id))
    }
    stored = _load_stored(pks.values())
    RecordPerson.objects.filter(pk__in=[pk for key, (pk, _named) in stored.items() if key not in wanted]).delete()
    upsert(
        [_build(key, named) for key, named in wanted.items() if key not in stored or stored[key][1] != named],
        unique_fields=["record", "role", "key"],
        update_fields=["code", "user"],
    )


def _load_first_writes(app_id: str, rows: Collection[Record]) -> dict[str, PortalWrite]:
    """What the portal made of these, by record id."""
    by_id = {row.record_id: row for row in rows}
    found = PortalWrite.objects.filter(app_id=app_id, record_id__in=by_id, revision=1)
    return {write.record_id: write for write in found if write.is_of(by_id[write.record_id])}


def _load_stored(pks: Collection[int]) -> dict[_Key, tuple[int, _Named]]:
    rows = RecordPerson.objects.filter(record_id__in=pks)
    fields = rows.values_list("pk", "record_id", "role", "key", "code", "user_id")
    return {(record, role, key): (pk, (code, user)) for pk, record, role, key, code, user in fields}


def _iter_people(row: Record, codes: Mapping[str, str], first: PortalWrite | None) -> Iterator[tuple[str, str, _Named]]:
    """Role, folded code, and who it is."""
    for name, role in _FIELDS.items():
        for code in list_users(find_cell(row.body, codes[name])) if name in codes else ():
            yield role, clean(fold(code), 128), (clean(code, 128), None)
    if first is None and row.creator_code:
        yield _AUTHOR, clean(fold(row.creator_code), 128), (row.creator_code, None)
    elif first and first.user_id:
        yield _AUTHOR, "", ("", first.user_id)


def _build(key: _Key, named: _Named) -> RecordPerson:
    (record, role, folded), (code, user) = key, named
    return RecordPerson(record_id=record, role=role, key=folded, code=code, user_id=user)


def load_alike() -> dict[str, tuple[str, ...]]:
    """Folded code → the codes, where live records name several kintone users whose codes fold to the same."""
    named = RecordPerson.objects.filter(record__gone_at=None).exclude(code="")
    # Of two that differ one at least is not written as it folds: in most companies that is nobody.
    odd = set(named.exclude(code=F("key")).values_list("key", flat=True).distinct())
    found: dict[str, set[str]] = defaultdict(set)
    for start in range(0, len(odd), _BATCH):
        batch = sorted(odd)[start : start + _BATCH]
        for key, code in named.filter(key__in=batch).values_list("key", "code").distinct():
            found[key].add(code)
    return {key: tuple(sorted(codes)) for key, codes in found.items() if len(codes) > 1}
