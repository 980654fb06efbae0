"""One of our sets that is provisioned in the management account: what frees it, and a twin for member accounts.

A delegated administrator may not touch such a set any more. Its twin is a copy of its record under another name, and
the assignment records of member accounts move to it: the same people with the same last days, so nobody gains
anything. Guardrails are decided again by the run that carries it out.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from shlex import join

from django.db import IntegrityError, transaction

from accounts import access
from accounts.audit import record_event
from accounts.models import Account, AppKind, Assignment, Draft, Instance, PermissionSet, Principal, Record, User
from syncer.drafting import NotPossible, Values, make_draft, read_record
from syncer.parsing import MAX_SET_NAME
from syncer.states import Reason
from syncer.tasks import request_writing

SUFFIX = "-member"


@dataclass(frozen=True)
class TwinPlan:
    """What is going to be written: the record of the twin, and which records move to it."""

    name: str
    values: Values
    moves: tuple[Record, ...]
    left: tuple[tuple[Record, Reason], ...]

    @property
    def checksum(self) -> str:
        """Stands for exactly this list."""
        lines = [self.name, *(f"{record.reference}@{record.revision}" for record in self.moves)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


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


def plan_twin(permission_set: PermissionSet) -> TwinPlan:
    """What a twin of this set would write. Raises NotPossible."""
    record = permission_set.record
    if record is None or record.gone_at is not None:
        raise NotPossible(Reason("twin_no_record", {"set": permission_set.name}))
    if not record.is_in_force or record.withheld.filter(confirmed_at__isnull=True).exists():
        raise NotPossible(Reason("twin_record_broken", {"set": permission_set.name}))
    name = _choose_name(permission_set.name)
    moves: list[Record] = []
    left: list[tuple[Record, Reason]] = []
    for found in _find_records(permission_set.name):
        reason = _find_obstacle(found)
        if reason:
            left.append((found, reason))
        else:
            moves.append(found)
    return TwinPlan(name, {**read_record(record), "name": name}, tuple(moves), tuple(left))


def _choose_name(name: str) -> str:
    """The name with `-member`, cut to fit; with a number where that is taken."""
    for suffix in (SUFFIX, *(f"{SUFFIX}{number}" for number in range(2, 10))):
        chosen = name[: MAX_SET_NAME - len(suffix)].rstrip("-_.") + suffix
        titles = Record.objects.live().of_kind(AppKind.PERMISSION_SET).filter(title=chosen)
        if not PermissionSet.objects.filter(name=chosen, arn__isnull=False).exists() and not titles.exists():
            return chosen
    raise NotPossible(Reason("twin_names_taken", {"set": name}))


def _find_records(name: str) -> Iterable[Record]:
    """Live assignment records that name the set, as they are in force."""
    return (
        Record.objects.live().of_kind(AppKind.ASSIGNMENT).filter(in_force__permission_set=name).order_by("app_id", "pk")
    )


def _find_obstacle(record: Record) -> Reason | None:
    """Why a record stays as it is."""
    if not record.is_in_force:
        return Reason("twin_newer_revision", {"record": record.reference})
    account_id = (record.in_force or {}).get("account_id", "")
    if Account.objects.filter(account_id=account_id, is_management=True).exists():
        return Reason("management_account", {"account": account_id})
    return None


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
    purpose = purpose_of(permission_set)
    first = make_draft(
        AppKind.PERMISSION_SET, user, plan.values, purpose=purpose, request_key=_find_key(permission_set)
    )
    first.save()
    Draft.objects.bulk_create(
        make_draft(AppKind.ASSIGNMENT, user, {"permission_set": plan.name}, record=record, purpose=purpose, after=first)
        for record in plan.moves
    )
    record_event(
        "permission_set.twin",
        actor=user,
        obj=("permission_set", str(permission_set.pk), permission_set.name),
        after={"name": plan.name, "records": [record.reference for record in plan.moves]},
    )
    request_writing()
    return first


def purpose_of(permission_set: PermissionSet) -> str:
    return f"twin:{permission_set.name}"


def _find_key(permission_set: PermissionSet) -> str:
    """The same for everybody who presses at once, another one after a try that was refused."""
    tries = Draft.objects.filter(purpose=purpose_of(permission_set), record__isnull=True).count()
    text = f"{permission_set.arn} {permission_set.captured_at} {tries}"
    return hashlib.sha256(text.encode()).hexdigest()


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
    return list(_iter_drafts(first)) if first else []


def _iter_drafts(first: Draft) -> Iterator[Draft]:
    yield first
    yield from first.followers.select_related("record").order_by("pk")


def is_under_way(permission_set: PermissionSet) -> bool:
    """A twin was made or is being made. One that was refused can be tried again."""
    drafts = find_drafts(permission_set)
    return bool(drafts) and drafts[0].state not in (Draft.State.REFUSED, Draft.State.CONFLICT)
