"""Who may do what: management account, delegated administrator, member, and nobody we know."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulators.aws.conftest import Clients, Company
from tests.simulators.aws.test_aws_assignments import create, wanted


@pytest.fixture
def terraformed(company: Company) -> str:
    """A permission set that is provisioned in the management account."""
    arn = company.world.add_permission_set("Terraformed")
    company.world.add_assignment(company.world.management_account_id, arn, "USER", company.user)
    return arn


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_identity_names_account_and_role(company: Company, delegate: Clients) -> None:
    identity = delegate.sts.get_caller_identity()
    assert identity["Account"] == company.delegated
    assert identity["Arn"].startswith(f"arn:aws:sts::{company.delegated}:assumed-role/Tester/")


def test_delegate_assigns_in_member_accounts(company: Company, delegate: Clients) -> None:
    create(company, delegate)
    company.wait()
    assert len(company.world.assignments()) == 1


def test_delegate_may_not_touch_the_management_account(company: Company, delegate: Clients) -> None:
    management_id = company.world.management_account_id
    with pytest.raises(delegate.sso.exceptions.AccessDeniedException):
        create(company, delegate, TargetId=management_id)
    with pytest.raises(delegate.sso.exceptions.AccessDeniedException):
        delegate.sso.provision_permission_set(
            InstanceArn=company.instance,
            PermissionSetArn=company.permission_set,
            TargetType="AWS_ACCOUNT",
            TargetId=management_id,
        )


def test_delegate_may_not_change_a_set_of_the_management_account(
    company: Company, delegate: Clients, terraformed: str
) -> None:
    ids: Any = {"InstanceArn": company.instance, "PermissionSetArn": terraformed}
    sso: Any = delegate.sso
    for operation, values in (
        ("update_permission_set", {}),
        ("delete_permission_set", {}),
        ("put_inline_policy_to_permission_set", {"InlinePolicy": "{}"}),
        ("provision_permission_set", {"TargetType": "ALL_PROVISIONED_ACCOUNTS"}),
    ):
        with pytest.raises(sso.exceptions.AccessDeniedException):
            getattr(sso, operation)(**ids, **values)
    with pytest.raises(sso.exceptions.AccessDeniedException):
        sso.tag_resource(ResourceArn=terraformed, Tags=[{"Key": "a", "Value": "b"}])


def test_delegate_may_not_assign_such_a_set_elsewhere(company: Company, delegate: Clients, terraformed: str) -> None:
    with pytest.raises(delegate.sso.exceptions.AccessDeniedException, match=r"sso:CreateAccountAssignment.*ps-"):
        create(company, delegate, PermissionSetArn=terraformed)


def test_management_account_may(company: Company, management: Clients, terraformed: str) -> None:
    create(company, management, PermissionSetArn=terraformed, TargetId=company.world.management_account_id)
    company.wait()
    assert {each.permission_set_arn for each in company.world.assignments()} == {terraformed}


def test_delegate_reads_the_sets_of_the_management_account(
    company: Company, delegate: Clients, terraformed: str
) -> None:
    listed = delegate.sso.list_permission_sets_provisioned_to_account(
        InstanceArn=company.instance, AccountId=company.world.management_account_id
    )
    assert listed["PermissionSets"] == [terraformed]


@pytest.mark.parametrize("allowed", [False, True])
def test_delegate_lists_by_principal_if_switched_on(company: Company, delegate: Clients, *, allowed: bool) -> None:
    company.world.delegated_lists_by_principal = allowed
    asked: Any = {"InstanceArn": company.instance, "PrincipalType": "USER", "PrincipalId": company.user}
    if allowed:
        assert delegate.sso.list_account_assignments_for_principal(**asked)["AccountAssignments"] == []
    else:
        with pytest.raises(delegate.sso.exceptions.AccessDeniedException):
            delegate.sso.list_account_assignments_for_principal(**asked)


def test_member_sees_no_instance(company: Company) -> None:
    member = company.caller(company.account).sso
    assert member.list_instances()["Instances"] == []
    with pytest.raises(member.exceptions.AccessDeniedException):
        member.list_permission_sets(InstanceArn=company.instance)
    with pytest.raises(member.exceptions.AccessDeniedException):
        member.create_account_assignment(**wanted(company))


def test_own_account_instance_comes_first(company: Company, delegate: Clients) -> None:
    own = company.world.add_account_instance(company.delegated)
    instances = delegate.sso.list_instances()["Instances"]
    assert [instance["InstanceArn"] for instance in instances] == [own, company.instance]
    assert [instance["OwnerAccountId"] for instance in instances] == [
        company.delegated,
        company.world.management_account_id,
    ]


def test_account_instance_knows_no_permission_sets(company: Company, delegate: Clients) -> None:
    own = company.world.add_account_instance(company.delegated)
    assert delegate.sso.describe_instance(InstanceArn=own)["PermissionSetsEnabled"] is False
    with pytest.raises(delegate.sso.exceptions.ValidationException):
        delegate.sso.list_permission_sets(InstanceArn=own)


def test_instance_is_in_its_region_only(company: Company) -> None:
    elsewhere = company.caller(company.delegated, region="us-east-1").sso
    assert elsewhere.list_instances()["Instances"] == []
    everywhere = elsewhere.list_instances(RegionScope="ALL_REGIONS")["Instances"]
    assert [instance["PrimaryRegion"] for instance in everywhere] == [company.world.region]
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
        elsewhere.list_permission_sets(InstanceArn=company.instance)


def test_unknown_access_key_is_refused(company: Company) -> None:
    stranger = company.open(("AKIAAAAAAAAAAAAAAAAA", "secret"))
    with pytest.raises(ClientError) as json_error:
        stranger.sso.list_instances()
    with pytest.raises(ClientError) as query_error:
        stranger.sts.get_caller_identity()
    assert (code_of(json_error), code_of(query_error)) == ("UnrecognizedClientException", "InvalidClientTokenId")


def test_assumed_role_acts_in_its_account(company: Company, management: Clients) -> None:
    role = company.world.add_role(company.delegated, "Genkan")
    made = management.sts.assume_role(RoleArn=role, RoleSessionName="portal")["Credentials"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])
    identity = company.open(key, made["SessionToken"]).sts.get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{company.delegated}:assumed-role/Genkan/portal"
    with pytest.raises(ClientError) as refused:
        company.open(key).sts.get_caller_identity()
    assert code_of(refused) == "InvalidClientTokenId"


def test_assumed_role_ends(company: Company, management: Clients) -> None:
    role = company.world.add_role(company.delegated, "Genkan")
    made = management.sts.assume_role(RoleArn=role, RoleSessionName="portal", DurationSeconds=900)["Credentials"]
    session = company.open((made["AccessKeyId"], made["SecretAccessKey"]), made["SessionToken"])
    company.clock.advance(timedelta(minutes=15))
    with pytest.raises(ClientError) as refused:
        session.sso.list_instances()
    assert code_of(refused) == "ExpiredTokenException"


def test_unknown_role_is_denied(company: Company, management: Clients) -> None:
    with pytest.raises(ClientError) as refused:
        management.sts.assume_role(RoleArn=f"arn:aws:iam::{company.account}:role/None", RoleSessionName="portal")
    assert code_of(refused) == "AccessDenied"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
