"""Building a shortcut: what the address says becomes the link, and what may not be seen does not."""

from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AccountCliDefaults, ConsoleService, FavouriteRegion, User
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
PAGE = "/shortcuts/new/"
TOKYO = "ap-northeast-1"
LOG = (
    f"https://{TOKYO}.console.aws.amazon.com/cloudwatch/home?region={TOKYO}"
    "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmy-fn"
)
LINK = (
    "https://example.awsapps.com/start/#/console?account_id=210455678812&role_name=ReadOnly&destination="
    "https%3A%2F%2Fap-northeast-1.console.aws.amazon.com%2Fcloudwatch%2Fhome%3Fregion%3Dap-northeast-1%23logsV2%3A"
    "log-groups%2Flog-group%2F%24252Faws%24252Flambda%24252Fmy-fn"
)


@pytest.fixture
def user() -> User:
    return factories.make_user()


@pytest.fixture
def account(user: User) -> Account:
    """An account that the user enters with one set, and somebody else with another."""
    account = factories.make_account("payments-prod", account_id="210455678812")
    factories.make_assignment(user, account=account, permission_set=factories.make_permission_set("ReadOnly"))
    factories.make_assignment(account=account, permission_set=factories.make_permission_set("Deploy"))
    return account


def address(**values: str) -> str:
    return f"{PAGE}?{urlencode({name.replace('p_', 'p-', 1): value for name, value in values.items()})}"


def show(user: User, **values: str) -> str:
    return unescape(get_html(make_client(user), address(**values)))


def follow(user: User, **values: str) -> dict[str, str]:
    """Where pasting leads to: the fields of that address."""
    response = make_client(user).get(address(**values))
    assert response.status_code == 302
    assert response["Location"].startswith(f"{PAGE}?")
    return {name: value for name, (value,) in parse_qs(urlsplit(response["Location"]).query).items()}


# --- Who


def test_anonymous_is_led_to_sign_in() -> None:
    for url in (PAGE, "/shortcuts/qr.svg"):
        response = Client().get(url)
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/?next=/shortcuts/")


@pytest.mark.parametrize("url", [PAGE, "/shortcuts/qr.svg"])
def test_only_reading_is_offered(user: User, url: str) -> None:
    client = make_client(user)
    assert [getattr(client, method)(url).status_code for method in ("post", "put", "delete")] == [405, 405, 405]
    assert client.head(PAGE).status_code == 200


@pytest.mark.parametrize("values", [{}, {"is_staff": True}, {"is_auditor": True}])
def test_every_role_builds_links(account: Account, values: dict[str, Any]) -> None:
    html = show(factories.make_user(**values), account=account.account_id, set="ReadOnly", service="ecs-clusters")
    assert "account_id=210455678812&role_name=ReadOnly&destination=https%3A%2F%2F" in html


# --- The link


def test_link_is_that_of_the_facts(user: User, account: Account) -> None:
    html = show(
        user, account=account.account_id, set="ReadOnly", service="cloudwatch-log-group", region=TOKYO,
        p_log_group="/aws/lambda/my-fn",
    )  # fmt: skip
    assert f'aria-label="The link">{LINK}</code>' in html
    assert f'href="{LINK}"' in html
    assert f"[payments-prod · ReadOnly · CloudWatch · Log group · /aws/lambda/my-fn]({LINK})" in html
    assert f"[[payments-prod · ReadOnly · CloudWatch · Log group · /aws/lambda/my-fn>{LINK}]]" in html


def test_nothing_is_linked_before_an_account_is_chosen(user: User, account: Account) -> None:
    html = show(user, service="ecs-clusters")
    assert "Choose an account" in html
    assert "shortcut-url" not in html


def test_account_is_enough(user: User, account: Account) -> None:
    html = show(user, account="2104-5567 8812")
    assert 'aria-label="The link">https://example.awsapps.com/start/#/console?account_id=210455678812</code>' in html


@pytest.mark.parametrize("words", ["payments-prod", "PAYMENTS", "payments pr"])
def test_account_is_found_by_words(user: User, account: Account, words: str) -> None:
    assert "account_id=210455678812" in show(user, account=words)


def test_words_for_several_accounts_ask_which(user: User, account: Account) -> None:
    other = factories.make_account("payments-stg")
    html = show(user, account="payments", set="ReadOnly")
    assert "Which one do you mean?" in html
    assert f"?account={other.account_id}&set=ReadOnly" in html
    assert "shortcut-url" not in html


