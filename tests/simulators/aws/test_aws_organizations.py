"""Organizations through boto3."""

import pytest

from tests.simulators.aws.conftest import Clients, Company, members


def test_member_describes_organization(company: Company) -> None:
    organization = company.caller(company.account).organizations.describe_organization()["Organization"]
    assert organization["MasterAccountId"] == company.world.management_account_id


def test_member_may_not_list_accounts(company: Company) -> None:
    member = company.caller(company.account).organizations
    with pytest.raises(member.exceptions.AccessDeniedException):
        member.list_accounts()


def test_delegate_of_any_service_reads(company: Company) -> None:
    company.world.delegate(company.account, "config.amazonaws.com")
    roots = company.caller(company.account).organizations.list_roots()["Roots"]
    assert [root["Id"] for root in roots] == [company.world.root_id]


def test_accounts_come_in_pages_of_twenty(company: Company, management: Clients) -> None:
    for number in range(30):
        company.world.add_account(f"sandbox-{number}", f"sandbox-{number}@example.com")
    pages = list(management.organizations.get_paginator("list_accounts").paginate())
    assert [len(page["Accounts"]) for page in pages] == [20, 14]


def test_max_results_above_twenty_is_refused(management: Clients) -> None:
    with pytest.raises(management.organizations.exceptions.InvalidInputException) as refused:
        management.organizations.list_accounts(MaxResults=21)
    assert members(refused)["Reason"] == "MAX_VALUE_EXCEEDED"


def test_foreign_token_is_refused(company: Company, management: Clients) -> None:
    client = management.organizations
    token = client.list_accounts(MaxResults=1)["NextToken"]
    with pytest.raises(client.exceptions.InvalidInputException) as refused:
        client.list_accounts_for_parent(ParentId=company.product_ou, NextToken=token)
    assert members(refused)["Reason"] == "INVALID_NEXT_TOKEN"


def test_page_token_survives_a_move(company: Company, management: Clients) -> None:
    client = management.organizations
    token = client.list_accounts_for_parent(ParentId=company.product_ou, MaxResults=1)["NextToken"]
    company.world.move_account(company.account, company.world.root_id)
    rest = client.list_accounts_for_parent(ParentId=company.product_ou, NextToken=token)["Accounts"]
    assert [account["Id"] for account in rest] == [company.other_account]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("ACTIVE", "ACTIVE"),
        ("CLOSED", "SUSPENDED"),
        ("PENDING_CLOSURE", "PENDING_CLOSURE"),
        ("PENDING_ACTIVATION", None),
    ],
)
def test_status_follows_state(company: Company, management: Clients, state: str, status: str | None) -> None:
    company.world.set_account_state(company.account, state)
    account = management.organizations.describe_account(AccountId=company.account)["Account"]
    assert (account.get("State"), account.get("Status")) == (state, status)


def test_paths_lead_from_organization_to_account(company: Company, management: Clients) -> None:
    account = management.organizations.describe_account(AccountId=company.account)["Account"]
    unit = management.organizations.describe_organizational_unit(OrganizationalUnitId=company.product_ou)
    path = unit["OrganizationalUnit"]["Path"]
    assert path.startswith(f"{company.world.organization.id}/{company.world.root_id}/ou-")
    assert account["Paths"] == [f"{path}{company.account}/"]


def test_children_and_parents_agree(company: Company, management: Clients) -> None:
    client = management.organizations
    children = client.list_children(ParentId=company.product_ou, ChildType="ACCOUNT")["Children"]
    parents = [client.list_parents(ChildId=child["Id"])["Parents"] for child in children]
    assert parents == [[{"Id": company.product_ou, "Type": "ORGANIZATIONAL_UNIT"}]] * 2


def test_unknown_ids_have_their_own_errors(company: Company, management: Clients) -> None:
    client = management.organizations
    with pytest.raises(client.exceptions.AccountNotFoundException):
        client.describe_account(AccountId="000000000000")
    with pytest.raises(client.exceptions.ParentNotFoundException):
        client.list_accounts_for_parent(ParentId="ou-abcd-00000000")
    with pytest.raises(client.exceptions.ChildNotFoundException):
        client.list_parents(ChildId="000000000000")
    with pytest.raises(client.exceptions.TargetNotFoundException):
        client.list_tags_for_resource(ResourceId="000000000000")


def test_account_tags_are_listed(company: Company, management: Clients) -> None:
    company.world.set_tags(company.account, {"owners": "sato@example.com", "費用": "決済"})
    tags = management.organizations.list_tags_for_resource(ResourceId=company.account)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"owners": "sato@example.com", "費用": "決済"}


def test_delegated_administrator_is_found_by_service(company: Company, management: Clients) -> None:
    found = management.organizations.list_delegated_administrators(ServicePrincipal="sso.amazonaws.com")
    assert [account["Id"] for account in found["DelegatedAdministrators"]] == [company.delegated]
    none = management.organizations.list_delegated_administrators(ServicePrincipal="config.amazonaws.com")
    assert none["DelegatedAdministrators"] == []


def test_units_nest_five_deep_at_most(company: Company) -> None:
    unit = company.product_ou
    for name in ("three", "four", "five"):
        unit = company.world.add_ou(name, unit)
    with pytest.raises(ValueError, match="5 deep"):
        company.world.add_ou("six", unit)
