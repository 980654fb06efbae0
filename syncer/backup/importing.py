"""From a settings file to rows: all of it or nothing, and as often as one likes.

On a database that nobody has confirmed yet the file's word goes before what is there: what runs have judged without it,
though they only planned, is judged anew. On one that is at work, what is there is newer: only what is missing is added,
unless `replaces` is asked for. And what is missing there may have been taken away since: what gives rights is left out,
unless `gives_back` is asked for.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Field, Model
from django_celery_beat.models import PeriodicTasks

from accounts.audit import record_event
from accounts.models import Instance, PortalWrite, Record
from accounts.organization import recompute_stages
from syncer import leases
from syncer.backup.document import Difference, Document, Entry, NotReadable
from syncer.backup.exporting import build_entry, describe_company, find_field
from syncer.backup.references import NATURAL, Names
from syncer.backup.sections import SECTIONS, Section, Values
from syncer.mirror.naming import note_people
from syncer.models import AppState, Baseline
from syncer.states import Reason

logger = logging.getLogger(__name__)
_BATCH = 500
_MOST_NAMES = 200  # of a kind and section, in the audit trail
_Key = tuple[Any, ...]


@dataclass
class Placed:
    """What became of one section, row by row.

    left: what is otherwise here, and stays; unplaced: what it is about is not here; held_back: gives rights that may
    have been taken away since the file was written.
    """

    name: str
    same: int = 0
    added_rows: list[str] = field(default_factory=list)
    changed_rows: list[str] = field(default_factory=list)
    removed_rows: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)

    @property
    def added(self) -> int:
        return len(self.added_rows)

    @property
    def changed(self) -> int:
        return len(self.changed_rows)

    @property
    def removed(self) -> int:
        return len(self.removed_rows)

    def count(self) -> dict[str, int]:
        """How many of each kind, of those that there are."""
        named = {name: len(value) for name, value in vars(self).items() if isinstance(value, list)}
        return {name.removesuffix("_rows"): count for name, count in ({"same": self.same} | named).items() if count}

    def as_json(self) -> dict[str, Any]:
        """The counts, and the first names of each kind."""
        named = {name: value[:_MOST_NAMES] for name, value in vars(self).items() if isinstance(value, list) and value}
        names = {name.removesuffix("_rows"): value for name, value in named.items()}
        return self.count() | ({"names": names} if names else {})


class Refused(Exception):
    """The file is not for here. Nothing was changed."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(", ".join(reason.code for reason in self.reasons))


def import_settings(
    document: Document,
    *,
    checks: bool = False,
    replaces: bool = False,
    gives_back: bool = False,
    forces: bool = False,
) -> list[Placed]:
    """Put back what the file holds; `checks` only says what that would do. `replaces` and `gives_back`: see above.

    Raises Refused for a file of another company, unless `forces`, and before kintone and AWS were read; NotReadable for
    what does not fit the format.
    """
    _require_reading()
    differences = list(document.compare(describe_company()))
    if differences and not forces:
        raise Refused(map(_explain, differences))
    with transaction.atomic():
        leases.lock_mirror()
        placed = _Import(document, replaces=replaces, gives_back=gives_back).place()
        record_event("settings.import", by="manage.py", after=_summarise(document, placed))
        transaction.set_rollback(checks)
    logger.info("backup: import checks=%s %s", checks, {each.name: each.count() for each in placed})
    return placed


def _require_reading() -> None:
    """Who, what and where the file is about is looked up in the mirror."""
    is_read = Instance.objects.filter(principals_read_at__isnull=False).exists()
    if not is_read or AppState.objects.filter(scanned_at__isnull=False).count() < 2:
        raise Refused([Reason("backup_needs_reading")])


def _explain(difference: Difference) -> Reason:
    params = {"what": difference.what, "there": difference.there or "–", "here": difference.here or "–"}
    return Reason("backup_of_another", params)


def _summarise(document: Document, placed: Iterable[Placed]) -> dict[str, Any]:
    return {"written_at": document.written_at.isoformat()} | {each.name: each.as_json() for each in placed}


class _Import:
    def __init__(self, document: Document, *, replaces: bool, gives_back: bool) -> None:
        self.document, self.names = document, Names()
        self.is_new = not Baseline.objects.exists()
        self.wins = self.is_new or replaces
        self.gives = self.is_new or gives_back

    def place(self) -> list[Placed]:
        placed = [self._place(section) for section in SECTIONS]
        _name_authors()
        recompute_stages()
        PeriodicTasks.update_changed()
        return placed

    def _place(self, section: Section) -> Placed:
        placing = _Placing(section, self)
        placing.place(self.document.sections.get(section.name, []))
        if self.is_new and section.name in self.document.sections:
            placing.clear()
        self.names.forget(section.model)
        return placing.placed


def _name_authors() -> None:
    """Whose a record is follows from the ledger, which was not there when the records were read."""
    for state in AppState.objects.all():
        made = PortalWrite.objects.filter(app_id=state.app_id, revision=1).values("record_id")
        pks = list(Record.objects.live().filter(app_id=state.app_id, record_id__in=made).values_list("pk", flat=True))
        for start in range(0, len(pks), _BATCH):
            note_people(state.app_id, list(Record.objects.filter(pk__in=pks[start : start + _BATCH])), state.fields)


