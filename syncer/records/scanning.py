"""Reading kintone into the mirror: quick looks at what changed, scans of all ids and revisions, and of all bodies.

Deletes leave no trace in kintone, so only a complete scan can tell that a record is gone; each such record is then
asked for by itself before it counts as gone. `rhythm.py` decides which of these is due.

**The form.** kintone leaves out what it does not know, without a word: a field whose code was changed would read as
empty, and empty reads as "taken away". Looks do not ask for the form, which would be a third request each minute. They
need not: every body names the code and the type of each of its fields, so a body that lacks a field, or has it in
another type, is not believed, and the form is asked for at once. A look without bodies concludes nothing from any
field, and a scan concludes from ids alone. A look by a time field whose code was changed is refused by kintone, and the
form is asked for as well. What came new on the form shows only there: so scans that are due read it first, and looks
once in ten minutes. When it is another than before, everything is read: bodies of before know nothing of it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import get_default_timezone

from accounts.models import AppKind, Record
from syncer.gateways.errors import GatewayError, NotFound, Permanent
from syncer.gateways.kintone import PAGE, KintoneApp
from syncer.gateways.kintone_values import list_types
from syncer.mirror import records as mirror
from syncer.models import AppState
from syncer.records.ahead import one_ahead
from syncer.records.parsing import find_cell
from syncer.records.rhythm import FORM_EVERY, Extent, Occasion, Progress, decide, may_scan
from syncer.records.schema import AppSchema, SchemaError, find_code_of_type, match_fields, require_fields, wrong_type
from syncer.records.usage import load_usage
from syncer.states import Reason

OVERLAP = timedelta(minutes=5)  # kintone's times are whole minutes, and clocks differ
SHRUNK_COUNT, SHRUNK_SHARE = 10, 0.05  # missing records that are more than both are not believed
HALF_COUNT, HALF = 5, 0.5  # nor are so many of a small app, where they are as large a part
NEWEST = 20  # records that a look asks for: more are seldom changed within the overlap
FEW = 20  # missing records that are asked for one by one; more are asked for together, a page at a time

T = TypeVar("T")
Bodies = Collection[Mapping[str, Any]]


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


def read_app(source: AppSource, occasion: Occasion) -> AppReading:
    """Read as much of one app as is due. Raises AppFailure; the mirror then has lost nothing."""
    try:
        return _Reader(source, _load_state(source)).read(occasion)
    except (GatewayError, SchemaError) as error:
        operation = getattr(error, "operation", f"kintone GET app/form/fields.json app {source.app.app_id}")
        AppState.objects.filter(kind=source.kind).update(error=error.reason.as_json())
        raise AppFailure(source.kind, operation, error.reason) from error


def read_record(source: AppSource, record_id: str) -> AppReading | None:
    """Read one record by itself; None if neither kintone nor the mirror has it. Raises GatewayError and SchemaError.

    One that is gone is believed to be if it is all that kintone's count lacks; else a scan tells what became of them.
    """
    return _Reader(source, _load_state(source)).read_record(record_id)


def read_records(source: AppSource, record_ids: Collection[str]) -> AppReading:
    """Read these records by themselves, a page at a time. Raises GatewayError and SchemaError."""
    return _Reader(source, _load_state(source)).read_records(record_ids)


def take_over(source: AppSource, codes: Mapping[str, str], bodies: Bodies) -> frozenset[str]:
    """Store what kintone just gave; the records (APP:ID) that changed. Raises SchemaError where a field is lacking."""
    for body in bodies:
        require_fields(source.schema, source.app.app_id, codes, body)
    title = codes[source.schema.title]
    ids = mirror.store_bodies(source.kind, source.app.app_id, bodies, title_code=title, codes=codes)
    return frozenset(f"{source.app.app_id}:{record_id}" for record_id in ids)


def recall_reading(state: AppState) -> AppReading:
    """The app as it was last read."""
    return AppReading(
        AppKind(state.kind), state.fields, missing=frozenset(state.missing), records=state.records,
        shrunk=state.is_short,
    )  # fmt: skip


def _load_state(source: AppSource) -> AppState:
    state, _created = AppState.objects.get_or_create(kind=source.kind, defaults={"app_id": source.app.app_id})
    return state


class _Reader:
    """One reading of one app."""

    def __init__(self, source: AppSource, state: AppState) -> None:
        self.source, self.app, self.state = source, source.app, state
        self.now = timezone.now()
        self.codes: Mapping[str, str] = state.fields
        self.form: Mapping[str, str] = state.form
        self.seen: set[str] = set()  # ids of bodies
        self.changed: set[str] = set()  # APP:ID
        self.found: dict[str, Any] = {}  # what is stored of the app once it was read well
        self._started: datetime | None = None  # by kintone's clock

    def read(self, occasion: Occasion) -> AppReading:
        extent = decide(occasion, self._find_progress(), self.now, get_default_timezone())
        if extent is Extent.NOTHING:
            return recall_reading(self.state)
        if extent is not Extent.CHANGES or self._must_read_form():
            return self._read(self._read_form(extent))
        try:
            return self._read(extent)
        except (Permanent, SchemaError):
            return self._read(self._read_form(extent))

    def read_record(self, record_id: str) -> AppReading | None:
        """As `read_records`; None if neither kintone nor the mirror has it."""
        try:
            body = self.app.fetch_record(record_id)
        except NotFound:
            reference = f"{self.app.app_id}:{record_id}"
            if mirror.is_live(self.source.kind, reference):
                return self._find_gone([record_id])
            # What went by a deletion of ours is known to be gone, and nobody has drawn the consequences yet.
            return recall_reading(self.state) if reference in mirror.load_unsettled() else None
        return self._take_alone([body])

    def read_records(self, record_ids: Collection[str]) -> AppReading:
        """What is not there any more is gone if it is all that kintone's count lacks; else a scan tells."""
        reading = recall_reading(self.state)
        wanted = sorted(record_ids, key=int)
        for start in range(0, len(wanted), PAGE):
            reading = self._take_alone(self.app.fetch_records(wanted[start : start + PAGE]))
        return self._find_gone([record_id for record_id in wanted if record_id not in self.seen], reading)

    def _take_alone(self, bodies: Bodies) -> AppReading:
        """Take over a few bodies. Where they are not as the form was, it is asked for, and everything read."""
        try:
            self._take_over(bodies)
        except SchemaError:
            return self._read(self._read_form(Extent.CHANGES))
        return replace(recall_reading(self.state), changed=frozenset(self.changed))

    def _find_gone(self, record_ids: Collection[str], reading: AppReading | None = None) -> AppReading:
        """What became of these, which kintone has not shown; those that a scan has missed already stay held."""
        known = reading or recall_reading(self.state)
        asked = {f"{self.app.app_id}:{record_id}" for record_id in record_ids} - known.missing
        unseen = {reference for reference in asked if mirror.is_live(self.source.kind, reference)}
        if not unseen:
            return known
        expected = self._count_expected()
        if not _is_too_much(len(unseen), expected) and self.app.count_records() == expected - len(unseen) > 0:
            mirror.mark_gone(unseen)
            return replace(known, gone=known.gone | unseen)
        found = self.read(Occasion.CHECKED)
        return replace(found, changed=found.changed | known.changed)

    def _find_progress(self) -> Progress:
        state, spent = self.state, load_usage(self.app.app_id, self.now).today
        if state.app_id != self.app.app_id:  # another app than the settings named before
            return Progress(spent=spent)
        return Progress(state.records, spent, state.read_at, state.scanned_at, state.bodies_at)

    # The form

    def _must_read_form(self) -> bool:
        return bool(self.state.error) or self.state.form_at is None or self.now - self.state.form_at >= FORM_EVERY

    def _read_form(self, extent: Extent) -> Extent:
        """What is read once the form is known. Raises SchemaError where it is not what it must be."""
        types = list_types(self.app.fetch_fields())
        self._started = self._started or self.app.server_time
        self.codes = match_fields(
            self.source.schema, self.app.app_id, types, chosen=self.source.chosen, known=self.state.fields
        )
        kept = {*self.codes.values(), find_code_of_type(types, "UPDATED_TIME")}
        self.form = {code: types[code] for code in sorted(kept) if code in types}
        self.found |= {"form_at": self.now, "fields": self.codes, "form": self.form}
        is_same = (self.codes, self.form) == (self.state.fields, self.state.form)
        return extent if is_same else Extent.BODIES

    def _require_form(self, body: Mapping[str, Any]) -> None:
        """Raise SchemaError for a body that has not the fields that the form had."""
        require_fields(self.source.schema, self.app.app_id, self.codes, body)
        for name, path in self.codes.items():
            kind = (find_cell(body, path) or {}).get("type")  # of a table without rows nothing is known
            if kind and kind != self.form.get(path, kind):
                raise wrong_type(self.source.schema, self.app.app_id, name, path, kind)

    # Reading

    def _read(self, extent: Extent) -> AppReading:
        if extent is Extent.BODIES:
            reading = self._read_bodies()
        else:
            reading = self._scan() if extent is Extent.IDS else self._look()
        AppState.objects.filter(pk=self.state.pk).update(
            app_id=self.app.app_id, watermark=self._started or self.now, read_at=timezone.now(), error={},
            records=reading.records, **self.found,
        )  # fmt: skip
        return reading

    def _look(self) -> AppReading:
        """What was changed since the last good reading, and the count: one that differs makes it a scan.

        The records changed last come with the count, in one request; only where all of them are news it takes another.
        """
        updated = find_code_of_type(self.form, "UPDATED_TIME")
        if not updated or self.state.watermark is None:
            return self._scan()
        newest, total = self.app.fetch_newest(updated, NEWEST)
        self._started = self._started or self.app.server_time
        since = self.state.watermark.astimezone(UTC).replace(second=0, microsecond=0) - OVERLAP
        changed = [body for body in newest if _may_be_newer(body, updated, since)]
        # All of them: there may be more.
        condition = f'{updated} >= "{since:%Y-%m-%dT%H:%M:%SZ}"'
        for page in [changed] if len(changed) < NEWEST else self.app.iter_records(condition):
            self._take_over(page)
        expected = self._count_expected()
        if total != expected and may_scan(self._find_progress(), self.now):
            return self._scan()
        known = recall_reading(self.state)
        return replace(known, codes=self.codes, changed=frozenset(self.changed), records=expected)

    def _count_expected(self) -> int:
        """How many records kintone has if nothing happened since: what a scan did not find is not counted."""
        prefix = f"{self.app.app_id}:"
        hidden = len([reference for reference in self.state.missing if str(reference).startswith(prefix)])
        return mirror.count_live(self.source.kind, self.app.app_id) - hidden

    def _scan(self) -> AppReading:
        """All ids and revisions, and the bodies of those that differ, a page at a time."""
        before = mirror.count_live(self.source.kind, self.app.app_id)
        scanned = self.app.scan_revisions()
        self._started = self._started or self.app.server_time
        different = mirror.find_different(self.app.app_id, scanned)
        pages = (self.app.fetch_records(different[start : start + PAGE]) for start in range(0, len(different), PAGE))
        with one_ahead(pages) as ahead:
            for page in ahead:
                self._take_over(page)
        return self._conclude(scanned.keys(), before)

    def _read_bodies(self) -> AppReading:
        """Everything, a page at a time. Where kintone counted others than these, a scan of the ids settles it."""
        before, total = mirror.count_live(self.source.kind, self.app.app_id), 0
        self.seen.clear()
        with one_ahead(self._note_start(self.app.iter_all())) as ahead:
            for page, counted in ahead:
                total = counted
                self._take_over(page)
        self.found["bodies_at"] = self.now
        return self._conclude(self.seen, before) if len(self.seen) == total else self._scan()

    def _note_start(self, pages: Iterable[T]) -> Iterator[T]:
        """kintone's clock at the first page: what is changed while the others come is looked for next time."""
        for page in pages:
            self._started = self._started or self.app.server_time
            yield page

    def _take_over(self, bodies: Bodies) -> None:
        """Store what kintone gave. Raises SchemaError, and stores none, where a body lacks a field."""
        for body in bodies:
            self._require_form(body)
        kind, app_id, title = self.source.kind, self.app.app_id, self.codes[self.source.schema.title]
        ids = mirror.store_bodies(kind, app_id, bodies, title_code=title, codes=self.codes, asked_at=self.now)
        self.seen.update(str(body["$id"]["value"]) for body in bodies)
        self.changed.update(f"{app_id}:{record_id}" for record_id in ids)

    # What is gone

    def _conclude(self, scanned: Collection[str], before: int) -> AppReading:
        """What a complete list of ids says about the records that it lacks. `before`: live records when it began.

        A record that came and went while it was read is missing as well; it is asked for like the others.
        """
        missing = mirror.find_missing(self.source.kind, self.app.app_id, scanned)
        shrunk = not scanned or _is_too_much(len(missing), before)
        gone = frozenset() if shrunk else self._confirm_gone(missing)
        left = missing if shrunk else frozenset()
        self.found |= {"scanned_at": self.now, "missing": sorted(left), "is_short": shrunk}
        return AppReading(self.source.kind, self.codes, frozenset(self.changed), gone, left, len(scanned), shrunk)

    def _confirm_gone(self, missing: Collection[str]) -> frozenset[str]:
        """Ask for each missing record; what is there after all is taken over.

        No transaction: while kintone is asked, nobody else may have to wait for the database, a heartbeat least of all.
        """
        prefix = f"{self.app.app_id}:"
        ids = sorted((item.removeprefix(prefix) for item in missing if item.startswith(prefix)), key=int)
        bodies = self._ask_one_by_one(ids) if len(ids) <= FEW else self.app.fetch_records(ids)
        self._take_over(bodies)
        there = {f"{prefix}{body['$id']['value']}" for body in bodies}
        gone = frozenset(missing) - there
        mirror.mark_gone(gone)
        return gone

    def _ask_one_by_one(self, record_ids: Iterable[str]) -> list[Mapping[str, Any]]:
        bodies: list[Mapping[str, Any]] = []
        for record_id in record_ids:
            with suppress(NotFound):
                bodies.append(self.app.fetch_record(record_id))
        return bodies


def _may_be_newer(body: Mapping[str, Any], updated: str, since: datetime) -> bool:
    """What says nothing of its time is looked at, which tells what is wrong with it."""
    at = parse_datetime(str((body.get(updated) or {}).get("value", "")))
    return at is None or at >= since


def _is_too_much(missing: int, of: int) -> bool:
    """Whether so many cannot have been deleted, as far as we believe: rather, rights or a token have changed."""
    return missing > max(SHRUNK_COUNT, SHRUNK_SHARE * of) or (missing >= HALF_COUNT and missing >= HALF * of)


def accept_missing(readings: Collection[AppReading]) -> None:
    """An admin has accepted that these records are gone."""
    for reading in readings:
        mirror.mark_gone(reading.missing)
        AppState.objects.filter(kind=reading.kind).update(missing=[], is_short=False)


def find_record(reference: str) -> Record | None:
    """The mirrored record of `APP:ID`."""
    app_id, _colon, record_id = reference.partition(":")
    return Record.objects.filter(app_id=app_id, record_id=record_id).first()
