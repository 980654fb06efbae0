"""What a change in AWS means to people: who received or lost access is told, and owners whose member has left.

Told is what was carried out for a person himself: not what a group brings, not what is only mirrored, and nothing of
the first run, which finds the access that people have had for long.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.authors import load_authors
from accounts.models import Person, Record, Wish
from syncer.changes import Cause
from syncer.models import Baseline, Change, Letter, LetterSettings
from syncer.telling.letters import build_letter, describe_accounts, find_owners, write_letters
from syncer.telling.orphans import GATHERING, find_record_owners, is_there
from syncer.trail import find_detail, find_sessions_end

logger = logging.getLogger(__name__)

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
_BY_A_PERSON = frozenset({Cause.ASKED, Cause.WITHDRAWN})


def note_access(change: Change) -> None:
    """Write down whom this concerns, in the transaction that stores that AWS has carried the change out.

    Whatever is wrong with letters, what AWS has done is stored all the same.
    """
    try:
        with transaction.atomic():
            _note(change)
    except Exception:
        logger.exception("letters: what change %s means to people could not be written down", change.pk)


def _note(change: Change) -> None:
    if change.object != Change.Object.ASSIGNMENT or change.principal_type != "USER":
        return
    chosen, cause = LetterSettings.load(), find_detail(change, "cause")
    tells_owners = cause in _LEFT and chosen.owners
    tells_person = cause not in _LEFT | _UNTOLD and chosen.people
    if not (tells_owners or tells_person) or _is_of_first_run(change):
        return
    if tells_owners:
        _tell_owners(change)
    else:
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
        **describe_accounts([change.account_id])[change.account_id],
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
    """The owners of the account and of the record: who left, and what ended."""
    record = _find_record(change)
    people = {person.pk: person for person in find_owners([change.account_id])[change.account_id]}
    people |= {person.pk: person for person in find_record_owners([record])[record.pk]} if record else {}
    path = _find_path(record) or f"/accounts/{change.account_id}/"
    letters = [
        build_letter(person, Letter.Kind.LEAVER, "letter_left", _describe(change), path=path)
        for person in people.values()
        if is_there(person)
    ]
    write_letters(letters, timezone.now(), window=GATHERING)
