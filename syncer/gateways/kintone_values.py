"""What goes to kintone and what comes back, as frozen values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]

Record = dict[str, Any]
"""A record as kintone gives it: field code → {"type", "value"}, `$id` and `$revision` among them as texts."""

Values = Mapping[str, Any]
"""What is written: field code → the bare value, in the shape of the field's type."""

MOST_ROWS = 100  # records of one write
MOST_MENTIONS = 10  # of one comment
LONGEST_COMMENT = 65_535  # characters


# --- Forms ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lookup:
    """Where a lookup field takes its values from."""

    app_id: str
    field_code: str


@dataclass(frozen=True)
class FieldInfo:
    """A field of the app's form.

    options: those of a drop-down and its kin, in their order on the form. columns: the fields of a table.
    """

    code: str
    type: str
    label: str
    is_required: bool = False
    is_unique: bool = False
    options: tuple[str, ...] = ()
    lookup: Lookup | None = None
    columns: tuple["FieldInfo", ...] = ()


def read_fields(properties: Mapping[str, Json]) -> dict[str, FieldInfo]:
    """The fields by code, as form/fields.json gives them."""
    return {code: read_field(code, definition) for code, definition in properties.items()}


def read_field(code: str, definition: Json) -> FieldInfo:
    options = sorted(definition.get("options", {}).items(), key=lambda item: int(item[1].get("index", 0)))
    return FieldInfo(
        code=code,
        type=definition.get("type", ""),
        label=definition.get("label", ""),
        is_required=_is_true(definition.get("required")),
        is_unique=_is_true(definition.get("unique")),
        options=tuple(name for name, _option in options),
        lookup=_read_lookup(definition.get("lookup")),
        columns=tuple(read_field(inner, column) for inner, column in definition.get("fields", {}).items()),
    )


def list_types(fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    """Where each field is → its type: under its code, a column of a table under TABLE.COLUMN."""
    columns = {f"{table.code}.{column.code}": column.type for table in fields.values() for column in table.columns}
    return {code: field.type for code, field in fields.items()} | columns


def find_field(fields: Mapping[str, FieldInfo], path: str) -> FieldInfo:
    """The field at CODE or TABLE.COLUMN."""
    table, _dot, code = path.rpartition(".")
    return next(column for column in fields[table].columns if column.code == code) if table else fields[code]


def _is_true(value: object) -> bool:
    return value in (True, "true")


def _read_lookup(definition: Json | None) -> Lookup | None:
    if not definition:
        return None
    return Lookup(str(definition["relatedApp"]["app"]), str(definition["relatedKeyField"]))


# --- Records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """A record as a write has left it."""

    record_id: str
    revision: int


@dataclass(frozen=True)
class Update:
    """New values of some fields; the others stay. With a revision, only if the record still has it."""

    record_id: str
    values: Values
    revision: int | None = None


@dataclass(frozen=True)
class Upsert:
    """Values of the record that has this key, which is made where there is none. The key's field must be unique."""

    key_field: str
    key: str
    values: Values


@dataclass(frozen=True)
class Deletion:
    """A record that is to go, if it still has this revision; whichever it has, where that is None."""

    record_id: str
    revision: int | None = None


def render_cells(values: Values) -> dict[str, dict[str, Any]]:
    return {code: {"value": value} for code, value in values.items()}


# --- Comments ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mention:
    """Whom a comment calls: USER, GROUP or ORGANIZATION, by its code."""

    code: str
    type: str = "USER"


@dataclass(frozen=True)
class Comment:
    """A comment on a record. kintone puts the names of the mentioned before the text that was sent."""

    id: str
    text: str
    author_code: str
    created_at: datetime
    mentions: tuple[Mention, ...] = ()


def render_comment(text: str, mentions: Sequence[Mention]) -> dict[str, Any]:
    """A comment to be sent. Raises ValueError for what kintone never takes."""
    if not 0 < len(text) <= LONGEST_COMMENT:
        raise ValueError(f"a comment has 1 to {LONGEST_COMMENT} characters, not {len(text)}")
    if len(mentions) > MOST_MENTIONS:
        raise ValueError(f"a comment mentions {MOST_MENTIONS} at most, not {len(mentions)}")
    return {"text": text, "mentions": [{"code": mention.code, "type": mention.type} for mention in mentions]}


def read_comment(given: Json) -> Comment:
    """A comment as record/comments.json gives it. Raises LookupError or ValueError for what is none."""
    return Comment(
        id=str(given["id"]),
        text=str(given["text"]),
        author_code=str(given["creator"]["code"]),
        created_at=datetime.fromisoformat(given["createdAt"]),
        mentions=tuple(Mention(str(one["code"]), str(one["type"])) for one in given.get("mentions", ())),
    )


# --- People -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KintoneUser:
    """A user of the company's cybozu.com. `code` is his login name, which user selections and mentions go by."""

    id: str
    code: str
    name: str
    email: str = ""
    is_valid: bool = True


def read_user(given: Json) -> KintoneUser:
    """A user as users.json gives him. Raises LookupError for what is none."""
    return KintoneUser(
        id=str(given["id"]),
        code=str(given["code"]),
        name=str(given.get("name") or ""),
        email=str(given.get("email") or ""),
        is_valid=_is_true(given.get("valid", True)),
    )


# --- Apps -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AppInfo:
    """An app by its general settings."""

    app_id: str
    name: str
    code: str = ""
    space_id: str = ""


@dataclass(frozen=True)
class Setting:
    """One part of an app's settings as kintone gives it, with the revision of the settings it belongs to."""

    content: Any
    revision: int = field(compare=False)
