"""Shortcuts that are kept: who sees and changes which, and where /go/ leads whom."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import (
    Account,
    AppKind,
    AuditEvent,
    OrganizationalUnit,
    OwnerEntry,
    PermissionSet,
    Shortcut,
    ShortcutSettings,
    Stop,
    User,
    Visit,
)
from accounts.shortcut_check import check_shortcuts
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
LOGS = "https://ap-northeast-1.console.aws.amazon.com/cloudwatch/home?region=ap-northeast-1#logsV2:log-groups/log-group/$252Faws$252Flambda"
FORM = {
    "name": "決済 API の logs", "permission_sets": "ReadOnly", "choosing": "least", "url": "", "audience": "company",
    "slug": "", "note": "", "tags": "oncall 決済", "icon": "scroll-text",
}  # fmt: skip


@pytest.fixture
def user() -> User:
    return factories.make_user("花")


@pytest.fixture
def account() -> Account:
    factories.make_instance()
    return factories.make_account("payments-dev", stage="sandbox")


def make_set(name: str, *policies: str) -> PermissionSet:
    record = factories.make_record(AppKind.PERMISSION_SET, in_force={"name": name, "managed_policies": list(policies)})
    return factories.make_permission_set(name, record=record)


def give(user: User, account: Account, permission_set: PermissionSet, **values: Any) -> None:
    factories.make_assignment(user, account=account, permission_set=permission_set, **values)


def keep(user: User, account: Account, **values: Any) -> Shortcut:
    response = make_client(user).post("/shortcuts/keep/", FORM | {"account": account.account_id} | values)
    assert response.status_code == 302, response.content.decode()
    return Shortcut.objects.latest("pk")


def go(user: User, address: str) -> Any:
    return make_client(user).get(address)


def target_of(response: Any) -> tuple[str, str]:
    """The set and the destination that a link of the access portal names."""
    assert response.status_code == 302, response.content.decode()
    query = parse_qs(urlsplit(response["Location"]).fragment.partition("?")[2])
    return query["role_name"][0], query.get("destination", [""])[0]


# --- Keeping ----------------------------------------------------------------------------------------------------------


def test_shortcut_is_kept_with_what_its_address_is_made_from(user: User, account: Account) -> None:
    kept = keep(user, account, url=LOGS)
    assert (kept.slug, kept.tags, kept.permission_sets) == ("api-no-logs", ["oncall", "決済"], ["ReadOnly"])
    assert kept.read_destination().service
    assert AuditEvent.objects.filter(action="shortcut.keep", after__slug="api-no-logs").exists()
    assert keep(user, account).slug.startswith("api-no-logs-")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": ""}, "required"),
        ({"account": "000000000000"}, "no account with this id"),
        ({"url": "https://evil.example/"}, "console"),
        ({"url": "javascript:alert(1)"}, "https"),
        ({"slug": "a b"}, "valid"),
        ({"audience": "world"}, "valid choice"),
        ({"permission_sets": "x" * 33}, "32"),
        ({"tags": "a b c d e f g h i j k"}, "Ten tags"),
        ({"destination": json.dumps({"service": "nowhere"})}, ""),
    ],
)
def test_bad_form_keeps_nothing_but_what_was_typed(
    user: User, account: Account, changed: dict[str, str], says: str
) -> None:
    response = make_client(user).post("/shortcuts/keep/", FORM | {"account": account.account_id} | changed)
    assert (response.status_code, Shortcut.objects.count()) == (200, 0)
    assert says in response.content.decode()
    assert "oncall" in response.content.decode() or "tags" in changed


def test_address_of_another_shortcut_is_not_taken_even_a_former_one(user: User, account: Account) -> None:
    kept = keep(user, account, slug="logs")
    client = make_client(user)
    client.post(f"/shortcuts/{kept.pk}/edit/", FORM | {"account": account.account_id, "slug": "new"})
    for slug in ("logs", "new"):
        response = client.post("/shortcuts/keep/", FORM | {"account": account.account_id, "slug": slug})
        assert "has or had this address" in response.content.decode()
    assert (
        client.post(f"/shortcuts/{kept.pk}/edit/", FORM | {"account": account.account_id, "slug": "logs"}).status_code
        == 302
    )


def test_form_is_filled_by_its_address(user: User, account: Account) -> None:
    page = get_html(make_client(user), f"/shortcuts/keep/?account={account.account_id}&permission_sets=Deploy&name=x")
    assert f'value="{account.account_id}"' in page
    assert "Deploy</textarea>" in page


# --- Who sees which ---------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(account: Account) -> User:
    owner = factories.make_user("所有 者")
    OrganizationalUnit.objects.update(tags_read_at="2026-11-25T00:00:00Z")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    return owner


@pytest.mark.parametrize(
    ("audience", "sees"),
    [
        ("private", {"author"}),
        ("team", {"author", "owner", "admin", "auditor"}),
        ("company", {"author", "owner", "admin", "auditor", "other"}),
    ],
)
def test_audience_decides_who_sees_it(user: User, owner: User, account: Account, audience: str, sees: set[str]) -> None:
    kept = keep(user, account, audience=audience)
    people = {
        "author": user,
        "owner": owner,
        "admin": factories.make_user(is_staff=True),
        "auditor": factories.make_user(is_auditor=True),
        "other": factories.make_user(),
    }
    listed = {who for who, person in people.items() if kept.name in get_text(make_client(person), "/shortcuts/")}
    entered = {who for who, person in people.items() if go(person, f"/go/{kept.slug}/").status_code != 404}
    assert listed == entered == sees
    edits = {
        who
        for who, person in people.items()
        if make_client(person).get(f"/shortcuts/{kept.pk}/edit/").status_code == 200
    }
    assert edits == sees & {"author", "owner", "admin"}


def test_auditor_keeps_and_drops_nothing(user: User, account: Account) -> None:
    kept = keep(user, account)
    auditor = make_client(factories.make_user(is_auditor=True))
    assert auditor.get("/shortcuts/keep/").status_code == 403
    assert auditor.post("/shortcuts/keep/", FORM | {"account": account.account_id}).status_code == 403
    assert auditor.post(f"/shortcuts/{kept.pk}/delete/").status_code == 403
    assert make_client(factories.make_user()).post(f"/shortcuts/{kept.pk}/delete/").status_code == 403
    assert make_client(user).post(f"/shortcuts/{kept.pk}/delete/").status_code == 302
    assert not Shortcut.objects.exists()


def test_own_visibility_offers_no_other_account(user: User, account: Account, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    response = make_client(user).post("/shortcuts/keep/", FORM | {"account": account.account_id})
    assert "no account with this id" in response.content.decode()


def test_list_is_searched_by_all_that_it_shows(user: User, account: Account) -> None:
    keep(user, account, note="夜間の調査")
    client = make_client(user)
    for query in ("決済", "ＬＯＧＳ", "payments", "oncall", "夜間", account.account_id[:6]):
        assert "決済 API" in get_text(client, f"/shortcuts/?q={query}"), query
    assert "No shortcut fits" in get_text(client, "/shortcuts/?q=nothing")


@pytest.mark.parametrize(
    "address", ["/go/no/", "/shortcuts/999/edit/", "/shortcuts/999/delete/", "/shortcuts/999/pin/"]
)
def test_what_is_not_there_is_not_found(user: User, address: str) -> None:
    client = make_client(user)
    statuses = {client.get(address).status_code, client.post(address).status_code}
    assert statuses <= {404, 405}
    assert 404 in statuses


def test_statements_do_not_grow_with_the_list(user: User, owner: User, account: Account) -> None:
    """Who may change which is found out for all of a page at once."""

    def count() -> int:
        client = make_client(owner)
        with CaptureQueriesContext(connection) as captured:
            get_html(client, "/shortcuts/")
        return len(captured)

    keep(user, account)
    few = count()
    for _number in range(5):
        keep(user, factories.make_account(tags_read_at="2026-11-25T00:00:00Z"))
    assert count() == few <= 25


# --- Going ------------------------------------------------------------------------------------------------------------


def test_visitor_goes_with_the_least_powerful_of_his_sets(user: User, account: Account) -> None:
    for name, policy in (("Admin", "AdministratorAccess"), ("ReadOnly", "ReadOnlyAccess")):
        give(user, account, make_set(name, policy))
    kept = keep(user, account, permission_sets="", url=LOGS)
    name, destination = target_of(go(user, f"/go/{kept.slug}/"))
    assert (name, unquote(destination)) == ("ReadOnly", LOGS)
    kept.refresh_from_db()
    assert kept.uses == 1
    assert Visit.objects.filter(user=user, shortcut=kept, count=1).exists()
    assert target_of(go(user, f"/go/{kept.slug}/?set=Admin"))[0] == "Admin"


def test_only_sets_of_the_shortcut_are_taken(user: User, account: Account) -> None:
    for name, policy in (("Admin", "AdministratorAccess"), ("ReadOnly", "ReadOnlyAccess")):
        give(user, account, make_set(name, policy))
    kept = keep(user, account, permission_sets="Admin\nDeploy")
    assert target_of(go(user, f"/go/{kept.slug}/"))[0] == "Admin"
    assert target_of(go(user, f"/go/{kept.slug}/?set=ReadOnly"))[0] == "Admin"


def test_shortcut_that_asks_lets_the_visitor_choose(user: User, account: Account) -> None:
    for name in ("Deploy", "ReadOnly"):
        give(user, account, make_set(name, "ReadOnlyAccess"))
    kept = keep(user, account, permission_sets="", choosing="ask")
    page = get_html(make_client(user), f"/go/{kept.slug}/")
    assert "?set=Deploy" in page
    assert "?set=ReadOnly" in page
    assert Visit.objects.count() == 0


def test_open_values_come_from_the_address_or_are_asked_for(user: User, account: Account) -> None:
    give(user, account, make_set("ReadOnly", "ReadOnlyAccess"))
    destination = {"service": "cloudwatch-log-group", "region": "ap-northeast-1", "values": {}}
    kept = keep(user, account, destination=json.dumps(destination))
    assert 'name="log_group"' in get_html(make_client(user), f"/go/{kept.slug}/")
    assert "252Faws$252Flambda" in target_of(go(user, f"/go/{kept.slug}/?log_group=/aws/lambda"))[1]


def test_former_address_leads_on_with_its_query(user: User, account: Account) -> None:
    kept = keep(user, account, slug="old")
    make_client(user).post(f"/shortcuts/{kept.pk}/edit/", FORM | {"account": account.account_id, "slug": "new"})
    assert go(user, "/go/old/?log_group=x")["Location"] == "/go/new/?log_group=x"
    assert go(user, "/go/NEW/")["Location"] == "/go/new/"


def test_production_with_write_rights_is_one_more_click(user: User) -> None:
    factories.make_instance()
    production = factories.make_account("payments-prod", stage="production")
    give(user, production, make_set("Deploy", "PowerUserAccess"))
    kept = keep(user, production, permission_sets="")
    page = get_html(make_client(user), f"/go/{kept.slug}/")
    assert "is production" in page
    assert target_of(go(user, f"/go/{kept.slug}/?set=Deploy&go=1"))[0] == "Deploy"
    ShortcutSettings.objects.update(warns_of_production=False)
    assert target_of(go(user, f"/go/{kept.slug}/"))[0] == "Deploy"


def test_reading_in_production_is_no_matter(user: User) -> None:
    factories.make_instance()
    production = factories.make_account("payments-prod", stage="production")
    give(user, production, make_set("ReadOnly", "ReadOnlyAccess"))
    kept = keep(user, production)
    assert target_of(go(user, f"/go/{kept.slug}/"))[0] == "ReadOnly"


def test_colleague_without_access_learns_whom_to_ask(user: User, owner: User, account: Account) -> None:
    kept = keep(user, account)
    other = factories.make_user("健")
    response = go(other, f"/go/{kept.slug}/")
    page = response.content.decode()
    assert response.status_code == 403
    assert "所有 者" in page
    assert "/assignments/new/?account=" in page
    assert factories.get_principal(other).name.partition("@")[0] in page
    assert "Register access" not in page
    assert "Register access" in go(owner, f"/go/{kept.slug}/").content.decode()


def test_access_that_is_not_there_yet_is_no_way_in(user: User, account: Account) -> None:
    give(user, account, make_set("ReadOnly", "ReadOnlyAccess"), state="requested", in_aws=False)
    assert go(user, f"/go/{keep(user, account).slug}/").status_code == 403


def test_place_that_is_no_more_says_who_can_mend_it(user: User, account: Account) -> None:
    give(user, account, make_set("ReadOnly", "ReadOnlyAccess"))
    kept = keep(user, account)
    Shortcut.objects.update(destination={"service": "gone-for-good"})
    response = go(user, f"/go/{kept.slug}/")
    assert (response.status_code, "花" in response.content.decode()) == (409, True)


# --- The home page ----------------------------------------------------------------------------------------------------


def test_pinned_places_stand_first_on_the_home_page(user: User, account: Account) -> None:
    give(user, account, make_set("ReadOnly", "ReadOnlyAccess"))
    kept = keep(user, account)
    client = make_client(user)
    assert 'class="cards"' not in get_html(client, "/")
    client.post(f"/visits/{account.account_id}/ReadOnly/")
    client.post(f"/shortcuts/{kept.pk}/pin/")
    cards = get_html(client, "/").split('class="cards"')[1].split("</ul>")[0]
    assert cards.index(f"/go/{kept.slug}/") < cards.index("payments-dev")
    client.post(f"/shortcuts/{kept.pk}/pin/", {"off": "1"})
    client.post(f"/pins/{account.account_id}/ReadOnly/")
    assert Visit.objects.filter(is_pinned=True).get().permission_set == "ReadOnly"


def test_place_that_one_may_not_enter_is_no_card(user: User, account: Account) -> None:
    client = make_client(user)
    assert client.post(f"/visits/{account.account_id}/ReadOnly/").status_code == 404
    client.post(f"/pins/{account.account_id}/ReadOnly/")
    assert 'class="cards"' not in get_html(client, "/")
    assert client.get(f"/pins/{account.account_id}/ReadOnly/").status_code == 405
    assert client.post("/pins/000000000000/ReadOnly/").status_code == 404


def test_somebody_else_s_pins_are_not_shown(user: User, account: Account) -> None:
    kept = keep(user, account)
    make_client(user).post(f"/shortcuts/{kept.pk}/pin/")
    assert 'class="cards"' not in get_html(make_client(factories.make_user()), "/")


# --- The weekly check -------------------------------------------------------------------------------------------------


def test_shortcuts_that_lead_nowhere_are_marked(user: User, owner: User, account: Account) -> None:
    make_set("ReadOnly", "ReadOnlyAccess")
    good = keep(user, account)
    no_set, no_team, no_place = (keep(user, account, **values) for values in (
        {"permission_sets": "Gone"}, {"audience": "team"}, {"name": "x"},
    ))  # fmt: skip
    closed = keep(user, factories.make_account("old", state="SUSPENDED"))
    Shortcut.objects.filter(pk=no_place.pk).update(destination={"service": "gone-for-good"})
    OwnerEntry.objects.all().delete()
    assert len(check_shortcuts()) == 4
    assert check_shortcuts() == []  # what was found before is no news
    found = {row.pk: row.problem.get("code", "") for row in Shortcut.objects.all()}
    assert found == {
        good.pk: "", no_set.pk: "shortcut_set_gone", no_team.pk: "shortcut_audience_gone",
        closed.pk: "shortcut_account_gone", no_place.pk: "service_unknown",
    }  # fmt: skip
    assert "no permission set any more called: Gone" in get_text(make_client(user), "/shortcuts/")


def test_broken_shortcut_is_the_matter_of_whoever_may_mend_it(user: User, owner: User, account: Account) -> None:
    shared = keep(user, account, permission_sets="Gone", name="team", audience="team")
    keep(user, account, permission_sets="Gone", name="private", audience="private")
    client = make_client(user)
    assert "Shortcuts that lead nowhere" not in get_text(client, "/")
    check_shortcuts()
    assert "Shortcuts that lead nowhere 2" in get_text(client, "/")
    assert f'href="/shortcuts/{shared.pk}/edit/"' in get_html(client, "/problems/?mine=1")
    text = get_text(make_client(owner), "/problems/?mine=1")
    assert "team · payments-dev There is no permission set any more called: Gone" in text
    assert "private" not in text
    other = make_client(factories.make_user())
    assert "Shortcuts that lead nowhere" not in get_text(other, "/problems/?mine=1") + get_text(other, "/problems/")


def test_account_shows_the_shortcuts_into_it(user: User, account: Account) -> None:
    colleague = factories.make_user()
    page = f"/accounts/{account.account_id}/"
    assert "Shortcuts into this account" not in get_text(make_client(user), page)
    keep(user, account, name="for all", audience="company")
    keep(user, account, name="for me", audience="private")
    keep(user, factories.make_account("elsewhere"), name="other place", audience="company")
    assert "Shortcuts into this account for all ReadOnly for me ReadOnly" in get_text(make_client(user), page)
    text = get_text(make_client(colleague), page)
    assert "for all" in text
    assert "for me" not in text
    assert "other place" not in text


def test_anonymous_is_led_to_sign_in_and_back(user: User, account: Account) -> None:
    kept = keep(user, account)
    response = Client().get(f"/go/{kept.slug}/?log_group=x")
    assert response.status_code == 302
    assert "sign-in" in response["Location"]
    assert unquote(response["Location"]).endswith(f"/go/{kept.slug}/?log_group=x")


def test_locked_out_person_has_no_way_in(user: User, account: Account) -> None:
    give(user, account, make_set("ReadOnly", "ReadOnlyAccess"), in_aws=False, state="blocked")
    kept = keep(user, account)
    Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=factories.get_principal(user), reason="x")
    assert go(user, f"/go/{kept.slug}/").status_code == 403


def test_builder_leads_to_the_form_with_all_that_it_says(user: User, account: Account) -> None:
    give(user, account, make_set("ReadOnly", "ReadOnlyAccess"))
    client = make_client(user)
    builder = (
        f"/shortcuts/new/?account={account.account_id}&set=ReadOnly&service=cloudwatch-log-group&p-log_group=/aws/x"
    )
    found = re.search(r'href="(/shortcuts/keep/\?[^"]+)"', get_html(client, builder))
    assert found
    page = get_html(client, html.unescape(found[1]))
    hidden = re.search(r'name="destination" value="([^"]*)"', page)
    assert hidden
    assert "ReadOnly</textarea>" in page
    kept = keep(user, account, destination=html.unescape(hidden[1]))
    assert kept.read_destination().filled == {"log_group": "/aws/x"}