@pytest.mark.parametrize("words", ["000000000000", "nowhere", "x" * 300, "' OR 1=1", "\x00"])
def test_account_that_is_not_there_is_said(user: User, account: Account, words: str) -> None:
    html = show(user, account=words)
    assert "shortcut-url" not in html
    assert "There is no such account" in html or not words.strip("\0")


def test_own_sets_stand_before_those_of_others(user: User, account: Account) -> None:
    html = show(user, account=account.account_id)
    own, others = html.index("<option >ReadOnly"), html.index("<option >Deploy")
    assert html.index('label="Yours"') < own < html.index('label="Others have these"') < others


def test_set_that_the_account_has_not_is_said(user: User, account: Account) -> None:
    factories.make_permission_set("Elsewhere")
    html = show(user, account=account.account_id, set="Elsewhere")
    assert "Nobody has Elsewhere in this account" in html
    assert "shortcut-url" not in html


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"service": "ecs-cluster", "p_cluster": "a/b"}, "“a/b” cannot stand here. Write it like this: payments"),
        ({"service": "ecs-cluster", "p_cluster": "a", "p_tab": "x"}, "“x” cannot stand here."),
        ({"url": "https://evil.example/"}, "“evil.example” is not the AWS console"),
        ({"url": "javascript:alert(1)"}, "does not begin with https://"),
    ],
)
def test_what_cannot_be_linked_is_said(user: User, account: Account, values: dict[str, str], message: str) -> None:
    html = show(user, account=account.account_id, **values)
    assert message in html
    assert "shortcut-url" not in html


def test_service_that_is_not_there_is_said(user: User, account: Account) -> None:
    html = show(user, account=account.account_id, set="ReadOnly", service="nothing")
    assert "There is no service “nothing” any more." in html
    assert "shortcut-url" not in html


def test_hostile_address_is_text(user: User, account: Account) -> None:
    hostile = "<script>alert(1)</script>\"'"
    values = {"account": account.account_id, "set": hostile, "service": "s3-prefix", "p_prefix": hostile,
              "from": hostile, "region": hostile, "paste": hostile, "p_bucket": hostile}  # fmt: skip
    assert "<script>alert" not in get_html(make_client(user), address(**values))


# --- Regions


def test_region_of_the_account_goes_before_the_companys(user: User, account: Account) -> None:
    FavouriteRegion.objects.create(code="eu-central-1")
    assert "eu-central-1.console" in show(user, account=account.account_id, service="ecs-clusters")
    AccountCliDefaults.objects.create(account=account, region="us-west-2")
    assert "us-west-2.console" in show(user, account=account.account_id, service="ecs-clusters")
    assert "eu-west-1.console" in show(user, account=account.account_id, service="ecs-clusters", region="eu-west-1")


def test_favourite_regions_stand_first(user: User) -> None:
    FavouriteRegion.objects.create(code="eu-central-1")
    html = show(user, service="ecs-clusters")
    assert html.index("Frankfurt (eu-central-1)") < html.index("Other regions") < html.index("Tokyo (ap-northeast-1)")


def test_region_without_a_name_is_kept(user: User, account: Account) -> None:
    html = show(user, account=account.account_id, service="ecs-clusters", region="xx-new-9")
    assert '<option value="xx-new-9" selected>xx-new-9</option>' in html


# --- Fields


def test_numbers_with_options_are_chosen_and_others_are_kept(user: User) -> None:
    html = show(user, service="cloudwatch-log-search")
    assert '<option value="-3600000" selected>1 hour ago</option>' in html
    html = show(user, service="cloudwatch-log-search", p_start_ms="-60000")
    assert '<option value="-60000" selected>-60000</option>' in html


def test_values_of_another_place_are_left_out(user: User, account: Account) -> None:
    html = show(user, account=account.account_id, service="ecs-clusters", p_log_group="/aws/x", region=TOKYO)
    assert f'/shortcuts/qr.svg?account={account.account_id}&service=ecs-clusters&region={TOKYO}"' in html


def test_lines_stay_lines(user: User, account: Account) -> None:
    html = show(user, account=account.account_id, service="cloudwatch-logs-insights", p_query="fields @a\r\n| limit 5")
    assert ">fields @a\n| limit 5</textarea>" in html
    assert "fields%2A20%2A40a%2A0a%2A7c%2A20limit%2A205" in html


# --- Pasting


