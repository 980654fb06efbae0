"""A permission set under a new name: AWS cannot rename one, so a new set is made and its records move to it.

Nobody gains anything, so the owners of the set's record may, whoever owns the accounts. Its role in each account gets
another ARN. The old record is deleted once nobody has the old set (`farewells`).
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts import access
from accounts.models import Assignment, Draft, PermissionSet, User
from syncer.drafts.drafting import NotPossible
from syncer.models import Farewell
from syncer.records.parsing import MAX_SET_NAME, normalise_set_name
from syncer.sets.changes import GuardVerdict, preview_change
from syncer.sets.farewells import find_open, give_way, is_going, list_removals
from syncer.sets.moves import (
    MovePlan,
    is_name_free,
    iter_drafts,
    make_key,
    plan_move,
    require_record,
    store_move,
)
from syncer.states import AssignmentKey, PrincipalType, Reason


@dataclass(frozen=True)
class RenamePlan:
    """What a rename does: what is written, who moves, and where a guardrail keeps somebody from moving."""

    move: MovePlan
    assignments: tuple[Assignment, ...]
    verdicts: tuple[GuardVerdict, ...]

    @property
    def checksum(self) -> str:
        return self.move.checksum


def may_rename(user: User, permission_set: PermissionSet) -> bool:
    """The owners and the author of the set's record, and admins; of sets of ours that AWS lets Genkan change."""
    record = permission_set.record
    if record is None or record.gone_at is not None or (user.is_auditor and not user.is_staff):
        return False
    is_changeable = permission_set.ownership in (PermissionSet.Ownership.OURS, PermissionSet.Ownership.ABSENT)
    return is_changeable and access.may_edit_record(user, record)


def plan_rename(user: User, permission_set: PermissionSet, name: str) -> RenamePlan:
    """What a new name would bring about. Raises NotPossible."""
    new = normalise_set_name(name)
    if not new or new == permission_set.name:
        raise NotPossible(Reason("name_wrong", {"name": name, "limit": MAX_SET_NAME}))
    if not is_name_free(new):
        raise NotPossible(Reason("set_name_in_use", {"name": new}))
    require_record(permission_set)
    assignments = list_assignments(permission_set)
    move = plan_move(permission_set, new, extra=tuple(list_removals(list(map(key_of, assignments)))))
    verdicts = preview_change(user, permission_set, {}).guardrails
    return RenamePlan(move, assignments, tuple(verdict for verdict in verdicts if verdict.existing))


def list_assignments(permission_set: PermissionSet) -> tuple[Assignment, ...]:
    """Who has the set now."""
    rows = Assignment.objects.filter(permission_set=permission_set, in_aws=True, principal__principal_id__isnull=False)
    return tuple(rows.with_places().order_by("account__name", "principal__type", "principal__name_key"))


def key_of(row: Assignment) -> AssignmentKey:
    kind = PrincipalType(row.principal.type)
    return AssignmentKey(row.account.account_id, row.permission_set.name, kind, row.principal.principal_id or "")


def rename(permission_set: PermissionSet, user: User, name: str, checksum: str) -> Draft:
    """Store everything that is to be written, in one act; the draft of the new set. The caller checks the right.

    Raises NotPossible, also where the list is not the one that was confirmed.
    """
    try:
        with transaction.atomic():
            return _store(permission_set, user, name, checksum)
    except IntegrityError as error:
        raise NotPossible(Reason("set_is_going", {"set": permission_set.name})) from error


def _store(permission_set: PermissionSet, user: User, name: str, checksum: str) -> Draft:
    if is_going(permission_set.name):
        raise NotPossible(Reason("set_is_going", {"set": permission_set.name}))
    plan = plan_rename(user, permission_set, name)
    if plan.checksum != checksum:
        raise NotPossible(Reason("list_changed"))
    record = require_record(permission_set)
    give_way(permission_set.name)
    Farewell.objects.create(
        name=permission_set.name, renamed_to=plan.move.name, record=record, revision=record.revision,
        removals=list_removals(list(map(key_of, plan.assignments))), confirmed_by=user,
    )  # fmt: skip
    key = make_key(permission_set, purpose_of(permission_set), record.reference, record.revision)
    return store_move(permission_set, user, plan.move, action="rename", key=key)


def purpose_of(permission_set: PermissionSet) -> str:
    return f"rename:{permission_set.name}"


def find_drafts(permission_set: PermissionSet) -> list[Draft]:
    """The drafts of the rename that is under way, that of the new set first."""
    farewell = find_open(permission_set.name)
    if farewell is None or not farewell.renamed_to:
        return []
    drafts = Draft.objects.filter(purpose=purpose_of(permission_set), record__isnull=True)
    first = drafts.filter(created_at__gte=farewell.confirmed_at).order_by("-pk").first()
    return list(iter_drafts(first)) if first else []
