"""What an ID token of Entra ID must hold before anybody is signed in by it. Pure but for the machine's clock.

The library checks signature and nonce only; issuer, audience, tenant, version and the kinds of the values are ours.
Source: Microsoft identity platform, ID token claims reference and claims validation.
"""

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from portal.refusals import Reason, SignInRefused

ALGORITHM = "RS256"
# How far clocks may differ, in seconds.
LEEWAY = 60
_TIMES = ("exp", "iat", "nbf")


@dataclass(frozen=True)
class Expected:
    """What this portal, its tenant and this very sign-in expect a token to say."""

    issuer: str
    tenant_id: str
    client_id: str
    nonce: str


@dataclass(frozen=True)
class Identity:
    """Who signed in. The pair (`tid`, `oid`) alone identifies; names and mail are for showing, and change hands."""

    tid: str
    oid: str
    roles: frozenset[str]
    is_guest: bool
    name: str
    preferred_username: str
    upn: str
    email: str
    login_hint: str
    token_id: str


def read_key_id(token: str) -> str:
    """The `kid` of an RS256 token. Raises SignInRefused for any other kind of token."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as error:
        raise _refused(f"header unreadable ({type(error).__name__})") from error
    if header.get("alg") != ALGORITHM:
        raise _refused("alg")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise _refused("kid")
    return kid


def read_claims(token: str, key: jwt.PyJWK, expected: Expected) -> dict[str, Any]:
    """The claims of a token signed by `key` and meant for this sign-in. Raises SignInRefused."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=expected.client_id,
            issuer=expected.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise _refused(type(error).__name__) from error
    wrong = _find_wrong_claim(claims, expected)
    if wrong:
        raise _refused(wrong)
    return claims


def _find_wrong_claim(claims: Mapping[str, Any], expected: Expected) -> str | None:
    nonce = claims.get("nonce")
    checks = {
        "times": all(type(claims[name]) is int for name in _TIMES if name in claims),
        "nonce": isinstance(nonce, str) and hmac.compare_digest(_encode(nonce), _encode(expected.nonce)),
        "tid": claims.get("tid") == expected.tenant_id,
        "ver": claims.get("ver") == "2.0",
        "azp": claims.get("azp", expected.client_id) == expected.client_id,
    }
    return next((name for name, is_right in checks.items() if not is_right), None)


def parse_identity(claims: Mapping[str, Any], issuer: str) -> Identity:
    """Who the claims speak of. Raises SignInRefused when ids or roles are not what they must be."""
    return Identity(
        tid=_read_guid(claims, "tid"),
        oid=_read_guid(claims, "oid"),
        roles=_read_roles(claims),
        is_guest=_is_guest(claims, issuer),
        name=_read_text(claims, "name"),
        preferred_username=_read_text(claims, "preferred_username"),
        upn=_read_text(claims, "upn"),
        email=_read_text(claims, "email"),
        login_hint=_read_text(claims, "login_hint"),
        token_id=_read_text(claims, "uti"),
    )


def _read_guid(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    try:
        is_guid = isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        is_guid = False
    if not is_guid:
        raise _refused(name)
    return str(value).lower()


def _read_roles(claims: Mapping[str, Any]) -> frozenset[str]:
    roles = claims.get("roles", [])
    # A text would make `in` look for substrings.
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise _refused("roles")
    return frozenset(roles)


def _is_guest(claims: Mapping[str, Any], issuer: str) -> bool:
    names = (_read_text(claims, "upn"), _read_text(claims, "preferred_username"))
    return (
        str(claims.get("acct", 0)) != "0"
        or claims.get("idp", issuer) != issuer
        or any("#EXT#" in name.upper() for name in names)
    )


def _read_text(claims: Mapping[str, Any], name: str) -> str:
    """A text that any database takes: no NUL, no half characters. Empty when the claim is something else."""
    value = claims.get(name)
    return _encode(value).decode().replace("\x00", "") if isinstance(value, str) else ""


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "ignore")


def _refused(detail: str) -> SignInRefused:
    return SignInRefused(Reason.TOKEN, detail)
