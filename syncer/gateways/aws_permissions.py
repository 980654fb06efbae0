"""The least that the portal's role needs, as IAM policies. Pure: made from the operations that the gateway calls.

A test reads those out of the gateway's source and holds them equal to what is allowed here. IAM looks at each resource
of a request by itself: an assignment needs its instance, its account and its permission set allowed, and only the
permission set bears our tag.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

Statement = dict[str, Any]


class Scope(StrEnum):
    """What a role is for."""

    READ = "read"  # to plan, and for everything while SYNC_MODE=plan
    FULL = "full"  # to apply
    ADOPT = "adopt"  # beside FULL, while sets that are there already are adopted


READING: Mapping[str, tuple[str, ...]] = {
    "ReadIdentityCenter": (
        "sso:DescribePermissionSet",
        "sso:GetInlinePolicyForPermissionSet",
        "sso:GetPermissionsBoundaryForPermissionSet",
        "sso:ListAccountAssignments",
        "sso:ListAccountAssignmentsForPrincipal",
        "sso:ListAccountsForProvisionedPermissionSet",
        "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
        "sso:ListInstances",
        "sso:ListManagedPoliciesInPermissionSet",
        "sso:ListPermissionSets",
        "sso:ListPermissionSetsProvisionedToAccount",
        "sso:ListTagsForResource",
    ),
    "ReadPeople": (
        "identitystore:DescribeGroup",
        "identitystore:DescribeUser",
        "identitystore:GetGroupId",
        "identitystore:GetUserId",
        "identitystore:ListGroupMemberships",
        "identitystore:ListGroups",
        "identitystore:ListUsers",
    ),
    "ReadOrganization": (
        "organizations:DescribeAccount",
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
        "organizations:ListTagsForResource",
    ),
    "ReadManagedPolicyNames": ("iam:ListPolicies",),
    "AskForASecondOpinion": ("access-analyzer:ValidatePolicy",),
}
READING_TEXTS = ("iam:GetPolicyVersion",)  # of AWS's own policies only
FOLLOWING = (
    "sso:DescribeAccountAssignmentCreationStatus",
    "sso:DescribeAccountAssignmentDeletionStatus",
    "sso:DescribePermissionSetProvisioningStatus",
    "sso:ListAccountAssignmentCreationStatus",
    "sso:ListAccountAssignmentDeletionStatus",
    "sso:ListPermissionSetProvisioningStatus",
)
CREATING = ("sso:CreatePermissionSet",)
EDITING = (
    "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:DeleteInlinePolicyFromPermissionSet",
    "sso:DeletePermissionSet",
    "sso:DeletePermissionsBoundaryFromPermissionSet",
    "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
    "sso:DetachManagedPolicyFromPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:PutPermissionsBoundaryToPermissionSet",
    "sso:UpdatePermissionSet",
)
IN_ACCOUNTS = ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment", "sso:ProvisionPermissionSet")
TAGGING = ("sso:TagResource",)


class Company(NamedTuple):
    """tag: key and value of what is ours. management_account: its 12 digits."""

    tag: tuple[str, str] = ("managed-by", "genkan")
    management_account: str = "<management account>"
    partition: str = "aws"

    def arn(self, rest: str) -> str:
        return f"arn:{self.partition}:sso:::{rest}"


def build_policy(scope: Scope, company: Company) -> dict[str, Any]:
    """The whole policy document of a scope."""
    reading = [*(_allow(sid, actions, "*") for sid, actions in READING.items()), _read_texts(company.partition)]
    statements: Mapping[Scope, Iterable[Statement]] = {
        Scope.READ: reading,
        Scope.FULL: [*reading, *_build_changing(company)],
        Scope.ADOPT: [_build_tagging(company)],
    }
    return {"Version": "2012-10-17", "Statement": list(statements[scope])}


def _build_changing(company: Company) -> Iterable[Statement]:
    key, value = company.tag
    sets, instances, accounts = (company.arn(rest) for rest in ("permissionSet/*/*", "instance/*", "account/*"))
    yield _allow("CreateWithOurTag", CREATING, [instances, sets]) | _if("RequestTag", key, value)
    yield _allow("ChangeWhatBearsOurTag", (*EDITING, *IN_ACCOUNTS), sets) | _if("ResourceTag", key, value)
    yield _allow("InTheInstance", (*EDITING, *IN_ACCOUNTS), instances)
    yield _allow("InAccounts", IN_ACCOUNTS, accounts)
    yield _allow("FollowRequests", FOLLOWING, "*")
    management = company.arn(f"account/{company.management_account}")
    yield {"Sid": "NeverTheManagementAccount", "Effect": "Deny", "Action": list(IN_ACCOUNTS), "Resource": management}


def _build_tagging(company: Company) -> Statement:
    """To make a set that is there ours; with this alone a role could then change it."""
    key, value = company.tag
    only = {"StringEquals": {f"aws:RequestTag/{key}": value}, "ForAllValues:StringEquals": {"aws:TagKeys": [key]}}
    return _allow("TagWhatIsAdopted", TAGGING, company.arn("permissionSet/*/*")) | {"Condition": only}


def _read_texts(partition: str) -> Statement:
    return _allow("ReadManagedPolicyTexts", READING_TEXTS, f"arn:{partition}:iam::aws:policy/*")


def _allow(sid: str, actions: Iterable[str], resource: str | list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}


def _if(kind: str, key: str, value: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {f"aws:{kind}/{key}": value}}}
