"""The organization's IAM Identity Center: how it is changed.

One method is one change, whatever number of requests it takes. A change whose outcome is open is looked for before
anything is sent again, so none is carried out twice.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from syncer.gateways.aws_session import AwsOptions, AwsSession, Settled
from syncer.gateways.definition_steps import Step, describing, iter_steps
from syncer.gateways.errors import Conflict, NotFound, OutcomeUnknown
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.gateways.identity_center_requests import Aim, RequestKind
from syncer.gateways.pacing import Pacer, Sleep
from syncer.states import Definition, PrincipalType, Reason

if TYPE_CHECKING:  # the stubs are installed for mypy only
    from mypy_boto3_sso_admin.type_defs import TagTypeDef


def connect(options: AwsOptions, pacer: Pacer | None = None, sleep: Sleep = time.sleep) -> "IdentityCenter":
    """The gateway to the instance; nothing is sent yet.

    pacer: the bucket for sso-admin shared with other processes; one of this process at `options.tps` when not given.
    Raises GatewayError where boto3's configuration is unusable.
    """
    return IdentityCenter(AwsSession(options, pacer, sleep), options)


class IdentityCenter(IdentityCenterQueries):
    """What may be asked, and what may be changed. Thread safe.

    Besides what its docstring names, a change raises Temporary where the next run should try again (`OutcomeUnknown`
    and `Race` among them) and Permanent where AWS refused it for good.
    """

    # Changing permission sets

    def create_permission_set(self, name: str, definition: Definition, tags: Mapping[str, str]) -> str:
        """Create a set with all it consists of; returns its ARN. The tags make it ours from its first moment on.

        Raises Conflict if the name is taken. After any other error the set may be there in part.
        """
        arn = self._aws.carry_out(
            lambda: self._send_set(name, definition, tags), lambda: self._look_for_set(name, tags)
        )
        texts_only = Definition(definition.description, definition.session_duration, definition.relay_state)
        self.update_permission_set(arn, texts_only, definition)
        return arn

    def _send_set(self, name: str, definition: Definition, tags: Mapping[str, str]) -> str:
        created = self._aws.write(
            self._sso.create_permission_set,
            InstanceArn=self.instance.instance_arn,
            Name=name,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **describing(definition),
        )
        return created["PermissionSet"]["PermissionSetArn"]

    def _look_for_set(self, name: str, tags: Mapping[str, str]) -> Settled[str] | None:
        """The set by its name, if it bears our tags: another's set of the same name is not what we created."""
        for arn in self.list_permission_set_arns():
            if self.describe(arn).name == name:
                return Settled(arn) if tags.items() <= self.fetch_tags(arn).items() else None
        return None

    def update_permission_set(self, arn: str, actual: Definition, wanted: Definition) -> None:
        """Bring a set from `actual` to `wanted` with the requests that this needs. Accounts get it by `provision`."""
        for step in iter_steps(self._aws, self.instance.instance_arn, arn, actual, wanted):
            self._take(arn, step)

    def _take(self, arn: str, step: Step) -> None:
        def look() -> Settled[object] | None:
            return Settled(None) if step.is_done(self.fetch_definition(arn)) else None

        try:
            self._aws.carry_out(step.send, look)
        except NotFound:
            if not step.takes_away:
                raise

    def tag_permission_set(self, arn: str, tags: Mapping[str, str]) -> None:
        """Put these tags on a set, beside those that it has. Source: sso-admin TagResource."""
        rows: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in tags.items()]

        def send() -> object:
            method, instance_arn = self._sso.tag_resource, self.instance.instance_arn
            return self._aws.write(method, InstanceArn=instance_arn, ResourceArn=arn, Tags=rows)

        def look() -> Settled[object] | None:
            return Settled(None) if tags.items() <= self.fetch_tags(arn).items() else None

        self._aws.carry_out(send, look)

    def delete_permission_set(self, arn: str) -> None:
        """Delete a set; one that is gone already is as good.

        Raises Conflict while accounts hold it, and Race while AWS is still taking its last roles away.
        """

        def send() -> object:
            method, instance_arn = self._sso.delete_permission_set, self.instance.instance_arn
            return self._aws.write(method, InstanceArn=instance_arn, PermissionSetArn=arn)

        with suppress(NotFound):
            self._aws.carry_out(send, lambda: self._look_for_deletion(arn))

    def _look_for_deletion(self, arn: str) -> Settled[object] | None:
        try:
            accounts = self.list_provisioned_accounts(arn)
        except NotFound:
            return Settled(None)
        if accounts:
            params = {"arn": arn, "accounts": ", ".join(sorted(accounts))}
            raise Conflict("sso-admin:DeletePermissionSet", Reason("aws_set_in_use", params))
        return None

    def provision(self, arn: str, account_id: str) -> str:
        """Begin to bring an account to the set's present version; returns the request id.

        Raises Race while an earlier provisioning is under way, whose version may be older.
        Source: sso-admin ProvisionPermissionSet.
        """

        def send() -> str:
            answer = self._aws.write(
                self._sso.provision_permission_set,
                InstanceArn=self.instance.instance_arn,
                PermissionSetArn=arn,
                TargetType="AWS_ACCOUNT",
                TargetId=account_id,
            )
            return answer["PermissionSetProvisioningStatus"]["RequestId"]

        try:
            return self._aws.carry_out(send, lambda: None)
        except OutcomeUnknown:
            request_id = self.find_request(RequestKind.PROVISIONING, Aim(arn, account_id))
            if request_id is None:
                raise
            return request_id

    # Changing assignments

    def create_assignment(
        self, account_id: str, arn: str, principal_type: PrincipalType, principal_id: str
    ) -> str | None:
        """Begin an assignment; returns the request id, or None if AWS turns out to have it already.

        It provisions the set where the account does not hold it. Source: sso-admin CreateAccountAssignment.
        """
        aim = Aim(arn, account_id, principal_type, principal_id)

        def send() -> str | None:
            answer = self._aws.write(
                self._sso.create_account_assignment,
                InstanceArn=self.instance.instance_arn,
                TargetId=account_id,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=arn,
                PrincipalType=principal_type.value,
                PrincipalId=principal_id,
            )
            return answer["AccountAssignmentCreationStatus"]["RequestId"]

        return self._aws.carry_out(send, lambda: self._look_for_creation(aim))

    def _look_for_creation(self, aim: Aim) -> Settled[str | None] | None:
        """A creation under way, or the assignment itself unless it is being deleted."""
        request_id = self.find_request(RequestKind.CREATION, aim)
        if request_id:
            return Settled(request_id)
        is_there = self._is_assigned(aim) and not self.find_request(RequestKind.DELETION, aim)
        return Settled(None) if is_there else None

    def delete_assignment(
        self, account_id: str, arn: str, principal_type: PrincipalType, principal_id: str
    ) -> str | None:
        """Begin to end an assignment; returns the request id, or None if AWS does not have it any more.

        Source: sso-admin DeleteAccountAssignment.
        """
        aim = Aim(arn, account_id, principal_type, principal_id)

        def send() -> str | None:
            answer = self._aws.write(
                self._sso.delete_account_assignment,
                InstanceArn=self.instance.instance_arn,
                TargetId=account_id,
                TargetType="AWS_ACCOUNT",
                PermissionSetArn=arn,
                PrincipalType=principal_type.value,
                PrincipalId=principal_id,
            )
            return answer["AccountAssignmentDeletionStatus"]["RequestId"]

        try:
            return self._aws.carry_out(send, lambda: self._look_for_end(aim))
        except NotFound:
            return None

    def _look_for_end(self, aim: Aim) -> Settled[str | None] | None:
        """A deletion under way, or nothing left to delete unless it is being created."""
        request_id = self.find_request(RequestKind.DELETION, aim)
        if request_id:
            return Settled(request_id)
        is_gone = not self._is_assigned(aim) and not self.find_request(RequestKind.CREATION, aim)
        return Settled(None) if is_gone else None

    def _is_assigned(self, aim: Aim) -> bool:
        principal = (PrincipalType(aim.principal_type), aim.principal_id)
        return principal in self.list_assignments(aim.target_id, aim.permission_set_arn)
