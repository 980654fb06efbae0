"""Authorization requests: what an app asks for, checked as Entra ID checks it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.entra.errors import EntraError, ShownError, missing_parameter
from simulators.entra.world import Client, EntraWorld

PROMPTS = frozenset({"", "none", "login", "consent", "select_account"})
# RFC 7636 §4.2: the base64url text of a SHA-256 digest.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Destination:
    """Where the answer goes: an app, and one of its own addresses."""

    client: Client
    redirect_uri: str
    state: str


@dataclass(frozen=True)
class AuthorizationRequest:
    destination: Destination
    scopes: frozenset[str]
    nonce: str
    code_challenge: str
    prompt: str
    login_hint: str
    domain_hint: str


def find_destination(world: EntraWorld, params: Mapping[str, str]) -> Destination:
    """The app and its redirect URI, compared letter by letter. Raises ShownError: nothing may be redirected before."""
    client_id = params.get("client_id", "")
    client = world.find_client(client_id)
    if client is None:
        raise ShownError(
            "unauthorized_client", 700016, f"Application with identifier '{client_id}' was not found in the directory."
        )
    redirect_uri = params.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris:
        raise ShownError(
            "invalid_request",
            50011,
            f"The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured "
            f"for the application '{client_id}'.",
        )
    return Destination(client, redirect_uri, params.get("state", ""))


def parse_request(destination: Destination, params: Mapping[str, str]) -> AuthorizationRequest:
    """The rest of the request. Raises EntraError, which is sent to the destination."""
    _check_response(params)
    request = AuthorizationRequest(
        destination=destination,
        scopes=frozenset(params.get("scope", "").split()),
        nonce=params.get("nonce", ""),
        code_challenge=params.get("code_challenge", ""),
        prompt=params.get("prompt", ""),
        login_hint=params.get("login_hint", ""),
        domain_hint=params.get("domain_hint", ""),
    )
    if "openid" not in request.scopes:
        raise missing_parameter("scope")
    if request.prompt not in PROMPTS:
        raise EntraError("invalid_request", 90023, f"Unsupported 'prompt' value '{request.prompt}'.")
    if request.prompt == "select_account" and request.login_hint:
        raise EntraError("invalid_request", 90023, "'login_hint' cannot be used with 'prompt=select_account'.")
    _check_challenge(params.get("code_challenge_method", ""), request.code_challenge)
    return request


def _check_response(params: Mapping[str, str]) -> None:
    if not params.get("response_type"):
        raise missing_parameter("response_type")
    if params["response_type"] != "code":
        raise EntraError("unsupported_response_type", 700054, "This response_type is not enabled for the application.")
    if params.get("response_mode", "query") != "query":
        raise EntraError("invalid_request", 70007, "This stand-in answers with response_mode 'query' only.")


def _check_challenge(method: str, challenge: str) -> None:
    if not challenge:
        raise EntraError(
            "invalid_request", 50147, "Proof Key for Code Exchange is required: code_challenge is missing."
        )
    if method != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise EntraError("invalid_request", 501491, "Invalid code_challenge or code_challenge_method.")
