"""Every token and answer that must not sign anybody in, sent by a provider that is otherwise right.

Each ends without a session, without a row in the users' table, in one audit event and below 500.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from pytest_django import Settings

from accounts.models import AuditEvent, User
from simulators.entra import EntraWorld, SigningKey
from simulators.serving import Hangup, Request, Response
from tests.portal.visiting import ADMIN, CLIENT_ID, MEMBER, SECRET, TENANT, Visitor

Claims = dict[str, Any]
Mint = Callable[[EntraWorld, Claims, Claims], str | None]

OTHER_TENANT = "99999999-9999-4999-8999-999999999999"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
HOUR = 3600


def assert_refused(visitor: Visitor, response: Any, detail: str) -> None:
    """Nobody came in, and for the very reason that was sent."""
    assert response.status_code == 403
    assert visitor.user is None
    assert not User.objects.exists()
    event = AuditEvent.objects.get()
    assert (event.action, event.after) == ("sign_in_refused", {"detail": detail})


def changing(**changes: Any) -> Mint:
    """Replace claims; a function gets the claims and gives the value."""

    def mint(world: EntraWorld, claims: Claims, headers: Claims) -> None:
        claims.update({name: value(claims) if callable(value) else value for name, value in changes.items()})

    return mint


def without(name: str) -> Mint:
    def mint(world: EntraWorld, claims: Claims, headers: Claims) -> None:
        del claims[name]

    return mint


def heading(**changes: Any) -> Mint:
    """Replace headers; None takes one out."""

    def mint(world: EntraWorld, claims: Claims, headers: Claims) -> None:
        headers.update(changes)
        for name in [name for name, value in changes.items() if value is None]:
            del headers[name]

    return mint


def later(seconds: int) -> Callable[[Claims], int]:
    return lambda _claims: int(time.time()) + seconds


CLAIMS: dict[str, tuple[str, Mint]] = {
    "iss of another tenant": (
        "InvalidIssuerError",
        changing(iss=lambda claims: claims["iss"].replace(TENANT, OTHER_TENANT)),
    ),
    "iss with trailing slash": ("InvalidIssuerError", changing(iss=lambda claims: claims["iss"] + "/")),
    "iss of v1": ("InvalidIssuerError", changing(iss=f"https://sts.windows.net/{TENANT}/")),
    "iss a list": ("InvalidIssuerError", changing(iss=lambda claims: [claims["iss"]])),
    "iss missing": ("MissingRequiredClaimError", without("iss")),
    "aud of another app": ("InvalidAudienceError", changing(aud=OTHER_TENANT)),
    "aud a list": ("InvalidAudienceError", changing(aud=[CLIENT_ID])),
    "aud with another": ("InvalidAudienceError", changing(aud=[CLIENT_ID, OTHER_TENANT])),
    "aud missing": ("MissingRequiredClaimError", without("aud")),
    "azp of another app": ("azp", changing(azp=OTHER_TENANT)),
    "tid of another tenant": ("tid", changing(tid=OTHER_TENANT)),
    "tid of consumers": ("tid", changing(tid=CONSUMERS)),
    "tid missing": ("tid", without("tid")),
    "oid malformed": ("oid", changing(oid="admin")),
    "oid in braces": ("oid", changing(oid=f"{{{ADMIN}}}")),
    "oid no text": ("oid", changing(oid=7)),
    "oid missing": ("oid", without("oid")),
    "sub missing": ("MissingRequiredClaimError", without("sub")),
    "ver 1.0": ("ver", changing(ver="1.0")),
    "ver missing": ("ver", without("ver")),
    "exp past": ("ExpiredSignatureError", changing(exp=later(-HOUR))),
    "exp text": ("times", changing(exp=lambda claims: str(claims["exp"]))),
    "exp missing": ("MissingRequiredClaimError", without("exp")),
    "iat future": ("ImmatureSignatureError", changing(iat=later(HOUR))),
    "iat missing": ("MissingRequiredClaimError", without("iat")),
    "nbf future": ("ImmatureSignatureError", changing(nbf=later(HOUR))),
    "nonce wrong": ("nonce", changing(nonce="another")),
    "nonce no text": ("nonce", changing(nonce=["n"])),
    "nonce not ascii": ("nonce", changing(nonce="のんす")),
    "nonce missing": ("nonce", without("nonce")),
    "roles a text": ("roles", changing(roles="Portal.Admin")),
    "roles an object": ("roles", changing(roles={"Portal.Admin": True})),
    "roles with numbers": ("roles", changing(roles=["Portal.Admin", 1])),
    "roles null": ("roles", changing(roles=None)),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_wrong_claims_are_refused(visitor: Visitor, entra: EntraWorld, case: str) -> None:
    detail, mint = CLAIMS[case]
    entra.tamper = lambda claims, headers: mint(entra, claims, headers)
    assert_refused(visitor, visitor.sign_in(ADMIN), detail)


def encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def build_token(headers: Claims, claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """A token by hand, for what no library would sign."""
    signed = f"{encode(headers)}.{encode(claims)}"
    return f"{signed}.{base64.urlsafe_b64encode(sign(signed.encode())).rstrip(b'=').decode()}"


def unsigned(alg: str) -> Mint:
    return lambda _world, claims, headers: build_token({**headers, "alg": alg}, claims, lambda _signed: b"")


def with_hmac(find_secret: Callable[[EntraWorld], bytes]) -> Mint:
    def mint(world: EntraWorld, claims: Claims, headers: Claims) -> str:
        secret = find_secret(world)
        return build_token(
            {**headers, "alg": "HS256"}, claims, lambda signed: hmac.digest(secret, signed, hashlib.sha256)
        )

    return mint


def public_pem(world: EntraWorld) -> bytes:
    key = load_pem_private_key(world.list_keys()[-1].certificate.key_pem.encode(), None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def by_stranger(*extra: str) -> Mint:
    """Signed by a key of the attacker's, under the right kid, with the key in the header."""

    def mint(world: EntraWorld, claims: Claims, headers: Claims) -> str:
        jwk = STRANGER.to_jwk(claims["iss"])
        offers = {"jwk": jwk, "jku": "http://localhost:1/keys", "x5u": "http://localhost:1/cert", "x5c": jwk["x5c"]}
        return STRANGER.sign(claims, {**headers, **{name: offers[name] for name in extra}})

    return mint


