"""One kintone app, read and written over its REST API.

Pages are sought by `$id`, never by offset or cursor: cursors are ten a domain and shared with everybody, offsets end
at 10,000. Errors are told apart by code and status; messages are in the reader's language and only passed on.

kintone knows no idempotency key. So a write is sent again only where kintone cannot have carried it out; after any
other error the caller looks first.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar, cast, get_origin

import requests
from requests.auth import AuthBase

from syncer.gateways.errors import NoAnswer, Race, Temporary, Throttled, Unavailable, Unreachable
from syncer.gateways.kintone_errors import Question, not_answered, not_kintone, read_answer, truncated
from syncer.gateways.pacing import Backoff, Sleep, Tally, try_again

PAGE = 500  # records of a page at most
MOST_FIELDS = 100  # in an address
LONGEST_URL = 4000  # characters; kintone takes 8 KB, its own client changes to POST above 4,096
SPARE_CONNECTIONS = 20  # of the domain's 100: what is left of them belongs to everybody
CROWDED_PAUSE = 0.5  # seconds
TRIES = Backoff(tries=4, first=0.5, longest=8.0)
READ_AGAIN: tuple[type[Temporary], ...] = (Throttled, Unavailable, NoAnswer, Unreachable)
WRITE_AGAIN: tuple[type[Temporary], ...] = (Throttled, Race, Unreachable)  # kintone has not carried it out

V = TypeVar("V")
Record = dict[str, Any]
"""A record as kintone gives it: field code → {"type", "value"}, `$id` and `$revision` among them as texts."""


Values = Mapping[str, Any]
"""What is written: field code → the bare value, in the shape of the field's type."""


@dataclass(frozen=True)
class Written:
    """A record as a write has left it."""

    record_id: str
    revision: int


@dataclass(frozen=True)
class Deletion:
    """A record that is to go, if it still has this revision; whichever it has, where that is None."""

    record_id: str
    revision: int | None = None


@dataclass(frozen=True)
class Lookup:
    """Where a lookup field takes its values from."""

    app_id: str
    field_code: str


@dataclass(frozen=True)
class FieldInfo:
    """A field of the app's form. `options` are those of a drop-down and its kin, in their order on the form."""

    code: str
    type: str
    label: str
    is_required: bool = False
    is_unique: bool = False
    options: tuple[str, ...] = ()
    lookup: Lookup | None = None


