"""What each type of field takes, refuses and gives back."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client


def add(client: Client, **values: Any) -> int:
    record = {code: {"value": value} for code, value in values.items()}
    return int(client.ok("POST", "record", {"app": 2, "record": record})["id"])


def errors(client: Client, **values: Any) -> Any:
    record = {code: {"value": value} for code, value in values.items()}
    return client.refused("POST", "record", {"app": 2, "record": record})


@pytest.mark.parametrize(
    ("code", "given", "kept"),
    [
        ("account_id", "012345678901", "012345678901"),
        ("account_id", 12, "12"),
        ("account_id", None, ""),
        ("groups", "a\nb", "a\nb"),
        ("note", "<div>x</div>", "<div>x</div>"),
        ("console", "https://example.jp/", "https://example.jp/"),
        ("seats", "1.5e1", "15"),
        ("seats", " 42 ", "42"),
        ("seats", "007", "7"),
        ("seats", 3, "3"),
        ("seats", "", ""),
        ("expires_on", "2026-4-1", "2026-04-01"),
        ("expires_on", "2026", "2026-01-01"),
        ("expires_on", "", None),
        ("at", "9:30", "09:30"),
        ("since", "2026-06-30T23:59:58+09:00", "2026-06-30T14:59:00Z"),
        ("since", "2026-06-30T14:59:58Z", "2026-06-30T14:59:00Z"),
        ("since", "2026-06-30", "2026-06-30T00:00:00Z"),
        ("since", "", ""),
        ("stage", "prod", "prod"),
        ("stage", "", None),
        ("risk", "high", "high"),
        ("risk", "", None),
        ("tags", ["sox", "pci"], ["sox", "pci"]),
        ("tags", [], []),
        ("users", [{"code": "hana"}], [{"code": "hana", "name": "花"}]),
        ("teams", [{"code": "cloud"}], [{"code": "cloud", "name": "クラウド部"}]),
        ("users", [], []),
    ],
)
def test_value_is_kept_as_kintone_keeps_it(client: Client, code: str, given: Any, kept: Any) -> None:
    assert client.value(add(client, **{code: given}), code) == kept


def test_defaults_fill_what_is_not_sent(client: Client) -> None:
    assert client.value(add(client), "risk") == "low"


@pytest.mark.parametrize("value", ["abc", "12abc", "1,000", "NaN", "1_000", "１２"])
def test_what_is_no_number_is_refused_under_a_bracket_key(client: Client, value: str) -> None:
    assert errors(client, seats=value) == ((400, "CB_VA01"), {"record[seats].value": ["This is not a number."]})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"seats": "101"}, {"record.seats.value": ["At most 100 is allowed."]}),
        ({"seats": "0.5"}, {"record.seats.value": ["At least 1 is needed."]}),
        ({"stage": "qa"}, {"record.stage.value": ["There is no option qa."]}),
        ({"risk": "none"}, {"record.risk.value": ["There is no option none."]}),
        ({"tags": ["pci", "gdpr"]}, {"record.tags.values[1].value": ["There is no option gdpr."]}),
        ({"key": "k" * 65}, {"record.key.value": ["Use fewer than 65 characters."]}),
    ],
)
def test_broken_rule_is_named(client: Client, values: dict[str, Any], expected: dict[str, list[str]]) -> None:
    assert errors(client, **values) == ((400, "CB_VA01"), expected)


@pytest.mark.parametrize(("code", "value"), [("expires_on", "2026-02-30"), ("at", "25:00"), ("since", "yesterday")])
def test_impossible_time_is_refused(client: Client, code: str, value: str) -> None:
    error, messages = errors(client, **{code: value})
    assert (error, set(messages)) == ((400, "CB_VA01"), {f"record[{code}].value"})


@pytest.mark.parametrize(
    ("code", "value"), [("tags", "pci"), ("users", "hana"), ("users", ["hana"]), ("account_id", []), ("stage", True)]
)
def test_wrong_shape_is_no_json(client: Client, code: str, value: Any) -> None:
    assert errors(client, **{code: value})[0] == (400, "CB_IJ01")


@pytest.mark.parametrize(("code", "expected"), [("users", "GAIA_IL26"), ("teams", "GAIA_IL27")])
def test_unknown_code_is_refused(client: Client, code: str, expected: str) -> None:
    assert errors(client, **{code: [{"code": "nobody"}]})[0] == (400, expected)


def test_user_who_is_gone_stays_in_his_records(client: Client, world: KintoneWorld) -> None:
    record_id = add(client, users=[{"code": "taro"}])
    world.remove_user("taro")
    assert client.value(record_id, "users") == [{"code": "taro", "name": "taro"}]
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"groups": {"value": "x"}}})


# Required and unique


def test_required_fields_use_the_suffix_of_their_type(client: Client, world: KintoneWorld) -> None:
    types = {"text": "SINGLE_LINE_TEXT", "number": "NUMBER", "check": "CHECK_BOX", "user": "USER_SELECT", "day": "DATE"}
    fields = {code: {"type": kind, "required": True, "options": {"a": {}}} for code, kind in types.items()}
    app = world.add_app("全部", fields)
    client.token = world.add_token([app.id], ["add"])
    _, messages = client.refused("POST", "record", {"app": app.id})
    suffixes = {"text": "value", "number": "value", "check": "values", "user": "values.value", "day": "value"}
    assert messages == {f"record.{code}.{suffix}": ["Fill in a value."] for code, suffix in suffixes.items()}


def test_update_of_another_field_fails_on_an_old_empty_required_one(client: Client, world: KintoneWorld) -> None:
    app = world.add_app("後から", {"a": {"type": "SINGLE_LINE_TEXT"}, "b": {"type": "SINGLE_LINE_TEXT"}})
    app.add_record({"b": "x"})
    client.token = world.add_token([app.id], ["edit", "manage"])
    client.ok("PUT", "preview/app/form/fields", {"app": app.id, "properties": {"a": {"required": True}}})
    client.ok("PUT", "app/acl", {"app": app.id, "rights": []})
    body = {"app": app.id, "id": 1, "record": {"b": {"value": "y"}}}
    assert client.refused("PUT", "record", body)[1] == {"record.a.value": ["Fill in a value."]}


def test_empty_text_is_never_a_duplicate(client: Client) -> None:
    assert [add(client, key="") for _ in range(2)] == [1, 2]


def test_own_value_is_no_duplicate_and_a_freed_one_neither(client: Client) -> None:
    first = add(client, key="a")
    client.ok("PUT", "record", {"app": 2, "id": first, "record": {"key": {"value": "a"}}})
    client.ok("PUT", "record", {"app": 2, "id": first, "record": {"key": {"value": "b"}}})
    add(client, key="a")
    assert errors(client, key="b")[1] == {"record.key.value": ["Another record has this value."]}


# Lookups


@pytest.fixture
def admin_set(sets: App) -> int:
    return sets.add_record({"name": "Admin", "description": "すべて"})


@pytest.mark.usefixtures("admin_set")
def test_lookup_copies_and_ignores_what_is_sent_for_the_copy(client: Client) -> None:
    record_id = add(client, permission_set="Admin", set_description="mine")
    assert client.value(record_id, "set_description") == "すべて"


def test_copy_stays_when_the_source_changes(client: Client, sets: App, admin_set: int) -> None:
    record_id = add(client, permission_set="Admin")
    sets.edit_record(admin_set, {"description": "別"})
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"groups": {"value": "x"}}})
    assert client.value(record_id, "set_description") == "すべて"
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"permission_set": {"value": "Admin"}}})
    assert client.value(record_id, "set_description") == "別"


@pytest.mark.usefixtures("admin_set")
def test_empty_key_clears_the_copy(client: Client) -> None:
    record_id = add(client, permission_set="Admin")
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"permission_set": {"value": ""}}})
    assert client.value(record_id, "set_description") == ""


def test_unknown_key_has_a_code_and_no_errors(client: Client) -> None:
    answer = client.send("POST", "record", {"app": 2, "record": {"permission_set": {"value": "Nope"}}})
    assert (answer.status_code, answer.json()["code"]) == (400, "GAIA_LO04")
    assert "errors" not in answer.json()


@pytest.mark.usefixtures("admin_set")
def test_lookup_needs_the_source_apps_token(client: Client, world: KintoneWorld) -> None:
    client.token = world.add_token([2], ["add"])
    assert errors(client, permission_set="Admin")[0] == (400, "GAIA_LO04")
    client.token += "," + world.add_token([1], ["view"])
    add(client, permission_set="Admin")


# Tables


def rows_of(client: Client, record_id: int) -> list[tuple[str, str, str]]:
    rows = client.value(record_id, "rows")
    return [(row["id"], row["value"]["item"]["value"], row["value"]["size"]["value"]) for row in rows]


def row(row_id: str | None = None, **values: str) -> dict[str, Any]:
    cells = {"value": {code: {"value": value} for code, value in values.items()}}
    return {"id": row_id, **cells} if row_id else cells


def test_rows_get_ids_types_and_defaults(client: Client) -> None:
    record_id = add(client, rows=[row(item="a")])
    assert client.value(record_id, "rows") == [
        {
            "id": "1",
            "value": {
                "item": {"type": "SINGLE_LINE_TEXT", "value": "a"},
                "size": {"type": "NUMBER", "value": ""},
                "kind": {"type": "DROP_DOWN", "value": "a"},
            },
        }
    ]


def test_known_row_is_merged_and_others_are_replaced(client: Client) -> None:
    record_id = add(client, rows=[row(item="a", size="1"), row(item="b", size="2")])
    changed = [row("1", size="9"), row(item="new"), row("777", item="odd")]
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"rows": {"value": changed}}})
    assert rows_of(client, record_id) == [("1", "a", "9"), ("3", "new", ""), ("4", "odd", "")]


def test_rows_stay_unless_sent_and_an_empty_list_wipes_them(client: Client) -> None:
    record_id = add(client, rows=[row(item="a")])
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"groups": {"value": "x"}}})
    assert len(rows_of(client, record_id)) == 1
    client.ok("PUT", "record", {"app": 2, "id": record_id, "record": {"rows": {"value": []}}})
    assert rows_of(client, record_id) == []


def test_number_that_is_none_becomes_empty_in_a_table(client: Client) -> None:
    assert rows_of(client, add(client, rows=[row(item="a", size="abc")])) == [("1", "a", "")]


def test_errors_in_rows_name_the_row(client: Client) -> None:
    _, messages = errors(client, rows=[row(item="a"), row(size="1", kind="z")])
    assert messages == {
        "record.rows.value[1].value.item.value": ["Fill in a value."],
        "record.rows.value[1].value.kind.value": ["There is no option z."],
    }


def test_row_ids_must_be_numbers_and_distinct(client: Client) -> None:
    record_id = add(client, rows=[row(item="a")])
    body = {"app": 2, "id": record_id, "record": {"rows": {"value": [row("x", item="a")]}}}
    assert client.refused("PUT", "record", body)[0] == (400, "CB_IJ01")
    body["record"] = {"rows": {"value": [row("1", item="a"), row("1", item="b")]}}
    assert client.refused("PUT", "record", body)[0] == (520, "GAIA_SI01")


# The Python side


def test_plain_python_values_become_kintone_values(client: Client, assignments: App) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    record_id = assignments.add_record(
        {
            "users": ["hana"],
            "seats": Decimal("2.50"),
            "expires_on": date(2026, 5, 1),
            "since": datetime(2026, 5, 1, 9, 0, tzinfo=tokyo),
            "tags": ["pci"],
            "rows": [{"item": "a", "size": 3}],
            "groups": {"value": "as the API"},
        },
        by="taro",
    )
    record = client.ok("GET", "record", {"app": 2, "id": record_id})["record"]
    values = [record[code]["value"] for code in ("seats", "expires_on", "since", "tags", "groups")]
    assert values == ["2.5", "2026-05-01", "2026-05-01T00:00:00Z", ["pci"], "as the API"]
    assert record["作成者"]["value"]["code"] == "taro"
    assert rows_of(client, record_id) == [("1", "a", "3")]
