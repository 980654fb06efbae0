"""A Slack of our own: incoming webhooks and chat.postMessage, answering as Slack documents.

Webhooks answer in plain text with a status; the Web API answers 200 with `ok`, and 429 with Retry-After.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from simulators.serving import Hangup, Request, Response

WEBHOOK = "/services/T000/B000/secret"
TOKEN = "xoxb-simulated"


@dataclass
class SlackSimulator:
    """Keeps what was posted; `answers` are given instead of its own, in their order."""

    channels: set[str] = field(default_factory=lambda: {"#genkan"})
    people: dict[str, str] = field(default_factory=dict)  # address → id
    scopes: str = "chat:write,users:read,users:read.email"
    messages: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Response | Hangup] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [message["blocks"][0]["text"]["text"] for message in self.messages]

    @property
    def times(self) -> list[str]:
        """By which the messages of a bot are known."""
        return [message["ts"] for message in self.messages if "ts" in message]

    @property
    def threads(self) -> list[str]:
        """Which message each of a bot's answers; empty for those that answer none."""
        return [message.get("thread_ts", "") for message in self.messages]

    def __call__(self, request: Request) -> Response:
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Hangup):
                raise answer
            return answer
        if request.path.startswith("/services/"):
            return self._take_webhook(request)
        return self._call_method(request)

    def _take_webhook(self, request: Request) -> Response:
        if request.path != WEBHOOK:
            return Response.text("no_service", 404)
        message = _parse(request)
        if not is_payload(message):
            return Response.text("invalid_payload", 400)
        self.messages.append(message)
        return Response.text("ok")

    def _call_method(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response.json({"ok": False, "error": "invalid_auth"})
        if request.path == "/api/chat.postMessage":
            return self._post(request)
        if request.path == "/api/users.lookupByEmail":
            return self._find_person(request)
        if request.path == "/api/auth.test":
            return Response.json(
                {"ok": True, "user": "genkan", "team": "Asagiri"}, 200, ("x-oauth-scopes", self.scopes)
            )
        return Response.json({"ok": False, "error": "unknown_method"})

    def _find_person(self, request: Request) -> Response:
        if "users:read.email" not in self.scopes:
            return Response.json({"ok": False, "error": "missing_scope", "needed": "users:read.email"})
        found = self.people.get(request.first("email") or request.form().get("email", ""))
        if not found:
            return Response.json({"ok": False, "error": "users_not_found"})
        return Response.json({"ok": True, "user": {"id": found, "deleted": found.startswith("D")}})

    def _post(self, request: Request) -> Response:
        message = _parse(request)
        if message.get("channel") not in self.channels | set(self.people.values()):
            return Response.json({"ok": False, "error": "channel_not_found"})
        if not is_payload(message):
            return Response.json({"ok": False, "error": "invalid_blocks"})
        if message.get("thread_ts") and message["thread_ts"] not in self.times:
            return Response.json({"ok": False, "error": "thread_not_found"})
        message["ts"] = f"1503435956.{len(self.messages):06}"
        self.messages.append(message)
        return Response.json({"ok": True, "channel": "C000", "ts": message["ts"]})


def throttle(seconds: int | None = 30) -> Response:
    """Too many messages, as both interfaces say it."""
    headers = (("Retry-After", str(seconds)),) if seconds is not None else ()
    return Response(429, b"ratelimited", headers)


def _parse(request: Request) -> dict[str, Any]:
    message = json.loads(request.body)
    return message if isinstance(message, dict) else {}


def is_payload(message: dict[str, Any]) -> bool:
    """One or more sections of at most 3,000 characters, with a text beside them."""
    blocks = message.get("blocks") or []
    texts = [block.get("text", {}).get("text", "") for block in blocks if block.get("type") == "section"]
    return bool(message.get("text") and texts) and all(0 < len(text) <= 3000 for text in texts)
