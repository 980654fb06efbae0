"""Signing in, and the ways in which somebody could try to be somebody else."""

import logging
import secrets
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from pytest_django import Settings

from accounts.models import AuditEvent, Person, User
from portal import oidc
from simulators.entra import EntraWorld
from tests.portal.visiting import ADMIN, AUDITOR, CALLBACK, CLIENT_ID, GUEST, MEMBER, TENANT, Visitor, params_of

MakeVisitor = Callable[[], Visitor]


# --- who comes in


def test_new_person_becomes_user(visitor: Visitor) -> None:
    response = visitor.sign_in(MEMBER)
    assert (response.status_code, response["Location"]) == (302, "/")
    user = User.objects.get()
    assert (user.entra_tid, user.entra_oid, user.username) == (TENANT, MEMBER, MEMBER)
    assert (user.display_name, user.email, user.upn) == ("鈴木 太郎", "taro@example.com", "taro@example.com")
    assert not user.has_usable_password()


def test_sign_in_links_a_person_and_is_audited(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    user = User.objects.get()
    assert Person.objects.get() == user.person
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.actor_oid) == ("signed_in", user, MEMBER)


@pytest.mark.parametrize(
    ("oid", "is_staff", "is_auditor"), [(ADMIN, True, False), (AUDITOR, False, True), (MEMBER, False, False)]
)
def test_roles_follow_the_token(visitor: Visitor, oid: str, is_staff: bool, is_auditor: bool) -> None:
    visitor.sign_in(oid)
    user = User.objects.get()
    assert (user.is_staff, user.is_auditor) == (is_staff, is_auditor)


@pytest.mark.parametrize("roles", [["NotPortal.Admin", "portal.admin"], ["Portal.Admin "], ["Portal", "Admin"], [""]])
def test_roles_that_only_look_like_it_give_nothing(visitor: Visitor, entra: EntraWorld, roles: list[str]) -> None:
    entra.update_person(MEMBER, roles=tuple(roles))
    visitor.sign_in(MEMBER)
    assert not User.objects.get().is_staff


def test_lost_role_is_lost_at_next_sign_in(visitor: Visitor, entra: EntraWorld) -> None:
    visitor.sign_in(ADMIN)
    entra.update_person(ADMIN, roles=())
    visitor.sign_in(ADMIN)
    assert not User.objects.get().is_staff
    changes = AuditEvent.objects.filter(action="roles_changed").order_by("id")
    assert [(event.before, event.after) for event in changes] == [([], ["admin"]), (["admin"], [])]


def test_group_overage_gives_no_role(visitor: Visitor, entra: EntraWorld) -> None:
    entra.update_person(MEMBER, groups=tuple(f"group-{n}" for n in range(250)))
    assert visitor.sign_in(MEMBER).status_code == 302
    assert not User.objects.get().may_see_everything


def test_guest_stays_out_unless_allowed(make_visitor: MakeVisitor, settings: Settings) -> None:
    visitor = make_visitor()
    response = visitor.sign_in(GUEST)
    assert response.status_code == 403
    assert response.content.startswith(b"guest|")
    assert not User.objects.exists()
    settings.ENTRA_ALLOW_GUESTS = True
    assert make_visitor().sign_in(GUEST).status_code == 302
    assert User.objects.get().is_guest


@pytest.mark.parametrize(
    "claims",
    [{"acct": 1}, {"acct": "1"}, {"idp": "https://sts.windows.net/other/"}, {"upn": "a_b.c#EXT#@example.com"}],
)
def test_every_sign_of_a_guest_counts(visitor: Visitor, entra: EntraWorld, claims: dict[str, object]) -> None:
    entra.tamper = lambda token, _headers: token.update(claims)
    assert visitor.sign_in(MEMBER).status_code == 403


def test_deactivated_user_is_refused_and_left_as_he_was(visitor: Visitor, entra: EntraWorld) -> None:
    visitor.sign_in(MEMBER)
    User.objects.update(is_active=False, display_name="as he was")
    entra.update_person(MEMBER, roles=("Portal.Admin",))
    assert visitor.sign_in(MEMBER).content.startswith(b"inactive|")
    user = User.objects.get()
    assert (visitor.user, user.is_staff, user.display_name) == (None, False, "as he was")


