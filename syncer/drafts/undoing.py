"""Putting back what was taken out a moment ago, by the same person: in the record, or as a new one where that is gone.

The request carries an id and nothing else: what goes back stands beside the removal, as it was in force. It widens
nothing, so whoever may not give access can undo; guardrails, lock-outs and freezes are decided again by the run. Once,
within ten minutes, and only while the place and the last day are what they were.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts import access
from accounts.audit import record_event
from accounts.models import AppKind, Draft, Record, User
from accounts.names import fold
from syncer.drafts import drafting, outcomes, saving
from syncer.drafts.drafting import NotPossible, Values, make_draft
from syncer.drafts.merging import find_added
from syncer.models import Withdrawal
from syncer.records.parsing import parse_date
from syncer.states import Reason
from syncer.tasks import request_writing

WITHIN = timedelta(minutes=10)
_FIELDS = {"kintone_user": "users", "address": "more_users", "group_name": "groups"}


def find_end(withdrawal: Withdrawal) -> datetime:
    """Until when it can be undone."""
    return withdrawal.at + WITHIN


def may_undo(user: User, withdrawal: Withdrawal, now: datetime) -> bool:
    """Whether a page offers it."""
    return (
        withdrawal.draft.author_id == user.pk
        and withdrawal.undone_at is None
        and now < find_end(withdrawal)
        and bool(withdrawal.names_in_force)
        and _has_taken(withdrawal.draft)
    )


def _has_taken(draft: Draft) -> bool:
    """Something was written, or is about to be: not where the record said so already."""
    return draft.state == Draft.State.WAITING or (draft.state == Draft.State.WRITTEN and draft.attempts > 0)


@transaction.atomic
def undo(pk: int, user: User, *, now: datetime, today: date) -> Draft:
    """Put back what one submit took out; a draft of it. Raises PermissionDenied for others, and NotPossible."""
    rows = _lock_submit(pk)
    for row in rows:
        _require(row, user, now)
    forgotten = [_forget(row.draft) for row in rows]
    if all(forgotten):
        _note(rows, user, now, "before it was written")
        return rows[0].draft
    if any(forgotten):  # it is being written in this very moment
        raise NotPossible(Reason("undo_again"))
    drafts = [_store(row, user, today) for row in rows]
    _note(rows, user, now, "")
    request_writing()
    return drafts[0]


def _lock_submit(pk: int) -> list[Withdrawal]:
    """All that was taken out together, as it is now: of two who press at once the second finds it done."""
    found = Withdrawal.objects.select_related("draft").get(pk=pk)
    batch = found.draft.batch
    which = {"draft__batch": batch} if batch else {"pk": pk}
    rows = Withdrawal.objects.select_for_update(of=("self",)).filter(**which).order_by("pk")
    return list(rows.select_related("draft__record", "draft__author"))


def _require(row: Withdrawal, user: User, now: datetime) -> None:
    """Raises PermissionDenied, and NotPossible."""
    if row.draft.author_id != user.pk or not access.may_change(user):
        raise PermissionDenied
    if row.undone_at is not None:
        raise NotPossible(Reason("undo_done"))
    if now >= find_end(row):
        raise NotPossible(Reason("undo_too_late", {"minutes": WITHIN // timedelta(minutes=1)}))
    if not row.names_in_force or not _has_taken(row.draft):
        raise NotPossible(Reason("undo_nothing"))
    if not _may_still(user, row, _get_record(row)):
        raise NotPossible(Reason("undo_no_right"))


def _get_record(row: Withdrawal) -> Record:
    """As the mirror has it now, also when it is gone. Raises NotPossible."""
    record = row.draft.record
    if record is None:
        raise NotPossible(Reason("draft_record_gone"))
    return record


def _may_still(user: User, row: Withdrawal, record: Record) -> bool:
    """Who could still take it out: himself, or others while he may narrow the record."""
    own = access.find_principal_id(user)
    if own and all(who == own for _source, _text, who in row.names_in_force) and not row.draft.is_deletion:
        return True
    return access.may_edit_record(user, record)


# --- Before it has come to kintone ------------------------------------------------------------------------------------


def _forget(draft: Draft) -> bool:
    """Whether it could be dropped before anybody began to write it. All of a submit are in the same state."""
    fresh = Draft.objects.filter(pk=draft.pk, state=Draft.State.WAITING, attempts=0, discarded_at=None)
    if not fresh.update(discarded_at=timezone.now()):
        return False
    draft.refresh_from_db()
    outcomes.discard(draft)
    return True


# --- Afterwards -------------------------------------------------------------------------------------------------------


def _store(row: Withdrawal, user: User, today: date) -> Draft:
    """The draft that puts one of them back, written only once the removal is. Raises NotPossible."""
    removal, record = row.draft, _get_record(row)
    _require_same_place(row, record, today)
    _require_nobody_since(row, record)
    options = {"after": removal, "purpose": f"undo:{row.pk}"}
    if removal.is_deletion:
        draft = make_draft(AppKind.ASSIGNMENT, user, _read_all(record, row), **options)
    else:
        base, values = _add(record, row)
        draft = make_draft(AppKind.ASSIGNMENT, user, values, record=record, base_values=base, **options)
    draft.save()
    row.undo = draft
    record_event("draft.save", actor=user, obj=("draft", str(draft.pk), row.reference), after=draft.values)
    return draft


def _require_same_place(row: Withdrawal, record: Record, today: date) -> None:
    """It goes back to where it was, and no longer than it was there."""
    then, now = row.in_force or {}, _choose_in_force(row, record)
    place = ("account_id", "permission_set")
    if any(then.get(name) != now.get(name) for name in place):
        raise NotPossible(Reason("undo_moved", {"record": record.reference}))
    was, ends = (parse_date(values.get("expires_on") or "") for values in (then, now))
    if was is not None and was < today:
        raise NotPossible(Reason("undo_ended", {"day": was.isoformat()}))
    if was is not None and (ends is None or ends > was):
        raise NotPossible(Reason("undo_moved", {"record": record.reference}))


def _choose_in_force(row: Withdrawal, record: Record) -> dict[str, str]:
    """What the record has in force; a new one has it as it was."""
    return dict(row.in_force or {}) if row.draft.is_deletion else dict(record.in_force or {})


def _require_nobody_since(row: Withdrawal, record: Record) -> None:
    """What somebody took out here once more is his word, not ours."""
    texts = {(_FIELDS[source], fold(text)) for source, text, _who in row.names_in_force}
    later = Draft.objects.filter(record=record, pk__gt=row.draft_id, is_deletion=False).exclude(
        state__in=(Draft.State.DISCARDED, Draft.State.REFUSED)
    )
    for draft in later:
        base = draft.base_values or {}
        gone = {
            (name, fold(text))
            for name, value in draft.values.items()
            if name in _FIELDS.values()
            for text in find_added(name, value, base.get(name, []))
        }
        if gone & texts:
            raise NotPossible(Reason("undo_taken_since", {"name": str(draft.author)}))


def _add(record: Record, row: Withdrawal) -> tuple[Values, Values]:
    """What the record says without the names, and the fields with them."""
    base = drafting.read_record(record)
    values: Values = {}
    for field, texts in _by_field(row.names_in_force).items():
        keys = {fold(text) for text in texts}
        base[field] = [text for text in base.get(field, []) if fold(text) not in keys]
        values[field] = [*base[field], *texts]
    return base, values


def _read_all(record: Record, row: Withdrawal) -> Values:
    """A record like the one that is gone, as far as that was in force; its note as it stood. Raises NotPossible."""
    fields, written = drafting.load_fields(AppKind.ASSIGNMENT), drafting.read_record(record)
    values = {**saving.as_values(row.in_force or {}), **{name: written[name] for name in ("note",) if name in written}}
    if lacking := [name for name, value in values.items() if value and name not in fields]:
        raise NotPossible(Reason("keep_no_field", {"field": ", ".join(sorted(lacking))}))
    return {name: value for name, value in values.items() if name in fields}


def _by_field(names: Iterable[tuple[str, str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, text, _who in names:
        found.setdefault(_FIELDS[source], []).append(text)
    return found


def _note(rows: Sequence[Withdrawal], user: User, now: datetime, how: str) -> None:
    for row in rows:
        row.undone_at = now
        row.save(update_fields=["undone_at", "undo"])
        record = row.draft.record
        record_event(
            "record.put_back",
            actor=user,
            obj=("record", row.reference, record.title if record else ""),
            after=_by_field(row.names_in_force),
            outcome=how or f"draft {row.undo_id}",
        )
