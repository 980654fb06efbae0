"""The Entra ID simulator over HTTP, as a browser and an app see it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from simulators.clock import Clock
from simulators.entra import EntraSimulator, EntraWorld
from simulators.entra.world import challenge_of
from simulators.serving import Response, Serving

CLIENT, SECRET = "22222222-2222-4222-8222-222222222222", "a-secret-of-this-test"
CALLBACK, HOME = "http://localhost:8000/oidc/callback/", "http://localhost:8000/"
HANA, TARO, GUEST = (f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture(scope="module")
def base_state() -> dict[str, Any]:
    """A world with its keys, which take a while to make."""
    world = EntraWorld("test")
    world.list_keys()
    world.add_person(HANA, "hana@example.com", "山田 花", email="hana@example.com", roles=["Portal.Admin"])
    world.add_person(TARO, "taro@example.com", "鈴木 太郎")
    world.add_person(GUEST, "g_home.example#EXT#@example.com", "Guest", email="g@home.example", guest=True)
    world.add_client(CLIENT, SECRET, [CALLBACK], [HOME])
    return world.to_state()


@pytest.fixture
def world(base_state: dict[str, Any]) -> EntraWorld:
    return EntraWorld.from_state(base_state, Clock())


@pytest.fixture
def serving(world: EntraWorld) -> Iterator[Serving]:
    with Serving(EntraSimulator(world)) as serving:
        yield serving


@dataclass
class Browser:
    """A browser and the app behind it."""

    authority: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, **changes: str | None) -> requests.Response:
        """GET authorize; a change to None leaves the parameter out."""
        params = {
            "client_id": CLIENT, "redirect_uri": CALLBACK, "response_type": "code", "state": "s1", "nonce": "n1",
            "scope": "openid profile email", "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        } | changes  # fmt: skip
        kept = {name: value for name, value in params.items() if value is not None}
        return self.session.get(f"{self.authority}/oauth2/v2.0/authorize", params=kept, allow_redirects=False)

    def pick(self, oid: str, **changes: str | None) -> requests.Response:
        """Pick an account on the page, as its form would."""
        query = urlsplit(str(self.ask(prompt="login", **changes).request.url)).query
        url = f"{self.authority}/login?{query}"
        return self.session.post(url, data={"oid": oid}, allow_redirects=False)

    def sign_in(self, oid: str, **changes: str | None) -> str:
        return answer_of(self.pick(oid, **changes))["code"]

    def redeem(self, code: str, /, **changes: str | None) -> requests.Response:
        body = {
            "client_id": CLIENT, "client_secret": SECRET, "grant_type": "authorization_code", "code": code,
            "redirect_uri": CALLBACK, "code_verifier": self.verifier,
        } | changes  # fmt: skip
        return self.session.post(f"{self.authority}/oauth2/v2.0/token", data=body)

    def claims(self, oid: str, **changes: str | None) -> dict[str, Any]:
        token = self.redeem(self.sign_in(oid, **changes)).json()["id_token"]
        return jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def browser(serving: Serving, world: EntraWorld) -> Iterator[Browser]:
    browser = Browser(f"{serving.url}/{world.tenant_id}")
    yield browser
    browser.session.close()


def answer_of(response: requests.Response) -> dict[str, str]:
    """What the browser carries back to the app."""
    assert response.status_code == 302
    assert response.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


# --- discovery and keys


def test_discovery_names_one_tenant(browser: Browser) -> None:
    document = browser.session.get(f"{browser.authority}/v2.0/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{browser.authority}/v2.0"
    assert document["token_endpoint"] == f"{browser.authority}/oauth2/v2.0/token"
    assert document["jwks_uri"] == f"{browser.authority}/discovery/v2.0/keys"


def test_several_keys_without_alg(browser: Browser) -> None:
    keys = browser.session.get(f"{browser.authority}/discovery/v2.0/keys").json()["keys"]
    assert len({key["kid"] for key in keys}) == 2
    assert all("alg" not in key and key["kid"] == key["x5t"] for key in keys)


def test_token_is_signed_by_published_key(browser: Browser) -> None:
    keys = browser.session.get(f"{browser.authority}/discovery/v2.0/keys").json()["keys"]
    token = browser.redeem(browser.sign_in(HANA)).json()["id_token"]
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWK(next(key for key in keys if key["kid"] == kid), algorithm="RS256")
    assert jwt.decode(token, key, algorithms=["RS256"], audience=CLIENT)["oid"] == HANA


def test_rotation_keeps_old_key_published(world: EntraWorld) -> None:
    before = {key.kid for key in world.list_keys()}
    new = world.rotate_key()
    assert {key.kid for key in world.list_keys()} == before | {new.kid}
    assert world.list_keys()[-1].kid == new.kid


def test_emergency_rotation_retires_old_keys(world: EntraWorld) -> None:
    before = {key.kid for key in world.list_keys()}
    world.rotate_key(retire_old=True)
    assert not before & {key.kid for key in world.list_keys()}


@pytest.mark.parametrize("tenant", ["common", "organizations", "9188040d-6c67-4c5b-b112-36a304b66dad"])
def test_other_tenants_are_unknown(serving: Serving, tenant: str) -> None:
    response = requests.get(f"{serving.url}/{tenant}/discovery/v2.0/keys", timeout=5)
    assert (response.status_code, response.json()["error_codes"]) == (400, [90002])


def test_foreign_host_name_is_refused(serving: Serving) -> None:
    assert requests.get(serving.url, headers={"Host": "attacker.example"}, timeout=5).status_code == 421


# --- claims


def test_member_claims(browser: Browser, world: EntraWorld) -> None:
    claims = browser.claims(HANA)
    expected = {
        "aud": CLIENT, "iss": f"{browser.authority}/v2.0", "tid": world.tenant_id, "oid": HANA, "ver": "2.0",
        "nonce": "n1", "name": "山田 花", "preferred_username": "hana@example.com", "email": "hana@example.com",
        "roles": ["Portal.Admin"], "upn": "hana@example.com", "acct": 0,
    }  # fmt: skip
    assert {name: claims[name] for name in expected} == expected
    assert {"sub", "sid", "login_hint", "auth_time", "uti"} <= claims.keys()
    assert not {"idp", "groups", "at_hash"} & claims.keys()


def test_times_are_back_dated(browser: Browser, world: EntraWorld) -> None:
    world.clock.freeze(datetime(2026, 11, 20, tzinfo=UTC))
    now = int(world.clock.now().timestamp())
    claims = browser.claims(HANA)
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (now - 300, now - 300, now + 3600)


def test_no_role_and_no_mail_leave_claims_out(browser: Browser) -> None:
    assert not {"roles", "email"} & browser.claims(TARO).keys()


def test_guest_claims(browser: Browser) -> None:
    claims = browser.claims(GUEST)
    assert (claims["acct"], claims["idp"], claims["preferred_username"]) == (1, "live.com", "g@home.example")
    assert "upn" not in claims


def test_object_id_needs_profile_scope(browser: Browser) -> None:
    assert not {"oid", "name", "preferred_username"} & browser.claims(HANA, scope="openid email").keys()


def test_subject_is_pairwise(world: EntraWorld) -> None:
    assert world.derive_subject(CLIENT, HANA) == world.derive_subject(CLIENT, HANA)
    assert len({world.derive_subject(app, oid) for app in (CLIENT, "other") for oid in (HANA, TARO)}) == 4


@pytest.mark.parametrize(("count", "claim"), [(200, "groups"), (201, "_claim_names")])
def test_many_groups_become_a_link(browser: Browser, world: EntraWorld, count: int, claim: str) -> None:
    world.update_person(TARO, groups=tuple(f"group-{n}" for n in range(count)))
    assert {"groups", "_claim_names"} & browser.claims(TARO).keys() == {claim}


def test_registration_limits_optional_claims(browser: Browser, world: EntraWorld) -> None:
    world.add_client(CLIENT, SECRET, [CALLBACK], optional_claims=["upn"])
    claims = browser.claims(HANA)
    assert "upn" in claims
    assert not {"acct", "auth_time", "email", "login_hint", "sid"} & claims.keys()


# --- authorize


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_id": "unknown"}, 700016),
        ({"redirect_uri": CALLBACK.rstrip("/")}, 50011),
        ({"redirect_uri": CALLBACK.upper()}, 50011),
        ({"redirect_uri": "https://attacker.example/"}, 50011),
        ({"redirect_uri": None}, 50011),
    ],
)
def test_untrusted_destination_shows_page(browser: Browser, changes: dict[str, str | None], number: int) -> None:
    response = browser.ask(**changes)
    assert (response.status_code, f"AADSTS{number}" in response.text) == (400, True)


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_type": "id_token"}, "unsupported_response_type", 700054),
        ({"response_mode": "form_post"}, "invalid_request", 70007),
        ({"scope": "profile"}, "invalid_request", 900144),
        ({"prompt": "dance"}, "invalid_request", 90023),
        ({"prompt": "select_account", "login_hint": "hana@example.com"}, "invalid_request", 90023),
        ({"code_challenge": None}, "invalid_request", 50147),
        ({"code_challenge_method": "plain"}, "invalid_request", 501491),
        ({"code_challenge_method": None}, "invalid_request", 501491),
    ],
)
def test_wrong_request_is_answered_to_app(
    browser: Browser, changes: dict[str, str | None], error: str, number: int
) -> None:
    answer = answer_of(browser.ask(**changes))
    assert (answer["error"], answer["state"]) == (error, "s1")
    assert answer["error_description"].startswith(f"AADSTS{number}: ")
    assert "Trace ID: " in answer["error_description"]


def test_script_in_request_is_not_rendered(browser: Browser) -> None:
    assert "<script>" not in browser.ask(state="'><script>alert(1)</script>").text
    assert "<script>" not in browser.ask(q="<script>").text


@pytest.mark.parametrize(
    ("language", "title"), [("ja,en;q=0.5", "アカウントを選択"), ("en-GB", "Pick an account"), ("fr", "Pick")]
)
def test_picker_speaks_the_readers_language(browser: Browser, language: str, title: str) -> None:
    browser.session.headers["Accept-Language"] = language
    assert title in browser.ask().text


def test_picker_lists_everybody_and_finds(browser: Browser) -> None:
    assert all(oid in browser.ask().text for oid in (HANA, TARO, GUEST))
    found = browser.ask(q="太郎").text
    assert TARO in found
    assert HANA not in found


def test_login_hint_preselects(browser: Browser) -> None:
    page = browser.ask(login_hint="TARO@example.com").text
    assert TARO in page
    assert HANA not in page


def test_domain_hint_narrows(browser: Browser) -> None:
    page = browser.ask(domain_hint="home.example").text
    assert GUEST in page
    assert HANA not in page


def test_picking_answers_with_code_and_state(browser: Browser) -> None:
    answer = answer_of(browser.pick(HANA))
    assert answer["state"] == "s1"
    assert browser.redeem(answer["code"]).status_code == 200


def test_cancelling_denies_access(browser: Browser) -> None:
    query = urlsplit(str(browser.ask().request.url)).query
    response = browser.session.post(f"{browser.authority}/login?{query}", data={"cancel": "1"}, allow_redirects=False)
    assert answer_of(response) == {"error": "access_denied", "error_subcode": "cancel", "state": "s1"}


@pytest.mark.parametrize("oid", [TARO, "nobody"])
def test_disabled_or_unknown_person_stays_out(browser: Browser, world: EntraWorld, oid: str) -> None:
    world.update_person(TARO, is_disabled=True)
    assert browser.pick(oid).status_code == 400


def test_session_cookie_stays_below_tenant(browser: Browser, world: EntraWorld) -> None:
    cookie = browser.pick(HANA).headers["Set-Cookie"]
    assert cookie.startswith("ESTSAUTH=")
    assert cookie.endswith(f"; Path=/{world.tenant_id}/; HttpOnly; SameSite=Lax")


# --- single sign-on


def test_second_visit_is_signed_in_silently(browser: Browser) -> None:
    browser.sign_in(HANA)
    assert "code" in answer_of(browser.ask())


@pytest.mark.parametrize("prompt", ["login", "select_account", "consent"])
def test_prompt_asks_again(browser: Browser, prompt: str) -> None:
    browser.sign_in(HANA)
    assert browser.ask(prompt=prompt).status_code == 200


def test_two_accounts_ask_which(browser: Browser) -> None:
    browser.sign_in(HANA)
    browser.sign_in(TARO)
    assert browser.ask().status_code == 200
    assert "code" in answer_of(browser.ask(login_hint="taro@example.com"))


def test_silent_without_session_needs_login(browser: Browser) -> None:
    answer = answer_of(browser.ask(prompt="none"))
    assert answer["error"] == "login_required"
    assert answer["error_description"].startswith("AADSTS50058")


def test_silent_with_two_accounts_needs_hint(browser: Browser) -> None:
    browser.sign_in(HANA)
    hint = browser.claims(TARO)["login_hint"]
    assert answer_of(browser.ask(prompt="none"))["error"] == "interaction_required"
    assert "code" in answer_of(browser.ask(prompt="none", login_hint=hint))


def test_silent_for_somebody_else_needs_login(browser: Browser) -> None:
    browser.sign_in(HANA)
    assert answer_of(browser.ask(prompt="none", login_hint="taro@example.com"))["error"] == "login_required"


def test_silent_for_disabled_person_fails(browser: Browser, world: EntraWorld) -> None:
    browser.sign_in(HANA)
    world.update_person(HANA, is_disabled=True)
    assert answer_of(browser.ask(prompt="none"))["error"] == "interaction_required"


def test_demanded_interaction_ends_with_visible_sign_in(browser: Browser, world: EntraWorld) -> None:
    browser.sign_in(HANA)
    world.demand_interaction(HANA)
    assert answer_of(browser.ask(prompt="none"))["error"] == "interaction_required"
    browser.sign_in(HANA)
    assert "code" in answer_of(browser.ask(prompt="none"))


# --- token


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_id": "unknown"}, 400, "unauthorized_client", 700016),
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"code": None}, 400, "invalid_request", 900144),
        ({"code": "made-up"}, 400, "invalid_grant", 9002313),
        ({"redirect_uri": HOME}, 400, "invalid_client", 500112),
        ({"code_verifier": "wrong"}, 400, "invalid_grant", 501481),
        ({"code_verifier": None}, 400, "invalid_grant", 501481),
    ],
)
def test_wrong_redemption_is_refused(
    browser: Browser, changes: dict[str, str | None], status: int, error: str, number: int
) -> None:
    response = browser.redeem(browser.sign_in(HANA), **changes)
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["correlation_id"] in body["error_description"]


def test_code_works_once(browser: Browser) -> None:
    code = browser.sign_in(HANA)
    browser.redeem(code)
    assert browser.redeem(code).json()["error_codes"] == [54005]


def test_code_expires(browser: Browser, world: EntraWorld) -> None:
    code = browser.sign_in(HANA)
    world.clock.advance(timedelta(minutes=10))
    assert browser.redeem(code).json()["error_codes"] == [70008]


def test_code_belongs_to_its_app(browser: Browser, world: EntraWorld) -> None:
    world.add_client("other", "s", [CALLBACK])
    response = browser.redeem(browser.sign_in(HANA), client_id="other", client_secret="s")
    assert response.json()["error_codes"] == [70000]


def test_disabled_meanwhile_gets_no_token(browser: Browser, world: EntraWorld) -> None:
    code = browser.sign_in(HANA)
    world.update_person(HANA, is_disabled=True)
    assert browser.redeem(code).json()["error_codes"] == [50057]


def test_token_is_not_read_by_get(browser: Browser) -> None:
    assert browser.session.get(f"{browser.authority}/oauth2/v2.0/token").json()["error_codes"] == [900561]


# --- logout


def sign_out(browser: Browser, **params: str) -> requests.Response:
    return browser.session.get(f"{browser.authority}/oauth2/v2.0/logout", params=params, allow_redirects=False)


def test_logout_returns_to_registered_address(browser: Browser) -> None:
    hint = browser.claims(HANA)["login_hint"]
    response = sign_out(browser, post_logout_redirect_uri=HOME, logout_hint=hint)
    assert (response.status_code, response.headers["Location"]) == (302, HOME)
    assert answer_of(browser.ask(prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize("target", ["https://attacker.example/", HOME + "x", ""])
def test_logout_goes_nowhere_else(browser: Browser, target: str) -> None:
    hint = browser.claims(HANA)["login_hint"]
    response = sign_out(browser, post_logout_redirect_uri=target, logout_hint=hint)
    assert (response.status_code, "Location" in response.headers) == (200, False)


def test_logout_without_hint_asks_which(browser: Browser) -> None:
    browser.sign_in(HANA)
    response = sign_out(browser, post_logout_redirect_uri=HOME)
    assert HANA in response.text
    assert "code" in answer_of(browser.ask(prompt="none"))
    picked = browser.session.post(str(response.request.url), data={"oid": HANA}, allow_redirects=False)
    assert picked.headers["Location"] == HOME


def test_logout_leaves_other_accounts(browser: Browser) -> None:
    browser.sign_in(HANA)
    browser.sign_in(TARO)
    sign_out(browser, logout_hint="hana@example.com")
    assert "code" in answer_of(browser.ask(prompt="none"))


# --- state and hooks


def test_state_survives_restart(browser: Browser, world: EntraWorld) -> None:
    browser.sign_in(HANA)
    again = EntraWorld.from_state(world.to_state())
    assert again.to_state() == world.to_state()
    assert [key.kid for key in again.list_keys()] == [key.kid for key in world.list_keys()]


def test_seed_gives_the_same_tenant() -> None:
    assert EntraWorld("one").tenant_id == EntraWorld("one").tenant_id != EntraWorld("two").tenant_id


def test_changes_are_told(world: EntraWorld) -> None:
    told: list[str] = []
    world.on_change = lambda: told.append("changed")
    world.add_person(TARO, "taro@example.com", "鈴木 太郎")
    world.sign_in("", TARO)
    assert len(told) == 2


def test_tamper_changes_claims(browser: Browser, world: EntraWorld) -> None:
    world.tamper = lambda claims, _headers: claims.update(tid="other")
    assert browser.claims(HANA)["tid"] == "other"


def test_tamper_replaces_token(browser: Browser, world: EntraWorld) -> None:
    world.tamper = lambda _claims, _headers: "no token"
    assert browser.redeem(browser.sign_in(HANA)).json()["id_token"] == "no token"


def test_intercept_answers_instead(browser: Browser, world: EntraWorld) -> None:
    world.intercept = lambda endpoint, _request: Response.text("down", 503) if endpoint == "token" else None
    assert browser.redeem(browser.sign_in(HANA)).status_code == 503
    assert world.calls["token"] == 1