def broken(change: Callable[[str], str]) -> Mint:
    return lambda world, claims, headers: change(world.list_keys()[-1].sign(claims, headers))


def change_payload(token: str) -> str:
    header, _payload, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False}) | {"oid": ADMIN, "roles": ["Portal.Admin"]}
    return f"{header}.{encode(claims)}.{signature}"


def sending(token: str) -> Mint:
    return lambda _world, _claims, _headers: token


def swap_key(world: EntraWorld, claims: Claims, headers: Claims) -> None:
    headers["kid"] = world.list_keys()[0].kid


STRANGER = SigningKey.make(datetime.now(UTC))
SIGNATURES: dict[str, tuple[str, Mint]] = {
    "none": ("alg", unsigned("none")),
    "nOnE": ("alg", unsigned("nOnE")),
    "RS256 without signature": ("InvalidSignatureError", unsigned("RS256")),
    "HS256 with the public key": ("alg", with_hmac(public_pem)),
    "HS256 with the client secret": ("alg", with_hmac(lambda _world: SECRET.encode())),
    "RS384": ("alg", heading(alg="RS384")),
    "PS256": ("alg", heading(alg="PS256")),
    "kid unknown": ("unknown signing key", heading(kid="unknown")),
    "kid missing": ("kid", heading(kid=None)),
    "kid of the other key": ("InvalidSignatureError", swap_key),
    "crit unknown": ("header unreadable (InvalidTokenError)", heading(crit=["genkan"], genkan=1)),
    "foreign key, right kid": ("InvalidSignatureError", by_stranger()),
    "foreign key in jwk": ("InvalidSignatureError", by_stranger("jwk")),
    "foreign key behind jku": ("InvalidSignatureError", by_stranger("jku")),
    "foreign key in x5c": ("InvalidSignatureError", by_stranger("x5c", "x5u")),
    "signature wrong": ("InvalidSignatureError", broken(lambda token: token[:-340] + 340 * "A")),
    "payload changed": ("InvalidSignatureError", broken(change_payload)),
    "not a token": ("header unreadable (DecodeError)", sending("not a token")),
    "empty": ("header unreadable (DecodeError)", sending("")),
    "not ascii": ("header unreadable (DecodeError)", sending("あ.い.う")),
    "encrypted": ("header unreadable (DecodeError)", sending("a.b.c.d.e")),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_wrong_signatures_are_refused(visitor: Visitor, entra: EntraWorld, case: str) -> None:
    detail, mint = SIGNATURES[case]
    entra.tamper = lambda claims, headers: mint(entra, claims, headers)
    assert_refused(visitor, visitor.sign_in(MEMBER), detail)


PASSING: dict[str, Mint] = {
    "as it is": changing(),
    "the other published key": lambda world, claims, headers: world.list_keys()[0].sign(
        claims, {**headers, "kid": world.list_keys()[0].kid}
    ),
    "azp is this app": changing(azp=CLIENT_ID),
    "exp 30 s ago": changing(exp=later(-30)),
    "iat and nbf in 30 s": changing(iat=later(30), nbf=later(30)),
    "no nbf": without("nbf"),
    "oid in capitals": changing(oid=MEMBER.upper()),
    "name no text": changing(name={"a": 1}, email=None),
    "name with NUL": changing(name="a\x00b"),
    "very long name": changing(name="あ" * 5000),
}


@pytest.mark.parametrize("case", PASSING)
def test_right_tokens_sign_in(visitor: Visitor, entra: EntraWorld, case: str) -> None:
    entra.tamper = lambda claims, headers: PASSING[case](entra, claims, headers)
    assert visitor.sign_in(MEMBER).status_code == 302
    assert visitor.user == User.objects.get(entra_tid=TENANT, entra_oid=MEMBER)


# --- broken answers


def hang_up(request: Request) -> Response:
    raise Hangup


def answer_late(request: Request) -> Response:
    time.sleep(1.3)
    return Response.json({})


Answer = Callable[[Request], Response]


def fixed(response: Response) -> Answer:
    return lambda _request: response


# The answer, and what is noted of it for the token and for the keys endpoint.
ANSWERS: dict[str, tuple[Answer, str, str]] = {
    "an error": (
        fixed(Response.json({"error": "invalid_grant", "correlation_id": "c-1", "error_codes": [70008]}, 400)),
        "token status=400 error=invalid_grant correlation_id=c-1 codes=[70008]",
        "keys status=400 error=invalid_grant correlation_id=c-1 codes=[70008]",
    ),
    "an odd error": (
        fixed(Response.json({"error": ["<script>"], "trace_id": "<script>", "error_codes": 7}, 400)),
        "token status=400 codes=[]",
        "keys status=400 codes=[]",
    ),
    "a server error": (
        fixed(Response.text("down", 500)),
        "token status=500 body=unreadable",
        "keys status=500 body=unreadable",
    ),
    "HTML": (
        fixed(Response.text("<h1>Proxy</h1>", content_type="text/html")),
        "token status=200 body=unreadable",
        "keys status=200 body=unreadable",
    ),
    "a list": (fixed(Response.json([])), "token status=200 body=unreadable", "keys status=200 body=unreadable"),
    "an empty object": (fixed(Response.json({})), "no id_token", "no keys"),
    "nulls": (fixed(Response.json({"id_token": None, "keys": None})), "no id_token", "no keys"),
    "lists": (fixed(Response.json({"id_token": ["a"], "keys": [1, None]})), "no id_token", "unknown signing key"),
    "a redirect": (
        fixed(Response(307, b"", (("Location", "http://localhost:1/"),))),
        "token status=307 body=unreadable",
        "keys status=307 body=unreadable",
    ),
    "nothing": (hang_up, "token ConnectionError", "keys ConnectionError"),
    "too late": (answer_late, "token ReadTimeout", "keys ReadTimeout"),
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("endpoint", ["token", "keys"])
def test_broken_answers_are_refused(
    visitor: Visitor, entra: EntraWorld, settings: Settings, endpoint: str, case: str
) -> None:
    # A busy machine takes its time for good answers too: only the late one may run into the limit.
    settings.OIDC_TIMEOUT = (3, 1 if case == "too late" else 10)
    answer, of_token, of_keys = ANSWERS[case]
    entra.intercept = lambda name, request: answer(request) if name == endpoint else None
    assert_refused(visitor, visitor.sign_in(MEMBER), of_token if endpoint == "token" else of_keys)


# --- keys


def test_keys_are_fetched_once_for_many_sign_ins(make_visitor: Callable[[], Visitor], entra: EntraWorld) -> None:
    for oid in (ADMIN, MEMBER, ADMIN):
        assert make_visitor().sign_in(oid).status_code == 302
    assert entra.calls["keys"] == 1


def test_kept_keys_serve_while_endpoint_is_down(make_visitor: Callable[[], Visitor], entra: EntraWorld) -> None:
    make_visitor().sign_in(ADMIN)
    entra.intercept = lambda name, _request: Response.text("down", 503) if name == "keys" else None
    assert make_visitor().sign_in(MEMBER).status_code == 302


def test_rotated_key_is_found_at_once(make_visitor: Callable[[], Visitor], entra: EntraWorld) -> None:
    make_visitor().sign_in(ADMIN)
    entra.rotate_key(retire_old=True)
    assert make_visitor().sign_in(MEMBER).status_code == 302
    assert entra.calls["keys"] == 2


def test_unknown_keys_ask_again_once_in_five_minutes(make_visitor: Callable[[], Visitor], entra: EntraWorld) -> None:
    make_visitor().sign_in(ADMIN)
    entra.tamper = lambda _claims, headers: headers.update(kid="unknown")
    for _attempt in range(3):
        assert make_visitor().sign_in(MEMBER).status_code == 403
    assert entra.calls["keys"] == 2
