"""A GitHub of our own: one repository's issues, comments and reactions, as its REST API documents them.

Listings come by id, are cut into pages with `Link`, filtered by `since` on the time of the last update, and carry an
ETag; 304 costs nothing of the hour's requests. A reaction is there once a person and kind: 201, then 200.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from re import fullmatch
from typing import Any
from urllib.parse import urlencode

from simulators.clock import Clock
from simulators.github_git import GitStore
from simulators.serving import Hangup, Request, Response

CONTENTS = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})
DOCUMENTATION = "https://docs.github.com/rest"
MOST = 65_536  # characters of a comment


@dataclass
class User:
    login: str
    association: str = "NONE"
    kind: str = "User"
    hides_membership: bool = False  # a webhook does not see it


@dataclass
class Comment:
    number: int
    issue: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: set[tuple[str, str]] = field(default_factory=set)  # login, content


@dataclass
class Fault:
    """Answered in the place of what was asked, `times` times; `after` it was carried out."""

    answer: Response | None = None  # None: the connection is closed
    method: str = ""
    path: str = ""  # how the path ends
    times: int = 1
    after: bool = False

    def fits(self, request: Request) -> bool:
        return self.times > 0 and request.method.startswith(self.method) and request.path.endswith(self.path)


class GitHubSimulator:
    """The repository `example/aws-access` with its issue 12."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.repository = "example/aws-access"
        self.is_public, self.renamed_to = False, ""
        self.issues: dict[int, dict[str, Any]] = {12: {"title": "Ask for a sync", "locked": False}}
        self.comments: dict[int, Comment] = {}
        self.bot = User("genkan-bot", "COLLABORATOR")
        self.tokens: dict[str, tuple[User, str | None]] = {"ghp_simulated": (self.bot, None)}  # with classic scopes
        self.git = GitStore()
        self.faults: list[Fault] = []
        self.limit, self.used = 5000, 0
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._next = 1001

    # --- What people do -----------------------------------------------------------------------------------------------

    def write(self, user: User, body: str, *, issue: int = 12, at: datetime | None = None) -> Comment:
        now = (at or self.clock.now()).replace(microsecond=0)
        comment = Comment(self._next, issue, user, body, now, now)
        self._next += 1
        self.comments[comment.number] = comment
        return comment

    def edit(self, comment: Comment, body: str) -> None:
        comment.body, comment.updated_at = body, self.clock.now().replace(microsecond=0)

    def delete(self, comment: Comment) -> None:
        del self.comments[comment.number]

    def replies(self) -> list[str]:
        return [comment.body for comment in self.comments.values() if comment.user is self.bot]

    def reactions(self, comment: Comment) -> list[str]:
        return sorted(content for _login, content in comment.reactions)

    def event(self, comment: Comment, action: str = "created") -> dict[str, Any]:
        """The payload of `issue_comment`."""
        shown = self._show(comment)
        if comment.user.hides_membership:
            shown["author_association"] = "CONTRIBUTOR"
        return {
            "action": action,
            "issue": {"number": comment.issue, **self.issues[comment.issue]},
            "comment": shown,
            "repository": {"id": 1, "full_name": self.repository, "private": not self.is_public},
            "sender": shown["user"],
        }

    # --- The API ------------------------------------------------------------------------------------------------------

    def __call__(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.fits(request)), None)
            if fault:
                fault.times -= 1
                if fault.after:
                    self._answer(request)
                if fault.answer is None:
                    raise Hangup
                return fault.answer
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        held = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if held is None:
            return self._refuse(401, "Bad credentials")
        user, scopes = held
        if self.used >= self.limit:
            reset = str(int((self.clock.now() + timedelta(minutes=30)).timestamp()))
            return self._refuse(
                403, "API rate limit exceeded", ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)
            )
        answer = self._route(request, user)
        if answer.status != 304:
            self.used += 1
        more = [("Date", format_datetime(self.clock.now().astimezone(UTC), usegmt=True))]
        more.append(("X-RateLimit-Remaining", str(self.limit - self.used)))
        if scopes is not None:
            more.append(("X-OAuth-Scopes", scopes))
        return Response(answer.status, answer.body, (*answer.headers, *more))

    def _route(self, request: Request, user: User) -> Response:
        found = fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", request.path)
        if found is None:
            return self._refuse(404, "Not Found")
        name, rest = found[1].lower(), found[2] or ""
        if self.renamed_to and name == self.repository.lower():
            return self._refuse(301, "Moved Permanently", ("Location", "/repositories/1"))
        if name != self.repository.lower():
            return self._refuse(404, "Not Found")
        if rest.startswith(("/git/", "/pulls")):
            return self.git.answer(request, rest)
        if not rest:
            shown = {"full_name": self.repository, "private": not self.is_public}
            return Response.json(shown | {"default_branch": self.git.default_branch})
        return self._route_issues(request, user, rest)

    def _route_issues(self, request: Request, user: User, rest: str) -> Response:
        if found := fullmatch(r"/issues/comments/(\d+)(/reactions)?", rest):
            comment = self.comments.get(int(found[1]))
            if comment is None:
                return self._refuse(404, "Not Found")
            return self._react(request, user, comment) if found[2] else Response.json(self._show(comment))
        found = fullmatch(r"/issues/(\d+)(/comments)?", rest)
        if found is None or int(found[1]) not in self.issues:
            return self._refuse(404, "Not Found")
        number = int(found[1])
        if not found[2]:
            return Response.json({"number": number, **self.issues[number]})
        return self._post(request, user, number) if request.method == "POST" else self._list(request, number)

    def _react(self, request: Request, user: User, comment: Comment) -> Response:
        content = _parse(request).get("content")
        if content not in CONTENTS:
            return self._refuse(422, "Validation Failed")
        key = (user.login, content)
        status = 200 if key in comment.reactions else 201
        comment.reactions.add(key)
        return Response.json({"id": 1, "content": content, "user": _show_user(user)}, status)

    def _post(self, request: Request, user: User, number: int) -> Response:
        body = _parse(request).get("body")
        if self.issues[number]["locked"]:
            return self._refuse(403, "Unable to create comment because issue is locked.")
        if not isinstance(body, str) or not body.strip() or len(body) > MOST:
            return self._refuse(422, "Validation Failed")
        return Response.json(self._show(self.write(user, body, issue=number)), 201)

    def _list(self, request: Request, number: int) -> Response:
        size, page = min(int(request.first("per_page", "30")), 100), int(request.first("page", "1"))
        since = request.first("since")
        found = [
            comment
            for comment in self.comments.values()
            if comment.issue == number and (not since or comment.updated_at >= datetime.fromisoformat(since))
        ]
        shown = [self._show(comment) for comment in found[(page - 1) * size : page * size]]
        etag = f'W/"{hashlib.sha256(json.dumps([shown, request.path, since]).encode()).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Response(304, b"", (("ETag", etag),))
        headers = [("ETag", etag)]
        if len(found) > page * size:
            query = {name: values[0] for name, values in request.query.items()} | {"page": str(page + 1)}
            address = f"http://{request.headers['host']}{request.path}?{urlencode(query)}"
            headers.append(("Link", f'<{address}>; rel="next"'))
        return Response.json(shown, 200, *headers)

    def _show(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.number,
            "html_url": f"https://github.com/{self.repository}/issues/{comment.issue}#issuecomment-{comment.number}",
            "user": _show_user(comment.user),
            "author_association": comment.user.association,
            "body": comment.body,
            "created_at": _show_time(comment.created_at),
            "updated_at": _show_time(comment.updated_at),
            "reactions": {"total_count": len(comment.reactions)},
        }

    def _refuse(self, status: int, message: str, *headers: tuple[str, str]) -> Response:
        return Response.json({"message": message, "documentation_url": DOCUMENTATION}, status, *headers)


def throttle(seconds: int | None = None, *, status: int = 403) -> Response:
    """Too much at once; GitHub does not always say how long that lasts."""
    headers = (("Retry-After", str(seconds)),) if seconds is not None else ()
    address = f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
    return Response.json({"message": "You have exceeded a limit", "documentation_url": address}, status, *headers)


def sign(secret: str, body: bytes) -> str:
    """The header `X-Hub-Signature-256`."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _show_user(user: User) -> Mapping[str, str]:
    return {"login": user.login, "type": user.kind}


def _show_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(request: Request) -> dict[str, Any]:
    body = json.loads(request.body or b"{}")
    return body if isinstance(body, dict) else {}
