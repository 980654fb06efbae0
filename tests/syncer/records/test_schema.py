"""Which kintone fields hold what: an app that lost a field is not believed."""

import pytest

from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS, AppSchema, SchemaError, find_code_of_type, match_fields
from syncer.states import Reason

SETS = {"name": "SINGLE_LINE_TEXT", "inline_policy": "MULTI_LINE_TEXT", "レコード番号": "RECORD_NUMBER"}
RECORDS = {"account_id": "SINGLE_LINE_TEXT", "permission_set": "SINGLE_LINE_TEXT", "users": "USER_SELECT"}


def match(
    schema: AppSchema,
    types: dict[str, str],
    chosen: dict[str, str] | None = None,
    known: dict[str, str] | None = None,
) -> dict[str, str]:
    return match_fields(schema, "24", types, chosen=chosen or {}, known=known or {})


def refusal(
    schema: AppSchema,
    types: dict[str, str],
    chosen: dict[str, str] | None = None,
    known: dict[str, str] | None = None,
) -> Reason:
    with pytest.raises(SchemaError) as caught:
        match(schema, types, chosen, known)
    return caught.value.reason


def test_fields_are_found_by_our_names() -> None:
    assert match(PERMISSION_SETS, SETS) == {"name": "name", "inline_policy": "inline_policy"}


def test_fields_are_found_by_the_codes_of_the_settings() -> None:
    types = {"利用者": "USER_SELECT", "account_id": "SINGLE_LINE_TEXT", "permission_set": "DROP_DOWN"}
    assert match(ASSIGNMENTS, types, {"users": "利用者"})["users"] == "利用者"


def test_chosen_code_replaces_our_name() -> None:
    types = {**SETS, "説明": "MULTI_LINE_TEXT", "description": "FILE"}
    assert match(PERMISSION_SETS, types, {"description": "説明"})["description"] == "説明"


@pytest.mark.parametrize("gone", ["account_id", "permission_set"])
def test_required_field_may_not_be_missing(gone: str) -> None:
    reason = refusal(ASSIGNMENTS, {code: kind for code, kind in RECORDS.items() if code != gone})
    expected = {"app": "24", "fields": gone, "setting": "KINTONE_ASSIGNMENT_FIELDS"}
    assert reason == Reason("kintone_fields_missing", expected)


def test_chosen_field_may_not_be_missing() -> None:
    reason = refusal(ASSIGNMENTS, RECORDS, {"note": "メモ"})
    assert (reason.code, reason.params["fields"]) == ("kintone_fields_missing", "メモ (note)")


def test_field_that_was_there_may_not_go_missing() -> None:
    reason = refusal(ASSIGNMENTS, RECORDS, known={"groups": "groups", "users": "users"})
    assert (reason.code, reason.params["fields"]) == ("kintone_fields_missing", "groups")


def test_renamed_code_is_fine_once_the_settings_name_it() -> None:
    types = {**RECORDS, "部署": "MULTI_LINE_TEXT"}
    assert match(ASSIGNMENTS, types, {"groups": "部署"}, {"groups": "groups"})["groups"] == "部署"


def test_known_name_that_no_longer_exists_is_forgotten() -> None:
    assert match(ASSIGNMENTS, RECORDS, known={"team": "team"}) == {code: code for code in RECORDS}


@pytest.mark.parametrize("field", ["users", "groups", "more_users"])
def test_one_kind_of_principal_is_enough(field: str) -> None:
    types = {"account_id": "SINGLE_LINE_TEXT", "permission_set": "SINGLE_LINE_TEXT", field: "MULTI_LINE_TEXT"}
    assert field in match(ASSIGNMENTS, types)


def test_no_kind_of_principal_is_too_few() -> None:
    reason = refusal(ASSIGNMENTS, {"account_id": "SINGLE_LINE_TEXT", "permission_set": "SINGLE_LINE_TEXT"})
    assert reason.params["fields"] == "groups, more_users, users"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("account_id", "NUMBER"),  # would lose leading zeros
        ("account_id", "CALC"),
        ("users", "ORGANIZATION_SELECT"),
        ("expires_on", "SINGLE_LINE_TEXT"),
        ("expires_on", "DATETIME"),
        ("groups", "SUBTABLE"),
        ("note", "RICH_TEXT"),
    ],
)
def test_field_of_a_wrong_type_stops_the_app(field: str, kind: str) -> None:
    reason = refusal(ASSIGNMENTS, {**RECORDS, field: kind})
    assert (reason.code, reason.params["field"], reason.params["type"]) == ("kintone_field_type", field, kind)


def test_app_without_any_field_is_refused() -> None:
    assert refusal(ASSIGNMENTS, {}).code == refusal(PERMISSION_SETS, {}).code == "kintone_fields_missing"


@pytest.mark.parametrize(("wanted", "code"), [("RECORD_NUMBER", "レコード番号"), ("UPDATED_TIME", "")])
def test_system_field_is_found_by_its_type(wanted: str, code: str) -> None:
    assert find_code_of_type(SETS, wanted) == code
