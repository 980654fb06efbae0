"""The pages of a sign-in that did not happen or ran out, as the portal really shows them."""

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import AuditEvent
from portal import settings as shipped
from tests.portal.visiting import MEMBER, Visitor


@pytest.fixture
def portal(visitor: Visitor, settings: Settings) -> Visitor:
    """A visitor of the portal's own pages."""
    settings.ROOT_URLCONF, settings.TEMPLATES = shipped.ROOT_URLCONF, shipped.TEMPLATES
    settings.CSRF_FAILURE_VIEW = shipped.CSRF_FAILURE_VIEW
    return visitor


def test_refusal_shows_the_number_to_ask_with(portal: Visitor) -> None:
    response = portal.client.get(portal.visit_entra(portal.begin(), cancel=True))
    assert response.status_code == 403
    assert AuditEvent.objects.get().request_id in response.content.decode()


def test_stray_callback_has_a_page(portal: Visitor) -> None:
    response = portal.client.get("/oidc/callback/?code=c&state=s")
    assert (response.status_code, response["X-Frame-Options"]) == (400, "DENY")
    assert "/oidc/authenticate/" in response.content.decode()


def test_expired_form_leads_to_sign_in(portal: Visitor) -> None:
    with time_machine.travel("2026-11-20T09:00:00Z", tick=False) as clock:
        portal.sign_in(MEMBER)
        clock.shift(16 * 60)
        response = portal.client.post("/runs/sync/", headers={"accept": "text/html"})
    assert response.status_code == 401
    assert "/oidc/authenticate/" in response.content.decode()
