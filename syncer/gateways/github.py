"""GitHub: the one issue on which people write `/sync`. Errors are told apart by status and headers, never by message.

Redirects are not followed: a repository that was renamed is told, and no token goes to another host.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import requests

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

TIMEOUT = (3, 10)  # seconds to connect, to answer
LONGEST_TEXT = 200  # characters of an answer that are kept
PAGE = 100  # comments, GitHub's most
MOST_PAGES = 50  # of one listing
MINUTE = 60.0  # seconds that GitHub wants to be left alone for when it does not say how long
VERSION = "2022-11-28"  # an older GitHub Enterprise Server does not heed it

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Issue:
    """The issue, and what its repository says about who reads it."""

    title: str
    is_locked: bool


@dataclass(frozen=True)
class Repository:
    """`scopes` are those of a classic token; None where the token is of another kind and does not say."""

    is_public: bool
    scopes: frozenset[str] | None


@dataclass(frozen=True)
class Comment:
    """A comment on an issue. `association` is what its author is to the repository, as GitHub spells it."""

    comment_id: int
    login: str
    is_bot: bool
    association: str
    body: str
    created_at: datetime
    updated_at: datetime
    url: str = ""


@dataclass(frozen=True)
class Listing:
    """The comments that were asked for; None when nothing changed since the answer with that ETag."""

    comments: tuple[Comment, ...] | None
    etag: str  # empty where it says nothing about later pages
    at: datetime  # on GitHub's clock


class GitHubIssue:
    """One issue. `issue` is `owner/repo#12`; `api` is another address for GitHub Enterprise Server."""

    def __init__(self, api: str, token: str, issue: str, *, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._token, self._issue, self._timeout = token, issue, timeout
        repository, _sign, number = issue.partition("#")
        self._api = f"{api.rstrip('/')}/"
        self._repository = f"{self._api}repos/{repository}"
        self._url = f"{self._repository}/issues/{number}"

    def fetch_issue(self) -> Issue:
        """The issue. Raises GatewayError, as everything here."""
        operation = f"github GET issue {self._issue}"
        body = self._object(operation, self._request("GET", self._url, operation))
        title = body.get("title")
        if not isinstance(title, str):
            raise _not_github(operation)
        return Issue(re.sub(r"\s+", " ", title)[:LONGEST_TEXT], body.get("locked") is True)

    def fetch_repository(self) -> Repository:
        operation = f"github GET repository of {self._issue}"
        answer = self._request("GET", self._repository, operation)
        body = self._object(operation, answer)
        scopes = answer.headers.get("X-OAuth-Scopes")
        named = None if scopes is None else frozenset(part.strip() for part in scopes.split(",") if part.strip())
        return Repository(body.get("private") is False, named)

    def list_comments(self, since: datetime | None = None, etag: str = "") -> Listing:
        """The comments that were updated since, all pages, by id; with `etag` only if anything changed.

        Source: GET /repos/{owner}/{repo}/issues/{number}/comments.
        """
        operation = f"github GET comments {self._issue}"
        query = {"per_page": str(PAGE)} | ({"since": _render_time(since)} if since else {})
        url = f"{self._url}/comments?{urlencode(query)}"
        first = self._request("GET", url, operation, {"If-None-Match": etag} if etag else {})
        at = _find_date(first)
        if first.status_code == HTTPStatus.NOT_MODIFIED:
            return Listing(None, etag, at)
        comments = tuple(self._parse_all(operation, self._pages(operation, first)))
        # What comes behind a full page changes nothing of that page.
        is_whole = "next" not in first.links and len(comments) < PAGE
        return Listing(comments, first.headers.get("ETag", "") if is_whole else "", at)

    def fetch_comment(self, comment_id: int) -> Comment:
        """One comment as it is now. Raises NotFound when it is gone."""
        operation = f"github GET comment {comment_id}"
        url = f"{self._repository}/issues/comments/{comment_id}"
        return _parse(operation, self._object(operation, self._request("GET", url, operation)))

    def react(self, comment_id: int, content: str) -> None:
        """Put a reaction (`eyes`, `-1`, `confused`) under a comment; one that is there already stays.

        Source: POST /repos/{owner}/{repo}/issues/comments/{id}/reactions.
        """
        operation = f"github POST reaction {comment_id}"
        url = f"{self._repository}/issues/comments/{comment_id}/reactions"
        self._request("POST", url, operation, body={"content": content})

    def post_comment(self, text: str) -> int:
        """Comment on the issue, in Markdown; the comment's id."""
        operation = f"github POST comment {self._issue}"
        answer = self._request("POST", f"{self._url}/comments", operation, body={"body": text})
        return _parse(operation, self._object(operation, answer)).comment_id

    def _pages(self, operation: str, answer: requests.Response) -> Iterator[requests.Response]:
        for _page in range(MOST_PAGES):
            yield answer
            following = answer.links.get("next", {}).get("url", "")
            # The token goes nowhere but to the address of the settings.
            if not following.startswith(self._api):
                return
            answer = self._request("GET", following, operation)

    def _parse_all(self, operation: str, answers: Iterator[requests.Response]) -> Iterator[Comment]:
        for answer in answers:
            body = _read(operation, answer)
            if not isinstance(body, list):
                raise _not_github(operation)
            yield from (_parse(operation, item) for item in body)

    def _object(self, operation: str, answer: requests.Response) -> Body:
        body = _read(operation, answer)
        if not isinstance(body, dict):
            raise _not_github(operation)
        return body

    def _request(
        self,
        method: str,
        url: str,
        operation: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: Body | None = None,
    ) -> requests.Response:
        sent = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
            "User-Agent": "Genkan",
            **(headers or {}),
        }
        try:
            answer = requests.request(
                method,
                url,
                headers=sent,
                json=body,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            code = type(error).__name__
            raise NoAnswer(operation, Reason("github_unreachable", {"code": code}), code) from error
        if (answer.ok and not answer.is_redirect) or answer.status_code == HTTPStatus.NOT_MODIFIED:
            return answer
        raise self._refusal(operation, answer)

    def _refusal(self, operation: str, answer: requests.Response) -> GatewayError:
        status, code = answer.status_code, str(answer.status_code)
        params = {"issue": self._issue, "code": code}
        if _is_limit(answer):
            return Throttled(operation, Reason("github_throttled", params), code, "", _find_pause(answer))
        if status == HTTPStatus.UNAUTHORIZED:
            return Unauthenticated(operation, Reason("github_token_refused", params), code)
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return NotFound(operation, Reason("github_issue_missing", params), code)
        if answer.is_redirect:
            return Invalid(operation, Reason("github_moved", params), code)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(operation, Reason("github_unreachable", params), code)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return Invalid(operation, Reason("github_refused", params), code)
        return Denied(operation, Reason("github_denied", params), code)


def _read(operation: str, answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise _not_github(operation) from error


def _parse(operation: str, item: Any) -> Comment:
    try:
        user = item.get("user") or {}  # None for a comment whose author is gone
        login = str(user.get("login") or "")
        return Comment(
            comment_id=int(item["id"]),
            login=login,
            is_bot=user.get("type") == "Bot" or login.endswith("[bot]"),
            association=str(item.get("author_association") or ""),
            body=str(item.get("body") or ""),
            created_at=parse_time(item["created_at"]),
            updated_at=parse_time(item.get("updated_at") or item["created_at"]),
            url=str(item.get("html_url") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _not_github(operation) from error


def parse_comment(item: Any) -> Comment:
    """A comment as a webhook brings it, in the same shape. Raises Invalid."""
    return _parse("github webhook", item)


def parse_time(text: str) -> datetime:
    """GitHub's times are UTC to the second. Raises ValueError, TypeError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _render_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _find_date(answer: requests.Response) -> datetime:
    """GitHub's own clock: its times are compared with nothing else."""
    try:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


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


def _not_github(operation: str) -> Invalid:
    return Invalid(operation, Reason("github_unreachable", {"code": "not GitHub"}), "not GitHub")
