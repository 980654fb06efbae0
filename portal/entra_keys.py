"""The tenant's signing keys, kept for a day, so that a sign-in costs no extra call and survives a slow keys endpoint.

Source: Microsoft identity platform signing key rollover: 24 h lifetime, hourly refresh, and on an unknown key at once,
but at most every five minutes. Two emergency rolls within five minutes therefore lock sign-in out for up to five.
"""

from typing import Any

import jwt
from django.conf import settings
from django.core.cache import cache

from portal.entra_client import fetch_json
from portal.entra_tokens import ALGORITHM
from portal.refusals import Reason, SignInRefused

KEPT_SECONDS = 24 * 3600
REFRESH_PAUSE_SECONDS = 300


def find_signing_key(kid: str) -> jwt.PyJWK:
    """The published RSA key of this id. Raises SignInRefused when there is none, even after asking again."""
    kept: list[dict[str, Any]] | None = cache.get(_cache_name("keys"))
    key = _pick(kept if kept is not None else refresh_signing_keys(), kid)
    if key is None and kept is not None and cache.add(_cache_name("asked"), True, REFRESH_PAUSE_SECONDS):
        key = _pick(refresh_signing_keys(), kid)
    if key is None:
        raise SignInRefused(Reason.TOKEN, "unknown signing key")
    return key


def refresh_signing_keys() -> list[dict[str, Any]]:
    """Fetch the keys and keep them. On any error the kept ones stay, and SignInRefused is raised."""
    keys = fetch_json("GET", settings.OIDC_OP_JWKS_ENDPOINT).get("keys")
    if not isinstance(keys, list) or not keys:
        raise SignInRefused(Reason.PROVIDER, "no keys")
    usable = [key for key in keys if isinstance(key, dict)]
    cache.set(_cache_name("keys"), usable, KEPT_SECONDS)
    return usable


def _cache_name(what: str) -> str:
    return f"entra-{what}:{settings.OIDC_OP_JWKS_ENDPOINT}"


def _pick(keys: list[dict[str, Any]], kid: str) -> jwt.PyJWK | None:
    for key in keys:
        if key.get("kid") == kid and key.get("kty") == "RSA" and key.get("use", "sig") == "sig":
            try:
                return jwt.PyJWK(key, algorithm=ALGORITHM)
            except jwt.PyJWTError as error:
                raise SignInRefused(Reason.TOKEN, "unreadable signing key") from error
    return None
