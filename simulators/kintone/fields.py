"""Field definitions: what a form consists of, in the JSON shape of form/fields.

A definition is a plain dict, complete (every property kintone returns) and never changed in place, so it
may be shared between the live form, the pre-live form and a saved state.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from simulators.kintone.errors import Language, Text, invalid, invalid_parameter

Definition = dict[str, Any]
Form = dict[str, Definition]

# Longest value of a text field that prohibits duplicates, in characters.
UNIQUE_TEXT_LENGTH = 64
# Longest field code, in characters.
CODE_LENGTH = 128

UNIQUE_TYPES = frozenset({"SINGLE_LINE_TEXT", "NUMBER", "LINK", "DATE", "DATETIME"})
TEXT_TYPES = frozenset({"SINGLE_LINE_TEXT", "MULTI_LINE_TEXT", "RICH_TEXT", "LINK"})
SINGLE_CHOICE_TYPES = frozenset({"DROP_DOWN", "RADIO_BUTTON"})
MULTI_CHOICE_TYPES = frozenset({"CHECK_BOX", "MULTI_SELECT"})
ENTITY_TYPES = frozenset({"USER_SELECT", "GROUP_SELECT", "ORGANIZATION_SELECT"})
TIME_TYPES = frozenset({"DATE", "TIME", "DATETIME"})
INSTANT_TYPES = frozenset({"DATETIME", "CREATED_TIME", "UPDATED_TIME"})
LIST_TYPES = MULTI_CHOICE_TYPES | ENTITY_TYPES | {"FILE"}
STAMP_TYPES = frozenset({"CREATOR", "MODIFIER", "CREATED_TIME", "UPDATED_TIME"})
PROCESS_TYPES = frozenset({"STATUS", "STATUS_ASSIGNEE", "CATEGORY"})
SYSTEM_TYPES = STAMP_TYPES | PROCESS_TYPES | {"RECORD_NUMBER"}
# Types that have no value of their own in a record.
SHAPE_TYPES = frozenset({"GROUP", "REFERENCE_TABLE"})
WRITABLE_TYPES = TEXT_TYPES | SINGLE_CHOICE_TYPES | LIST_TYPES | TIME_TYPES | {"NUMBER"}
LOOKUP_TYPES = frozenset({"SINGLE_LINE_TEXT", "NUMBER", "LINK"})

SYSTEM_CODES: dict[str, Text] = {
    "RECORD_NUMBER": Text("レコード番号", "Record_number"),
    "CREATOR": Text("作成者", "Created_by"),
    "CREATED_TIME": Text("作成日時", "Created_datetime"),
    "MODIFIER": Text("更新者", "Updated_by"),
    "UPDATED_TIME": Text("更新日時", "Updated_datetime"),
    "STATUS": Text("ステータス", "Status"),
    "STATUS_ASSIGNEE": Text("作業者", "Assignee"),
    "CATEGORY": Text("カテゴリー", "Categories"),
}

_VALUED = {"noLabel": False, "required": False}
_TEXT = {**_VALUED, "defaultValue": ""}
_LENGTH = {"unique": False, "minLength": "", "maxLength": ""}
_NOW = {"defaultNowValue": False}
_CHOICES = {**_VALUED, "options": {}}
_ENTITIES = {**_VALUED, "defaultValue": [], "entities": []}
_CALCULATED = {"expression": "", "hideExpression": False}
_UNIT = {"displayScale": "", "unit": "", "unitPosition": "BEFORE"}

# What each type's definition holds besides type, code and label, with kintone's defaults.
PROPERTIES: dict[str, dict[str, Any]] = {
    "SINGLE_LINE_TEXT": {**_TEXT, **_LENGTH, **_CALCULATED},
    "MULTI_LINE_TEXT": _TEXT,
    "RICH_TEXT": _TEXT,
    "LINK": {**_TEXT, **_LENGTH, "protocol": "WEB"},
    "NUMBER": {**_TEXT, "unique": False, "minValue": "", "maxValue": "", "digit": False, **_UNIT},
    "CALC": {**_VALUED, **_CALCULATED, "format": "NUMBER", **_UNIT},
    "DROP_DOWN": {**_CHOICES, "defaultValue": ""},
    "RADIO_BUTTON": {**_CHOICES, "defaultValue": "", "align": "HORIZONTAL"},
    "CHECK_BOX": {**_CHOICES, "defaultValue": [], "align": "HORIZONTAL"},
    "MULTI_SELECT": {**_CHOICES, "defaultValue": []},
    "DATE": {**_TEXT, "unique": False, **_NOW},
    "TIME": {**_TEXT, **_NOW},
    "DATETIME": {**_TEXT, "unique": False, **_NOW},
    "USER_SELECT": _ENTITIES,
    "GROUP_SELECT": _ENTITIES,
    "ORGANIZATION_SELECT": _ENTITIES,
    "FILE": {**_VALUED, "thumbnailSize": "150"},
    "SUBTABLE": {"noLabel": False, "fields": {}},
    "GROUP": {"noLabel": False, "openGroup": False},
    "REFERENCE_TABLE": {"noLabel": False, "referenceTable": {}},
    "RECORD_NUMBER": {"noLabel": False},
    **{kind: {"noLabel": False} for kind in sorted(STAMP_TYPES)},
    **{kind: {"enabled": False} for kind in sorted(PROCESS_TYPES)},
}

_UNKNOWN_TYPE = Text("この種類の項目はありません。", "There is no such type of field.")
_BAD_CODE = Text("項目のコードとして使えません。", "This cannot be a field code.")
CODE_TAKEN = Text("このコードは別の項目が使っています。", "Another field has this code.")
_BAD_MAPPING = Text(
    "この2つの項目は対応させられません。",
    "These two fields cannot be mapped to each other.",
)
_MAPPED_TWICE = Text("1つの項目に2回コピーしています。", "One field is copied to twice.")


class Place(NamedTuple):
    """Where a field stands in a form: at the top (`table` is None) or in a table's rows."""

    definition: Definition
    table: str | None = None


