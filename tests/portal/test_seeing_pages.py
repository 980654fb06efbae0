"""What the pages of an account, a person and a group tell beside the access: authors, ends, owning, history."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import record_event
from accounts.audit_about import About
from accounts.models import AppKind, OwnerEntry, PortalWrite, User
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return factories.make_user("閲覧者")


def test_line_of_access_names_who_registered_it_and_since_when(user: User) -> None:
    account, writer = factories.make_account(), factories.make_user("登録 花")
    record = factories.make_record(creator_name="Administrator")
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=writer)
    factories.make_assignment(account=account, record=record, since=timezone.now() - timedelta(days=400))
    text = get_text(make_client(user), f"/accounts/{account.account_id}/")
    assert f"record {record.reference} 登録 花" in text
    assert f"granted since {timezone.localtime() - timedelta(days=400):%-d %b %Y}" in text


def test_line_of_a_group_says_how_many_are_in_it(user: User) -> None:
    account = factories.make_account()
    group = factories.make_group("team", factories.get_principal(user), factories.make_principal())
    factories.make_assignment(group, account=account)
    assert "team 2 members" in get_text(make_client(user), f"/accounts/{account.account_id}/")


def test_line_of_a_person_leads_to_why(user: User) -> None:
    account, permission_set = factories.make_account(), factories.make_permission_set()
    factories.make_assignment(user, account=account, permission_set=permission_set)
    assert user.person
    html = get_html(make_client(user), f"/accounts/{account.account_id}/")
    assert f"/why/?person={user.person.pk}&amp;account={account.account_id}&amp;set={permission_set.pk}" in html


def test_group_on_a_persons_page_leads_to_why_for_that_person(user: User) -> None:
    factories.make_assignment(factories.make_group("team", factories.get_principal(user)))
    assert user.person
    assert f"/why/?person={user.person.pk}&amp;" in get_html(make_client(user), f"/people/{user.person.pk}/")


def test_person_page_tells_what_ends_soon(user: User) -> None:
    today = timezone.localdate()
    person = factories.make_person("吉田 さくら")
    soon = factories.make_account("ends-soon")
    factories.make_assignment(person.principal, account=soon, until=today + timedelta(days=30))
    factories.make_assignment(
        person.principal, account=factories.make_account("ends-late"), until=today + timedelta(days=31)
    )
    group = factories.make_group("team", factories.get_principal(person))
    factories.make_assignment(group, account=factories.make_account("ends-in-group"), until=today)
    text = get_text(make_client(user), f"/people/{person.pk}/")
    said = text[text.index("Ends within 30 days") : text.index("What they can enter")]
    assert "ends-soon" in said
    assert "ends-in-group" in said
    assert "ends-late" not in said
    assert "3 accounts 3 permission sets" in text


def test_person_page_tells_what_he_owns(user: User) -> None:
    person = factories.make_person("林 浩二")
    for number in range(8):
        OwnerEntry.objects.create(
            account=factories.make_account(f"owned-{number}"), principal=factories.get_principal(person)
        )
    text = get_text(make_client(user), f"/people/{person.pk}/")
    assert "Owns owned-0 owned-1 owned-2 owned-3 owned-4 owned-5 and 2 more" in text


@pytest.mark.parametrize(("role", "is_told"), [("is_auditor", True), ("is_staff", True), ("is_guest", False)])
def test_last_sign_in_is_for_admins_and_auditors(role: str, is_told: bool) -> None:
    viewer, other = factories.make_user(), factories.make_user("他の人")
    User.objects.filter(pk=viewer.pk).update(**{role: True})
    assert other.person
    text = get_text(make_client(viewer), f"/people/{other.person.pk}/")
    assert ("Last sign-in here" in text) == is_told


def test_pages_tell_what_happened_lately(user: User) -> None:
    account, person = factories.make_account("payments-prod"), factories.make_person("佐藤 遥")
    group = factories.make_group("team")
    for principal in (person.principal, group):
        assert principal
        record_event(
            "access.granted",
            obj=("assignment", "x", "AuditedThing"),
            about=About(account=account.account_id, principal=principal.principal_id or ""),
        )
    client = make_client(user)
    for url, count in (
        (f"/accounts/{account.account_id}/", 2),
        (f"/people/{person.pk}/", 1),
        (f"/groups/{group.pk}/", 1),
    ):
        assert get_text(client, url).count("granted access") == count, url
    assert f"/activity/?account={account.account_id}" in get_html(client, f"/accounts/{account.account_id}/")
    assert f"/activity/?person={person.pk}" in get_html(client, f"/people/{person.pk}/")


def test_history_of_what_is_not_ones_own_is_not_told(user: User, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    account = factories.make_account()
    factories.make_assignment(user, account=account)
    record_event("access.granted", obj=("assignment", "x", "y"), about=About(account=account.account_id, principal="z"))
    assert "granted access" not in get_text(make_client(user), f"/accounts/{account.account_id}/")


def test_record_page_names_the_author_of_the_ledger(user: User) -> None:
    record = factories.make_record(creator_name="Administrator", modifier_name="Administrator", revision=2)
    for revision, name in ((1, "登録 花"), (2, "変更 太郎")):
        PortalWrite.objects.create(
            app_id=record.app_id, record_id=record.record_id, revision=revision, user=factories.make_user(name)
        )
    text = get_text(make_client(user), f"/assignments/{record.pk}/")
    assert "Registered by 登録 花" in text
    assert "last changed by 変更 太郎" in text
    assert "Administrator" not in text


def test_set_page_names_who_wrote_its_record(user: User) -> None:
    record = factories.make_record(AppKind.PERMISSION_SET, creator_name="Administrator")
    permission_set = factories.make_permission_set("Deploy", record=record)
    writer = factories.make_user("登録 花")
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=writer)
    assert "registered by 登録 花" in get_text(make_client(user), f"/permission-sets/{permission_set.pk}/")
