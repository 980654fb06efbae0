"""Requests to GitHub's REST API, and what its answers mean when they are none.

Errors are told apart by status and headers, never by message. Redirects are not followed: a repository that was renamed
is told, and no token goes to another host.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests

from syncer.gateways.counting import counted
from syncer.gateways.errors import (
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from syncer.states import Reason

TIMEOUT = (3.0, 10.0)  # seconds to connect, to answer
MOST_PAGES = 50  # of one listing
MINUTE = 60.0  # seconds that GitHub wants to be left alone for when it does not say how long
VERSION = "2022-11-28"  # an older GitHub Enterprise Server does not heed it

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """How errors are told: the codes of sentences, and what those name beside the status."""

    missing: str
    denied: str
    params: Mapping[str, str]


@dataclass(frozen=True)
class Transport:
    """One repository. `api` is another address for GitHub Enterprise Server."""

    api: str
    token: str = field(repr=False)
    repository: str
    words: Words
    timeout: tuple[float, float] = TIMEOUT

    @property
    def root(self) -> str:
        return f"{self.api.rstrip('/')}/"

    @property
    def url(self) -> str:
        return f"{self.root}repos/{self.repository}"

    def request(
        self,
        method: str,
        url: str,
        operation: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: Body | None = None,
    ) -> requests.Response:
        """An answer that is good, or that nothing changed. Raises GatewayError."""
        with counted("github", " ".join(operation.split()[1:3])):  # `GET issue`, without which one
            answer = self._send(method, url, operation, headers or {}, body)
            if (answer.ok and not answer.is_redirect) or answer.status_code == HTTPStatus.NOT_MODIFIED:
                return answer
            raise self._refusal(operation, answer)

    def _send(
        self, method: str, url: str, operation: str, headers: Mapping[str, str], body: Body | None
    ) -> requests.Response:
        sent = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
            "User-Agent": "Genkan",
            **headers,
        }
        try:
            return requests.request(method, url, headers=sent, json=body, timeout=self.timeout, allow_redirects=False)
        except requests.RequestException as error:
            code = type(error).__name__
            raise NoAnswer(operation, Reason("github_unreachable", {"code": code}), code) from error

    def follow(self, operation: str, answer: requests.Response) -> Iterator[requests.Response]:
        """This page and those behind it. The token goes nowhere but to the address of the settings."""
        for _page in range(MOST_PAGES):
            yield answer
            following = answer.links.get("next", {}).get("url", "")
            if not following.startswith(self.root):
                return
            answer = self.request("GET", following, operation)

    def read(self, method: str, url: str, operation: str, body: Body | None = None) -> Body:
        """An object."""
        return read_object(operation, self.request(method, url, operation, body=body))

    def _refusal(self, operation: str, answer: requests.Response) -> GatewayError:
        status, code = answer.status_code, str(answer.status_code)
        params = {**self.words.params, "code": code}
        if _is_limit(answer):
            return Throttled(operation, Reason("github_throttled", params), code, "", _find_pause(answer))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(operation, Reason("github_unreachable", params), code)
        kind, reason = self._classify(answer)
        return kind(operation, Reason(reason, params), code)

    def _classify(self, answer: requests.Response) -> tuple[type[GatewayError], str]:
        if answer.is_redirect:
            return Invalid, "github_moved"
        by_status: Mapping[int, tuple[type[GatewayError], str]] = {
            HTTPStatus.UNAUTHORIZED: (Unauthenticated, "github_token_refused"),
            HTTPStatus.NOT_FOUND: (NotFound, self.words.missing),
            HTTPStatus.GONE: (NotFound, self.words.missing),
            HTTPStatus.CONFLICT: (Invalid, "github_refused"),
            HTTPStatus.UNPROCESSABLE_ENTITY: (Invalid, "github_refused"),
        }
        return by_status.get(answer.status_code, (Denied, self.words.denied))


def read_json(operation: str, answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise not_github(operation) from error


def read_object(operation: str, answer: requests.Response) -> Body:
    body = read_json(operation, answer)
    if not isinstance(body, dict):
        raise not_github(operation)
    return body


def read_list(operation: str, answer: requests.Response) -> list[Any]:
    body = read_json(operation, answer)
    if not isinstance(body, list):
        raise not_github(operation)
    return body


def not_github(operation: str) -> Invalid:
    """A proxy's page, or another service."""
    return Invalid(operation, Reason("github_unreachable", {"code": "not GitHub"}), "not GitHub")


def _is_limit(answer: requests.Response) -> bool:
    """403 means both that the token may not, and that it asked too often; the headers tell, else where to read on."""
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    if answer.status_code != HTTPStatus.FORBIDDEN:
        return False
    if "Retry-After" in answer.headers or answer.headers.get("X-RateLimit-Remaining") == "0":
        return True
    return "rate-limit" in _find_documentation(answer)


def _find_documentation(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("documentation_url", "")) if isinstance(body, dict) else ""


def _find_pause(answer: requests.Response) -> float:
    """Seconds: what it asks for, else until the hour's requests are given anew, else a minute."""
    after, reset = answer.headers.get("Retry-After", ""), answer.headers.get("X-RateLimit-Reset", "")
    if after.isdecimal():
        return float(after)
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return max(1.0, float(reset) - time.time())
    return MINUTE
