"""Signing in, preferences, the CLI page and what is shown when something went wrong."""

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from portal.views import errors
from tests import factories
from tests.portal.pages import get_html, make_client

pytestmark = pytest.mark.django_db


def test_sign_in_has_one_button_that_leads_on() -> None:
    html = Client().get("/sign-in/?next=/accounts/%3Fq%3Dx").content.decode()
    assert 'href="/oidc/authenticate/?next=%2Faccounts%2F%3Fq%3Dx"' in html


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_sign_in_leads_to_the_portal_only(target: str) -> None:
    html = Client().get("/sign-in/", {"next": target}).content.decode()
    assert 'href="/oidc/authenticate/?next=%2F"' in html


def test_whoever_is_signed_in_goes_on() -> None:
    assert make_client(factories.make_user()).get("/sign-in/?next=/cli/").headers["Location"] == "/cli/"


def test_refusal_gives_the_number_only() -> None:
    response = Client().get("/sign-in/refused/", {"id": "1234-abcd-5678", "error_description": "raw text"})
    assert response.status_code == 403
    assert "1234-abcd-5678" in response.content.decode()
    assert "raw text" not in response.content.decode()


def test_refusal_repeats_no_odd_number() -> None:
    html = Client().get("/sign-in/refused/", {"id": "call 555-0100"}).content.decode()
    assert "call 555-0100" not in html


@pytest.mark.parametrize(("language", "title"), [("ja", "マイアクセス"), ("en", "My access")])
def test_language_is_kept(language: str, title: str) -> None:
    user = factories.make_user()
    client = make_client(user)
    response = client.post("/preferences/language/", {"language": language, "next": "/"})
    assert response.headers["Location"] == "/"
    assert f'lang="{language}"' in get_html(client, "/")
    assert title in get_html(client, "/")
    assert User.objects.get(pk=user.pk).language == language


def test_browser_chooses_the_language_at_first() -> None:
    assert "Microsoft でサインイン" in Client(headers={"accept-language": "ja"}).get("/sign-in/").content.decode()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_is_kept(theme: str) -> None:
    user = factories.make_user()
    client = make_client(user)
    client.post("/preferences/theme/", {"theme": theme, "next": "/"})
    assert f'data-theme="{theme}"' in get_html(client, "/")
    assert User.objects.get(pk=user.pk).theme == theme


def test_theme_of_the_sign_in_counts_in_a_new_browser() -> None:
    assert 'data-theme="dark"' in get_html(make_client(factories.make_user(theme="dark")), "/")


def test_system_theme_wins_over_the_sign_in_once_chosen() -> None:
    client = make_client(factories.make_user(theme="dark"))
    client.post("/preferences/theme/", {"theme": "", "next": "/"})
    assert "data-theme" not in get_html(client, "/")


def test_preferences_work_before_signing_in() -> None:
    client = Client()
    client.post("/preferences/theme/", {"theme": "dark", "next": "/sign-in/"})
    assert 'data-theme="dark"' in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize(
    ("url", "data"), [("theme", {"theme": "pink"}), ("language", {"language": "xx"}), ("language", {})]
)
def test_unknown_preference_is_refused(url: str, data: dict[str, str]) -> None:
    assert Client().post(f"/preferences/{url}/", data).status_code == 400


def test_preferences_lead_back_to_the_portal_only() -> None:
    response = Client().post("/preferences/theme/", {"theme": "dark", "next": "https://evil.example/"})
    assert response.headers["Location"] == "/"


def make_request() -> HttpRequest:
    request = RequestFactory().get("/broken/")
    request.request_id = "5f0c7f43-0000-4000-8000-000000000000"  # type: ignore[attr-defined]  # as RequestIdMiddleware does
    return request


def test_server_error_asks_no_database(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        response = errors.server_error(make_request())
    assert response.status_code == 500
    assert "5f0c7f43" in response.content.decode()


def test_bad_request_has_a_page() -> None:
    response = errors.bad_request(make_request(), Exception())
    assert response.status_code == 400
    assert "5f0c7f43" in response.content.decode()


def test_error_in_a_view_has_a_page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client(factories.make_user())
    client.raise_request_exception = False
    monkeypatch.setattr("portal.views.home.load_groups", lambda _user: 1 / 0)
    response = client.get("/")
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in response.content.decode()
    assert "ZeroDivisionError" not in response.content.decode()


def test_denied_page_says_who_may() -> None:
    run = factories.make_run(checksum="0123456789ab")
    response = make_client(factories.make_user()).post(f"/runs/{run.pk}/accept/")
    assert response.status_code == 403
    assert "portal admin" in response.content.decode()


def test_admin_site_is_offered_to_admins_only() -> None:
    assert "/admin/" in get_html(make_client(factories.make_user(is_staff=True)), "/")
    assert "/admin/" not in get_html(make_client(factories.make_user()), "/")


def test_browser_finds_the_icon_by_itself() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/static/img/gate.svg")
