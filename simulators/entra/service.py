"""Entra ID's addresses of one tenant, over the world: discovery, keys, authorize, token and logout."""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlencode

from simulators.entra.assertions import ASSERTION_TYPE, check_assertion
from simulators.entra.authorization import AuthorizationRequest, Destination, find_destination, parse_request
from simulators.entra.claims import LIFETIME, build_claims
from simulators.entra.errors import EntraError, ShownError, missing_parameter
from simulators.entra.pages import (
    SEARCH_FROM,
    Picker,
    choose_language,
    find_people,
    render_error,
    render_picker,
    render_sign_out_picker,
    render_signed_out,
)
from simulators.entra.world import Client, EntraWorld, Grant, Person, SignedIn, challenge_of
from simulators.serving import Request, Response

# Cookies know no ports: the name and the path keep it apart from the portal's own on localhost.
COOKIE = "ESTSAUTH"
_LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1)(:\d{1,5})?")

Params = Mapping[str, str]
Endpoint = Callable[[Request], Response]


class EntraSimulator:
    """The tenant as an HTTP application for `Serving`, which binds the loopback interface only.

    Issuer and endpoints carry the host name of the request, so `localhost` and `127.0.0.1` both work, each for itself.
    """

    def __init__(self, world: EntraWorld) -> None:
        self.world = world
        self._endpoints: dict[str, tuple[str, tuple[str, ...], Endpoint]] = {
            "v2.0/.well-known/openid-configuration": ("discovery", ("GET",), self._discovery),
            "discovery/v2.0/keys": ("keys", ("GET",), self._keys),
            "oauth2/v2.0/authorize": ("authorize", ("GET", "POST"), self._authorize),
            "login": ("login", ("POST",), self._login),
            "oauth2/v2.0/token": ("token", ("POST",), self._token),
            "oauth2/v2.0/logout": ("logout", ("GET", "POST"), self._logout),
        }

    def __call__(self, request: Request) -> Response:
        if not _LOOPBACK_HOST.fullmatch(request.headers.get("host", "")):
            return Response.text("This simulator answers on this machine only.", 421)
        tenant, _slash, path = request.path.removeprefix("/").partition("/")
        if path not in self._endpoints:
            return Response.text("There is nothing at this address.", 404)
        name, methods, endpoint = self._endpoints[path]
        self.world.count_call(name)
        answer = self.world.intercept(name, request) if self.world.intercept else None
        if answer is not None:
            return answer
        try:
            self._check_call(tenant, request.method, methods)
            return endpoint(request)
        except EntraError as error:
            return self._refuse(name, request, error)

    def _check_call(self, tenant: str, method: str, methods: tuple[str, ...]) -> None:
        if tenant.lower() != self.world.tenant_id:
            raise ShownError("invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
        if method not in methods and not (method == "HEAD" and "GET" in methods):
            raise ShownError("invalid_request", 900561, f"The endpoint only accepts {', '.join(methods)} requests.")

    def _refuse(self, name: str, request: Request, error: EntraError) -> Response:
        """Programs get JSON, people a page."""
        now = self.world.clock.now()
        if name in ("discovery", "keys", "token"):
            return Response.json(error.to_json(now), error.status)
        return render_error(error.describe(now), _language(request))

    # --- for programs

    def _authority(self, request: Request) -> str:
        return f"http://{request.headers['host']}/{self.world.tenant_id}"

    def _issuer(self, request: Request) -> str:
        return f"{self._authority(request)}/v2.0"

    def _discovery(self, request: Request) -> Response:
        authority = self._authority(request)
        return Response.json({
            "issuer": self._issuer(request),
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "end_session_endpoint": f"{authority}/oauth2/v2.0/logout",
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_modes_supported": ["query"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email"],
            "request_uri_parameter_supported": False,
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name",
                                 "tid", "ver", "email"],
        })  # fmt: skip

    def _keys(self, request: Request) -> Response:
        return Response.json({"keys": [key.to_jwk(self._issuer(request)) for key in self.world.list_keys()]})

    def _token(self, request: Request) -> Response:
        form = request.form()
        client = self._require_client(request, form)
        if form.get("grant_type") != "authorization_code":
            raise EntraError("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        grant = self._require_grant(client, form)
        person = self.world.find_person(grant.signed_in.oid)
        if person is None or person.is_disabled:
            raise EntraError("invalid_grant", 50057, "The user account is disabled.")
        seconds = int(LIFETIME.total_seconds()) - 1
        return Response.json(
            {
                "token_type": "Bearer",
                "scope": " ".join(sorted(grant.scopes)),
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": secrets.token_urlsafe(96),
                "id_token": self._mint(person, client, grant, self._issuer(request)),
            },
            200,
            ("Cache-Control", "no-store"),
        )

    def _require_client(self, request: Request, form: Params) -> Client:
        client = self.world.find_client(form.get("client_id", ""))
        if client is None:
            raise EntraError("unauthorized_client", 700016, "Application was not found in the directory.")
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            audiences = (f"{self._authority(request)}/oauth2/v2.0/token", self._issuer(request))
            now = self.world.clock.now()
            check_assertion(client, form.get("client_assertion", ""), audiences=audiences, now=now)
            return client
        if not form.get("client_secret"):
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise EntraError("invalid_client", 7000218, message, status=401)
        if not client.secret or not hmac.compare_digest(client.secret.encode(), form["client_secret"].encode()):
            raise EntraError("invalid_client", 7000215, "Invalid client secret provided.", status=401)
        return client

    def _require_grant(self, client: Client, form: Params) -> Grant:
        if not form.get("code"):
            raise missing_parameter("code")
        grant = self.world.redeem_code(form["code"])
        if grant.client_id != client.client_id:
            raise EntraError("invalid_grant", 70000, "The provided authorization code was issued to another client.")
        if grant.redirect_uri != form.get("redirect_uri"):
            message = "The reply address does not match the one provided when requesting the authorization code."
            raise EntraError("invalid_client", 500112, message)
        challenge = challenge_of(form.get("code_verifier", ""))
        if not hmac.compare_digest(grant.code_challenge, challenge):
            message = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
            raise EntraError("invalid_grant", 501481, message)
        return grant

    def _mint(self, person: Person, client: Client, grant: Grant, issuer: str) -> str:
        key = self.world.list_keys()[-1]
        claims = build_claims(
            person,
            client,
            grant,
            issuer=issuer,
            tenant_id=self.world.tenant_id,
            subject=self.world.derive_subject(client.client_id, person.oid),
            now=self.world.clock.now(),
        )
        headers: dict[str, Any] = {"typ": "JWT", "alg": "RS256", "kid": key.kid}
        replacement = self.world.tamper(claims, headers) if self.world.tamper else None
        return replacement if replacement is not None else key.sign(claims, headers)

    # --- for people

    def _authorize(self, request: Request) -> Response:
        params = _read_params(request)
        return self._answer(params, lambda asked: self._sign_in_silently(request, params, asked))

    def _login(self, request: Request) -> Response:
        """Somebody picked an account, or cancelled. The app's request travels along in the address."""
        params = {name: values[0] for name, values in request.query.items()}
        return self._answer(params, lambda asked: self._sign_in_picked(request, asked))

    def _answer(self, params: Params, answer: Callable[[AuthorizationRequest], Response]) -> Response:
        """Answer an app's request; once it is known where to, errors are sent there too."""
        destination = find_destination(self.world, params)
        try:
            return answer(parse_request(destination, params))
        except ShownError:
            raise
        except EntraError as error:
            description = error.describe(self.world.clock.now())
            return _redirect(destination, {"error": error.error, "error_description": description})

    def _sign_in_silently(self, request: Request, params: Params, asked: AuthorizationRequest) -> Response:
        signed_in = self._find_single_sign_on(asked, _session_id(request))
        return self._redirect_code(asked, signed_in) if signed_in else self._show_picker(request, params, asked)

    def _sign_in_picked(self, request: Request, asked: AuthorizationRequest) -> Response:
        form = request.form()
        if form.get("cancel"):
            return _redirect(asked.destination, {"error": "access_denied", "error_subcode": "cancel"})
        person = self.world.find_person(form.get("oid", ""))
        if person is None:
            raise ShownError("invalid_request", 50034, "The user account does not exist in the directory.")
        if person.is_disabled:
            raise ShownError("access_denied", 50057, "The user account is disabled.")
        session_id, signed_in = self.world.sign_in(_session_id(request), person.oid)
        return self._redirect_code(asked, signed_in, self._make_cookie(session_id))

    def _find_single_sign_on(self, asked: AuthorizationRequest, session_id: str) -> SignedIn | None:
        """The account this browser is signed in with, or None when a person must pick. Raises for `prompt=none`."""
        accounts = [
            (signed_in, person)
            for signed_in in self.world.list_signed_in(session_id)
            if (person := self.world.find_person(signed_in.oid))
            and (not asked.login_hint or person.is_hinted(asked.login_hint))
        ]
        if asked.prompt == "none":
            return self._require_silent(accounts)
        if asked.prompt or len(accounts) != 1:
            return None
        signed_in, person = accounts[0]
        return None if person.is_disabled or self.world.is_interaction_due(person.oid) else signed_in

    def _require_silent(self, accounts: list[tuple[SignedIn, Person]]) -> SignedIn:
        if not accounts:
            message = "Session information is not sufficient for single-sign-on."
            raise EntraError("login_required", 50058, message)
        if len(accounts) > 1:
            message = "Either multiple user identities are available or the selected account is not supported."
            raise EntraError("interaction_required", 16000, message)
        signed_in, person = accounts[0]
        if person.is_disabled:
            raise EntraError("interaction_required", 50057, "The user account is disabled.")
        if self.world.is_interaction_due(person.oid):
            message = "You must use multi-factor authentication to access the resource."
            raise EntraError("interaction_required", 50076, message)
        return signed_in

    def _show_picker(self, request: Request, params: Params, asked: AuthorizationRequest) -> Response:
        query = params.get("q")
        hinted = [
            person for person in self.world.list_people() if asked.login_hint and person.is_hinted(asked.login_hint)
        ]
        if query is None:
            query = hinted[0].preferred_username if hinted else ""
        everybody = _narrow_to_domain(self.world.list_people(), asked.domain_hint)
        kept = {name: value for name, value in params.items() if name != "q"}
        picker = Picker(
            people=find_people(everybody, query),
            signed_in=frozenset(account.oid for account in self.world.list_signed_in(_session_id(request))),
            action=f"/{self.world.tenant_id}/login?{urlencode(kept)}",
            search_url=request.path,
            hidden=kept,
            query=query,
            has_search=bool(query) or len(everybody) >= SEARCH_FROM,
        )
        return render_picker(picker, _language(request))

    def _redirect_code(self, asked: AuthorizationRequest, signed_in: SignedIn, *headers: tuple[str, str]) -> Response:
        code = self.world.issue_code(
            client_id=asked.destination.client.client_id,
            redirect_uri=asked.destination.redirect_uri,
            scopes=asked.scopes,
            nonce=asked.nonce,
            code_challenge=asked.code_challenge,
            signed_in=signed_in,
        )
        return _redirect(asked.destination, {"code": code, "session_state": signed_in.sid}, *headers)

    def _make_cookie(self, session_id: str) -> tuple[str, str]:
        return ("Set-Cookie", f"{COOKIE}={session_id}; Path=/{self.world.tenant_id}/; HttpOnly; SameSite=Lax")

    def _logout(self, request: Request) -> Response:
        """End the hinted account's session, or ask which; then back to the app, if the address is registered."""
        params = _read_params(request)
        session_id, hint = _session_id(request), params.get("logout_hint", "")
        people = [
            person
            for account in self.world.list_signed_in(session_id)
            if (person := self.world.find_person(account.oid))
        ]
        chosen = [person for person in people if params.get("oid") == person.oid or (hint and person.is_hinted(hint))]
        if people and not chosen:
            kept = {name: value for name, value in params.items() if name not in ("oid", "logout_hint")}
            action = f"{request.path}?{urlencode(kept)}"
            return render_sign_out_picker(
                Picker(tuple(people), frozenset(), action, may_cancel=False), _language(request)
            )
        for person in chosen:
            self.world.sign_out(session_id, person.oid)
        target = params.get("post_logout_redirect_uri", "")
        if target not in self.world.list_return_uris():
            return render_signed_out(_language(request))
        state = {"state": params["state"]} if params.get("state") else {}
        return Response(302, b"", (("Location", _extend(target, state)), ("Cache-Control", "no-store")))


def _read_params(request: Request) -> dict[str, str]:
    """Query and form as one; the first value of each name, the form's before the query's."""
    query = {name: values[0] for name, values in request.query.items()}
    return {**query, **(request.form() if request.method == "POST" else {})}


def _session_id(request: Request) -> str:
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _language(request: Request) -> str:
    return choose_language(request.headers.get("accept-language", ""))


def _narrow_to_domain(people: list[Person], domain_hint: str) -> list[Person]:
    """The people of the hinted domain; everybody when the hint names none of ours (`organizations`, say)."""
    domain = "@" + domain_hint.casefold()
    return [person for person in people if person.preferred_username.casefold().endswith(domain)] or people


def _redirect(destination: Destination, answer: Params, *headers: tuple[str, str]) -> Response:
    state = {"state": destination.state} if destination.state else {}
    location = _extend(destination.redirect_uri, {**answer, **state})
    return Response(302, b"", (("Location", location), ("Cache-Control", "no-store"), *headers))


def _extend(url: str, params: Params) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