def test_pasted_console_address_fills_the_form(user: User, account: Account) -> None:
    assert follow(user, paste=f"  {LOG}\n", account=account.account_id, set="ReadOnly") == {
        "account": "210455678812", "set": "ReadOnly", "service": "cloudwatch-log-group", "region": TOKYO,
        "p-log_group": "/aws/lambda/my-fn",
    }  # fmt: skip


def test_pasted_portal_link_fills_all_of_it(user: User, account: Account) -> None:
    assert follow(user, paste=LINK.replace("example", "other")) == {
        "account": "210455678812", "set": "ReadOnly", "service": "cloudwatch-log-group", "region": TOKYO,
        "p-log_group": "/aws/lambda/my-fn",
    }  # fmt: skip


def test_pasted_link_without_destination_fills_account_and_set(user: User) -> None:
    link = "https://d-1234567890.awsapps.com/start/#/console?account_id=210455678812&role_name=Deploy"
    assert follow(user, paste=link) == {"account": "210455678812", "set": "Deploy"}


def test_account_in_a_console_address_is_taken(user: User) -> None:
    url = f"https://{TOKYO}.console.aws.amazon.com/ecr/repositories/private/210455678812/api?region={TOKYO}"
    assert follow(user, paste=url, account="000000000000", set="Deploy")["account"] == "210455678812"
    assert "set" not in follow(user, paste=url, account="000000000000", set="Deploy")


def test_what_the_link_leaves_out_is_said_and_can_be_kept(user: User, account: Account) -> None:
    url = f"https://{TOKYO}.console.aws.amazon.com/s3/buckets/logs-x?region={TOKYO}&tab=permissions"
    fields = follow(user, paste=url, account=account.account_id)
    html = unescape(get_html(make_client(user), f"{PAGE}?{urlencode(fields)}"))
    assert "<code>tab=permissions</code>" in html
    as_it_is = urlencode({"account": account.account_id, "url": url})
    assert as_it_is in html
    assert "tab%3Dpermissions" in unescape(get_html(make_client(user), f"{PAGE}?{as_it_is}"))


def test_unknown_place_is_linked_as_it_is(user: User, account: Account) -> None:
    url = f"https://{TOKYO}.console.aws.amazon.com/appsync/home?region={TOKYO}#/apis"
    fields = follow(user, paste=url, account=account.account_id)
    assert fields == {"account": account.account_id, "region": TOKYO, "url": url}
    assert "destination=https%3A%2F%2Fap-northeast-1.console.aws.amazon.com%2Fappsync" in unescape(
        get_html(make_client(user), f"{PAGE}?{urlencode(fields)}")
    )


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/x",
        "javascript:alert(1)",
        "see the runbook",
        "https://console.aws.amazon.com@evil.example/",
    ],
)
def test_hostile_paste_is_refused_and_stays_in_its_field(user: User, text: str) -> None:
    html = show(user, paste=text)
    assert f'name="paste" value="{text}"' in html
    assert 'id="paste_error"' in html


# --- What stays open


def test_open_parameter_is_shown_with_ways_to_fill_it(user: User, account: Account) -> None:
    html = show(user, account=account.account_id, set="ReadOnly", service="cloudwatch-log-group", region=TOKYO)
    assert "log-group%2F{log_group}</code>" in html
    assert "log_group is open." in html
    assert 'urlencode(replace(urlencode(replace(urlencode(var.log_group), "+", "%20")), "%", "$"))' in html
    assert "$labels.log_group | urlquery" in html
    assert "Datadog encodes a value once, and log_group needs more." in html
    assert 'http://localhost:8000/go/…/?log_group={{urlencode "log_group.name"}}' in html
    assert 'class="button primary"' not in html  # nothing to open yet
    assert "/shortcuts/qr.svg" not in html


def test_inert_parameter_is_filled_by_all(user: User, account: Account) -> None:
    html = show(user, account=account.account_id, set="ReadOnly", service="lambda-function")
    assert "%2F{{function.name}}%3Ftab" in html
    assert "metric.dimensions.FunctionName" in html


# --- QR


def test_qr_is_a_picture_of_the_same_link(user: User, account: Account) -> None:
    client = make_client(user)
    query = urlencode({"account": account.account_id, "set": "ReadOnly", "service": "ecs-clusters", "region": TOKYO})
    assert f"/shortcuts/qr.svg?{query}" in unescape(get_html(client, f"{PAGE}?{query}"))
    response = client.get(f"/shortcuts/qr.svg?{query}")
    assert response["Content-Type"] == "image/svg+xml"
    assert response.content.startswith(b"<svg ")
    assert b"style=" not in response.content
    assert "script-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "values",
    [{}, {"account": "000000000000"}, {"service": "lambda-function"}, {"url": "https://evil.example/"},
     {"service": "cloudwatch-alarm", "p_alarm": "日" * 300}],
)  # fmt: skip
def test_what_is_no_link_has_no_picture(user: User, account: Account, values: dict[str, str]) -> None:
    url = address(**{"account": account.account_id, **values}) if values else PAGE
    assert make_client(user).get(url.replace(PAGE, "/shortcuts/qr.svg")).status_code == 404


