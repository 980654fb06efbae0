"""sso-admin: assignments and provisioning. Writes only begin here; `simulators.aws.provisioning` ends them."""

from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.entities import (
    Assignment,
    AsyncRequest,
    Principal,
    PrincipalType,
    Provision,
    RequestKind,
)
from simulators.aws.errors import AwsError, conflict, invalid, not_found, quota_exceeded
from simulators.aws.rows import Rows
from simulators.aws.services.sso_access import (
    find_for_change,
    find_permission_set,
    is_management,
    page_size,
    require_may_target,
    require_organization_instance,
)


def create_account_assignment(call: Call) -> Answer:
    """Begin an assignment. One that exists is taken up all the same and ends well."""
    assignment = _assignment_to_write(call)
    if not call.world.has_principal(assignment.principal):
        raise not_found(f"{assignment.principal_type} {assignment.principal_id} not found.")
    if call.world.requests.pending_for(RequestKind.DELETION, assignment):
        raise conflict("The assignment is being deleted.")
    _require_quota(call, assignment)
    outstanding = len(call.world.requests.pending(RequestKind.CREATION))
    limit = call.world.limits.outstanding_creations
    if limit is not None and outstanding >= limit:
        raise AwsError("ThrottlingException", "There are too many requests processing, try again later.")
    return {"AccountAssignmentCreationStatus": _describe(_begin(call, RequestKind.CREATION, assignment))}


def delete_account_assignment(call: Call) -> Answer:
    """Begin a deletion, also for a principal that the identity store does not know any more."""
    assignment = _assignment_to_write(call)
    if call.world.requests.pending_for(RequestKind.CREATION, assignment):
        raise conflict("The assignment is being created.")
    if not call.world.center.has_assignment(assignment):
        raise not_found("Assignment not found.")
    return {"AccountAssignmentDeletionStatus": _describe(_begin(call, RequestKind.DELETION, assignment))}


def provision_permission_set(call: Call) -> Answer:
    permission_set = find_for_change(call)
    target, center = call.optional("TargetId"), call.world.center
    if call.text("TargetType") == "AWS_ACCOUNT":
        if target is None:
            raise invalid("TargetId is required for the target type AWS_ACCOUNT.")
        require_may_target(call, target)
        accounts = [target]
    else:
        target = None
        accounts = [provision.account_id for provision in center.provisions_of(permission_set.arn)]
    _require_free(call, permission_set.arn, target)
    request = call.world.provisioning.open(
        RequestKind.PROVISIONING,
        permission_set.arn,
        accounts,
        now=call.world.now(),
        seconds=call.world.async_seconds,
        target=target,
    )
    return {"PermissionSetProvisioningStatus": _describe(request)}


def describe_creation_status(call: Call) -> Answer:
    request = _find_request(call, RequestKind.CREATION, "AccountAssignmentCreationRequestId")
    return {"AccountAssignmentCreationStatus": _describe(request)}


def describe_deletion_status(call: Call) -> Answer:
    request = _find_request(call, RequestKind.DELETION, "AccountAssignmentDeletionRequestId")
    return {"AccountAssignmentDeletionStatus": _describe(request)}


def describe_provisioning_status(call: Call) -> Answer:
    request = _find_request(call, RequestKind.PROVISIONING, "ProvisionPermissionSetRequestId")
    return {"PermissionSetProvisioningStatus": _describe(request)}


def list_creation_status(call: Call) -> Answer:
    return _list_requests(call, RequestKind.CREATION, "AccountAssignmentsCreationStatus")


def list_deletion_status(call: Call) -> Answer:
    return _list_requests(call, RequestKind.DELETION, "AccountAssignmentsDeletionStatus")


def list_provisioning_status(call: Call) -> Answer:
    return _list_requests(call, RequestKind.PROVISIONING, "PermissionSetsProvisioningStatus")


def list_account_assignments(call: Call) -> Answer:
    permission_set, account_id = find_permission_set(call), call.text("AccountId")
    _require_account(call, account_id)
    rows = call.world.center.assignments_of(account_id, permission_set.arn)
    return call.page(rows, size=page_size(call)).answer("AccountAssignments", _describe_assignment)


def list_account_assignments_for_principal(call: Call) -> Answer:
    """For a user also what he has by his groups: those rows name the group."""
    require_organization_instance(call)
    if not is_management(call) and not call.world.delegated_lists_by_principal:
        raise call.denied(call.text("InstanceArn"))
    principal = Principal(PrincipalType(call.text("PrincipalType")), call.text("PrincipalId"))
    if not call.world.has_principal(principal):
        raise not_found(f"{principal.type} {principal.id} not found.")
    account_id = call.parameters.get("Filter", {}).get("AccountId")
    page = call.page(
        _assignments_reaching(call, principal),
        size=page_size(call),
        keep=lambda assignment: account_id in {None, assignment.account_id},
    )
    return page.answer("AccountAssignments", _describe_assignment)


def list_accounts_for_provisioned_permission_set(call: Call) -> Answer:
    permission_set = find_permission_set(call)
    provisions = call.world.center.provisions_of(permission_set.arn)
    page = call.page(provisions, size=page_size(call), keep=_provisioning_filter(call))
    return page.answer("AccountIds", lambda provision: provision.account_id)


def list_permission_sets_provisioned_to_account(call: Call) -> Answer:
    require_organization_instance(call)
    account_id = call.text("AccountId")
    _require_account(call, account_id)
    provisions = call.world.center.provisions_to(account_id)
    page = call.page(provisions, size=page_size(call), keep=_provisioning_filter(call))
    return page.answer("PermissionSets", lambda provision: provision.permission_set_arn)


