"""Drafts → kintone, oldest first, and each of them once.

kintone has no idempotency key, so a write that was begun is looked for before it is sent again: by the draft's key
where the app has a field for it, else by what it wrote. An update goes onto the revision that the mirror has, merged
with what others wrote since the draft's record was opened. What cannot be carried now stays and says why.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Draft, Record
from syncer import draft_outcomes as outcomes
from syncer import drafting, leases
from syncer.connections import connect_kintone_for_writing
from syncer.draft_outcomes import is_move
from syncer.gateways.errors import Conflict, Denied, GatewayError, NotFound, Permanent, Race, Temporary
from syncer.gateways.kintone import Deletion, FieldInfo, KintoneApp, Written
from syncer.judged import confirm_own, find_own_names, is_judged
from syncer.leaving_out import KnownCodes, Left, NobodyKnown, find_unknown, leave_out
from syncer.merging import Conflict as FieldConflict
from syncer.merging import is_same, merge
from syncer.mirror.records import mark_gone
from syncer.models import AppState
from syncer.parsing import parse_duration
from syncer.scanning import AppSource, take_over
from syncer.schema import SchemaError, find_code_of_type, match_fields
from syncer.states import Reason

logger = logging.getLogger(__name__)

LEASE = "drafts"
MOST_UNKNOWN = 20  # deleted people in one write, where kintone names them one by one
_CHOICES = frozenset({"DROP_DOWN", "RADIO_BUTTON"})
_LISTS = frozenset({"CHECK_BOX", "MULTI_SELECT"})
_OURS = frozenset({"request_key", "changed_by"})  # the portal's own notes, nobody's edit


def write_drafts(*, wait: float = 0) -> frozenset[str]:
    """Carry what waits to kintone; the records (APP:ID) that were written. Somebody else at it is no error."""
    try:
        with leases.hold_lease(LEASE, wait=wait):
            return _write_waiting()
    except leases.LeaseBusy:
        return frozenset()


def has_waiting() -> bool:
    return outcomes.find_waiting(timezone.now()).exists()


def find_unjudged() -> frozenset[str]:
    """The records (APP:ID) whose newest revision has to be judged before a draft goes onto it."""
    waiting = outcomes.find_waiting(timezone.now()).filter(record__is_settled=False)
    return frozenset(f"{app}:{record}" for app, record in waiting.values_list("record__app_id", "record__record_id"))


def _write_waiting() -> frozenset[str]:
    written: set[str] = set()
    tried: set[int] = set()
    with ExitStack() as stack:
        apps = _Apps(stack)
        waiting = outcomes.find_waiting(timezone.now()).select_related("record", "author__person")
        while draft := waiting.exclude(pk__in=tried).first():
            tried.add(draft.pk)
            if reference := _write(draft, apps):
                written.add(reference)
    return frozenset(written)


# --- One draft --------------------------------------------------------------------------------------------------------


class _NotYet(Exception):
    """Not before a run has judged what somebody else wrote: else it would count as our author's word."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.record = record


class _Discarded(Exception):
    """Nobody wants it any more, and it has not arrived."""


class _Overtaken(Exception):
    """What others wrote meanwhile and what the draft says do not go together."""

    def __init__(self, conflicts: Sequence[FieldConflict], theirs: Mapping[str, Any], record: Record) -> None:
        super().__init__(conflicts)
        self.conflicts, self.theirs, self.record = tuple(conflicts), theirs, record


@dataclass(frozen=True)
class _Carried:
    """What kintone has now. `is_ours` is False where it said so already and nothing was written."""

    written: Written
    is_ours: bool = True


@dataclass
class _Form:
    """One app with what its fields are."""

    source: AppSource
    codes: Mapping[str, str]  # our name → kintone's code
    fields: Mapping[str, FieldInfo]  # by code
    known: KnownCodes | None = None

    @property
    def app(self) -> KintoneApp:
        return self.source.app

    def info(self, name: str) -> FieldInfo:
        return self.fields[self.codes[name]]


