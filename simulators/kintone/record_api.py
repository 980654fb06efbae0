"""The routes about records: reading, writing, cursors, comments and bulk requests."""

import re
from typing import Any

from simulators.kintone.apps import AppState
from simulators.kintone.calls import Call, Json, Params, Routes, as_integer, as_revision
from simulators.kintone.errors import (
    AT_LEAST_ONE,
    NOT_IN_ENUM,
    PARAMETER_REQUIRED,
    TOO_LONG,
    TOO_MANY,
    ApiError,
    Text,
    fail,
    invalid_parameter,
)
from simulators.kintone.matching import Matcher
from simulators.kintone.query import parse_query, syntax_error
from simulators.kintone.rendering import render_comment, render_record
from simulators.kintone.rights import Rights
from simulators.kintone.store import Comment, Record
from simulators.kintone.values import second_text
from simulators.kintone.writing import Writing

MAX_RECORDS = 100  # written by one call
MAX_REQUESTS = 20  # in one bulk request
MAX_COMMENTS = 10  # read by one call
MAX_COMMENT_LENGTH = 65_535
MAX_MENTIONS = 10

routes = Routes()

_BAD_KEY = Text(
    "更新キーになるのは、重複を許さない1行の文字列か数値の項目だけです。",
    "Only a text or number field that forbids duplicates can be the update key.",
)
_KEY_IN_RECORD = Text("更新キーの項目は書き換えられません。", "The field of the update key is not to be written.")
_ID_AND_KEY = Text("idかupdateKeyの一方だけにしてください。", "Give id or updateKey, not both.")


class BulkError(Exception):
    """A bulk request that failed at its `index`th request; `size` are all."""

    def __init__(self, error: ApiError, index: int, size: int) -> None:
        super().__init__(str(error))
        self.error, self.index, self.size = error, index, size


# Reading


@routes.add("GET", "record")
def get_record(call: Call) -> Json:
    app = call.app("view")
    record = call.writing(app).find(call.params.integer("id"))
    return {"record": next(iter(_render(call, app, [record.id], None)))}


@routes.add("GET", "records")
def get_records(call: Call) -> Json:
    app = call.app("view")
    query = parse_query(call.params.text("query"))
    count = call.params.flag("totalCount")
    page = _matcher(call, app).select(query, count=count)
    return {
        "records": _render(call, app, page.ids, _fields(call.params)),
        "totalCount": None if page.total is None else str(page.total),
    }


def _matcher(call: Call, app: AppState) -> Matcher:
    bounds = call.world.rights(app, call.caller)
    context = call.world.context(call.caller)
    return Matcher(call.world.source(str(app.id)), context, bounds.sees if bounds else None)


def _fields(params: Params) -> list[str] | None:
    """The field codes asked for; none at all means every field."""
    return params.array("fields") or None


def _render(call: Call, app: AppState, ids: list[int], fields: list[str] | None) -> list[Json]:
    only = None if fields is None else frozenset(fields)
    bounds = call.world.rights(app, call.caller)
    records = [app.store.records[record_id] for record_id in ids]
    hidden = [bounds.hidden_fields(record) if bounds else frozenset[str]() for record in records]
    return [
        render_record(app, record, call.world.directory, only, without=codes)
        for record, codes in zip(records, hidden, strict=True)
    ]


@routes.add("GET", "records/acl/evaluate")
def evaluate_rights(call: Call) -> Json:
    """What the caller may do with up to a hundred records."""
    app = call.app("view")
    ids = call.params.required_array("ids")
    if len(ids) > MAX_RECORDS:
        raise invalid_parameter("ids", TOO_MANY["PUT"])
    writing = call.writing(app)
    rights = call.world.rights(app, call.caller) or Rights(app, call.caller.user, call.world.directory, _fits_all)
    return {"rights": [rights.evaluate(writing.find(as_integer(record_id))) for record_id in ids]}


def _fits_all(_condition: str, _record: Record) -> bool:
    return True


# Cursors


