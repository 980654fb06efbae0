"""Drafts → kintone, one at a time, oldest first, and each of them once.

kintone has no idempotency key, so a write that was begun is looked for before it is sent again: by the draft's key
where the app has a field for it, else by what it wrote. What cannot be carried now stays and says why.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.audit import record_event
from accounts.models import Draft, PortalWrite, Record
from syncer import drafting, leases
from syncer.connections import connect_kintone_for_writing
from syncer.gateways.errors import Conflict, Denied, GatewayError, Temporary
from syncer.gateways.kintone import FieldInfo, KintoneApp, Written
from syncer.models import AppState, Drift
from syncer.parsing import parse_duration
from syncer.scanning import AppSource
from syncer.schema import SchemaError, find_code_of_type, match_fields
from syncer.states import Reason

logger = logging.getLogger(__name__)

LEASE = "drafts"
_CHOICES = frozenset({"DROP_DOWN", "RADIO_BUTTON"})
_LISTS = frozenset({"CHECK_BOX", "MULTI_SELECT"})


def write_drafts(*, wait: float = 0) -> frozenset[str]:
    """Carry what waits to kintone; the records (APP:ID) that were written. Somebody else at it is no error."""
    try:
        with leases.hold_lease(LEASE, wait=wait):
            return _write_waiting()
    except leases.LeaseBusy:
        return frozenset()


def has_waiting() -> bool:
    return _find_waiting().exists()


def _find_waiting() -> QuerySet[Draft]:
    ready = Q(after__isnull=True) | Q(after__state=Draft.State.WRITTEN)
    return Draft.objects.filter(ready, state=Draft.State.WAITING)


def _write_waiting() -> frozenset[str]:
    rebase_moves()
    written: set[str] = set()
    tried: set[int] = set()
    with ExitStack() as stack:
        apps = _Apps(stack)
        while draft := _find_waiting().exclude(pk__in=tried).order_by("created_at", "pk").first():
            tried.add(draft.pk)
            if reference := _write(draft, apps):
                written.add(reference)
    return frozenset(written)


# --- One draft --------------------------------------------------------------------------------------------------------


@dataclass
class _Form:
    """One app with what its fields are."""

    source: AppSource
    codes: Mapping[str, str]  # our name → kintone's code
    fields: Mapping[str, FieldInfo]  # by code

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
    """Write one draft; APP:ID if that succeeded. What failed in a way that passes stays for the next time."""
    if reason := apps.failed.get(draft.kind):
        _note(draft, reason)
        return ""
    try:
        form = apps.open(draft.kind)
        written = _find_written(form, draft) if draft.attempts else None
        written = written or _send(form, draft)
    except Conflict as error:
        return _stop(draft, Draft.State.CONFLICT, error.reason)
    except (Temporary, Denied, SchemaError) as error:  # the settings and rights of kintone can be mended
        logger.warning("writing: draft %s waits: %s", draft.pk, error)
        apps.failed[draft.kind] = error.reason
        _note(draft, error.reason)
        return ""
    except GatewayError as error:
        return _stop(draft, Draft.State.REFUSED, error.reason)
    _finish(draft, form.app.app_id, written)
    return f"{form.app.app_id}:{written.record_id}"


def _send(form: _Form, draft: Draft) -> Written:
    values = _render(form, draft)
    # Before the request: whoever finds the draft later must know that it may have been sent.
    Draft.objects.filter(pk=draft.pk).update(attempts=F("attempts") + 1)
    if draft.record is None:
        return form.app.create_record(values)
    return form.app.update_record(draft.record.record_id, values, revision=draft.base_revision or 0)


def _find_written(form: _Form, draft: Draft) -> Written | None:
    """What an earlier try has written, None if nothing. Raises Conflict where somebody else has written since."""
    values = _render(form, draft)
    if draft.record is not None:
        return _find_update(form, draft, draft.record, values)
    if key := form.codes.get("request_key"):
        found = form.app.find_record(key, draft.request_key)
        return _as_written(found) if found else None
    return _find_alike(form, draft, values)


def _find_update(form: _Form, draft: Draft, record: Record, values: Mapping[str, Any]) -> Written | None:
    found, base = form.app.fetch_record(record.record_id), draft.base_revision or 0
    revision = int(found["$revision"]["value"])
    if revision == base:
        return None
    # The ledger will say whose word that revision is: so it may hold nothing but what was known, and this.
    if revision == base + 1 and record.revision == base and _holds(found, _merge(form, record, values)):
        return Written(record.record_id, revision)
    operation = f"kintone PUT record.json app {form.app.app_id}"
    raise Conflict(operation, Reason("kintone_conflict", {"operation": operation}))


def _merge(form: _Form, record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """All that we know of the record, with these values."""
    known = {code: record.body[code].get("value") for code in form.codes.values() if code in record.body}
    return known | dict(values)


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


# --- Values -----------------------------------------------------------------------------------------------------------


def _render(form: _Form, draft: Draft) -> dict[str, Any]:
    """kintone's field code → value, in the shape of the field's type, of the fields that the app has.

    A new record says everything: what a form fills in by itself is not what somebody decided.
    """
    person = draft.author.person
    values = dict(draft.values) | {"changed_by": [person.kintone_code] if person and person.kintone_code else []}
    if draft.record is None:
        values = {name: [] if name in drafting.LISTS else "" for name in form.codes} | values
        values["request_key"] = draft.request_key
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


# --- What became of it ------------------------------------------------------------------------------------------------


@transaction.atomic
def _finish(draft: Draft, app_id: str, written: Written) -> None:
    """The ledger names the person behind a revision that kintone gives to Administrator."""
    PortalWrite.objects.get_or_create(
        app_id=app_id,
        record_id=written.record_id,
        revision=written.revision,
        defaults={"user": draft.author, "keeps_access": is_move(draft)},
    )
    Draft.objects.filter(pk=draft.pk).update(state=Draft.State.WRITTEN, reason={}, error="")
    reference = f"{app_id}:{written.record_id}"
    record_event(
        "record.write", actor=draft.author, obj=("record", reference, reference), after=draft.values,
        outcome=f"revision {written.revision}",
    )  # fmt: skip


def is_move(draft: Draft) -> bool:
    """Moves a record to a twin of its set: the same people, the same last day."""
    return draft.purpose.startswith("twin:") and draft.record_id is not None


def _note(draft: Draft, reason: Reason) -> None:
    Draft.objects.filter(pk=draft.pk).update(reason=reason.as_json())


@transaction.atomic
def _stop(draft: Draft, state: str, reason: Reason) -> str:
    """It will not be written as it is. What waited for it will not either, and a decision is open again."""
    Draft.objects.filter(pk=draft.pk).update(state=state, reason=reason.as_json())
    Draft.objects.filter(after=draft.pk, state=Draft.State.WAITING).update(
        state=Draft.State.REFUSED, reason=reason.as_json()
    )
    kind, _colon, number = draft.purpose.partition(":")
    if kind == "drift":
        Drift.objects.filter(pk=number, decision=Drift.Decision.KEEP).update(
            decision="", decided_by=None, decided_at=None
        )
    logger.warning("writing: draft %s ends as %s: %s", draft.pk, state, reason.code)
    return ""


def rebase_moves() -> None:
    """Moves to a twin that met a newer revision: tried anew once a run has judged that one."""
    for draft in Draft.objects.filter(state=Draft.State.CONFLICT, purpose__startswith="twin:").select_related("record"):
        record = draft.record
        if record is None or record.revision == draft.base_revision or not record.is_settled or record.gone_at:
            continue
        name = draft.purpose.partition(":")[2]
        if record.is_in_force and (record.in_force or {}).get("permission_set") == name:
            Draft.objects.filter(pk=draft.pk).update(
                state=Draft.State.WAITING, base_revision=record.revision, attempts=0, reason={}
            )
