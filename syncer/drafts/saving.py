"""Saving in the portal: what forms and buttons call. A wish is a draft in the request's transaction; a task, started on
commit, carries it to kintone (`writing`). Nothing here leaves the database.

A form opens with `load_start`, and gives back what it opened with, so that what others write meanwhile is neither lost
nor mistaken for the author's own. `Draft.pk` and `Draft.state` are what a caller learns; `/drafts/<pk>/` follows it.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts import access
from accounts.audit import find_place, record_event
from accounts.models import Account, AppKind, Draft, PrincipalLink, Problem, Record, User, Withheld
from accounts.names import clean, fold
from syncer.drafts import drafting
from syncer.drafts import outcomes as draft_outcomes
from syncer.drafts.drafting import NotPossible, Values, make_draft
from syncer.drafts.judged import confirm_own, find_withheld_fields
from syncer.drafts.merging import find_added, is_same, merge
from syncer.drafts.outcomes import is_move, list_before
from syncer.records.parsing import LISTS, normalise_account_id
from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS
from syncer.sets.changes import find_refusals
from syncer.states import Reason
from syncer.tasks import request_writing

MOST_OPEN = 1000  # drafts of one person that kintone does not have yet
MOST_TOGETHER = 100  # drafts of one submit: as many as kintone writes with one request to one app
LONGEST_TEXT = 100_000  # characters of one value
_OWN_NOTES = frozenset({"request_key", "changed_by"})
_SCHEMAS = {AppKind.PERMISSION_SET: PERMISSION_SETS, AppKind.ASSIGNMENT: ASSIGNMENTS}
_SOURCES = {"users": PrincipalLink.Source.KINTONE_USER, "more_users": PrincipalLink.Source.ADDRESS}

Edit = Callable[[Mapping[str, Any]], Any]


# --- Opening a form ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """What a form opens with: the values in force, and beside them what is withheld of the newest revision.

    revision and values go back with the form as `base_revision` and `base_values`. written: what kintone says, which
    differs from `values` where something is withheld.
    """

    revision: int
    values: Values
    written: Values
    withheld: tuple[Withheld, ...]


def load_start(record: Record) -> Start:
    """Values in force of a record; what cannot be understood stands as it was written, for somebody to mend."""
    written = _without_own_notes(drafting.read_record(record))
    withheld = tuple(record.withheld.filter(confirmed_at__isnull=True).order_by("value"))
    in_force = read_in_force(record)
    broken = set(record.problems.filter(severity=Problem.Severity.ERROR).values_list("field", flat=True))
    values = {name: _choose(name, text, in_force, broken) for name, text in written.items()}
    return Start(record.revision, values, written, withheld)


def _choose(name: str, written: Any, in_force: Mapping[str, Any], broken: set[str]) -> Any:
    """The spelling in kintone stays where it means what is in force."""
    if name not in in_force or name in broken or is_same(name, written, in_force[name]):
        return written
    return in_force[name]


def read_in_force(record: Record) -> Values:
    """The values in force under our names for the fields; empty where nothing ever was."""
    return as_values(record.in_force or {})


def as_values(in_force: Mapping[str, Any]) -> Values:
    """What was stored as in force, as a form has it."""
    stored = dict(in_force)
    values = {"more_users" if name == "addresses" else name: value for name, value in stored.items()}
    for name in ("by", "absent", *stored.get("absent", ())):
        values.pop(name, None)
    if "expires_on" in values:
        values["expires_on"] = values["expires_on"] or ""
    if "session_duration" in values:
        minutes = int(values["session_duration"]) // 60
        values["session_duration"] = f"PT{minutes}M" if minutes % 60 else f"PT{minutes // 60}H"
    return values


def _without_own_notes(values: Mapping[str, Any]) -> Values:
    return {name: value for name, value in values.items() if name not in _OWN_NOTES}


# --- Saving -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """One record as somebody wants it. Without `record` it is a new one; `values` may be all of the form's."""

    kind: AppKind
    values: Mapping[str, Any]
    record: Record | None = None
    base_revision: int | None = None
    base_values: Mapping[str, Any] | None = None


