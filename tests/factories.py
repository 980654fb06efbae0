"""Rows for tests, each with what the test does not care about filled in."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone

from accounts.models import (
    Account,
    AppKind,
    Assignment,
    AwsPolicy,
    Group,
    GroupMembership,
    Instance,
    OrganizationalUnit,
    PermissionSet,
    Person,
    PolicyText,
    Principal,
    Problem,
    Record,
    Stage,
    User,
    Wish,
)
from accounts.names import fold
from syncer.mirror.naming import note_people
from syncer.models import Change, Run

TENANT_ID = "11111111-1111-4111-8111-111111111111"
_numbers = itertools.count(1)


def next_number() -> int:
    """Another number each time, so that unique columns never meet."""
    return next(_numbers)


def make_ou(path: str = "service/決済/Production") -> OrganizationalUnit:
    """The unit of a path; the same row for the same path."""
    unit, _created = OrganizationalUnit.objects.get_or_create(
        path=path, defaults={"ou_id": f"ou-abcd-{next_number():08d}", "name": path.rpartition("/")[2]}
    )
    return unit


def make_account(name: str = "", *, ou: str = "service/決済/Production", **values: Any) -> Account:
    number = next_number()
    defaults: dict[str, Any] = {
        "account_id": f"{100000000000 + number}",
        "name": name or f"account-{number}",
        "ou": make_ou(ou),
        "stage": Stage.PRODUCTION,
    }
    return Account.objects.create(**defaults | values)


def make_policy_text(name: str, text: str, version: str = "v1") -> PolicyText:
    """An AWS managed policy in IAM's list, and what it says in the version that is in force."""
    arn = f"arn:aws:iam::aws:policy/{name}"
    row, _is_new = AwsPolicy.objects.get_or_create(arn=arn, defaults={"name": name, "read_at": timezone.now()})
    AwsPolicy.objects.filter(pk=row.pk).update(version=version)
    return PolicyText.objects.create(arn=arn, version=version, text=text, outcome=PolicyText.Outcome.READ)


def make_permission_set(name: str = "", **values: Any) -> PermissionSet:
    number = next_number()
    defaults: dict[str, Any] = {
        "name": name or f"Set{number}",
        "arn": f"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-{number:016d}",
        "ownership": PermissionSet.Ownership.OURS,
        "state": PermissionSet.State.IN_SYNC,
    }
    return PermissionSet.objects.create(**defaults | values)


def make_principal(name: str = "", kind: str = Principal.Type.USER, **values: Any) -> Principal:
    number = next_number()
    written = name or f"user{number}@example.com"
    defaults: dict[str, Any] = {
        "type": kind,
        "principal_id": f"{number:08d}-1111-4111-8111-111111111111",
        "name": written,
        "name_key": fold(written),
        "display_name": written,
    }
    return Principal.objects.create(**defaults | values)


def make_group(name: str = "", *members: Principal) -> Group:
    principal = make_principal(name or f"team-{next_number()}", Principal.Type.GROUP)
    GroupMembership.objects.bulk_create([GroupMembership(group=principal, member=member) for member in members])
    return Group.objects.get(pk=principal.pk)


def make_person(name: str = "", **values: Any) -> Person:
    number = next_number()
    shown = name or f"人 {number}"
    defaults: dict[str, Any] = {
        "name": shown,
        "email": f"person{number}@example.com",
        "kintone_code": f"person{number}",
    }
    if "principal" not in values:
        defaults["principal"] = make_principal(f"person{number}@example.com", display_name=shown)
    return Person.objects.create(**defaults | values)


def make_user(name: str = "", *, person: Person | None = None, **values: Any) -> User:
    """A sign-in with a person of its own; `person=None` makes one."""
    number = next_number()
    oid = f"{number:08d}-2222-4222-8222-222222222222"
    linked = person or make_person(name)
    defaults: dict[str, Any] = {
        "username": oid,
        "entra_tid": TENANT_ID,
        "entra_oid": oid,
        "display_name": name or linked.name,
        "preferred_username": linked.email,
        "person": linked,
    }
    return User.objects.create(**defaults | values)


