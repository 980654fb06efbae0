"""What still gives somebody the access that is about to be taken away: other records, groups, other sets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from accounts.access import visible_assignments
from accounts.models import Assignment, GroupMembership, PermissionSet, Principal, Record, User
from portal.views.sections import order_assignments


@dataclass(frozen=True)
class OtherWays:
    """Of one principal of a record. through: groups; sets: other permission sets in the same account.

    keeping: how many members of a group still have it otherwise, of `members`. in_aws: AWS has it. is_out_of_reach:
    Genkan cannot take it away in AWS.
    """

    principal: Principal
    records: tuple[Record, ...] = ()
    through: tuple[Principal, ...] = ()
    sets: tuple[PermissionSet, ...] = ()
    members: int = 0
    keeping: int = 0
    in_aws: bool = False
    is_out_of_reach: bool = False

    @property
    def keeps_it(self) -> bool:
        return bool(self.records or self.through)


def find_other_ways(user: User, record: Record, principals: Collection[Principal]) -> list[OtherWays]:
    """For everybody who goes out of this record, in a constant number of statements. A group's members are counted
    where it goes alone.
    """
    place = record.in_force or {}
    account_id, name = place.get("account_id", ""), place.get("permission_set", "")
    ids = [principal.pk for principal in principals]
    groups = _find_groups(ids)
    above = {group.pk for found in groups.values() for group in found}
    there = visible_assignments(user).filter(account__account_id=account_id, principal__in={*ids, *above})
    rows: dict[int, list[Assignment]] = {}
    for row in order_assignments(there, "permission_set"):
        rows.setdefault(row.principal_id, []).append(row)
    found = [_describe(principal, record, name, rows, groups.get(principal.pk, [])) for principal in principals]
    return [_with_members(ways, rows, name) for ways in found] if len(found) == 1 else found


def _find_groups(ids: Iterable[int]) -> dict[int, list[Principal]]:
    """Member → the groups he is in."""
    found: dict[int, list[Principal]] = {}
    rows = GroupMembership.objects.filter(member__in=list(ids), group__gone_at__isnull=True).select_related("group")
    for row in rows.order_by("group__name_key", "group"):
        found.setdefault(row.member_id, []).append(row.group)
    return found


def _describe(
    principal: Principal, record: Record, name: str, rows: dict[int, list[Assignment]], groups: list[Principal]
) -> OtherWays:
    own = rows.get(principal.pk, [])
    same = next((row for row in own if row.permission_set.name == name), None)
    through = tuple(group for group in groups if any(_gives(row, name) for row in rows.get(group.pk, [])))
    others = [*own, *(row for group in groups for row in rows.get(group.pk, []))]
    sets = {
        row.permission_set_id: row.permission_set for row in others if row.in_aws and row.permission_set.name != name
    }
    return OtherWays(
        principal,
        tuple(wish.record for wish in same.wishes.all() if _wants(wish.record, record)) if same else (),
        through,
        tuple(sets.values()),
        in_aws=bool(same and same.in_aws),
        is_out_of_reach=bool(same and same.in_aws and not _is_in_reach(same)),
    )


def _with_members(ways: OtherWays, rows: dict[int, list[Assignment]], name: str) -> OtherWays:
    if not ways.principal.is_group:
        return ways
    same = next((row for row in rows.get(ways.principal.pk, ()) if row.permission_set.name == name), None)
    members, keeping = _count_members(ways.principal, same)
    return replace(ways, members=members, keeping=keeping)


def _gives(assignment: Assignment, name: str) -> bool:
    return assignment.permission_set.name == name and (assignment.in_aws or assignment.is_wanted)


def _wants(other: Record, record: Record) -> bool:
    return other.pk != record.pk and other.gone_at is None


def _is_in_reach(assignment: Assignment) -> bool:
    account = assignment.account
    return assignment.permission_set.is_ours and account.is_active and not account.is_management


def _count_members(group: Principal, same: Assignment | None) -> tuple[int, int]:
    """How many there are, and how many have the same themselves or through another group."""
    members = GroupMembership.objects.filter(group=group)
    if same is None:
        return members.count(), 0
    alike = Assignment.objects.shown().filter(account=same.account_id, permission_set=same.permission_set_id)
    holders = alike.exclude(principal=group).filter(in_aws=True).values("principal")
    themselves = members.filter(member__in=holders)
    through = members.filter(member__member_of__group__in=holders)
    return members.count(), len({*themselves.values_list("pk", flat=True), *through.values_list("pk", flat=True)})
