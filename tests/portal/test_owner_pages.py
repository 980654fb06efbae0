"""Who owns what, on the pages of units and accounts, and admins who name owners."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AuditEvent, OrganizationalUnit, OwnerEntry, Principal, User
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
READ = {"tags_read_at": timezone.now()}
Roles = dict[str, Any]


class Organization:
    """service ⊃ payments ⊃ two accounts, and a sandbox beside it."""

    def __init__(self) -> None:
        self.root = OrganizationalUnit.objects.create(ou_id="r-abcd", name="Root", path="", **READ)
        self.service = self._make("service", self.root)
        self.payments = self._make("payments", self.service)
        self.sandbox = self._make("sandbox", self.root)
        self.account = factories.make_account("payments-prod", ou=self.payments.path, **READ)
        self.play = factories.make_account("play", ou=self.sandbox.path, stage="sandbox", **READ)

    @staticmethod
    def _make(name: str, parent: OrganizationalUnit) -> OrganizationalUnit:
        path = f"{parent.path}/{name}".strip("/")
        return OrganizationalUnit.objects.create(ou_id=f"ou-abcd-{name}", name=name, path=path, parent=parent, **READ)

    def page(self, unit: OrganizationalUnit) -> str:
        return f"/ous/{unit.pk}/"

    @property
    def forms(self) -> list[str]:
        return [f"/ous/{self.service.pk}/owners/", f"/accounts/{self.account.account_id}/owners/"]


@pytest.fixture
def org() -> Organization:
    return Organization()


@pytest.fixture
def admin() -> Client:
    return make_client(factories.make_user("管理 花", is_staff=True))


def own(owned: Account | OrganizationalUnit, principal: Principal) -> OwnerEntry:
    key = {"account": owned} if isinstance(owned, Account) else {"ou": owned}
    return OwnerEntry.objects.create(**key, principal=principal)


def test_page_of_a_unit_shows_what_is_inherited(org: Organization, admin: Client) -> None:
    own(org.service, factories.make_group("platform-team", factories.make_principal()))
    text = get_text(admin, org.page(org.payments))
    assert "platform-team from service" in text
    assert "payments-prod platform-team from service" in text
    assert "platform-team named here" in get_text(admin, org.page(org.service))


def test_account_says_by_whose_word_it_is_owned(org: Organization, admin: Client) -> None:
    hana = factories.get_principal(factories.make_person("花"))
    own(org.service, factories.get_principal(factories.make_person("次郎")))
    Account.objects.filter(pk=org.account.pk).update(owners_tag=hana.name)
    address = f"/accounts/{org.account.account_id}/"
    assert "花 by the tag in Organizations" in get_text(admin, address)
    own(org.account, hana)
    assert "花 named here" in get_text(admin, address)


@pytest.mark.parametrize("state", [{"is_enabled": False}, {"gone_at": timezone.now()}])
def test_owners_who_left_are_told(state: dict[str, Any], org: Organization, admin: Client) -> None:
    own(org.account, factories.make_principal("left@example.com", display_name="去 った", **state))
    text = get_text(admin, f"/accounts/{org.account.account_id}/")
    assert "去 った has left nobody of them is there" in text
    assert "no owner" not in text


def test_unowned_accounts_say_what_follows(org: Organization, admin: Client, settings: Settings) -> None:
    settings.CLAIMABLE_STAGES, settings.PROTECTED_OUS = ["sandbox"], ("service/payments",)
    assert "no owner whoever registers here owns it" in get_text(admin, org.page(org.sandbox))
    assert "no owner protected" in get_text(admin, org.page(org.payments))


def test_accounts_of_all_units_below_are_listed_in_pages(org: Organization, admin: Client) -> None:
    for number in range(60):
        factories.make_account(f"more-{number:02}", ou=org.payments.path)
    assert "61 accounts" in get_text(admin, org.page(org.service))
    assert "more-59" in get_text(admin, org.page(org.service) + "?page=2")
    assert "play" not in get_text(admin, org.page(org.service)).replace("display", "")


def test_statements_do_not_grow_with_owners(org: Organization, admin: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_html(admin, org.page(org.service))
        return len(queries)

    own(org.account, factories.make_group("a", factories.make_principal()))
    few = count()
    for number in range(20):
        unit = org._make(f"unit-{number}", org.service)
        own(unit, factories.make_group(f"team-{number}", factories.make_principal()))
        own(factories.make_account(ou=org.payments.path), factories.make_group("", factories.make_principal()))
    assert count() == few <= 20


# Naming


@pytest.mark.parametrize("write", [lambda row: row.email, lambda row: row.name.upper(), lambda row: row.display_name])
def test_admin_names_an_owner(write: Callable[[Principal], str], org: Organization, admin: Client) -> None:
    hana = factories.make_principal("hana@example.com", display_name="山田 花", email="hana@mail.example.com")
    for address in org.forms:
        assert admin.post(address, {"who": write(hana)}).status_code == 302
    entries = OwnerEntry.objects.all()
    assert {(entry.ou, entry.account, entry.principal) for entry in entries} == {
        (org.service, None, hana),
        (None, org.account, hana),
    }
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.about_account) == ("owner.name", org.account.account_id)
    assert (event.before, event.after) == ({"owners": []}, {"owners": ["山田 花"]})
    assert event.about_principal == hana.principal_id


def test_word_that_means_several_asks(org: Organization, admin: Client) -> None:
    one, other = (factories.make_principal(f"{name}@example.com", display_name=f"佐藤 {name}") for name in ("a", "b"))
    html = admin.post(org.forms[1], {"who": "佐藤"}).content.decode()
    assert f'value="{one.pk}"' in html
    assert not OwnerEntry.objects.exists()
    admin.post(org.forms[1], {"principal": other.pk})
    assert OwnerEntry.objects.get().principal == other


@pytest.mark.parametrize("who", ["", "nobody-has-this", "<script>alert(1)</script>", "\0", "x" * 5000])
def test_word_that_means_nobody_is_kept(who: str, org: Organization, admin: Client) -> None:
    html = admin.post(org.forms[0], {"who": who}).content.decode()
    assert 'aria-invalid="true"' in html
    assert "<script>alert" not in html
    assert not OwnerEntry.objects.exists()


@pytest.mark.parametrize("values", [{"principal": "999999"}, {"principal": "x"}, {}, {"principal": "9" * 30}])
def test_odd_choices_name_nobody(values: dict[str, str], org: Organization, admin: Client) -> None:
    assert admin.post(org.forms[0], values).status_code == 200
    assert not OwnerEntry.objects.exists()


@pytest.mark.parametrize("state", [{"gone_at": timezone.now()}, {"principal_id": None}])
def test_nobody_is_named_who_is_not_there(state: dict[str, Any], org: Organization, admin: Client) -> None:
    ghost = factories.make_principal("ghost@example.com", **state)
    admin.post(org.forms[0], {"principal": ghost.pk})
    admin.post(org.forms[0], {"who": "ghost@example.com"})
    assert not OwnerEntry.objects.exists()


def test_naming_twice_is_naming_once(org: Organization, admin: Client) -> None:
    hana = factories.make_principal("hana@example.com")
    for _time in range(2):
        admin.post(org.forms[1], {"principal": hana.pk})
    assert OwnerEntry.objects.count() == AuditEvent.objects.filter(action="owner.name").count() == 1


def test_claim_becomes_the_word_of_an_admin(org: Organization, admin: Client) -> None:
    entry = own(org.account, factories.make_principal())
    OwnerEntry.objects.update(how=OwnerEntry.How.CLAIM)
    admin.post(org.forms[1], {"principal": entry.principal_id})
    assert OwnerEntry.objects.get().how == OwnerEntry.How.ADMIN


def test_owner_is_taken_away(org: Organization, admin: Client) -> None:
    entry, other = own(org.account, factories.make_principal("a")), own(org.play, factories.make_principal("b"))
    for _time in range(2):
        assert admin.post(org.forms[1], {"remove": entry.pk}).status_code == 302
    admin.post(org.forms[1], {"remove": other.pk})  # of another account
    assert OwnerEntry.objects.get() == other
    event = AuditEvent.objects.get(action="owner.remove")
    assert (event.before, event.after) == ({"owners": ["a"]}, {"owners": []})


# Who may


@pytest.mark.parametrize("role", [{}, {"is_auditor": True}, {"owns": True}])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_admins_name_owners(role: Roles, method: str, org: Organization) -> None:
    user = factories.make_user(**{name: value for name, value in role.items() if name != "owns"})
    if "owns" in role:
        own(org.service, factories.get_principal(user))
    victim = factories.make_principal("victim@example.com")
    count = OwnerEntry.objects.count()
    for address in org.forms:
        assert getattr(make_client(user), method)(address, {"principal": victim.pk}).status_code == 403
    assert OwnerEntry.objects.count() == count
    assert "Name an owner" not in get_text(make_client(user), org.page(org.service))


def test_anonymous_is_led_to_sign_in(org: Organization) -> None:
    for address in (*org.forms, org.page(org.service)):
        assert "/sign-in/" in Client().get(address).headers["Location"]
        assert "/sign-in/" in Client().post(address).headers["Location"]


def test_wrong_methods_and_ids(org: Organization, admin: Client) -> None:
    assert admin.post(org.page(org.service)).status_code == 405
    assert {admin.put(address).status_code for address in org.forms} == {405}
    for address in ("/ous/9999/", "/ous/9999/owners/", "/accounts/000000000000/owners/", "/accounts/x/owners/"):
        assert admin.get(address).status_code == 404


def test_visibility_hides_units_and_accounts(org: Organization, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    user: User = factories.make_user()
    foreign = factories.make_account("foreign", ou=org.payments.path)
    own(org.account, factories.get_principal(user))
    client = make_client(user)
    assert client.get(org.page(org.sandbox)).status_code == 404
    text = get_text(client, org.page(org.service))
    assert "1 account" in text
    assert foreign.name not in get_text(client, org.page(org.payments))
