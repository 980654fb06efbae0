"""The company's side of AWS: the organization, the identity store, and what Identity Center holds at the start."""

from collections.abc import Iterable
from dataclasses import dataclass

from simulators.aws import AwsWorld
from simulators.aws.catalogue import managed_policies
from simulators.clock import Clock
from simulators.company.assignments import (
    HAND_MADE,
    STRAY_ASSIGNMENTS,
    AssignmentRecord,
    Beginning,
    list_assignment_records,
)
from simulators.company.organization import (
    DELEGATED,
    MANAGEMENT,
    NO_LAKE_POLICY,
    OWNERS_TAG,
    SEED,
    get_account,
    list_accounts,
    list_units,
)
from simulators.company.people import Person, Situation, group_oid, list_groups, list_people
from simulators.company.permission_sets import (
    LAKE_READER,
    MANAGEMENT_SET,
    OWNERSHIP_TAG,
    SERVICE_BOUNDARY,
    UNMANAGED_SETS,
    PermissionSet,
    list_permission_sets,
)
from simulators.company.permission_sets import Beginning as SetBeginning

PORTAL_ROLE = "genkan-portal"
ASYNC_SECONDS = 1.5
"""How long AWS takes over one assignment or provisioning, in seconds: long enough to be watched."""


@dataclass(frozen=True)
class Directory:
    """Ids of the identity store: users by UPN, groups by name."""

    users: dict[str, str]
    groups: dict[str, str]

    def find(self, name: str) -> str:
        return self.groups.get(name) or self.users[name]


def build_aws(clock: Clock | None = None) -> AwsWorld:
    """The whole organization, with nearly all assignments in place that the records want."""
    world = build_empty_aws(clock)
    directory = _add_directory(world)
    _add_organization(world, directory)
    _add_policies(world)
    for permission_set in list_permission_sets():
        _add_permission_set(world, permission_set)
    for record in list_assignment_records():
        _add_assignments(world, directory, record)
    _add_strays(world)
    _add_foreign_sets(world, directory)
    return world


def build_empty_aws(clock: Clock | None = None) -> AwsWorld:
    """An organization of two: the management account, and the delegated administrator with the portal's role."""
    world = AwsWorld(SEED, clock)
    unit_id = world.add_ou(DELEGATED.unit)
    world.add_account(DELEGATED.name, DELEGATED.email, unit_id, account_id=DELEGATED.id)
    world.delegate(DELEGATED.id)
    world.add_access_key(DELEGATED.id, PORTAL_ROLE)
    with world.change():
        management = world.organization.accounts[world.management_account_id]
        management.name, management.email = MANAGEMENT.name, MANAGEMENT.email
    return set_pace(world)


def set_pace(world: AwsWorld) -> AwsWorld:
    """Give the world its speed, which its state does not keep."""
    world.async_seconds = ASYNC_SECONDS
    return world


def _add_directory(world: AwsWorld) -> Directory:
    users = {person.upn: _add_user(world, person) for person in list_people() if person.is_provisioned}
    groups = {name: world.add_group(name, group_oid(name)) for name in list_groups()}
    for name, members in list_groups().items():
        for member in members:
            if member.upn in users:
                world.add_member(groups[name], users[member.upn])
    return Directory(users, groups)


def _add_user(world: AwsWorld, person: Person) -> str:
    status = "DISABLED" if person.situation is Situation.LEFT else "ENABLED"
    return world.add_user(
        person.upn,
        person.name,
        person.upn,
        person.oid,
        status,
        given_name=person.given_name,
        family_name=person.family_name,
    )


def _add_organization(world: AwsWorld, directory: Directory) -> None:
    unit_ids = {unit.name: unit.id for unit in world.organization.units.values()}
    for unit in list_units():
        unit_id = unit_ids.get(unit.path) or world.add_ou(unit.name, unit_ids.get(unit.parent))
        unit_ids[unit.path] = unit_id
        _tag_owners(world, directory, unit_id, unit.owners)
    for account in list_accounts():
        if account not in (MANAGEMENT, DELEGATED):
            state = "ACTIVE" if account.is_active else "SUSPENDED"
            world.add_account(account.name, account.email, unit_ids[account.unit], state, account.id)
        _tag_owners(world, directory, account.id, account.owners)


