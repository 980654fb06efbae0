"""Who may do what in IAM Identity Center: management account, delegated administrator, plain member."""

from simulators.aws.calls import Call
from simulators.aws.entities import Instance, PermissionSet
from simulators.aws.errors import invalid, not_found
from simulators.aws.organization import IDENTITY_CENTER_SERVICE


def administers(call: Call) -> bool:
    """Whether the caller's account sees the organization's instance."""
    return is_management(call) or call.world.organization.is_delegated(call.caller.account_id, IDENTITY_CENTER_SERVICE)


def is_management(call: Call) -> bool:
    return call.caller.account_id == call.world.management_account_id


def visible_instances(call: Call) -> list[Instance]:
    """The caller's own account instance first, then the organization's if the caller administers it."""
    organization_instance, *account_instances = call.world.instances
    own = [instance for instance in account_instances if instance.owner_account_id == call.caller.account_id]
    return [*own, organization_instance] if administers(call) else own


def require_organization_instance(call: Call) -> None:
    """Refuse members, other regions and other instances; account instances know no permission sets."""
    arn = call.text("InstanceArn")
    known = {instance.arn: instance for instance in visible_instances(call)}
    if arn not in known and not administers(call):
        raise call.denied(arn)
    if arn not in known or call.region != call.world.region:
        raise not_found(f"Instance {arn} not found.")
    if known[arn] is not call.world.instance:
        raise invalid("The operation is not supported for an account instance of IAM Identity Center.")


def require_may_change(call: Call, permission_set: PermissionSet) -> None:
    """A set provisioned in the management account is that account's alone, to change and to assign."""
    management_id = call.world.management_account_id
    if not is_management(call) and call.world.center.provision_of(management_id, permission_set.arn):
        raise call.denied(permission_set.arn)


def require_may_target(call: Call, account_id: str) -> None:
    """In the management account only the management account assigns and provisions."""
    if not is_management(call) and account_id == call.world.management_account_id:
        raise call.denied(f"arn:aws:sso:::account/{account_id}")
    if account_id not in call.world.organization.accounts:
        raise not_found(f"AWS account {account_id} not found in the organization.")


def find_permission_set(call: Call) -> PermissionSet:
    """The set the call names, for reading."""
    require_organization_instance(call)
    arn = call.text("PermissionSetArn")
    permission_set = call.world.center.sets.get(arn)
    if permission_set is None:
        raise not_found(f"PermissionSet with id {arn.rpartition('/')[2]} not found.")
    return permission_set


def find_for_change(call: Call) -> PermissionSet:
    """The set the call names, for changing."""
    permission_set = find_permission_set(call)
    require_may_change(call, permission_set)
    return permission_set


def page_size(call: Call) -> int | None:
    size = call.parameters.get("MaxResults")
    return None if size is None else int(size)
