"""One draft → kintone, once: looked for where it may have arrived already, else merged, sent and read back.

kintone has no idempotency key, so a write that was begun is looked for before it is sent again: by the draft's key
where the app has a field for it, else by what it wrote. An update goes onto the revision that the mirror has, merged
with what others wrote since the draft's record was opened.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Draft, Record
from syncer.connections import connect_kintone_for_writing, connect_kintone_users
from syncer.drafts import drafting, outcomes
from syncer.drafts.judged import confirm_own, find_own_names, find_withheld_codes, find_withheld_fields, is_judged
from syncer.drafts.leaving_out import KnownCodes, Left, NobodyKnown, find_unknown, leave_out
from syncer.drafts.merging import Conflict as FieldConflict
from syncer.drafts.merging import is_same, merge
from syncer.drafts.outcomes import is_move
from syncer.gateways.errors import Conflict, GatewayError, NotFound, Permanent, Race
from syncer.gateways.kintone import Deletion, FieldInfo, KintoneApp, Written
from syncer.gateways.kintone_values import list_types
from syncer.mirror.records import mark_gone
from syncer.models import AppState
from syncer.records.parsing import LISTS
from syncer.records.rendering import holds, render
from syncer.records.scanning import AppSource, take_over
from syncer.records.schema import find_code_of_type, match_fields
from syncer.states import Reason

logger = logging.getLogger(__name__)

MOST_UNKNOWN = 20  # deleted people in one write, where kintone names them one by one
_OURS = frozenset({"request_key", "changed_by"})  # the portal's own notes, nobody's edit


class NotYet(Exception):
    """Not before a run has judged what somebody else wrote: else it would count as our author's word."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.record = record


class Discarded(Exception):
    """Nobody wants it any more, and it has not arrived."""


class UnderWay(Exception):
    """Nobody wants it any more, and it may yet arrive: then the ledger has to know whose word it is."""


class Overtaken(Exception):
    """What others wrote meanwhile and what the draft says do not go together."""

    def __init__(self, conflicts: Sequence[FieldConflict], theirs: Mapping[str, Any], record: Record) -> None:
        super().__init__(conflicts)
        self.conflicts, self.theirs, self.record = tuple(conflicts), theirs, record


@dataclass(frozen=True)
class Carried:
    """What kintone has now. `is_ours` is False where it said so already and nothing was written."""

    written: Written
    is_ours: bool = True


