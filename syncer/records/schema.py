"""Which kintone fields hold what: our names, the types that fit, and what may not go missing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncer.records.parsing import LISTS, find_cell
from syncer.states import Reason

_TEXT = frozenset({"SINGLE_LINE_TEXT", "MULTI_LINE_TEXT", "DROP_DOWN", "RADIO_BUTTON", "LINK"})
_LINES = _TEXT | {"CHECK_BOX", "MULTI_SELECT"}
_PEOPLE = frozenset({"USER_SELECT"}) | _LINES


@dataclass(frozen=True)
class AppSchema:
    """What one app must and may have. `one_of` names fields of which one is enough."""

    setting: str
    types: Mapping[str, frozenset[str]]  # our field name → kintone types that fit
    required: frozenset[str]
    one_of: frozenset[str] = frozenset()
    title: str = ""  # the field that names a record in lists


PERMISSION_SETS = AppSchema(
    setting="KINTONE_PERMISSION_SET_FIELDS",
    types={
        "name": _TEXT,
        "description": _TEXT,
        "session_duration": _TEXT,
        "relay_state": _TEXT,
        "managed_policies": _LINES,
        "customer_managed_policies": _LINES,
        "inline_policy": frozenset({"MULTI_LINE_TEXT"}),
        "permissions_boundary": _TEXT,
        "owners": _PEOPLE,
    },
    required=frozenset({"name"}),
    title="name",
)

ASSIGNMENTS = AppSchema(
    setting="KINTONE_ASSIGNMENT_FIELDS",
    types={
        "account_id": _TEXT,
        "permission_set": _TEXT,
        "users": _PEOPLE,
        "groups": _LINES,
        "more_users": _LINES,
        "expires_on": frozenset({"DATE"}),
        "note": _TEXT,
        "owners": _PEOPLE,
        "request_key": frozenset({"SINGLE_LINE_TEXT"}),
        "changed_by": frozenset({"USER_SELECT"}),
    },
    required=frozenset({"account_id", "permission_set"}),
    one_of=frozenset({"users", "groups", "more_users"}),
    title="account_id",
)


class SchemaError(Exception):
    """The app does not have what it must have; nothing of it may be believed until it does."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def match_fields(
    schema: AppSchema,
    app_id: str,
    types: Mapping[str, str],
    *,
    chosen: Mapping[str, str],
    known: Mapping[str, str],
) -> dict[str, str]:
    """Our field name → where kintone has it, of the fields the app has: a field's code, or TABLE.COLUMN.

    `types` are the types of the app's fields by where they are, `chosen` the mapping in the settings, which names a
    column by its own code, and `known` what was found before: a field that has gone missing since stops the app,
    because its emptiness would read as "taken away". Raises SchemaError.
    """
    codes = {name: chosen.get(name, name) for name in schema.types}
    present = {name: path for name, code in codes.items() if (path := _find_path(code, types))}
    must = schema.required | chosen.keys() | {name for name in known if _code_of(known[name]) == codes.get(name)}
    missing = {name: codes[name] for name in must if name not in present}
    if not missing and schema.one_of and not schema.one_of & present.keys():
        missing = {name: codes[name] for name in schema.one_of}
    if missing:
        listed = ", ".join(f"{code} ({name})" if code != name else code for name, code in sorted(missing.items()))
        raise SchemaError(
            Reason("kintone_fields_missing", {"app": app_id, "fields": listed, "setting": schema.setting})
        )
    for name, path in present.items():
        if "." in path and name not in LISTS:
            raise SchemaError(Reason("kintone_field_in_table", {"app": app_id, "field": _code_of(path), "name": name}))
        if types[path] not in schema.types[name]:
            raise wrong_type(schema, app_id, name, path, types[path])
    return present


def _find_path(code: str, types: Mapping[str, str]) -> str:
    """Codes are unique in a form, those of columns included. Empty where there is no such field."""
    return code if code in types else next((path for path in types if _code_of(path) == code), "")


def _code_of(path: str) -> str:
    return path.rpartition(".")[2]


def wrong_type(schema: AppSchema, app_id: str, name: str, path: str, kind: str) -> SchemaError:
    """The error for a field whose type does not fit, with the types that do."""
    fitting = ", ".join(sorted(schema.types[name]))
    params = {"app": app_id, "field": _code_of(path), "type": kind, "name": name, "types": fitting}
    return SchemaError(Reason("kintone_field_type", params))


def require_fields(schema: AppSchema, app_id: str, codes: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Raise SchemaError when a record lacks a field that the app has or had: that would read as "taken away"."""
    missing = sorted(_code_of(path) for path in codes.values() if find_cell(body, path) is None)
    if missing:
        params = {"app": app_id, "fields": ", ".join(missing), "setting": schema.setting}
        raise SchemaError(Reason("kintone_fields_missing", params))


def find_code_of_type(types: Mapping[str, str], wanted: str) -> str:
    """The code of the one field of a system type (`UPDATED_TIME` …): codes are localised and can be changed."""
    return next((code for code, kind in types.items() if kind == wanted), "")