def save(
    kind: AppKind,
    author: User,
    values: Mapping[str, Any],
    *,
    record: Record | None = None,
    base_revision: int | None = None,
    base_values: Mapping[str, Any] | None = None,
    purpose: str = "",
) -> Draft:
    """Store what somebody saved; the draft that carries it. Raises PermissionDenied, and NotPossible with why."""
    wanted = Wanted(kind, values, record, base_revision, base_values)
    return save_together(author, [wanted], purpose=purpose)[0]


@transaction.atomic
def save_together(author: User, wishes: Sequence[Wanted], *, purpose: str = "", batch: str = "") -> list[Draft]:
    """Store the records of one submit, which kintone gets together or not at all. Raises as `save` does.

    batch: names the submit; a second one of that name raises IntegrityError.
    """
    if not 0 < len(wishes) <= MOST_TOGETHER:
        raise NotPossible(Reason("draft_too_many", {"count": len(wishes), "limit": MOST_TOGETHER}))
    name = batch or (uuid.uuid4().hex if len(wishes) > 1 else "")
    drafts = [_build(author, wanted, batch=name, purpose=purpose) for wanted in wishes]
    for number, draft in enumerate(drafts if batch else ()):
        draft.request_key = f"{batch}-{number}"
    _store(drafts)
    return drafts


@transaction.atomic
def delete(record: Record, author: User, *, base_revision: int | None = None, purpose: str = "") -> Draft:
    """Delete a record of the revision that was looked at. For those who may edit it. Raises PermissionDenied."""
    _require_live(record)
    if not may_write(author, record):
        raise PermissionDenied
    options = {"base_revision": base_revision} if base_revision is not None else {}
    draft = make_draft(AppKind(record.kind), author, {}, record=record, is_deletion=True, purpose=purpose, **options)
    _store([draft])
    return draft


def _store(drafts: Sequence[Draft]) -> None:
    _require_room(drafts[0].author)
    for draft in drafts:
        draft.save()
        after = None if draft.is_deletion else draft.values
        _record("delete" if draft.is_deletion else "save", draft, draft.author, before=list_before(draft), after=after)
    request_writing()


def _require_room(author: User) -> None:
    """While kintone is away, a script that saves in a loop would fill the database, and then kintone."""
    count = Draft.objects.open().filter(author=author)[:MOST_OPEN].count()
    if count >= MOST_OPEN:
        raise NotPossible(Reason("draft_too_many_open", {"limit": MOST_OPEN}))


def _record(action: str, draft: Draft, user: User, *, before: Any = None, after: Any = None) -> None:
    reference = draft.record.reference if draft.record else ""
    record_event(
        f"draft.{action}", actor=user, obj=("draft", str(draft.pk), reference), before=before, after=after,
        about=find_place(draft.record, draft.values),
    )  # fmt: skip


def _build(author: User, wanted: Wanted, *, batch: str, purpose: str) -> Draft:
    values = clean_values(wanted.kind, wanted.values)
    if not access.may_change(author):
        raise PermissionDenied
    _require_fields(wanted.kind, values, wanted.record)
    if wanted.record is None:
        _require_allowed(author, wanted.kind, None, values)
        return make_draft(wanted.kind, author, values, batch=batch, purpose=purpose)
    return _build_edit(author, wanted, wanted.record, values, batch=batch, purpose=purpose)


def _require_fields(kind: AppKind, values: Values, record: Record | None) -> None:
    """What the app has no field for would be lost without a word. Whom the portal keeps beside a record may go."""
    fields = drafting.load_fields(kind)
    beside = set(record.beside) if record else set()
    lacking = [
        name for name, value in values.items()
        if value and name not in fields and not (name == "more_users" and beside.issuperset(value))
    ]  # fmt: skip
    if lacking:
        raise NotPossible(Reason("keep_no_field", {"field": ", ".join(sorted(lacking))}))


