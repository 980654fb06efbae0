"""What must hold before the portal is deployed: `manage.py check --deploy` refuses a sign-in with a hole in it.

`settings.py` stops the start for wrong values of the environment; these checks hold what nobody should edit there.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

from portal.environment import is_loopback

_ENDPOINTS = ("OIDC_OP_AUTHORIZATION_ENDPOINT", "OIDC_OP_TOKEN_ENDPOINT", "OIDC_OP_JWKS_ENDPOINT", "ENTRA_ISSUER")
# A setting here has this one value; anything else opens a hole that the facts of the library tell of.
_FIXED: dict[str, Any] = {
    "OIDC_RP_SIGN_ALGO": "RS256",
    "OIDC_USE_PKCE": True,
    "OIDC_USE_NONCE": True,
    "OIDC_VERIFY_KID": True,
    "OIDC_VERIFY_SSL": True,
    "OIDC_ALLOW_UNSECURED_JWT": False,
    "OIDC_STORE_ACCESS_TOKEN": False,
    "OIDC_STORE_ID_TOKEN": False,
    "AUTHENTICATION_BACKENDS": ["portal.oidc.EntraBackend"],
    "OIDC_AUTHENTICATE_CLASS": "portal.oidc.Begin",
    "OIDC_CALLBACK_CLASS": "portal.oidc.Callback",
    "SESSION_COOKIE_SAMESITE": "Lax",
}
# The library's own default of each, for a setting that is not there at all.
_DEFAULTS: dict[str, Any] = {"OIDC_USE_NONCE": True, "OIDC_VERIFY_KID": True, "OIDC_VERIFY_SSL": True}
_CERTIFICATE_NOTICE = timedelta(days=14)


def check_sign_in(**_options: Any) -> list[CheckMessage]:
    """Every way in which the sign-in is weaker than designed. All are errors."""
    return [
        *_check_fixed(),
        *_check_tenant(),
        *_check_hosts(),
        *_check_credential(),
        *_check_surroundings(),
    ]


def _check_fixed() -> Iterator[CheckMessage]:
    for name, wanted in _FIXED.items():
        value = getattr(settings, name, _DEFAULTS.get(name))
        if (list(value) if isinstance(wanted, list) and value else value) != wanted:
            yield Error(f"{name} must be {wanted!r}.", id="portal.E001")
    timeout = getattr(settings, "OIDC_TIMEOUT", None)
    if not timeout or (isinstance(timeout, tuple) and not all(timeout)):
        yield Error("OIDC_TIMEOUT must be set: without it a slow answer blocks a worker for ever.", id="portal.E002")


def _check_tenant() -> Iterator[CheckMessage]:
    try:
        uuid.UUID(settings.ENTRA_TENANT_ID)
    except ValueError:
        yield Error("ENTRA_TENANT_ID must be one tenant's GUID, not a name such as common.", id="portal.E003")


def _check_hosts() -> Iterator[CheckMessage]:
    authority = f"{settings.ENTRA_AUTHORITY_HOST}/{settings.ENTRA_TENANT_ID}/"
    for name in _ENDPOINTS:
        if not getattr(settings, name).startswith(authority):
            yield Error(f"{name} must lie below {authority}.", id="portal.E004")
    if urlsplit(authority).hostname not in settings.MICROSOFT_HOSTS and not is_loopback(settings.PUBLIC_URL):
        yield Error("ENTRA_AUTHORITY_HOST must be Microsoft's unless PUBLIC_URL is on localhost.", id="portal.E005")


def _check_credential() -> Iterator[CheckMessage]:
    pem = settings.ENTRA_CLIENT_CERTIFICATE
    if not pem:
        if not settings.ENTRA_CLIENT_SECRET:
            yield Error("ENTRA_CLIENT_SECRET or ENTRA_CLIENT_CERTIFICATE must be set.", id="portal.E006")
        return
    if not settings.ENTRA_CLIENT_KEY:
        yield Error("ENTRA_CLIENT_KEY must be set beside ENTRA_CLIENT_CERTIFICATE.", id="portal.E006")
    try:
        ends = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except ValueError:
        yield Error("ENTRA_CLIENT_CERTIFICATE must be a PEM certificate.", id="portal.E007")
        return
    if ends - datetime.now(UTC) < _CERTIFICATE_NOTICE:
        yield Error(f"ENTRA_CLIENT_CERTIFICATE ends on {ends:%Y-%m-%d}: renew it now.", id="portal.E007")


def _check_surroundings() -> Iterator[CheckMessage]:
    if settings.SESSION_ENGINE.endswith("signed_cookies"):
        yield Error("SESSION_ENGINE must keep sessions here: signed cookies can be replayed.", id="portal.E008")
    if settings.ENTRA_AUTHORITY_HOST not in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]:
        yield Error("form-action must allow ENTRA_AUTHORITY_HOST, or signing out goes nowhere.", id="portal.E009")
    if getattr(apps.get_app_config("admin"), "default_site", "") != "portal.admin_site.GenkanAdminSite":
        yield Error("The admin site must be the portal's own, which has no password form.", id="portal.E010")
