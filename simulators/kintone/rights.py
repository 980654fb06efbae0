"""Rights on apps, records and fields: what the settings of an app let one caller do.

Of a list of rights the first that fits counts, and who is in none of them may nothing. Records that no condition fits
are left to the app's rights. It is not known whether such rights bind API tokens, which write as Administrator:
`KintoneWorld.tokens_obey_rights` says how it is here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulators.kintone.apps import AppState
from simulators.kintone.directory import Directory, Right
from simulators.kintone.errors import NOT_IN_ENUM, Text, fail, invalid_parameter
from simulators.kintone.fields import Form
from simulators.kintone.store import Record

Json = dict[str, Any]
RecordRight = Literal["viewable", "editable", "deletable"]

RECORD_RIGHTS: tuple[RecordRight, ...] = ("viewable", "editable", "deletable")
APP_RIGHTS: Mapping[str, Right] = {
    "appEditable": "manage",
    "recordViewable": "view",
    "recordAddable": "add",
    "recordEditable": "edit",
    "recordDeletable": "delete",
}
_NO_EXCHANGE = ("recordImportable", "recordExportable")
_ENTITY_TYPES = frozenset({"USER", "GROUP", "ORGANIZATION", "FIELD_ENTITY", "CREATOR"})
_NO_FIELD = Text("この項目はアプリにありません。", "The app has no such field.")

Fits = Callable[[str, Record], bool]


def default_app_rights() -> list[Json]:
    """What a new app begins with: everything for its creator, all records for everybody."""
    creator = {"entity": {"type": "CREATOR", "code": None}, "includeSubs": False}
    everyone = {"entity": {"type": "GROUP", "code": "everyone"}, "includeSubs": False}
    names = (*APP_RIGHTS, *_NO_EXCHANGE)
    closed = {"appEditable", *_NO_EXCHANGE}
    return [creator | dict.fromkeys(names, True), everyone | {name: name not in closed for name in names}]


@dataclass(frozen=True)
class Rights:
    """What one user may do in one app. `fits` tells whether a condition holds for a record."""

    app: AppState
    user: str
    directory: Directory
    fits: Fits

    def app_rights(self) -> frozenset[Right]:
        if self.directory.is_member(self.user, "Administrators"):
            return frozenset(APP_RIGHTS.values())
        given = self._first((self.app.live or self.app.draft).app_acl or default_app_rights(), None)
        return frozenset(right for name, right in APP_RIGHTS.items() if given and given.get(name))

    def may(self, record: Record, right: RecordRight) -> bool:
        for rule in self.app.settings.record_acl:
            if self.fits(rule["filterCond"], record):
                given = self._first(rule["entities"], record)
                return bool(given and given["viewable"] and given[right])
        return True

    def sees(self, record: Record) -> bool:
        return self.may(record, "viewable")

    def accessibility(self, code: str, record: Record | None) -> str:
        """WRITE, READ or NONE. A record that does not exist yet has nobody in its fields."""
        rule = next((one for one in self.app.settings.field_acl if one["code"] == code), None)
        if rule is None:
            return "WRITE"
        given = self._first(rule["entities"], record)
        return str(given["accessibility"]) if given else "NONE"

    def hidden_fields(self, record: Record) -> frozenset[str]:
        return frozenset(
            rule["code"] for rule in self.app.settings.field_acl if self.accessibility(rule["code"], record) == "NONE"
        )

    def evaluate(self, record: Record) -> Json:
        """The answer of records/acl/evaluate.json for one record."""
        editable = self.may(record, "editable")
        fields = {
            code: {"viewable": access != "NONE", "editable": editable and access == "WRITE"}
            for code in self.app.settings.form
            for access in [self.accessibility(code, record)]
        }
        record_rights = {right: self.may(record, right) for right in RECORD_RIGHTS}
        return {"id": str(record.id), "record": record_rights, "fields": fields}

    def _first(self, entities: Iterable[Json], record: Record | None) -> Json | None:
        return next((one for one in entities if self._covers(one["entity"], record)), None)

    def _covers(self, entity: Json, record: Record | None) -> bool:
        kind, code = entity["type"], entity.get("code")
        match kind:
            case "USER":
                return bool(code == self.user)
            case "GROUP":
                return self.directory.is_member(self.user, str(code))
            case "ORGANIZATION":
                user = self.directory.users.get(self.user)
                return user is not None and user.organization == code
            case "CREATOR":
                return self.user == self.app.creator
        return record is not None and self._is_named(str(code), record)

    def _is_named(self, code: str, record: Record) -> bool:
        definition = self.app.settings.form.get(code)
        match definition["type"] if definition else "":
            case "CREATOR":
                return record.creator == self.user
            case "MODIFIER":
                return record.modifier == self.user
            case "STATUS_ASSIGNEE":
                return self.user in record.assignees
            case "USER_SELECT":
                return self.user in record.values.get(code, ())
            case "GROUP_SELECT":
                return any(self.directory.is_member(self.user, group) for group in record.values.get(code, ()))
        return False


# --- Rights as they are set -------------------------------------------------------------------------------------------


def read_app_rights(given: list[Any], form: Form, directory: Directory) -> list[Json]:
    names = (*APP_RIGHTS, *_NO_EXCHANGE)
    rows = [
        _read_row(row, f"rights[{index}]", form, directory) | {name: _flag(row, name) for name in names}
        for index, row in enumerate(given)
    ]
    return _everyone_last(rows)


def read_record_rights(given: list[Any], form: Form, directory: Directory) -> list[Json]:
    return [
        {
            "filterCond": str(_object(rule).get("filterCond") or ""),
            "entities": _read_record_entities(rule, f"rights[{index}]", form, directory),
        }
        for index, rule in enumerate(given)
    ]


def _read_record_entities(rule: Json, where: str, form: Form, directory: Directory) -> list[Json]:
    rows = []
    for index, row in enumerate(rule.get("entities") or []):
        entity = _read_row(row, f"{where}.entities[{index}]", form, directory)
        seen = _flag(row, "viewable")  # who may not view may not edit or delete either
        rows.append(entity | {right: seen and _flag(row, right) for right in RECORD_RIGHTS})
    return _everyone_last(rows)


def read_field_rights(given: list[Any], form: Form, directory: Directory) -> list[Json]:
    rules = []
    for index, rule in enumerate(given):
        code = _object(rule).get("code")
        if code not in form:
            raise invalid_parameter(f"rights[{index}].code", _NO_FIELD)
        rules.append({"code": code, "entities": _read_field_entities(rule, f"rights[{index}]", form, directory)})
    return rules


def _read_field_entities(rule: Json, where: str, form: Form, directory: Directory) -> list[Json]:
    rows = []
    for index, row in enumerate(rule.get("entities") or []):
        entity = _read_row(row, f"{where}.entities[{index}]", form, directory)
        if row.get("accessibility") not in {"READ", "WRITE", "NONE"}:
            raise invalid_parameter(f"{where}.entities[{index}].accessibility", NOT_IN_ENUM)
        rows.append(entity | {"accessibility": row["accessibility"]})
    return _everyone_last(rows)


def _read_row(row: Any, where: str, form: Form, directory: Directory) -> Json:
    entity = _object(_object(row).get("entity"))
    kind, code = entity.get("type"), entity.get("code")
    if kind not in _ENTITY_TYPES:
        raise invalid_parameter(f"{where}.entity.type", NOT_IN_ENUM)
    if kind == "FIELD_ENTITY" and code not in form:
        raise invalid_parameter(f"{where}.entity.code", _NO_FIELD)
    if kind in {"USER", "GROUP", "ORGANIZATION"}:
        directory.require(kind, str(code))
    return {"entity": {"type": kind, "code": code}, "includeSubs": _flag(row, "includeSubs")}


def _everyone_last(rows: list[Json]) -> list[Json]:
    """Everybody always comes last, wherever he was put."""
    return sorted(rows, key=lambda row: row["entity"] == {"type": "GROUP", "code": "everyone"})


def _flag(row: Json, name: str) -> bool:
    return row.get(name) in (True, "true")


def _object(given: Any) -> Json:
    if not isinstance(given, dict):
        raise fail("CB_IJ01")
    return given
