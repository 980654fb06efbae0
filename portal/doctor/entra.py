"""Entra ID: what it publishes, and whether it takes the portal for the client it says it is.

Whether a secret is accepted is only said in answer to a code. So one is redeemed that nobody was given; a refusal of
the code says nothing against the secret. When a secret ends is not to be known from here; a certificate says it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
from django.conf import settings

from portal.doctor.asking import Question
from portal.doctor.reports import Check, failed, passed, skipped, warned
from portal.entra_client import fetch_json, prove_client
from portal.refusals import SignInRefused
from syncer.required import find_missing
from syncer.states import Reason
from syncer.telling.watching import find_certificate_end

_NOTICE_DAYS = 30  # before the end of the certificate
_ENDPOINTS = {
    "issuer": "ENTRA_ISSUER",
    "authorization_endpoint": "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "token_endpoint": "OIDC_OP_TOKEN_ENDPOINT",
    "jwks_uri": "OIDC_OP_JWKS_ENDPOINT",
}
_CLIENT_ERRORS = ("error=invalid_client", "error=unauthorized_client")


def build_questions() -> list[Question]:
    if find_missing("web"):
        return [Question("entra", lambda: [skipped("entra", "settings")])]
    return [
        Question("entra.discovery", lambda: [check_discovery()]),
        Question("entra.keys", lambda: [check_keys()]),
        Question("entra.client", lambda: [check_client()]),
        Question("entra.certificate", lambda: [check_certificate(datetime.now(UTC))]),
    ]


def check_discovery() -> Check:
    """The tenant's own document names the addresses that the sign-in uses."""
    name = "entra.discovery"
    try:
        document = fetch_json("GET", f"{settings.ENTRA_AUTHORITY}/v2.0/.well-known/openid-configuration")
    except SignInRefused as error:
        return failed(name, Reason("doctor_entra_away", {"text": error.detail}))
    different = [member for member, setting in _ENDPOINTS.items() if document.get(member) != getattr(settings, setting)]
    if different:
        return failed(name, Reason("doctor_entra_differs", {"members": ", ".join(different)}))
    return passed(name, Reason("doctor_entra", {"tenant": settings.ENTRA_TENANT_ID}))


def check_keys() -> Check:
    """At least one key with which sign-ins can be verified."""
    name = "entra.keys"
    try:
        published = fetch_json("GET", settings.OIDC_OP_JWKS_ENDPOINT).get("keys")
    except SignInRefused as error:
        return failed(name, Reason("doctor_entra_away", {"text": error.detail}))
    usable = [key for key in published if _is_usable(key)] if isinstance(published, list) else []
    if not usable:
        return failed(name, Reason("doctor_entra_no_keys"))
    return passed(name, Reason("doctor_entra_keys", {"count": str(len(usable))}))


def _is_usable(key: Any) -> bool:
    try:
        return isinstance(key, Mapping) and key.get("kty") == "RSA" and bool(jwt.PyJWK(dict(key), algorithm="RS256"))
    except jwt.PyJWTError:
        return False


def check_client() -> Check:
    """Redeem a code that nobody was given: Entra refuses the client before it, or the code."""
    name = "entra.client"
    form = {
        "grant_type": "authorization_code",
        "code": "genkan-doctor",
        "client_id": settings.ENTRA_CLIENT_ID,
        "client_secret": settings.ENTRA_CLIENT_SECRET,
        "redirect_uri": f"{settings.PUBLIC_URL}/oidc/callback/",
        "code_verifier": "genkan-doctor" * 4,
    }
    try:
        fetch_json("POST", settings.OIDC_OP_TOKEN_ENDPOINT, prove_client(form))
    except SignInRefused as error:
        if any(word in error.detail for word in _CLIENT_ERRORS):
            return failed(name, Reason("doctor_entra_client_refused", {"text": error.detail}))
        if "error=" not in error.detail:
            return failed(name, Reason("doctor_entra_away", {"text": error.detail}))
    return passed(name, Reason("doctor_entra_client", {"client": settings.ENTRA_CLIENT_ID}))


def check_certificate(now: datetime) -> Check:
    name = "entra.certificate"
    ends = find_certificate_end()
    if ends is None:
        return passed(name, Reason("doctor_entra_secret"))
    days = (ends - now).days
    params = {"until": f"{ends:%Y-%m-%d}", "days": str(days)}
    if days < 0:
        return failed(name, Reason("doctor_entra_certificate_over", params))
    if days < _NOTICE_DAYS:
        return warned(name, Reason("doctor_entra_certificate_ends", params))
    return passed(name, Reason("doctor_entra_certificate", params))