class KintoneApp:
    """One app, with its API tokens. Thread safe; close it, or use it in a `with` statement.

    base_url: `https://example.cybozu.com`. tokens: this app's and those of apps it looks up from, nine at most.
    timeout: seconds to connect and to wait for an answer.
    Every method raises GatewayError once its four tries are used up, and nothing else.
    """

    def __init__(
        self,
        base_url: str,
        app_id: str,
        tokens: tuple[str, ...],
        guest_space_id: str = "",
        timeout: tuple[float, float] = (3, 30),
        sleep: Sleep = time.sleep,
    ) -> None:
        path = f"/k/guest/{guest_space_id}/v1" if guest_space_id else "/k/v1"
        self._root, self.app_id = base_url.rstrip("/") + path, app_id
        self._timeout, self._sleep = timeout, sleep
        self._session = requests.Session()
        self._session.auth = _Tokens(tokens)
        self._calls, self._lock = Tally(), threading.Lock()
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

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far by operation, every try counted; a copy."""
        return self._calls.counts()

    @property
    def server_time(self) -> datetime | None:
        """kintone's clock at its last answer, in UTC and whole seconds; None before the first."""
        return self._server_time

    # Questions

    def fetch_fields(self) -> Mapping[str, FieldInfo]:
        """Fetch the app's fields by code, system fields included; those inside tables are left out."""
        answer = self._get("app/form/fields.json", {"app": self.app_id})
        properties = self._member(answer, "app/form/fields.json", "properties", dict[str, dict[str, Any]])
        return {code: _field_info(code, definition) for code, definition in properties.items()}

    def iter_records(self, condition: str = "", fields: Sequence[str] = ()) -> Iterator[list[Record]]:
        """Iterate over the records that match, in the order of their ids, a page of up to 500 at a time.

        condition: in kintone's query language, without order and limit; empty for all.
        fields: codes to fetch; all when empty. `$id` always comes along.
        """
        for page, _total in self._iter_pages(condition, fields):
            yield page

    def iter_all(self) -> Iterator[tuple[list[Record], int]]:
        """Iterate over all records as `iter_records` does, each page with the number that kintone counted at the first.

        Records may come and go meanwhile: whoever finds another number does not know yet which of them is right.
        """
        total = 0
        for page, count in self._iter_pages("", (), count=True):
            total = total if count is None else count
            yield page, total

    def count_records(self, condition: str = "") -> int:
        """Count the records that match."""
        query = f"{condition} order by $id asc limit 1".lstrip()
        answer = self._get("records.json", self._query(query, ["$id"], count=True))
        return self._total(answer)

    def fetch_record(self, record_id: str) -> Record:
        """Fetch one record. Raises NotFound if it is gone, or hidden from the token."""
        answer = self._get("record.json", {"app": self.app_id, "id": record_id})
        return self._member(answer, "record.json", "record", Record)

    def fetch_records(self, record_ids: Iterable[str]) -> list[Record]:
        """Fetch the records with these ids in their order, 500 a request; those that are gone are missing."""
        wanted = sorted(set(record_ids), key=int)
        records: list[Record] = []
        for start in range(0, len(wanted), PAGE):
            ids = ",".join(f'"{record_id}"' for record_id in wanted[start : start + PAGE])
            query = f"$id in ({ids}) order by $id asc limit {PAGE}"
            records.extend(self._records(self._get("records.json", self._query(query, ()))))
        return records

    def find_record(self, field_code: str, text: str) -> Record | None:
        """The oldest record with this text in a field of single-line text, None if there is none."""
        query = f'{field_code} = "{_escape(text)}" order by $id asc limit 1'
        return next(iter(self._records(self._get("records.json", self._query(query, ())))), None)

    def scan_revisions(self) -> Mapping[str, int]:
        """The revision of every record of the app, by id.

        The scan is held against kintone's own count, asked for with the first page. Raises Truncated if they differ
        twice: then records are missing that may exist.
        """
        revisions, total = self._scan_once()
        if len(revisions) != total:  # records may have come or gone meanwhile
            revisions, total = self._scan_once()
        if len(revisions) != total:
            raise truncated(self._question("records.json"), expected=total, found=len(revisions))
        return revisions

    def _scan_once(self) -> tuple[dict[str, int], int]:
        """The revisions and the count that came with the first page."""
        revisions: dict[str, int] = {}
        total = 0
        for page, count in self._iter_pages("", ["$id", "$revision"], count=True):
            total = total if count is None else count
            for record in page:
                revisions[str(self._system_value(record, "$id"))] = self._system_value(record, "$revision")
        return revisions, total

    # Writing

    def create_record(self, values: Values) -> Written:
        """Create a record. After Unavailable or NoAnswer it may be there: look before this is called again."""
        answer = self._write("POST", {"record": _as_cells(values)})
        record_id = self._member(answer, "record.json", "id", str)
        return Written(record_id, self._number(answer, "revision"))

    def update_record(self, record_id: str, values: Values, *, revision: int) -> Written:
        """Change these fields of a record that still has this revision; the others stay as they are.

        Raises Conflict if it has another one by now, and NotFound. After Unavailable or NoAnswer it may be changed.
        """
        answer = self._write("PUT", {"id": record_id, "revision": revision, "record": _as_cells(values)})
        return Written(record_id, self._number(answer, "revision"))

    def delete_records(self, rows: Sequence[Deletion]) -> None:
        """Delete up to 100 records, all or none. Raises Conflict and NotFound."""
        question = self._question("records.json", "DELETE")
        revisions = [-1 if row.revision is None else row.revision for row in rows]
        body = {"app": self.app_id, "ids": [row.record_id for row in rows], "revisions": revisions}

        def send() -> Mapping[str, Any]:
            url = f"{self._root}/records.json"
            return self._answer(
                question,
                lambda: self._session.request("DELETE", url, json=body, timeout=self._timeout, allow_redirects=False),
            )

        try_again(send, TRIES, WRITE_AGAIN, self._sleep)

    def _write(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        question = self._question("record.json", method)

        def send() -> Mapping[str, Any]:
            return self._answer(
                question,
                lambda: self._session.request(
                    method,
                    f"{self._root}/record.json",
                    json={"app": self.app_id, **body},
                    timeout=self._timeout,
                    allow_redirects=False,
                ),
            )

        return try_again(send, TRIES, WRITE_AGAIN, self._sleep)

    # Pages

    def _iter_pages(
        self, condition: str, fields: Sequence[str], count: bool = False
    ) -> Iterator[tuple[list[Record], int | None]]:
        """Pages, the first with the number of all records that match if `count` asks for it."""
        last, codes = 0, [*fields, "$id"] if fields and "$id" not in fields else list(fields)
        while True:
            seek = f"({condition}) and $id > {last}" if condition else f"$id > {last}"
            is_counted = count and last == 0
            answer = self._get(
                "records.json", self._query(f"{seek} order by $id asc limit {PAGE}", codes, count=is_counted)
            )
            page = self._records(answer)
            yield page, self._total(answer) if is_counted else None
            if len(page) < PAGE:
                return
            last = self._last_id(page, last)

    def _last_id(self, page: list[Record], before: int) -> int:
        """The id to go on after. One that does not grow would have us ask for the same page for ever."""
        last = self._system_value(page[-1], "$id")
        if last <= before:
            raise not_kintone(self._question("records.json"), f"$id {last} after {before}")
        return last

    def _query(self, query: str, fields: Sequence[str], *, count: bool = False) -> dict[str, Any]:
        parameters: dict[str, Any] = {"app": self.app_id, "query": query}
        if fields:
            parameters["fields"] = list(fields)
        return {**parameters, "totalCount": True} if count else parameters

    def _records(self, answer: Mapping[str, Any]) -> list[Record]:
        return self._member(answer, "records.json", "records", list[Record])

    def _total(self, answer: Mapping[str, Any]) -> int:
        return self._number(answer, "totalCount")

    def _system_value(self, record: Record, code: str) -> int:
        """`$id` or `$revision`, which every record has that was asked for them."""
        field = record.get(code)
        return self._number(field if isinstance(field, dict) else {}, "value")

    def _number(self, holder: Mapping[str, Any], name: str) -> int:
        """A number, which kintone writes as a text."""
        text = self._member(holder, "records.json", name, str)
        if not text.isdecimal():
            raise not_kintone(self._question("records.json"), f"{name}: {text}")
        return int(text)

    def _member(self, holder: Mapping[str, Any], path: str, name: str, kind: type[V]) -> V:
        value = holder.get(name)
        if not isinstance(value, get_origin(kind) or kind):
            raise not_kintone(self._question(path), f"{name}: {type(value).__name__}")
        return cast(V, value)

    # Requests

    def _question(self, path: str, method: str = "GET") -> Question:
        return Question(f"kintone {method} {path} app {self.app_id}", self.app_id)

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        question = self._question(path)

        def ask() -> Mapping[str, Any]:
            return self._answer(question, lambda: self._send(f"{self._root}/{path}", parameters))

        return try_again(ask, TRIES, READ_AGAIN, self._sleep)

    def _answer(self, question: Question, send: Callable[[], requests.Response]) -> Mapping[str, Any]:
        """One request and its answer."""
        if self._is_crowded:
            self._sleep(CROWDED_PAUSE)
        self._calls.add(question.operation)
        try:
            response = send()
        except requests.RequestException as error:
            raise not_answered(question, error) from error
        self._heed(response)
        return read_answer(question, response)

    def _send(self, url: str, parameters: Mapping[str, Any]) -> requests.Response:
        """A GET, or the same as a POST where the address would grow too long. Tokens follow no redirect."""
        in_address = _render_address(parameters)
        length = len(requests.Request("GET", url, params=in_address).prepare().url or "")
        if length <= LONGEST_URL and len(parameters.get("fields", ())) <= MOST_FIELDS:
            return self._session.get(url, params=in_address, timeout=self._timeout, allow_redirects=False)
        override = {"X-HTTP-Method-Override": "GET"}
        return self._session.post(
            url, json=dict(parameters), headers=override, timeout=self._timeout, allow_redirects=False
        )

    def _heed(self, response: requests.Response) -> None:
        """Keep kintone's clock, and whether its connections are about to run out."""
        date, headers = response.headers.get("Date"), response.headers
        running, limit = headers.get("X-ConcurrencyLimit-Running", ""), headers.get("X-ConcurrencyLimit-Limit", "")
        with self._lock:
            if date:
                self._server_time = _parse_date(date) or self._server_time
            known = running.isdecimal() and limit.isdecimal()
            self._is_crowded = known and int(running) >= int(limit) - SPARE_CONNECTIONS


class _Tokens(AuthBase):
    """Signs with API tokens. As an `auth` it also keeps requests from looking for passwords in a .netrc file."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        # http.client writes headers in Latin-1; so a token that was pasted wrong is refused by kintone, not by Python.
        self._header = ",".join(tokens).encode().decode("latin-1")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Cybozu-API-Token"] = self._header
        return request


def _as_cells(values: Values) -> dict[str, dict[str, Any]]:
    return {code: {"value": value} for code, value in values.items()}


def _escape(text: str) -> str:
    """A text inside the quotation marks of kintone's query language."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _render_address(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as kintone reads them from an address: fields[0]=a&fields[1]=b."""
    flat = {name: value for name, value in parameters.items() if isinstance(value, str)}
    flat.update({name: "true" for name, value in parameters.items() if value is True})
    return flat | {f"fields[{index}]": code for index, code in enumerate(parameters.get("fields", ()))}


def _parse_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _field_info(code: str, definition: Mapping[str, Any]) -> FieldInfo:
    options = sorted(definition.get("options", {}).items(), key=lambda item: int(item[1].get("index", 0)))
    return FieldInfo(
        code=code,
        type=definition.get("type", ""),
        label=definition.get("label", ""),
        is_required=_is_true(definition.get("required")),
        is_unique=_is_true(definition.get("unique")),
        options=tuple(name for name, _option in options),
        lookup=_lookup(definition.get("lookup")),
    )


def _is_true(value: object) -> bool:
    return value in (True, "true")


def _lookup(definition: Mapping[str, Any] | None) -> Lookup | None:
    if not definition:
        return None
    return Lookup(str(definition["relatedApp"]["app"]), str(definition["relatedKeyField"]))
