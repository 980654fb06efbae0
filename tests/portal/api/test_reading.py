"""Reading through the API: a token shows what its person sees, and nothing else."""

import configparser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from tests import factories
from tests.portal.api.scripts import API, code_of, make_client, read
from tests.portal.pages import get_text
from tests.portal.pages import make_client as make_browser

pytestmark = pytest.mark.django_db
READS = (
    "me", "access", "cli-config", "accounts", "accounts/{account}", "accounts/{account}/people", "permission-sets",
    "assignments", "runs", "runs/{run}",
)  # fmt: skip


@pytest.fixture
def user() -> User:
    return factories.make_user("花", last_login=timezone.now())


class Company:
    """The user is in payments by a group; somebody else in ledger."""

    def __init__(self, user: User) -> None:
        factories.make_instance()
        self.group = factories.make_group("platform", factories.get_principal(user))
        self.other = factories.make_person("健")
        self.payments = factories.make_account("payments", ou="service/shop")
        self.ledger = factories.make_account("ledger")
        self.reader = factories.make_permission_set("Reader")
        record = factories.make_record()
        self.record = record
        factories.make_assignment(self.group, account=self.payments, permission_set=self.reader, record=record)
        factories.make_assignment(
            factories.get_principal(self.other), account=self.ledger, permission_set=self.reader, record=record
        )
        self.run = factories.make_run()

    def list_addresses(self) -> list[str]:
        values = {"account": self.payments.account_id, "run": self.run.pk}
        return [API + address.format(**values) for address in READS]


@pytest.fixture
def company(user: User) -> Company:
    return Company(user)


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_nothing_is_said_without_a_token(company: Company, user: User) -> None:
    signed_in = Client()
    signed_in.force_login(user)
    for address in company.list_addresses():
        for client in (Client(), signed_in, Client(headers={"authorization": "Basic Z25r"})):
            response = client.get(address)
            assert code_of(response) == (401, "token_missing"), address
            assert response["WWW-Authenticate"].startswith("Bearer")
        assert code_of(Client(headers={"authorization": "Bearer gnk_no"}).get(address)) == (401, "token_wrong")


def test_token_for_the_cli_reads_that_alone(company: Company, user: User) -> None:
    client = make_client(user, "cli")
    found = {address: client.get(address).status_code for address in company.list_addresses()}
    assert {address for address, status in found.items() if status == 200} == {API + "cli-config"}
    assert set(found.values()) == {200, 403}


def test_every_address_answers_and_changes_nothing(company: Company, user: User) -> None:
    client = make_client(user)
    for address in company.list_addresses():
        assert client.get(address).status_code == 200, address
        assert client.post(address).status_code in (403, 405), address
        assert client.delete(address).status_code in (403, 404, 405), address


def test_what_is_not_there_is_said_in_json(company: Company, user: User) -> None:
    client = make_client(user)
    for address in ("accounts/000000000000", "accounts/x/people", "runs/999999", "nowhere", "nowhere/else/"):
        assert code_of(client.get(API + address)) == (404, "api_not_found"), address
    assert code_of(client.get(API + "runs/x")) == (422, "api_input_wrong")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"after": -1}, {"state": "nice"}, {"after": "\0"}])
def test_bad_input_is_told(company: Company, user: User, query: dict[str, Any]) -> None:
    assert code_of(make_client(user).get(API + "assignments", query)) == (422, "api_input_wrong")


def test_nul_finds_nothing(company: Company, user: User) -> None:
    client = make_client(user)
    for name in ("account_id", "permission_set", "principal"):
        assert client.get(API + "assignments", {name: "x\0y"}).json()["items"] == []


def test_errors_are_in_the_reader_s_language(user: User) -> None:
    texts = {
        language: Client(headers={"accept-language": language}).get(API + "me").json()["error"]["message"]
        for language in ("ja", "en")
    }
    assert texts["en"].startswith("No access token")
    assert texts["ja"].startswith("リクエスト")


