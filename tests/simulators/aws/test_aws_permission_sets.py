"""Permission sets through boto3."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulators.aws import Limits
from tests.simulators.aws.conftest import Clients, Company

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
VIEW_ONLY = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
SERVICE_LINKED = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})


def ids(company: Company) -> Any:
    """Instance and permission set of the company, the parameters that most calls share."""
    return {"InstanceArn": company.instance, "PermissionSetArn": company.permission_set}


def test_new_set_has_the_default_duration(company: Company, management: Clients) -> None:
    created = management.sso.create_permission_set(InstanceArn=company.instance, Name="Viewer")["PermissionSet"]
    described = management.sso.describe_permission_set(
        InstanceArn=company.instance, PermissionSetArn=created["PermissionSetArn"]
    )["PermissionSet"]
    assert described == created
    assert described["SessionDuration"] == "PT1H"


def test_second_set_of_a_name_conflicts(company: Company, management: Clients) -> None:
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.create_permission_set(InstanceArn=company.instance, Name="Developer")


@pytest.mark.parametrize(
    "values",
    [
        {"Name": "長い名前"},
        {"Name": "x" * 33},
        {"Name": "Ok", "Description": "開発者"},
        {"Name": "Ok", "SessionDuration": "PT30M"},
        {"Name": "Ok", "SessionDuration": "PT13H"},
        {"Name": "Ok", "SessionDuration": "8時間"},
        {"Name": "Ok", "RelayState": "https://example.com/<x>"},
        {"Name": "Ok", "Tags": [{"Key": "aws:mine", "Value": ""}]},
        {"Name": "Ok", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]},
    ],
)
def test_bad_values_are_refused(company: Company, management: Clients, values: dict[str, Any]) -> None:
    with pytest.raises(management.sso.exceptions.ValidationException):
        management.sso.create_permission_set(InstanceArn=company.instance, **values)


def test_update_clears_what_is_left_out(company: Company, management: Clients) -> None:
    management.sso.update_permission_set(**ids(company), RelayState="https://example.com", SessionDuration="PT8H")
    described = management.sso.describe_permission_set(**ids(company))["PermissionSet"]
    assert "Description" not in described
    management.sso.update_permission_set(**ids(company), Description="Developers")
    described = management.sso.describe_permission_set(**ids(company))["PermissionSet"]
    assert "RelayState" not in described
    assert described["SessionDuration"] == "PT1H"


def test_inline_policy_is_kept_to_the_letter(company: Company, management: Clients) -> None:
    assert management.sso.get_inline_policy_for_permission_set(**ids(company))["InlinePolicy"] == ""
    management.sso.put_inline_policy_to_permission_set(**ids(company), InlinePolicy=POLICY)
    assert management.sso.get_inline_policy_for_permission_set(**ids(company))["InlinePolicy"] == POLICY
    management.sso.delete_inline_policy_from_permission_set(**ids(company))
    assert management.sso.get_inline_policy_for_permission_set(**ids(company))["InlinePolicy"] == ""


@pytest.mark.parametrize("document", ['{"Statement": [],}', "[]", "チーム"])
def test_inline_policy_must_be_a_json_object(company: Company, management: Clients, document: str) -> None:
    with pytest.raises(management.sso.exceptions.ValidationException):
        management.sso.put_inline_policy_to_permission_set(**ids(company), InlinePolicy=document)


def test_white_space_does_not_count_for_size(company: Company, management: Clients) -> None:
    management.sso.put_inline_policy_to_permission_set(**ids(company), InlinePolicy=POLICY + " " * 20_000)
    filled = json.dumps({**json.loads(POLICY), "Id": "x" * 10_240})
    with pytest.raises(management.sso.exceptions.ServiceQuotaExceededException):
        management.sso.put_inline_policy_to_permission_set(**ids(company), InlinePolicy=filled)


def test_managed_policies_attach_once(company: Company, management: Clients) -> None:
    for arn in (READ_ONLY, VIEW_ONLY):
        management.sso.attach_managed_policy_to_permission_set(**ids(company), ManagedPolicyArn=arn)
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.attach_managed_policy_to_permission_set(**ids(company), ManagedPolicyArn=READ_ONLY)
    listed = management.sso.list_managed_policies_in_permission_set(**ids(company), MaxResults=1)
    assert listed["AttachedManagedPolicies"] == [{"Name": "ReadOnlyAccess", "Arn": READ_ONLY}]
    assert "NextToken" in listed


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:iam::aws:policy/ViewOnlyAccess", "ResourceNotFoundException"),
        (SERVICE_LINKED, "ValidationException"),
        ("arn:aws:iam::111122223333:policy/Mine", "ValidationException"),
    ],
)
def test_only_aws_managed_policies_attach(company: Company, management: Clients, arn: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        management.sso.attach_managed_policy_to_permission_set(**ids(company), ManagedPolicyArn=arn)
    assert refused.value.response["Error"]["Code"] == code


def test_what_is_absent_cannot_be_taken_away(company: Company, management: Clients) -> None:
    sso, absent = management.sso, management.sso.exceptions.ResourceNotFoundException
    with pytest.raises(absent):
        sso.detach_managed_policy_from_permission_set(**ids(company), ManagedPolicyArn=READ_ONLY)
    with pytest.raises(absent):
        sso.detach_customer_managed_policy_reference_from_permission_set(
            **ids(company), CustomerManagedPolicyReference={"Name": "Guard"}
        )
    with pytest.raises(absent):
        sso.get_permissions_boundary_for_permission_set(**ids(company))
    with pytest.raises(absent):
        sso.delete_permissions_boundary_from_permission_set(**ids(company))


def test_customer_managed_path_defaults_to_root(company: Company, management: Clients) -> None:
    management.sso.attach_customer_managed_policy_reference_to_permission_set(
        **ids(company), CustomerManagedPolicyReference={"Name": "Guard"}
    )
    listed = management.sso.list_customer_managed_policy_references_in_permission_set(**ids(company))
    assert listed["CustomerManagedPolicyReferences"] == [{"Name": "Guard", "Path": "/"}]


def test_policies_of_a_set_are_limited(company: Company, management: Clients) -> None:
    company.world.limits = Limits(policies_per_set=1)
    management.sso.attach_managed_policy_to_permission_set(**ids(company), ManagedPolicyArn=READ_ONLY)
    with pytest.raises(management.sso.exceptions.ServiceQuotaExceededException):
        management.sso.attach_managed_policy_to_permission_set(**ids(company), ManagedPolicyArn=VIEW_ONLY)


def test_boundary_is_one_of_two_kinds(company: Company, management: Clients) -> None:
    reference: Any = {"CustomerManagedPolicyReference": {"Name": "Edge", "Path": "/ops/"}}
    management.sso.put_permissions_boundary_to_permission_set(**ids(company), PermissionsBoundary=reference)
    got = management.sso.get_permissions_boundary_for_permission_set(**ids(company))
    assert got["PermissionsBoundary"] == reference
    both: Any = {**reference, "ManagedPolicyArn": READ_ONLY}
    with pytest.raises(management.sso.exceptions.ValidationException):
        management.sso.put_permissions_boundary_to_permission_set(**ids(company), PermissionsBoundary=both)


def test_tags_merge_and_go(company: Company, management: Clients) -> None:
    resource = {"InstanceArn": company.instance, "ResourceArn": company.permission_set}
    management.sso.tag_resource(**resource, Tags=[{"Key": "record", "Value": "12:34"}])
    management.sso.untag_resource(**resource, TagKeys=["managed-by", "absent"])
    assert management.sso.list_tags_for_resource(**resource)["Tags"] == [{"Key": "record", "Value": "12:34"}]


def test_tags_come_in_pages(company: Company, management: Clients) -> None:
    company.world.set_tags(company.permission_set, {f"key-{number}": "" for number in range(60)})
    pages = management.sso.get_paginator("list_tags_for_resource").paginate(ResourceArn=company.permission_set)
    assert [len(page["Tags"]) for page in pages] == [50, 10]


def test_assigned_set_cannot_be_deleted(company: Company, management: Clients) -> None:
    company.world.add_assignment(company.account, company.permission_set, "USER", company.user)
    with pytest.raises(management.sso.exceptions.ConflictException):
        management.sso.delete_permission_set(**ids(company))
    company.world.remove_assignment(company.account, company.permission_set, "USER", company.user)
    management.sso.delete_permission_set(**ids(company))
    with pytest.raises(management.sso.exceptions.ResourceNotFoundException):
        management.sso.describe_permission_set(**ids(company))


def test_each_content_change_makes_roles_stale(company: Company, management: Clients) -> None:
    sso: Any = management.sso
    policy: Any = {"Name": "Guard"}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("put_inline_policy_to_permission_set", {"InlinePolicy": POLICY}),
        ("delete_inline_policy_from_permission_set", {}),
        ("attach_managed_policy_to_permission_set", {"ManagedPolicyArn": READ_ONLY}),
        ("detach_managed_policy_from_permission_set", {"ManagedPolicyArn": READ_ONLY}),
        ("put_permissions_boundary_to_permission_set", {"PermissionsBoundary": {"ManagedPolicyArn": READ_ONLY}}),
        ("delete_permissions_boundary_from_permission_set", {}),
        ("attach_customer_managed_policy_reference_to_permission_set", {"CustomerManagedPolicyReference": policy}),
        ("detach_customer_managed_policy_reference_from_permission_set", {"CustomerManagedPolicyReference": policy}),
        ("update_permission_set", {"SessionDuration": "PT2H"}),
    ]
    company.world.add_assignment(company.account, company.permission_set, "USER", company.user)
    for operation, values in changes:
        getattr(sso, operation)(**ids(company), **values)
        stale = sso.list_accounts_for_provisioned_permission_set(
            **ids(company), ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED"
        )
        assert stale["AccountIds"] == [company.account], operation
        sso.provision_permission_set(**ids(company), TargetType="ALL_PROVISIONED_ACCOUNTS")
        company.wait()


def test_tags_do_not_make_roles_stale(company: Company, management: Clients) -> None:
    company.world.add_assignment(company.account, company.permission_set, "USER", company.user)
    management.sso.tag_resource(ResourceArn=company.permission_set, Tags=[{"Key": "record", "Value": "1"}])
    latest = management.sso.list_permission_sets_provisioned_to_account(
        InstanceArn=company.instance,
        AccountId=company.account,
        ProvisioningStatus="LATEST_PERMISSION_SET_PROVISIONED",
    )
    assert latest["PermissionSets"] == [company.permission_set]