def _tag_owners(world: AwsWorld, directory: Directory, resource_id: str, owners: Iterable[str]) -> None:
    """UserNames and GroupIds, separated by blanks."""
    names = [directory.groups.get(owner, owner) for owner in owners]
    if names:
        world.set_tags(resource_id, {OWNERS_TAG: " ".join(names)})


def _add_policies(world: AwsWorld) -> None:
    """The customer managed policies, rolled out to every account of the sets that name them but one."""
    for record in list_assignment_records():
        if record.account_id == NO_LAKE_POLICY.id:
            continue
        policy = {"DataAnalyst": LAKE_READER, "ServiceDeveloper": SERVICE_BOUNDARY}.get(record.permission_set)
        if policy and _split(policy) not in world.customer_policies.get(record.account_id, []):
            world.add_customer_policy(record.account_id, *_split(policy))


def _split(policy: str) -> tuple[str, str]:
    """Path and name of `/path/name`."""
    path, _slash, name = policy.rpartition("/")
    return f"{path}/", name


_DURATIONS = {"8時間": "PT8H", "PT240M": "PT4H"}
"""How Identity Center writes what some records say otherwise."""


def _add_permission_set(world: AwsWorld, permission_set: PermissionSet) -> None:
    """Descriptions in Japanese cannot stand in AWS: sets begin without."""
    if permission_set.beginning is SetBeginning.NONE:
        return
    duration, description = permission_set.session_duration, permission_set.description
    values = {
        "description": description if description.isascii() else None,
        "session_duration": _DURATIONS.get(duration, duration),
        "relay_state": permission_set.relay_state or None,
        "managed": [_policy_arn(line) for line in permission_set.managed],
        "customer_managed": [_split(line) for line in permission_set.customer_managed],
        "inline": permission_set.inline_policy or None,
        "boundary": _split(permission_set.permissions_boundary) if permission_set.permissions_boundary else None,
        **permission_set.older,
    }
    tags = {} if permission_set.beginning is SetBeginning.MANAGEMENT else OWNERSHIP_TAG
    world.add_permission_set(permission_set.name, **values, tags=tags)


def _policy_arn(line: str) -> str:
    """The ARN of an AWS managed policy, from its ARN or its name."""
    if line.startswith("arn:"):
        return line
    return next(policy.arn for policy in managed_policies().values() if policy.name == line)


def _add_assignments(world: AwsWorld, directory: Directory, record: AssignmentRecord) -> None:
    if record.beginning is Beginning.NOTHING:
        return
    arn = world.permission_set_arn(record.permission_set)
    for person in record.people:
        world.add_assignment(record.account_id, arn, "USER", directory.users[person.upn])
    for group in record.groups:
        world.add_assignment(record.account_id, arn, "GROUP", directory.groups[group])


def _add_strays(world: AwsWorld) -> None:
    for stray in STRAY_ASSIGNMENTS:
        account_id, arn = get_account(stray.account_name).id, world.permission_set_arn(stray.permission_set)
        gone = world.add_user("taro.yamada@asagiri.example", "山田 太郎", None)
        world.add_assignment(account_id, arn, "USER", gone)
        world.remove_user(gone)


def find_hand_made(world: AwsWorld) -> dict[str, str]:
    """What somebody assigns by hand later on, as parameters of sso-admin's CreateAccountAssignment.

    Nothing in a world without the company.
    """
    if world.center.arn_of(HAND_MADE.permission_set) is None:
        return {}
    users = {user.user_name: user.id for user in world.directory.users.values()}
    return {
        "InstanceArn": world.instance_arn,
        "TargetId": get_account(HAND_MADE.account_name).id,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": world.permission_set_arn(HAND_MADE.permission_set),
        "PrincipalType": "USER",
        "PrincipalId": users[HAND_MADE.person.upn],
    }


def _add_foreign_sets(world: AwsWorld, directory: Directory) -> None:
    """What others look after: the management account's assignments, and sets without our tag."""
    terraform = world.permission_set_arn(MANAGEMENT_SET)
    world.add_assignment(world.management_account_id, terraform, "GROUP", directory.groups["team-platform"])
    for foreign in UNMANAGED_SETS:
        managed = [_policy_arn(name) for name in foreign.managed]
        arn = world.add_permission_set(foreign.name, description=foreign.description, managed=managed)
        for account_name, group in foreign.holders:
            world.add_assignment(get_account(account_name).id, arn, "GROUP", directory.groups[group])