# --- What one may see


def test_foreign_account_is_not_there(user: User, account: Account, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    stranger = factories.make_user()
    for words in (account.account_id, "payments-prod", "payments"):
        html = show(stranger, account=words)
        assert "There is no such account" in html
        assert "shortcut-url" not in html
    assert make_client(stranger).get(f"/shortcuts/qr.svg?account={account.account_id}").status_code == 404


def test_foreign_sets_are_not_offered(user: User, account: Account, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    html = show(user, account=account.account_id, set="Deploy")
    assert "Nobody has Deploy in this account, or you may not see it." in html
    assert "<option >Deploy" not in html


def test_account_that_left_is_not_there(user: User, account: Account) -> None:
    account.gone_at = timezone.now()
    account.save()
    assert "There is no such account" in show(user, account=account.account_id)


# --- The page


def test_parts_are_what_script_asks_for(user: User, account: Account) -> None:
    client, url = make_client(user), address(account=account.account_id, service="ecs-clusters")
    result, builder = get_html(client, url, part="shortcut-result"), get_html(client, url, part="builder")
    assert result.lstrip().startswith('<p id="shortcut-status"')
    assert 'id="shortcut-form"' not in result
    assert 'id="shortcut-form"' in builder
    assert "<h1" not in builder


def test_page_speaks_japanese(user: User, account: Account) -> None:
    client = make_client(user)
    client.post("/preferences/language/", {"language": "ja", "next": "/"})
    html = get_html(client, address(account=account.account_id, set="ReadOnly", service="ecs-clusters"))
    assert "payments-prod · ReadOnly · ECS · クラスター一覧" in html
    assert "東京 (ap-northeast-1)" in html


def test_chip_and_account_page_lead_here(user: User, account: Account) -> None:
    client = make_client(user)
    assert f"{PAGE}?account=210455678812&amp;set=ReadOnly" in get_html(client, "/")
    assert f"{PAGE}?account=210455678812" in get_html(client, f"/accounts/{account.account_id}/")


def test_admin_is_led_to_the_place_itself(user: User) -> None:
    admin = factories.make_user(is_staff=True)
    assert "/admin/accounts/consoleservice/add/?like=ecs-clusters" in show(admin, service="ecs-clusters")
    row = ConsoleService.objects.create(
        slug="ecs-clusters", service="ECS", name_ja="一覧", name_en="All of them", template="/ecs/v2/clusters"
    )
    html = show(admin, service="ecs-clusters")
    assert f"/admin/accounts/consoleservice/{row.pk}/change/" in html
    assert "All of them" in html
    assert "/admin/accounts/consoleservice" not in show(user, service="ecs-clusters")


def test_page_without_a_portal_says_so(user: User, settings: Settings) -> None:
    settings.AWS_ACCESS_PORTAL_URL = ""
    assert "The address of the access portal is not known yet." in get_text(make_client(user), PAGE)


def test_govcloud_company_links_to_its_console(user: User, account: Account, settings: Settings) -> None:
    settings.AWS_ACCESS_PORTAL_URL = "https://start.us-gov-home.awsapps.com/directory/example"
    settings.IDENTITY_CENTER_REGION = "us-gov-west-1"
    html = show(user, account=account.account_id, service="ecs-clusters")
    assert "destination=https%3A%2F%2Fus-gov-west-1.console.amazonaws-us-gov.com%2Fecs" in html


@pytest.mark.parametrize("visibility", ["all", "own"])
def test_statements_do_not_grow(user: User, account: Account, settings: Settings, visibility: str) -> None:
    settings.VISIBILITY = visibility
    client, url = make_client(user), address(account=account.account_id, set="ReadOnly", service="ecs-clusters")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_html(client, url)
        return len(queries)

    few = count()
    for _row in range(20):
        factories.make_assignment(user, account=account)
        factories.make_assignment(user)
        ConsoleService.objects.create(
            slug=f"x-{factories.next_number()}", service="X", name_ja="x", name_en="x", template="/x"
        )
    assert count() == few
    assert few <= 24
