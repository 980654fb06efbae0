"""Permission sets that a person renamed or deleted: what the brake does not count, and when their records go."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.audit import find_place, record_event
from accounts.models import AppKind, Assignment, Draft, Record, User
from syncer.changes import AssignmentChange, Kind, SetChange, identity_of, target_of
from syncer.drafts.drafting import make_draft
from syncer.models import Farewell
from syncer.states import AssignmentKey

_WAITING = Draft.State.WAITING
_DEAD = frozenset({Draft.State.CONFLICT, Draft.State.REFUSED, Draft.State.DISCARDED})  # and not tried again by itself
GOOD_FOR = timedelta(days=1)  # a removal that comes later counts as any other


def load_confirmed(now: datetime) -> frozenset[str]:
    """The identities of removals that somebody confirmed with that very list on the screen."""
    rows = Farewell.objects.filter(confirmed_at__gt=now - GOOD_FOR)
    return frozenset(identity for row in rows for identity in _list_good(row))


def _list_good(row: Farewell) -> list[str]:
    """None where the new name came to nothing; else the set, and all but what records want that were not written."""
    dead = [draft for draft in list_drafts(row) if draft.state in _DEAD]
    if row.renamed_to and any(draft.record is None for draft in dead):
        return []
    kept = {(draft.record.in_force or {}).get("account_id", "") for draft in dead if draft.record}
    end = identity_of(SetChange(Kind.DELETE, row.name))
    return [end, *(identity for identity in row.removals if target_of(identity) not in kept)]


def list_drafts(row: Farewell) -> list[Draft]:
    """What was to be written for it, in order."""
    purposes = (purpose_of(row.name), f"rename:{row.name}")
    drafts = Draft.objects.filter(purpose__in=purposes, created_at__gte=row.confirmed_at)
    return list(drafts.select_related("record").order_by("pk"))


def is_stuck(row: Farewell) -> bool:
    """Whether it goes no further by itself: the new name came to nothing, or a record is not withdrawn."""
    drafts = list_drafts(row)
    if row.renamed_to:
        return any(draft.record is None and draft.state in _DEAD for draft in drafts)
    return any(draft.state in _DEAD for draft in drafts) and not any(draft.state == _WAITING for draft in drafts)


def list_removals(keys: Collection[AssignmentKey]) -> list[str]:
    return sorted(identity_of(AssignmentChange(Kind.DELETE, key)) for key in keys)


def find_open(name: str) -> Farewell | None:
    return Farewell.objects.filter(name=name, ended_at__isnull=True).first()


def is_going(name: str) -> bool:
    """It is being renamed or deleted. What was refused can be tried again."""
    row = find_open(name)
    return row is not None and not is_stuck(row)


def give_way(name: str) -> None:
    """Another try takes the place of one that got stuck."""
    Farewell.objects.filter(name=name, ended_at__isnull=True).update(ended_at=timezone.now())


def end_farewells() -> int:
    """Delete the records of sets that nothing names any more and nobody has; how many drafts that made."""
    rows = Farewell.objects.filter(ended_at__isnull=True).select_related("record", "confirmed_by__person")
    return sum(_end(row) for row in rows if _is_free(row))


def _is_free(row: Farewell) -> bool:
    """Nothing is on its way to it or away from it, no record names it, and AWS has it assigned nowhere."""
    return not (
        Draft.objects.open().filter(purpose__in=(purpose_of(row.name), f"rename:{row.name}")).exists()
        or Assignment.objects.filter(permission_set__name=row.name, in_aws=True).exists()
        or is_named(row.name)
        or (row.renamed_to and not _has_come(row.renamed_to))
    )


def is_named(name: str) -> bool:
    """Whether an assignment record names the set, in force or as it was written last."""
    records = Record.objects.live().of_kind(AppKind.ASSIGNMENT)
    return records.filter(in_force__permission_set=name).exists() or (
        records.filter(wishes__assignment__permission_set__name=name, wishes__is_current=True).exists()
    )


def _has_come(name: str) -> bool:
    """The new record is in force: before, the old one is all there is."""
    return Record.objects.live().of_kind(AppKind.PERMISSION_SET).filter(in_force__name=name).exists()


@transaction.atomic
def _end(row: Farewell) -> int:
    """Delete the record, unless somebody edited it since: then it is wanted for something."""
    if not Farewell.objects.filter(pk=row.pk, ended_at__isnull=True).update(ended_at=timezone.now()):
        return 0
    record = row.record
    if record.gone_at is not None or record.revision != row.revision:
        return 0
    draft_deletion(record, row.confirmed_by, row.name)
    return 1


def draft_deletion(record: Record, user: User, name: str) -> Draft:
    """Store the deletion of a record that goes with a set."""
    draft = make_draft(AppKind(record.kind), user, {}, record=record, is_deletion=True, purpose=purpose_of(name))
    draft.save()
    record_event("draft.delete", actor=user, obj=("draft", str(draft.pk), record.reference), about=find_place(record))
    return draft


def purpose_of(name: str) -> str:
    return f"farewell:{name}"
