"""`check --deploy` finds every hole that settings could open in the sign-in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.checks import Error, registry
from pytest_django import Settings

from portal.checks import check_sign_in
from simulators.entra import make_certificate


def ids() -> set[str | None]:
    return {message.id for message in check_sign_in()}


def test_shipped_settings_have_no_hole() -> None:
    assert check_sign_in() == []


def test_checks_belong_to_deployment() -> None:
    registered: set[Any] = registry.registry.deployment_checks
    assert check_sign_in in registered


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("OIDC_RP_SIGN_ALGO", "HS256", "portal.E001"),
        ("OIDC_USE_PKCE", False, "portal.E001"),
        ("OIDC_USE_NONCE", False, "portal.E001"),
        ("OIDC_VERIFY_KID", False, "portal.E001"),
        ("OIDC_VERIFY_SSL", False, "portal.E001"),
        ("OIDC_ALLOW_UNSECURED_JWT", True, "portal.E001"),
        ("OIDC_STORE_ID_TOKEN", True, "portal.E001"),
        ("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"], "portal.E001"),
        ("AUTHENTICATION_BACKENDS", [], "portal.E001"),
        ("OIDC_CALLBACK_CLASS", "mozilla_django_oidc.views.OIDCAuthenticationCallbackView", "portal.E001"),
        ("SESSION_COOKIE_SAMESITE", "Strict", "portal.E001"),
        ("SESSION_COOKIE_SAMESITE", "None", "portal.E001"),
        ("OIDC_TIMEOUT", None, "portal.E002"),
        ("OIDC_TIMEOUT", (3, None), "portal.E002"),
        ("ENTRA_TENANT_ID", "common", "portal.E003"),
        ("OIDC_OP_TOKEN_ENDPOINT", "https://evil.example/token", "portal.E004"),
        ("OIDC_OP_JWKS_ENDPOINT", "https://login.microsoftonline.com/common/discovery/v2.0/keys", "portal.E004"),
        ("ENTRA_ISSUER", "https://sts.windows.net/11111111-1111-4111-8111-111111111111/", "portal.E004"),
        ("ENTRA_CLIENT_SECRET", "", "portal.E006"),
        ("ENTRA_CLIENT_CERTIFICATE", "no certificate", "portal.E007"),
        ("SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies", "portal.E008"),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"form-action": ["'self'"]}}, "portal.E009"),
    ],
)
def test_hole_is_an_error(settings: Settings, name: str, value: Any, wanted: str) -> None:
    setattr(settings, name, value)
    assert wanted in ids()
    assert all(isinstance(message, Error) for message in check_sign_in())


def test_foreign_authority_needs_a_local_portal(settings: Settings) -> None:
    settings.ENTRA_AUTHORITY_HOST = "https://login.example.com"
    assert "portal.E005" not in ids()
    settings.PUBLIC_URL = "https://genkan.example.com"
    assert "portal.E005" in ids()


@pytest.mark.parametrize(("days", "is_hole"), [(13, True), (-1, True), (15, False)])
def test_certificate_that_ends_soon_is_an_error(settings: Settings, days: int, is_hole: bool) -> None:
    made = make_certificate("genkan", datetime.now(UTC) - timedelta(hours=1), days=days)
    settings.ENTRA_CLIENT_CERTIFICATE, settings.ENTRA_CLIENT_KEY = made.certificate_pem, made.key_pem
    assert ("portal.E007" in ids()) is is_hole