def complete(code: str, given: Mapping[str, Any], *, in_table: bool = False) -> Definition:
    """The full definition from what a caller gave; properties the type does not have are dropped.

    Raises CB_VA01 for an unknown type or an impossible code.
    """
    kind = given.get("type")
    if kind not in PROPERTIES or (in_table and (kind in SYSTEM_TYPES or kind in SHAPE_TYPES or kind == "SUBTABLE")):
        raise invalid_parameter(f"properties[{code}].type", _UNKNOWN_TYPE)
    code = str(given.get("code") or code)
    if len(code) > CODE_LENGTH or code[0].isdigit() or set(code) & set(" \"'(),.<>=!　"):
        raise invalid_parameter(f"properties[{code}].code", _BAD_CODE)
    definition = {"type": kind, "code": code, "label": str(given.get("label", code))}
    if "lookup" in given:
        return definition | {"noLabel": False, "required": bool(given.get("required"))} | _lookup(given["lookup"])
    definition |= {name: given.get(name, default) for name, default in PROPERTIES[kind].items()}
    _tidy(definition, in_table=in_table)
    return definition


def _lookup(given: Mapping[str, Any]) -> dict[str, Any]:
    related = given.get("relatedApp", {})
    return {
        "lookup": {
            "relatedApp": {"app": str(related.get("app", "")), "code": str(related.get("code", ""))},
            "relatedKeyField": str(given.get("relatedKeyField", "")),
            "fieldMappings": [
                {"field": pair["field"], "relatedField": pair["relatedField"]}
                for pair in given.get("fieldMappings", [])
            ],
            "lookupPickerFields": list(given.get("lookupPickerFields", [])),
            "filterCond": given.get("filterCond", ""),
            "sort": given.get("sort", ""),
        }
    }


