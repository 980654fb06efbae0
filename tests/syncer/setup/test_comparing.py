"""What an app lacks beside its plan, difference by difference."""

from typing import Any

import pytest

from syncer.setup.blueprint import (
    ASSIGNMENT_APP,
    PERMISSION_SET_APP,
    AppPlan,
    Names,
    plan_field_rights,
    plan_record_rights,
    render_field,
    render_field_rights,
    render_record_rights,
    render_view,
)
from syncer.setup.comparing import Comparison, compare_app, read_app

NAMES = Names(lookup_app_id="23")
CREATOR = {"作成者": {"type": "CREATOR", "code": "作成者"}}
Form = dict[str, Any]


def form_of(plan: AppPlan = ASSIGNMENT_APP) -> Form:
    return {each.name: render_field(each, NAMES) for each in plan.fields} | CREATOR


def rights(**changes: dict[str, Any]) -> list[Any]:
    """The planned rights, with the members of some entities changed."""
    [rule] = render_record_rights(plan_record_rights(NAMES, "作成者"))
    rule["entities"] = [row | changes.get(row["entity"]["code"], {}) for row in rule["entities"]]
    return [rule]


def compare(
    form: Form | None = None,
    *,
    plan: AppPlan = ASSIGNMENT_APP,
    names: Names = NAMES,
    views: dict[str, Any] | None = None,
    record_rights: list[Any] | None = None,
    field_rights: list[Any] | None = None,
) -> Comparison:
    planned_views = {view.label.ja: render_view(view, names, 0) for view in plan.views}
    found = read_app(
        "24",
        form_of(plan) if form is None else form,
        planned_views if views is None else views,
        rights() if record_rights is None else record_rights,
        render_field_rights(plan_field_rights(plan, names)) if field_rights is None else field_rights,
    )
    return compare_app(plan, found, names)


def codes(comparison: Comparison) -> list[str]:
    return [reason.code for reason in comparison.reasons]


@pytest.mark.parametrize("plan", [ASSIGNMENT_APP, PERMISSION_SET_APP])
def test_app_as_planned_has_no_difference(plan: AppPlan) -> None:
    assert compare(plan=plan) == Comparison((), (), ())


def test_missing_field_can_be_added() -> None:
    form = form_of()
    del form["note"]
    comparison = compare(form)
    assert ([each.name for each in comparison.fields], comparison.is_addable) == (["note"], True)
    assert comparison.reasons[0].params == {"app": "24", "field": "note", "type": "MULTI_LINE_TEXT"}


@pytest.mark.parametrize(
    ("field", "change", "code"),
    [
        ("expires_on", {"type": "SINGLE_LINE_TEXT"}, "setup_field_type"),
        ("request_key", {"type": "NUMBER"}, "setup_field_type"),
        ("request_key", {"unique": False}, "setup_not_unique"),
        ("account_id", {"required": False}, "setup_not_required"),
        ("permission_set", {"lookup": None}, "setup_no_lookup"),
        (
            "permission_set",
            {"lookup": {"relatedApp": {"app": "99"}, "relatedKeyField": "name"}},
            "setup_lookup_elsewhere",
        ),
        (
            "permission_set",
            {"lookup": {"relatedApp": {"app": "23"}, "relatedKeyField": "title"}},
            "setup_lookup_elsewhere",
        ),
    ],
)
def test_field_that_is_different_is_named_and_not_addable(field: str, change: dict[str, Any], code: str) -> None:
    form = form_of()
    form[field] |= change
    comparison = compare(form)
    assert (codes(comparison), comparison.is_addable) == ([code], False)


def test_type_that_can_be_read_is_welcome() -> None:
    form = form_of()
    form["users"]["type"] = "MULTI_LINE_TEXT"
    assert codes(compare(form)) == []


def test_column_of_a_table_is_a_field_that_is_there() -> None:
    form = form_of()
    table = {"type": "SUBTABLE", "code": "people", "fields": {"users": form.pop("users")}}
    assert codes(compare({**form, "people": table})) == []


def test_field_is_looked_for_under_the_companys_code() -> None:
    names = Names({"note": "メモ"}, lookup_app_id="23")
    form = form_of()
    assert compare(form, names=names).reasons[0].params["field"] == "メモ"
    form["メモ"] = form.pop("note")
    assert codes(compare(form, names=names)) == []


def test_view_of_either_language_is_the_view() -> None:
    english: dict[str, Any] = {view.label.en: {} for view in ASSIGNMENT_APP.views}
    assert codes(compare(views=english)) == []
    english.popitem()
    missing = compare(views=english)
    assert (codes(missing), missing.is_addable) == (["setup_view_missing"], True)


@pytest.mark.parametrize(
    ("entity", "change", "code"),
    [
        ("owners", {"editable": False}, "setup_rights_edit"),
        ("作成者", {"deletable": False}, "setup_rights_edit"),
        ("Administrators", {"viewable": False}, "setup_rights_edit"),
        ("everyone", {"viewable": False}, "setup_rights_view"),
        ("everyone", {"editable": True}, "setup_rights_view"),
    ],
)
def test_each_right_that_differs_is_named(entity: str, change: dict[str, Any], code: str) -> None:
    [reason] = compare(record_rights=rights(**{entity: change})).reasons
    assert (reason.code, reason.params["entity"]) == (code, entity)


def test_somebody_else_who_may_edit_is_named() -> None:
    given = rights()
    other = {"entity": {"type": "USER", "code": "hana"}, "viewable": True, "editable": True, "deletable": False}
    given[0]["entities"].append(other)
    [reason] = compare(record_rights=given).reasons
    assert (reason.code, reason.params["entity"]) == ("setup_rights_more", "hana")
    other["editable"] = False
    assert codes(compare(record_rights=given)) == []


def test_no_rights_on_records_is_one_difference() -> None:
    assert codes(compare(record_rights=[])) == ["setup_rights_missing"]


def test_rights_under_a_condition_are_named() -> None:
    conditional = [{"filterCond": 'note = "x"', "entities": []}, *rights()]
    assert codes(compare(record_rights=conditional)) == ["setup_rights_conditional"]


def test_open_field_of_the_portals_is_named() -> None:
    comparison = compare(field_rights=[])
    assert [reason.params["field"] for reason in comparison.reasons] == ["request_key", "changed_by"]


def test_rights_of_a_field_that_is_missing_are_no_difference() -> None:
    form = form_of()
    del form["changed_by"]
    assert codes(compare(form)) == ["setup_field_missing"]
