"""Users, groups and memberships of one identity store, as Entra ID provisions them by SCIM."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from simulators.aws.entities import Group, Membership, User
from simulators.aws.rows import Rows


class Directory:
    """Names are unique without regard to case; removing somebody removes his memberships, nothing else."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.all_users: Rows[User] = Rows()
        self.all_groups: Rows[Group] = Rows()
        self._members: defaultdict[str, Rows[Membership]] = defaultdict(Rows)
        self._memberships: defaultdict[str, Rows[Membership]] = defaultdict(Rows)
        self._by_pair: dict[tuple[str, str], Membership] = {}
        self._user_ids: dict[tuple[str, str], str] = {}
        self._group_ids: dict[tuple[str, str], str] = {}

    def put_user(self, user: User) -> None:
        if ("userName", user.user_name.casefold()) in self._user_ids:
            raise ValueError(f"user name {user.user_name} is taken")
        self.users[user.id] = user
        self.all_users.add(user.number, user)
        self._user_ids.update(dict.fromkeys(_user_names(user), user.id))

    def put_group(self, group: Group) -> None:
        if ("displayName", group.display_name.casefold()) in self._group_ids:
            raise ValueError(f"group name {group.display_name} is taken")
        self.groups[group.id] = group
        self.all_groups.add(group.number, group)
        self._group_ids.update(dict.fromkeys(_group_names(group), group.id))

    def change_user(self, user: User) -> None:
        """Put new attributes in the place of those of a user that is there."""
        taken = self._user_ids.get(("userName", user.user_name.casefold()))
        if taken not in (None, user.id):
            raise ValueError(f"user name {user.user_name} is taken")
        _forget(self._user_ids, user.id)
        self.users[user.id] = user
        self.all_users.add(user.number, user)
        self._user_ids.update(dict.fromkeys(_user_names(user), user.id))

    def change_group(self, group: Group) -> None:
        """Put new attributes in the place of those of a group that is there."""
        taken = self._group_ids.get(("displayName", group.display_name.casefold()))
        if taken not in (None, group.id):
            raise ValueError(f"group name {group.display_name} is taken")
        _forget(self._group_ids, group.id)
        self.groups[group.id] = group
        self.all_groups.add(group.number, group)
        self._group_ids.update(dict.fromkeys(_group_names(group), group.id))

    def put_membership(self, membership: Membership) -> None:
        key = (membership.group_id, membership.user_id)
        if membership.group_id not in self.groups or membership.user_id not in self.users:
            raise ValueError(f"no such group or user: {key}")
        if key in self._by_pair:
            raise ValueError(f"already a member: {key}")
        self._by_pair[key] = membership
        self._members[membership.group_id].add(membership.number, membership)
        self._memberships[membership.user_id].add(membership.number, membership)

    def remove_membership(self, group_id: str, user_id: str) -> None:
        membership = self._by_pair.pop((group_id, user_id))
        self._members[group_id].remove(membership.number)
        self._memberships[user_id].remove(membership.number)

    def remove_user(self, user_id: str) -> None:
        for membership in list(self.groups_of(user_id)):
            self.remove_membership(membership.group_id, user_id)
        user = self.users.pop(user_id)
        self.all_users.remove(user.number)
        _forget(self._user_ids, user_id)

    def remove_group(self, group_id: str) -> None:
        for membership in list(self.members_of(group_id)):
            self.remove_membership(group_id, membership.user_id)
        group = self.groups.pop(group_id)
        self.all_groups.remove(group.number)
        _forget(self._group_ids, group_id)

    def members_of(self, group_id: str) -> Rows[Membership]:
        return self._members.get(group_id) or Rows()

    def groups_of(self, user_id: str) -> Rows[Membership]:
        return self._memberships.get(user_id) or Rows()

    def is_member(self, group_id: str, user_id: str) -> bool:
        return (group_id, user_id) in self._by_pair

    def user_id(self, attribute: str, value: str) -> str | None:
        """The user with this `userName`, `emails.value` or `externalId`."""
        return self._user_ids.get((attribute, value.casefold()))

    def group_id(self, attribute: str, value: str) -> str | None:
        """The group with this `displayName` or `externalId`."""
        return self._group_ids.get((attribute, value.casefold()))

    def to_state(self) -> dict[str, Any]:
        return {
            "users": [asdict(user) for user in self.users.values()],
            "groups": [asdict(group) for group in self.groups.values()],
            "memberships": [asdict(membership) for membership in self._by_pair.values()],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Directory":
        directory = cls()
        for user in state["users"]:
            directory.put_user(User(**user))
        for group in state["groups"]:
            directory.put_group(Group(**group))
        for membership in state["memberships"]:
            directory.put_membership(Membership(**membership))
        return directory


def _user_names(user: User) -> list[tuple[str, str]]:
    names = {"userName": user.user_name, "emails.value": user.email, "externalId": user.external_id}
    return [(attribute, value.casefold()) for attribute, value in names.items() if value]


def _group_names(group: Group) -> list[tuple[str, str]]:
    names = {"displayName": group.display_name, "externalId": group.external_id}
    return [(attribute, value.casefold()) for attribute, value in names.items() if value]


def _forget(ids: dict[tuple[str, str], str], entity_id: str) -> None:
    for name in [name for name, known in ids.items() if known == entity_id]:
        del ids[name]