@dataclass
class _Apps:
    """The apps that this pass has opened. One that failed is not asked again in it."""

    stack: ExitStack
    forms: dict[str, _Form] = field(default_factory=dict)
    failed: dict[str, Reason] = field(default_factory=dict)

    def open(self, kind: str) -> _Form:
        if kind not in self.forms:
            source = next(item for item in connect_kintone_for_writing() if item.kind == kind)
            self.stack.enter_context(source.app)
            self.forms[kind] = _read_form(source)
        return self.forms[kind]


def _read_form(source: AppSource) -> _Form:
    fields = source.app.fetch_fields()
    state = AppState.objects.filter(kind=source.kind).first()
    types = {code: info.type for code, info in fields.items()}
    codes = match_fields(
        source.schema, source.app.app_id, types, chosen=source.chosen, known=state.fields if state else {}
    )
    return _Form(source, codes, fields)


def _write(draft: Draft, apps: _Apps) -> str:
    """Write one draft; APP:ID if kintone says it now. What failed in a way that passes stays for the next time."""
    if reason := apps.failed.get(draft.kind):
        outcomes.delay([draft], reason, timezone.now())
        return ""
    try:
        form = apps.open(draft.kind)
        return _finish(form, draft, _carry(form, draft))
    except _NotYet as wait:
        _wait_for_judgement(draft, wait.record)
    except _Discarded:
        outcomes.discard(draft)
    except _Overtaken as error:
        outcomes.stop_in_conflict(draft, error.conflicts, theirs=error.theirs, record=error.record)
    except (GatewayError, SchemaError) as error:
        _note_failure(draft, error, apps)
    return ""


def _wait_for_judgement(draft: Draft, record: Record) -> None:
    """The run that is asked for tells soon; one that could not find out who may is not the last."""
    reason = Reason("draft_waits_for_judgement")
    if record.is_settled:
        outcomes.delay([draft], reason, timezone.now())
    else:
        outcomes.note(draft, reason)


def _note_failure(draft: Draft, error: GatewayError | SchemaError, apps: _Apps) -> None:
    """What a person can mend in kintone or its settings waits for that; a refusal is told."""
    if isinstance(error, Race):  # of this record alone
        outcomes.delay([draft], error.reason, timezone.now())
    elif isinstance(error, (Temporary, Denied, SchemaError)):
        logger.warning("writing: draft %s waits: %s", draft.pk, error)
        apps.failed[draft.kind] = error.reason
        outcomes.delay([draft], error.reason, timezone.now())
    else:
        is_gone = isinstance(error, NotFound) and _is_record_gone(error)
        outcomes.stop(draft, Draft.State.REFUSED, Reason("draft_record_gone") if is_gone else error.reason)


def _carry(form: _Form, draft: Draft) -> _Carried:
    if draft.attempts and (found := _find_carried(form, draft)):
        return found
    if draft.discarded_at:
        raise _Discarded
    if draft.record is None:
        return _create(form, draft)
    record = Record.objects.get(pk=draft.record.pk)  # as it is now: a run may have read it since
    return _delete(form, draft, record) if draft.is_deletion else _update(form, draft, record)


def _finish(form: _Form, draft: Draft, carried: _Carried) -> str:
    """The mirror follows at once, and with it, in one transaction, the ledger."""
    app_id, written = form.app.app_id, carried.written
    reference = f"{app_id}:{written.record_id}"
    body = None if draft.is_deletion else _read_back(form, written)
    with transaction.atomic():
        if draft.is_deletion:
            mark_gone([reference])
        elif body is not None:
            take_over(form.source, form.codes, [body])
        outcomes.finish(draft, app_id, written, is_ours=carried.is_ours)
        if draft.record is not None and not draft.is_deletion:
            confirm_own(draft.record, draft.author, draft.base_values or {}, draft.values)
    return reference


def _read_back(form: _Form, written: Written) -> Mapping[str, Any] | None:
    """What kintone made of it. If it cannot be read now, the run that follows reads it."""
    try:
        return form.app.fetch_record(written.record_id)
    except GatewayError as error:
        logger.warning("writing: record %s was written and cannot be read back: %s", written.record_id, error)
        return None


# --- Looking for what an earlier try has done -------------------------------------------------------------------------


def _find_carried(form: _Form, draft: Draft) -> _Carried | None:
    """What an earlier try has brought about, None if nothing."""
    if draft.record is None:
        found = _find_created(form, draft)
        return _Carried(found) if found else None
    return _look_again(form, draft, draft.record)


