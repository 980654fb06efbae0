"""One of our sets that is provisioned in the management account: what frees it, and a twin for member accounts.

A delegated administrator may not touch such a set any more. Its twin is a copy of its record under another name, and
the assignment records of member accounts move to it: the same people with the same last days, so nobody gains
anything. Guardrails are decided again by the run that carries it out.
"""

from shlex import join

from django.db import IntegrityError, transaction

from accounts import access
from accounts.models import Assignment, Draft, Instance, PermissionSet, Principal, User
from syncer.drafts.drafting import NotPossible
from syncer.records.parsing import MAX_SET_NAME
from syncer.sets.moves import (
    MovePlan,
    is_name_free,
    is_refused,
    iter_drafts,
    make_key,
    plan_move,
    require_record,
    store_move,
)
from syncer.states import Reason

SUFFIX = "-member"


def is_captured(permission_set: PermissionSet) -> bool:
    """One of ours, provisioned in the management account."""
    return permission_set.ownership == PermissionSet.Ownership.TERRAFORM and permission_set.captured_at is not None


def may_make_twin(user: User, permission_set: PermissionSet) -> bool:
    """The owners of the set's record, and admins."""
    record = permission_set.record
    return user.is_staff or (record is not None and access.may_edit_record(user, record))


# --- What frees it ----------------------------------------------------------------------------------------------------


def list_commands(permission_set: PermissionSet) -> list[tuple[Principal, str]]:
    """For each assignment in the management account the command that removes it; to be run there."""
    instance = Instance.objects.first()
    if instance is None or not permission_set.arn:
        return []
    rows = Assignment.objects.filter(permission_set=permission_set, account__is_management=True, in_aws=True)
    return [
        (row.principal, _render_command(instance, permission_set.arn, row.principal))
        for row in rows.select_related("principal__person").order_by("principal__type", "principal__name_key")
    ]


def _render_command(instance: Instance, arn: str, principal: Principal) -> str:
    return join(
        [
            "aws", "sso-admin", "delete-account-assignment", "--region", instance.region,
            "--instance-arn", instance.instance_arn, "--permission-set-arn", arn,
            "--target-type", "AWS_ACCOUNT", "--target-id", instance.management_account_id,
            "--principal-type", principal.type, "--principal-id", principal.principal_id or "",
        ]
    )  # fmt: skip


# --- The twin ---------------------------------------------------------------------------------------------------------


def plan_twin(permission_set: PermissionSet) -> MovePlan:
    """What a twin of this set would write. Raises NotPossible."""
    require_record(permission_set)
    return plan_move(permission_set, _choose_name(permission_set.name))


def _choose_name(name: str) -> str:
    """The name with `-member`, cut to fit; with a number where that is taken."""
    for suffix in (SUFFIX, *(f"{SUFFIX}{number}" for number in range(2, 10))):
        chosen = name[: MAX_SET_NAME - len(suffix)].rstrip("-_.") + suffix
        if is_name_free(chosen):
            return chosen
    raise NotPossible(Reason("twin_names_taken", {"set": name}))


def make_twin(permission_set: PermissionSet, user: User, checksum: str) -> Draft:
    """Store everything that is to be written, in one act; the draft of the set. The caller checks the right.

    Raises NotPossible, also where the list is not the one that was confirmed.
    """
    try:
        with transaction.atomic():
            return _store(permission_set, user, checksum)
    except IntegrityError as error:
        raise NotPossible(Reason("twin_made", {"set": permission_set.name})) from error


def _store(permission_set: PermissionSet, user: User, checksum: str) -> Draft:
    if not is_captured(permission_set) or is_under_way(permission_set):
        raise NotPossible(Reason("twin_made", {"set": permission_set.name}))
    plan = plan_twin(permission_set)
    if plan.checksum != checksum:
        raise NotPossible(Reason("list_changed"))
    key = make_key(permission_set, purpose_of(permission_set), permission_set.captured_at)
    return store_move(permission_set, user, plan, action="twin", key=key)


def purpose_of(permission_set: PermissionSet) -> str:
    return f"twin:{permission_set.name}"


def find_drafts(permission_set: PermissionSet) -> list[Draft]:
    """The newest twin's drafts, that of the set first; empty where none was made since it was captured."""
    first = (
        (
            Draft.objects.filter(purpose=purpose_of(permission_set), record__isnull=True)
            .filter(created_at__gte=permission_set.captured_at)
            .order_by("-pk")
            .first()
        )
        if permission_set.captured_at
        else None
    )
    return list(iter_drafts(first)) if first else []


def is_under_way(permission_set: PermissionSet) -> bool:
    """A twin was made or is being made. One that was refused can be tried again."""
    drafts = find_drafts(permission_set)
    return bool(drafts) and not is_refused(drafts)
