"""What AWS carries out by and by: creations and deletions of assignments, and provisionings."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from syncer.gateways.aws_session import AwsSession
from syncer.gateways.errors import NotFound

if TYPE_CHECKING:  # the stubs are installed for mypy only
    from mypy_boto3_sso_admin.type_defs import (
        AccountAssignmentOperationStatusTypeDef,
        PermissionSetProvisioningStatusTypeDef,
    )

PAGE = 100  # rows of a page at most; source: service model of sso-admin


class RequestKind(StrEnum):
    CREATION = "creation"
    DELETION = "deletion"
    PROVISIONING = "provisioning"


class RequestStatus(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Aim(NamedTuple):
    """What a request is about. A provisioning has no principal, and no target when it is of all accounts."""

    permission_set_arn: str
    target_id: str = ""
    principal_type: str = ""
    principal_id: str = ""


@dataclass(frozen=True)
class OperationStatus:
    """How far AWS is with a request. `failure_reason` is AWS's own text, empty unless it failed."""

    status: RequestStatus
    failure_reason: str
    aim: Aim


_LISTINGS: Mapping[RequestKind, tuple[str, str]] = {  # method of the client, member of its answer
    RequestKind.CREATION: ("list_account_assignment_creation_status", "AccountAssignmentsCreationStatus"),
    RequestKind.DELETION: ("list_account_assignment_deletion_status", "AccountAssignmentsDeletionStatus"),
    RequestKind.PROVISIONING: ("list_permission_set_provisioning_status", "PermissionSetsProvisioningStatus"),
}


def list_in_progress(aws: AwsSession, instance_arn: str, kind: RequestKind) -> frozenset[str]:
    pages = _iter_pages(aws, instance_arn, kind, Filter={"Status": "IN_PROGRESS"})
    return frozenset(row["RequestId"] for page in pages for row in page)


def find_statuses(
    aws: AwsSession, instance_arn: str, kind: RequestKind, wanted: Collection[str]
) -> dict[str, RequestStatus]:
    """The statuses of those of the requests that are on the first page; in what order AWS lists is not documented."""
    page = next(_iter_pages(aws, instance_arn, kind))
    return {row["RequestId"]: RequestStatus(row["Status"]) for row in page if row["RequestId"] in wanted}


def _iter_pages(
    aws: AwsSession, instance_arn: str, kind: RequestKind, **narrowed: object
) -> Iterator[Sequence[Mapping[str, str]]]:
    name, member = _LISTINGS[kind]
    method: Callable[..., Mapping[str, Any]] = getattr(aws.clients.sso, name)
    for page in aws.pages(method, InstanceArn=instance_arn, MaxResults=PAGE, **narrowed):
        yield page.get(member, [])


def describe_status(aws: AwsSession, instance_arn: str, kind: RequestKind, request_id: str) -> OperationStatus:
    sso = aws.clients.sso
    if kind is RequestKind.CREATION:
        creation = aws.read(
            sso.describe_account_assignment_creation_status,
            InstanceArn=instance_arn,
            AccountAssignmentCreationRequestId=request_id,
        )
        return _of_assignment(creation["AccountAssignmentCreationStatus"])
    if kind is RequestKind.DELETION:
        deletion = aws.read(
            sso.describe_account_assignment_deletion_status,
            InstanceArn=instance_arn,
            AccountAssignmentDeletionRequestId=request_id,
        )
        return _of_assignment(deletion["AccountAssignmentDeletionStatus"])
    provisioning = aws.read(
        sso.describe_permission_set_provisioning_status,
        InstanceArn=instance_arn,
        ProvisionPermissionSetRequestId=request_id,
    )
    return _of_provisioning(provisioning["PermissionSetProvisioningStatus"])


def find_in_progress(aws: AwsSession, instance_arn: str, kind: RequestKind, aim: Aim) -> str | None:
    """The id of a request under way with this aim, or None. One request for the list, and one for each under way."""
    for request_id in list_in_progress(aws, instance_arn, kind):
        try:
            found = describe_status(aws, instance_arn, kind, request_id)
        except NotFound:  # forgotten since it was listed
            continue
        if found.aim == aim:
            return request_id
    return None


def _of_assignment(row: "AccountAssignmentOperationStatusTypeDef") -> OperationStatus:
    aim = Aim(
        row.get("PermissionSetArn", ""),
        row.get("TargetId", ""),
        row.get("PrincipalType", ""),
        row.get("PrincipalId", ""),
    )
    return OperationStatus(RequestStatus(row["Status"]), row.get("FailureReason", ""), aim)


def _of_provisioning(row: "PermissionSetProvisioningStatusTypeDef") -> OperationStatus:
    aim = Aim(row.get("PermissionSetArn", ""), row.get("AccountId", ""))
    return OperationStatus(RequestStatus(row["Status"]), row.get("FailureReason", ""), aim)
