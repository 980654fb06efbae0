"""What a kintone app lacks beside its plan: every difference by name, in the order of the plan. Pure.

A company's own app is welcome as it is. So a type that can be read is no difference, nor is a field or view of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from syncer.gateways.kintone_values import FieldInfo, Json, Lookup, read_field
from syncer.setup.blueprint import (
    AppPlan,
    Entity,
    FieldPlan,
    FieldRight,
    Names,
    RecordRight,
    ViewPlan,
    plan_field_rights,
    plan_record_rights,
)
from syncer.states import Reason


@dataclass(frozen=True)
class FoundApp:
    """What an app is now. Record rights come with their conditions, an empty one for all records.

    columns: the fields inside tables, which say nothing of their own here: `schema` judges them.
    """

    app_id: str
    fields: Mapping[str, FieldInfo]
    columns: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    record_rights: Sequence[tuple[str, Sequence[RecordRight]]] = ()
    field_rights: Mapping[str, Sequence[FieldRight]] = field(default_factory=dict)

    @property
    def creator_code(self) -> str:
        return next((code for code, found in self.fields.items() if found.type == "CREATOR"), "")


@dataclass(frozen=True)
class Comparison:
    """What is different. `fields` and `views` are missing and can be added without touching anything."""

    fields: tuple[FieldPlan, ...]
    views: tuple[ViewPlan, ...]
    reasons: tuple[Reason, ...]

    @property
    def is_addable(self) -> bool:
        return bool(self.fields or self.views)


def compare_app(plan: AppPlan, found: FoundApp, names: Names) -> Comparison:
    """Everything in which the app falls short of its plan."""
    codes = found.fields.keys() | found.columns
    missing = tuple(each for each in plan.fields if names.code(each.name) not in codes)
    views = tuple(each for each in plan.views if not {*each.label} & found.views)
    reasons = (
        *(reason for each in plan.fields for reason in _compare_field(plan, each, found, names)),
        *(
            Reason("setup_view_missing", {"app": found.app_id, "view": each.label.speak(names.language)})
            for each in views
        ),
        *_compare_record_rights(found, names),
        *_compare_field_rights(plan, found, names),
    )
    return Comparison(missing, views, reasons)


def _compare_field(app: AppPlan, plan: FieldPlan, found: FoundApp, names: Names) -> Iterator[Reason]:
    code = names.code(plan.name)
    if code in found.columns:
        return
    there = found.fields.get(code)
    if there is None:
        yield Reason("setup_field_missing", {"app": found.app_id, "field": code, "type": plan.type})
        return
    types = app.schema.types[plan.name]
    if there.type not in types:
        listed = ", ".join(sorted(types))
        yield Reason("setup_field_type", {"app": found.app_id, "field": code, "type": there.type, "types": listed})
        return
    if plan.is_required and not there.is_required:
        yield Reason("setup_not_required", {"app": found.app_id, "field": code})
    if plan.is_unique and not there.is_unique:
        yield Reason("setup_not_unique", {"app": found.app_id, "field": code})
    if plan.looks_up:
        yield from _compare_lookup(found.app_id, there, Lookup(names.lookup_app_id, names.lookup_key))


def _compare_lookup(app_id: str, there: FieldInfo, wanted: Lookup) -> Iterator[Reason]:
    params = {"app": app_id, "field": there.code, "other_app": wanted.app_id, "key": wanted.field_code}
    if there.lookup is None:
        yield Reason("setup_no_lookup", params)
    elif there.lookup != wanted:
        other = {"other": there.lookup.app_id, "other_key": there.lookup.field_code}
        yield Reason("setup_lookup_elsewhere", params | other)


def _compare_record_rights(found: FoundApp, names: Names) -> Iterator[Reason]:
    for condition, _rights in found.record_rights:
        if condition:
            yield Reason("setup_rights_conditional", {"app": found.app_id, "condition": condition})
    general = next((rights for condition, rights in found.record_rights if not condition), ())
    if not general:
        yield Reason("setup_rights_missing", {"app": found.app_id})
        return
    wanted = {right.entity: right for right in plan_record_rights(names, found.creator_code)}
    given = {right.entity: right for right in general}
    yield from (_differing_right(found.app_id, right) for entity, right in wanted.items() if given.get(entity) != right)
    yield from (
        Reason("setup_rights_more", {"app": found.app_id, "entity": entity.code})
        for entity, right in given.items()
        if entity not in wanted and (right.may_edit or right.may_delete)
    )


def _differing_right(app_id: str, right: RecordRight) -> Reason:
    code = "setup_rights_edit" if right.may_edit else "setup_rights_view"
    return Reason(code, {"app": app_id, "entity": right.entity.code})


def _compare_field_rights(plan: AppPlan, found: FoundApp, names: Names) -> Iterator[Reason]:
    for code, wanted in plan_field_rights(plan, names).items():
        if code in found.fields and not _same_rights(found.field_rights.get(code, ()), wanted):
            yield Reason("setup_field_rights", {"app": found.app_id, "field": code})


def _same_rights(given: Sequence[FieldRight], wanted: Sequence[FieldRight]) -> bool:
    by_entity: dict[Entity, str] = {right.entity: right.accessibility for right in given}
    return by_entity == {right.entity: right.accessibility for right in wanted}


# --- As kintone gives it ----------------------------------------------------------------------------------------------


def read_app(
    app_id: str, form: Json, views: Json, record_rights: Sequence[Json], field_rights: Sequence[Json]
) -> FoundApp:
    """An app from form/fields.json, views.json, record/acl.json and field/acl.json."""
    fields = {code: read_field(code, definition) for code, definition in form.items()}
    return FoundApp(
        app_id,
        fields=fields,
        columns=frozenset(column.code for each in fields.values() for column in each.columns),
        views=frozenset(views),
        record_rights=[
            (str(rule.get("filterCond") or ""), [_read_record_right(row) for row in rule["entities"]])
            for rule in record_rights
        ],
        field_rights={str(rule["code"]): [_read_field_right(row) for row in rule["entities"]] for rule in field_rights},
    )


def _read_record_right(row: Json) -> RecordRight:
    return RecordRight(_read_entity(row), row["viewable"], row["editable"], row["deletable"])


def _read_field_right(row: Json) -> FieldRight:
    return FieldRight(_read_entity(row), row["accessibility"])


def _read_entity(row: Json) -> Entity:
    return Entity(str(row["entity"]["type"]), str(row["entity"].get("code") or ""))
