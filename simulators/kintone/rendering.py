"""Records and comments as kintone's answers show them."""

from collections.abc import Collection
from typing import Any

from simulators.kintone.apps import AppState
from simulators.kintone.directory import Directory
from simulators.kintone.fields import ENTITY_TYPES, PROCESS_TYPES, SHAPE_TYPES, Definition, empty_value
from simulators.kintone.store import Comment, Record

Json = dict[str, Any]


def render_record(
    app: AppState,
    record: Record,
    directory: Directory,
    only: Collection[str] | None = None,
    *,
    without: Collection[str] = (),
) -> Json:
    """A record, `{code: {"type", "value"}}`: of the fields in `only`, if given, those that are not in `without`."""
    body = {
        code: {"type": definition["type"], "value": _value(app, record, definition, directory)}
        for code, definition in app.settings.form.items()
        if (only is None or code in only) and code not in without and _is_shown(definition)
    }
    if only is None or "$id" in only:
        body["$id"] = {"type": "__ID__", "value": str(record.id)}
    if only is None or "$revision" in only:
        body["$revision"] = {"type": "__REVISION__", "value": str(record.revision)}
    return body


def render_comment(comment: Comment, directory: Directory) -> Json:
    """A comment; the names of those mentioned stand before its text, without an @."""
    names = [directory.entity(kind, code)["name"] for kind, code in comment.mentions]
    return {
        "id": str(comment.id),
        "text": " ".join([*names, comment.text]),
        "createdAt": comment.created_at,
        "creator": directory.entity("USER", comment.creator),
        "mentions": [{"code": code, "type": kind} for kind, code in comment.mentions],
    }


def record_title(app: AppState, record: Record) -> str:
    """What a webhook calls the record: the title field set by hand, else its first text, else its number."""
    chosen = app.settings.options["titleField"].get("code")
    texts = [code for code, definition in app.settings.form.items() if definition["type"] == "SINGLE_LINE_TEXT"]
    code = chosen or next(iter(texts), "")
    return str(record.values.get(code) or app.record_number(record))


def _is_shown(definition: Definition) -> bool:
    kind = definition["type"]
    return kind not in SHAPE_TYPES and (kind not in PROCESS_TYPES or definition["enabled"])


def _value(app: AppState, record: Record, definition: Definition, directory: Directory) -> Any:
    match definition["type"]:
        case "RECORD_NUMBER":
            return app.record_number(record)
        case "CREATOR":
            return directory.entity("USER", record.creator)
        case "MODIFIER":
            return directory.entity("USER", record.modifier)
        case "CREATED_TIME":
            return record.created_at
        case "UPDATED_TIME":
            return record.updated_at
        case "STATUS":
            return record.status
        case "STATUS_ASSIGNEE":
            return [directory.entity("USER", code) for code in record.assignees]
        case "CATEGORY":
            return []
    return _cell(definition, record.values.get(definition["code"], empty_value(definition)), directory)


def _cell(definition: Definition, value: Any, directory: Directory) -> Any:
    kind = definition["type"]
    if kind in ENTITY_TYPES:
        return [directory.entity(kind, code) for code in value]
    if kind == "SUBTABLE":
        return [{"id": str(row["id"]), "value": _row(definition, row["values"], directory)} for row in value]
    return value


def _row(table: Definition, values: Json, directory: Directory) -> Json:
    return {
        code: {
            "type": definition["type"],
            "value": _cell(definition, values.get(code, empty_value(definition)), directory),
        }
        for code, definition in table["fields"].items()
    }
