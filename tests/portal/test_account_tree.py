"""Accounts with the tree of units beside them: counts, narrowing, and what it costs at the size of a company."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, OrganizationalUnit, OwnerEntry
from tests import factories
from tests.portal.pages import get_html, get_text, make_client
from tests.portal.test_owner_pages import READ, Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def org() -> Organization:
    return Organization()


@pytest.fixture
def reader() -> Client:
    return make_client(factories.make_user())


def list_tree(html: str) -> list[str]:
    """The lines of the tree as “name count”."""
    tree = html.partition('<nav class="tree"')[2].partition("</nav>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in re.findall(r"<a .*?</a>", tree, re.DOTALL)]


def list_names(html: str) -> list[str]:
    return re.findall(r'<a class="name" href="/accounts/\d+/">([^<]+)</a>', html)


def test_tree_counts_what_lies_below(org: Organization, reader: Client) -> None:
    factories.make_account("left", ou=org.payments.path, gone_at=timezone.now())
    lines = list_tree(get_html(reader, "/accounts/"))
    assert lines == ["All accounts 2", "sandbox 1", "service 1", "payments 1"]


def test_account_from_organizations_appears_by_itself(org: Organization, reader: Client) -> None:
    factories.make_account("new", ou=org.payments.path)
    Account.objects.create(account_id="099999999999", name="homeless")
    html = get_html(reader, "/accounts/")
    assert list_tree(html) == ["All accounts 4", "sandbox 1", "service 2", "payments 2", "Outside the units 1"]
    assert list_names(get_html(reader, "/accounts/?ou=none")) == ["homeless"]


def test_unit_narrows_to_all_below_it(org: Organization, reader: Client) -> None:
    assert list_names(get_html(reader, f"/accounts/?ou={org.service.pk}")) == ["payments-prod"]
    html = get_html(reader, f"/accounts/?ou={org.payments.pk}&q=nothing-like-it")
    assert list_names(html) == []
    assert f'href="?ou={org.sandbox.pk}&amp;q=nothing-like-it"' in html


def test_way_to_the_unit_stands_open(org: Organization, reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.views.unit_tree.SMALL", 0)
    assert "<details >" in get_html(reader, "/accounts/")
    assert "<details open>" in get_html(reader, f"/accounts/?ou={org.payments.pk}")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("", {"payments-prod", "play", "closed", "main"}),
        ("active", {"payments-prod", "play", "main"}),
        ("inactive", {"closed"}),
        ("management", {"main"}),
        ("unowned", {"play"}),
        ("orphaned", {"payments-prod"}),
        ("nonsense", {"payments-prod", "play", "closed", "main"}),
    ],
)
def test_kinds_are_told_apart(kind: str, names: set[str], org: Organization, reader: Client) -> None:
    factories.make_account("closed", ou=org.sandbox.path, state=Account.State.SUSPENDED, **READ)
    factories.make_account("main", ou=org.sandbox.path, is_management=True, **READ)
    OwnerEntry.objects.create(ou=org.service, principal=factories.make_principal(gone_at=timezone.now()))
    assert set(list_names(get_html(reader, f"/accounts/?kind={kind}"))) == names


@pytest.mark.parametrize("ou", ["x", "-1", "9999", "9" * 40, "1 OR 1", "%00"])
def test_odd_units_do_no_harm(ou: str, org: Organization, reader: Client) -> None:
    assert reader.get(f"/accounts/?ou={ou}").status_code == 200


def test_tree_shows_only_what_one_may_see(org: Organization, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    user = factories.make_user()
    OwnerEntry.objects.create(account=org.play, principal=factories.get_principal(user))
    html = get_html(make_client(user), "/accounts/")
    assert list_tree(html) == ["All accounts 1", "sandbox 1"]
    assert list_names(get_html(make_client(user), f"/accounts/?ou={org.payments.pk}")) == []
    assert "payments" not in get_text(make_client(user), "/accounts/?kind=unowned")


def test_two_hundred_units_cost_no_more_statements(org: Organization, reader: Client) -> None:
    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            get_html(reader, address)
        return len(queries)

    few = count("/accounts/?kind=unowned")
    units = [
        OrganizationalUnit(
            ou_id=f"ou-x-{number}", name=f"u{number}", path=f"service/u{number}", parent=org.service, **READ
        )
        for number in range(200)
    ]
    stored = OrganizationalUnit.objects.bulk_create(units)
    accounts: list[dict[str, Any]] = [
        {"account_id": f"{200000000000 + number}", "name": f"a{number:04}", "ou": stored[number % 200], **READ}
        for number in range(1000)
    ]
    Account.objects.bulk_create(Account(**values) for values in accounts)
    assert count("/accounts/?kind=unowned") == few <= 40
    assert count("/accounts/") <= 20
