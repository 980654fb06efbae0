"""The records of one app: kept in order of id, indexed by the unique fields, undone when a call fails.

Records and their values are replaced, never changed, so an answer or a saved state may refer to them
without copying.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


class Journal:
    """How to undo what was changed since `begin()`, in all apps of a world."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] | None = None

    @property
    def is_open(self) -> bool:
        return self._undo is not None

    def begin(self) -> None:
        self._undo = []

    def note(self, undo: Callable[[], None]) -> None:
        if self._undo is not None:
            self._undo.append(undo)

    def commit(self) -> None:
        self._undo = None

    def roll_back(self) -> None:
        undo, self._undo = self._undo or [], None
        for step in reversed(undo):
            step()


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `values` are as kintone shows them, but users are codes and rows `{"id", "values"}`."""

    id: int
    revision: int
    values: Values
    created_at: str
    updated_at: str
    creator: str
    modifier: str
    status: str = ""
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment. `text` is as it was posted, without the names of those mentioned."""

    id: int
    text: str
    creator: str
    created_at: str
    mentions: tuple[tuple[str, str], ...] = ()  # (type, code)


@dataclass
class RecordStore:
    """The records of one app by id, with their comments and the numbers given out so far."""

    journal: Journal
    unique_codes: frozenset[str] = frozenset()
    records: dict[int, Record] = field(default_factory=dict)
    comments: dict[int, tuple[Comment, ...]] = field(default_factory=dict)
    last_id: int = 0
    last_row_id: int = 0
    last_comment_ids: dict[int, int] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    _unique: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = sorted(self.records)
        self.index(self.unique_codes)

    def index(self, unique_codes: Iterable[str]) -> None:
        """Build the indexes of the unique fields anew, after the form has changed."""
        self.unique_codes = frozenset(unique_codes)
        self._unique = {code: {} for code in self.unique_codes}
        for record in self.records.values():
            self._enter(record)

    def next_id(self) -> int:
        self.journal.note(self._set_counters(self.last_id, self.last_row_id))
        self.last_id += 1
        return self.last_id

    def next_row_id(self) -> int:
        self.journal.note(self._set_counters(self.last_id, self.last_row_id))
        self.last_row_id += 1
        return self.last_row_id

    def put(self, record: Record) -> None:
        """Add a record, or replace the one of the same id."""
        before = self.records.get(record.id)
        self.journal.note(lambda: self._restore(record.id, before))
        self._restore(record.id, record)

    def remove(self, record_id: int) -> None:
        before, comments = self.records[record_id], self.comments.pop(record_id, None)
        self._restore(record_id, None)
        self.journal.note(lambda: self._restore(record_id, before))
        if comments is not None:
            self.journal.note(lambda: self.comments.__setitem__(record_id, comments))

    def replace_all(self, records: Iterable[Record], unique_codes: Iterable[str]) -> None:
        """Exchange the records of the same ids, after the form has changed. Not undone by the journal."""
        self.records = {record.id: record for record in records}
        self.index(unique_codes)

    def find_unique(self, code: str, value: str) -> int | None:
        """The id of the record whose unique field `code` has this value."""
        return self._unique.get(code, {}).get(value)

    def add_comment(self, record_id: int, comment: Comment) -> None:
        self._set_comments(record_id, (*self.comments.get(record_id, ()), comment))
        self.last_comment_ids[record_id] = comment.id

    def next_comment_id(self, record_id: int) -> int:
        return self.last_comment_ids.get(record_id, 0) + 1

    def remove_comment(self, record_id: int, comment_id: int) -> None:
        kept = tuple(comment for comment in self.comments.get(record_id, ()) if comment.id != comment_id)
        self._set_comments(record_id, kept)

    def ids_between(self, low: int | None, high: int | None) -> list[int]:
        """The ids from `low` to `high`, both included, ascending."""
        first = 0 if low is None else bisect_left(self.ids, low)
        last = len(self.ids) if high is None else bisect_right(self.ids, high)
        return self.ids[first:last]

    def _set_comments(self, record_id: int, comments: tuple[Comment, ...]) -> None:
        before = self.comments.get(record_id, ())
        self.journal.note(lambda: self.comments.__setitem__(record_id, before))
        self.comments[record_id] = comments

    def _set_counters(self, last_id: int, last_row_id: int) -> Callable[[], None]:
        def undo() -> None:
            self.last_id, self.last_row_id = last_id, last_row_id

        return undo

    def _restore(self, record_id: int, record: Record | None) -> None:
        before = self.records.pop(record_id, None)
        if before is not None:
            self._leave(before)
        if record is not None:
            self.records[record_id] = record
            self._enter(record)
        if (before is None) != (record is None):
            self._place(record_id, present=record is not None)

    def _place(self, record_id: int, *, present: bool) -> None:
        position = bisect_left(self.ids, record_id)
        if present:
            self.ids.insert(position, record_id)
        else:
            del self.ids[position]

    def _enter(self, record: Record) -> None:
        for code, index in self._unique.items():
            if value := record.values.get(code):
                index[value] = record.id

    def _leave(self, record: Record) -> None:
        for code, index in self._unique.items():
            if (value := record.values.get(code)) and index.get(value) == record.id:
                del index[value]
