"""One kintone app, read and written over its REST API.

Pages are sought by `$id`, never by offset or cursor: cursors are ten a domain and shared with everybody, offsets end
at 10,000. Errors are told apart by code and status; messages are in the reader's language and only passed on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Unpack

from syncer.gateways.kintone_bulk import BulkCreate, BulkDelete, BulkRequest, BulkUpdate, BulkUpsert
from syncer.gateways.kintone_credentials import Credentials
from syncer.gateways.kintone_errors import Answer, Question, not_kintone, truncated
from syncer.gateways.kintone_transport import KintoneClient, Options, name_question
from syncer.gateways.kintone_values import (
    MOST_ROWS,
    Comment,
    Deletion,
    FieldInfo,
    Json,
    Lookup,
    Mention,
    Record,
    Update,
    Upsert,
    Values,
    Written,
    read_comment,
    read_fields,
    render_cells,
    render_comment,
)

__all__ = [
    "Comment",
    "Deletion",
    "FieldInfo",
    "KintoneApp",
    "Lookup",
    "Mention",
    "Record",
    "Update",
    "Upsert",
    "Values",
    "Written",
]

PAGE = 500  # records of a page at most
COMMENTS_PAGE = 10  # comments of a page at most


class KintoneApp(KintoneClient):
    """One app, with its API tokens or other credentials.

    credentials: the tokens of this app and of apps it looks up from, nine at most.
    """

    def __init__(
        self,
        base_url: str,
        app_id: str,
        credentials: Credentials | tuple[str, ...],
        **options: Unpack[Options],
    ) -> None:
        super().__init__(base_url, credentials, **options)
        self.app_id = app_id

    # Questions

    def fetch_fields(self) -> Mapping[str, FieldInfo]:
        """Fetch the app's fields by code, system fields included; those inside a table are its columns."""
        answer = self._ask("app/form/fields.json", {"app": self.app_id})
        return answer.read("properties", dict[str, Json], read_fields)

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
        return self._total(self._query(query, ["$id"], count=True))

    def fetch_newest(self, updated_field: str, limit: int) -> tuple[list[Record], int]:
        """The records that were changed last, the latest first, and how many there are in all."""
        query = f"order by {updated_field} desc, $id desc limit {limit}"
        answer = self._query(query, (), count=True)
        return answer.member("records", list[Record]), self._total(answer)

    def fetch_record(self, record_id: str) -> Record:
        """Fetch one record. Raises NotFound if it is gone, or hidden from the token."""
        answer = self._ask("record.json", {"app": self.app_id, "id": record_id})
        return answer.member("record", Record)

    def fetch_records(self, record_ids: Iterable[str]) -> list[Record]:
        """Fetch the records with these ids in their order, 500 a request; those that are gone are missing."""
        wanted = sorted(set(record_ids), key=int)
        records: list[Record] = []
        for start in range(0, len(wanted), PAGE):
            ids = ",".join(f'"{record_id}"' for record_id in wanted[start : start + PAGE])
            answer = self._query(f"$id in ({ids}) order by $id asc limit {PAGE}", ())
            records.extend(answer.member("records", list[Record]))
        return records

    def find_record(self, field_code: str, text: str) -> Record | None:
        """The oldest record with this text in a field of single-line text, None if there is none."""
        answer = self._query(f'{field_code} = "{_escape(text)}" order by $id asc limit 1', ())
        return next(iter(answer.member("records", list[Record])), None)

    def scan_revisions(self) -> Mapping[str, int]:
        """The revision of every record of the app, by id.

        The scan is held against kintone's own count, asked for with the first page. Raises Truncated if they differ
        twice: then records are missing that may exist.
        """
        revisions, total = self._scan_once()
        if len(revisions) != total:  # records may have come or gone meanwhile
            revisions, total = self._scan_once()
        if len(revisions) != total:
            raise truncated(self._reading, expected=total, found=len(revisions))
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

    def fetch_comments(self, record_id: str) -> list[Comment]:
        """Fetch all comments on a record, newest first. Raises NotFound."""
        comments: dict[str, Comment] = {}
        offset, more = 0, True
        while more:
            parameters = {"app": self.app_id, "record": record_id, "offset": offset, "limit": COMMENTS_PAGE}
            answer = self._ask("record/comments.json", parameters)
            page = answer.rows("comments", read_comment)
            # One that came meanwhile moves the others back: what was seen already is seen again.
            comments |= {comment.id: comment for comment in page}
            offset, more = offset + len(page), bool(page) and answer.member("older", bool)
        return list(comments.values())

    # Writing

    def create_record(self, values: Values) -> Written:
        """Create a record. After Unavailable or NoAnswer it may be there: look before this is called again."""
        answer = self._change("POST", "record.json", {"record": render_cells(values)})
        return Written(answer.member("id", str), answer.number("revision"))

    def update_record(self, record_id: str, values: Values, *, revision: int) -> Written:
        """Change these fields of a record that still has this revision; the others stay as they are.

        Raises Conflict if it has another one by now, and NotFound. After Unavailable or NoAnswer it may be changed.
        """
        body = {"id": record_id, "revision": revision, "record": render_cells(values)}
        return Written(record_id, self._change("PUT", "record.json", body).number("revision"))

    def upsert_record(self, key_field: str, key: str, values: Values) -> Written:
        """Change the record that has this key, or create it with the key. The key's field must be unique in the app.

        `values` do not name it again. After Unavailable or NoAnswer it may be written.
        """
        [written] = self._write_rows(BulkUpsert(self.app_id, [Upsert(key_field, key, values)]))
        return written

    def create_records(self, rows: Sequence[Values]) -> list[Written]:
        """Create up to 100 records, all or none. After Unavailable or NoAnswer they may be there."""
        return self._write_rows(BulkCreate(self.app_id, rows))

    def update_records(self, rows: Sequence[Update]) -> list[Written]:
        """Change up to 100 records, all or none. Raises Conflict and NotFound as `update_record` does."""
        return self._write_rows(BulkUpdate(self.app_id, rows))

    def delete_records(self, rows: Sequence[Deletion]) -> None:
        """Delete up to 100 records, all or none. Raises Conflict and NotFound as `update_record` does."""
        self._write_rows(BulkDelete(self.app_id, rows))

    def post_comment(self, record_id: str, text: str, mentions: Sequence[Mention] = ()) -> str:
        """Comment on a record; the comment's id. With tokens its author is Administrator.

        text: 65,535 characters at most. mentions: ten at most. After Unavailable or NoAnswer it may be there.
        """
        body = {"record": record_id, "comment": render_comment(text, mentions)}
        return self._change("POST", "record/comment.json", body).member("id", str)

    def _write_rows(self, request: BulkRequest[Any]) -> list[Written]:
        if not request.rows:
            return []
        if len(request.rows) > MOST_ROWS:
            raise ValueError(f"kintone writes {MOST_ROWS} records at a time, not {len(request.rows)}")
        return request.read(self._change(request.method, "records.json", request.payload()))

    # Pages

    def _iter_pages(
        self, condition: str, fields: Sequence[str], count: bool = False
    ) -> Iterator[tuple[list[Record], int | None]]:
        """Pages, the first with the number of all records that match if `count` asks for it."""
        last, codes = 0, [*fields, "$id"] if fields and "$id" not in fields else list(fields)
        while True:
            seek = f"({condition}) and $id > {last}" if condition else f"$id > {last}"
            is_counted = count and last == 0
            answer = self._query(f"{seek} order by $id asc limit {PAGE}", codes, count=is_counted)
            page = answer.member("records", list[Record])
            yield page, self._total(answer) if is_counted else None
            if len(page) < PAGE:
                return
            last = self._last_id(page, last)

    def _last_id(self, page: list[Record], before: int) -> int:
        """The id to go on after. One that does not grow would have us ask for the same page for ever."""
        last = self._system_value(page[-1], "$id")
        if last <= before:
            raise not_kintone(self._reading, f"$id {last} after {before}")
        return last

    def _query(self, query: str, fields: Sequence[str], *, count: bool = False) -> Answer:
        parameters: dict[str, Any] = {"app": self.app_id, "query": query}
        if fields:
            parameters["fields"] = list(fields)
        return self._ask("records.json", {**parameters, "totalCount": True} if count else parameters)

    def _total(self, answer: Answer) -> int:
        return answer.number("totalCount")

    def _system_value(self, record: Record, code: str) -> int:
        """`$id` or `$revision`, which every record has that was asked for them."""
        return Answer(self._reading, {}).within(record.get(code)).number("value")

    @property
    def _reading(self) -> Question:
        return name_question("GET", "records.json", self.app_id)

    # Requests

    def _ask(self, path: str, parameters: Mapping[str, Any]) -> Answer:
        return self._get(path, parameters, app_id=self.app_id)

    def _change(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        return self._write(method, path, {"app": self.app_id, **body}, app_id=self.app_id)


def _escape(text: str) -> str:
    """A text inside the quotation marks of kintone's query language."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
