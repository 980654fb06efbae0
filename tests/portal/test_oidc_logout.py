"""Signing out, here and at Entra ID."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEvent
from simulators.entra import EntraWorld
from tests.portal.visiting import MEMBER, TENANT, Visitor, params_of


def test_sign_out_ends_both_sessions(visitor: Visitor, settings: Settings, entra: EntraWorld) -> None:
    visitor.sign_in(MEMBER)
    location = visitor.client.post("/oidc/logout/")["Location"]
    assert location.startswith(f"{settings.ENTRA_AUTHORITY_HOST}/{TENANT}/oauth2/v2.0/logout?")
    person = entra.find_person(MEMBER)
    assert person is not None
    assert params_of(location) == {"post_logout_redirect_uri": "http://testserver/", "logout_hint": person.login_hint}
    assert visitor.user is None
    back = visitor.session.get(location, allow_redirects=False)
    assert back.headers["Location"] == "http://testserver/"
    assert "prompt" not in params_of(visitor.begin())
    assert visitor.session.get(visitor.begin(), allow_redirects=False).status_code == 200


def test_sign_out_is_audited(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    visitor.client.post("/oidc/logout/")
    event = AuditEvent.objects.get(action="signed_out")
    assert event.actor_oid == MEMBER


def test_signing_out_twice_is_fine(visitor: Visitor) -> None:
    assert visitor.client.post("/oidc/logout/")["Location"] == "/"
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
def test_only_a_form_signs_out(visitor: Visitor, method: str) -> None:
    visitor.sign_in(MEMBER)
    assert getattr(visitor.client, method)("/oidc/logout/").status_code == 405
    assert visitor.user is not None


def test_foreign_form_signs_nobody_out(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = visitor.client.cookies
    assert strict.post("/oidc/logout/", headers={"origin": "https://evil.example"}).status_code == 403
    assert visitor.user is not None


def test_sign_out_follows_no_foreign_target(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    location = visitor.client.post("/oidc/logout/?next=//evil.example", {"next": "https://evil.example"})["Location"]
    assert "evil" not in location


def test_content_policy_lets_the_form_reach_entra(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    assert (
        "form-action 'self' https://login.microsoftonline.com"
        in visitor.client.get("/page/")["Content-Security-Policy"]
    )
