"""The identity store: users, groups and memberships, for reading."""

from collections.abc import Callable, Mapping
from typing import Any

from simulators.aws.calls import Answer, Call
from simulators.aws.entities import Group, Membership, User
from simulators.aws.errors import invalid, not_found
from simulators.aws.organization import IDENTITY_CENTER_SERVICE

_CREATOR = "SCIM/EXTERNAL_PROVIDER"
_EXTENSIONS = {"aws:identitystore:enterprise"}


def list_users(call: Call) -> Answer:
    _require_reader(call)
    if set(call.parameters.get("Extensions", [])) - _EXTENSIONS:
        raise invalid("The extension is not known")
    wanted = _filter(call, "UserName")
    page = call.page(
        call.world.directory.all_users, size=_size(call), keep=lambda user: wanted in {None, user.user_name.casefold()}
    )
    return page.answer("Users", lambda user: _user(call, user))


def describe_user(call: Call) -> Answer:
    _require_reader(call)
    return _user(call, _find_user(call, call.text("UserId")))


def get_user_id(call: Call) -> Answer:
    _require_reader(call)
    attribute, value = _alternate(call, {"userName", "emails.value"})
    user_id = call.world.directory.user_id(attribute, value)
    if user_id is None:
        raise not_found("USER not found.", ResourceType="USER")
    return {"IdentityStoreId": _store_id(call), "UserId": user_id, "UserArn": _arn("user", user_id)}


def list_groups(call: Call) -> Answer:
    _require_reader(call)
    wanted = _filter(call, "DisplayName")
    page = call.page(
        call.world.directory.all_groups,
        size=_size(call),
        keep=lambda group: wanted in {None, group.display_name.casefold()},
    )
    return page.answer("Groups", lambda group: _group(call, group))


def describe_group(call: Call) -> Answer:
    _require_reader(call)
    return _group(call, _find_group(call, call.text("GroupId")))


def get_group_id(call: Call) -> Answer:
    _require_reader(call)
    attribute, value = _alternate(call, {"displayName"})
    group_id = call.world.directory.group_id(attribute, value)
    if group_id is None:
        raise not_found("GROUP not found.", ResourceType="GROUP")
    return {"IdentityStoreId": _store_id(call), "GroupId": group_id, "GroupArn": _arn("group", group_id)}


def list_group_memberships(call: Call) -> Answer:
    _require_reader(call)
    group = _find_group(call, call.text("GroupId"))
    page = call.page(call.world.directory.members_of(group.id), size=_size(call))
    return page.answer("GroupMemberships", lambda membership: _membership(call, membership))


def list_group_memberships_for_member(call: Call) -> Answer:
    _require_reader(call)
    user = _find_user(call, call.parameters["MemberId"].get("UserId", ""))
    page = call.page(call.world.directory.groups_of(user.id), size=_size(call))
    return page.answer("GroupMemberships", lambda membership: _membership(call, membership))


def is_member_in_groups(call: Call) -> Answer:
    _require_reader(call)
    user = _find_user(call, call.parameters["MemberId"].get("UserId", ""))
    groups = [_find_group(call, group_id) for group_id in call.parameters["GroupIds"]]
    return {
        "Results": [
            {
                "GroupId": group.id,
                "MemberId": {"UserId": user.id},
                "MembershipExists": call.world.directory.is_member(group.id, user.id),
            }
            for group in groups
        ]
    }


def _require_reader(call: Call) -> None:
    """Management account and delegated administrator only, in the region of the instance."""
    organization, account_id = call.world.organization, call.caller.account_id
    if account_id != organization.management_account_id and not organization.is_delegated(
        account_id, IDENTITY_CENTER_SERVICE
    ):
        raise call.denied()
    if _plain(call.text("IdentityStoreId")) != _store_id(call) or call.region != call.world.region:
        raise not_found("IDENTITY_STORE not found.", ResourceType="IDENTITY_STORE")


def _find_user(call: Call, user_id: str) -> User:
    user = call.world.directory.users.get(_plain(user_id))
    if user is None:
        raise not_found("USER not found.", ResourceType="USER", ResourceId=user_id)
    return user


def _find_group(call: Call, group_id: str) -> Group:
    group = call.world.directory.groups.get(_plain(group_id))
    if group is None:
        raise not_found("GROUP not found.", ResourceType="GROUP", ResourceId=group_id)
    return group


