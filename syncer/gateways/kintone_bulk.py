"""Writes of many rows: what one request carries, how several are cut into bulk requests, and what came of them. Pure.

A bulk request holds 20 parts of 100 rows, and kintone carries out all of them or none.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, Self, TypeVar

from syncer.gateways.errors import GatewayError
from syncer.gateways.kintone_errors import Answer, InvalidValues, not_kintone
from syncer.gateways.kintone_values import MOST_ROWS, Deletion, Update, Upsert, Values, Written, render_cells

MOST_PARTS = 20  # of a bulk request

R = TypeVar("R")


@dataclass(frozen=True)
class BulkRequest(ABC, Generic[R]):
    """Rows of one kind for one app, as many as there are."""

    app_id: str
    rows: Sequence[R]

    @property
    def method(self) -> str:
        return "PUT"

    @abstractmethod
    def payload(self) -> Mapping[str, Any]:
        """What records.json takes, for 100 rows at most."""

    @abstractmethod
    def read(self, answer: Answer) -> list[Written]:
        """What came of the rows, in their order; nothing of deletions."""

    def cut(self) -> Iterator[Self]:
        """The same in parts of 100 rows."""
        for start in range(0, len(self.rows), MOST_ROWS):
            yield replace(self, rows=self.rows[start : start + MOST_ROWS])


@dataclass(frozen=True)
class BulkCreate(BulkRequest[Values]):
    """New records."""

    @property
    def method(self) -> str:
        return "POST"

    def payload(self) -> Mapping[str, Any]:
        return {"app": self.app_id, "records": [render_cells(values) for values in self.rows]}

    def read(self, answer: Answer) -> list[Written]:
        pairs = zip(answer.member("ids", list[str]), answer.member("revisions", list[str]), strict=False)
        return _complete(answer, self.rows, [{"id": one, "revision": revision} for one, revision in pairs])


@dataclass(frozen=True)
class BulkUpdate(BulkRequest[Update]):
    """New values of records that are there."""

    def payload(self) -> Mapping[str, Any]:
        return {"app": self.app_id, "records": [_render_update(row) for row in self.rows]}

    def read(self, answer: Answer) -> list[Written]:
        return _complete(answer, self.rows, answer.member("records", list[dict[str, Any]]))


@dataclass(frozen=True)
class BulkUpsert(BulkRequest[Upsert]):
    """Values of records by their keys."""

    def payload(self) -> Mapping[str, Any]:
        return {"app": self.app_id, "upsert": True, "records": [_render_upsert(row) for row in self.rows]}

    def read(self, answer: Answer) -> list[Written]:
        return _complete(answer, self.rows, answer.member("records", list[dict[str, Any]]))


@dataclass(frozen=True)
class BulkDelete(BulkRequest[Deletion]):
    """Records that are to go."""

    @property
    def method(self) -> str:
        return "DELETE"

    def payload(self) -> Mapping[str, Any]:
        revisions = [-1 if row.revision is None else row.revision for row in self.rows]
        return {"app": self.app_id, "ids": [row.record_id for row in self.rows], "revisions": revisions}

    def read(self, answer: Answer) -> list[Written]:
        return []


def _render_update(row: Update) -> dict[str, Any]:
    revision = {} if row.revision is None else {"revision": row.revision}
    return {"id": row.record_id, **revision, "record": render_cells(row.values)}


def _render_upsert(row: Upsert) -> dict[str, Any]:
    return {"updateKey": {"field": row.key_field, "value": row.key}, "record": render_cells(row.values)}


def _complete(answer: Answer, rows: Sequence[object], records: Sequence[object]) -> list[Written]:
    """One record for each row. Less is not kintone's answer: nobody would know which row came to what."""
    parts = [answer.within(record) for record in records]
    if len(parts) != len(rows):
        raise not_kintone(answer.question, f"{len(parts)} records for {len(rows)} rows")
    return [Written(part.member("id", str), part.number("revision")) for part in parts]


# --- Bulk requests ----------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """Up to 100 rows of one of the requests that were asked for: which one it is, and its row that comes first here."""

    request: BulkRequest[Any]
    request_index: int
    first_row: int

    def render(self, api_path: str) -> dict[str, Any]:
        return {
            "method": self.request.method,
            "api": f"{api_path}/records.json",
            "payload": self.request.payload(),
        }


def cut_into_chunks(requests: Sequence[BulkRequest[Any]]) -> Iterator[list[Part]]:
    """Everything in its order, 20 parts a chunk."""
    parts = [
        Part(part, index, number * MOST_ROWS)
        for index, request in enumerate(requests)
        for number, part in enumerate(request.cut())
    ]
    for start in range(0, len(parts), MOST_PARTS):
        yield parts[start : start + MOST_PARTS]


class BulkFailure(GatewayError):
    """A bulk write that came to a halt.

    error: why, in the gateway's tree. done: what was written before, by request; deletions count in `rows_done` only.
    request_index, row_index: which of the requests, and which of its rows, kintone refused; None where it did not say.
    What follows `rows_done` was not written, unless `error` leaves that open (NoAnswer, Unavailable, OutcomeUnknown):
    then the first 2,000 of it were written all or not at all.
    """

    def __init__(
        self, error: GatewayError, done: list[list[Written]], rows_done: tuple[int, ...], chunk: Sequence[Part]
    ) -> None:
        super().__init__(error.operation, error.reason, error.code, error.text)
        self.error, self.done, self.rows_done = error, done, rows_done
        self.request_index, self.row_index = _find_row(error, chunk)


def _find_row(error: GatewayError, chunk: Sequence[Part]) -> tuple[int | None, int | None]:
    if error.part is None or error.part >= len(chunk):
        return None, None
    part = chunk[error.part]
    faults = error.faults if isinstance(error, InvalidValues) else ()
    rows = [fault.record for fault in faults if fault.record is not None]
    if len(part.request.rows) == 1:
        rows = [0]  # there is no other
    return part.request_index, part.first_row + min(rows) if rows else None
