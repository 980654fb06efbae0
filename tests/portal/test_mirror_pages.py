"""Accounts, permission sets, people, groups, records and problems: what each page tells."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AppKind
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
BROKEN = '{\n  "Version": "2012-10-17",\n}'


def test_account_names_who_enters_by_which_record() -> None:
    account, record = factories.make_account("payments-prod"), factories.make_record()
    person = factories.make_person("鈴木 蓮")
    factories.make_assignment(person.principal, account=account, record=record)
    html = get_html(make_client(factories.make_user()), f"/accounts/{account.account_id}/")
    assert f"/people/{person.pk}/" in html
    assert f"/assignments/{record.pk}/" in html


def test_record_that_wants_no_more_is_not_given_as_reason() -> None:
    account, record = factories.make_account(), factories.make_record()
    assignment = factories.make_assignment(account=account, record=record)
    assignment.wishes.update(is_current=False)
    assert f"/assignments/{record.pk}/" not in get_html(
        make_client(factories.make_user()), f"/accounts/{account.account_id}/"
    )


def test_management_account_is_left_to_terraform() -> None:
    account = factories.make_account(is_management=True)
    assert "kept in Terraform" in get_text(make_client(factories.make_user()), f"/accounts/{account.account_id}/")


@pytest.mark.parametrize("query", ["payments", "2104 5567", "210455", "決済", "payments production"])
def test_accounts_are_found_by_name_id_and_unit(query: str) -> None:
    factories.make_account("payments-prod", account_id="210455678812", ou="service/決済/Production")
    factories.make_account("billing", account_id="999999999999", ou="business")
    text = get_text(make_client(factories.make_user()), f"/accounts/?q={query}")
    assert "payments-prod" in text
    assert "billing" not in text


def test_accounts_of_one_stage() -> None:
    factories.make_account("payments-prod")
    factories.make_account("ml-playground", stage="sandbox")
    text = get_text(make_client(factories.make_user()), "/accounts/?stage=sandbox")
    assert "ml-playground" in text
    assert "payments-prod" not in text


def test_list_has_fifty_a_page() -> None:
    for number in range(51):
        factories.make_account(f"account-{number:03d}")
    client = make_client(factories.make_user())
    assert "account-050" not in get_text(client, "/accounts/")
    assert "account-050" in get_text(client, "/accounts/?page=2")


@pytest.mark.parametrize(
    ("url", "part"), [("/accounts/", "accounts"), ("/permission-sets/", "permission-sets"), ("/people/", "people")]
)
def test_htmx_gets_the_list_alone(url: str, part: str) -> None:
    client = make_client(factories.make_user())
    assert get_html(client, url, part=part).lstrip().startswith(f'<div id="{part}">')
    assert "<!doctype html>" in get_html(client, url)


def test_set_shows_what_is_in_force_and_what_is_broken() -> None:
    record = factories.make_record(
        AppKind.PERMISSION_SET,
        revision=2,
        in_force={
            "session_duration": 28800,
            "managed_policies": ["ReadOnlyAccess"],
            "inline_policy": '{"Version":"2012-10-17"}',
        },
        body={
            "inline_policy": {"value": BROKEN},
            "session_duration": {"value": "8時間"},
            "managed_policies": {"value": "Billing"},
        },
    )
    factories.make_problem(record, "json_trailing_comma", field="inline_policy", line=2, params={"column": 26})
    permission_set = factories.make_permission_set("LambdaOps", record=record)
    html = get_html(make_client(factories.make_user()), f"/permission-sets/{permission_set.pk}/")
    text = " ".join(html.split())
    assert "8 hours" in text
    assert "8時間" not in text  # the same duration, written another way
    assert "ReadOnlyAccess" in text
    assert "Billing" in text
    assert '<li class="error">' in html
    assert "comma after the last element" in text


def test_unmanaged_set_shows_what_aws_has() -> None:
    permission_set = factories.make_permission_set(
        ownership="not_ours", state="unmanaged", actual={"managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    )
    text = get_text(make_client(factories.make_user()), f"/permission-sets/{permission_set.pk}/")
    assert "was not made by Genkan" in text
    assert "policy/ReadOnlyAccess" in text


def test_person_shows_access_through_groups() -> None:
    person = factories.make_person("鈴木 蓮")
    assert person.principal is not None
    group = factories.make_group("team-payments", person.principal)
    factories.make_assignment(group, account=factories.make_account("payments-prod"))
    text = get_text(make_client(factories.make_user()), f"/people/{person.pk}/")
    assert "payments-prod" in text
    assert "team-payments" in text


@pytest.mark.parametrize("query", ["鈴木", "suzuki@", "SUZUKI", "ｓｕｚｕｋｉ"])
def test_people_are_found_by_name_and_address(query: str) -> None:
    factories.make_person(
        "鈴木 蓮", principal=factories.make_principal("suzuki@example.com"), email="suzuki@example.com"
    )
    assert "鈴木 蓮" in get_text(make_client(factories.make_user("田中 大輔")), f"/people/?q={query}")


def test_group_shows_members() -> None:
    person = factories.make_person("鈴木 蓮")
    assert person.principal is not None
    group = factories.make_group("team-payments", person.principal)
    assert "鈴木 蓮" in get_text(make_client(factories.make_user()), f"/groups/{group.pk}/")


def test_record_compares_revisions() -> None:
    record = factories.make_record(
        revision=3,
        in_force_revision=2,
        in_force={"account_id": "210455678812", "groups": ["team-payments"], "addresses": ["kondo@example.com"]},
        body={
            "account_id": {"value": "2104-5567-8812"},
            "groups": {"value": "team-payments\nteam-paymnts"},
            "more_users": {"value": "kondo@example.com"},
        },
    )
    factories.make_problem(record, "group_unknown", field="groups", line=2, params={"name": "team-paymnts"})
    html = get_html(make_client(factories.make_user()), f"/assignments/{record.pk}/")
    assert html.count('class="differs"') == 1  # account and further users are the same, written another way
    assert "Access stays as in revision 2" in html
    assert "https://kintone.invalid/k/24/show#record=" in html


def test_record_that_never_was_valid_has_nothing_in_force() -> None:
    body = {"account_id": {"value": "12345"}, "permission_set": {"value": "Deploy"}, "note": {"value": "リリース当番"}}
    record = factories.make_record(in_force=None, in_force_revision=None, body=body)
    html = get_html(make_client(factories.make_user()), f"/assignments/{record.pk}/")
    assert "<h1>12345 × Deploy</h1>" in html
    assert "could never be understood" in html
    assert html.count('class="differs"') == 2
    assert "the same" not in html


def test_record_link_of_a_guest_space(settings: Settings) -> None:
    settings.KINTONE_GUEST_SPACE_ID = "7"
    record = factories.make_record()
    html = get_html(make_client(factories.make_user()), f"/assignments/{record.pk}/")
    assert f"https://kintone.invalid/k/guest/7/24/show#record={record.record_id}" in html


def test_page_of_a_record_is_for_assignments_only() -> None:
    record = factories.make_record(AppKind.PERMISSION_SET)
    assert make_client(factories.make_user()).get(f"/assignments/{record.pk}/").status_code == 404


def test_kintone_links_lead_to_the_right_page() -> None:
    client = make_client(factories.make_user())
    assignment, broken = factories.make_record(), factories.make_record(AppKind.PERMISSION_SET)
    record = factories.make_record(AppKind.PERMISSION_SET)
    permission_set = factories.make_permission_set(record=record)
    for found, target in (
        (assignment, f"/assignments/{assignment.pk}/"),
        (record, f"/permission-sets/{permission_set.pk}/"),
        (broken, f"/problems/?record={broken.reference}"),
    ):
        assert client.get(f"/records/{found.app_id}/{found.record_id}/").headers["Location"] == target


@pytest.mark.parametrize("address", ["/accounts/%00/", "/records/%00/1/", "/records/23/%00/"])
def test_address_with_nul_is_not_found(address: str) -> None:
    """PostgreSQL takes no such text, not even to compare."""
    with CaptureQueriesContext(connection) as queries:
        assert make_client(factories.make_user("花")).get(address).status_code == 404
    assert not [query for query in queries if "accounts_account" in query["sql"] or "accounts_record" in query["sql"]]


def test_problems_say_field_line_and_way_out() -> None:
    record = factories.make_record(title="payments-prod")
    factories.make_problem(record, "group_unknown", field="groups", line=2, params={"name": "team-x"})
    text = get_text(make_client(factories.make_user()), "/problems/")
    for words in ("Identity Center has no group “team-x”.", "Check the spelling.", "line 2", "payments-prod"):
        assert words in text


def test_problems_of_one_record() -> None:
    first, second = factories.make_record(title="first record"), factories.make_record(title="second record")
    factories.make_problem(first)
    factories.make_problem(second)
    text = get_text(make_client(factories.make_user()), f"/problems/?record={first.reference}")
    assert "first record" in text
    assert "second record" not in text


def test_every_state_has_words() -> None:
    account = factories.make_account()
    states = (
        "requested",
        "applying",
        "removing",
        "granted",
        "waiting",
        "blocked",
        "failed",
        "drifted",
        "unmanaged",
        "unresolved",
    )
    for state in states:
        factories.make_assignment(account=account, state=state)
    text = get_text(make_client(factories.make_user()), f"/accounts/{account.account_id}/")
    assert text.count("AWS is at work on it.") == 1
    assert "could not be read" in text


def test_day_of_this_year_needs_no_year() -> None:
    account, today = factories.make_account(), timezone.localdate()
    factories.make_assignment(account=account, until=today)
    text = get_text(make_client(factories.make_user()), f"/accounts/{account.account_id}/")
    assert f"until {today.day} {today:%b}" in text
