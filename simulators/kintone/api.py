"""The simulator itself: from an HTTP request to kintone's answer.

It finds the route, the caller and the language, runs the handler inside the world's lock, and does what the
world's faults ask for. What an answer means is the business of the route modules.
"""

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from email.utils import format_datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

from simulators.kintone.access import Caller, authenticate
from simulators.kintone.app_api import routes as app_routes
from simulators.kintone.calls import Call, Json, Params, Route, read_parameters
from simulators.kintone.errors import ApiError, fail
from simulators.kintone.faults import Fault
from simulators.kintone.process_api import routes as process_routes
from simulators.kintone.record_api import BulkError
from simulators.kintone.record_api import routes as record_routes
from simulators.kintone.user_api import routes as user_routes
from simulators.kintone.world import KintoneWorld
from simulators.serving import Hangup, Request, Response

MAX_URL = 8192  # bytes, the query string included
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
_APP_PATH = re.compile(r"/k(?:/guest/(?P<space>[0-9]+))?/v1/(?P<resource>[A-Za-z/]+)\.json")
_DIRECTORY_PATH = re.compile(r"/v1/(?P<resource>[a-z]+)\.json")

ROUTES: dict[tuple[str, str], Route] = {
    **record_routes.table,
    **process_routes.table,
    **app_routes.table,
    **user_routes.table,
}


class KintoneSimulator:
    """A kintone domain as an HTTP application.

    >>> with Serving(KintoneSimulator(world)) as serving:
    ...     requests.get(f"{serving.url}/k/v1/records.json", params={"app": 1}, headers={"X-Cybozu-API-Token": token})
    """

    def __init__(self, world: KintoneWorld) -> None:
        self._world = world
        self._running = 0
        self._running_lock = threading.Lock()
        self._error_numbers = count(1)

    def __call__(self, request: Request) -> Response:
        with self._running_lock:
            self._running += 1
            running = self._running
        try:
            response = self._answer(request, running)
        finally:
            with self._running_lock:
                self._running -= 1
        return replace(
            response,
            headers=(
                *response.headers,
                ("Date", format_datetime(self._world.clock.now(), usegmt=True)),
                ("X-ConcurrencyLimit-Limit", str(self._world.concurrency_limit)),
                ("X-ConcurrencyLimit-Running", str(running)),
            ),
        )

    def _answer(self, request: Request, running: int) -> Response:
        method = request.method
        if method == "POST" and (override := request.headers.get("x-http-method-override")):
            method = override
        with self._world.lock:
            self._world.calls[method, request.path] += 1
        if running > self._world.concurrency_limit:
            return self._refuse(request, fail("GAIA_TO04"))
        fault = self._world.faults.take(method, request.path)
        if fault and (response := self._strike(request, fault)):
            return response
        response = self._route(request, method)
        if fault and fault.hang_up:
            raise Hangup
        return response

    def _strike(self, request: Request, fault: Fault) -> Response | None:
        """What the fault answers instead of the call, None if the call goes on."""
        if fault.latency:
            threading.Event().wait(fault.latency)
        if fault.hang:
            threading.Event().wait(fault.hang)
            raise Hangup
        if error := fault.error():
            return self._refuse(request, error)
        return Response.text(fault.text, fault.status) if fault.status else None

    def _route(self, request: Request, method: str) -> Response:
        if method not in _METHODS:
            return self._refuse(request, fail("CB_IL02"))
        if _url_length(request) > MAX_URL:
            return Response.text("Request-URI Too Large", 414)
        match = _APP_PATH.fullmatch(request.path) or _DIRECTORY_PATH.fullmatch(request.path)
        # The user directory is not part of kintone, so its resources are told apart by their slash.
        prefix = "" if match and request.path.startswith("/k/") else "/"
        route = ROUTES.get((method, prefix + match["resource"])) if match else None
        if match is None or route is None:
            return Response.text("Not Found", 404)
        space = match.groupdict().get("space")
        return self._call(request, method, route, int(space) if space else None)

    def _call(self, request: Request, method: str, route: Route, guest_space: int | None) -> Response:
        caller: Caller | None = None
        try:
            caller = replace(authenticate(self._world.directory, request.headers), granted=self._world.app_rights)
            if caller.directory_only and route not in user_routes.table.values():
                raise fail("CB_AU01")
            call = Call(self._world, caller, Params(read_parameters(request, method)), guest_space)
            return Response.json(self._run(call, route))
        except BulkError as failure:
            results: list[Json] = [{} for _ in range(failure.size)]
            results[failure.index] = self._error_body(request, failure.error, caller)
            return Response.json({"results": results}, failure.error.status)
        except ApiError as error:
            return self._refuse(request, error, caller)

    def _run(self, call: Call, route: Route) -> Json:
        with self._world.lock:
            self._world.settle()
            if not route.writes:
                return route.handler(call)
        with self._world.transaction():
            answer = route.handler(call)
        _fire(call.after)
        return answer

    def _refuse(self, request: Request, error: ApiError, caller: Caller | None = None) -> Response:
        headers = [("X-Cybozu-Error", error.code)] if error.status == 429 else []
        return Response.json(self._error_body(request, error, caller), error.status, *headers)

    def _error_body(self, request: Request, error: ApiError, caller: Caller | None) -> dict[str, Any]:
        language = self._world.display_language(caller, request.headers.get("accept-language", ""))
        digest = hashlib.sha256(f"error {next(self._error_numbers)}".encode()).hexdigest()
        return error.body(language, digest[:20])


def _url_length(request: Request) -> int:
    return len(request.path) + 1 + len(urlencode(request.query, doseq=True))


def _fire(events: list[Callable[[], None]]) -> None:
    for event in events:
        event()