def _build_edit(author: User, wanted: Wanted, record: Record, values: Values, *, batch: str, purpose: str) -> Draft:
    """A draft of the edits alone, bound to what they were made from."""
    _require_live(record)
    start = load_start(record)
    revision = start.revision if wanted.base_revision is None else wanted.base_revision
    base = start.values if wanted.base_values is None else _without_own_notes(wanted.base_values)
    edits = {name: value for name, value in values.items() if value != base.get(name)}
    if not edits:
        raise NotPossible(Reason("draft_nothing_changed"))
    if not may_write(author, record) and not _takes_himself_out(author, base, edits):
        raise PermissionDenied
    _require_allowed(author, wanted.kind, record, edits)
    if revision == start.revision:
        # He saw what is withheld: his edits go onto what is written, and what he writes anew is his word. Contents of
        # a set that are withheld are no part of what he goes on from.
        held = find_withheld_fields(record)
        anew = {name: value for name, value in edits.items() if name in held}
        confirm_own(record, author, base, edits)
        merged = merge(base, start.written, edits, may_move=True)
        as_written = {name: start.written.get(name, value) for name, value in edits.items()}
        edits = {**merged.values, **{item.field: item.ours for item in merged.conflicts}, **anew} or as_written
        base = start.written
    return make_draft(
        wanted.kind, author, edits,
        record=record, base_revision=revision, base_values=dict(base), batch=batch, purpose=purpose,
    )  # fmt: skip


def _require_allowed(author: User, kind: AppKind, record: Record | None, values: Values) -> None:
    """A set that others' accounts use does not do more by this person's word alone, and keeps its name."""
    if kind != AppKind.PERMISSION_SET:
        return
    if refusals := find_refusals(author, record, values):
        raise NotPossible(refusals[0])


def _require_live(record: Record) -> None:
    if record.gone_at is not None:
        raise NotPossible(Reason("draft_record_gone"))


def clean_values(kind: AppKind, values: Mapping[str, Any]) -> Values:
    """Values as a draft holds them: our fields only, lists where there are several. Raises ValueError for others."""
    known = _SCHEMAS[kind].types.keys() - _OWN_NOTES
    if strange := sorted(values.keys() - known):
        raise ValueError(f"no such field: {', '.join(strange)}")
    return {name: _clean(name, value) for name, value in values.items()}


def _clean(name: str, value: Any) -> Any:
    if name in LISTS:
        texts = (clean(str(text), LONGEST_TEXT).strip() for text in value)
        return list(dict.fromkeys(text for text in texts if text))
    return clean(str(value), LONGEST_TEXT)


# --- Who may ----------------------------------------------------------------------------------------------------------


def may_write(user: User, record: Record) -> bool:
    """Whether he may write into the record at all; what of it comes into force is judged value by value."""
    if not access.may_change(user):
        return False
    if access.may_edit_record(user, record):
        return True
    written = record.title if record.kind == AppKind.ASSIGNMENT and record.in_force is None else ""
    account = Account.objects.filter(account_id=normalise_account_id(written)).first() if written else None
    return account is not None and access.owns_account(user, account)


def _takes_himself_out(user: User, base: Mapping[str, Any], edits: Mapping[str, Any]) -> bool:
    """Anybody may do that, and nothing else by it."""
    principal_id = access.find_principal_id(user)
    if not principal_id or not edits.keys() <= _SOURCES.keys():
        return False
    if any(find_added(name, base.get(name, []), value) for name, value in edits.items()):
        return False
    gone = [(name, text) for name, value in edits.items() for text in find_added(name, value, base.get(name, []))]
    return bool(gone) and all(_means(name, text, principal_id) for name, text in gone)


def _means(field: str, text: str, principal_id: str) -> bool:
    links = PrincipalLink.objects.filter(source=_SOURCES[field], key=fold(text))
    return links.filter(principal__principal_id=principal_id).exists()


def may_act_on(user: User, draft: Draft) -> bool:
    """Send it now, or discard it: its author and admins."""
    return draft.author_id == user.pk or user.is_staff


def may_resolve(user: User, draft: Draft) -> bool:
    """Say what is to be written: it goes out in the author's name, so nobody else may."""
    return draft.author_id == user.pk and draft.state == Draft.State.CONFLICT


# --- What people do about drafts --------------------------------------------------------------------------------------


def may_send(draft: Draft) -> bool:
    """Waiting for its next try; or refused, and something in kintone may have been mended."""
    if draft.discarded_at is not None:
        return False
    return draft.state == Draft.State.WAITING or (draft.state == Draft.State.REFUSED and not draft.purpose)


@transaction.atomic
def send_now(draft: Draft, user: User) -> None:
    """Try it, and what belongs to it, at once. Raises PermissionDenied."""
    _require_act(user, draft)
    if not may_send(draft):
        raise NotPossible(Reason("draft_not_open"))
    Draft.objects.filter(
        pk__in=[row.pk for row in list_batch(draft) if may_send(row)],
        state__in=(Draft.State.WAITING, Draft.State.REFUSED),
    ).update(state=Draft.State.WAITING, retry_at=None, tries=0, reason={})
    _record("send", draft, user)
    request_writing()


