"""Requests to kintone: signed, counted, paced, tried again where that is safe.

kintone knows no idempotency key. So a write is sent again only where kintone cannot have carried it out; after any
other error the caller looks first.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NamedTuple, Self, TypedDict, Unpack

import requests
from requests.auth import AuthBase

from syncer.gateways.counting import counted
from syncer.gateways.errors import NoAnswer, Race, Temporary, Throttled, Unavailable, Unreachable
from syncer.gateways.kintone_credentials import ApiTokens, Credentials
from syncer.gateways.kintone_errors import Answer, Question, not_answered, read_answer
from syncer.gateways.kintone_usage import NOT_COUNTED, Meter
from syncer.gateways.pacing import Backoff, Sleep, Tally, try_again

MOST_ITEMS = 100  # of a list in an address
LONGEST_URL = 4000  # characters; kintone takes 8 KB, its own client changes to POST above 4,096
SPARE_CONNECTIONS = 20  # of the domain's 100: what is left of them belongs to everybody
CROWDED_PAUSE = 0.5  # seconds
TRIES = Backoff(tries=4, first=0.5, longest=8.0)
READ_AGAIN: tuple[type[Temporary], ...] = (Throttled, Unavailable, NoAnswer, Unreachable)
WRITE_AGAIN: tuple[type[Temporary], ...] = (Throttled, Race, Unreachable)  # kintone has not carried it out


class Options(TypedDict, total=False):
    """How requests are sent.

    guest_space_id: where the apps lie in a guest space. timeout: seconds to connect and to wait for an answer.
    meter: counts what kintone counts, for its quota. backoff: how often and after which pauses it is tried.
    """

    guest_space_id: str
    timeout: tuple[float, float]
    sleep: Sleep
    meter: Meter | None
    backoff: Backoff


class KintoneClient:
    """What all clients of one kintone have in common. Thread safe; close it, or use it in a `with` statement.

    base_url: `https://example.cybozu.com`. credentials: a tuple of texts are API tokens.
    Every method raises GatewayError once its tries are used up, four unless `backoff` says so, and nothing else.
    """

    TIMEOUT: tuple[float, float] = (3, 30)

    def __init__(self, base_url: str, credentials: Credentials | tuple[str, ...], **options: Unpack[Options]) -> None:
        self._domain, self._space = base_url.rstrip("/"), options.get("guest_space_id", "")
        self._timeout, self._sleep = options.get("timeout", self.TIMEOUT), options.get("sleep", time.sleep)
        self._session = requests.Session()
        self._session.auth = _Signature(ApiTokens(credentials) if isinstance(credentials, tuple) else credentials)
        self._calls, self._lock, self._meter = Tally(), threading.Lock(), options.get("meter")
        self._backoff = options.get("backoff", TRIES)
        self._server_time: datetime | None = None
        self._is_crowded = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()
        if self._meter:
            self._meter.flush()

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far by operation, every try counted; a copy."""
        return self._calls.counts()

    @property
    def server_time(self) -> datetime | None:
        """kintone's clock at its last answer, in UTC and whole seconds; None before the first."""
        return self._server_time

    # For the clients

    @property
    def _api_path(self) -> str:
        return f"/k/guest/{self._space}/v1" if self._space else "/k/v1"

    def _get(
        self,
        path: str,
        parameters: Mapping[str, Any],
        *,
        app_id: str = "",
        charged: Collection[str] | None = None,
    ) -> Answer:
        """Ask for something. `path` lies below the API's own, or begins with a slash.

        `charged` are the apps whose quota counts the request, if not the one of `app_id`.
        """
        url = self._url(path)
        purpose = _Purpose(name_question("GET", path, app_id), _charge(path, app_id, charged))
        return self._try(purpose, READ_AGAIN, lambda: self._send_question(url, parameters))

    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        app_id: str = "",
        charged: Collection[str] | None = None,
    ) -> Answer:
        """Change something. Raises OutcomeUnknown where what answered is not kintone, which may still have done it."""
        url, question = self._url(path), name_question(method, path, app_id)._replace(writes=True)
        purpose = _Purpose(question, _charge(path, app_id, charged))
        return self._try(purpose, WRITE_AGAIN, lambda: self._request(method, url, json=dict(body)))

    def _request(self, method: str, url: str, **parts: Any) -> requests.Response:
        """One request. Credentials follow no redirect."""
        return self._session.request(method, url, timeout=self._timeout, allow_redirects=False, **parts)

    def _try(
        self, purpose: "_Purpose", worth: tuple[type[Temporary], ...], send: Callable[[], requests.Response]
    ) -> Answer:
        return try_again(lambda: self._answer(purpose, send), self._backoff, worth, self._sleep)

    def _answer(self, purpose: "_Purpose", send: Callable[[], requests.Response]) -> Answer:
        """One request and its answer."""
        if self._is_crowded:
            self._sleep(CROWDED_PAUSE)
        self._count(purpose)
        with counted("kintone", purpose.question.operation.removeprefix("kintone ").partition(" app ")[0]):
            try:
                response = send()
            except requests.RequestException as error:
                raise not_answered(purpose.question, error) from error
            self._heed(response)
            return read_answer(purpose.question, response)

    def _count(self, purpose: "_Purpose") -> None:
        self._calls.add(purpose.question.operation)
        if self._meter:
            for app_id in purpose.charged:
                self._meter.count(app_id)

    def _url(self, path: str) -> str:
        return self._domain + (path if path.startswith("/") else f"{self._api_path}/{path}")

    def _send_question(self, url: str, parameters: Mapping[str, Any]) -> requests.Response:
        """A GET, or the same as a POST where the address would grow too long."""
        in_address = _render_address(parameters)
        length = len(requests.Request("GET", url, params=in_address).prepare().url or "")
        longest = max((len(value) for value in parameters.values() if isinstance(value, list)), default=0)
        if length <= LONGEST_URL and longest <= MOST_ITEMS:
            return self._request("GET", url, params=in_address)
        override = {"X-HTTP-Method-Override": "GET"}
        return self._request("POST", url, json=dict(parameters), headers=override)

    def _heed(self, response: requests.Response) -> None:
        """Keep kintone's clock, and whether its connections are about to run out."""
        date, headers = response.headers.get("Date"), response.headers
        running, limit = headers.get("X-ConcurrencyLimit-Running", ""), headers.get("X-ConcurrencyLimit-Limit", "")
        with self._lock:
            if date:
                self._server_time = _parse_date(date) or self._server_time
            known = running.isdecimal() and limit.isdecimal()
            self._is_crowded = known and int(running) >= int(limit) - SPARE_CONNECTIONS


class _Purpose(NamedTuple):
    """What a request is for, and the apps whose quota counts it."""

    question: Question
    charged: tuple[str, ...]


class _Signature(AuthBase):
    """Signs with credentials. As an `auth` it also keeps requests from looking for passwords in a .netrc file."""

    def __init__(self, credentials: Credentials) -> None:
        self._headers = credentials.headers()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def name_question(method: str, path: str, app_id: str) -> Question:
    return Question(f"kintone {method} {path}" + (f" app {app_id}" if app_id else ""), app_id)


def _charge(path: str, app_id: str, charged: Collection[str] | None) -> tuple[str, ...]:
    if path in NOT_COUNTED:
        return ()
    return tuple(charged) if charged is not None else (app_id,) if app_id else ()


def _render_address(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as kintone reads them from an address: fields[0]=a&fields[1]=b."""
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, list):
            flat |= {f"{name}[{index}]": str(item) for index, item in enumerate(value)}
        else:
            flat[name] = "true" if value is True else str(value)
    return flat


def _parse_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
