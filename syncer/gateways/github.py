"""GitHub: the one issue on which people write `/sync`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import requests

from syncer.gateways.github_transport import TIMEOUT, Transport, Words, not_github, read_list, read_object

LONGEST_TEXT = 200  # characters of an answer that are kept
PAGE = 100  # comments, GitHub's most


@dataclass(frozen=True)
class Issue:
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
    """One issue. `issue` is `owner/repo#12`. Every method raises GatewayError, and nothing else."""

    def __init__(self, api: str, token: str, issue: str, *, timeout: tuple[float, float] = TIMEOUT) -> None:
        repository, _sign, number = issue.partition("#")
        words = Words("github_issue_missing", "github_denied", {"issue": issue})
        self._transport = Transport(api, token, repository, words, timeout)
        self._issue = issue
        self._url = f"{self._transport.url}/issues/{number}"

    def fetch_issue(self) -> Issue:
        operation = f"github GET issue {self._issue}"
        body = self._transport.read("GET", self._url, operation)
        title = body.get("title")
        if not isinstance(title, str):
            raise not_github(operation)
        return Issue(re.sub(r"\s+", " ", title)[:LONGEST_TEXT], body.get("locked") is True)

    def fetch_repository(self) -> Repository:
        operation = f"github GET repository of {self._issue}"
        answer = self._transport.request("GET", self._transport.url, operation)
        body = read_object(operation, answer)
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
        first = self._transport.request("GET", url, operation, {"If-None-Match": etag} if etag else {})
        at = _find_date(first)
        if first.status_code == HTTPStatus.NOT_MODIFIED:
            return Listing(None, etag, at)
        comments = tuple(_parse_all(operation, self._transport.follow(operation, first)))
        # What comes behind a full page changes nothing of that page.
        is_whole = "next" not in first.links and len(comments) < PAGE
        return Listing(comments, first.headers.get("ETag", "") if is_whole else "", at)

    def fetch_comment(self, comment_id: int) -> Comment:
        """One comment as it is now. Raises NotFound when it is gone."""
        operation = f"github GET comment {comment_id}"
        return _parse(operation, self._transport.read("GET", self._address(comment_id), operation))

    def react(self, comment_id: int, content: str) -> None:
        """Put a reaction (`eyes`, `-1`, `confused`) under a comment; one that is there already stays.

        Source: POST /repos/{owner}/{repo}/issues/comments/{id}/reactions.
        """
        operation = f"github POST reaction {comment_id}"
        url = f"{self._address(comment_id)}/reactions"
        self._transport.request("POST", url, operation, body={"content": content})

    def post_comment(self, text: str) -> int:
        """Comment on the issue, in Markdown; the comment's id."""
        operation = f"github POST comment {self._issue}"
        body = self._transport.read("POST", f"{self._url}/comments", operation, {"body": text})
        return _parse(operation, body).comment_id

    def _address(self, comment_id: int) -> str:
        return f"{self._transport.url}/issues/comments/{comment_id}"


def parse_comment(item: Any) -> Comment:
    """A comment as a webhook brings it, in the same shape. Raises Invalid."""
    return _parse("github webhook", item)


def _parse_all(operation: str, answers: Iterator[requests.Response]) -> Iterator[Comment]:
    for answer in answers:
        yield from (_parse(operation, item) for item in read_list(operation, answer))


def _parse(operation: str, item: Any) -> Comment:
    try:
        user: Mapping[str, Any] = item.get("user") or {}  # None for a comment whose author is gone
        created_at = _parse_time(item["created_at"]) if item.get("created_at") else datetime.now(UTC)
        login = str(user.get("login") or "")
        return Comment(
            comment_id=int(item["id"]),
            login=login,
            is_bot=user.get("type") == "Bot" or login.endswith("[bot]"),
            association=str(item.get("author_association") or ""),
            body=str(item.get("body") or ""),
            created_at=created_at,
            updated_at=_parse_time(item["updated_at"]) if item.get("updated_at") else created_at,
            url=str(item.get("html_url") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise not_github(operation) from error


def _parse_time(text: str) -> datetime:
    """GitHub's times are UTC to the second."""
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