@routes.add("POST", "records/cursor")
def add_cursor(call: Call) -> Json:
    app = call.app("view")
    query = parse_query(call.params.text("query"))
    if query.limit is not None or query.offset is not None:
        raise syntax_error()
    size = call.params.bounded("size", default=100, low=1, high=500)
    ids = _matcher(call, app).select(query, unlimited=True).ids
    now = call.world.clock.now()
    cursor = call.world.cursors.add(app.id, ids, size=size, fields=_fields(call.params), now=now)
    return {"id": cursor.id, "totalCount": str(len(ids))}


@routes.add("GET", "records/cursor", writes=True)
def read_cursor(call: Call) -> Json:
    now = call.world.clock.now()
    cursor = call.world.cursors.find(call.params.required("id"), now)
    app = _cursor_app(call, cursor.app_id)
    page, more = call.world.cursors.advance(cursor, now)
    bounds = call.world.rights(app, call.caller)
    records = [app.store.records[record_id] for record_id in page if record_id in app.store.records]
    there = [record.id for record in records if not bounds or bounds.sees(record)]
    return {"records": _render(call, app, there, cursor.fields), "next": more}


@routes.add("DELETE", "records/cursor")
def delete_cursor(call: Call) -> Json:
    now = call.world.clock.now()
    cursor = call.world.cursors.find(call.params.required("id"), now)
    _cursor_app(call, cursor.app_id)
    call.world.cursors.remove(cursor.id, now)
    return {}


def _cursor_app(call: Call, app_id: int) -> AppState:
    app = call.find_app(app_id)
    call.caller.require(app_id, "view")
    call.world.count(app_id)
    return app


# Writing


@routes.add("POST", "record")
def add_record(call: Call) -> Json:
    app = call.app("add")
    writing = call.writing(app)
    record = writing.insert(_changes(call.params.values))
    writing.finish()
    call.after.append(lambda: call.world.notify("ADD_RECORD", app, record=record))
    return {"id": str(record.id), "revision": str(record.revision)}


@routes.add("POST", "records")
def add_records(call: Call) -> Json:
    app = call.app("add")
    given = call.params.required_array("records")
    _require_at_most_100(given, "POST")
    writing = call.writing(app)
    records = [writing.insert(one, f"records[{index}]") for index, one in enumerate(given)]
    writing.finish()
    return {"ids": [str(record.id) for record in records], "revisions": [str(record.revision) for record in records]}


@routes.add("PUT", "record")
def update_record(call: Call) -> Json:
    app = call.app("edit")
    writing = call.writing(app)
    record = _update_one(writing, call.params.values, "record")
    writing.finish()
    call.after.append(lambda: call.world.notify("UPDATE_RECORD", app, record=record))
    return {"revision": str(record.revision)}


@routes.add("PUT", "records")
def update_records(call: Call) -> Json:
    app = call.app("edit")
    given = call.params.required_array("records")
    _require_at_most_100(given, "PUT")
    upsert = call.params.flag("upsert")
    if upsert:
        call.caller.require(app.id, "add")
    writing = call.writing(app)
    written = [_write_one(writing, one, f"records[{index}]", upsert=upsert) for index, one in enumerate(given)]
    writing.finish()
    return {"records": written}


def _write_one(writing: Writing, given: Any, where: str, *, upsert: bool) -> Json:
    if not isinstance(given, dict):
        raise fail("CB_IJ01")
    if not upsert:
        record = _update_one(writing, given, where)
        return {"id": str(record.id), "revision": str(record.revision)}
    record, operation = _upsert_one(writing, given, where)
    return {"id": str(record.id), "revision": str(record.revision), "operation": operation}


def _update_one(writing: Writing, given: Json, where: str) -> Record:
    record_id = _target(writing, given, where)
    if record_id is None:
        raise fail("GAIA_RE20")
    return writing.update(record_id, _changes(given), where, revision=as_revision(given.get("revision")))


