"""Client assertions: an app that proves itself by its certificate instead of a secret (`private_key_jwt`)."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from simulators.entra.errors import EntraError
from simulators.entra.keys import encode_base64url
from simulators.entra.world import Client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def check_assertion(client: Client, assertion: str, *, audiences: Collection[str], now: datetime) -> None:
    """Refuse an assertion that is not signed by the client's certificate for one of `audiences`, now.

    Raises EntraError. The times are checked against `now` and not by the library, which knows the machine's clock only.
    """
    if client.certificate_pem is None:
        raise _refused(700027, "The certificate used to sign the client assertion is not registered on application.")
    certificate = x509.load_pem_x509_certificate(client.certificate_pem.encode())
    claims = _read_claims(certificate, assertion, audiences)
    if claims["iss"] != client.client_id or claims["sub"] != client.client_id:
        raise _refused(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise _refused(700027, "Client assertion contains an invalid signature. [Reason - The key used is expired.]")
    if not claims.get("nbf", 0) - 300 <= now.timestamp() < claims["exp"] + 300:
        raise _refused(700024, "Client assertion is not within its valid time range.")


def _read_claims(certificate: x509.Certificate, assertion: str, audiences: Collection[str]) -> dict[str, Any]:
    public_key = certificate.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise _refused(700027, "Client assertion contains an invalid signature.")
    try:
        header = jwt.get_unverified_header(assertion)
        if not _names(header, certificate):
            raise _refused(700027, "Client assertion failed signature validation. [Reason - The key was not found.]")
        claims: dict[str, Any] = jwt.decode(
            assertion,
            public_key,
            algorithms=["PS256", "RS256"],
            audience=list(audiences),
            options={
                "require": ["exp", "iss", "sub", "aud"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidAudienceError as error:
        raise _refused(700023, "Client assertion audience claim does not match Realm issuer.") from error
    except jwt.PyJWTError as error:
        raise _refused(700027, "Client assertion contains an invalid signature.") from error
    return claims


def _names(header: dict[str, Any], certificate: x509.Certificate) -> bool:
    """The header names the certificate by its thumbprint: `x5t#S256` (or the older `x5t`)."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    sha256 = encode_base64url(hashlib.sha256(der).digest())
    sha1 = encode_base64url(hashlib.sha1(der, usedforsecurity=False).digest())
    return header.get("x5t#S256") == sha256 or header.get("x5t") == sha1


def _refused(number: int, message: str) -> EntraError:
    return EntraError("invalid_client", number, message, status=401)
