"""IAM's list of managed policies through boto3."""

from typing import Any

import pytest

from tests.simulators.aws.conftest import Clients, Company

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_catalogue_takes_more_than_one_page(management: Clients) -> None:
    pages = list(management.iam.get_paginator("list_policies").paginate(Scope="AWS"))
    policies = {policy["Arn"]: policy for page in pages for policy in page["Policies"]}
    assert len(pages) > 1
    assert len(policies) == sum(len(page["Policies"]) for page in pages) >= 60
    assert "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess" in policies


def test_service_linked_policies_are_not_attachable(management: Clients) -> None:
    policies = management.iam.list_policies(Scope="AWS", PathPrefix="/aws-service-role/")["Policies"]
    assert policies
    assert not any(policy["IsAttachable"] for policy in policies)


def test_local_policies_are_the_accounts_own(company: Company) -> None:
    company.world.add_customer_policy(company.account, "/ops/", "Guard")
    local = company.caller(company.account).iam.list_policies(Scope="Local")["Policies"]
    assert [policy["Arn"] for policy in local] == [f"arn:aws:iam::{company.account}:policy/ops/Guard"]
    assert company.caller(company.other_account).iam.list_policies(Scope="Local")["Policies"] == []


def test_only_attached_counts_roles_of_the_account(company: Company) -> None:
    arn = company.world.add_permission_set("Reader", managed=[READ_ONLY])
    company.world.add_assignment(company.account, arn, "USER", company.user)
    attached = company.caller(company.account).iam.list_policies(OnlyAttached=True)["Policies"]
    assert [(policy["Arn"], policy["AttachmentCount"]) for policy in attached] == [(READ_ONLY, 1)]
    assert company.caller(company.other_account).iam.list_policies(OnlyAttached=True)["Policies"] == []


def test_policy_is_found_by_arn(management: Clients) -> None:
    policy = management.iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    assert (policy["PolicyName"], policy["Path"]) == ("ReadOnlyAccess", "/")


def test_unknown_policy_is_no_such_entity(management: Clients) -> None:
    with pytest.raises(management.iam.exceptions.NoSuchEntityException):
        management.iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/ViewOnlyAccess")


def test_foreign_marker_is_refused(management: Clients) -> None:
    with pytest.raises(management.iam.exceptions.ClientError, match="Marker"):
        management.iam.list_policies(Marker="bm9uc2Vuc2U=")


def test_default_version_has_a_text(management: Clients) -> None:
    version = management.iam.get_policy(PolicyArn=READ_ONLY)["Policy"]["DefaultVersionId"]
    found = management.iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=version)["PolicyVersion"]
    document: Any = found["Document"]
    assert found["IsDefaultVersion"]
    assert document["Statement"][0]["Effect"] == "Allow"


@pytest.mark.parametrize(("arn", "version"), [(READ_ONLY, "v1"), (READ_ONLY + "2", "v190")])
def test_unknown_version_is_no_such_entity(management: Clients, arn: str, version: str) -> None:
    with pytest.raises(management.iam.exceptions.NoSuchEntityException):
        management.iam.get_policy_version(PolicyArn=arn, VersionId=version)