def _upsert_one(writing: Writing, given: Json, where: str) -> tuple[Record, str]:
    """Update what the key or the id finds; else insert, with the key's value, under a new id."""
    record_id = _target(writing, given, where)
    changes = _changes(given)
    if record_id is not None and record_id in writing.app.store.records:
        revision = as_revision(given.get("revision"))
        return writing.update(record_id, changes, where, revision=revision), "UPDATE"
    if key := given.get("updateKey"):
        changes = changes | {key["field"]: {"value": key["value"]}}
    return writing.insert(changes, where), "INSERT"


def _changes(given: Json) -> Json:
    changes = given.get("record")
    if changes is None:
        return {}
    if not isinstance(changes, dict):
        raise fail("CB_IJ01")
    return changes


def _target(writing: Writing, given: Json, where: str) -> int | None:
    """The id of the record `given` is about: as given, or found by its update key (None if not found)."""
    prefix = "" if where == "record" else f"{where}."
    key = given.get("updateKey")
    if given.get("id") in (None, "") and key is None:
        raise invalid_parameter(f"{prefix}id", PARAMETER_REQUIRED)
    if key is None:
        record_id = as_integer(given["id"])
        if record_id < 1:
            raise invalid_parameter(f"{prefix}id", AT_LEAST_ONE)
        return record_id
    if given.get("id") not in (None, ""):
        raise invalid_parameter(f"{prefix}updateKey", _ID_AND_KEY)
    return _find_by_key(writing, key, given, f"{prefix}updateKey")


def _find_by_key(writing: Writing, key: Any, given: Json, name: str) -> int | None:
    if not isinstance(key, dict) or isinstance(key.get("value"), list | dict | bool):
        raise fail("CB_IJ01")
    for member in ("field", "value"):
        if key.get(member) in (None, ""):
            raise invalid_parameter(f"{name}.{member}", PARAMETER_REQUIRED)
    definition = writing.app.settings.form.get(str(key["field"]))
    if not definition or not definition.get("unique") or definition["type"] not in {"SINGLE_LINE_TEXT", "NUMBER"}:
        raise invalid_parameter(f"{name}.field", _BAD_KEY)
    if key["field"] in _changes(given):
        raise invalid_parameter(f"{name}.field", _KEY_IN_RECORD)
    return writing.app.store.find_unique(key["field"], writing.key_value(definition, key["value"]))


@routes.add("DELETE", "records")
def delete_records(call: Call) -> Json:
    app = call.app("delete")
    ids = call.params.array("ids")
    if ids is None or not ids:
        raise invalid_parameter("ids", PARAMETER_REQUIRED, TOO_MANY["DELETE"])
    _require_at_most_100(ids, "DELETE")
    revisions = call.params.array("revisions") or []
    writing = call.writing(app)
    for index, record_id in enumerate(ids):
        revision = as_revision(revisions[index]) if index < len(revisions) else None
        writing.delete(as_integer(record_id), revision=revision)
    return {}


def _require_at_most_100(given: list[Any], method: str) -> None:
    if len(given) > MAX_RECORDS:
        raise invalid_parameter("ids" if method == "DELETE" else "records", TOO_MANY[method])


# Bulk requests

_BULK_PATH = re.compile(r"/k(?:/guest/(?P<space>[0-9]+))?/v1/(?P<resource>[a-z/]+)\.json")
_BULK = frozenset(
    {
        *((method, resource) for method in ("POST", "PUT") for resource in ("record", "records")),
        ("DELETE", "records"),
        ("PUT", "record/status"),
        ("PUT", "records/status"),
        ("PUT", "record/assignees"),
    }
)


@routes.add("POST", "bulkRequest")
def bulk_request(call: Call) -> Json:
    """Up to twenty writes, all or none. Not counted against any app's quota, and not told to webhooks."""
    requests = call.params.required_array("requests")
    if len(requests) > MAX_REQUESTS:
        raise invalid_parameter("requests", TOO_MANY["BULK"])
    results = []
    for index, request in enumerate(requests):
        try:
            results.append(_run_request(call, request))
        except ApiError as error:
            raise BulkError(error, index, len(requests)) from error
    return {"results": results}


