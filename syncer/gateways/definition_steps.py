"""The requests that bring a permission set from one definition to another, in their order."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from syncer.gateways import aws_answers as answers
from syncer.gateways.aws_session import AwsSession
from syncer.states import Boundary, Definition, PolicyReference, render_duration

POLICIES_PER_SET = 25  # AWS managed and customer managed together; source: quotas of IAM Identity Center


class Step(NamedTuple):
    """One request, and how to see in a set's definition that it has been carried out.

    takes_away: AWS answers "not found" where there is nothing to take away any more, which is as good.
    """

    send: Callable[[], object]
    is_done: Callable[[Definition], bool]
    takes_away: bool = False


def iter_steps(
    aws: AwsSession, instance_arn: str, permission_set_arn: str, actual: Definition, wanted: Definition
) -> Iterator[Step]:
    """The steps that are needed, none if the definitions agree.

    New policies are attached before old ones are detached, so that a role provisioned in between lacks nothing; only
    where both together are more than a set can hold, the old ones go first.
    """
    steps = _Steps(aws, instance_arn, permission_set_arn)
    if describing(actual) != describing(wanted):
        yield steps.update(wanted)
    attaching, detaching = list(steps.attaching(actual, wanted)), list(steps.detaching(actual, wanted))
    yield from detaching + attaching if _is_crowded(actual, wanted) else attaching
    if actual.comparable()["inline_policy"] != wanted.comparable()["inline_policy"]:
        yield steps.inline_policy(wanted)
    if actual.permissions_boundary != wanted.permissions_boundary:
        yield steps.boundary(wanted.permissions_boundary)
    yield from [] if _is_crowded(actual, wanted) else detaching


def describing(definition: Definition) -> dict[str, str]:
    """The parameters of CreatePermissionSet and UpdatePermissionSet; an empty text is left out, which clears it."""
    texts = {
        "Description": definition.description,
        "SessionDuration": render_duration(definition.session_duration),
        "RelayState": definition.relay_state,
    }
    return {name: text for name, text in texts.items() if text}


def _is_crowded(actual: Definition, wanted: Definition) -> bool:
    managed = actual.managed_policies | wanted.managed_policies
    customer_managed = actual.customer_managed_policies | wanted.customer_managed_policies
    return len(managed) + len(customer_managed) > POLICIES_PER_SET


class _Steps:
    def __init__(self, aws: AwsSession, instance_arn: str, permission_set_arn: str) -> None:
        self._aws, self._sso = aws, aws.clients.sso
        self._instance_arn, self._arn = instance_arn, permission_set_arn

    def update(self, wanted: Definition) -> Step:
        """AWS clears what an update leaves out, so it always carries everything."""
        texts = describing(wanted)
        return Step(
            lambda: self._aws.write(
                self._sso.update_permission_set, InstanceArn=self._instance_arn, PermissionSetArn=self._arn, **texts
            ),
            lambda found: describing(found) == texts,
        )

    def attaching(self, actual: Definition, wanted: Definition) -> Iterator[Step]:
        for arn in sorted(wanted.managed_policies - actual.managed_policies):
            yield self._attach(arn)
        for reference in sorted(wanted.customer_managed_policies - actual.customer_managed_policies):
            yield self._refer(reference)

    def detaching(self, actual: Definition, wanted: Definition) -> Iterator[Step]:
        for arn in sorted(actual.managed_policies - wanted.managed_policies):
            yield self._detach(arn)
        for reference in sorted(actual.customer_managed_policies - wanted.customer_managed_policies):
            yield self._refer_no_more(reference)

    def _attach(self, policy_arn: str) -> Step:
        return Step(
            lambda: self._aws.write(
                self._sso.attach_managed_policy_to_permission_set,
                InstanceArn=self._instance_arn,
                PermissionSetArn=self._arn,
                ManagedPolicyArn=policy_arn,
            ),
            lambda found: policy_arn in found.managed_policies,
        )

    def _detach(self, policy_arn: str) -> Step:
        return Step(
            lambda: self._aws.write(
                self._sso.detach_managed_policy_from_permission_set,
                InstanceArn=self._instance_arn,
                PermissionSetArn=self._arn,
                ManagedPolicyArn=policy_arn,
            ),
            lambda found: policy_arn not in found.managed_policies,
            takes_away=True,
        )

    def _refer(self, reference: PolicyReference) -> Step:
        return Step(
            lambda: self._aws.write(
                self._sso.attach_customer_managed_policy_reference_to_permission_set,
                InstanceArn=self._instance_arn,
                PermissionSetArn=self._arn,
                CustomerManagedPolicyReference=answers.render_reference(reference),
            ),
            lambda found: reference in found.customer_managed_policies,
        )

    def _refer_no_more(self, reference: PolicyReference) -> Step:
        return Step(
            lambda: self._aws.write(
                self._sso.detach_customer_managed_policy_reference_from_permission_set,
                InstanceArn=self._instance_arn,
                PermissionSetArn=self._arn,
                CustomerManagedPolicyReference=answers.render_reference(reference),
            ),
            lambda found: reference not in found.customer_managed_policies,
            takes_away=True,
        )

    def inline_policy(self, wanted: Definition) -> Step:
        policy = wanted.inline_policy
        if not policy:
            return Step(
                lambda: self._aws.write(
                    self._sso.delete_inline_policy_from_permission_set,
                    InstanceArn=self._instance_arn,
                    PermissionSetArn=self._arn,
                ),
                lambda found: not found.inline_policy,
                takes_away=True,
            )
        return Step(
            lambda: self._aws.write(
                self._sso.put_inline_policy_to_permission_set,
                InstanceArn=self._instance_arn,
                PermissionSetArn=self._arn,
                InlinePolicy=policy,
            ),
            lambda found: found.comparable()["inline_policy"] == wanted.comparable()["inline_policy"],
        )

    def boundary(self, boundary: Boundary | None) -> Step:
        if boundary is None:
            return Step(
                lambda: self._aws.write(
                    self._sso.delete_permissions_boundary_from_permission_set,
                    InstanceArn=self._instance_arn,
                    PermissionSetArn=self._arn,
                ),
                lambda found: found.permissions_boundary is None,
                takes_away=True,
            )
        return Step(
            lambda: self._aws.write(
                self._sso.put_permissions_boundary_to_permission_set,
                InstanceArn=self._instance_arn,
                PermissionSetArn=self._arn,
                PermissionsBoundary=answers.render_boundary(boundary),
            ),
            lambda found: found.permissions_boundary == boundary,
        )