def _look_again(form: _Form, draft: Draft, record: Record, *, may_be_ours: bool = True) -> _Carried | None:
    """Whether the write that was begun has arrived. Where somebody else's did, the mirror has that afterwards."""
    try:
        body = form.app.fetch_record(record.record_id)
    except NotFound as error:
        if draft.is_deletion and _is_record_gone(error):
            return _Carried(Written(record.record_id, 0))
        raise
    revision, before = int(body["$revision"]["value"]), draft.sent_revision
    if revision == before:
        return None
    # The ledger will say whose word that revision is: so it may hold nothing but what was known, and this.
    is_next = before is not None and revision == before + 1
    cells = (draft.sent or {}).get("cells")
    if may_be_ours and is_next and cells and _holds(body, cells):
        return _Carried(Written(record.record_id, revision))
    outcomes.forget_attempt(draft)
    take_over(form.source, form.codes, [body])
    return None


def _is_record_gone(error: NotFound) -> bool:
    return error.reason.code == "kintone_record_missing"


def _find_created(form: _Form, draft: Draft) -> Written | None:
    if key := form.codes.get("request_key"):
        found = form.app.find_record(key, draft.request_key)
        return _as_written(found) if found else None
    cells = (draft.sent or {}).get("cells")
    return _find_alike(form, draft, cells) if cells else None


def _find_alike(form: _Form, draft: Draft, values: Mapping[str, Any]) -> Written | None:
    """In an app without the key: a record that came since the draft was made and says the same."""
    created = find_code_of_type({code: info.type for code, info in form.fields.items()}, "CREATED_TIME")
    since = draft.created_at.astimezone(UTC).replace(second=0, microsecond=0)
    pages = form.app.iter_records(f'{created} >= "{since:%Y-%m-%dT%H:%M:%SZ}"')
    found = (record for page in pages for record in page if _holds(record, values))
    return next((_as_written(record) for record in found), None)


def _as_written(record: Mapping[str, Any]) -> Written:
    """The revision of a record's creation is 1, whatever came after it."""
    return Written(str(record["$id"]["value"]), 1)


# --- Sending ----------------------------------------------------------------------------------------------------------


def _create(form: _Form, draft: Draft) -> _Carried:
    """A new record says everything: what a form fills in by itself is not what somebody decided."""
    empty = {name: [] if name in drafting.LISTS else "" for name in form.codes}
    left = Left(_sign(draft, {**empty, **draft.values, "request_key": draft.request_key}))
    while True:
        cells = _render(form, left.values)
        _begin(draft, left, cells, revision=None)
        try:
            return _Carried(form.app.create_record(cells))
        except Permanent as error:
            # kintone refuses a second record with our key; whatever it says, a record with the key is the one.
            if "request_key" in form.codes and (found := _find_created(form, draft)):
                return _Carried(found)
            outcomes.forget_attempt(draft)
            left = _leave_out(form, left, error, there={}, beside=())


def _update(form: _Form, draft: Draft, record: Record) -> _Carried:
    """Send what differs from the newest revision, if a run has judged that one by its own writer."""
    if record.gone_at:
        raise NotFound(
            f"kintone PUT record.json app {form.app.app_id}", Reason("kintone_record_missing", {"app": form.app.app_id})
        )
    theirs = drafting.read_record(record)
    base = draft.base_values or theirs
    merged = merge(base, theirs, draft.values, may_move=is_move(draft))
    if merged.conflicts:
        raise _Overtaken(merged.conflicts, theirs, record)
    if not is_judged(record, find_own_names(base, draft.values)):
        raise _NotYet(record)
    if not merged.values:
        return _Carried(Written(record.record_id, record.revision), is_ours=False)
    return _send_update(form, draft, record, Left(_sign(draft, merged.values)))


