"""RSA keys with their certificates: the tenant's signing keys, and an app's own credential."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its private key, both PEM."""

    certificate_pem: str
    key_pem: str


def make_certificate(subject: str, now: datetime, *, days: int = 365) -> Certificate:
    """A new RSA 2048 key with a self-signed certificate, valid from a day before `now` to `days` after."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.PEM).decode(), key_pem.decode())


@dataclass(frozen=True)
class SigningKey:
    """One of the tenant's published keys. `kid` is the certificate's SHA-1 thumbprint, as in Entra ID."""

    certificate: Certificate

    @classmethod
    def make(cls, now: datetime) -> "SigningKey":
        return cls(make_certificate("accounts.accesscontrol.windows.net", now, days=5 * 365))

    @cached_property
    def _der(self) -> bytes:
        loaded = x509.load_pem_x509_certificate(self.certificate.certificate_pem.encode())
        return loaded.public_bytes(serialization.Encoding.DER)

    @cached_property
    def kid(self) -> str:
        return encode_base64url(hashlib.sha1(self._der, usedforsecurity=False).digest())

    @cached_property
    def _private_key(self) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key(self.certificate.key_pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("a signing key must be an RSA key")
        return key

    def to_jwk(self, issuer: str) -> dict[str, Any]:
        """The public half as Entra ID publishes it: with x5t, x5c and issuer, without alg."""
        numbers = self._private_key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": _encode_number(numbers.n),
            "e": _encode_number(numbers.e),
            "x5c": [base64.b64encode(self._der).decode()],
            "issuer": issuer,
        }

    def sign(self, claims: dict[str, Any], headers: dict[str, Any]) -> str:
        """A token with these claims; `headers` names the algorithm (RS256 in Entra ID) and the kid."""
        # Not `jwt.encode`, which refuses claims of the wrong kind: tests want exactly those.
        payload = json.dumps(claims, ensure_ascii=False).encode()
        return jwt.PyJWS().encode(payload, self._private_key, algorithm=headers["alg"], headers=headers)


def _encode_number(number: int) -> str:
    return encode_base64url(number.to_bytes((number.bit_length() + 7) // 8))
