"""sso-admin: permission sets and what they consist of. All of it acts at once, and reaches accounts by provisioning."""

from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.catalogue import managed_policies
from simulators.aws.durations import is_session_duration
from simulators.aws.entities import DEFAULT_SESSION_DURATION, PermissionSet, PolicyReference, RequestKind
from simulators.aws.errors import conflict, invalid, not_found, quota_exceeded
from simulators.aws.policies import is_too_large, syntax_fault
from simulators.aws.rows import Rows
from simulators.aws.services.instances import new_tags
from simulators.aws.services.sso_access import (
    find_for_change,
    find_permission_set,
    page_size,
    require_organization_instance,
)


def list_permission_sets(call: Call) -> Answer:
    require_organization_instance(call)
    page = call.page(call.world.center.all_sets, size=page_size(call))
    return page.answer("PermissionSets", lambda permission_set: permission_set.arn)


def describe_permission_set(call: Call) -> Answer:
    return {"PermissionSet": _describe(find_permission_set(call))}


def create_permission_set(call: Call) -> Answer:
    require_organization_instance(call)
    center, name = call.world.center, call.text("Name")
    if center.arn_of(name):
        raise conflict(f"PermissionSet with name {name} already exists.")
    if len(center.sets) >= call.world.limits.permission_sets:
        raise quota_exceeded("The instance has too many permission sets.")
    arn = call.world.add_permission_set(
        name,
        description=call.optional("Description"),
        session_duration=_session_duration(call),
        relay_state=call.optional("RelayState"),
        tags=new_tags(call),
    )
    return {"PermissionSet": _describe(center.sets[arn])}


def update_permission_set(call: Call) -> Answer:
    """What is not given is cleared; an omitted duration falls back to the default."""
    permission_set = find_for_change(call)
    duration = _session_duration(call)
    permission_set.description = call.optional("Description")
    permission_set.relay_state = call.optional("RelayState")
    permission_set.session_duration = duration
    permission_set.version += 1
    return {}


def delete_permission_set(call: Call) -> Answer:
    """Refused as long as any account has the role, or is about to."""
    permission_set = find_for_change(call)
    pending = call.world.requests.pending(*RequestKind)
    used = any(request.permission_set_arn == permission_set.arn for request in pending)
    if used or call.world.center.provisions_of(permission_set.arn):
        raise conflict(f"PermissionSet {permission_set.name} is still assigned or provisioned.")
    call.world.center.remove_set(permission_set.arn)
    call.world.tags.pop(permission_set.arn, None)
    return {}


def put_inline_policy(call: Call) -> Answer:
    permission_set, document = find_for_change(call), call.text("InlinePolicy")
    fault = syntax_fault(document)
    if fault:
        raise invalid(f"Invalid PermissionsPolicy Document {document}: {fault}")
    if is_too_large(document):
        raise quota_exceeded("The inline policy is longer than 10240 characters without white space.")
    permission_set.inline = document
    permission_set.version += 1
    return {}


def get_inline_policy(call: Call) -> Answer:
    return {"InlinePolicy": find_permission_set(call).inline or ""}


def delete_inline_policy(call: Call) -> Answer:
    permission_set = find_for_change(call)
    if permission_set.inline is None:
        raise not_found("The permission set has no inline policy.")
    permission_set.inline = None
    permission_set.version += 1
    return {}


def attach_managed_policy(call: Call) -> Answer:
    permission_set, arn = find_for_change(call), call.text("ManagedPolicyArn")
    _require_managed_policy(arn)
    if arn in permission_set.managed:
        raise conflict(f"{permission_set.name} already has a typed link attachment to {arn}.")
    _require_room(call, permission_set)
    permission_set.managed.append(arn)
    permission_set.version += 1
    return {}


def detach_managed_policy(call: Call) -> Answer:
    permission_set, arn = find_for_change(call), call.text("ManagedPolicyArn")
    if arn not in permission_set.managed:
        raise not_found(f"The permission set does not have {arn}.")
    permission_set.managed.remove(arn)
    permission_set.version += 1
    return {}


def list_managed_policies(call: Call) -> Answer:
    arns = Rows(enumerate(find_permission_set(call).managed))
    page = call.page(arns, size=page_size(call))
    return page.answer("AttachedManagedPolicies", lambda arn: {"Name": arn.rpartition("/")[2], "Arn": arn})


def attach_customer_managed_policy(call: Call) -> Answer:
    """Whether the accounts have such a policy shows only when they are provisioned."""
    permission_set = find_for_change(call)
    reference = _reference(call.parameters["CustomerManagedPolicyReference"])
    if reference in permission_set.customer_managed:
        raise conflict(f"{permission_set.name} already refers to {reference.path}{reference.name}.")
    _require_room(call, permission_set)
    permission_set.customer_managed.append(reference)
    permission_set.version += 1
    return {}


