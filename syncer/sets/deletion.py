"""Deleting a permission set: its record, and the records that name it where the person may edit all of them.

What goes with it was on the screen, so the brake does not count it. The set's own record goes last (`farewells`).
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts import access
from accounts.audit import record_event
from accounts.models import Assignment, PermissionSet, Record, User
from syncer.drafts.drafting import NotPossible
from syncer.models import Farewell
from syncer.sets.farewells import draft_deletion, give_way, is_going, list_removals
from syncer.sets.moves import find_records, make_checksum, name_revision
from syncer.sets.renaming import key_of, list_assignments, may_rename
from syncer.states import Reason
from syncer.tasks import request_writing


@dataclass(frozen=True)
class DeletionPlan:
    """Which records name the set, who loses what, and what the person may not edit."""

    record: Record
    records: tuple[Record, ...]
    assignments: tuple[Assignment, ...]
    others: tuple[Record, ...]  # those among the records that somebody else has to withdraw

    @property
    def is_possible(self) -> bool:
        return not self.others

    @property
    def checksum(self) -> str:
        """Stands for exactly this list."""
        removals = list_removals([key_of(row) for row in self.assignments])
        return make_checksum([*map(name_revision, (self.record, *self.records)), *removals])


may_delete = may_rename


def plan_deletion(user: User, permission_set: PermissionSet) -> DeletionPlan:
    """What deleting the set takes with it. Raises NotPossible."""
    record = permission_set.record
    if record is None or record.gone_at is not None:
        raise NotPossible(Reason("twin_no_record", {"set": permission_set.name}))
    records = tuple(find_records(permission_set.name))
    others = tuple(found for found in records if not access.may_edit_record(user, found))
    return DeletionPlan(record, records, list_assignments(permission_set), others)


def delete(permission_set: PermissionSet, user: User, checksum: str) -> Farewell:
    """Withdraw what names the set, and then the set, in one act. The caller checks the right.

    Raises NotPossible, also where the list is not the one that was confirmed.
    """
    try:
        with transaction.atomic():
            return _store(permission_set, user, checksum)
    except IntegrityError as error:
        raise NotPossible(Reason("set_is_going", {"set": permission_set.name})) from error


def _store(permission_set: PermissionSet, user: User, checksum: str) -> Farewell:
    if is_going(permission_set.name):
        raise NotPossible(Reason("set_is_going", {"set": permission_set.name}))
    plan = plan_deletion(user, permission_set)
    if plan.checksum != checksum:
        raise NotPossible(Reason("list_changed"))
    if plan.others:
        raise NotPossible(Reason("set_named_by_others", {"set": permission_set.name, "count": len(plan.others)}))
    give_way(permission_set.name)
    farewell = Farewell.objects.create(
        name=permission_set.name, record=plan.record, revision=plan.record.revision, confirmed_by=user,
        removals=list_removals([key_of(row) for row in plan.assignments]),
    )  # fmt: skip
    for record in plan.records:
        draft_deletion(record, user, permission_set.name)
    record_event(
        "permission_set.delete",
        actor=user,
        obj=("permission_set", str(permission_set.pk), permission_set.name),
        after={"records": [record.reference for record in plan.records], "removals": farewell.removals},
    )
    request_writing()
    return farewell
