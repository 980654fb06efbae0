"""How asynchronous writes come true: what AWS does between the answer IN_PROGRESS and the last word.

Each account carries out one role update at a time, the others wait in line. Whether a write succeeds is judged
when its turn is over, against the world as it is then.
"""

from simulators.aws.entities import (
    Assignment,
    AsyncRequest,
    PermissionSet,
    PolicyReference,
    Principal,
    RequestKind,
    RequestStatus,
)
from simulators.aws.faults import Faults
from simulators.aws.identity_center import IdentityCenter
from simulators.aws.ids import Ids
from simulators.aws.limits import Limits
from simulators.aws.organization import Organization
from simulators.aws.policies import rejection
from simulators.aws.requests import Requests

REACHABLE_STATES = {"ACTIVE", "PENDING_CLOSURE"}


class Failure(Exception):
    """Why a role or an assignment could not be made; the text becomes the request's FailureReason."""


class Provisioning:
    """Opens requests and finishes them when their time has come."""

    def __init__(
        self, ids: Ids, organization: Organization, center: IdentityCenter, requests: Requests, faults: Faults
    ) -> None:
        self._ids, self._organization, self._center = ids, organization, center
        self._requests, self._faults = requests, faults
        self.limits = Limits()
        self.customer_policies: dict[str, list[PolicyReference]] = {}

    def open(
        self,
        kind: RequestKind,
        permission_set_arn: str,
        accounts: list[str],
        *,
        now: float,
        seconds: float,
        target: str | None,
        principal: Principal | None = None,
    ) -> AsyncRequest:
        """Begin a request that takes `seconds` in each of its accounts once their role is free."""
        busy_until = {account_id: self._requests.free_from(account_id, now) + seconds for account_id in accounts}
        renews = [account_id for account_id in accounts if self._center.provision_of(account_id, permission_set_arn)]
        request = AsyncRequest(
            id=self._ids.uuid("request"),
            number=self._ids.number(),
            kind=kind,
            permission_set_arn=permission_set_arn,
            target=target,
            accounts=accounts,
            renews=renews,
            created=now,
            due=max(busy_until.values(), default=now + seconds),
            principal=principal,
        )
        self._requests.open(request, busy_until)
        return request

    def finish_due(self, now: float) -> bool:
        """Finish what is due by `now`; whether anything was."""
        finished = False
        for request in self._requests.due(now):
            finished = True
            try:
                self._finish(request)
                request.status = RequestStatus.SUCCEEDED
            except Failure as failure:
                request.status, request.reason = RequestStatus.FAILED, str(failure)
        return finished

    def _finish(self, request: AsyncRequest) -> None:
        if request.kind is RequestKind.PROVISIONING:
            self._renew_roles(request)
        elif request.kind is RequestKind.CREATION:
            self._assign(_assignment(request))
        else:
            self._unassign(_assignment(request))

    def _assign(self, assignment: Assignment) -> None:
        account_id, arn = assignment.account_id, assignment.permission_set_arn
        self._check_account(account_id, arn)
        if not self._center.provision_of(account_id, arn):
            self._check_role(account_id, self._permission_set(arn))
            self._center.provision(account_id, arn, self._ids.number())
        self._center.add_assignment(assignment, self._ids.number())

    def _unassign(self, assignment: Assignment) -> None:
        self._check_account(assignment.account_id, assignment.permission_set_arn)
        if not self._center.has_assignment(assignment):
            raise Failure("Received a 404 status error: Assignment not found.")
        self._center.remove_assignment(assignment)

    def _renew_roles(self, request: AsyncRequest) -> None:
        """Update all accounts that can be, then fail with the first reason there was."""
        if not request.accounts:
            raise Failure("Received a 404 status error: Permission set provision not found.")
        failures = []
        for account_id in request.accounts:
            try:
                self._renew_role(account_id, request)
            except Failure as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _renew_role(self, account_id: str, request: AsyncRequest) -> None:
        arn = request.permission_set_arn
        self._check_account(account_id, arn)
        if account_id in request.renews and not self._center.provision_of(account_id, arn):
            reason = f"Permission set provision not found in AWS account {account_id}."
            raise Failure(f"Received a 404 status error: {reason}")
        self._check_role(account_id, self._permission_set(arn))
        self._center.provision(account_id, arn, self._ids.number())

    def _permission_set(self, arn: str) -> PermissionSet:
        if arn not in self._center.sets:
            raise Failure("Received a 404 status error: Permission set not found.")
        return self._center.sets[arn]

    def _check_account(self, account_id: str, permission_set_arn: str) -> None:
        ordered = self._faults.of_provisioning(account_id, permission_set_arn)
        if ordered:
            raise Failure(ordered)
        account = self._organization.accounts.get(account_id)
        if not account or account.state not in REACHABLE_STATES:
            raise Failure(f"Obtaining permissions to manage AWS account {account_id} is taking longer than usual.")

    def _check_role(self, account_id: str, permission_set: PermissionSet) -> None:
        """Raise Failure if IAM in the account refuses to make this role."""
        wanted = list(permission_set.customer_managed)
        if isinstance(permission_set.boundary, PolicyReference):
            wanted.append(permission_set.boundary)
        there = self.customer_policies.get(account_id, [])
        missing = next((reference for reference in wanted if reference not in there), None)
        if missing:
            policy = f"arn:aws:iam::{account_id}:policy{missing.path}{missing.name}"
            raise Failure(f"Received a 404 status error: Policy {policy} not found.")
        if len(permission_set.managed) + len(permission_set.customer_managed) > self.limits.policies_per_role:
            quota = f"PoliciesPerRole: {self.limits.policies_per_role}"
            raise Failure(f"Received a 409 status error: Cannot exceed quota for {quota}")
        refused = rejection(permission_set.inline) if permission_set.inline else None
        if refused:
            raise Failure(f"Received a 400 status error: {refused}")


def _assignment(request: AsyncRequest) -> Assignment:
    if request.principal is None:
        raise ValueError(f"request {request.id} has no principal")
    return Assignment(request.accounts[0], request.permission_set_arn, *request.principal)