class _Placing:
    """One section on its way into its table."""

    def __init__(self, section: Section, whole: _Import) -> None:
        self.section, self.whole = section, whole
        self.placed = Placed(section.name)
        self._keys = [find_field(section.model, name).attname for name in section.key]
        columns = [find_field(section.model, name).attname for name in section.columns]
        self._there = {self._key_of(vars(row)): row for row in section.model._default_manager.only(*columns)}
        self._seen: set[int] = set()

    def place(self, entries: Iterable[Entry]) -> None:
        fresh: list[tuple[Entry, Model]] = []
        for entry in entries:
            values = self._decode(entry)
            row = self._there.get(self._key_of(values)) if values is not None else None
            if values is None or (row is None and not self.section.creates):
                self.placed.unplaced.append(self._name(entry))
            elif row is None:
                self._take(entry, self.section.model(**self._adapt(values, None)), fresh)
            else:
                self._seen.add(row.pk)
                self._bring_up(entry, row, self._adapt(values, row))
        for start in range(0, len(fresh), _BATCH):
            self._create(fresh[start : start + _BATCH])

    def _take(self, entry: Entry, row: Model, fresh: list[tuple[Entry, Model]]) -> None:
        if self.section.gives(row) and not self.whole.gives:
            self.placed.held_back.append(self._name(entry))
        else:
            fresh.append((entry, row))

    def clear(self) -> None:
        """On a new database: what was worked out or shipped without the file, and is not in it."""
        if self.section.model is Record:
            self._have_judged_anew()
        elif self.section.surplus:
            rows = [row for row in self.section.surplus() if row.pk not in self._seen]
            self.placed.removed_rows += [self._name(build_entry(self.section, row, self.whole.names)) for row in rows]
            for start in range(0, len(rows), _BATCH):
                pks = [row.pk for row in rows[start : start + _BATCH]]
                self.section.model._default_manager.filter(pk__in=pks).delete()

    def _have_judged_anew(self) -> None:
        judged = Record.objects.filter(in_force__isnull=False).values_list("pk", flat=True)
        rows = [pk for pk in judged if pk not in self._seen]
        for start in range(0, len(rows), _BATCH):
            batch = Record.objects.filter(pk__in=rows[start : start + _BATCH])
            batch.update(in_force=None, in_force_revision=None, is_settled=False)

    # Values

    def _decode(self, entry: Entry) -> Values | None:
        """The columns by their names in the database; None where something that it names is not here."""
        if strange := entry.keys() - set(self.section.columns):
            raise NotReadable(Reason("backup_broken", {"text": f"{self.section.name}: {', '.join(sorted(strange))}"}))
        values = {}
        for name in self.section.columns:
            column = find_field(self.section.model, name)
            value = self._decode_one(column, entry[name]) if name in entry else column.get_default()
            if value is None and entry.get(name) is not None:
                return None
            values[column.attname] = value
        return values

    def _decode_one(self, column: "Field[Any, Any]", written: Any) -> Any:
        try:
            if column.remote_field is not None and written is not None:
                return self.whole.names.find(column.remote_field.model, str(written))
            if isinstance(column, models.DateTimeField) and written is not None:
                return datetime.fromisoformat(written)
            if isinstance(column, models.DateField) and written is not None:
                return date.fromisoformat(written)
            return written if isinstance(column, models.JSONField) else column.to_python(written)
        except (TypeError, ValueError, ValidationError) as error:
            text = f"{self.section.name}.{column.name}: {written!r}"
            raise NotReadable(Reason("backup_broken", {"text": text[:200]})) from error

    def _adapt(self, values: Values, row: Any) -> Values:
        return self.section.adapt(values, row, self.whole.document.written_at)

    def _key_of(self, values: Mapping[str, Any]) -> _Key:
        return tuple(values[name] for name in self._keys)

    def _name(self, entry: Entry) -> str:
        """What makes it known again, in words that say whose it is."""
        columns = dict.fromkeys((*self.section.key, *self.section.says))
        return " ".join(self._say(name, entry[name]) for name in columns if entry.get(name) is not None)

    def _say(self, column: str, written: Any) -> str:
        related = find_field(self.section.model, column).remote_field
        if related is None or related.model not in NATURAL:
            return str(written)
        return self.whole.names.say(related.model, str(written))

    # Rows

    def _bring_up(self, entry: Entry, row: Model, values: Values) -> None:
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not differing:
            self.placed.same += 1
        elif not self.whole.wins:
            self.placed.left.append(self._name(entry))
        else:
            for name, value in differing.items():
                setattr(row, name, value)
            self._try(f"{self._name(entry)}: {', '.join(differing)}", row, update_fields=list(differing))

    def _create(self, batch: list[tuple[Entry, Model]]) -> None:
        try:
            with transaction.atomic():
                self.section.model._default_manager.bulk_create([row for _entry, row in batch])
        except IntegrityError:
            for entry, row in batch:
                self._try(self._name(entry), row, force_insert=True)
        else:
            self._seen |= {row.pk for _entry, row in batch}
            self.placed.added_rows += [self._name(entry) for entry, _row in batch]

    def _try(self, name: str, row: Model, **options: Any) -> None:
        """One row by itself. What meets a row that is here, such as a second lock-out of a person, gives way to it."""
        try:
            with transaction.atomic():
                row.save(**options)
        except IntegrityError:
            self.placed.left.append(name)
            return
        self._seen.add(row.pk)
        (self.placed.added_rows if "force_insert" in options else self.placed.changed_rows).append(name)