def detach_customer_managed_policy(call: Call) -> Answer:
    permission_set = find_for_change(call)
    reference = _reference(call.parameters["CustomerManagedPolicyReference"])
    if reference not in permission_set.customer_managed:
        raise not_found(f"The permission set does not refer to {reference.path}{reference.name}.")
    permission_set.customer_managed.remove(reference)
    permission_set.version += 1
    return {}


def list_customer_managed_policies(call: Call) -> Answer:
    references = Rows(enumerate(find_permission_set(call).customer_managed))
    page = call.page(references, size=page_size(call))
    return page.answer("CustomerManagedPolicyReferences", _describe_reference)


def put_permissions_boundary(call: Call) -> Answer:
    permission_set = find_for_change(call)
    boundary: Mapping[str, Answer] = call.parameters["PermissionsBoundary"]
    if len(boundary) != 1:
        raise invalid("Exactly one of CustomerManagedPolicyReference and ManagedPolicyArn must be given.")
    if "ManagedPolicyArn" in boundary:
        arn = str(boundary["ManagedPolicyArn"])
        _require_managed_policy(arn)
        permission_set.boundary = arn
    else:
        permission_set.boundary = _reference(boundary["CustomerManagedPolicyReference"])
    permission_set.version += 1
    return {}


def get_permissions_boundary(call: Call) -> Answer:
    boundary = find_permission_set(call).boundary
    if boundary is None:
        raise not_found("The permission set has no permissions boundary.")
    if isinstance(boundary, PolicyReference):
        return {"PermissionsBoundary": {"CustomerManagedPolicyReference": _describe_reference(boundary)}}
    return {"PermissionsBoundary": {"ManagedPolicyArn": boundary}}


def delete_permissions_boundary(call: Call) -> Answer:
    permission_set = find_for_change(call)
    if permission_set.boundary is None:
        raise not_found("The permission set has no permissions boundary.")
    permission_set.boundary = None
    permission_set.version += 1
    return {}


def _session_duration(call: Call) -> str:
    text = call.optional("SessionDuration") or DEFAULT_SESSION_DURATION
    if not is_session_duration(text):
        raise invalid("The session duration must be between 1 and 12 hours.")
    return text


def _require_managed_policy(arn: str) -> None:
    policy = managed_policies().get(arn)
    if policy is None:
        raise not_found(f"Policy {arn} does not exist.")
    if not policy.is_attachable:
        raise invalid(f"Policy {arn} is not attachable.")


def _require_room(call: Call, permission_set: PermissionSet) -> None:
    attached = len(permission_set.managed) + len(permission_set.customer_managed)
    if attached >= call.world.limits.policies_per_set:
        raise quota_exceeded("The permission set has too many policies.")


def _reference(value: Mapping[str, str]) -> PolicyReference:
    return PolicyReference(value.get("Path", "/"), value["Name"])


def _describe_reference(reference: PolicyReference) -> Answer:
    return {"Name": reference.name, "Path": reference.path}


def _describe(permission_set: PermissionSet) -> Answer:
    members = {
        "Name": permission_set.name,
        "PermissionSetArn": permission_set.arn,
        "Description": permission_set.description,
        "CreatedDate": permission_set.created,
        "SessionDuration": permission_set.session_duration,
        "RelayState": permission_set.relay_state,
    }
    return {name: value for name, value in members.items() if value is not None}


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "ListPermissionSets": list_permission_sets,
    "DescribePermissionSet": describe_permission_set,
    "CreatePermissionSet": create_permission_set,
    "UpdatePermissionSet": update_permission_set,
    "DeletePermissionSet": delete_permission_set,
    "PutInlinePolicyToPermissionSet": put_inline_policy,
    "GetInlinePolicyForPermissionSet": get_inline_policy,
    "DeleteInlinePolicyFromPermissionSet": delete_inline_policy,
    "AttachManagedPolicyToPermissionSet": attach_managed_policy,
    "DetachManagedPolicyFromPermissionSet": detach_managed_policy,
    "ListManagedPoliciesInPermissionSet": list_managed_policies,
    "AttachCustomerManagedPolicyReferenceToPermissionSet": attach_customer_managed_policy,
    "DetachCustomerManagedPolicyReferenceFromPermissionSet": detach_customer_managed_policy,
    "ListCustomerManagedPolicyReferencesInPermissionSet": list_customer_managed_policies,
    "PutPermissionsBoundaryToPermissionSet": put_permissions_boundary,
    "GetPermissionsBoundaryForPermissionSet": get_permissions_boundary,
    "DeletePermissionsBoundaryFromPermissionSet": delete_permissions_boundary,
}