def _send_update(form: _Form, draft: Draft, record: Record, left: Left) -> _Carried:
    was_begun = draft.attempts > 0
    while True:
        cells = _render(form, left.values)
        _begin(draft, left, _add_known(form, record, cells), revision=record.revision)
        try:
            return _Carried(form.app.update_record(record.record_id, cells, revision=record.revision))
        except (Conflict, Race):
            if found := _look_again(form, draft, record, may_be_ours=was_begun):
                return found
            if draft.attempts:  # nothing has changed: only the lock was not to be had
                raise
            return _update(form, draft, Record.objects.get(pk=record.pk))
        except Permanent as error:
            outcomes.forget_attempt(draft)
            there = drafting.read_record(record)
            left = _leave_out(form, left, error, there=there, beside=record.beside)


def _delete(form: _Form, draft: Draft, record: Record) -> _Carried:
    """Of the revision that was looked at. A record that is gone already is what was wanted."""
    gone = _Carried(Written(record.record_id, 0))
    if record.gone_at:
        return gone
    revision = draft.base_revision or record.revision
    _begin(draft, Left({}), {}, revision=revision)
    try:
        form.app.delete_records([Deletion(record.record_id, revision)])
    except NotFound as error:
        if not _is_record_gone(error):
            raise
    except (Conflict, Race):
        if found := _look_again(form, draft, record):
            return found
        if draft.attempts:
            raise
        raise _overtake_deletion(draft, Record.objects.get(pk=record.pk)) from None
    return gone


def _overtake_deletion(draft: Draft, record: Record) -> _Overtaken:
    """Somebody changed what is to be deleted: the person has to see how."""
    theirs = drafting.read_record(record)
    base: Mapping[str, Any] = draft.base_values or {}
    changed = [name for name in theirs if name not in _OURS and not is_same(name, base.get(name, ""), theirs[name])]
    return _Overtaken([FieldConflict(name, base.get(name, ""), theirs[name], "") for name in changed], theirs, record)


def _begin(draft: Draft, left: Left, cells: Mapping[str, Any], *, revision: int | None) -> None:
    draft.notes = [reason.as_json() for reason in left.notes]
    if not outcomes.begin(draft, sent={"cells": dict(cells), "beside": left.beside}, revision=revision):
        raise _Discarded


def _leave_out(form: _Form, left: Left, error: Permanent, *, there: Mapping[str, Any], beside: Collection[str]) -> Left:
    """The write without those whom kintone does not know any more. Raises the error if it was about anything else."""
    unknown = find_unknown(error, left.values, form.known) - left.unknown
    if not unknown or len(left.unknown) >= MOST_UNKNOWN:
        raise error
    try:
        return leave_out(left, unknown, there=there, fields=form.codes, beside=beside)
    except NobodyKnown:
        raise error from None


def _add_known(form: _Form, record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """All that we know of the record, with these values."""
    known = {code: record.body[code].get("value") for code in form.codes.values() if code in record.body}
    return known | dict(values)


# --- Values -----------------------------------------------------------------------------------------------------------


def _sign(draft: Draft, values: Mapping[str, Any]) -> dict[str, Any]:
    """With the acting person, whom kintone would not name: a token writes as its Administrator."""
    person = draft.author.person
    return {**values, "changed_by": [person.kintone_code] if person and person.kintone_code else []}


def _render(form: _Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """kintone's field code → value, in the shape of the field's type, of the fields that the app has."""
    return {
        form.codes[name]: _render_value(name, value, form.info(name))
        for name, value in values.items()
        if name in form.codes
    }


def _render_value(name: str, value: Any, info: FieldInfo) -> Any:
    if info.type == "USER_SELECT":
        return [{"code": code} for code in value]
    if info.type in _LISTS:
        return list(value)
    if info.type in _CHOICES and name == "session_duration":
        return _choose_duration(value, info.options)
    if isinstance(value, list):
        return "\n".join(value)
    return value or (None if info.type in _CHOICES or info.type == "DATE" else "")


def _choose_duration(value: str, options: Collection[str]) -> str:
    """The option that means this duration; the value itself, for kintone to refuse, where none does."""
    wanted = parse_duration(value)
    return next((option for option in options if parse_duration(option) == wanted), value)


def _holds(record: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether the record says all of this."""
    return all(_plain(record.get(code, {}).get("value")) == _plain(value) for code, value in values.items())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(str(item.get("code") if isinstance(item, Mapping) else item) for item in value)
    return str(value or "").replace("\r\n", "\n")
