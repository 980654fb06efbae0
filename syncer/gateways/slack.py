"""Slack: one channel that operators read, by incoming webhook or as a bot.

Pauses between tries are the outbox's, not the SDK's: every post is one request. Slack's words for an error are its own
codes, which it documents; a status decides where there is no code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from syncer.gateways.counting import counted
from syncer.gateways.errors import (
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Permanent,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from syncer.states import Reason

TIMEOUT = 10  # seconds to connect, and to wait for the answer
DEFAULT_PAUSE = 30.0  # seconds, when Slack says that it is too much and not for how long
LONGEST_TEXT = 200  # characters of an answer that are kept
LONGEST_CODE = 80
API = "https://slack.com/api/"


class ThreadGone(Invalid):
    """The message that was to be answered is not there any more, or takes no answers."""


_ADDRESS_GONE = (NotFound, "slack_address_gone")
_CHANNEL = (NotFound, "slack_channel_missing")
_NOT_ALLOWED = (Denied, "slack_not_allowed")
_TOKEN = (Unauthenticated, "slack_token_refused")
_OUT_OF_ORDER = (Unavailable, "slack_unavailable")
_THROTTLED = (Throttled, "slack_throttled")
_PERSON = (NotFound, "slack_person_missing")
_SCOPE = (Denied, "slack_scope_missing")
_THREAD_GONE = (ThreadGone, "slack_refused")

_BY_CODE: Mapping[str, tuple[type[GatewayError], str]] = {
    **dict.fromkeys(("no_service", "no_service_id", "no_team", "team_disabled", "no_active_hooks"), _ADDRESS_GONE),
    **dict.fromkeys(("channel_not_found", "channel_is_archived", "is_archived", "not_in_channel"), _CHANNEL),
    **dict.fromkeys(
        ("action_prohibited", "posting_to_general_channel_denied", "restricted_action"), _NOT_ALLOWED
    ),
    **dict.fromkeys(
        ("invalid_token", "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"), _TOKEN
    ),
    **dict.fromkeys(("internal_error", "fatal_error", "service_unavailable", "rollup_error"), _OUT_OF_ORDER),
    "missing_scope": _SCOPE,
    **dict.fromkeys(("users_not_found", "user_not_found", "cannot_dm_bot", "messages_tab_disabled"), _PERSON),
    **dict.fromkeys(
        ("thread_not_found", "invalid_thread_ts", "cannot_reply_to_message", "thread_locked"), _THREAD_GONE
    ),
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), _THROTTLED),
}  # fmt: skip
_BY_STATUS: Mapping[int, tuple[type[GatewayError], str]] = {
    401: _TOKEN,
    403: _NOT_ALLOWED,
    404: _ADDRESS_GONE,
    410: _CHANNEL,
    429: _THROTTLED,
}  # fmt: skip


# What else than its own errors the SDK lets through; the last is an answer that is JSON and no object.
_NO_ANSWER = (OSError, HTTPException, SlackClientError, ValueError, AttributeError)


@dataclass(frozen=True)
class Identity:
    """A bot by name, and its workspace."""

    bot: str
    team: str
    scopes: frozenset[str] = frozenset()  # what the token may; empty where Slack does not say


class Slack(Protocol):
    @property
    def channel(self) -> str:
        """The channel whose threads can be answered in; empty where there are none."""

    def post(self, text: str, *, thread: str = "", aloud: bool = True) -> str:
        """Post a message in mrkdwn, names in it escaped; the thread that it begins or is in, empty where there is none.

        thread: the one that it belongs to. aloud: an answer is shown in the channel as well.
        Raises GatewayError, and nothing else.
        """


class SlackWebhook:
    """Posts by an incoming webhook, whose address names the channel and is a secret."""

    channel = ""  # Slack does not say where a webhook's message is, so nothing can answer it

    def __init__(self, url: str, *, timeout: int = TIMEOUT) -> None:
        self._client = WebhookClient(url, timeout=timeout, retry_handlers=[])

    @counted("slack", "webhook")
    def post(self, text: str, *, thread: str = "", aloud: bool = True) -> str:
        operation = "slack webhook"
        try:
            answer = self._client.send(
                text=text, blocks=_blocks(text), unfurl_links=False, unfurl_media=False
            )  # fmt: skip
        except _NO_ANSWER as error:
            raise _not_answered(operation, error) from error
        if answer.status_code != 200:
            raise _refusal(operation, answer.body.strip(), answer.status_code, answer.headers)
        if answer.body.strip() != "ok":
            raise _not_slack(operation, answer.body)
        return ""


class SlackBot:
    """Posts as a bot into one channel. `api` is another address only where there is another Slack."""

    def __init__(self, token: str, channel: str, *, api: str = API, timeout: int = TIMEOUT) -> None:
        self._client = WebClient(token, base_url=api, timeout=timeout, retry_handlers=[])
        self.channel = channel

    def post(self, text: str, *, thread: str = "", aloud: bool = True) -> str:
        """As `Slack.post`. Where the thread is gone or closed, it is a message of its own."""
        if not thread:
            return self._send(self.channel, text)
        try:
            self._send(self.channel, text, thread_ts=thread, reply_broadcast=aloud)
        except ThreadGone:
            return self._send(self.channel, text)
        return thread

    def _send(self, channel: str, text: str, **options: Any) -> str:
        """Post it; the time by which Slack knows it."""
        answer = self._ask(
            "chat.postMessage", self._client.chat_postMessage, channel=channel, text=text, blocks=_blocks(text),
            unfurl_links=False, unfurl_media=False, **options,
        )  # fmt: skip
        return str(answer.get("ts", ""))

    def identify(self) -> Identity:
        """Who Slack takes the token for; nothing is posted. Raises GatewayError, and nothing else."""
        answer = self._ask("auth.test", self._client.auth_test)
        return Identity(str(answer.get("user", "")), str(answer.get("team", "")), _read_scopes(answer.headers))

    def find_person(self, email: str) -> str:
        """The id of whoever has this address in the workspace; NotFound where nobody has, or who has is deactivated."""
        method = "users.lookupByEmail"
        user = self._ask(method, self._client.users_lookupByEmail, email=email).get("user") or {}
        if not user.get("id") or user.get("deleted"):
            reason = Reason("slack_person_missing", {"code": "users_not_found"})
            raise NotFound(f"slack {method}", reason, "users_not_found")
        return str(user["id"])

    def _ask(self, method: str, call: Callable[..., SlackResponse], **values: Any) -> SlackResponse:
        operation = f"slack {method}"
        with counted("slack", method):
            try:
                return call(**values)
            except SlackApiError as error:
                raise _bot_refusal(operation, error) from error
            except _NO_ANSWER as error:
                raise _not_answered(operation, error) from error

    def post_to(self, person: str, text: str) -> None:
        """Post a message to one person, by the id that `find_person` gave. Raises GatewayError, and nothing else."""
        self._send(person, text)


def _read_scopes(headers: Mapping[str, str]) -> frozenset[str]:
    text = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), "")
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _blocks(text: str) -> list[dict[str, Any]]:
    """`verbatim`: Slack makes links and mentions of nothing but what stands in angle brackets."""
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}]


def _bot_refusal(operation: str, error: SlackApiError) -> GatewayError:
    answer = error.response
    data = answer.data if isinstance(answer.data, dict) else {}
    code = str(data.get("error", ""))
    if answer.status_code == 200 and not _is_code(code):
        return _not_slack(operation, code)
    return _refusal(operation, code, answer.status_code, answer.headers)


def _refusal(operation: str, code: str, status: int, headers: Mapping[str, str]) -> GatewayError:
    """`code` may be a page of a proxy: then the status alone speaks."""
    code = code if _is_code(code) else str(status)
    kind, reason_code = _classify(code, status)
    reason = Reason(reason_code, {"code": code})
    if issubclass(kind, Throttled):
        return kind(operation, reason, code, "", _retry_after(headers))
    return kind(operation, reason, code)


def _is_code(text: str) -> bool:
    return text.replace("_", "").isalnum() and len(text) <= LONGEST_CODE


def _classify(code: str, status: int) -> tuple[type[GatewayError], str]:
    if code in _BY_CODE:
        return _BY_CODE[code]
    return _OUT_OF_ORDER if status >= 500 else _BY_STATUS.get(status, (Invalid, "slack_refused"))


def _retry_after(headers: Mapping[str, str]) -> float:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(text) if text.isdecimal() else DEFAULT_PAUSE


def _not_slack(operation: str, body: str) -> Permanent:
    """A proxy's page, or another service."""
    return Invalid(operation, Reason("slack_not_slack"), "", body[:LONGEST_TEXT])


def _not_answered(operation: str, error: Exception) -> GatewayError:
    """No answer, or none that can be read. The error's own words may hold the webhook's address: its kind is told."""
    return NoAnswer(operation, Reason("slack_unreachable", {"code": type(error).__name__}), type(error).__name__)
