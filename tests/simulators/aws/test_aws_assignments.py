"""Assignments and provisioning through boto3."""

import json
from typing import Any

import pytest

from simulators.aws import Assignment, Limits, ProvisioningFault
from tests.simulators.aws.conftest import ASYNC_SECONDS, Clients, Company


def wanted(company: Company, **other: str) -> Any:
    """The parameters of an assignment of the test user."""
    return {
        "InstanceArn": company.instance,
        "TargetId": company.account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": company.permission_set,
        "PrincipalType": "USER",
        "PrincipalId": company.user,
        **other,
    }


def row(company: Company) -> Assignment:
    return Assignment(company.account, company.permission_set, "USER", company.user)


def create(company: Company, clients: Clients, **other: str) -> str:
    answer = clients.sso.create_account_assignment(**wanted(company, **other))
    return answer["AccountAssignmentCreationStatus"]["RequestId"]


def creation(company: Company, clients: Clients, request_id: str) -> tuple[str, str]:
    """Status and reason of a creation."""
    status = clients.sso.describe_account_assignment_creation_status(
        InstanceArn=company.instance, AccountAssignmentCreationRequestId=request_id
    )["AccountAssignmentCreationStatus"]
    return status["Status"], status.get("FailureReason", "")


def provision(company: Company, clients: Clients, target: str | None = None) -> str:
    where: Any = {"TargetType": "AWS_ACCOUNT", "TargetId": target}
    answer = clients.sso.provision_permission_set(
        InstanceArn=company.instance,
        PermissionSetArn=company.permission_set,
        **(where if target else {"TargetType": "ALL_PROVISIONED_ACCOUNTS"}),
    )
    return answer["PermissionSetProvisioningStatus"]["RequestId"]


def provisioning(company: Company, clients: Clients, request_id: str) -> tuple[str, str]:
    """Status and reason of a provisioning."""
    status = clients.sso.describe_permission_set_provisioning_status(
        InstanceArn=company.instance, ProvisionPermissionSetRequestId=request_id
    )["PermissionSetProvisioningStatus"]
    return status["Status"], status.get("FailureReason", "")


def test_creation_takes_its_time(company: Company, management: Clients) -> None:
    request_id = create(company, management)
    company.wait(ASYNC_SECONDS - 0.1)
    assert creation(company, management, request_id) == ("IN_PROGRESS", "")
    assert not company.world.assignments()
    company.wait(0.1)
    assert creation(company, management, request_id) == ("SUCCEEDED", "")
    assert company.world.assignments() == {row(company)}


def test_first_assignment_provisions_the_set(company: Company, management: Clients) -> None:
    create(company, management)
    company.wait()
    listed = management.sso.list_permission_sets_provisioned_to_account(
        InstanceArn=company.instance, AccountId=company.account
    )
    assert listed["PermissionSets"] == [company.permission_set]