@dataclass
class Form:
    """One app with what its fields are."""

    source: AppSource
    codes: Mapping[str, str]  # our name → kintone's code
    fields: Mapping[str, FieldInfo]  # by code
    known: KnownCodes | None = None

    @property
    def app(self) -> KintoneApp:
        return self.source.app

    def render(
        self, values: Mapping[str, Any], *, is_new: bool = False, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The cells of a record, for the one with this `body` if there is one. Raises DoesNotFit.

        A new one says everything: what a form fills in by itself is nobody's word.
        """
        empty = {name: [] if name in LISTS else "" for name in self.codes} if is_new else {}
        return render({**empty, **values}, self.codes, self.fields, body)


@dataclass
class Apps:
    """The apps that this pass has opened. One that failed is not asked again in it."""

    stack: ExitStack
    forms: dict[str, Form] = field(default_factory=dict)
    failed: dict[str, Reason] = field(default_factory=dict)

    def open(self, kind: str) -> Form:
        if kind not in self.forms:
            source = next(item for item in connect_kintone_for_writing() if item.kind == kind)
            self.stack.enter_context(source.app)
            self.forms[kind] = replace(_read_form(source), known=_build_known_codes(self.stack))
        return self.forms[kind]


def _build_known_codes(stack: ExitStack) -> KnownCodes | None:
    """Which codes kintone has users for; None where there is no token to ask with."""
    users = connect_kintone_users()
    if users is None:
        return None
    stack.enter_context(users)
    return lambda codes: frozenset(users.fetch_users(codes))


def _read_form(source: AppSource) -> Form:
    fields = source.app.fetch_fields()
    state = AppState.objects.filter(kind=source.kind).first()
    codes = match_fields(
        source.schema, source.app.app_id, list_types(fields), chosen=source.chosen, known=state.fields if state else {}
    )
    return Form(source, codes, fields)


@dataclass(frozen=True)
class Request:
    """A write that is ready to be sent. Without `record` it makes a new one."""

    form: Form
    draft: Draft
    record: Record | None
    left: Left = field(default_factory=lambda: Left({}))

    @property
    def revision(self) -> int | None:
        """The one that it goes onto, or that is deleted."""
        if self.record is None:
            return None
        return self.draft.base_revision or self.record.revision if self.draft.is_deletion else self.record.revision

    def render(self) -> dict[str, Any]:
        """Raises DoesNotFit."""
        return self.form.render(self.left.values, body=self.record.body if self.record else None)

    def begin(self) -> None:
        """Note what is about to be sent. Raises Discarded."""
        cells = self.render()
        known = _read_known(self.form, self.record) if self.record and not self.draft.is_deletion else {}
        self.draft.notes = [reason.as_json() for reason in self.left.notes]
        sent = {"cells": {**known, **cells}, "beside": self.left.beside}
        if not outcomes.begin(self.draft, sent=sent, revision=self.revision):
            raise Discarded

    def leave_out(self, error: Permanent) -> "Request":
        """The write without those whom kintone does not know any more. Raises what was about something else."""
        left, record = self.left, self.record
        unknown = find_unknown(error, left.values, self.form.known) - left.unknown
        if not unknown or len(left.unknown) >= MOST_UNKNOWN:
            raise error
        there = drafting.read_record(record) if record else {}
        beside = record.beside if record else ()
        withheld = find_withheld_codes(record) if record else frozenset()
        try:
            less = leave_out(left, unknown, there=there, fields=self.form.codes, beside=beside, withheld=withheld)
        except NobodyKnown:
            raise error from None
        return replace(self, left=less)


# --- One draft --------------------------------------------------------------------------------------------------------


def carry(form: Form, draft: Draft) -> Carried:
    """Bring one draft to kintone. Raises NotYet, Discarded, UnderWay, Overtaken, GatewayError."""
    if draft.attempts and (found := find_carried(form, draft)):
        return found
    ready = prepare(form, draft)
    return ready if isinstance(ready, Carried) else _send(ready)


def prepare(form: Form, draft: Draft) -> Request | Carried:
    """What is to be sent, if anything. Raises NotYet, Discarded, UnderWay, Overtaken, NotFound."""
    if draft.discarded_at:
        raise UnderWay if outcomes.may_still_arrive(draft, timezone.now()) else Discarded
    if draft.record is None:
        # A new record says everything: what a form fills in by itself is not what somebody decided.
        empty = {name: [] if name in LISTS else "" for name in form.codes}
        values = {**empty, **draft.values, "request_key": draft.request_key}
        return Request(form, draft, None, Left(_sign(draft, values)))
    record = Record.objects.get(pk=draft.record.pk)  # as it is now: a run may have read it since
    if draft.is_deletion:
        return Carried(Written(record.record_id, 0)) if record.gone_at else Request(form, draft, record)
    return _prepare_update(form, draft, record)


def _prepare_update(form: Form, draft: Draft, record: Record) -> Request | Carried:
    """What differs from the newest revision, if a run has judged that one by its own writer."""
    if record.gone_at:
        gone = Reason("kintone_record_missing", {"app": form.app.app_id})
        raise NotFound(f"kintone PUT record.json app {form.app.app_id}", gone)
    theirs = drafting.read_record(record)
    base = draft.base_values or theirs
    merged = merge(base, theirs, draft.values, may_move=is_move(draft))
    if conflicts := (*merged.conflicts, *_find_withheld(record, base, theirs, draft.values)):
        raise Overtaken(list({item.field: item for item in conflicts}.values()), theirs, record)
    if not is_judged(record, draft.author, find_own_names(base, draft.values)):
        raise NotYet(record)
    if not merged.values:
        return Carried(Written(record.record_id, record.revision), is_ours=False)
    return Request(form, draft, record, Left(_sign(draft, merged.values), _find_beside(form, record, merged.values)))


def _find_withheld(
    record: Record, base: Mapping[str, Any], theirs: Mapping[str, Any], ours: Mapping[str, Any]
) -> list[FieldConflict]:
    """Fields of a set that came with what is withheld: merged into a list, that would be our author's word."""
    return [
        FieldConflict(name, base.get(name, ""), theirs[name], mine)
        for name, mine in ours.items()
        if name in theirs and name in find_withheld_fields(record)
        if not is_same(name, theirs[name], base.get(name, "")) and not is_same(name, theirs[name], mine)
    ]


def _find_beside(form: Form, record: Record, values: Mapping[str, Any]) -> list[str] | None:
    """Whom the portal keeps beside the record afterwards: nobody where the app has a field. None: as before."""
    if "more_users" not in values or ("more_users" in form.codes and not record.beside):
        return None
    return [] if "more_users" in form.codes else list(values["more_users"])


def finish(form: Form, draft: Draft, carried: Carried) -> str:
    """The mirror follows at once, and with it, in one transaction, the ledger; APP:ID."""
    app_id, written = form.app.app_id, carried.written
    reference = f"{app_id}:{written.record_id}"
    body = None if draft.is_deletion else _read_back(form, written)
    with transaction.atomic():
        if carried.is_ours and not draft.is_deletion:
            outcomes.note_write(draft, app_id, written)
        if draft.is_deletion:
            mark_gone([reference], is_noted=True)
        elif body is not None:
            take_over(form.source, form.codes, [body])
        outcomes.finish(draft, app_id, written, is_ours=carried.is_ours)
        if draft.record is not None and not draft.is_deletion:
            confirm_own(draft.record, draft.author, draft.base_values or {}, draft.values)
    return reference


def _read_back(form: Form, written: Written) -> Mapping[str, Any] | None:
    """What kintone made of it. If it cannot be read now, the run that follows reads it."""
    try:
        return form.app.fetch_record(written.record_id)
    except GatewayError as error:
        logger.warning("writing: record %s was written and cannot be read back: %s", written.record_id, error)
        return None


# --- Looking for what an earlier try has done -------------------------------------------------------------------------


def find_carried(form: Form, draft: Draft) -> Carried | None:
    """What an earlier try has brought about, None if nothing."""
    if draft.record is None:
        found = find_created(form, draft)
        return Carried(found) if found else None
    return look_again(form, draft, draft.record)


def look_again(form: Form, draft: Draft, record: Record, *, may_be_ours: bool = True) -> Carried | None:
    """Whether the write that was begun has arrived. Where somebody else's did, the mirror has that afterwards."""
    try:
        body = form.app.fetch_record(record.record_id)
    except NotFound as error:
        if draft.is_deletion and is_record_gone(error):
            return Carried(Written(record.record_id, 0))
        raise
    revision, before = int(body["$revision"]["value"]), draft.sent_revision
    if revision == before:
        return None
    # The ledger will say whose word that revision is: so it may hold nothing but what was known, and this.
    is_next = before is not None and revision == before + 1
    cells = (draft.sent or {}).get("cells")
    if may_be_ours and is_next and cells and holds(body, cells):
        return Carried(Written(record.record_id, revision))
    outcomes.forget_attempt(draft)
    take_over(form.source, form.codes, [body])
    return None


def is_record_gone(error: NotFound) -> bool:
    return error.reason.code == "kintone_record_missing"


def find_created(form: Form, draft: Draft) -> Written | None:
    if key := form.codes.get("request_key"):
        found = form.app.find_record(key, draft.request_key)
        return _as_written(found) if found else None
    cells = (draft.sent or {}).get("cells")
    return _find_alike(form, draft, cells) if cells else None


def _find_alike(form: Form, draft: Draft, values: Mapping[str, Any]) -> Written | None:
    """In an app without the key: a record that came since the draft was made and says the same."""
    created = find_code_of_type({code: info.type for code, info in form.fields.items()}, "CREATED_TIME")
    since = draft.created_at.astimezone(UTC).replace(second=0, microsecond=0)
    pages = form.app.iter_records(f'{created} >= "{since:%Y-%m-%dT%H:%M:%SZ}"')
    found = (record for page in pages for record in page if holds(record, values))
    return next((_as_written(record) for record in found), None)


def _as_written(record: Mapping[str, Any]) -> Written:
    """The revision of a record's creation is 1, whatever came after it."""
    return Written(str(record["$id"]["value"]), 1)


# --- Sending ----------------------------------------------------------------------------------------------------------


def _send(request: Request) -> Carried:
    if request.record is None:
        return _create(request)
    return _delete(request, request.record) if request.draft.is_deletion else _update(request, request.record)


def _create(request: Request) -> Carried:
    form, draft = request.form, request.draft
    while True:
        request.begin()
        try:
            return Carried(form.app.create_record(request.render()))
        except Permanent as error:
            # kintone refuses a second record with our key; whatever it says, a record with the key is the one.
            if "request_key" in form.codes and (found := find_created(form, draft)):
                return Carried(found)
            outcomes.forget_attempt(draft)
            request = request.leave_out(error)


def _update(request: Request, record: Record) -> Carried:
    form, draft = request.form, request.draft
    was_begun = draft.attempts > 0
    while True:
        request.begin()
        try:
            return Carried(form.app.update_record(record.record_id, request.render(), revision=record.revision))
        except (Conflict, Race):
            if found := look_again(form, draft, record, may_be_ours=was_begun):
                return found
            if draft.attempts:  # nothing has changed: only the lock was not to be had
                raise
            return carry(form, draft)
        except Permanent as error:
            outcomes.forget_attempt(draft)
            request = request.leave_out(error)


def _delete(request: Request, record: Record) -> Carried:
    """Of the revision that was looked at. A record that is gone already is what was wanted."""
    request.begin()
    try:
        request.form.app.delete_records([Deletion(record.record_id, request.revision)])
    except NotFound as error:
        if not is_record_gone(error):
            raise
    except (Conflict, Race):
        if found := look_again(request.form, request.draft, record):
            return found
        if request.draft.attempts:
            raise
        raise overtake_deletion(request.draft, record) from None
    return Carried(Written(record.record_id, 0))


def overtake_deletion(draft: Draft, record: Record) -> Overtaken:
    """Somebody changed what is to be deleted: the person has to see how."""
    record = Record.objects.get(pk=record.pk)
    theirs = drafting.read_record(record)
    base: Mapping[str, Any] = draft.base_values or {}
    changed = [name for name in theirs if name not in _OURS and not is_same(name, base.get(name, ""), theirs[name])]
    return Overtaken([FieldConflict(name, base.get(name, ""), theirs[name], "") for name in changed], theirs, record)


def _read_known(form: Form, record: Record) -> dict[str, Any]:
    """All that we know of the record."""
    codes = {path.partition(".")[0] for path in form.codes.values()}
    return {code: record.body[code].get("value") for code in sorted(codes) if code in record.body}


# --- Values -----------------------------------------------------------------------------------------------------------


def _sign(draft: Draft, values: Mapping[str, Any]) -> dict[str, Any]:
    """With the acting person, whom kintone would not name: a token writes as its Administrator."""
    person = draft.author.person
    return {**values, "changed_by": [person.kintone_code] if person and person.kintone_code else []}
