"""The small HTTP server under all simulators.

A simulator is a function from `Request` to `Response`; this module gives it a port on the loopback
interface, keep-alive and threads. It knows nothing of kintone, AWS or Entra ID.
"""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One HTTP request. `headers` are keyed in lower case, `query` keeps every value in order."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def form(self) -> dict[str, str]:
        """The body as an HTML form: the first value of each name."""
        pairs = parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}


@dataclass(frozen=True)
class Response:
    """One HTTP answer. Repeated headers (Set-Cookie) are given as several pairs."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=())

    @classmethod
    def json(cls, value: Any, status: int = 200, *headers: tuple[str, str]) -> "Response":
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, (("Content-Type", "application/json;charset=utf-8"), *headers))

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain") -> "Response":
        return cls(status, text.encode(), (("Content-Type", f"{content_type}; charset=utf-8"),))


class Hangup(Exception):
    """Raised by a simulator to close the connection without an answer."""


Application = Callable[[Request], Response]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"
    # http.server waits for a full request line for ever; an idle keep-alive connection may not.
    timeout = 60
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer

    def _answer(self) -> None:
        split = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=split.path,
            query=parse_qs(split.query, keep_blank_values=True),
            headers=_join(self.headers.items()),
            body=self.rfile.read(length),
        )
        try:
            response = self.server.application(request)
        except Hangup:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        # Not send_response: it would add this machine's Date to the one a simulator's clock may give.
        self.send_response_only(response.status)
        if not any(name.lower() == "date" for name, _ in response.headers):
            self.send_header("Date", self.date_time_string())
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a simulator's owner counts calls itself."""


def _join(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; one that is repeated is the comma-separated list HTTP says it is."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    application: Application
    is_leaving = False

    def serve(self) -> None:
        """Answer until told to leave. Not serve_forever: it would look for that 20 times a second, all day."""
        while not self.is_leaving:
            self.handle_request()

    def leave(self) -> None:
        """Wake the one who serves: he has no other reason to look up."""
        self.is_leaving = True
        socket.create_connection(("127.0.0.1", self.server_port), timeout=5).close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.is_leaving

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event; anything else is a bug and shows its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Serving:
    """A simulator on a port of the loopback interface, in threads of this process.

    >>> with Serving(application) as serving:
    ...     requests.get(serving.url)
    """

    def __init__(self, application: Application, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.application = application
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """kintone's own client takes plain http from the name `localhost` only."""
        return f"http://localhost:{self.port}"

    def start(self) -> "Serving":
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.leave()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> "Serving":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
