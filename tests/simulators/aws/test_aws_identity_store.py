"""The identity store through boto3."""

from typing import Any

import pytest

from tests.simulators.aws.conftest import Clients, Company, members


def test_user_has_what_scim_provisioned(company: Company, management: Clients) -> None:
    user = management.identity_store.describe_user(IdentityStoreId=company.store, UserId=company.user)
    assert user["UserName"] == "sato@example.com"
    assert user["DisplayName"] == "佐藤 花子"
    assert user["ExternalIds"] == [{"Issuer": company.world.external_id_issuer, "Id": "entra-1"}]
    assert user["UserStatus"] == "ENABLED"


def test_optional_members_may_be_missing(company: Company, management: Clients) -> None:
    bare = company.world.add_user("bare@example.com", None, None)
    user = management.identity_store.describe_user(IdentityStoreId=company.store, UserId=bare)
    assert not user.keys() & {"DisplayName", "Emails", "ExternalIds", "Name"}


def test_disabled_user_stays_listed(company: Company, management: Clients) -> None:
    company.world.set_user_status(company.user, "DISABLED")
    users = management.identity_store.list_users(IdentityStoreId=company.store)["Users"]
    assert [(user["UserId"], user.get("UserStatus")) for user in users] == [(company.user, "DISABLED")]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_paging_lists_each_user_once(company: Company, management: Clients, size: int) -> None:
    ids = [company.world.add_user(f"user-{number}@example.com", None, None) for number in range(20)]
    paginator = management.identity_store.get_paginator("list_users")
    pages = paginator.paginate(IdentityStoreId=company.store, PaginationConfig={"PageSize": size})
    assert [user["UserId"] for page in pages for user in page["Users"]] == [company.user, *ids]


def test_empty_pages_have_a_token(company: Company, management: Clients) -> None:
    company.world.empty_pages = True
    first = management.identity_store.list_users(IdentityStoreId=company.store)
    assert first["Users"] == []
    second = management.identity_store.list_users(IdentityStoreId=company.store, NextToken=first["NextToken"])
    assert [user["UserId"] for user in second["Users"]] == [company.user]


@pytest.mark.parametrize(
    ("path", "value"),
    [("userName", "SATO@example.com"), ("UserName", "sato@example.com"), ("emails.value", "sato@example.com")],
)
def test_user_id_by_unique_attribute(company: Company, management: Clients, path: str, value: str) -> None:
    named: Any = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}
    found = management.identity_store.get_user_id(IdentityStoreId=company.store, AlternateIdentifier=named)
    assert found["UserId"] == company.user


def test_user_id_by_external_id_needs_the_issuer(company: Company, management: Clients) -> None:
    client, issuer = management.identity_store, company.world.external_id_issuer
    found = client.get_user_id(
        IdentityStoreId=company.store, AlternateIdentifier={"ExternalId": {"Issuer": issuer, "Id": "entra-1"}}
    )
    assert found["UserId"] == company.user
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_user_id(
            IdentityStoreId=company.store, AlternateIdentifier={"ExternalId": {"Issuer": "x", "Id": "entra-1"}}
        )


def test_group_id_by_display_name(company: Company, management: Clients) -> None:
    named: Any = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "payments-team"}}
    found = management.identity_store.get_group_id(IdentityStoreId=company.store, AlternateIdentifier=named)
    assert found["GroupId"] == company.group


def test_memberships_read_both_ways(company: Company, management: Clients) -> None:
    client = management.identity_store
    members = client.list_group_memberships(IdentityStoreId=company.store, GroupId=company.group)
    groups = client.list_group_memberships_for_member(IdentityStoreId=company.store, MemberId={"UserId": company.user})
    assert members["GroupMemberships"] == groups["GroupMemberships"]
    assert members["GroupMemberships"][0]["MemberId"]["UserId"] == company.user


def test_membership_is_checked_for_each_group(company: Company, management: Clients) -> None:
    other = company.world.add_group("other")
    answer = management.identity_store.is_member_in_groups(
        IdentityStoreId=company.store, MemberId={"UserId": company.user}, GroupIds=[company.group, other]
    )
    assert [result["MembershipExists"] for result in answer["Results"]] == [True, False]


def test_ids_may_be_arns(company: Company, management: Clients) -> None:
    store = f"arn:aws:identitystore::{company.world.management_account_id}:identitystore/{company.store}"
    user = management.identity_store.describe_user(
        IdentityStoreId=store, UserId=f"arn:aws:identitystore:::user/{company.user}"
    )
    assert user["UserId"] == company.user


def test_removed_user_is_gone_with_his_memberships(company: Company, management: Clients) -> None:
    company.world.remove_user(company.user)
    client = management.identity_store
    with pytest.raises(client.exceptions.ResourceNotFoundException) as gone:
        client.describe_user(IdentityStoreId=company.store, UserId=company.user)
    assert members(gone)["ResourceType"] == "USER"
    memberships = client.list_group_memberships(IdentityStoreId=company.store, GroupId=company.group)
    assert memberships["GroupMemberships"] == []


def test_recreated_user_has_a_new_id(company: Company) -> None:
    company.world.remove_user(company.user)
    assert company.world.add_user("sato@example.com", None, None) != company.user


def test_user_names_are_unique_without_case(company: Company) -> None:
    with pytest.raises(ValueError, match="taken"):
        company.world.add_user("Sato@Example.com", None, None)


def test_changed_user_is_found_by_what_he_is_called_now(company: Company, management: Clients) -> None:
    client = management.identity_store
    company.world.change_user(company.user, user_name="sato.new@example.com", external_id="e2", status="DISABLED")
    listed = client.list_users(IdentityStoreId=company.store)["Users"]
    (user,) = (row for row in listed if row["UserId"] == company.user)
    assert (user["UserName"], user["ExternalIds"][0]["Id"]) == ("sato.new@example.com", "e2")
    assert {**user}["UserStatus"] == "DISABLED"
    assert company.world.add_user("sato@example.com", None, None)


def test_renamed_group_keeps_id_and_members(company: Company, management: Clients) -> None:
    client = management.identity_store
    company.world.rename_group(company.group, "renamed")
    group = client.describe_group(IdentityStoreId=company.store, GroupId=company.group)
    assert group["DisplayName"] == "renamed"
    rows = client.list_group_memberships(IdentityStoreId=company.store, GroupId=company.group)["GroupMemberships"]
    assert rows


def test_name_of_another_cannot_be_taken(company: Company) -> None:
    company.world.add_user("tanaka@example.com", None, None)
    company.world.add_group("others")
    with pytest.raises(ValueError, match="taken"):
        company.world.change_user(company.user, user_name="Tanaka@example.com")
    with pytest.raises(ValueError, match="taken"):
        company.world.rename_group(company.group, "Others")


def test_member_account_is_denied(company: Company) -> None:
    member = company.caller(company.account).identity_store
    with pytest.raises(member.exceptions.AccessDeniedException):
        member.list_users(IdentityStoreId=company.store)


def test_store_is_unknown_in_other_regions(company: Company) -> None:
    elsewhere = company.caller(company.delegated, region="us-east-1").identity_store
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
        elsewhere.list_users(IdentityStoreId=company.store)