@transaction.atomic
def discard(draft: Draft, user: User) -> None:
    """Forget it, and what belongs to it. What was begun is first looked for in kintone. Raises PermissionDenied."""
    _require_act(user, draft)
    rows = [row for row in list_batch(draft) if row.is_open and row.discarded_at is None]
    if not rows:
        raise NotPossible(Reason("draft_not_open"))
    for row in rows:
        # Marked first: whoever is about to send it looks at the mark in the same statement that begins the write.
        Draft.objects.filter(pk=row.pk, state__in=Draft.OPEN).update(discarded_at=timezone.now(), retry_at=None)
        row.refresh_from_db()
        if row.attempts == 0 and row.is_open:
            draft_outcomes.discard(row)
        _record("discard", row, user, after=row.values)
    request_writing()


def _require_act(user: User, draft: Draft) -> None:
    if not may_act_on(user, draft):
        raise PermissionDenied


def list_batch(draft: Draft) -> list[Draft]:
    """The drafts of the same submit, in their order."""
    rows = Draft.objects.select_related("record", "author__person").order_by("pk")
    return list(rows.filter(batch=draft.batch) if draft.batch else rows.filter(pk=draft.pk))


@dataclass(frozen=True)
class Choice:
    """What becomes of one field of a conflict: kintone's version, one's own, or another."""

    take: str  # theirs, mine or other
    other: Any = ""


@transaction.atomic
def resolve(draft: Draft, user: User, choices: Mapping[str, Choice], *, revision: int) -> Draft:
    """Send it again as its author has decided, onto the revision that he saw. Raises PermissionDenied, NotPossible."""
    if not may_resolve(user, draft):
        raise PermissionDenied
    conflict = draft.conflict
    if conflict.get("revision") != revision:
        raise NotPossible(Reason("list_changed"))
    values = {} if draft.is_deletion else _decide(draft, choices)
    _require_allowed(user, AppKind(draft.kind), draft.record, values)
    goes = not values and not (draft.is_deletion and _takes_mine(choices))
    # A move to a twin is judged as one only while it says nothing else: the rest is a word of its author's own.
    is_other = is_move(draft) and not values.items() <= draft.values.items()
    updated = Draft.objects.filter(pk=draft.pk, state=Draft.State.CONFLICT).update(
        state=Draft.State.WAITING, values=values, base_values=conflict["theirs"], base_revision=revision,
        conflict={}, reason={}, retry_at=None, tries=0, purpose="" if is_other else draft.purpose,
    )  # fmt: skip
    if not updated:
        raise NotPossible(Reason("draft_not_open"))
    draft.refresh_from_db()
    _record("resolve", draft, user, after=values)
    if goes:
        draft_outcomes.discard(draft)  # he has taken all of what kintone says
    request_writing()
    return draft


def _takes_mine(choices: Mapping[str, Choice]) -> bool:
    return all(choice.take == "mine" for choice in choices.values()) and bool(choices)


def _decide(draft: Draft, choices: Mapping[str, Choice]) -> Values:
    """What is to be written over theirs: all that did not contradict, and what was chosen."""
    theirs, fields = draft.conflict["theirs"], {item["field"] for item in draft.conflict["fields"]}
    if fields - choices.keys():
        raise NotPossible(Reason("draft_choice_missing", {"fields": ", ".join(sorted(fields - choices.keys()))}))
    merged = merge(draft.base_values or theirs, theirs, draft.values, may_move=is_move(draft))
    decided = dict(_iter_decided(draft, choices, fields))
    agreed = {name: value for name, value in merged.values.items() if name not in fields}
    return {**agreed, **{name: value for name, value in decided.items() if value != theirs.get(name)}}


def _iter_decided(draft: Draft, choices: Mapping[str, Choice], fields: Iterable[str]) -> Iterable[tuple[str, Any]]:
    ours = {item["field"]: item["ours"] for item in draft.conflict["fields"]}
    for name in fields:
        choice = choices[name]
        if choice.take == "mine":
            yield name, ours[name]
        elif choice.take == "other":
            yield name, _clean(name, choice.other)