def get_principal(owner: User | Person) -> Principal:
    """The principal that Identity Center assigns to for this user or person."""
    person = owner.person if isinstance(owner, User) else owner
    assert person is not None
    assert person.principal is not None
    return person.principal


def add_member(group: Group, member: Principal) -> None:
    GroupMembership.objects.create(group=group, member=member)


def make_record(kind: AppKind = AppKind.ASSIGNMENT, **values: Any) -> Record:
    number = next_number()
    now = timezone.now()
    defaults: dict[str, Any] = {
        "kind": kind,
        "app_id": "24" if kind == AppKind.ASSIGNMENT else "23",
        "record_id": str(number),
        "revision": 1,
        "in_force_revision": 1,
        "in_force": {},
        "title": f"record {number}",
        "body": {},
        "created_at": now,
        "updated_at": now,
    }
    record = Record.objects.create(**defaults | values)
    note_people(record.app_id, [record], {"owners": "owners", "users": "users"})
    return record


def make_assignment(
    principal: Principal | User | None = None,
    *,
    account: Account | None = None,
    permission_set: PermissionSet | None = None,
    record: Record | None = None,
    until: date | None = None,
    **values: Any,
) -> Assignment:
    """A granted assignment that AWS has; with `record`, wanted by it."""
    found = get_principal(principal) if isinstance(principal, User) else principal or make_principal()
    defaults: dict[str, Any] = {"state": Assignment.State.GRANTED, "in_aws": True, "is_wanted": record is not None}
    assignment = Assignment.objects.create(
        account=account or make_account(),
        permission_set=permission_set or make_permission_set(),
        principal=found,
        expires_on=until,
        **defaults | values,
    )
    if record:
        Wish.objects.create(assignment=assignment, record=record, expires_on=until)
    return assignment


def make_problem(record: Record | None = None, code: str = "account_unknown", **values: Any) -> Problem:
    defaults: dict[str, Any] = {
        "severity": Problem.Severity.ERROR,
        "field": "account_id",
        "params": {"account": "123456789012"},
    }
    return Problem.objects.create(record=record or make_record(), code=code, **defaults | values)


def make_run(**values: Any) -> Run:
    """A full run that is over and found nothing to do."""
    now = datetime.now(UTC)
    defaults: dict[str, Any] = {
        "status": Run.Status.DONE,
        "requested_at": now,
        "started_at": now,
        "finished_at": now,
        "counts": {"create": 0, "update": 0, "delete": 0, "unchanged": 9, "waiting": 0, "blocked": 0, "failed": 0},
        "steps": {
            "wish": {"state": "done", "seconds": 0.2, "records": 263, "changed": 0, "requests": 4},
            "truth": {"state": "done", "seconds": 2.4, "calls": 180, "assignments": 1204},
            "plan": {"state": "done", "seconds": 0.1, "create": 0, "update": 0, "delete": 0, "held": 0},
            "apply": {"state": "done", "seconds": 0.0, "done": 0, "total": 0},
            "tell": {"state": "done", "seconds": 0.1},
        },
    }
    return Run.objects.create(**defaults | values)


def make_change(run: Run, **values: Any) -> Change:
    number = next_number()
    defaults: dict[str, Any] = {
        "position": number,
        "kind": Change.Kind.CREATE,
        "object": Change.Object.ASSIGNMENT,
        "account_id": "123456789012",
        "permission_set_name": "ReadOnly",
        "principal_type": "USER",
        "principal_name": f"人 {number}",
        "outcome": Change.Outcome.SUCCEEDED,
    }
    return Change.objects.create(run=run, **defaults | values)


def make_instance() -> Instance:
    return Instance.objects.create(
        instance_arn="arn:aws:sso:::instance/ssoins-1234567890abcdef",
        identity_store_id="d-1234567890",
        region="ap-northeast-1",
        management_account_id="999999999999",
        read_at=timezone.now(),
    )
