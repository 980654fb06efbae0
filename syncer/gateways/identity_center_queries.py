"""What there is in the organization's IAM Identity Center, question by question.

AWS leaves out the member of a page that would be an empty list (sets of an account without any, for one), so every
listing takes a missing member for empty; that the answer is AWS's own, the session has seen to.

What a whole reading consists of, and what a question without an answer means, is `identity_center_reading`'s business.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

from syncer.gateways import aws_answers as answers
from syncer.gateways.aws_session import AwsOptions, AwsSession, Flow, Traffic
from syncer.gateways.errors import Invalid, NotFound, Permanent
from syncer.gateways.identity_center_requests import (
    Aim,
    OperationStatus,
    RequestKind,
    RequestStatus,
    describe_status,
    find_in_progress,
    find_statuses,
    list_in_progress,
)
from syncer.states import (
    ActualAccount,
    ActualInstance,
    ActualPolicy,
    ActualPrincipal,
    ActualUnit,
    Boundary,
    Definition,
    PrincipalType,
    Reason,
)

PAGE = 100  # rows of a page at most; source: service models of sso-admin and identitystore
ORGANIZATIONS_PAGE = 20
POLICIES_PAGE = 1000


@dataclass(frozen=True)
class Description:
    """What DescribePermissionSet says."""

    name: str
    description: str
    session_duration: timedelta
    relay_state: str


class IdentityCenterQueries:
    """What may be asked; nothing here changes anything. Thread safe; close it, or use it in a `with` statement.

    Every method raises GatewayError once its tries are used up, and nothing else.
    """

    def __init__(self, session: AwsSession, options: AwsOptions) -> None:
        self._aws, self._options = session, options
        self._sso, self._store = session.clients.sso, session.clients.store
        self._organizations, self._iam = session.clients.organizations, session.clients.iam
        self._sts = session.clients.sts
        self._instance: ActualInstance | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._aws.close()

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far by operation, every try counted; a copy."""
        return self._aws.calls

    @property
    def throttled(self) -> Counter[str]:
        """Those that AWS turned away because there were too many; a copy."""
        return self._aws.throttled

    @property
    def flows(self) -> Mapping[Traffic, Flow]:
        """Requests to sso-admin told apart by what they were for: reading, writing, asking about writes; a copy."""
        return self._aws.flows

    @property
    def region(self) -> str:
        return self._options.region

    # The instance

    @property
    def instance(self) -> ActualInstance:
        """The instance in use: the one given, or the one found at first need."""
        with self._lock:
            if self._instance is None:
                self._instance = self.find_instance()
            return self._instance

    def use_instance(self, instance: ActualInstance) -> None:
        """Take the instance as known, so that it is not looked for."""
        with self._lock:
            self._instance = instance

    def find_instance(self) -> ActualInstance:
        """Find the organization's instance: the given one, or the one that the management account owns.

        A member may see an account instance of its own beside it. Raises NotFound if there is none, Permanent if its
        primary region is not the configured one: permission sets are answered for in the primary region only.
        Source: organizations DescribeOrganization, sso-admin ListInstances.
        """
        organization = self._aws.read(self._organizations.describe_organization)["Organization"]
        management_id, given = organization["MasterAccountId"], self._options.instance_arn
        pages = self._aws.pages(self._sso.list_instances, MaxResults=PAGE)
        for row in (row for page in pages for row in page.get("Instances", [])):
            if row["InstanceArn"] == given if given else row.get("OwnerAccountId") == management_id:
                self._require_region(row.get("PrimaryRegion") or self.region)
                return ActualInstance(row["InstanceArn"], row["IdentityStoreId"], self.region, management_id)
        params = {"region": self.region, "instance_arn": given}
        raise NotFound("sso-admin:ListInstances", Reason("aws_instance_missing", params))

    def _require_region(self, primary: str) -> None:
        if primary != self.region:
            params = {"region": self.region, "primary_region": primary}
            raise Permanent("sso-admin:ListInstances", Reason("aws_wrong_region", params))

    # The organization

    def find_own_account(self) -> str:
        """The account that the portal's credentials belong to; no right is needed. Source: sts GetCallerIdentity."""
        return self._aws.read(self._sts.get_caller_identity)["Account"]

    def list_accounts(self) -> dict[str, ActualAccount]:
        """List all accounts by id, whatever their state; `ou_id` is empty where AWS gives no path.

        Source: organizations ListAccounts.
        """
        pages = self._aws.pages(self._organizations.list_accounts, MaxResults=ORGANIZATIONS_PAGE)
        accounts = (answers.parse_account(row) for page in pages for row in page.get("Accounts", []))
        return {account.account_id: account for account in accounts}

    def list_units(self) -> tuple[ActualUnit, ...]:
        """List the root and all organizational units, parents first.

        Source: organizations ListRoots, ListOrganizationalUnitsForParent (one request a unit).
        """
        pages = self._aws.pages(self._organizations.list_roots, MaxResults=ORGANIZATIONS_PAGE)
        units = [answers.parse_unit(row, "") for page in pages for row in page.get("Roots", [])]
        for unit in units:  # grows while it is walked
            units.extend(self._list_units_below(unit.ou_id))
        return tuple(units)

    def _list_units_below(self, parent_id: str) -> Iterator[ActualUnit]:
        method = self._organizations.list_organizational_units_for_parent
        for page in self._aws.pages(method, ParentId=parent_id, MaxResults=ORGANIZATIONS_PAGE):
            for row in page.get("OrganizationalUnits", []):
                yield answers.parse_unit(row, parent_id)

    def list_placements(self, ou_ids: Iterable[str]) -> dict[str, str]:
        """List which unit each account is in: account id → unit id. For an AWS that gives no paths.

        Source: organizations ListAccountsForParent (one request a unit).
        """
        method = self._organizations.list_accounts_for_parent
        return {
            row["Id"]: ou_id
            for ou_id in ou_ids
            for page in self._aws.pages(method, ParentId=ou_id, MaxResults=ORGANIZATIONS_PAGE)
            for row in page.get("Accounts", [])
        }

    def has_account(self, account_id: str) -> bool:
        """Whether the account is in the organization. Source: organizations DescribeAccount."""
        return self._is_there(lambda: self._aws.read(self._organizations.describe_account, AccountId=account_id))

    def fetch_owner_tags(self, resource_id: str) -> dict[str, str]:
        """The tags of an account, a unit or the root. Source: organizations ListTagsForResource."""
        pages = self._aws.pages(self._organizations.list_tags_for_resource, ResourceId=resource_id)
        return {row["Key"]: row["Value"] for page in pages for row in page.get("Tags", [])}

    # The identity store

    def list_users(self) -> tuple[ActualPrincipal, ...]:
        """Source: identitystore ListUsers."""
        store_id = self.instance.identity_store_id
        pages = self._aws.pages(self._store.list_users, IdentityStoreId=store_id, MaxResults=PAGE)
        return tuple(answers.parse_user(row) for page in pages for row in page.get("Users", []))

    def list_groups(self) -> tuple[ActualPrincipal, ...]:
        """Source: identitystore ListGroups."""
        store_id = self.instance.identity_store_id
        pages = self._aws.pages(self._store.list_groups, IdentityStoreId=store_id, MaxResults=PAGE)
        return tuple(answers.parse_group(row) for page in pages for row in page.get("Groups", []))

    def list_memberships(self, group_id: str) -> frozenset[str]:
        """List the user ids of a group; groups in groups there are none. Source: identitystore ListGroupMemberships."""
        store_id, method = self.instance.identity_store_id, self._store.list_group_memberships
        pages = self._aws.pages(method, IdentityStoreId=store_id, GroupId=group_id, MaxResults=PAGE)
        rows = (row for page in pages for row in page.get("GroupMemberships", []))
        return frozenset(row["MemberId"]["UserId"] for row in rows)

    def has_user(self, user_id: str) -> bool:
        return self._is_there(lambda: self.fetch_user(user_id))

    def has_group(self, group_id: str) -> bool:
        return self._is_there(lambda: self.fetch_group(group_id))

    def _is_there(self, ask: Callable[[], object]) -> bool:
        try:
            ask()
        except NotFound:
            return False
        return True

    def fetch_user(self, user_id: str) -> ActualPrincipal:
        """The user with this id. Raises NotFound for one that is gone. Source: identitystore DescribeUser."""
        store_id, method = self.instance.identity_store_id, self._store.describe_user
        return answers.parse_user(self._aws.read(method, IdentityStoreId=store_id, UserId=user_id))

    def fetch_group(self, group_id: str) -> ActualPrincipal:
        """The group with this id. Raises NotFound for one that is gone. Source: identitystore DescribeGroup."""
        store_id, method = self.instance.identity_store_id, self._store.describe_group
        return answers.parse_group(self._aws.read(method, IdentityStoreId=store_id, GroupId=group_id))

    def find_user_id(self, value: str, attribute: str = "userName") -> str | None:
        """The user with this UserName (or `emails.value`), in any case, or None. Source: identitystore GetUserId."""
        store_id, identifier = self.instance.identity_store_id, answers.render_attribute(attribute, value)
        try:
            found = self._aws.read(self._store.get_user_id, IdentityStoreId=store_id, AlternateIdentifier=identifier)
        except NotFound:
            return None
        return found["UserId"]

    def find_group_id(self, display_name: str) -> str | None:
        """The group with this DisplayName, or None. Source: identitystore GetGroupId."""
        store_id, identifier = self.instance.identity_store_id, answers.render_attribute("displayName", display_name)
        try:
            found = self._aws.read(self._store.get_group_id, IdentityStoreId=store_id, AlternateIdentifier=identifier)
        except NotFound:
            return None
        return found["GroupId"]

    # Permission sets

    def list_policies(self) -> tuple[ActualPolicy, ...]:
        """List the AWS managed policies. Source: iam ListPolicies with the scope AWS."""
        pages = self._aws.pages(self._iam.list_policies, Scope="AWS", MaxItems=POLICIES_PAGE)
        return tuple(answers.parse_policy(row) for page in pages for row in page.get("Policies", []))

    def fetch_policy_text(self, arn: str, version: str) -> str:
        """What a managed policy says in this version, as JSON. Source: iam GetPolicyVersion, decoded by boto3."""
        found = self._aws.read(self._iam.get_policy_version, PolicyArn=arn, VersionId=version)
        document: object = found["PolicyVersion"].get("Document", "")
        return document if isinstance(document, str) else json.dumps(document, indent=2)

    def list_permission_set_arns(self) -> frozenset[str]:
        """Source: sso-admin ListPermissionSets, which gives no names."""
        arn = self.instance.instance_arn
        pages = self._aws.pages(self._sso.list_permission_sets, InstanceArn=arn, MaxResults=PAGE)
        return frozenset(row for page in pages for row in page.get("PermissionSets", []))

    def describe(self, arn: str) -> Description:
        """The set's name and texts; its policies are `fetch_definition`'s. Source: sso-admin DescribePermissionSet."""
        method, instance_arn = self._sso.describe_permission_set, self.instance.instance_arn
        found = self._aws.read(method, InstanceArn=instance_arn, PermissionSetArn=arn)["PermissionSet"]
        try:
            duration = answers.parse_duration(found.get("SessionDuration", ""))
        except ValueError as error:
            operation = "sso-admin:DescribePermissionSet"
            params = {"operation": operation, "code": "SessionDuration", "text": str(error)}
            raise Invalid(operation, Reason("aws_error", params), "SessionDuration", str(error)) from error
        return Description(found["Name"], found.get("Description", ""), duration, found.get("RelayState", ""))

    def has_set(self, arn: str) -> bool:
        """Source: sso-admin DescribePermissionSet."""
        return self._is_there(lambda: self.describe(arn))

    def fetch_definition(self, arn: str, description: Description | None = None) -> Definition:
        """Fetch what the set consists of, with five requests, or four if its description is known already.

        Source: sso-admin DescribePermissionSet, ListManagedPoliciesInPermissionSet,
        ListCustomerManagedPolicyReferencesInPermissionSet, GetInlinePolicyForPermissionSet,
        GetPermissionsBoundaryForPermissionSet.
        """
        described = description or self.describe(arn)
        aws, sso, instance_arn = self._aws, self._sso, self.instance.instance_arn
        managed = aws.pages(
            sso.list_managed_policies_in_permission_set,
            InstanceArn=instance_arn,
            PermissionSetArn=arn,
            MaxResults=PAGE,
        )
        customer_managed = aws.pages(
            sso.list_customer_managed_policy_references_in_permission_set,
            InstanceArn=instance_arn,
            PermissionSetArn=arn,
            MaxResults=PAGE,
        )
        inline = aws.read(sso.get_inline_policy_for_permission_set, InstanceArn=instance_arn, PermissionSetArn=arn)
        return Definition(
            description=described.description,
            session_duration=described.session_duration,
            relay_state=described.relay_state,
            managed_policies=frozenset(
                row["Arn"] for page in managed for row in page.get("AttachedManagedPolicies", [])
            ),
            customer_managed_policies=frozenset(
                answers.parse_reference(row)
                for page in customer_managed
                for row in page.get("CustomerManagedPolicyReferences", [])
            ),
            inline_policy=inline.get("InlinePolicy", ""),
            permissions_boundary=self._find_boundary(arn),
        )

    def _find_boundary(self, arn: str) -> Boundary | None:
        method, instance_arn = self._sso.get_permissions_boundary_for_permission_set, self.instance.instance_arn
        try:
            answer = self._aws.read(method, InstanceArn=instance_arn, PermissionSetArn=arn)
        except NotFound:  # AWS's way to say that there is none
            return None
        return answers.parse_boundary(answer["PermissionsBoundary"])

    def fetch_tags(self, arn: str) -> dict[str, str]:
        """Source: sso-admin ListTagsForResource."""
        instance_arn = self.instance.instance_arn
        pages = self._aws.pages(self._sso.list_tags_for_resource, InstanceArn=instance_arn, ResourceArn=arn)
        return {row["Key"]: row["Value"] for page in pages for row in page.get("Tags", [])}

    def list_provisioned_accounts(self, arn: str, stale_only: bool = False) -> frozenset[str]:
        """List the accounts that hold the set, or only those that hold an older version of it.

        An account may hold a set that nobody is assigned to. Source: sso-admin ListAccountsForProvisionedPermissionSet.
        """
        method, instance_arn = self._sso.list_accounts_for_provisioned_permission_set, self.instance.instance_arn
        pages = (
            self._aws.pages(
                method,
                InstanceArn=instance_arn,
                PermissionSetArn=arn,
                ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED",
                MaxResults=PAGE,
            )
            if stale_only
            else self._aws.pages(method, InstanceArn=instance_arn, PermissionSetArn=arn, MaxResults=PAGE)
        )
        return frozenset(row for page in pages for row in page.get("AccountIds", []))

    def list_provisioned_sets(self, account_id: str) -> frozenset[str]:
        """List the ARNs of the sets that an account holds. Source: sso-admin ListPermissionSetsProvisionedToAccount."""
        method, instance_arn = self._sso.list_permission_sets_provisioned_to_account, self.instance.instance_arn
        pages = self._aws.pages(method, InstanceArn=instance_arn, AccountId=account_id, MaxResults=PAGE)
        return frozenset(row for page in pages for row in page.get("PermissionSets", []))

    def list_assignments(self, account_id: str, arn: str) -> frozenset[tuple[PrincipalType, str]]:
        """List who is assigned a set in an account: (principal type, principal id), members of groups not expanded.

        Source: sso-admin ListAccountAssignments.
        """
        method, instance_arn = self._sso.list_account_assignments, self.instance.instance_arn
        pages = self._aws.pages(
            method, InstanceArn=instance_arn, AccountId=account_id, PermissionSetArn=arn, MaxResults=PAGE
        )
        rows = (row for page in pages for row in page.get("AccountAssignments", []))
        return frozenset((PrincipalType(row["PrincipalType"]), row["PrincipalId"]) for row in rows)

    def list_assignments_of(self, principal_type: PrincipalType, principal_id: str) -> frozenset[tuple[str, str]]:
        """List where a principal is assigned what: (account id, set ARN). Not what a user has by his groups.

        AWS may allow this to the management account alone, and cannot be asked about principals that are gone.
        Source: sso-admin ListAccountAssignmentsForPrincipal.
        """
        pages = self._aws.pages(
            self._sso.list_account_assignments_for_principal,
            InstanceArn=self.instance.instance_arn,
            PrincipalId=principal_id,
            PrincipalType=principal_type.value,
            MaxResults=PAGE,
        )
        rows = (row for page in pages for row in page.get("AccountAssignments", []))
        return frozenset(
            (row["AccountId"], row["PermissionSetArn"])
            for row in rows
            if (row.get("PrincipalType"), row.get("PrincipalId")) == (principal_type.value, principal_id)
        )

    # Requests under way

    def list_in_progress(self, kind: RequestKind) -> frozenset[str]:
        """List the ids of the requests under way, whoever sent them.

        Source: sso-admin ListAccountAssignmentCreationStatus, ListAccountAssignmentDeletionStatus,
        ListPermissionSetProvisioningStatus.
        """
        return list_in_progress(self._aws, self.instance.instance_arn, kind)

    def find_statuses(self, kind: RequestKind, wanted: Collection[str]) -> dict[str, RequestStatus]:
        """The statuses of those of these requests that AWS's first page lists, with one question.

        Source: as of `list_in_progress`.
        """
        return find_statuses(self._aws, self.instance.instance_arn, kind, wanted)

    def find_request(self, kind: RequestKind, aim: Aim) -> str | None:
        """The id of a request under way with this aim, whoever sent it, or None."""
        return find_in_progress(self._aws, self.instance.instance_arn, kind, aim)

    def describe_status(self, kind: RequestKind, request_id: str) -> OperationStatus:
        """How far AWS is with a request. Raises NotFound once AWS has forgotten it: then only the listing tells.

        Source: sso-admin DescribeAccountAssignmentCreationStatus, DescribeAccountAssignmentDeletionStatus,
        DescribePermissionSetProvisioningStatus.
        """
        return describe_status(self._aws, self.instance.instance_arn, kind, request_id)
