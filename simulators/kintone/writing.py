"""Writing records: what a request's record becomes, and everything kintone checks before it keeps it.

One `Writing` serves one call to one app. It goes on after a record that breaks a rule, so that all broken
rules come back in one answer; the caller's transaction undoes what was written before.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import Any

from simulators.kintone.access import Caller
from simulators.kintone.apps import AppState, longest
from simulators.kintone.cells import default_cell, instant_or_now, read_cell
from simulators.kintone.directory import Directory
from simulators.kintone.errors import (
    DUPLICATE,
    NOT_A_NUMBER,
    NOT_AN_OPTION,
    REQUIRED,
    TOO_LARGE,
    TOO_LONG,
    TOO_SHORT,
    TOO_SMALL,
    Text,
    fail,
    invalid,
)
from simulators.kintone.fields import (
    ENTITY_TYPES,
    LIST_TYPES,
    MULTI_CHOICE_TYPES,
    SINGLE_CHOICE_TYPES,
    STAMP_TYPES,
    WRITABLE_TYPES,
    Definition,
    Form,
    copied_codes,
    empty_value,
    lookups,
)
from simulators.kintone.rights import RecordRight, Rights
from simulators.kintone.store import Record, Values
from simulators.kintone.values import Unreadable, minute_text

# Set by choosing, never empty in the form: the API does not insist.
_NEVER_REQUIRED = frozenset({"RADIO_BUTTON", "CALC", "SUBTABLE"})


@dataclass(frozen=True)
class Author:
    """In whose name and when something is written. `zone` is what "today" means to him."""

    caller: Caller
    now: datetime
    zone: tzinfo


@dataclass
class Writing:
    """The records one call writes to `app`. `apps` are all of the world, for lookups.

    `rights` finds what binds a caller in an app.
    """

    app: AppState
    apps: Mapping[int, AppState]
    directory: Directory
    author: Author
    rights: Callable[[AppState, Caller], Rights | None]
    errors: dict[str, list[Text]] = field(default_factory=lambda: defaultdict(list))

    def insert(self, given: Any, where: str = "record") -> Record:
        """Add a record. `where` is the record's place in the request, for the keys of errors."""
        self._require_fields(given, None)
        read = self._read(self.app.settings.form, given, where)
        values = self._fill(self.app.settings.form, read)
        stamps = self._stamps(given)
        record = Record(
            id=self.app.store.next_id(),
            revision=1,
            values=values,
            created_at=stamps.get("CREATED_TIME", self._minute),
            updated_at=stamps.get("UPDATED_TIME", self._minute),
            creator=stamps.get("CREATOR", self.author.caller.user),
            modifier=stamps.get("MODIFIER", self.author.caller.user),
            status=self.app.settings.first_status,
        )
        return self._keep(record, where)

    def update(self, record_id: int, given: Any, where: str = "record", *, revision: int | None = None) -> Record:
        """Change what `given` names of a record. `revision` is the one expected, None for any.

        Raises GAIA_RE01 for an unknown record, GAIA_CO02 for a record that has another revision by now.
        """
        before = self.find(record_id, revision, right="editable")
        self._require_fields(given, before)
        form = self.app.settings.form
        read = self._read(form, given, where, before.values)
        values = before.values | read
        values |= self._look_up(form, values, sent=read)
        record = replace(
            before,
            revision=before.revision + 1,
            values=values,
            updated_at=self._minute,
            modifier=self.author.caller.user,
        )
        return self._keep(record, where)

    def delete(self, record_id: int, *, revision: int | None = None) -> None:
        self.find(record_id, revision, right="deletable")
        self.app.store.remove(record_id)

    def find(self, record_id: int, revision: int | None = None, *, right: RecordRight = "viewable") -> Record:
        """The record, if it is there and, when a revision is given, still has it.

        One that the caller may not see is not there for him.
        """
        record = self.app.store.records.get(record_id)
        if record is None or (self._bounds and not self._bounds.sees(record)):
            raise fail("GAIA_RE01", record=record_id)
        if self._bounds and not self._bounds.may(record, right):
            raise self.author.caller.refusal(self.app.id)
        if revision is not None and record.revision != revision:
            raise fail("GAIA_CO02")
        return record

    def key_value(self, definition: Definition, value: Any) -> str:
        """An update key's value as the field keeps it. Raises CB_IJ01 if it cannot be one."""
        try:
            return str(read_cell(definition, value, self.directory))
        except Unreadable as error:
            raise fail("CB_IJ01") from error

    def finish(self) -> None:
        """Raises CB_VA01 with every rule that was broken."""
        if self.errors:
            raise invalid(self.errors)

    @cached_property
    def _bounds(self) -> Rights | None:
        return self.rights(self.app, self.author.caller)

    def _require_fields(self, given: Any, record: Record | None) -> None:
        """Raises the caller's refusal if he sends a field that he may not write."""
        bounds = self._bounds
        if bounds and any(bounds.accessibility(code, record) != "WRITE" for code in given or ()):
            raise self.author.caller.refusal(self.app.id)

    @property
    def _minute(self) -> str:
        return minute_text(self.author.now)

    def _keep(self, record: Record, where: str) -> Record:
        broken = len(self.errors)
        self._check(self.app.settings.form, record.values, where, record.id)
        if len(self.errors) == broken:
            self.app.store.put(record)
        return record

    # Reading a request's record

    def _read(self, form: Form, given: Any, where: str, before: Values | None = None) -> Values:
        """The writable cells of `given`; unknown, computed and copied fields are ignored."""
        if not isinstance(given, dict):
            raise fail("CB_IJ01")
        read: Values = {}
        ignored = copied_codes(form)
        for code, box in given.items():
            definition = form.get(code)
            if definition is None or code in ignored or definition.get("expression"):
                continue
            if definition["type"] == "SUBTABLE":
                read[code] = self._read_rows(definition, _box_value(box), (before or {}).get(code, []))
            elif definition["type"] in WRITABLE_TYPES:
                read[code] = self._read_cell(definition, box, where)
        return read

    def _read_cell(self, definition: Definition, box: Any, where: str) -> Any:
        try:
            return read_cell(definition, _box_value(box), self.directory)
        except Unreadable as error:
            if where:
                self.errors[f"{where}[{definition['code']}].value"].append(error.message)
            elif error.message != NOT_A_NUMBER:
                raise fail("CB_IJ01") from error
            return empty_value(definition)

    def _read_rows(self, table: Definition, rows: Any, before: list[Any]) -> list[Any]:
        """The table's new rows: a row with a known id is merged into the old one, any other is new."""
        if rows is None:
            return []
        if not isinstance(rows, list):
            raise fail("CB_IJ01")
        known = {row["id"]: row["values"] for row in before}
        seen: set[int] = set()
        return [self._read_row(table, row, known, seen) for row in rows]

    def _read_row(self, table: Definition, row: Any, known: dict[int, Values], seen: set[int]) -> dict[str, Any]:
        if not isinstance(row, dict):
            raise fail("CB_IJ01")
        row_id = _row_id(row.get("id"))
        if row_id in seen:
            raise fail("GAIA_SI01", code=table["code"])
        # A number that cannot be read becomes empty in a table, without an error: hence no place.
        old = known.get(row_id) if row_id is not None else None
        read = self._read(table["fields"], row.get("value", {}), where="", before=old)
        if row_id is None or old is None:
            return {"id": self.app.store.next_row_id(), "values": self._fill(table["fields"], read)}
        seen.add(row_id)
        values = old | read
        return {"id": row_id, "values": values | self._look_up(table["fields"], values, sent=read)}

    def _fill(self, form: Form, read: Values) -> Values:
        """A new record's (or row's) values: what was read, defaults for the rest, and what lookups copy."""
        values = {code: read[code] if code in read else self._default(definition) for code, definition in form.items()}
        values = {code: value for code, value in values.items() if form[code]["type"] in WRITABLE_TYPES | {"SUBTABLE"}}
        return values | self._look_up(form, values, sent=values)

    def _default(self, definition: Definition) -> Any:
        if definition["type"] not in WRITABLE_TYPES:
            return empty_value(definition)
        now = self.author.now.astimezone(self.author.zone)
        value = default_cell(definition, user=self.author.caller.user, now=now)
        return read_cell(definition, value, self.directory)

    def _stamps(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Creator, modifier and their times, which only who manages the app may set."""
        stamps: dict[str, str] = {}
        for code, box in given.items():
            definition = self.app.settings.form.get(code)
            if definition is None or definition["type"] not in STAMP_TYPES:
                continue
            self.author.caller.require(self.app.id, "manage")
            stamps[definition["type"]] = self._stamp(definition["type"], _box_value(box))
        return stamps

    def _stamp(self, kind: str, value: Any) -> str:
        if kind in {"CREATED_TIME", "UPDATED_TIME"}:
            try:
                return instant_or_now(value, self.author.now)
            except Unreadable as error:
                raise fail("CB_IJ01") from error
        if not isinstance(value, dict) or not isinstance(value.get("code"), str):
            raise fail("CB_IJ01")
        self.directory.require("USER", value["code"])
        return str(value["code"])

    # Lookups

    def _look_up(self, form: Form, values: Values, *, sent: Values) -> Values:
        """What the lookups whose key was sent copy. A key that was not sent leaves earlier copies alone."""
        copied: Values = {}
        for definition in lookups(form):
            if definition["code"] in sent:
                copied |= self._copies(definition, values[definition["code"]], form)
        return copied

    def _copies(self, definition: Definition, key: str, form: Form) -> Values:
        pairs = definition["lookup"]["fieldMappings"]
        if not key:
            return {pair["field"]: empty_value(form[pair["field"]]) for pair in pairs}
        app, record = self._source(definition, key)
        return {pair["field"]: _copied_value(record, app.settings.form.get(pair["relatedField"])) for pair in pairs}

    def _source(self, definition: Definition, key: str) -> tuple[AppState, Record]:
        app = self.apps.get(int(definition["lookup"]["relatedApp"]["app"]))
        if app is None or app.live is None or not self.author.caller.may(app.id, "view"):
            raise fail("GAIA_LO04", field=definition["code"], value=key)
        code = definition["lookup"]["relatedKeyField"]
        if app.settings.form[code]["type"] == "RECORD_NUMBER":
            number = key.removeprefix(f"{app.code}-")
            record_id = int(number) if number.isdecimal() else None
        else:
            record_id = app.store.find_unique(code, key)
        record = app.store.records.get(record_id) if record_id is not None else None
        bounds = self.rights(app, self.author.caller)
        if record is None or (bounds and not bounds.sees(record)):
            raise fail("GAIA_LO04", field=definition["code"], value=key)
        return app, record

    # Rules

    def _check(self, form: Form, values: Values, where: str, record_id: int | None) -> None:
        for code, value in values.items():
            definition = form[code]
            if definition["type"] == "SUBTABLE":
                for index, row in enumerate(value):
                    self._check(definition["fields"], row["values"], f"{where}.{code}.value[{index}].value", None)
            else:
                self._check_cell(definition, value, f"{where}.{code}", record_id)

    def _check_cell(self, definition: Definition, value: Any, where: str, record_id: int | None) -> None:
        kind = definition["type"]
        key = f"{where}.{_suffix(kind)}"
        if kind in MULTI_CHOICE_TYPES:
            value = self._check_options(definition, value, where)
        if not value:
            if definition.get("required") and kind not in _NEVER_REQUIRED:
                self.errors[key].append(REQUIRED)
            return
        if kind in SINGLE_CHOICE_TYPES and value not in definition["options"]:
            self.errors[key].append(NOT_AN_OPTION.fill(value=value))
        if message := _size_error(definition, value):
            self.errors[key].append(message)
        if record_id is not None and definition.get("unique"):
            other = self.app.store.find_unique(definition["code"], value)
            if other not in (None, record_id):
                self.errors[key].append(DUPLICATE)

    def _check_options(self, definition: Definition, chosen: list[str], where: str) -> list[str]:
        """The members of `chosen` that are options; each other one is an error of its own."""
        for index, name in enumerate(chosen):
            if name not in definition["options"]:
                self.errors[f"{where}.values[{index}].value"].append(NOT_AN_OPTION.fill(value=name))
        return [name for name in chosen if name in definition["options"]]


def _box_value(box: Any) -> Any:
    if not isinstance(box, dict):
        raise fail("CB_IJ01")
    return box.get("value")


def _row_id(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise fail("CB_IJ01")
    return int(value)


def _suffix(kind: str) -> str:
    if kind in ENTITY_TYPES:
        return "values.value"
    return "values" if kind in LIST_TYPES else "value"


def _copied_value(record: Record, definition: Definition | None) -> Any:
    if definition is None:
        return ""
    if definition["type"] == "RECORD_NUMBER":
        return str(record.id)
    return record.values.get(definition["code"], empty_value(definition))


def _size_error(definition: Definition, value: Any) -> Text | None:
    """kintone names the first length or value that is not allowed, hence the one more and the one less."""
    if (limit := longest(definition)) is not None and len(value) > limit:
        return TOO_LONG.fill(limit=limit + 1)
    if (shortest := definition.get("minLength")) and len(value) < int(shortest):
        return TOO_SHORT.fill(limit=int(shortest) - 1)
    if (largest := definition.get("maxValue")) and Decimal(value) > Decimal(largest):
        return TOO_LARGE.fill(limit=largest)
    if (smallest := definition.get("minValue")) and Decimal(value) < Decimal(smallest):
        return TOO_SMALL.fill(limit=smallest)
    return None