# --- mail and names are nobody's identity


def test_same_mail_and_name_is_another_account(make_visitor: MakeVisitor, entra: EntraWorld) -> None:
    first, second = make_visitor(), make_visitor()
    first.sign_in(ADMIN)
    entra.tamper = lambda claims, _headers: claims.update(
        email="hana@example.com", preferred_username="hana@example.com", upn="hana@example.com"
    )
    second.sign_in(MEMBER)
    assert first.user is not None
    assert second.user is not None
    assert first.user.pk != second.user.pk
    assert (second.user.entra_oid, second.user.is_staff) == (MEMBER, False)
    assert second.user.person != first.user.person


def test_new_name_keeps_the_account(make_visitor: MakeVisitor, entra: EntraWorld) -> None:
    make_visitor().sign_in(MEMBER)
    entra.update_person(MEMBER, upn="taro.tanaka@example.com", name="田中 太郎")
    make_visitor().sign_in(MEMBER)
    assert User.objects.get().upn == "taro.tanaka@example.com"


def test_recycled_name_is_a_new_account(make_visitor: MakeVisitor, entra: EntraWorld) -> None:
    make_visitor().sign_in(MEMBER)
    successor = "bbbbbbbb-0000-4000-8000-000000000001"
    entra.add_person(successor, "taro@example.com", "別の 太郎", email="taro@example.com")
    make_visitor().sign_in(successor)
    old, new = User.objects.get(entra_oid=MEMBER), User.objects.get(entra_oid=successor)
    assert new.person_id is not None
    assert new.person_id != old.person_id


