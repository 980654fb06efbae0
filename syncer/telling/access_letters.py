"""What a change in AWS means to people: who received or lost access is told, and owners whose member has left.

Told is what was carried out for a person himself: not what a group brings, not what is only mirrored, and nothing of
the first run, which finds the access that people have had for long.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.authors import load_authors
from accounts.models import Person, Record, RecordPerson, Wish
from syncer.changes import Cause
from syncer.models import Baseline, Change, Letter, LetterSettings
from syncer.telling.letters import build_letter, describe_account, find_owners, find_people, write_letters
from syncer.trail import find_detail, find_sessions_end

_LEFT = frozenset({Cause.LEAVER, Cause.GONE})
# Whoever an admin locks out is not told: it may not be he who reads it.
_UNTOLD = frozenset({Cause.LOCKED_OUT})
_CODES: Mapping[str, str] = {
    Cause.ENDED: "letter_lost_ended",
    Cause.ASKED: "letter_lost_asked",
    Cause.GUARDRAIL: "letter_lost_guardrail",
    Cause.DRIFT: "letter_lost_drift",
    Cause.WITHDRAWN: "letter_lost_withdrawn",
    Cause.NO_RECORD: "letter_lost_no_record",
}
_GATHERING = timedelta(minutes=5)  # in which all that a leaver had comes together
_BY_A_PERSON = frozenset({Cause.ASKED, Cause.WITHDRAWN})


def note_access(change: Change) -> None:
    """Write down whom this concerns. Call it in the transaction that stores that AWS has carried the change out."""
    if change.object != Change.Object.ASSIGNMENT or change.principal_type != "USER" or _is_of_first_run(change):
        return
    chosen, cause = LetterSettings.load(), find_detail(change, "cause")
    if cause in _LEFT:
        if chosen.owners:
            _tell_owners(change)
    elif chosen.people and cause not in _UNTOLD:
        _tell_person(change, cause)


def _is_of_first_run(change: Change) -> bool:
    """A run that began before anybody or anything confirmed that this database may write."""
    begun_at = change.run.started_at or change.run.requested_at
    return not Baseline.objects.filter(confirmed_at__lt=begun_at).exists()


def _tell_person(change: Change, cause: str) -> None:
    person = Person.objects.filter(principal__principal_id=change.principal_id).first()
    if person is None:
        return
    record = _find_record(change)
    params = {**_describe(change), "by": _find_writer(record)} if _is_by_a_person(cause) else _describe(change)
    if change.kind == Change.Kind.CREATE:
        code, params["day"] = "letter_given_by" if params.get("by") else "letter_given", _find_last_day(change)
    else:
        code = _CODES.get(cause, "letter_lost")
        until = find_sessions_end(change)
        params |= {"sessions_at": until.isoformat()} if until else {}
    if code in ("letter_lost_asked", "letter_lost_withdrawn") and not params.get("by"):
        code = "letter_lost_no_record"
    write_letters([build_letter(person, Letter.Kind.ACCESS, code, params, path=_find_path(record))], timezone.now())


def _is_by_a_person(cause: str) -> bool:
    return not cause or cause in _BY_A_PERSON


def _describe(change: Change) -> dict[str, Any]:
    return {
        **describe_account(change.account_id),
        "set": change.permission_set_name,
        "who": change.principal_name,
        "is_gain": change.kind == Change.Kind.CREATE,
    }


def _find_record(change: Change) -> Record | None:
    app_id, _colon, record_id = change.record_reference.partition(":")
    return Record.objects.filter(app_id=app_id, record_id=record_id).first() if record_id else None


def _find_writer(record: Record | None) -> str:
    """Empty where the record is gone: who deleted it, kintone does not say."""
    if record is None or record.gone_at:
        return ""
    found = load_authors([record])[record.pk]
    return found.writer or found.author


def _find_path(record: Record | None) -> str:
    return f"/records/{record.app_id}/{record.record_id}/" if record and not record.gone_at else ""


def _find_last_day(change: Change) -> str:
    wishes = Wish.objects.filter(
        is_current=True, is_refused=False, assignment__principal__principal_id=change.principal_id,
        assignment__account__account_id=change.account_id, assignment__permission_set__name=change.permission_set_name,
    )  # fmt: skip
    days = list(wishes.values_list("expires_on", flat=True))
    return max(day.isoformat() for day in days if day) if days and all(days) else ""


# --- Who left ---------------------------------------------------------------------------------------------------------


def _tell_owners(change: Change) -> None:
    """The owners of the account and of the record: who left, what ended, and which records nobody looks after now."""
    record = _find_record(change)
    people = {person.pk: person for person in _find_record_owners(record)}
    people |= {person.pk: person for person in find_owners([change.account_id])[change.account_id]}
    others = [person for person in people.values() if _is_there(person)]
    is_alone = record is not None and not any(_is_there(person) for person in _find_record_owners(record))
    code = "letter_left_alone" if is_alone else "letter_left"
    params = {**_describe(change), "record": record.reference if record else ""}
    path = _find_path(record) or f"/accounts/{change.account_id}/"
    letters = [build_letter(person, Letter.Kind.LEAVER, code, params, path=path) for person in others]
    write_letters(letters, timezone.now(), window=_GATHERING)


def _find_record_owners(record: Record | None) -> list[Person]:
    """Those whom the record names as its owners, else who made it."""
    if record is None:
        return []
    rows = list(RecordPerson.objects.filter(record=record).exclude(role=RecordPerson.Role.USER).select_related("user"))
    named = [row for row in rows if row.role == RecordPerson.Role.OWNER] or rows
    by_code = find_people(row.code for row in named)
    people = [*by_code.values(), *(row.user.person for row in named if row.user and row.user.person)]
    return list({person.pk: person for person in people}.values())


def _is_there(person: Person) -> bool:
    principal = person.principal
    return principal is not None and principal.is_enabled and principal.gone_at is None