def _run_request(call: Call, request: Any) -> Json:
    if not isinstance(request, dict) or not isinstance(request.get("payload", {}), dict):
        raise fail("CB_IJ01")
    match = _BULK_PATH.fullmatch(str(request.get("api")))
    key = (str(request.get("method")).upper(), match["resource"] if match else "")
    if match is None or key not in _BULK or _space(match) != call.guest_space:
        raise fail("CB_IL02")
    part = Call(call.world, call.caller, Params(request.get("payload", {})), call.guest_space, is_counted=False)
    return routes.table[key].handler(part)


def _space(match: re.Match[str]) -> int | None:
    return int(match["space"]) if match["space"] else None


# Comments


@routes.add("GET", "record/comments")
def get_comments(call: Call) -> Json:
    app = call.app("view")
    record = call.writing(app).find(call.params.integer("record"))
    order = call.params.choice("order", "desc", "asc")
    offset = call.params.bounded("offset", default=0, low=0)
    limit = call.params.bounded("limit", default=MAX_COMMENTS, low=0, high=MAX_COMMENTS)
    comments = list(app.store.comments.get(record.id, ()))
    if order == "desc":
        comments.reverse()
    before, page, rest = comments[:offset], comments[offset : offset + limit], comments[offset + limit :]
    older, newer = (rest, before) if order == "desc" else (before, rest)
    return {
        "comments": [render_comment(comment, call.world.directory) for comment in page],
        "older": bool(older),
        "newer": bool(newer),
    }


@routes.add("POST", "record/comment")
def add_comment(call: Call) -> Json:
    app = call.app("view")
    if not app.settings.options["enableComments"]:
        raise fail("CB_NO02")
    record = call.writing(app).find(call.params.integer("record"))
    given = call.params.object("comment")
    comment = Comment(
        id=app.store.next_comment_id(record.id),
        text=_comment_text(given),
        creator=call.caller.user,
        created_at=second_text(call.world.clock.now()),
        mentions=_mentions(call, given.get("mentions") or []),
    )
    app.store.add_comment(record.id, comment)
    shown = render_comment(comment, call.world.directory)
    call.after.append(lambda: call.world.notify_comment(app, record.id, shown))
    return {"id": str(comment.id)}


def _comment_text(given: Json) -> str:
    text = given.get("text")
    if text in (None, ""):
        raise invalid_parameter("comment.text", PARAMETER_REQUIRED)
    if not isinstance(text, str):
        raise fail("CB_IJ01")
    if len(text) > MAX_COMMENT_LENGTH:
        raise invalid_parameter("comment.text", TOO_LONG.fill(limit=MAX_COMMENT_LENGTH + 1))
    return text


def _mentions(call: Call, given: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, list) or not all(isinstance(mention, dict) for mention in given):
        raise fail("CB_IJ01")
    if len(given) > MAX_MENTIONS:
        text = Text("宛先は10件までです。", "A comment mentions up to 10.")
        raise invalid_parameter("comment.mentions", text)
    for index, mention in enumerate(given):
        if mention.get("type") not in {"USER", "GROUP", "ORGANIZATION"}:
            raise invalid_parameter(f"comment.mentions[{index}].type", NOT_IN_ENUM)
        call.world.directory.require(mention["type"], str(mention.get("code")))
    return tuple((mention["type"], mention["code"]) for mention in given)


@routes.add("DELETE", "record/comment")
def delete_comment(call: Call) -> Json:
    """Its author may, and who manages the app."""
    app = call.app("view")
    record = call.writing(app).find(call.params.integer("record"))
    comment_id = call.params.integer("comment")
    comment = next((one for one in app.store.comments.get(record.id, ()) if one.id == comment_id), None)
    if comment is None:
        raise fail("GAIA_RE02")
    if comment.creator != call.caller.user and not call.caller.may(app.id, "manage"):
        raise fail("CB_NO02")
    app.store.remove_comment(record.id, comment_id)
    return {}
