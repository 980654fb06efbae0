"""The guardrails in words, and what a rule would touch: who sees which, and what is said."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.guardrails import anchor_of
from accounts.models import Account, Assignment, AuditEvent, Guardrail, OwnerEntry, Problem, User
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
LIST, WHAT_IF = "/guardrails/", "/guardrails/what-if/"
GROUPS = f"{WHAT_IF}?effect=groups_only&existing=keep&is_owner=unknown"


@pytest.fixture
def account() -> Account:
    return factories.make_account("payments-prod", ou="service/決済")


@pytest.fixture
def there(account: Account) -> Assignment:
    taro = factories.make_principal("taro@example.com", display_name="山田 太郎")
    return factories.make_assignment(taro, account=account, record=factories.make_record())


@pytest.fixture
def reader() -> Client:
    return make_client(factories.make_user())


def write(name: str = "prod", **values: Any) -> Guardrail:
    return Guardrail.objects.create(**{"name": name, "sentence": "なぜなら", "effect": "refuse"} | values)


# --- The rules in words -----------------------------------------------------------------------------------------------


def test_rule_stands_there_with_path_author_and_time(reader: Client, account: Account) -> None:
    assert account.ou
    admin = factories.make_user("管理 花子", is_staff=True)
    write(ou_id=account.ou.ou_id, power="admin", effect="expires_within", days=7, created_by=admin)
    text = get_text(reader, LIST)
    for words in (
        "everything below service/決済", account.ou.ou_id, "sets that grant: administrator rights", "at most 7 days",
        "It stays, and is listed.", "管理 花子", "なぜなら",
    ):  # fmt: skip
        assert words in text, words


def test_each_part_of_a_rule_has_words(reader: Client) -> None:
    table: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["every account", "all access", "Nobody new is let in."]),
        ({"stage": "production"}, ["those whose stage is not known"]),
        ({"tag": "team=shop"}, ["team=shop"]),
        ({"permission_set_name": "Admin", "principal_type": "USER"}, ["the permission set Admin", "people themselves"]),
        ({"is_owner": False, "effect": "owners_only"}, ["whoever does not own", "Only owners of the account"]),
        ({"effect": "keep"}, ["Emergency access"]),
        ({"existing": "end", "ends_on": "2026-12-31"}, ["It ends after 2026-12-31."]),
        ({"ou_id": "ou-gone"}, ["an OU that is not there any more", "not there"]),
        ({"account_id": "000000000077"}, ["an account that is not there any more"]),
        ({"is_active": False}, ["These decide nothing"]),
    ]
    for number, (values, _words) in enumerate(table):
        write(f"rule-{number}-", **values)
    parts = get_text(reader, LIST).partition("rule-0-")[2].split("rule-")
    for (_values, words), text in zip(table, parts, strict=True):
        assert [each for each in words if each not in text and each != "These decide nothing"] == []
    assert "These decide nothing" in parts[-2]


def test_people_who_may_register_are_named(reader: Client) -> None:
    factories.make_principal("hana@example.com", display_name="佐藤 花")
    write(effect="roles_only", roles="HANA@example.com nobody@example.com")
    text = get_text(reader, LIST)
    assert "佐藤 花" in text
    assert "nobody@example.com · no longer there" in text


def test_what_is_wrong_with_a_rule_stands_at_it(reader: Client) -> None:
    write()
    Problem.objects.create(code="guardrail_matches_no_account", severity="warning", params={"rule": "prod"})
    assert "No account fits all" in get_text(reader, LIST)


def test_sentences_lead_to_the_rule(reader: Client, there: Assignment) -> None:
    write()
    Assignment.objects.update(reason={"code": "guardrail_kept", "params": {"rule": "prod", "sentence": "なぜなら"}})
    factories.make_problem(None, "guardrail_refuses", params={"rule": "prod", "names": "taro"})
    place = f'href="{LIST}#{anchor_of("prod")}"'
    assert f'id="{anchor_of("prod")}"' in get_html(reader, LIST)
    for page in (f"/accounts/{there.account.account_id}/", "/problems/"):
        assert place in get_html(reader, page), page


def test_only_admins_are_offered_to_edit(reader: Client) -> None:
    rule = write()
    admin = make_client(factories.make_user(is_staff=True))
    edit = f"/admin/accounts/guardrail/{rule.pk}/change/"
    assert [edit in get_html(client, LIST) for client in (reader, admin)] == [False, True]


def test_own_visibility_shows_rules_about_own_accounts(settings: Settings, account: Account) -> None:
    settings.VISIBILITY = "own"
    owner, auditor = factories.make_user(), factories.make_user(is_auditor=True)
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    write("mine", account_id=account.account_id)
    other = write("other", account_id=factories.make_account().account_id)
    seen = [get_text(make_client(user), LIST) for user in (owner, auditor, factories.make_user())]
    assert [("mine" in text, "other" in text) for text in seen] == [(True, False), (True, True), (False, False)]
    assert make_client(owner).get(f"{WHAT_IF}?rule={other.pk}").status_code == 404


# --- What a rule would touch ------------------------------------------------------------------------------------------


def test_trial_lists_what_it_touches_and_changes_nothing(reader: Client, there: Assignment) -> None:
    text = get_text(reader, GROUPS)
    assert "1 stays, and is listed" in text
    assert "payments-prod" in text
    assert "山田 太郎" in text
    assert not Guardrail.objects.exists()
    assert not AuditEvent.objects.filter(object_type="guardrail").exists()


def test_empty_form_tries_nothing(reader: Client, there: Assignment) -> None:
    assert "What it touches" not in get_text(reader, WHAT_IF)
    assert "touches nothing" in get_text(reader, f"{GROUPS}&stage=sandbox")


def test_saved_rule_is_compared_with_its_change(reader: Client, there: Assignment) -> None:
    rule = write(effect="groups_only")
    assert "prod" in get_text(reader, f"{WHAT_IF}?rule={rule.pk}")
    assert "touches nothing" in get_text(reader, f"{GROUPS}&rule={rule.pk}")
    yesterday = timezone.localdate() - timedelta(days=1)
    ending = f"{WHAT_IF}?rule={rule.pk}&effect=groups_only&existing=end&ends_on={yesterday}&is_owner=unknown"
    assert "1 removed by the next run" in get_text(reader, ending)


def test_what_is_wrong_stands_at_its_field(reader: Client) -> None:
    table = {
        "effect=expires_within&existing=keep": "Say how many days.",
        "effect=roles_only&existing=keep&roles=nobody": "Nobody of this name",
        "effect=refuse&existing=end": "Say on which day it ends.",
        "effect=refuse&existing=keep&account_id=000000000000": "no such account",
        "effect=refuse&existing=keep&ou_id=ou-none": "no such OU",
        "effect=nonsense&existing=keep": "Select a valid choice",
    }
    for query, words in table.items():
        text = get_text(reader, f"{WHAT_IF}?{query}")
        assert words in text
        assert "What it touches" not in text


def test_form_of_the_admin_site_leads_to_an_address(reader: Client, there: Assignment) -> None:
    response = reader.post(
        WHAT_IF, {"effect": "groups_only", "existing": "keep", "name": "x", "csrfmiddlewaretoken": "y"}
    )
    assert response.status_code == 302
    assert response["Location"] == f"{WHAT_IF}?effect=groups_only&existing=keep"


def test_own_visibility_counts_own_access_only(settings: Settings, there: Assignment) -> None:
    settings.VISIBILITY = "own"
    user = factories.make_user()
    factories.make_assignment(user, record=factories.make_record())
    text = get_text(make_client(user), GROUPS)
    assert "1 stays, and is listed" in text
    assert "山田 太郎" not in text


@pytest.mark.parametrize("url", [LIST, WHAT_IF, GROUPS])
def test_everybody_signed_in_reads(url: str, there: Assignment) -> None:
    assert Client().get(url)["Location"].startswith("/sign-in/?next=/guardrails/")
    owner = factories.make_user()
    OwnerEntry.objects.create(account=there.account, principal=factories.get_principal(owner))
    for user in (owner, factories.make_user(is_staff=True), factories.make_user(is_auditor=True)):
        assert make_client(user).get(url).status_code == 200


@pytest.mark.parametrize(("url", "method"), [(LIST, "post"), (LIST, "delete"), (WHAT_IF, "put"), (WHAT_IF, "delete")])
def test_other_methods_are_not_allowed(url: str, method: str, reader: Client) -> None:
    assert getattr(reader, method)(url).status_code == 405


@pytest.mark.parametrize("query", ["rule=9999", "rule=x", "rule=99999999999999999999"])
def test_rule_that_is_not_there_is_404(query: str, reader: Client) -> None:
    assert reader.get(f"{WHAT_IF}?{query}").status_code == 404


def test_pages_are_of_fifty(reader: Client, account: Account) -> None:
    permission_set = factories.make_permission_set()
    for _number in range(51):
        factories.make_assignment(account=account, permission_set=permission_set)
    assert get_html(reader, GROUPS).count('class="way ') == 50
    assert get_html(reader, f"{GROUPS}&page=2").count('class="way ') == 1
    assert "Page 2 of 2" in get_text(reader, f"{GROUPS}&page=999")


def test_statements_do_not_grow(reader: Client) -> None:
    user = factories.make_user(is_staff=True)
    client, counts = make_client(user), []
    for many in (2, 15):
        for _number in range(many):
            factories.make_assignment(record=factories.make_record())
            write(f"rule {Guardrail.objects.count()}", effect="roles_only", roles="a@example.com", stage="production")
        counts.append([count_statements(client, url) for url in (LIST, GROUPS)])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 40


def count_statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        get_html(client, url)
    return len(queries)


# --- The admin site ---------------------------------------------------------------------------------------------------

ADD = "/admin/accounts/guardrail/add/"


def fill(**values: str) -> dict[str, str]:
    return {
        "name": "prod", "sentence": "なぜなら", "is_active": "on", "effect": "groups_only", "existing": "keep",
        "is_owner": "unknown",
    } | values  # fmt: skip


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理 花子", is_staff=True)


def test_admin_reads_what_ends_before_it_is_saved(admin: User, there: Assignment) -> None:
    client = make_client(admin)
    values = fill(existing="end", ends_on=str(timezone.localdate() - timedelta(days=1)))
    response = client.post(ADD, values)
    html = response.content.decode()
    assert "Nothing is saved yet. It touches: removed by the next run: 1." in html
    assert not Guardrail.objects.exists()
    seen = response.context["adminform"].form["seen"].value()
    assert client.post(ADD, values | {"seen": seen, "effect": "owners_only"}).status_code == 200, "other values"
    assert client.post(ADD, values | {"seen": seen}).status_code == 302
    assert Guardrail.objects.get().created_by == admin


def test_list_that_has_grown_is_shown_anew(admin: User, there: Assignment) -> None:
    client = make_client(admin)
    values = fill(existing="end", ends_on=str(timezone.localdate() - timedelta(days=1)))
    seen = client.post(ADD, values).context["adminform"].form["seen"].value()
    factories.make_assignment(account=there.account)
    assert client.post(ADD, values | {"seen": seen}).status_code == 200


def test_rule_that_keeps_what_is_there_is_saved_and_told(admin: User, there: Assignment) -> None:
    response = make_client(admin).post(ADD, fill(), follow=True)
    assert "It touches: stays, and is listed: 1." in response.content.decode()


def test_change_notes_who_and_when(admin: User) -> None:
    rule = write(effect="groups_only", created_by=admin)
    other = factories.make_user(is_staff=True)
    make_client(other).post(f"/admin/accounts/guardrail/{rule.pk}/change/", fill())
    rule.refresh_from_db()
    assert (rule.created_by, rule.changed_by, rule.changed_at is not None) == (admin, other, True)


def test_form_offers_units_by_path_and_the_trial(admin: User, account: Account) -> None:
    html = get_html(make_client(admin), ADD)
    assert "service/決済 (" in html
    assert f'formaction="{WHAT_IF}"' in html
    gone = write("gone", ou_id="ou-gone")
    assert '<option value="ou-gone" selected>' in get_html(
        make_client(admin), f"/admin/accounts/guardrail/{gone.pk}/change/"
    )


def test_deletion_says_what_loses_its_protection(admin: User, there: Assignment) -> None:
    keeping, other = write("emergency", effect="keep"), write("aside", is_active=False)
    client, words = make_client(admin), "It touches: is not spared any more: 1."
    pages = [get_html(client, f"/admin/accounts/guardrail/{rule.pk}/delete/") for rule in (keeping, other)]
    assert [words in page for page in pages] == [True, False]