def test_last_deletion_takes_the_role_away(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    management.sso.delete_account_assignment(**wanted(company))
    company.wait()
    listed = management.sso.list_accounts_for_provisioned_permission_set(
        InstanceArn=company.instance, PermissionSetArn=company.permission_set
    )
    assert listed["AccountIds"] == []
    assert not company.world.assignments()


def test_existing_assignment_is_created_again_in_peace(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    request_id = create(company, management)
    company.wait()
    assert creation(company, management, request_id)[0] == "SUCCEEDED"
    assert company.world.assignments() == {row(company)}


def test_new_assignment_leaves_an_old_role_old(company: Company, management: Clients) -> None:
    company.world.add_assignment(company.account, company.permission_set, "GROUP", company.group)
    company.world.change_permission_set(company.permission_set, session_duration="PT4H")
    create(company, management)
    company.wait()
    stale = management.sso.list_accounts_for_provisioned_permission_set(
        InstanceArn=company.instance,
        PermissionSetArn=company.permission_set,
        ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED",
    )
    assert stale["AccountIds"] == [company.account]


def test_absent_assignment_cannot_be_deleted(company: Company, management: Clients) -> None:
    with pytest.raises(management.sso.exceptions.ResourceNotFoundException):
        management.sso.delete_account_assignment(**wanted(company))


def test_second_deletion_ends_not_found(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    management.sso.delete_account_assignment(**wanted(company))
    answer = management.sso.delete_account_assignment(**wanted(company))
    company.wait(2 * ASYNC_SECONDS)
    request_id = answer["AccountAssignmentDeletionStatus"]["RequestId"]
    ended = management.sso.describe_account_assignment_deletion_status(
        InstanceArn=company.instance, AccountAssignmentDeletionRequestId=request_id
    )["AccountAssignmentDeletionStatus"]
    assert ended["Status"] == "FAILED"
    assert "404" in ended["FailureReason"]


def test_creation_racing_a_deletion_conflicts(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    management.sso.delete_account_assignment(**wanted(company))
    with pytest.raises(management.sso.exceptions.ConflictException):
        create(company, management)


def test_deletion_racing_a_creation_conflicts(company: Company, management: Clients) -> None:
    create(company, management)
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.delete_account_assignment(**wanted(company))


@pytest.mark.parametrize(
    "unknown",
    [
        {"PrincipalId": "1234567890-00000000-0000-0000-0000-000000000000"},
        {"PrincipalType": "GROUP"},
        {"TargetId": "000000000000"},
        {"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000000"},
    ],
)
def test_unknown_things_are_not_assigned(company: Company, management: Clients, unknown: dict[str, str]) -> None:
    with pytest.raises(management.sso.exceptions.ResourceNotFoundException):
        create(company, management, **unknown)


def test_orphan_stays_until_deleted_by_id(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    company.world.remove_user(company.user)
    listed = management.sso.list_account_assignments(
        InstanceArn=company.instance, AccountId=company.account, PermissionSetArn=company.permission_set
    )["AccountAssignments"]
    assert [each["PrincipalId"] for each in listed] == [company.user]
    management.sso.delete_account_assignment(**wanted(company))
    company.wait()
    assert not company.world.assignments()


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED"])
def test_creation_fails_in_an_account_out_of_use(company: Company, management: Clients, state: str) -> None:
    company.world.set_account_state(company.account, state)
    request_id = create(company, management)
    company.wait()
    status, reason = creation(company, management, request_id)
    assert status == "FAILED"
    assert "longer than usual" in reason


@pytest.mark.parametrize("part", [{"customer_managed": [("/ops/", "Guard")]}, {"boundary": ("/ops/", "Guard")}])
def test_customer_managed_policy_must_be_in_the_account(
    company: Company, management: Clients, part: dict[str, Any]
) -> None:
    company.permission_set = company.world.add_permission_set("Guarded", **part)
    request_id = create(company, management)
    company.wait()
    status, reason = creation(company, management, request_id)
    assert status == "FAILED"
    assert reason.startswith("Received a 404 status error")
    company.world.add_customer_policy(company.account, "/ops/", "Guard")
    request_id = create(company, management)
    company.wait()
    assert creation(company, management, request_id) == ("SUCCEEDED", "")


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"},
        {"Effect": "Allow", "Action": "ListBuckets", "Resource": "*"},
    ],
)
def test_iam_refuses_the_policy_in_the_account(
    company: Company, management: Clients, statement: dict[str, str]
) -> None:
    inline = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    company.permission_set = company.world.add_permission_set("Broken", inline=inline)
    request_id = create(company, management)
    company.wait()
    status, reason = creation(company, management, request_id)
    assert status == "FAILED"
    assert "400" in reason


def test_roles_of_an_account_are_made_one_after_the_other(company: Company, management: Clients) -> None:
    first = create(company, management)
    second = create(company, management, PrincipalType="GROUP", PrincipalId=company.group)
    elsewhere = create(company, management, TargetId=company.other_account)
    company.wait()
    statuses = [creation(company, management, request_id)[0] for request_id in (first, second, elsewhere)]
    assert statuses == ["SUCCEEDED", "IN_PROGRESS", "SUCCEEDED"]
    company.wait()
    assert creation(company, management, second)[0] == "SUCCEEDED"


def test_status_lists_are_newest_first_and_bare(company: Company, management: Clients) -> None:
    first = create(company, management)
    company.wait()
    second = create(company, management, TargetId=company.other_account)
    listed = management.sso.list_account_assignment_creation_status(InstanceArn=company.instance)
    rows = listed["AccountAssignmentsCreationStatus"]
    assert [each["RequestId"] for each in rows] == [second, first]
    assert rows[0].keys() == {"Status", "RequestId", "CreatedDate"}
    done = management.sso.list_account_assignment_creation_status(
        InstanceArn=company.instance, Filter={"Status": "SUCCEEDED"}
    )
    assert [each["RequestId"] for each in done["AccountAssignmentsCreationStatus"]] == [first]


def test_request_ids_belong_to_their_kind(company: Company, management: Clients) -> None:
    request_id = create(company, management)
    with pytest.raises(management.sso.exceptions.ResourceNotFoundException):
        management.sso.describe_account_assignment_deletion_status(
            InstanceArn=company.instance, AccountAssignmentDeletionRequestId=request_id
        )


def test_provisioning_renews_all_accounts(company: Company, management: Clients) -> None:
    for account in (company.account, company.other_account):
        company.world.add_assignment(account, company.permission_set, "USER", company.user)
    company.world.change_permission_set(company.permission_set, session_duration="PT4H")
    request_id = provision(company, management)
    company.wait()
    assert provisioning(company, management, request_id) == ("SUCCEEDED", "")
    latest = management.sso.list_accounts_for_provisioned_permission_set(
        InstanceArn=company.instance,
        PermissionSetArn=company.permission_set,
        ProvisioningStatus="LATEST_PERMISSION_SET_PROVISIONED",
    )
    assert latest["AccountIds"] == [company.account, company.other_account]


def test_one_bad_account_fails_the_whole_provisioning(company: Company, management: Clients) -> None:
    for account in (company.account, company.other_account):
        company.world.add_assignment(account, company.permission_set, "USER", company.user)
    company.world.change_permission_set(company.permission_set, session_duration="PT4H")
    company.world.faults.add(ProvisioningFault("Received a 403 status error", account_id=company.account))
    request_id = provision(company, management)
    company.wait()
    assert provisioning(company, management, request_id) == ("FAILED", "Received a 403 status error")
    stale = management.sso.list_accounts_for_provisioned_permission_set(
        InstanceArn=company.instance,
        PermissionSetArn=company.permission_set,
        ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED",
    )
    assert stale["AccountIds"] == [company.account]


def test_provisioning_without_assignment_leaves_an_unused_role(company: Company, management: Clients) -> None:
    provision(company, management, company.account)
    company.wait()
    listed = management.sso.list_account_assignments(
        InstanceArn=company.instance, AccountId=company.account, PermissionSetArn=company.permission_set
    )
    assert listed["AccountAssignments"] == []
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.delete_permission_set(InstanceArn=company.instance, PermissionSetArn=company.permission_set)


def test_provisioning_fails_when_the_role_went_away(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    request_id = provision(company, management, company.account)
    company.world.remove_assignment(*row(company))
    company.wait()
    status, reason = provisioning(company, management, request_id)
    assert status == "FAILED"
    assert "Permission set provision not found" in reason


def test_second_provisioning_of_a_role_conflicts(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    provision(company, management)
    with pytest.raises(management.sso.exceptions.ConflictException):
        provision(company, management, company.account)


def test_provisioning_one_account_needs_its_id(company: Company, management: Clients) -> None:
    with pytest.raises(management.sso.exceptions.ValidationException):
        management.sso.provision_permission_set(
            InstanceArn=company.instance, PermissionSetArn=company.permission_set, TargetType="AWS_ACCOUNT"
        )


def test_set_about_to_be_assigned_cannot_be_deleted(company: Company, management: Clients) -> None:
    create(company, management)
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.delete_permission_set(InstanceArn=company.instance, PermissionSetArn=company.permission_set)


def test_listing_by_user_includes_his_groups(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    company.world.add_assignment(company.other_account, company.permission_set, "GROUP", company.group)
    listed = management.sso.list_account_assignments_for_principal(
        InstanceArn=company.instance, PrincipalType="USER", PrincipalId=company.user
    )["AccountAssignments"]
    assert [(each["AccountId"], each["PrincipalId"]) for each in listed] == [
        (company.account, company.user),
        (company.other_account, company.group),
    ]


def test_listing_by_principal_filters_by_account(company: Company, management: Clients) -> None:
    for account in (company.account, company.other_account):
        company.world.add_assignment(account, company.permission_set, "GROUP", company.group)
    listed = management.sso.list_account_assignments_for_principal(
        InstanceArn=company.instance,
        PrincipalType="GROUP",
        PrincipalId=company.group,
        Filter={"AccountId": company.other_account},
    )["AccountAssignments"]
    assert [each["AccountId"] for each in listed] == [company.other_account]


def test_removed_principal_cannot_be_listed_by(company: Company, management: Clients) -> None:
    company.world.add_assignment(*row(company))
    company.world.remove_user(company.user)
    with pytest.raises(management.sso.exceptions.ResourceNotFoundException):
        management.sso.list_account_assignments_for_principal(
            InstanceArn=company.instance, PrincipalType="USER", PrincipalId=company.user
        )


def test_token_goes_on_after_rows_that_went(company: Company, management: Clients) -> None:
    users = [company.world.add_user(f"user-{number}", None, None) for number in range(5)]
    for user in users:
        company.world.add_assignment(company.account, company.permission_set, "USER", user)
    pair: Any = {
        "InstanceArn": company.instance,
        "AccountId": company.account,
        "PermissionSetArn": company.permission_set,
    }
    token = management.sso.list_account_assignments(**pair, MaxResults=2)["NextToken"]
    company.world.remove_assignment(company.account, company.permission_set, "USER", users[0])
    rest = management.sso.list_account_assignments(**pair, NextToken=token)["AccountAssignments"]
    assert [each["PrincipalId"] for each in rest] == users[2:]


def test_groups_of_a_pair_are_limited(company: Company, management: Clients) -> None:
    company.world.limits = Limits(groups_per_pair=1)
    company.world.add_assignment(company.account, company.permission_set, "GROUP", company.group)
    other = company.world.add_group("other")
    with pytest.raises(management.sso.exceptions.ServiceQuotaExceededException):
        create(company, management, PrincipalType="GROUP", PrincipalId=other)


def test_sets_of_an_account_are_limited(company: Company, management: Clients) -> None:
    company.world.limits = Limits(permission_sets_per_account=1)
    company.world.add_assignment(*row(company))
    company.permission_set = company.world.add_permission_set("Second")
    with pytest.raises(management.sso.exceptions.ServiceQuotaExceededException):
        create(company, management)
