"""The small endpoints beside the editor: what they say, to whom, and what they never do."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AppKind, AwsPolicy, User
from portal.views.pacing import MOST, PACE, WINDOW, find_wait
from portal.views.policy_checks import judge
from portal.views.set_starts import TEMPLATES
from syncer.models import AppState
from tests import factories
from tests.portal.pages import ask_often, make_client

pytestmark = pytest.mark.django_db
BROKEN = '{\n  "Version": "2012-10-17",\n  "Statement": [],\n}'
MISSPELT = (
    '{"Version": "2012-10-17", "Statement": '
    '{"Effect": "Allow", "Action": "lambda:GetFuncton", "Resource": "arn:aws:lambda:*:*:function:x"}}'
)
HOSTILE = "<script>alert(1)</script>\"'"


@pytest.fixture
def client() -> Client:
    return make_client(factories.make_user())


def check(client: Client, text: str) -> str:
    response = client.post("/permission-sets/check/", {"inline_policy": text})
    assert response.status_code == 200
    return response.content.decode()


# --- Checking ---------------------------------------------------------------------------------------------------------


def test_finding_has_its_place_and_remedy(client: Client) -> None:
    html = check(client, BROKEN)
    assert 'data-severity="error" data-line="3" data-column="18"' in html
    assert "JSON_SYNTAX_ERROR" in html
    assert 'data-fix=""' in html


def test_browsers_line_ends_do_not_move_the_place(client: Client) -> None:
    assert check(client, BROKEN.replace("\n", "\r\n")) == check(client, BROKEN)


def test_misspelt_name_can_be_replaced(client: Client) -> None:
    html = check(client, MISSPELT)
    assert 'data-fix="&quot;lambda:GetFunction&quot;"' in html
    assert "None of this keeps it from being saved." in html


def test_good_policy_is_said_to_be_good(client: Client) -> None:
    assert "Nothing is wrong with it." in check(client, MISSPELT.replace("Functon", "Function"))


def test_no_policy_is_no_fault(client: Client) -> None:
    assert "data-line" not in check(client, " \n ")


@pytest.mark.parametrize("text", [HOSTILE, f'{{"{HOSTILE}": 1}}', "\0", "[" * 10_000, "1e400", "\ud83d", "x" * 120_000])
def test_hostile_text_gives_findings(text: str, client: Client) -> None:
    html = check(client, text.encode(errors="surrogatepass").decode(errors="replace"))
    assert 'data-severity="error"' in html
    assert "<script>" not in html


def test_check_asks_for_the_session_and_user_only(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        check(client, BROKEN)
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert len(queries) <= 3


def test_gravest_finding_comes_first_and_marks_its_line() -> None:
    verdict = judge('{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}]}')
    assert next(severity for severity, _count in verdict.counts) == "error"
    assert verdict.remarks[0].finding.severity == "error"
    assert verdict.lines[0].severity == "error"


# --- Laying out -------------------------------------------------------------------------------------------------------


def test_text_is_laid_out(client: Client) -> None:
    response = client.post("/permission-sets/format/", {"inline_policy": '{"a":[]}'})
    assert (response.status_code, response.content) == (200, b'{\n  "a": []\n}')
    assert response["Content-Type"].startswith("text/plain")


def test_what_is_no_json_is_not_laid_out(client: Client) -> None:
    response = client.post("/permission-sets/format/", {"inline_policy": BROKEN})
    assert (response.status_code, response.content) == (422, b"")


# --- Suggesting -------------------------------------------------------------------------------------------------------


def test_policies_are_suggested_with_their_paths(client: Client) -> None:
    for name, attachable in (("Billing", True), ("AWSBillingReadOnlyAccess", True), ("BillingServiceRole", False)):
        path = "job-function/" if name == "Billing" else ""
        AwsPolicy.objects.create(
            arn=f"arn:aws:iam::aws:policy/{path}{name}", name=name, is_attachable=attachable, read_at=timezone.now()
        )
    html = client.get("/permission-sets/suggest/managed_policies/?q=bill").content.decode()
    assert html.index("job-function/Billing") < html.index("AWSBillingReadOnlyAccess")
    assert "BillingServiceRole" not in html


def test_bundled_policies_are_suggested_before_iam_s_list_was_read(client: Client) -> None:
    html = client.get("/permission-sets/suggest/managed_policies/?q=viewonly").content.decode()
    assert '<option value="job-function/ViewOnlyAccess">' in html
    hidden = client.get("/permission-sets/suggest/managed_policies/?q=AWSSSOServiceRole").content.decode()
    assert "<option" not in hidden
    AwsPolicy.objects.create(arn="arn:aws:iam::aws:policy/Other", name="Other", read_at=timezone.now())
    assert "<option" not in client.get("/permission-sets/suggest/managed_policies/?q=viewonly").content.decode()


def test_people_are_suggested_by_name(client: Client) -> None:
    person = factories.make_person("佐藤 花")
    factories.make_person("佐藤 太郎", kintone_code="")
    html = client.get("/permission-sets/suggest/owners/?q=佐藤").content.decode()
    assert f'<option value="{person.kintone_code}">佐藤 花</option>' in html
    assert "太郎" not in html


def test_suggestions_are_few_and_escaped(client: Client) -> None:
    for number in range(30):
        factories.make_person(f"{HOSTILE}{number}")
    html = client.get("/permission-sets/suggest/owners/", {"q": HOSTILE}).content.decode()
    assert html.count("<option") == 20
    assert "<script>" not in html


# --- Who may, and how -------------------------------------------------------------------------------------------------

ENDPOINTS = ["/permission-sets/check/", "/permission-sets/format/"]


@pytest.mark.parametrize("url", ENDPOINTS)
def test_endpoints_want_post(url: str, client: Client) -> None:
    assert client.get(url).status_code == 405


@pytest.mark.parametrize("url", ENDPOINTS)
def test_anonymous_learns_nothing(url: str) -> None:
    response = Client().post(url, {"inline_policy": BROKEN})
    assert response.status_code == 302
    assert Client().get("/permission-sets/suggest/owners/?q=a").status_code == 302


@pytest.mark.parametrize("role", ["is_staff", "is_auditor"])
def test_everybody_signed_in_may_check(role: str) -> None:
    values: dict[str, Any] = {role: True}
    assert "JSON_SYNTAX_ERROR" in check(make_client(factories.make_user(**values)), BROKEN)


def test_check_wants_the_token_of_the_form() -> None:
    client, user = Client(enforce_csrf_checks=True), factories.make_user()
    client.force_login(user)
    assert isinstance(user, User)
    assert client.post("/permission-sets/check/", {"inline_policy": "{}"}).status_code in (401, 403)


# --- Templates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", list(TEMPLATES))
def test_template_has_nothing_to_be_mended(slug: str) -> None:
    template = TEMPLATES[slug]
    assert template.statements or template.managed_policies
    verdict = judge(template.build_values()["inline_policy"])
    assert [remark.finding for remark in verdict.remarks] == []


# --- The pace ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient() -> Client:
    """Somebody who may ask twice more, in this half of a minute and in the next."""
    user = factories.make_user()
    ask_often(user, MOST - 2)
    return make_client(user)


def test_whoever_asks_too_often_is_told_how_long_to_wait(impatient: Client, client: Client) -> None:
    check(impatient, "{}")
    assert impatient.post("/permission-sets/format/", {"inline_policy": "{}"}).status_code == 200
    response = impatient.post("/permission-sets/check/", {"inline_policy": "{}"})
    assert (response.status_code, response["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert 1 <= int(response["Retry-After"]) <= 31
    assert f"Go on in {response['Retry-After']} seconds." in response.content.decode()
    assert check(client, "{}"), "somebody else does not wait"


def test_preview_is_asked_at_the_same_pace(impatient: Client) -> None:
    AppState.objects.create(kind=AppKind.PERMISSION_SET, app_id="23", fields={"name": "name"})
    for _number in range(2):
        assert impatient.post("/permission-sets/new/", {"do": "preview", "name": "X"}).status_code == 200
    assert impatient.post("/permission-sets/new/", {"do": "preview", "name": "X"}).status_code == 429
    assert impatient.post("/permission-sets/new/", {"do": "save", "name": "X"}).status_code == 302, (
        "saving does not wait"
    )


def test_next_window_begins_anew() -> None:
    now = 1_800_000_000.0
    assert [find_wait(7, now, kind=PACE, most=MOST) for _number in range(MOST + 1)][-2:] == [0, WINDOW + 1]
    assert find_wait(7, now + WINDOW, kind=PACE, most=MOST) == 0
