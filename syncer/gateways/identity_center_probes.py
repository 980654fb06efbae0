"""Each reading operation that runs need, asked once for the smallest answer: whether AWS lets the portal's role ask.

Rights to change something cannot be tried without changing something; they are only named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient

from syncer.gateways.aws_permissions import CREATING, EDITING, IN_ACCOUNTS, TAGGING
from syncer.gateways.aws_session import AwsOptions, AwsSession
from syncer.gateways.errors import NotFound
from syncer.gateways.identity_center_queries import IdentityCenterQueries

# No request of AWS has this id: whoever may ask for one is told that it is not found.
NOBODYS_REQUEST = "00000000-0000-4000-8000-000000000000"

HARMLESS = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'


class Need(StrEnum):
    """What is lost without an operation (docs/aws-permissions.md)."""

    RUNS = "runs"  # something is not read, and nothing is changed in its scope
    APPLYING = "applying"  # what is under way cannot be followed; `plan` does without
    COMFORT = "comfort"  # told as a warning; runs go on
    NOTHING = "nothing"  # AWS may deny it to everybody outside the management account


@dataclass(frozen=True)
class Probe:
    """A reading operation. `parameters` are asked with, besides `constants`, and taken from what was found before.

    finds: the parameter that its answer has a value for, and where: the member of the answer, and the row's.
    """

    operation: str
    parameters: tuple[str, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    need: Need = Need.RUNS
    finds: tuple[str, str, str] | None = None


_ONE = {"MaxResults": 1}
_SET = ("InstanceArn", "PermissionSetArn")

LISTINGS = (
    Probe("organizations:ListAccounts", constants=_ONE, finds=("AccountId", "Accounts", "Id")),
    Probe("organizations:ListRoots", constants=_ONE, finds=("ParentId", "Roots", "Id")),
    Probe("identitystore:ListUsers", ("IdentityStoreId",), _ONE, finds=("UserId", "Users", "UserId")),
    Probe("identitystore:ListGroups", ("IdentityStoreId",), _ONE, finds=("GroupId", "Groups", "GroupId")),
    Probe("sso-admin:ListPermissionSets", ("InstanceArn",), _ONE, finds=("PermissionSetArn", "PermissionSets", "")),
    Probe(
        "iam:ListPolicies",
        constants={"Scope": "AWS", "MaxItems": 1},
        need=Need.COMFORT,
        finds=("PolicyArn", "Policies", "Arn"),
    ),
    Probe(
        "accessanalyzer:ValidatePolicy",
        constants={"policyDocument": HARMLESS, "policyType": "IDENTITY_POLICY"},
        need=Need.COMFORT,
    ),
)
DETAILS = (
    Probe("iam:GetPolicyVersion", ("PolicyArn",), {"VersionId": "v1"}, Need.COMFORT),
    Probe("organizations:DescribeAccount", ("AccountId",)),
    Probe("organizations:ListOrganizationalUnitsForParent", ("ParentId",), _ONE),
    Probe("organizations:ListAccountsForParent", ("ParentId",), _ONE, Need.COMFORT),
    Probe("organizations:ListTagsForResource", ("ResourceId",), need=Need.COMFORT),
    Probe("identitystore:DescribeUser", ("IdentityStoreId", "UserId")),
    Probe("identitystore:DescribeGroup", ("IdentityStoreId", "GroupId")),
    Probe("identitystore:GetUserId", ("IdentityStoreId",), {"AlternateIdentifier": "userName"}, Need.COMFORT),
    Probe("identitystore:GetGroupId", ("IdentityStoreId",), {"AlternateIdentifier": "displayName"}, Need.COMFORT),
    Probe("identitystore:ListGroupMemberships", ("IdentityStoreId", "GroupId"), _ONE, Need.COMFORT),
    Probe("sso-admin:DescribePermissionSet", _SET),
    Probe("sso-admin:ListTagsForResource", ("InstanceArn", "ResourceArn")),
    Probe("sso-admin:ListManagedPoliciesInPermissionSet", _SET, _ONE),
    Probe("sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet", _SET, _ONE),
    Probe("sso-admin:GetInlinePolicyForPermissionSet", _SET),
    Probe("sso-admin:GetPermissionsBoundaryForPermissionSet", _SET),
    Probe("sso-admin:ListAccountsForProvisionedPermissionSet", _SET, _ONE),
    Probe("sso-admin:ListPermissionSetsProvisionedToAccount", ("InstanceArn", "AccountId"), _ONE),
    Probe("sso-admin:ListAccountAssignments", (*_SET, "AccountId"), _ONE),
    Probe(
        "sso-admin:ListAccountAssignmentsForPrincipal",
        ("InstanceArn", "PrincipalId"),
        {"PrincipalType": "USER", **_ONE},
        Need.NOTHING,
    ),
    Probe("sso-admin:ListAccountAssignmentCreationStatus", ("InstanceArn",), _ONE, Need.APPLYING),
    Probe("sso-admin:ListAccountAssignmentDeletionStatus", ("InstanceArn",), _ONE, Need.APPLYING),
    Probe("sso-admin:ListPermissionSetProvisioningStatus", ("InstanceArn",), _ONE, Need.APPLYING),
    Probe(
        "sso-admin:DescribeAccountAssignmentCreationStatus",
        ("InstanceArn",),
        {"AccountAssignmentCreationRequestId": NOBODYS_REQUEST},
        Need.APPLYING,
    ),
    Probe(
        "sso-admin:DescribeAccountAssignmentDeletionStatus",
        ("InstanceArn",),
        {"AccountAssignmentDeletionRequestId": NOBODYS_REQUEST},
        Need.APPLYING,
    ),
    Probe(
        "sso-admin:DescribePermissionSetProvisioningStatus",
        ("InstanceArn",),
        {"ProvisionPermissionSetRequestId": NOBODYS_REQUEST},
        Need.APPLYING,
    ),
)
# As IAM calls them.
UNTRIED = tuple(sorted((*CREATING, *EDITING, *IN_ACCOUNTS, *TAGGING)))


@dataclass(frozen=True)
class Caller:
    """Who AWS takes the portal for. `at`: AWS's clock, None where it says no time."""

    account_id: str
    arn: str
    at: datetime | None


