"""The plan of the two apps agrees with what the rest of the program expects of an app."""

import pytest

from syncer.records.schema import match_fields
from syncer.setup.blueprint import (
    ASSIGNMENT_APP,
    PERMISSION_SET_APP,
    AppPlan,
    Names,
    plan_record_rights,
    render_field,
    render_field_rights,
    render_record_rights,
    render_view,
)

APPS = [pytest.param(PERMISSION_SET_APP, id="sets"), pytest.param(ASSIGNMENT_APP, id="assignments")]


@pytest.mark.parametrize("plan", APPS)
def test_plan_and_schema_name_the_same_fields(plan: AppPlan) -> None:
    assert {each.name for each in plan.fields} == plan.schema.types.keys()
    assert len(plan.fields) == len(plan.schema.types)


@pytest.mark.parametrize("plan", APPS)
def test_planned_app_is_one_that_can_be_read(plan: AppPlan) -> None:
    types = {each.name: each.type for each in plan.fields}
    assert match_fields(plan.schema, "7", types, chosen={}, known={}).keys() == plan.schema.types.keys()


@pytest.mark.parametrize("plan", APPS)
def test_what_must_be_there_must_be_filled_in(plan: AppPlan) -> None:
    assert {each.name for each in plan.fields if each.is_required} == plan.schema.required


@pytest.mark.parametrize("plan", APPS)
def test_views_and_closed_fields_are_of_the_app(plan: AppPlan) -> None:
    names = {each.name for each in plan.fields}
    assert names.issuperset(plan.closed)
    assert all(names.issuperset(view.fields) for view in plan.views)


@pytest.mark.parametrize("plan", APPS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_labels_are_distinct(plan: AppPlan, language: str) -> None:
    for labels in ([each.label for each in plan.fields], [each.label for each in plan.views]):
        spoken = [label.speak(language) for label in labels]
        assert all(spoken)
        assert len(set(spoken)) == len(spoken)


def test_name_of_a_set_is_unique_and_no_longer_than_aws_takes() -> None:
    definition = render_field(PERMISSION_SET_APP.fields[0], Names())
    assert (definition["unique"], definition["required"], definition["maxLength"]) == (True, True, "32")


def test_request_key_is_unique() -> None:
    [key] = [each for each in ASSIGNMENT_APP.fields if each.name == "request_key"]
    assert key.is_unique


def test_lookup_goes_by_the_codes_of_the_company() -> None:
    [plan] = [each for each in ASSIGNMENT_APP.fields if each.looks_up]
    names = Names({"permission_set": "許可セット"}, lookup_app_id="23", lookup_key="セット名")
    definition = render_field(plan, names)
    assert (definition["code"], definition["lookup"]["relatedApp"]) == ("許可セット", {"app": "23"})
    assert (definition["lookup"]["relatedKeyField"], definition["lookup"]["sort"]) == ("セット名", "セット名 asc")


def test_view_goes_by_the_codes_of_the_company() -> None:
    view = render_view(ASSIGNMENT_APP.views[1], Names({"owners": "責任者", "users": "人"}, "en"), 4)
    assert (view["name"], view["index"], view["filterCond"]) == ("My assignments", "4", "責任者 in (LOGINUSER())")
    assert view["fields"][2] == "人"


def test_everyone_only_views_and_comes_last() -> None:
    [rule] = render_record_rights(plan_record_rights(Names(admin_group="cloud"), "作成者"))
    rows = [(row["entity"]["code"], row["viewable"], row["editable"], row["deletable"]) for row in rule["entities"]]
    assert rows == [
        ("owners", True, True, True),
        ("作成者", True, True, True),
        ("cloud", True, True, True),
        ("Administrators", True, True, True),
        ("everyone", True, False, False),
    ]


def test_nobody_is_given_rights_twice() -> None:
    entities = [right.entity for right in plan_record_rights(Names(), "作成者")]
    assert len(set(entities)) == len(entities)


def test_field_rights_are_kept_in_kintones_shape() -> None:
    assert render_field_rights({"key": ()}) == [{"code": "key", "entities": []}]
