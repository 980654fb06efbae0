"""Signing in with a certificate instead of a secret."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from simulators.entra import Certificate, EntraWorld, make_certificate
from tests.portal.visiting import CALLBACK, CLIENT_ID, MEMBER, Visitor


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate("genkan", datetime.now(UTC))


def test_certificate_proves_the_client(
    visitor: Visitor, entra: EntraWorld, settings: Settings, certificate: Certificate
) -> None:
    entra.add_client(CLIENT_ID, None, [CALLBACK], certificate_pem=certificate.certificate_pem)
    settings.ENTRA_CLIENT_CERTIFICATE, settings.ENTRA_CLIENT_KEY = certificate.certificate_pem, certificate.key_pem
    sent: list[dict[str, str]] = []
    entra.intercept = lambda name, request: sent.append(request.form()) if name == "token" else None
    assert visitor.sign_in(MEMBER).status_code == 302
    assert "client_secret" not in sent[0]
    assert sent[0]["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_unregistered_certificate_signs_nobody_in(
    visitor: Visitor, settings: Settings, certificate: Certificate
) -> None:
    settings.ENTRA_CLIENT_CERTIFICATE, settings.ENTRA_CLIENT_KEY = certificate.certificate_pem, certificate.key_pem
    assert visitor.sign_in(MEMBER).status_code == 403
    assert visitor.user is None


def test_broken_key_is_no_server_error(visitor: Visitor, settings: Settings, certificate: Certificate) -> None:
    settings.ENTRA_CLIENT_CERTIFICATE, settings.ENTRA_CLIENT_KEY = certificate.certificate_pem, "no key"
    assert visitor.sign_in(MEMBER).content.startswith(b"unexpected|")


def test_wrong_secret_signs_nobody_in(visitor: Visitor, entra: EntraWorld) -> None:
    entra.add_client(CLIENT_ID, "another secret", [CALLBACK])
    assert visitor.sign_in(MEMBER).status_code == 403