class Probes(IdentityCenterQueries):
    """Asks single operations. `found` grows with what answers name: something to ask the next ones about."""

    def __init__(self, session: AwsSession, options: AwsOptions) -> None:
        super().__init__(session, options)
        self._analyzer = session.open_client("accessanalyzer")

    def fetch_caller(self) -> Caller:
        """Source: sts GetCallerIdentity, for which no right is needed."""
        answer = self._aws.read(self._sts.get_caller_identity)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        at = parsedate_to_datetime(date).astimezone(UTC) if date else None
        return Caller(answer["Account"], answer["Arn"], at)

    def begin(self) -> dict[str, str]:
        """Find the instance; the parameters that questions can be asked with from then on."""
        return {"InstanceArn": self.instance.instance_arn, "IdentityStoreId": self.instance.identity_store_id}

    def ask(self, probe: Probe, known: Mapping[str, str]) -> dict[str, str]:
        """Ask one operation; what its answer adds to `known`. That something is not there is an answer, too."""
        service, _colon, name = probe.operation.partition(":")
        method = getattr(self._client(service), xform_name(name))
        given = {each: known[each] for each in probe.parameters}
        try:
            answer: Mapping[str, Any] = self._aws.read(method, **given, **_complete(probe.constants))
        except NotFound:
            return {}
        return _find(probe, answer)

    def _client(self, service: str) -> BaseClient:
        clients: Mapping[str, BaseClient] = {
            "organizations": self._organizations,
            "identitystore": self._store,
            "sso-admin": self._sso,
            "iam": self._iam,
            "accessanalyzer": self._analyzer,
        }
        return clients[service]


def _complete(constants: Mapping[str, Any]) -> Mapping[str, Any]:
    """A question for an identifier is asked about one that nobody has."""
    path = constants.get("AlternateIdentifier")
    if not path:
        return constants
    return {"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": path, "AttributeValue": "genkan-doctor"}}}


def _find(probe: Probe, answer: Mapping[str, Any]) -> dict[str, str]:
    if probe.finds is None:
        return {}
    parameter, member, key = probe.finds
    rows = answer.get(member) or []
    if not rows:
        return {}
    value = str(rows[0][key] if key else rows[0])
    also = {"AccountId": "ResourceId", "PermissionSetArn": "ResourceArn", "UserId": "PrincipalId"}
    return {parameter: value, **({also[parameter]: value} if parameter in also else {})}