def _tidy(definition: Definition, *, in_table: bool) -> None:
    for name in ("minLength", "maxLength", "minValue", "maxValue"):
        if name in definition:
            definition[name] = str(definition[name])
    if in_table and "unique" in definition:
        definition["unique"] = False
    if "options" in definition:
        definition["options"] = {
            name: {"label": str(option.get("label", name)), "index": str(option.get("index", position))}
            for position, (name, option) in enumerate(definition["options"].items())
        }
    if definition["type"] == "RADIO_BUTTON":
        definition["defaultValue"] = definition["defaultValue"] or next(iter(option_order(definition)), "")
    if definition["type"] == "SUBTABLE":
        rows = {code: complete(code, given, in_table=True) for code, given in definition["fields"].items()}
        definition["fields"] = {row["code"]: row for row in rows.values()}


def option_order(definition: Definition) -> list[str]:
    """The options of a choice field, in the order of the form."""
    options = definition["options"]
    return sorted(options, key=lambda name: int(options[name]["index"]))


def system_fields(form: Form, language: Language) -> Form:
    """The fields kintone adds by itself, but those whose type `form` defines already (under another code)."""
    present = {definition["type"] for definition in form.values()}
    return {
        text.speak(language): complete(text.speak(language), {"type": kind, "label": text.speak(language)})
        for kind, text in SYSTEM_CODES.items()
        if kind not in present
    }


def places(form: Form) -> dict[str, Place]:
    """Every field by its code, those in tables included. Codes are unique in the whole form."""
    found = {code: Place(definition) for code, definition in form.items()}
    for code, definition in form.items():
        if definition["type"] == "SUBTABLE":
            found |= {inner: Place(row, code) for inner, row in definition["fields"].items()}
    return found


def require_distinct_codes(form: Form) -> None:
    """Raises CB_VA01 if a code is used twice, in tables or beside them."""
    seen: set[str] = set()
    for code, definition in form.items():
        for used in (code, *definition.get("fields", ())):
            if used in seen:
                raise invalid_parameter(f"properties[{used}].code", CODE_TAKEN)
            seen.add(used)


def lookups(form: Form) -> Iterator[Definition]:
    """The lookup fields among these fields (of one level: a form's or a table's)."""
    return (definition for definition in form.values() if "lookup" in definition)


def copied_codes(form: Form) -> Collection[str]:
    """The fields that lookups of this level fill; a caller's values for them are ignored."""
    return {pair["field"] for definition in lookups(form) for pair in definition["lookup"]["fieldMappings"]}


def require_sound_lookups(form: Form, related: Mapping[str, Form]) -> None:
    """Check what kintone checks when lookup fields are saved. `related` are the live forms by app id.

    Raises CB_VA01 when a field is copied to twice, or from a field of another type.
    """
    levels = [form, *(row["fields"] for row in form.values() if row["type"] == "SUBTABLE")]
    for level in levels:
        _require_sound_level(level, related)


def _require_sound_level(form: Form, related: Mapping[str, Form]) -> None:
    targets: set[str] = set()
    for definition in lookups(form):
        source = related[definition["lookup"]["relatedApp"]["app"]]
        for index, pair in enumerate(definition["lookup"]["fieldMappings"]):
            key = f"properties[{definition['code']}].lookup.fieldMappings[{index}].field"
            if pair["field"] in targets:
                raise invalid({key: [_MAPPED_TWICE]})
            targets.add(pair["field"])
            if not _may_copy(source.get(pair["relatedField"]), form.get(pair["field"])):
                raise invalid({key: [_BAD_MAPPING]})


def _may_copy(source: Definition | None, target: Definition | None) -> bool:
    if source is None or target is None or "lookup" in target:
        return False
    # A record number may be copied into text or a number; all else needs one type on both sides.
    return source["type"] == target["type"] or (
        source["type"] == "RECORD_NUMBER" and target["type"] in {"SINGLE_LINE_TEXT", "NUMBER"}
    )


def is_sound_key(source: Definition | None) -> bool:
    """Whether a lookup may find records by this field."""
    return source is not None and (source["type"] == "RECORD_NUMBER" or bool(source.get("unique")))


def empty_value(definition: Definition) -> Any:
    """What a record holds of a field nobody has filled."""
    kind = definition["type"]
    if kind in LIST_TYPES or kind == "SUBTABLE":
        return []
    if kind in SINGLE_CHOICE_TYPES or kind in TIME_TYPES - {"DATETIME"}:
        return None
    return ""