def test_too_many_requests_wait(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, other = make_client(user), make_client(user)
    statuses = [client.get(API + "me").status_code for _time in range(301)]
    assert statuses == [200] * 300 + [429]
    response = client.get(API + "me")
    assert code_of(response) == (429, "api_too_often")
    assert 0 < int(response["Retry-After"]) <= 60
    assert other.get(API + "me").status_code == 200


# --- What is answered -------------------------------------------------------------------------------------------------


def test_me_is_the_person_of_the_token(user: User) -> None:
    found = read(make_client(user), "me")
    assert (found["name"], found["is_admin"], found["scope"]) == ("花", False, "read")


def test_own_access_has_its_console_link_and_reason(company: Company, user: User) -> None:
    (row,) = read(make_client(user), "access")
    assert (row["account_name"], row["permission_set"], row["principal"]) == ("payments", "Reader", "platform")
    assert (row["state"], row["records"]) == ("granted", [company.record.reference])
    assert company.payments.account_id in row["console_url"]
    assert read(make_client(user), "access", account_id=company.ledger.account_id) == []


def test_people_of_an_account_come_with_their_ways(company: Company, user: User) -> None:
    client = make_client(user)
    page = read(client, f"accounts/{company.payments.account_id}/people")
    assert [(item["name"], item["ways"]) for item in page["items"]] == [
        ("花", [{"permission_set": "Reader", "through": "platform", "expires_on": None}])
    ]
    assert read(client, f"accounts/{company.payments.account_id}/people", permission_set="Other")["items"] == []
    page = read(client, f"accounts/{company.ledger.account_id}/people")
    assert [(item["name"], item["ways"][0]["through"]) for item in page["items"]] == [("健", "")]


def test_assignments_are_found_by_each_filter(company: Company, user: User) -> None:
    client = make_client(user)
    other = factories.get_principal(company.other)
    for query, count in (
        ({}, 2),
        ({"account_id": company.payments.account_id}, 1),
        ({"account_id": company.payments.spaced_id.replace(" ", "-")}, 1),
        ({"permission_set": "Reader"}, 2),
        ({"principal": "PLATFORM"}, 1),
        ({"principal": other.principal_id}, 1),
        ({"state": "granted"}, 2),
        ({"state": "failed"}, 0),
    ):
        assert len(read(client, "assignments", **query)["items"]) == count, query


def test_pages_follow_one_another(company: Company, user: User) -> None:
    for _number in range(3):
        factories.make_account()
    client, names = make_client(user), []
    page: dict[str, Any] = {"next": 0}
    while page["next"] is not None:
        page = read(client, "accounts", limit=2, after=page["next"])
        names += [item["name"] for item in page["items"]]
    assert len(names) == len(set(names)) == 5


def test_runs_come_newest_first(company: Company, user: User) -> None:
    newer = factories.make_run()
    client = make_client(user)
    page = read(client, "runs", limit=1)
    assert ([item["id"] for item in page["items"]], page["next"]) == ([newer.pk], newer.pk)
    page = read(client, "runs", limit=1, before=page["next"])
    assert ([item["id"] for item in page["items"]], page["next"]) == ([company.run.pk], None)
    assert read(client, f"runs/{newer.pk}")["url"].endswith(f"/runs/{newer.pk}/")


def test_cli_config_is_a_file_for_the_cli(company: Company, user: User) -> None:
    client = make_client(user, "cli")
    response = client.get(API + "cli-config", {"region": "ap-northeast-1"})
    assert response["Content-Type"].startswith("text/plain")
    config = configparser.ConfigParser()
    config.read_string(response.content.decode())
    (profile,) = (name for name in config.sections() if name.startswith("profile "))
    assert config[profile]["sso_account_id"] == company.payments.account_id
    assert config[profile]["region"] == "ap-northeast-1"
    assert code_of(client.get(API + "cli-config", {"region": "x\n[y]"})) == (422, "api_input_wrong")


def test_own_visibility_narrows_the_api_too(company: Company, user: User, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    client = make_client(user)
    assert [item["name"] for item in read(client, "accounts")["items"]] == ["payments"]
    assert [item["account_name"] for item in read(client, "assignments")["items"]] == ["payments"]
    assert code_of(client.get(f"{API}accounts/{company.ledger.account_id}"))[0] == 404
    assert code_of(client.get(f"{API}accounts/{company.ledger.account_id}/people"))[0] == 404
    factories.add_member(company.group, factories.get_principal(company.other))
    page = read(client, f"accounts/{company.payments.account_id}/people")
    assert [item["name"] for item in page["items"]] == ["花"]


def test_statements_do_not_grow_with_the_company(company: Company, user: User) -> None:
    client = make_client(user)

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    addresses = company.list_addresses()
    few = [count(address) for address in addresses]
    for _number in range(5):
        person = factories.make_person()
        factories.add_member(company.group, factories.get_principal(person))
        factories.make_assignment(person.principal, account=company.payments, record=factories.make_record())
        factories.make_assignment(company.group, record=factories.make_record())
        factories.make_run()
    assert [count(address) for address in addresses] == few
    assert max(few) <= 15


# --- Its description --------------------------------------------------------------------------------------------------


def test_description_names_every_operation_and_its_token(user: User) -> None:
    schema = Client().get(API + "openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["security"], (method, address)
            assert {"401", "422"} <= operation["responses"].keys()
            assert operation["description"], (method, address)


def test_page_lists_every_operation(user: User) -> None:
    assert Client().get(API).status_code == 302
    page = get_text(make_browser(user), API)
    for address in Client().get(API + "openapi.json").json()["paths"]:
        assert address in page
