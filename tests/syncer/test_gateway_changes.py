"""Changes of IAM Identity Center: what is sent, what is left alone, and what becomes of an open outcome."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from simulators.aws import Assignment, AwsWorld, Fault, Limits, ProvisioningFault
from simulators.clock import Clock
from syncer.gateways.errors import (
    Conflict,
    Denied,
    GatewayError,
    Invalid,
    NotFound,
    OutcomeUnknown,
    QuotaExceeded,
    Race,
    Throttled,
)
from syncer.gateways.identity_center import IdentityCenter
from syncer.gateways.identity_center_requests import OperationStatus, RequestKind, RequestStatus
from syncer.states import Boundary, Definition, PolicyReference, PrincipalType
from tests.syncer.conftest import POLICY, READ_ONLY, AwsCast

USER, GROUP = PrincipalType.USER, PrincipalType.GROUP
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
LIMITS, OTHER = PolicyReference("/team/", "Limits"), PolicyReference("/", "Other")
FULL = Definition(
    description="everything",
    session_duration=timedelta(hours=8),
    relay_state="https://example.com/",
    managed_policies=frozenset({READ_ONLY, ADMINISTRATOR}),
    customer_managed_policies=frozenset({LIMITS}),
    inline_policy=POLICY,
    permissions_boundary=Boundary(managed_policy=READ_ONLY),
)
TAGS = {"managed-by": "genkan"}


def writes(center: IdentityCenter) -> dict[str, int]:
    """The changes that were sent, by operation without its service."""
    reads = ("Describe", "Get", "List")
    names = {name.partition(":")[2]: count for name, count in center.calls.items()}
    return {name: count for name, count in names.items() if not name.startswith(reads)}


def settled(center: IdentityCenter, clock: Clock, kind: RequestKind, request_id: str | None) -> OperationStatus:
    assert request_id
    clock.advance(timedelta(seconds=5))
    return center.describe_status(kind, request_id)


# Permission sets


def test_creates_a_set_with_all_it_consists_of(center: IdentityCenter) -> None:
    arn = center.create_permission_set("New", FULL, TAGS)
    assert center.describe(arn).name == "New"
    assert center.fetch_definition(arn) == FULL
    assert center.fetch_tags(arn) == TAGS


def test_creates_a_bare_set_with_one_request(center: IdentityCenter) -> None:
    arn = center.create_permission_set("New", Definition(), TAGS)
    assert center.fetch_definition(arn) == Definition()
    assert writes(center) == {"CreatePermissionSet": 1}


@pytest.mark.parametrize(
    ("actual", "wanted", "sent"),
    [
        (FULL, FULL, {}),
        (FULL, replace(FULL, description=""), {"UpdatePermissionSet": 1}),
        (FULL, replace(FULL, relay_state=""), {"UpdatePermissionSet": 1}),
        (FULL, replace(FULL, session_duration=timedelta(hours=1)), {"UpdatePermissionSet": 1}),
        (FULL, replace(FULL, inline_policy=POLICY.replace(" ", "")), {}),
        (FULL, replace(FULL, inline_policy=POLICY.replace("s3", "ec2")), {"PutInlinePolicyToPermissionSet": 1}),
        (FULL, replace(FULL, inline_policy=""), {"DeleteInlinePolicyFromPermissionSet": 1}),
        (
            FULL,
            replace(FULL, permissions_boundary=Boundary(customer_managed=LIMITS)),
            {"PutPermissionsBoundaryToPermissionSet": 1},
        ),
        (FULL, replace(FULL, permissions_boundary=None), {"DeletePermissionsBoundaryFromPermissionSet": 1}),
        (
            FULL,
            replace(FULL, managed_policies=frozenset({READ_ONLY})),
            {"DetachManagedPolicyFromPermissionSet": 1},
        ),
        (
            FULL,
            replace(FULL, customer_managed_policies=frozenset({OTHER})),
            {
                "AttachCustomerManagedPolicyReferenceToPermissionSet": 1,
                "DetachCustomerManagedPolicyReferenceFromPermissionSet": 1,
            },
        ),
        (
            Definition(),
            replace(Definition(), managed_policies=frozenset({READ_ONLY})),
            {
                "AttachManagedPolicyToPermissionSet": 1,
            },
        ),
    ],
)
def test_updates_with_the_requests_it_needs(
    center: IdentityCenter, actual: Definition, wanted: Definition, sent: dict[str, int]
) -> None:
    arn = center.create_permission_set("New", actual, TAGS)
    before = writes(center)
    center.update_permission_set(arn, actual, wanted)
    assert {
        name: count - before.get(name, 0) for name, count in writes(center).items() if count > before.get(name, 0)
    } == sent
    assert center.fetch_definition(arn).comparable() == wanted.comparable()


def test_attaches_before_it_detaches(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    actual = center.fetch_definition(aws.reader)
    aws_world.faults.add(Fault("sso-admin:Attach*", code="ServiceQuotaExceededException"))
    with pytest.raises(QuotaExceeded):
        center.update_permission_set(aws.reader, actual, replace(actual, managed_policies=frozenset({ADMINISTRATOR})))
    assert center.fetch_definition(aws.reader) == actual


def test_detaches_first_where_a_set_is_full(center: IdentityCenter) -> None:
    full = frozenset(PolicyReference("/", f"Old{number}") for number in range(25))
    changed = frozenset(PolicyReference("/", f"New{number}") for number in range(25))
    arn = center.create_permission_set("New", Definition(customer_managed_policies=full), TAGS)
    wanted = Definition(customer_managed_policies=changed)
    center.update_permission_set(arn, Definition(customer_managed_policies=full), wanted)
    assert center.fetch_definition(arn) == wanted


def test_taking_away_what_is_gone_is_done(center: IdentityCenter, aws: AwsCast) -> None:
    center.update_permission_set(aws.legacy, FULL, replace(Definition(), description="everything"))
    assert center.fetch_definition(aws.legacy) == Definition(description="everything")


def test_update_of_a_set_that_is_gone_is_not_found(center: IdentityCenter, aws: AwsCast) -> None:
    with pytest.raises(NotFound):
        center.update_permission_set(f"{aws.admin[:-4]}0000", Definition(), FULL)


def test_attaching_what_is_attached_is_done(center: IdentityCenter, aws: AwsCast) -> None:
    wanted = Definition(managed_policies=frozenset({READ_ONLY}))
    center.update_permission_set(aws.reader, Definition(), wanted)
    assert writes(center) == {"AttachManagedPolicyToPermissionSet": 1}


def test_set_of_the_management_account_is_denied(center: IdentityCenter, aws: AwsCast) -> None:
    with pytest.raises(Denied):
        center.update_permission_set(aws.terraform, Definition(), FULL)


def test_refused_policy_is_invalid(center: IdentityCenter, aws: AwsCast) -> None:
    with pytest.raises(Invalid):
        center.update_permission_set(aws.reader, Definition(), Definition(managed_policies=frozenset({"nonsense"})))


def test_deletes_a_set(center: IdentityCenter) -> None:
    arn = center.create_permission_set("New", FULL, TAGS)
    center.delete_permission_set(arn)
    assert arn not in center.list_permission_set_arns()


def test_deleting_a_set_that_is_gone_is_done(center: IdentityCenter, aws: AwsCast) -> None:
    center.delete_permission_set(f"{aws.admin[:-4]}0000")
    assert writes(center) == {"DeletePermissionSet": 1}


def test_set_in_use_is_a_conflict_that_names_accounts(center: IdentityCenter, aws: AwsCast) -> None:
    with pytest.raises(Conflict) as caught:
        center.delete_permission_set(aws.reader)
    assert caught.value.reason.code == "aws_set_in_use"
    assert caught.value.reason.params["accounts"] == aws.shop
    assert writes(center) == {"DeletePermissionSet": 1}


def test_deletion_waits_for_the_last_role(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    arn = center.create_permission_set("New", Definition(), TAGS)
    fault = Fault("sso-admin:DeletePermissionSet", code="ConflictException", times=2)
    aws_world.faults.add(fault)
    center.delete_permission_set(arn)
    assert writes(center)["DeletePermissionSet"] == 3


# Assignments


def test_creates_an_assignment(center: IdentityCenter, clock: Clock, aws: AwsCast) -> None:
    request_id = center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    assert center.list_in_progress(RequestKind.CREATION) == {request_id}
    assert settled(center, clock, RequestKind.CREATION, request_id).status is RequestStatus.SUCCEEDED
    assert center.list_in_progress(RequestKind.CREATION) == frozenset()
    assert center.list_assignments(aws.platform, aws.reader) == {(USER, aws.hana)}


def test_deletes_an_assignment(center: IdentityCenter, clock: Clock, aws: AwsCast) -> None:
    request_id = center.delete_assignment(aws.shop, aws.reader, GROUP, aws.developers)
    assert center.list_in_progress(RequestKind.DELETION) == {request_id}
    assert settled(center, clock, RequestKind.DELETION, request_id).status is RequestStatus.SUCCEEDED
    assert center.list_assignments(aws.shop, aws.reader) == frozenset()


def test_deleting_an_absent_assignment_is_none(center: IdentityCenter, aws: AwsCast) -> None:
    assert center.delete_assignment(aws.platform, aws.reader, USER, aws.hana) is None


def test_failure_carries_awss_reason(center: IdentityCenter, clock: Clock, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(ProvisioningFault("Received a 403 status error", aws.platform))
    request_id = center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    status = settled(center, clock, RequestKind.CREATION, request_id)
    assert (status.status, status.failure_reason) == (RequestStatus.FAILED, "Received a 403 status error")


def test_provisions_an_account(center: IdentityCenter, clock: Clock, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.change_permission_set(aws.admin, description="new")
    request_id = center.provision(aws.admin, aws.shop)
    assert center.list_in_progress(RequestKind.PROVISIONING) == {request_id}
    status = settled(center, clock, RequestKind.PROVISIONING, request_id)
    assert (status.status, status.aim) == (RequestStatus.SUCCEEDED, (aws.admin, aws.shop, "", ""))
    assert center.list_provisioned_accounts(aws.admin, stale_only=True) == {aws.closed}


@pytest.mark.parametrize("kind", list(RequestKind))
def test_request_that_aws_forgot_is_not_found(center: IdentityCenter, kind: RequestKind) -> None:
    with pytest.raises(NotFound):
        center.describe_status(kind, "00000000-0000-4000-8000-000000000000")


def test_creation_waits_for_a_deletion_under_way(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    center.delete_assignment(aws.shop, aws.admin, USER, aws.hana)
    assert center.create_assignment(aws.shop, aws.admin, USER, aws.hana)
    assert writes(center)["CreateAccountAssignment"] > 1


def test_deletion_waits_for_a_creation_under_way(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    center.create_assignment(aws.platform, aws.admin, USER, aws.hana)
    center.delete_assignment(aws.platform, aws.admin, USER, aws.hana)
    assert writes(center)["DeleteAccountAssignment"] > 1


def test_race_that_does_not_end_is_temporary(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(Fault("sso-admin:ProvisionPermissionSet", code="ConflictException"))
    with pytest.raises(Race):
        center.provision(aws.admin, aws.shop)
    assert writes(center) == {"ProvisionPermissionSet": 5}


def test_conflict_over_what_is_there_is_done(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", code="ConflictException"))
    assert center.create_assignment(aws.shop, aws.admin, USER, aws.hana) is None
    assert writes(center) == {"CreateAccountAssignment": 1}


def test_conflict_over_a_request_under_way_takes_it_up(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    request_id = center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", code="ConflictException"))
    assert center.create_assignment(aws.platform, aws.reader, USER, aws.hana) == request_id


# Throttling and open outcomes


def test_throttled_change_is_sent_again(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", code="ThrottlingException", times=2))
    assert center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    assert writes(center) == {"CreateAccountAssignment": 3}


def test_change_that_stays_throttled_gives_up(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", code="ThrottlingException"))
    with pytest.raises(Throttled):
        center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    assert writes(center) == {"CreateAccountAssignment": 6}


def test_too_many_creations_are_throttled(center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast) -> None:
    aws_world.limits = replace(Limits.unthrottled(), outstanding_creations=1)
    center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    assert center.create_assignment(aws.platform, aws.admin, USER, aws.hana)
    assert center.throttled["sso-admin:CreateAccountAssignment"] >= 1


Change = Callable[[IdentityCenter, AwsCast], object]
OPEN_CHANGES: list[tuple[str, Change]] = [
    ("CreatePermissionSet", lambda center, _aws: center.create_permission_set("New", Definition(), TAGS)),
    (
        "UpdatePermissionSet",
        lambda center, aws: center.update_permission_set(aws.reader, Definition(), Definition(description="new")),
    ),
    (
        "AttachManagedPolicyToPermissionSet",
        lambda center, aws: center.update_permission_set(
            aws.legacy, Definition(), Definition(managed_policies=frozenset({READ_ONLY}))
        ),
    ),
    (
        "DetachManagedPolicyFromPermissionSet",
        lambda center, aws: center.update_permission_set(
            aws.reader, Definition(managed_policies=frozenset({READ_ONLY})), Definition()
        ),
    ),
    (
        "AttachCustomerManagedPolicyReferenceToPermissionSet",
        lambda center, aws: center.update_permission_set(
            aws.legacy, Definition(), Definition(customer_managed_policies=frozenset({LIMITS}))
        ),
    ),
    (
        "DetachCustomerManagedPolicyReferenceFromPermissionSet",
        lambda center, aws: center.update_permission_set(
            aws.admin, Definition(customer_managed_policies=frozenset({LIMITS})), Definition()
        ),
    ),
    (
        "PutInlinePolicyToPermissionSet",
        lambda center, aws: center.update_permission_set(aws.legacy, Definition(), Definition(inline_policy=POLICY)),
    ),
    (
        "DeleteInlinePolicyFromPermissionSet",
        lambda center, aws: center.update_permission_set(aws.admin, Definition(inline_policy=POLICY), Definition()),
    ),
    (
        "PutPermissionsBoundaryToPermissionSet",
        lambda center, aws: center.update_permission_set(
            aws.legacy, Definition(), Definition(permissions_boundary=Boundary(managed_policy=READ_ONLY))
        ),
    ),
    (
        "DeletePermissionsBoundaryFromPermissionSet",
        lambda center, aws: center.update_permission_set(
            aws.admin, Definition(permissions_boundary=Boundary(managed_policy=READ_ONLY)), Definition()
        ),
    ),
    ("ProvisionPermissionSet", lambda center, aws: center.provision(aws.admin, aws.shop)),
    (
        "CreateAccountAssignment",
        lambda center, aws: center.create_assignment(aws.platform, aws.reader, USER, aws.hana),
    ),
    (
        "DeleteAccountAssignment",
        lambda center, aws: center.delete_assignment(aws.shop, aws.admin, USER, aws.hana),
    ),
]
every_change = pytest.mark.parametrize(("operation", "change"), OPEN_CHANGES, ids=[name for name, _ in OPEN_CHANGES])


@every_change
def test_change_whose_answer_was_lost_is_found_done(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, operation: str, change: Change
) -> None:
    aws_world.faults.add(Fault(f"sso-admin:{operation}", hang_up="after"))
    change(center, aws)
    assert writes(center) == {operation: 1}


@every_change
@pytest.mark.parametrize(
    "fault", [{"hang_up": "before"}, {"code": "InternalServerException", "status": 500}], ids=["lost", "5xx"]
)
def test_change_that_never_arrived_is_open(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, operation: str, change: Change, fault: dict[str, Any]
) -> None:
    aws_world.faults.add(Fault(f"sso-admin:{operation}", **fault))
    with pytest.raises(OutcomeUnknown) as caught:
        change(center, aws)
    assert caught.value.reason.code == "aws_outcome_unknown"
    assert writes(center) == {operation: 1}


def test_lost_deletion_of_a_set_is_found_done(center: IdentityCenter, aws_world: AwsWorld) -> None:
    arn = center.create_permission_set("New", Definition(), TAGS)
    aws_world.faults.add(Fault("sso-admin:DeletePermissionSet", hang_up="after"))
    center.delete_permission_set(arn)
    assert writes(center)["DeletePermissionSet"] == 1


def test_open_outcome_stays_open_when_aws_does_not_say(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast
) -> None:
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", hang_up="after"))
    aws_world.faults.add(Fault("sso-admin:ListAccountAssignment*", code="InternalServerException", status=500))
    with pytest.raises(OutcomeUnknown):
        center.create_assignment(aws.platform, aws.reader, USER, aws.hana)


def test_anothers_set_of_the_same_name_is_not_what_we_created(center: IdentityCenter, aws_world: AwsWorld) -> None:
    aws_world.add_permission_set("New", tags={"managed-by": "somebody"})
    aws_world.faults.add(Fault("sso-admin:CreatePermissionSet", hang_up="before"))
    with pytest.raises(OutcomeUnknown):
        center.create_permission_set("New", FULL, TAGS)


def test_lost_creation_of_what_ended_since_is_found(
    center: IdentityCenter, clock: Clock, aws_world: AwsWorld, aws: AwsCast
) -> None:
    aws_world.async_seconds = 0.0
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", hang_up="after"))
    assert center.create_assignment(aws.platform, aws.reader, USER, aws.hana) is None
    assert Assignment(aws.platform, aws.reader, "USER", aws.hana) in aws_world.assignments()


@pytest.mark.parametrize(("code", "kind"), [("AccessDeniedException", Denied), ("ValidationException", Invalid)])
def test_refused_change_is_sent_once(
    center: IdentityCenter, aws_world: AwsWorld, aws: AwsCast, code: str, kind: type[GatewayError]
) -> None:
    aws_world.faults.add(Fault("sso-admin:CreateAccountAssignment", code=code))
    with pytest.raises(kind):
        center.create_assignment(aws.platform, aws.reader, USER, aws.hana)
    assert writes(center) == {"CreateAccountAssignment": 1}
