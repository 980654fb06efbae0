"""What AWS could hold: the Python interface of a world is as strict as the wire, and says no with ValueError."""

from collections.abc import Mapping
from typing import Any

from simulators.aws.catalogue import managed_policies
from simulators.aws.durations import is_session_duration
from simulators.aws.entities import Account, Group, OrganizationalUnit, PermissionSet, PolicyReference, User
from simulators.aws.policies import is_too_large, syntax_fault
from simulators.aws.shapes import service_model, violations


def require_shape(service: str, shape: str, value: Any) -> None:
    """Raise ValueError if the value breaks a shape of the service's model."""
    found = [str(violation) for violation in violations(service_model(service).shape_for(shape), value, shape)]
    if found:
        raise ValueError("; ".join(found))


def require_account(account: Account) -> None:
    described = {"Id": account.id, "Name": account.name, "Email": account.email, "State": account.state}
    require_shape("organizations", "Account", described)


def require_unit(unit: OrganizationalUnit) -> None:
    require_shape("organizations", "OrganizationalUnit", {"Name": unit.name})


def require_user(user: User) -> None:
    require_shape("identitystore", "UserName", user.user_name)
    require_shape("identitystore", "UserStatus", user.status)
    for text in (user.display_name, user.email, user.given_name, user.family_name):
        if text is not None:
            require_shape("identitystore", "SensitiveStringType", text)
    _require_external_id(user.external_id)


def require_group(group: Group) -> None:
    require_shape("identitystore", "GroupDisplayName", group.display_name)
    _require_external_id(group.external_id)


def require_permission_set(permission_set: PermissionSet) -> None:
    described = {
        "Name": permission_set.name,
        "Description": permission_set.description,
        "SessionDuration": permission_set.session_duration,
        "RelayState": permission_set.relay_state,
    }
    require_shape("sso-admin", "PermissionSet", described)
    if not is_session_duration(permission_set.session_duration):
        raise ValueError(f"session duration {permission_set.session_duration} is not between 1 and 12 hours")
    for arn in permission_set.managed:
        require_managed_policy(arn)
    for reference in permission_set.customer_managed:
        require_reference(reference)
    if isinstance(permission_set.boundary, PolicyReference):
        require_reference(permission_set.boundary)
    elif permission_set.boundary is not None:
        require_managed_policy(permission_set.boundary)
    if permission_set.inline is not None:
        _require_inline_policy(permission_set.inline)


def require_managed_policy(arn: str) -> None:
    policy = managed_policies().get(arn)
    if policy is None or not policy.is_attachable:
        raise ValueError(f"{arn} is no attachable AWS managed policy of the simulator's catalogue")


def require_reference(reference: PolicyReference) -> None:
    described = {"Path": reference.path, "Name": reference.name}
    require_shape("sso-admin", "CustomerManagedPolicyReference", described)


def require_tags(tags: Mapping[str, str]) -> None:
    require_shape("sso-admin", "TagList", [{"Key": key, "Value": value} for key, value in tags.items()])


def _require_external_id(external_id: str | None) -> None:
    if external_id is not None:
        require_shape("identitystore", "ExternalIdIdentifier", external_id)


def _require_inline_policy(document: str) -> None:
    require_shape("sso-admin", "PermissionSetPolicyDocument", document)
    fault = syntax_fault(document)
    if fault or is_too_large(document):
        raise ValueError(fault or "the inline policy is too large")
