"""A session asks Entra ID again every 15 minutes, for every kind of request."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from accounts.models import AuditEvent
from simulators.entra import EntraWorld
from tests.portal.visiting import ADMIN, MEMBER, Visitor, params_of

MINUTE = 60
PAGE = {"accept": "text/html,application/xhtml+xml"}
HTMX = {"hx-request": "true", "hx-current-url": "http://testserver/page/?a=1", "accept": "text/html"}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-20T09:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(visitor: Visitor, clock: time_machine.Traveller) -> Visitor:
    visitor.sign_in(MEMBER)
    return visitor


def renew(visitor: Visitor, path: str = "/page/") -> Any:
    """Follow a page's silent renewal to the callback's answer."""
    return visitor.client.get(visitor.visit_entra(visitor.client.get(path, headers=PAGE)["Location"]))


def test_fresh_session_asks_nobody(member: Visitor, clock: time_machine.Traveller, entra: EntraWorld) -> None:
    clock.shift(14 * MINUTE)
    assert member.client.get("/page/", headers=PAGE).status_code == 200
    assert entra.calls["authorize"] == 1


def test_page_is_renewed_silently_and_comes_back(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(16 * MINUTE)
    params = params_of(member.client.get("/page/?a=1&b=2", headers=PAGE)["Location"])
    assert params["prompt"] == "none"
    assert params["login_hint"].startswith("O.")
    assert renew(member, "/page/?a=1&b=2")["Location"] == "/page/?a=1&b=2"
    assert member.client.get("/page/", headers=PAGE).status_code == 200


def test_renewal_keeps_session_and_form_token(member: Visitor, clock: time_machine.Traveller) -> None:
    before = member.client.cookies["session"].value
    clock.shift(16 * MINUTE)
    renew(member)
    assert member.client.cookies["session"].value == before
    assert AuditEvent.objects.filter(action="signed_in").count() == 1


def test_next_of_the_page_itself_is_left_to_it(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(16 * MINUTE)
    assert renew(member, "/page/?next=/elsewhere/")["Location"] == "/page/?next=/elsewhere/"


def test_form_is_stopped(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(16 * MINUTE)
    response = member.client.post("/save/", headers=PAGE)
    assert response.status_code == 401
    assert response.content == b"expired|/oidc/authenticate/"
    assert "saved" not in member.client.session


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_every_method_is_stopped(member: Visitor, clock: time_machine.Traveller, method: str) -> None:
    clock.shift(16 * MINUTE)
    assert getattr(member.client, method)("/save/").status_code == 401
    assert "saved" not in member.client.session


def test_form_goes_through_after_renewal(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(16 * MINUTE)
    member.client.post("/save/", headers=PAGE)
    renew(member)
    assert member.client.post("/save/", headers=PAGE).content == b"saved"


@pytest.mark.parametrize("method", ["get", "post"])
def test_htmx_is_sent_to_its_page(member: Visitor, clock: time_machine.Traveller, method: str) -> None:
    clock.shift(16 * MINUTE)
    response = getattr(member.client, method)("/save/", headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (401, "/page/?a=1")


def test_htmx_is_sent_to_no_other_site(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(16 * MINUTE)
    response = member.client.get("/page/", headers={**HTMX, "hx-current-url": "https://evil.example/"})
    assert response["HX-Redirect"] == "/"


@pytest.mark.parametrize(
    "headers", [{"accept": "*/*"}, {"accept": "application/json"}, {**PAGE, "x-requested-with": "XMLHttpRequest"}]
)
def test_script_gets_json(member: Visitor, clock: time_machine.Traveller, headers: dict[str, str]) -> None:
    clock.shift(16 * MINUTE)
    response = member.client.get("/page/", headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": "sign_in_required", "sign_in_url": "/oidc/authenticate/"}


def test_open_views_are_left_alone(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(60 * MINUTE)
    assert member.client.post("/open/").status_code == 200
    assert member.user is not None


def test_long_absence_ends_the_session(member: Visitor, clock: time_machine.Traveller) -> None:
    clock.shift(31 * MINUTE)
    response = member.client.get("/page/?a=1", headers=PAGE)
    assert response["Location"] == "/oidc/authenticate/?next=%2Fpage%2F%3Fa%3D1"
    assert member.user is None


@pytest.mark.parametrize("headers", [PAGE, HTMX, {"accept": "*/*"}])
def test_long_absence_stops_every_write(
    member: Visitor, clock: time_machine.Traveller, headers: dict[str, str]
) -> None:
    clock.shift(31 * MINUTE)
    assert member.client.post("/save/", headers=headers).status_code == 401
    assert member.user is None


def test_session_without_time_is_over(member: Visitor) -> None:
    session = member.client.session
    del session["oidc_id_token_expiration"]
    session.save()
    assert member.client.post("/save/").status_code == 401
    assert member.user is None


def test_login_by_other_means_starts_fresh(member: Visitor) -> None:
    assert member.user is not None
    member.client.force_login(member.user)
    assert member.client.get("/page/", headers=PAGE).status_code == 200


# --- what changes at Entra ID


def test_lost_role_ends_with_the_renewal(visitor: Visitor, clock: time_machine.Traveller, entra: EntraWorld) -> None:
    visitor.sign_in(ADMIN)
    assert visitor.client.get("/admin/", headers=PAGE).status_code == 200
    entra.update_person(ADMIN, roles=())
    clock.shift(16 * MINUTE)
    assert visitor.client.post("/admin/", headers=PAGE).status_code == 401
    assert renew(visitor)["Location"] == "/page/"
    assert visitor.client.get("/admin/", headers=PAGE, follow=True).status_code == 403


def test_disabled_person_is_out_with_the_renewal(
    member: Visitor, clock: time_machine.Traveller, entra: EntraWorld
) -> None:
    entra.update_person(MEMBER, is_disabled=True)
    clock.shift(16 * MINUTE)
    response = renew(member)
    assert response["Location"] == "/oidc/authenticate/?next=%2Fpage%2F"
    assert member.user is None


def test_second_factor_is_asked_visibly(member: Visitor, clock: time_machine.Traveller, entra: EntraWorld) -> None:
    entra.demand_interaction(MEMBER)
    clock.shift(16 * MINUTE)
    interactive = member.client.get(renew(member)["Location"])["Location"]
    assert "prompt" not in params_of(interactive)
    assert params_of(interactive)["login_hint"].startswith("O.")
    assert member.client.get(member.visit_entra(interactive, MEMBER))["Location"] == "/page/"
    assert member.user is not None


def test_two_accounts_at_entra_disturb_nobody(
    member: Visitor, clock: time_machine.Traveller, entra: EntraWorld
) -> None:
    member.session.get(member.begin("?prompt=login"), allow_redirects=False)
    member.visit_entra(member.begin("?prompt=select_account"), ADMIN)
    clock.shift(16 * MINUTE)
    assert renew(member)["Location"] == "/page/"
    assert member.user is not None
    assert member.user.entra_oid == MEMBER


def test_distrusted_renewal_ends_the_session(member: Visitor, clock: time_machine.Traveller, entra: EntraWorld) -> None:
    entra.tamper = lambda claims, _headers: claims.update(aud="another")
    clock.shift(16 * MINUTE)
    assert renew(member).status_code == 403
    assert member.user is None