def test_racing_first_sign_ins_make_one_user(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other sign-in's row appears between our look and our insert."""

    def find_none(_self: object, _claims: object) -> object:
        User.objects.create(username=MEMBER, entra_tid=TENANT, entra_oid=MEMBER)
        return User.objects.none()

    monkeypatch.setattr(oidc.EntraBackend, "filter_users_by_claims", find_none)
    assert visitor.sign_in(MEMBER).status_code == 302
    assert User.objects.get().display_name == "鈴木 太郎"


def test_failing_link_leaves_no_user(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_user: User) -> None:
        raise RuntimeError("database gone")

    monkeypatch.setattr(oidc, "link_sign_in", fail)
    response = visitor.sign_in(MEMBER)
    assert (response.status_code, visitor.user) == (403, None)
    assert response.content.startswith(b"unexpected|")
    assert not User.objects.exists()


# --- the way there


def test_request_carries_state_nonce_and_pkce(visitor: Visitor) -> None:
    params = params_of(visitor.begin())
    expected = {
        "client_id": CLIENT_ID, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid profile email",
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert {name: params[name] for name in expected} == expected
    assert min(len(params[name]) for name in ("state", "nonce", "code_challenge")) >= 32


@pytest.mark.parametrize(("asked", "sent"), [("select_account", "select_account"), ("login", "login"), ("none", None)])
def test_only_known_prompts_are_passed_on(visitor: Visitor, asked: str, sent: str | None) -> None:
    assert params_of(visitor.begin(f"?prompt={asked}")).get("prompt") == sent


def test_hint_of_last_sign_in_is_sent_again(visitor: Visitor, entra: EntraWorld) -> None:
    visitor.sign_in(MEMBER)
    person = entra.find_person(MEMBER)
    assert person is not None
    assert params_of(visitor.begin())["login_hint"] == person.login_hint
    assert "login_hint" not in params_of(visitor.begin("?prompt=select_account"))


OPEN_REDIRECTS = [
    "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)", "http://testserver@evil.example",
    "\t//evil.example", "https://evil.example/", "http:///evil.example", "/\t/evil.example",
]  # fmt: skip


@pytest.mark.parametrize("target", OPEN_REDIRECTS)
def test_sign_in_ends_on_no_other_site(visitor: Visitor, target: str) -> None:
    assert visitor.sign_in(MEMBER, f"?next={quote(target)}")["Location"] == "/"


def test_parallel_tabs_keep_their_targets(visitor: Visitor) -> None:
    first, second = visitor.begin("?next=/page/%3Ftab=1"), visitor.begin("?next=/page/%3Ftab=2")
    assert visitor.client.get(visitor.visit_entra(first, MEMBER))["Location"] == "/page/?tab=1"
    again = visitor.begin("?next=/page/%3Ftab=3")
    assert visitor.client.get(visitor.visit_entra(again, MEMBER))["Location"] == "/page/?tab=3"
    # The first sign-in renewed the session, not the states that wait in it.
    assert visitor.client.get(visitor.visit_entra(second, MEMBER))["Location"] == "/page/?tab=2"


def test_foreign_host_name_is_refused(visitor: Visitor) -> None:
    assert visitor.client.get("/oidc/authenticate/", headers={"host": "evil.example"}).status_code == 400


def test_forged_protocol_changes_nothing(visitor: Visitor) -> None:
    response = visitor.client.get("/oidc/authenticate/", headers={"x-forwarded-proto": "https"})
    assert params_of(response["Location"])["redirect_uri"] == CALLBACK


# --- the way back


def test_state_of_another_browser_is_refused(make_visitor: MakeVisitor, entra: EntraWorld) -> None:
    attacker, victim = make_visitor(), make_visitor()
    link = attacker.visit_entra(attacker.begin(), ADMIN)
    response = victim.client.get(link)
    assert (response.status_code, victim.user) == (400, None)
    assert (entra.calls["token"], User.objects.count()) == (0, 0)


def test_state_of_another_browser_leaves_a_session_alone(make_visitor: MakeVisitor) -> None:
    attacker, victim = make_visitor(), make_visitor()
    victim.sign_in(MEMBER)
    before = victim.user
    response = victim.client.get(attacker.visit_entra(attacker.begin(), ADMIN))
    assert (response.status_code, response["Location"]) == (302, "/")
    assert victim.user == before


@pytest.mark.parametrize("query", ["", "?error=access_denied", "?error=x&state=unknown", "?code=c", "?code=c&state=s"])
def test_link_to_callback_logs_nobody_out(visitor: Visitor, query: str) -> None:
    visitor.sign_in(MEMBER)
    assert visitor.client.get(f"/oidc/callback/{query}")["Location"] == "/"
    assert visitor.user is not None


def test_replayed_callback_stays_signed_in(visitor: Visitor, entra: EntraWorld) -> None:
    link = visitor.visit_entra(visitor.begin(), MEMBER)
    visitor.client.get(link)
    response = visitor.client.get(link)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert visitor.user is not None
    assert entra.calls["token"] == 1


def test_token_of_an_earlier_sign_in_is_refused(make_visitor: MakeVisitor, entra: EntraWorld) -> None:
    kept: list[str] = []

    def keep(claims: dict[str, object], headers: dict[str, object]) -> str:
        kept.append(entra.list_keys()[-1].sign(claims, headers))
        return kept[0]

    entra.tamper = keep
    make_visitor().sign_in(ADMIN)
    second = make_visitor()
    assert second.sign_in(ADMIN).status_code == 403
    assert second.user is None


def test_callback_without_code_is_refused(visitor: Visitor, entra: EntraWorld) -> None:
    state = params_of(visitor.begin())["state"]
    assert visitor.client.get(f"/oidc/callback/?state={state}").status_code == 403
    assert entra.calls["token"] == 0


def test_cancelled_sign_in_says_so(visitor: Visitor) -> None:
    response = visitor.client.get(visitor.visit_entra(visitor.begin(), cancel=True))
    assert response.status_code == 403
    assert response.content.startswith(b"cancelled|")
    assert AuditEvent.objects.get().outcome == "cancelled"


def test_provider_text_is_never_shown(visitor: Visitor) -> None:
    state = params_of(visitor.begin())["state"]
    words = quote("<script>alert(1)</script>")
    response = visitor.client.get(f"/oidc/callback/?state={state}&error={words}&error_description={words}")
    assert response.status_code == 403
    assert b"script" not in response.content
    assert AuditEvent.objects.get().after == {"detail": "no code"}


def test_refusal_page_leads_on_and_carries_the_number(visitor: Visitor) -> None:
    response = visitor.client.get(visitor.visit_entra(visitor.begin(), cancel=True))
    _reason, number, retry, other = response.content.decode().split("|")
    assert number == AuditEvent.objects.get().request_id == response["X-Request-ID"]
    assert (retry, other) == ("/oidc/authenticate/", "/oidc/authenticate/?prompt=select_account")


def test_refused_sign_in_ends_the_session_before_it(visitor: Visitor, entra: EntraWorld) -> None:
    visitor.sign_in(MEMBER)
    entra.tamper = lambda claims, _headers: claims.update(tid="another")
    assert visitor.sign_in(MEMBER).status_code == 403
    assert visitor.user is None


@pytest.mark.parametrize("path", ["/admin/login/", "/sign-in/", "/", "/admin/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_code_elsewhere_is_not_redeemed(visitor: Visitor, entra: EntraWorld, path: str, method: str) -> None:
    back = urlsplit(visitor.visit_entra(visitor.begin(), ADMIN))
    send = getattr(visitor.client, method)
    send(f"{path}?{back.query}", {"username": "a", "password": "b"} if method == "post" else None)
    assert (entra.calls["token"], visitor.user) == (0, None)


def test_credentials_without_nonce_authenticate_nobody(visitor: Visitor, entra: EntraWorld) -> None:
    request = RequestFactory().get(visitor.visit_entra(visitor.begin(), ADMIN))
    assert authenticate(request, username=ADMIN, password="x") is None
    assert authenticate(request, nonce=None, code_verifier=None) is None
    assert entra.calls["token"] == 0


# --- the session


def test_session_key_changes_at_sign_in(visitor: Visitor) -> None:
    link = visitor.visit_entra(visitor.begin(), MEMBER)
    before = visitor.client.cookies["session"].value
    visitor.client.get(link)
    assert visitor.client.cookies["session"].value != before
    assert not Session.objects.filter(session_key=before).exists()


def test_planted_session_key_is_not_adopted(visitor: Visitor) -> None:
    planted = secrets.token_hex(16)
    visitor.client.cookies["session"] = planted
    visitor.sign_in(MEMBER)
    assert visitor.client.cookies["session"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_gained_role_changes_the_session_key(visitor: Visitor, entra: EntraWorld) -> None:
    visitor.sign_in(MEMBER)
    before = visitor.client.cookies["session"].value
    visitor.sign_in(MEMBER)
    assert visitor.client.cookies["session"].value == before
    entra.update_person(MEMBER, roles=("Portal.Admin",))
    visitor.sign_in(MEMBER)
    assert visitor.client.cookies["session"].value != before
    assert visitor.client.get("/admin/").status_code == 200


def test_another_person_gets_another_session(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    visitor.client.session["draft"] = "of the first"
    before = visitor.client.cookies["session"].value
    visitor.sign_in(ADMIN, "?prompt=select_account")
    assert visitor.user is not None
    assert visitor.user.entra_oid == ADMIN
    assert visitor.client.cookies["session"].value != before


def test_session_cookie_flags(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    cookie = visitor.client.cookies["session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


def test_session_holds_no_token(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    assert "eyJ" not in str(dict(visitor.client.session))


def test_deactivated_user_is_out_at_once(visitor: Visitor) -> None:
    visitor.sign_in(MEMBER)
    User.objects.update(is_active=False)
    assert visitor.client.get("/page/").status_code == 302
    assert visitor.client.post("/save/").status_code == 302


def test_nothing_secret_is_logged(visitor: Visitor, entra: EntraWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens: list[str] = []

    def keep_and_break(claims: dict[str, object], headers: dict[str, object]) -> str:
        tokens.append(entra.list_keys()[-1].sign(claims, headers))
        return tokens[0][:-2]

    entra.tamper = keep_and_break
    start = visitor.begin()
    states = dict(visitor.client.session["oidc_states"])
    link = visitor.visit_entra(start, MEMBER)
    visitor.client.get(link)
    (state,) = states.values()
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))
    assert "refused" in ours
    for secret in (tokens[0], state["nonce"], state["code_verifier"], params_of(link)["code"], "only-for-tests"):
        assert secret not in ours


@pytest.mark.parametrize("path", ["/oidc/callback/", "/oidc/authenticate/"])
def test_sign_in_answers_are_not_cached_or_framed(visitor: Visitor, path: str) -> None:
    response = visitor.client.get(path)
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