def _assignment_to_write(call: Call) -> Assignment:
    permission_set = find_for_change(call)
    require_may_target(call, call.text("TargetId"))
    principal_type = PrincipalType(call.text("PrincipalType"))
    return Assignment(call.text("TargetId"), permission_set.arn, principal_type, call.text("PrincipalId"))


def _begin(call: Call, kind: RequestKind, assignment: Assignment) -> AsyncRequest:
    return call.world.provisioning.open(
        kind,
        assignment.permission_set_arn,
        [assignment.account_id],
        now=call.world.now(),
        seconds=call.world.async_seconds,
        target=assignment.account_id,
        principal=assignment.principal,
    )


def _require_quota(call: Call, assignment: Assignment) -> None:
    center, limits = call.world.center, call.world.limits
    account_id, arn = assignment.account_id, assignment.permission_set_arn
    if (
        not center.provision_of(account_id, arn)
        and len(center.provisions_to(account_id)) >= limits.permission_sets_per_account
    ):
        raise quota_exceeded("The account has too many permission sets.")
    if assignment.principal_type != PrincipalType.GROUP or center.has_assignment(assignment):
        return
    groups = sum(row.principal_type == PrincipalType.GROUP for row in center.assignments_of(account_id, arn))
    if groups >= limits.groups_per_pair:
        raise quota_exceeded("Too many groups are assigned to the permission set in the account.")


def _require_free(call: Call, permission_set_arn: str, target: str | None) -> None:
    """Refuse a second provisioning of the same roles, and too many of all accounts at once."""
    pending = call.world.requests.pending(RequestKind.PROVISIONING)
    for request in pending:
        same_roles = target is None or request.target in {None, target}
        if request.permission_set_arn == permission_set_arn and same_roles:
            raise conflict("The permission set is being provisioned.")
    of_all_accounts = sum(request.target is None for request in pending)
    if target is None and of_all_accounts >= call.world.limits.provisionings_of_all_accounts:
        raise AwsError("ThrottlingException", "Too many provisionings of all accounts are under way.")


def _require_account(call: Call, account_id: str) -> None:
    if account_id not in call.world.organization.accounts:
        raise not_found(f"AWS account {account_id} not found in the organization.")


def _find_request(call: Call, kind: RequestKind, member: str) -> AsyncRequest:
    require_organization_instance(call)
    request = call.world.requests.get(kind, call.text(member))
    if request is None:
        raise not_found(f"Request {call.text(member)} not found.")
    return request


def _list_requests(call: Call, kind: RequestKind, member: str) -> Answer:
    """Newest first; a row says neither what the request was for nor why it failed."""
    require_organization_instance(call)
    status = call.parameters.get("Filter", {}).get("Status")
    rows = call.world.requests.all(kind)
    page = call.page(rows, size=page_size(call), keep=lambda request: status in {None, request.status})
    return page.answer(
        member,
        lambda request: {"Status": request.status, "RequestId": request.id, "CreatedDate": request.created},
    )


def _assignments_reaching(call: Call, principal: Principal) -> Rows[Assignment]:
    center, directory = call.world.center, call.world.directory
    direct = center.assignments_to(principal)
    if principal.type == PrincipalType.GROUP:
        return direct
    groups = [Principal(PrincipalType.GROUP, row.group_id) for row in directory.groups_of(principal.id)]
    reaching = [direct, *(center.assignments_to(group) for group in groups)]
    return Rows(row for rows in reaching for row in rows.after(None))


def _provisioning_filter(call: Call) -> Callable[[Provision], bool] | None:
    wanted, center = call.optional("ProvisioningStatus"), call.world.center
    if wanted is None:
        return None
    return lambda provision: center.is_latest(provision) == (wanted == "LATEST_PERMISSION_SET_PROVISIONED")


def _describe(request: AsyncRequest) -> Answer:
    described = {
        "Status": request.status,
        "RequestId": request.id,
        "PermissionSetArn": request.permission_set_arn,
        "CreatedDate": request.created,
        "FailureReason": request.reason,
    }
    if request.principal is None:
        described["AccountId"] = request.target
    else:
        described["TargetId"], described["TargetType"] = request.target, "AWS_ACCOUNT"
        described["PrincipalType"], described["PrincipalId"] = request.principal
    return {name: value for name, value in described.items() if value is not None}


def _describe_assignment(assignment: Assignment) -> Answer:
    return {
        "AccountId": assignment.account_id,
        "PermissionSetArn": assignment.permission_set_arn,
        "PrincipalType": assignment.principal_type,
        "PrincipalId": assignment.principal_id,
    }


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "CreateAccountAssignment": create_account_assignment,
    "DeleteAccountAssignment": delete_account_assignment,
    "ProvisionPermissionSet": provision_permission_set,
    "DescribeAccountAssignmentCreationStatus": describe_creation_status,
    "DescribeAccountAssignmentDeletionStatus": describe_deletion_status,
    "DescribePermissionSetProvisioningStatus": describe_provisioning_status,
    "ListAccountAssignmentCreationStatus": list_creation_status,
    "ListAccountAssignmentDeletionStatus": list_deletion_status,
    "ListPermissionSetProvisioningStatus": list_provisioning_status,
    "ListAccountAssignments": list_account_assignments,
    "ListAccountAssignmentsForPrincipal": list_account_assignments_for_principal,
    "ListAccountsForProvisionedPermissionSet": list_accounts_for_provisioned_permission_set,
    "ListPermissionSetsProvisionedToAccount": list_permission_sets_provisioned_to_account,
}
