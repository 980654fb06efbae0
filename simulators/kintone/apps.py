"""One app: its live and its pre-live settings, its records, and how the second become the first.

Settings are values: a change makes new ones, so live and pre-live may share what is the same.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from simulators.kintone.errors import fail
from simulators.kintone.fields import (
    SHAPE_TYPES,
    UNIQUE_TEXT_LENGTH,
    Definition,
    Form,
    Place,
    empty_value,
    is_sound_key,
    places,
)
from simulators.kintone.store import Record, RecordStore, Values

Json = dict[str, Any]
DeployStatus = Literal["PROCESSING", "SUCCESS", "FAIL", "CANCEL"]

OPTIONS: Json = {
    "icon": {"type": "PRESET", "key": "APP72"},
    "theme": "WHITE",
    "titleField": {"selectionMode": "AUTO", "code": ""},
    "enableThumbnails": True,
    "enableBulkDeletion": False,
    "enableComments": True,
    "enableDuplicateRecord": True,
    "enableInlineRecordEditing": True,
    "numberPrecision": {"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"},
    "firstMonthOfFiscalYear": "4",
}
PROCESS_OFF: Json = {"enable": False, "states": None, "actions": None}


@dataclass(frozen=True)
class Settings:
    """What an app is, live or pre-live.

    `origins` says where fields changed since live have their values from: the code they have live, "" for new ones.
    """

    name: str
    form: Form
    description: str = ""
    layout: list[Json] = field(default_factory=list)
    views: Json = field(default_factory=dict)
    options: Json = field(default_factory=lambda: OPTIONS)
    process: Json = field(default_factory=lambda: PROCESS_OFF)
    app_acl: list[Json] = field(default_factory=list)
    record_acl: list[Json] = field(default_factory=list)
    field_acl: list[Json] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    revision: int = 1

    @cached_property
    def places(self) -> dict[str, Place]:
        return places(self.form)

    @cached_property
    def unique_codes(self) -> frozenset[str]:
        return frozenset(code for code, definition in self.form.items() if definition.get("unique"))

    @cached_property
    def first_status(self) -> str:
        """The state new records are in, "" while process management is off."""
        if not self.process["enable"]:
            return ""
        states = self.process["states"]
        return str(min(states, key=lambda name: int(states[name]["index"])))

    def change(self, **values: Any) -> "Settings":
        return replace(self, revision=self.revision + 1, **values)


@dataclass
class AppState:
    """An app of the world. `live` is None until it is deployed for the first time."""

    id: int
    code: str
    store: RecordStore
    draft: Settings
    live: Settings | None
    creator: str
    created_at: str
    modified_at: str
    guest_space: int | None = None
    deploy_status: DeployStatus = "SUCCESS"
    deployed_by: datetime | None = None  # when the deployment under way ends
    deployed_with: tuple[int, ...] = ()  # the apps of that deployment, this one among them

    @property
    def settings(self) -> Settings:
        """The live settings. Raises GAIA_AP01 while there are none."""
        if self.live is None:
            raise fail("GAIA_AP01", app=self.id)
        return self.live

    def is_deployable(self) -> bool:
        """Whether no record breaks a rule of the pre-live settings."""
        return _fit(self._adapted(), self.draft)

    def end_deployment(self, *, is_cancelled: bool) -> None:
        """Make what is pre-live live. Apps that are deployed together become live together: else CANCEL or FAIL."""
        self.deployed_by, self.deployed_with = None, ()
        if is_cancelled and self.is_deployable():
            self.deploy_status = "CANCEL"
        else:
            self.deploy()

    def deploy(self) -> None:
        """Make the pre-live settings live; FAIL, and nothing changed, when records break a new rule."""
        records = self._adapted()
        if not _fit(records, self.draft):
            self.deploy_status = "FAIL"
            return
        self.draft = self.live = replace(self.draft, origins={})
        self.store.replace_all(records, self.live.unique_codes)
        self.deploy_status = "SUCCESS"

    def _adapted(self) -> list[Record]:
        return [_adapt(record, self.draft) for record in self.store.records.values()]

    def revert(self) -> None:
        """Throw away what is not live yet."""
        self.draft = self.settings
        self.deploy_status = "CANCEL"

    def require_sound_keys(self, apps: dict[int, "AppState"]) -> None:
        """Raises GAIA_LO03 if a lookup finds records by a field that is neither unique nor the record number."""
        for place in self.draft.places.values():
            if lookup := place.definition.get("lookup"):
                source = apps[int(lookup["relatedApp"]["app"])].settings
                if not is_sound_key(source.form.get(lookup["relatedKeyField"])):
                    raise fail("GAIA_LO03")

    def record_number(self, record: Record) -> str:
        return f"{self.code}-{record.id}" if self.code else str(record.id)


def _adapt(record: Record, settings: Settings) -> Record:
    """The record under new settings: renamed fields keep their values, fields that are gone lose them."""
    values: Values = {}
    for code, definition in settings.form.items():
        old = settings.origins.get(code, code)
        if old in record.values and definition["type"] not in SHAPE_TYPES:
            values[code] = record.values[old]
            if definition["type"] == "SUBTABLE":
                values[code] = [_adapt_row(row, definition, settings) for row in record.values[old]]
    status = record.status or settings.first_status
    return replace(record, values=values, status=status)


def _adapt_row(row: Json, table: Definition, settings: Settings) -> Json:
    values = {
        code: row["values"].get(settings.origins.get(code, code), empty_value(definition))
        for code, definition in table["fields"].items()
    }
    return {"id": row["id"], "values": values}


def _fit(records: list[Record], settings: Settings) -> bool:
    for code in settings.unique_codes:
        held = [value for record in records if (value := record.values.get(code))]
        if len(held) != len(set(held)):
            return False
    limits = {code: limit for code, definition in settings.form.items() if (limit := longest(definition))}
    return all(len(record.values.get(code) or "") <= limit for record in records for code, limit in limits.items())


def longest(definition: Definition) -> int | None:
    """How many characters a text field takes, None without a limit."""
    limits = [int(definition["maxLength"])] if definition.get("maxLength") else []
    if definition["type"] in {"SINGLE_LINE_TEXT", "LINK"} and definition.get("unique"):
        limits.append(UNIQUE_TEXT_LENGTH)
    return min(limits, default=None)
