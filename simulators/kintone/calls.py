"""One call of the REST API: its parameters, its caller, and the table of routes.

Parameters come from the query string (written as the `qs` package writes them), from a JSON body, or both;
handlers see one set of values. Numbers arrive as numbers or as text.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulators.kintone.access import Caller
from simulators.kintone.apps import AppState
from simulators.kintone.directory import Right
from simulators.kintone.errors import (
    AT_LEAST_ONE,
    NOT_IN_ENUM,
    OUT_OF_RANGE,
    PARAMETER_REQUIRED,
    fail,
    invalid_parameter,
)
from simulators.kintone.world import KintoneWorld
from simulators.kintone.writing import Writing
from simulators.serving import Request

Json = dict[str, Any]

MAX_QUERY_INDEX = 99  # of an array in the query string
_INDEXED = re.compile(r"([^\[\]]+)\[([0-9]*)\]")
_INTEGER = re.compile(r"-?[0-9]+")


def read_parameters(request: Request, method: str) -> Json:
    """The parameters of a request.

    Raises CB_IJ01 for a body that is no JSON object, CB_IL02 for one that is not called JSON.
    """
    return _read_query(request.query) | _read_body(request, method)


def _read_query(query: Mapping[str, list[str]]) -> Json:
    values: Json = {}
    arrays: dict[str, dict[int, str]] = {}
    for name, given in query.items():
        match = _INDEXED.fullmatch(name)
        if match is None:
            values[name] = given[0]
            continue
        items = arrays.setdefault(match[1], {})
        for value in given:
            items[int(match[2]) if match[2] else len(items)] = value
    if any(index > MAX_QUERY_INDEX for items in arrays.values() for index in items):
        raise fail("CB_IL02")
    return values | {name: [items[index] for index in sorted(items)] for name, items in arrays.items()}


def _read_body(request: Request, method: str) -> Json:
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if not request.body:
        # kintone reads a body wherever one is announced: a GET that says JSON and sends none fails.
        if is_json and method == "GET":
            raise fail("CB_IJ01")
        return {}
    if not is_json:
        raise fail("CB_IL02")
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise fail("CB_IJ01") from error
    if not isinstance(body, dict):
        raise fail("CB_IJ01")
    return body


def as_integer(value: Any) -> int:
    """A number that may have come as text. Raises CB_IJ01 for anything else."""
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
        raise fail("CB_IJ01")
    return int(value)


def as_revision(value: Any) -> int | None:
    """The revision a caller expects; None, blank and -1 expect none."""
    if value in (None, "") or (revision := as_integer(value)) == -1:
        return None
    return revision


@dataclass(frozen=True)
class Params:
    """The parameters of a call, each read with the checks kintone makes."""

    values: Json

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def required(self, name: str) -> Any:
        if self.values.get(name) in (None, ""):
            raise invalid_parameter(name, PARAMETER_REQUIRED)
        return self.values[name]

    def integer(self, name: str) -> int:
        """A required whole number of at least 1."""
        number = as_integer(self.required(name))
        if number < 1:
            raise invalid_parameter(name, AT_LEAST_ONE)
        return number

    def bounded(self, name: str, *, default: int, low: int, high: int | None = None) -> int:
        if self.values.get(name) in (None, ""):
            return default
        number = as_integer(self.values[name])
        if number < low or (high is not None and number > high):
            raise invalid_parameter(name, OUT_OF_RANGE.fill(low=low, high=high or ""))
        return number

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise fail("CB_IJ01")
        return value

    def choice(self, name: str, *choices: str) -> str:
        """One of `choices`, the first if absent."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise invalid_parameter(name, NOT_IN_ENUM)
        return value

    def flag(self, name: str) -> bool:
        return self.values.get(name) in (True, "true")

    def array(self, name: str) -> list[Any] | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise fail("CB_IJ01")
        return value

    def required_array(self, name: str) -> list[Any]:
        if (value := self.array(name)) is None:
            raise invalid_parameter(name, PARAMETER_REQUIRED)
        return value

    def object(self, name: str) -> Json:
        value = self.values.get(name)
        if value is None:
            raise invalid_parameter(name, PARAMETER_REQUIRED)
        if not isinstance(value, dict):
            raise fail("CB_IJ01")
        return value


@dataclass
class Call:
    """One request on its way to its handler. `after` are the webhooks to fire once it is committed."""

    world: KintoneWorld
    caller: Caller
    params: Params
    guest_space: int | None = None
    is_counted: bool = True
    after: list[Callable[[], None]] = field(default_factory=list)

    def app(self, *rights: Right, name: str = "app") -> AppState:
        """The live app the call is about, counted against its quota.

        Raises GAIA_AP01, GAIA_IL23 (a guest space's app at a normal path), CB_NO02 (the reverse) or what the
        caller's lack of every one of `rights` means.
        """
        app = self.draft_app(*rights, name=name)
        if app.live is None:
            raise fail("GAIA_AP01", app=app.id)
        return app

    def draft_app(self, *rights: Right, name: str = "app") -> AppState:
        """The same, but it need not be live yet."""
        app = self.find_app(self.params.integer(name))
        self.caller.require(app.id, *rights)
        if self.is_counted:
            self.world.count(app.id)
        return app

    def find_app(self, app_id: int) -> AppState:
        app = self.world.find_app(app_id)
        if app.guest_space != self.guest_space:
            raise fail("GAIA_IL23" if self.guest_space is None else "CB_NO02")
        return app

    def writing(self, app: AppState) -> Writing:
        return self.world.writing(app, self.caller)


Handler = Callable[[Call], Json]


class Route(NamedTuple):
    handler: Handler
    writes: bool


class Routes:
    """Handlers by method and resource: ("GET", "record"), ("POST", "preview/app/form/fields")."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, str], Route] = {}

    def add(self, method: str, *resources: str, writes: bool | None = None) -> Callable[[Handler], Handler]:
        """Register the decorated handler. Everything but GET writes, unless said otherwise."""

        def register(handler: Handler) -> Handler:
            for resource in resources:
                self.table[method, resource] = Route(handler, method != "GET" if writes is None else writes)
            return handler

        return register
