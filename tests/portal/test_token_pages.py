"""The page of one's own access tokens."""

import re

import pytest
from django.utils import timezone

from accounts.models import AccessToken, User
from accounts.tokens import find_token
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db
FORM = {"name": "laptop", "scope": "read", "days": "30"}


@pytest.fixture
def user() -> User:
    return factories.make_user("花")


def test_token_is_shown_once(user: User) -> None:
    client = make_client(user)
    answer = client.post("/tokens/", FORM)
    found = re.search(r"gnk_[\w-]{40,}", answer.content.decode())
    assert found
    assert "no-store" in answer["Cache-Control"]
    User.objects.update(last_login=timezone.now())
    assert find_token(found[0]).name == "laptop"
    page = get_html(client, "/tokens/")
    assert found[0] not in page
    assert "laptop" in page


@pytest.mark.parametrize("changed", [{"name": ""}, {"scope": "admin"}, {"days": "9999"}, {"name": "x" * 101}])
def test_bad_form_makes_none_and_keeps_what_was_typed(user: User, changed: dict[str, str]) -> None:
    answer = make_client(user).post("/tokens/", FORM | changed)
    assert (answer.status_code, AccessToken.objects.count()) == (200, 0)
    assert FORM["name"] in answer.content.decode() or "name" in changed


def test_auditor_is_not_offered_writing(user: User) -> None:
    assert "register and withdraw" in get_text(make_client(user), "/tokens/")
    auditor = make_client(factories.make_user(is_auditor=True))
    assert "register and withdraw" not in get_text(auditor, "/tokens/")
    auditor.post("/tokens/", FORM | {"scope": "write"})
    assert not AccessToken.objects.exists()


def test_token_is_revoked_by_its_person_and_by_admins_alone(user: User) -> None:
    client = make_client(user)
    client.post("/tokens/", FORM)
    token = AccessToken.objects.get()
    address = f"/tokens/{token.pk}/revoke/"
    assert client.get(address).status_code == 405
    assert make_client(factories.make_user()).post(address).status_code == 404
    assert client.post("/tokens/999/revoke/").status_code == 404
    assert client.post(address).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at
    assert "revoked" in get_text(client, "/tokens/")
    client.post("/tokens/", FORM)
    other = AccessToken.objects.latest("pk")
    make_client(factories.make_user(is_staff=True)).post(f"/tokens/{other.pk}/revoke/")
    other.refresh_from_db()
    assert other.revoked_at


def test_admin_site_revokes_and_never_shows_the_digest(user: User) -> None:
    make_client(user).post("/tokens/", FORM)
    token = AccessToken.objects.get()
    client = make_client(factories.make_user(is_staff=True))
    assert token.digest not in get_html(client, f"/admin/accounts/accesstoken/{token.pk}/change/")
    client.post("/admin/accounts/accesstoken/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at
