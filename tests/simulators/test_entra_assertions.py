"""Client assertions: what the simulator takes instead of a secret."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from simulators.entra import Certificate, Client, EntraSimulator, EntraWorld, make_certificate
from simulators.entra.assertions import ASSERTION_TYPE, check_assertion
from simulators.entra.errors import EntraError
from simulators.serving import Serving

CLIENT_ID, AUDIENCE = "22222222-2222-4222-8222-222222222222", "http://localhost/t/oauth2/v2.0/token"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate("genkan", NOW)


@pytest.fixture(scope="module")
def stranger() -> Certificate:
    return make_certificate("stranger", NOW)


@pytest.fixture
def client(certificate: Certificate) -> Client:
    return Client(CLIENT_ID, None, (), certificate_pem=certificate.certificate_pem)


def build_assertion(signer: Certificate, named: Certificate | None = None, **changes: Any) -> str:
    """An assertion by `signer`, whose header names the certificate `named` (its own unless given)."""
    claims = {
        "aud": AUDIENCE, "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": "1", "nbf": NOW, "exp": NOW + timedelta(minutes=9),
    } | changes  # fmt: skip
    loaded = x509.load_pem_x509_certificate((named or signer).certificate_pem.encode())
    thumbprint = base64.urlsafe_b64encode(loaded.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    return jwt.encode(claims, signer.key_pem, algorithm="PS256", headers={"x5t#S256": thumbprint})


def refusal_of(client: Client, assertion: str, now: datetime = NOW) -> int:
    with pytest.raises(EntraError) as caught:
        check_assertion(client, assertion, audiences=[AUDIENCE], now=now)
    assert (caught.value.error, caught.value.status) == ("invalid_client", 401)
    return caught.value.number


def test_registered_certificate_is_taken(client: Client, certificate: Certificate) -> None:
    check_assertion(client, build_assertion(certificate), audiences=[AUDIENCE], now=NOW)


def test_unknown_certificate_is_refused(client: Client, stranger: Certificate) -> None:
    assert refusal_of(client, build_assertion(stranger)) == 700027


def test_forged_signature_is_refused(client: Client, stranger: Certificate, certificate: Certificate) -> None:
    assert refusal_of(client, build_assertion(stranger, named=certificate)) == 700027


def test_garbage_is_refused(client: Client) -> None:
    assert refusal_of(client, "not.a.token") == 700027


def test_client_without_certificate_is_refused(certificate: Certificate) -> None:
    assert refusal_of(Client(CLIENT_ID, "s", ()), build_assertion(certificate)) == 700027


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"aud": "http://elsewhere/"}, 700023),
        ({"iss": "other"}, 700021),
        ({"sub": "other"}, 700021),
        ({"exp": NOW - timedelta(minutes=6)}, 700024),
        ({"nbf": NOW + timedelta(minutes=6)}, 700024),
    ],
)
def test_wrong_claims_are_refused(
    client: Client, certificate: Certificate, changes: dict[str, Any], number: int
) -> None:
    assert refusal_of(client, build_assertion(certificate, **changes)) == number


def test_expired_certificate_is_refused(client: Client, certificate: Certificate) -> None:
    later = NOW + timedelta(days=366)
    assertion = build_assertion(certificate, nbf=later, exp=later + timedelta(minutes=9))
    assert refusal_of(client, assertion, later) == 700027


@pytest.fixture
def serving(client: Client) -> Iterator[Serving]:
    world = EntraWorld("assertions", "11111111-1111-4111-8111-111111111111")
    world.add_client(CLIENT_ID, None, ["http://localhost/"], certificate_pem=client.certificate_pem)
    with Serving(EntraSimulator(world)) as serving:
        yield serving


def test_token_endpoint_takes_assertion_for_secret(serving: Serving, certificate: Certificate) -> None:
    url = f"{serving.url}/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token"
    now = datetime.now(UTC)
    assertion = build_assertion(certificate, aud=url, nbf=now, exp=now + timedelta(minutes=9))
    body = {"client_id": CLIENT_ID, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    answer = requests.post(url, data=body | {"grant_type": "authorization_code", "code": "made-up"}, timeout=5)
    # The app is known; what is wrong is the code.
    assert answer.json()["error_codes"] == [9002313]
