"""Calls to Entra ID: the token endpoint and its keys. No answer of it reaches a page; little of it reaches the log."""

import base64
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any, Literal

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.conf import settings

from portal.refusals import Reason, SignInRefused

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Microsoft recommends five to ten minutes.
_ASSERTION_SECONDS = 300
_LOGGABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def fetch_json(method: Literal["GET", "POST"], url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `url`. Raises SignInRefused when there is none; redirects are not followed."""
    try:
        response = requests.request(method, url, data=form, timeout=settings.OIDC_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise SignInRefused(Reason.PROVIDER, f"{_last_part(url)} {type(error).__name__}") from error
    body = _read_json(response)
    if response.status_code != requests.codes.ok or not isinstance(body, dict):
        raise SignInRefused(Reason.PROVIDER, f"{_last_part(url)} status={response.status_code} {_describe(body)}")
    return body


def prove_client(form: Mapping[str, str]) -> dict[str, str]:
    """The form of a token request with the client's certificate in place of its secret, if it has one."""
    if not settings.ENTRA_CLIENT_CERTIFICATE:
        return dict(form)
    kept = {name: value for name, value in form.items() if name != "client_secret"}
    return kept | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": build_assertion()}


def build_assertion() -> str:
    """A statement signed with the certificate's key that this is the client (`private_key_jwt`).

    Source: Microsoft identity platform application authentication certificate credentials.
    """
    now = int(time.time())
    claims = {
        "aud": settings.OIDC_OP_TOKEN_ENDPOINT,
        "iss": settings.ENTRA_CLIENT_ID,
        "sub": settings.ENTRA_CLIENT_ID,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
    }
    certificate = x509.load_pem_x509_certificate(settings.ENTRA_CLIENT_CERTIFICATE.encode())
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    return jwt.encode(claims, settings.ENTRA_CLIENT_KEY, algorithm="PS256", headers={"x5t#S256": thumbprint})


def _read_json(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError:
        return None


def _last_part(url: str) -> str:
    return url.rpartition("/")[2]


def _describe(body: Any) -> str:
    """The parts of an error answer that help to find it in Entra's own logs, if they look like what they should be."""
    if not isinstance(body, dict):
        return "body=unreadable"
    names = ("error", "correlation_id", "trace_id")
    found = {name: body[name] for name in names if isinstance(body.get(name), str) and _LOGGABLE.fullmatch(body[name])}
    listed = body.get("error_codes")
    codes = [code for code in listed if isinstance(code, int)] if isinstance(listed, list) else []
    return " ".join([*(f"{name}={value}" for name, value in found.items()), f"codes={codes}"])
