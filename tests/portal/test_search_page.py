"""The search page, what the palette gets, and the address bar: only what the visitor may see, only where he may go."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.access_portal import find_access_portal
from accounts.console_register import load_catalogue
from accounts.models import (
    Account,
    AccountCliDefaults,
    AppKind,
    PermissionSet,
    Shortcut,
    ShortcutSettings,
    ShortcutSlug,
    User,
    Visit,
)
from accounts.palette.ranking import Found, rank
from accounts.palette.world import AccountEntry, World
from accounts.shortcuts import Destination
from portal.views.pacing import MOST
from portal.views.palette_world import load_world
from tests import factories
from tests.portal.pages import ask_often, get_html, get_text, make_client

pytestmark = pytest.mark.django_db
ADDRESSES = ["/search/", "/search/world/", "/search/people/", "/search/suggest/", "/opensearch.xml"]


@pytest.fixture
def user() -> User:
    return factories.make_user("花")


@pytest.fixture
def account() -> Account:
    factories.make_instance()
    return factories.make_account("payments-prod", ou="service/決済/Production")


@pytest.fixture
def read_only(user: User, account: Account) -> PermissionSet:
    """What the user has in the account."""
    return give(user, account, "ReadOnly", "ReadOnlyAccess")


def give(user: User, account: Account, name: str, *policies: str) -> PermissionSet:
    record = factories.make_record(AppKind.PERMISSION_SET, in_force={"name": name, "managed_policies": list(policies)})
    permission_set = factories.make_permission_set(name, record=record)
    factories.make_assignment(user, account=account, permission_set=permission_set)
    return permission_set


def share(author: User, account: Account, name: str, audience: str = "company") -> Shortcut:
    shortcut = Shortcut.objects.create(slug=name, name=name, author=author, account=account, audience=audience)
    ShortcutSlug.objects.create(slug=name, shortcut=shortcut)
    return shortcut


def find_account(world: World, name: str) -> AccountEntry:
    return next(account for account in world.accounts if account.entry.title == name)


# --- Finding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["prod logs", "本番 ログ", "prd logs", "aws prod logs", "本番のログ"])
def test_account_and_service_give_the_link_into_the_console(
    query: str, user: User, account: Account, read_only: PermissionSet
) -> None:
    html = get_html(make_client(user), f"/search/?q={query}")
    assert f"#/console?account_id={account.account_id}&amp;role_name={read_only.name}&amp;destination=https%3A" in html
    assert f"/visits/{account.account_id}/{read_only.name}/" in html


def test_every_kind_has_its_section(user: User, account: Account, read_only: PermissionSet) -> None:
    factories.make_person("決済 太郎")
    factories.make_group("決済チーム")
    factories.make_permission_set("決済ReadOnly")
    Shortcut.objects.create(slug="logs", name="決済 logs", author=user, account=account)
    text = get_text(make_client(user), "/search/?q=決済")
    for word in ("AWS console", "Shortcuts", "Accounts", "Permission sets", "People", "Groups"):
        assert f"{word} 1" in text, word
    assert "Pages 1" in get_text(make_client(user), "/search/?q=guardrails")
    assert "Places of the console 2" in get_text(make_client(user), "/search/?q=lambda")


def test_nothing_found_says_what_helps(user: User) -> None:
    text = get_text(make_client(user), "/search/?q=xyzzy")
    assert "Nothing is called “xyzzy”" in text
    assert "Fewer letters find more" in text


def test_without_a_query_one_finds_what_one_uses(user: User, account: Account, read_only: PermissionSet) -> None:
    assert "What you use stands here" in get_text(make_client(user), "/search/")
    Visit.objects.create(user=user, account=account, permission_set=read_only.name, count=3)
    assert "payments-prod" in get_text(make_client(user), "/search/")


def test_own_use_comes_first(user: User, account: Account, read_only: PermissionSet) -> None:
    other = factories.make_account("payments-zzz")
    factories.make_assignment(user, account=other, permission_set=read_only)
    world = load_world(user)
    assert [place.entry.title for place in find_places(world)] == ["payments-prod", "payments-zzz"]
    Visit.objects.create(user=user, account=other, permission_set=read_only.name, count=3)
    assert [place.entry.title for place in find_places(load_world(user))] == ["payments-zzz", "payments-prod"]


def find_places(world: World) -> list[Found]:
    return [found for found in rank(world, "payments") if found.permission_set]


# --- What one may see -------------------------------------------------------------------------------------------------


def test_only_access_that_is_there_is_a_place(user: User, account: Account, read_only: PermissionSet) -> None:
    closed = factories.make_account("payments-closed", state=Account.State.SUSPENDED)
    coming = factories.make_account("payments-coming")
    factories.make_assignment(user, account=closed, permission_set=read_only)
    factories.make_assignment(user, account=coming, permission_set=read_only, in_aws=False)
    factories.make_assignment(account=coming, permission_set=read_only)
    world = load_world(user)
    assert {account.entry.title: bool(account.places) for account in world.accounts} == {
        "payments-prod": True, "payments-closed": False, "payments-coming": False,
    }  # fmt: skip


def test_visibility_own_hides_what_is_not_ones_own(
    user: User, account: Account, read_only: PermissionSet, settings: Settings
) -> None:
    settings.VISIBILITY = "own"
    factories.make_account("payments-secret")
    factories.make_permission_set("payments-hidden")
    factories.make_person("payments 太郎")
    factories.make_group("payments-team")
    share(factories.make_user(), account, "payments-private", audience="private")
    html = get_html(make_client(user), "/search/?q=payments")
    assert "payments-prod" in html
    for name in ("payments-secret", "payments-hidden", "payments 太郎", "payments-team", "payments-private"):
        assert name not in html, name
        assert name not in json.dumps(make_client(user).get("/search/world/").json(), ensure_ascii=False)
    assert make_client(user).get("/search/people/?q=payments").json() == {"found": []}


def test_pages_are_those_one_may_open(user: User) -> None:
    auditor, admin = factories.make_user(is_auditor=True), factories.make_user(is_staff=True)
    offered = {each: {entry.href for entry in load_world(each).entries} for each in (user, auditor, admin)}
    assert "/doctor/" in offered[admin] - offered[user]
    assert "/assignments/new/" in offered[user] - offered[auditor]
    for each, hrefs in offered.items():
        client = make_client(each)
        for href in hrefs:
            if "?" not in href:
                assert client.get(href).status_code in (200, 409), href  # 409: kintone has not been read


# --- Links ------------------------------------------------------------------------------------------------------------


def test_every_link_is_that_of_the_catalogue(user: User, account: Account, read_only: PermissionSet) -> None:
    AccountCliDefaults.objects.create(account=account, short_name="pay", region="eu-west-1")
    world, access_portal, catalogue = load_world(user), find_access_portal(), load_catalogue()
    assert access_portal is not None
    found = find_account(world, "payments-prod")
    assert "pay" in found.entry.texts
    assert len(world.services) >= 20
    for service in world.services:
        place = Destination.of(service.slug, "eu-west-1")
        built = catalogue.build_link(access_portal.url, account.account_id, "ReadOnly", place, partition="aws")
        assert world.build_link(found, world.sets[0], service) == built.url, service.slug


# --- The address bar --------------------------------------------------------------------------------------------------


def test_clear_query_is_sent_on_and_counted(user: User, account: Account, read_only: PermissionSet) -> None:
    response = make_client(user).get("/search/?q=aws prod logs&go=1")
    assert response.status_code == 302
    assert f"account_id={account.account_id}&role_name=ReadOnly&destination=" in response["Location"]
    assert Visit.objects.get(user=user).count == 1


def test_unclear_query_is_shown(user: User, account: Account, read_only: PermissionSet) -> None:
    other = factories.make_account("payments2-prod")
    factories.make_assignment(user, account=other, permission_set=read_only)
    assert make_client(user).get("/search/?q=prod logs&go=1").status_code == 200
    assert make_client(user).get("/search/?q=xyzzy&go=1").status_code == 200
    assert make_client(user).get("/search/?go=1").status_code == 200


def test_production_with_rights_to_change_it_asks_for_a_click(user: User, account: Account) -> None:
    give(user, account, "Admin", "AdministratorAccess")
    text = get_text(make_client(user), "/search/?q=payments logs&go=1")
    assert "is production, and Admin may change it" in text
    ShortcutSettings.objects.update(warns_of_production=False)
    assert make_client(user).get("/search/?q=payments logs&go=1").status_code == 302


def test_shortcut_and_page_are_sent_on(user: User, account: Account) -> None:
    share(user, account, "runbook")
    assert make_client(user).get("/search/?q=runbook&go=1")["Location"] == "/go/runbook/"
    assert make_client(user).get("/search/?q=Guardrails&go=1")["Location"] == "/guardrails/"


def test_description_for_browsers_needs_no_sign_in(client: Client, db: None) -> None:
    response = client.get("/opensearch.xml")
    assert response["Content-Type"] == "application/opensearchdescription+xml"
    text = response.content.decode()
    assert text.startswith("<?xml")
    assert (
        'type="text/html" rel="results" method="get" template="http://testserver/search/?q={searchTerms}&amp;go=1"'
        in text
    )
    assert 'rel="search" href="/opensearch.xml"' in client.get("/sign-in/").content.decode()


def test_address_bar_gets_suggestions(user: User, account: Account, read_only: PermissionSet) -> None:
    response = make_client(user).get("/search/suggest/?q=payments logs")
    query, titles, notes, links = json.loads(response.content)
    assert response["Content-Type"] == "application/x-suggestions+json"
    assert (query, titles[0], notes[0]) == ("payments logs", "payments-prod · CloudWatch · Log groups", notes[0])
    assert "ReadOnly" in notes[0]
    assert len(titles) == len(notes) == len(links)
    assert links[0].startswith("https://")


# --- What the browser gets --------------------------------------------------------------------------------------------


def test_browser_gets_the_world_once(user: User, account: Account, read_only: PermissionSet) -> None:
    client = make_client(user)
    first = client.get("/search/world/")
    assert first["Cache-Control"] == "private, no-cache"
    assert "Cookie" in first["Vary"]
    assert client.get("/search/world/", headers={"if-none-match": first["ETag"]}).status_code == 304
    factories.make_assignment(user, account=factories.make_account("new"), permission_set=read_only)
    second = client.get("/search/world/", headers={"if-none-match": first["ETag"]})
    assert second.status_code == 200
    assert "new" in [account["entry"]["title"] for account in second.json()["world"]["accounts"]]


def test_people_are_asked_for(user: User) -> None:
    factories.make_person("佐藤 遥", email="haruka.sato@example.com")
    found = make_client(user).get("/search/people/?q=佐藤遥").json()["found"]
    assert [each["entry"]["title"] for each in found] == ["佐藤 遥"]
    assert make_client(user).get("/search/people/").json() == {"found": []}


def test_statements_do_not_grow(user: User, account: Account, read_only: PermissionSet) -> None:
    client = make_client(user)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_html(client, "/search/?q=account logs")
        return len(queries)

    few = count()
    for number in range(10):
        row = factories.make_account()
        give(user, row, f"Set{number}x", "ReadOnlyAccess")
        share(user, row, f"logs-{number}")
        Visit.objects.create(user=user, account=row, permission_set=f"Set{number}x", count=1)
    assert count() == few <= 40


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_take_only_get(address: str, user: User) -> None:
    assert make_client(user).post(address).status_code == 405


@pytest.mark.parametrize("address", ADDRESSES[:-1])
def test_strangers_are_asked_to_sign_in(address: str, client: Client, db: None) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_hostile_queries_stay_text(user: User) -> None:
    html = get_html(make_client(user), "/search/?q=<script>alert(1)</script>%00")
    assert "<script>alert" not in html


@pytest.mark.parametrize("address", ADDRESSES[:4])
def test_nobody_searches_faster_than_anybody_types(user: User, address: str) -> None:
    ask_often(user, MOST)
    assert make_client(user).get(address, {"q": "a p r s t"}).status_code == 429