def _filter(call: Call, attribute: str) -> str | None:
    """The value of the one filter that is left of older times, in lower case."""
    for wanted in call.parameters.get("Filters", []):
        if wanted["AttributePath"] != attribute:
            raise invalid(f"Only {attribute} can be filtered by")
        return str(wanted["AttributeValue"]).casefold()
    return None


def _alternate(call: Call, attributes: set[str]) -> tuple[str, str]:
    """The attribute and value of an AlternateIdentifier, which is exactly one of two kinds."""
    identifier: Mapping[str, Any] = call.parameters["AlternateIdentifier"]
    if len(identifier) != 1:
        raise invalid("Exactly one alternate identifier must be given")
    if "ExternalId" in identifier:
        external = identifier["ExternalId"]
        # Every external id of this store comes from the one SCIM endpoint.
        known = external["Issuer"] == call.world.external_id_issuer
        return ("externalId", external["Id"]) if known else ("externalId", "")
    unique = identifier["UniqueAttribute"]
    # Written as UserName too, as Terraform's provider documents and tests it.
    path = {attribute.lower(): attribute for attribute in attributes}.get(unique["AttributePath"].lower())
    if path is None:
        raise invalid(f"The attribute path must be one of {', '.join(sorted(attributes))}")
    return path, str(unique["AttributeValue"])


def _size(call: Call) -> int | None:
    size = call.parameters.get("MaxResults")
    return None if size is None else int(size)


def _store_id(call: Call) -> str:
    return call.world.identity_store_id


def _plain(identifier: str) -> str:
    """Ids of stores, users and groups may also be given as ARNs."""
    return identifier.rpartition("/")[2]


def _arn(kind: str, resource_id: str) -> str:
    return f"arn:aws:identitystore:::{kind}/{resource_id}"


def _user(call: Call, user: User) -> Answer:
    name = {"GivenName": user.given_name, "FamilyName": user.family_name, "Formatted": user.display_name}
    email = {"Value": user.email, "Type": "work", "Primary": True}
    members = {
        "IdentityStoreId": _store_id(call),
        "UserId": user.id,
        "UserArn": _arn("user", user.id),
        "Revision": _revision(user.updated),
        "UserName": user.user_name,
        "ExternalIds": _external_ids(call, user.external_id),
        "Name": {part: value for part, value in name.items() if value} or None,
        "DisplayName": user.display_name,
        "Emails": [email] if user.email else None,
        "UserStatus": user.status,
        "CreatedAt": user.created,
        "CreatedBy": _CREATOR,
        "UpdatedAt": user.updated,
        "UpdatedBy": _CREATOR,
    }
    return _present(members)


def _group(call: Call, group: Group) -> Answer:
    members = {
        "IdentityStoreId": _store_id(call),
        "GroupId": group.id,
        "GroupArn": _arn("group", group.id),
        "Revision": _revision(group.created),
        "DisplayName": group.display_name,
        "ExternalIds": _external_ids(call, group.external_id),
        "CreatedAt": group.created,
        "CreatedBy": _CREATOR,
    }
    return _present(members)


def _membership(call: Call, membership: Membership) -> Answer:
    return {
        "IdentityStoreId": _store_id(call),
        "MembershipId": membership.id,
        "MembershipArn": _arn("membership", membership.id),
        "GroupId": membership.group_id,
        "MemberId": {"UserId": membership.user_id},
        "CreatedAt": membership.created,
        "CreatedBy": _CREATOR,
    }


def _external_ids(call: Call, external_id: str | None) -> list[Answer] | None:
    return [{"Issuer": call.world.external_id_issuer, "Id": external_id}] if external_id else None


def _revision(changed: float) -> str:
    return str(int(changed * 1000))


def _present(members: Answer) -> Answer:
    return {name: value for name, value in members.items() if value is not None}


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "ListUsers": list_users,
    "DescribeUser": describe_user,
    "GetUserId": get_user_id,
    "ListGroups": list_groups,
    "DescribeGroup": describe_group,
    "GetGroupId": get_group_id,
    "ListGroupMemberships": list_group_memberships,
    "ListGroupMembershipsForMember": list_group_memberships_for_member,
    "IsMemberInGroups": is_member_in_groups,
}
