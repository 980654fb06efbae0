"""The claims of an ID token, v2.0. Pure."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from simulators.entra.world import Client, Grant, Person

# As seen in Microsoft's sample tokens: back-dated by five minutes, good for one hour from now.
BACK_DATED = timedelta(minutes=5)
LIFETIME = timedelta(hours=1)
# More groups than this are named in a JWT by a link only ("overage").
MAX_GROUPS = 200


def build_claims(
    person: Person, client: Client, grant: Grant, *, issuer: str, tenant_id: str, subject: str, now: datetime
) -> dict[str, Any]:
    """The claims for one person and app, by the scopes asked for and the optional claims registered."""
    issued = int((now - BACK_DATED).timestamp())
    return {
        "aud": client.client_id,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": int((now + LIFETIME).timestamp()),
        "sub": subject,
        "tid": tenant_id,
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
        **({"nonce": grant.nonce} if grant.nonce else {}),
        **({"roles": list(person.roles)} if person.roles else {}),
        **_build_profile(person, grant.scopes),
        **_build_home(person),
        **_build_groups(person),
        **_build_optional(person, client, grant),
    }


def _build_profile(person: Person, scopes: frozenset[str]) -> dict[str, Any]:
    if "profile" not in scopes:
        return {}
    return {"oid": person.oid, "name": person.name, "preferred_username": person.preferred_username}


def _build_home(person: Person) -> dict[str, Any]:
    """Guests are signed in by another provider. Entra ID names it only when it is not the tenant itself."""
    return {"idp": "live.com"} if person.is_guest else {}


def _build_groups(person: Person) -> dict[str, Any]:
    if not person.groups:
        return {}
    if len(person.groups) <= MAX_GROUPS:
        return {"groups": list(person.groups)}
    endpoint = f"https://graph.microsoft.com/v1.0/users/{person.oid}/getMemberObjects"
    return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}


def _build_optional(person: Person, client: Client, grant: Grant) -> dict[str, Any]:
    """The optional claims of the registration. Guests get `email` without it, and no `upn` (it would hold `#EXT#`)."""
    wanted = set(client.optional_claims)
    if person.is_guest:
        wanted = wanted - {"upn"} | {"email"}
    if "email" not in grant.scopes or not person.email:
        wanted.discard("email")
    values = {
        "acct": int(person.is_guest),
        "auth_time": grant.signed_in.auth_time,
        "email": person.email,
        "login_hint": person.login_hint,
        "sid": grant.signed_in.sid,
        "upn": person.upn,
    }
    return {name: value for name, value in values.items() if name in wanted}
