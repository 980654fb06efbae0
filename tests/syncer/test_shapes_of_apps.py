"""A company's own apps: each shape in which they hold values, read and written back as it was found. Pure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.gateways.kintone_values import FieldInfo, list_types
from syncer.records.parsing import Notes, parse_assignment, parse_permission_set, pick_fields
from syncer.records.rendering import DoesNotFit, holds, render
from syncer.records.schema import ASSIGNMENTS, SchemaError, match_fields, require_fields

PEOPLE = ("hana@example.com", "taro@example.com")


def column(kind: str, *, options: tuple[str, ...] = ()) -> FieldInfo:
    return FieldInfo("人", kind, "人", options=options)


def table(*columns: FieldInfo) -> FieldInfo:
    return FieldInfo("表", "SUBTABLE", "表", columns=columns)


def rows(*values: Any, kind: str = "SINGLE_LINE_TEXT") -> dict[str, Any]:
    """A table as kintone gives it: our column, and one that is none of our business."""
    found = [
        {"id": str(number), "value": {"人": {"type": kind, "value": value}, "備考": {"type": "NUMBER", "value": "7"}}}
        for number, value in enumerate(values, 301)
    ]
    return {"表": {"type": "SUBTABLE", "value": found}}


def read(body: dict[str, Any], path: str = "人", name: str = "users") -> Any:
    account = {"account_id": {"type": "SINGLE_LINE_TEXT", "value": "123456789012"}}
    chosen = {"permission_set": {"type": "SINGLE_LINE_TEXT", "value": "Reader"}}
    codes = {"account_id": "account_id", "permission_set": "permission_set", name: path}
    wish = parse_assignment(pick_fields({**account, **chosen, **body}, codes), Notes("2:1"))
    assert wish
    return wish


SHAPES = [
    ("USER_SELECT", [{"code": code} for code in PEOPLE]),
    ("MULTI_LINE_TEXT", "\n".join(PEOPLE)),
    ("SINGLE_LINE_TEXT", ", ".join(PEOPLE)),
    ("CHECK_BOX", list(PEOPLE)),
    ("MULTI_SELECT", list(PEOPLE)),
]


@pytest.mark.parametrize(("kind", "value"), SHAPES)
def test_people_are_read_and_written_in_each_shape(kind: str, value: Any) -> None:
    assert read({"人": {"type": kind, "value": value}}).users == PEOPLE
    fields = {"人": column(kind, options=PEOPLE)}
    assert render({"users": PEOPLE}, {"users": "人"}, fields) == {"人": value}


@pytest.mark.parametrize("kind", ["SINGLE_LINE_TEXT", "LINK", "DROP_DOWN", "RADIO_BUTTON"])
def test_one_principal_a_record_is_read_and_written(kind: str) -> None:
    assert read({"人": {"type": kind, "value": "hana"}}).users == ("hana",)
    fields = {"人": column(kind, options=("hana", "taro"))}
    assert render({"users": ["hana"]}, {"users": "人"}, fields) == {"人": "hana"}
    with pytest.raises(DoesNotFit) as refused:
        render({"users": ["hana", "taro"]}, {"users": "人"}, fields)
    assert refused.value.reason.code == "kintone_one_value"


@pytest.mark.parametrize("kind", ["SINGLE_LINE_TEXT", "MULTI_LINE_TEXT"])
def test_several_addresses_in_one_text_keep_what_stands_between_them(kind: str) -> None:
    body = {"人": {"type": kind, "value": "a@example.com; B@example.com; c@example.com"}}
    values = {"users": ["a@example.com", "b@example.com", "d@example.com"]}
    cells = render(values, {"users": "人"}, {"人": column(kind)}, body)
    assert cells == {"人": "a@example.com; B@example.com; d@example.com"}


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("SINGLE_LINE_TEXT", "hana", "taro"),
        ("DROP_DOWN", "hana", "taro"),
        ("USER_SELECT", [{"code": "hana"}], [{"code": "taro"}]),
        ("CHECK_BOX", ["hana"], ["taro"]),
    ],
)
def test_column_of_a_table_is_read_and_written(kind: str, first: Any, second: Any) -> None:
    fields = {"表": table(column(kind, options=("hana", "taro", "ken")), FieldInfo("備考", "NUMBER", "備考"))}
    body = rows(first, second, kind=kind)
    assert read(body, "表.人").users == ("hana", "taro")
    cells = render({"users": ["taro", "ken"]}, {"users": "表.人"}, fields, body)
    kept, new = cells["表"]
    assert kept == {"id": "302", "value": {"人": {"value": second}, "備考": {"value": "7"}}}
    assert new["value"].keys() == {"人"}
    assert "id" not in new


def test_row_with_somebody_else_in_it_stays() -> None:
    fields = {"表": table(column("USER_SELECT"))}
    body = rows([{"code": "hana"}, {"code": "taro"}], kind="USER_SELECT")
    (row,) = render({"users": ["taro"]}, {"users": "表.人"}, fields, body)["表"]
    assert (row["id"], row["value"]["人"]) == ("301", {"value": [{"code": "taro"}]})


def test_two_columns_of_one_table_are_written_together() -> None:
    group = FieldInfo("部署", "SINGLE_LINE_TEXT", "部署")
    fields, codes = {"表": table(column("SINGLE_LINE_TEXT"), group)}, {"users": "表.人", "groups": "表.部署"}
    body = rows("hana", "taro")
    body["表"]["value"][0]["value"]["部署"] = {"type": "SINGLE_LINE_TEXT", "value": "team-a"}
    body["表"]["value"][1]["value"]["部署"] = {"type": "SINGLE_LINE_TEXT", "value": ""}
    cells = render({"users": [], "groups": ["team-a", "team-b"]}, codes, fields, body)["表"]
    assert [row.get("id") for row in cells] == ["301", None]
    assert [row["value"].get("部署") for row in cells] == [{"value": "team-a"}, {"value": "team-b"}]
    assert cells[0]["value"]["人"] == {"value": ""}


def test_empty_table_is_nobody_and_not_a_missing_field() -> None:
    body = {"表": {"type": "SUBTABLE", "value": []}}
    assert read(body, "表.人").users == ()
    require_fields(ASSIGNMENTS, "2", {"users": "表.人"}, body)


@pytest.mark.parametrize("body", [{}, {"表": {"type": "SUBTABLE", "value": [{"id": "1", "value": {}}]}}])
def test_column_that_went_stops_the_app(body: dict[str, Any]) -> None:
    with pytest.raises(SchemaError) as stopped:
        require_fields(ASSIGNMENTS, "2", {"users": "表.人"}, body)
    assert stopped.value.reason.params["fields"] == "人"


def test_column_is_found_by_its_own_code() -> None:
    fields = {
        "アカウント": FieldInfo("アカウント", "SINGLE_LINE_TEXT", ""), "permission_set": column("SINGLE_LINE_TEXT"),
        "表": table(column("USER_SELECT")),
    }  # fmt: skip
    chosen = {"account_id": "アカウント", "users": "人"}
    found = match_fields(ASSIGNMENTS, "2", list_types(fields), chosen=chosen, known={})
    assert found == {"account_id": "アカウント", "permission_set": "permission_set", "users": "表.人"}


def test_account_in_a_table_is_refused() -> None:
    fields = {
        "permission_set": column("SINGLE_LINE_TEXT"),
        "表": table(FieldInfo("account_id", "SINGLE_LINE_TEXT", "")),
    }
    with pytest.raises(SchemaError) as stopped:
        match_fields(ASSIGNMENTS, "2", list_types(fields), chosen={}, known={})
    assert stopped.value.reason.code in ("kintone_field_in_table", "kintone_fields_missing")


def test_groups_of_kintone_are_no_groups_of_entra() -> None:
    fields = {name: column("SINGLE_LINE_TEXT") for name in ("account_id", "permission_set")}
    fields["groups"] = column("GROUP_SELECT")
    with pytest.raises(SchemaError) as stopped:
        match_fields(ASSIGNMENTS, "2", list_types(fields), chosen={}, known={})
    assert stopped.value.reason.params["type"] == "GROUP_SELECT"


@pytest.mark.parametrize("kind", ["CHECK_BOX", "MULTI_SELECT"])
def test_policies_are_chosen_among_the_options_however_they_are_written(kind: str) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    fields = {"ポリシー": FieldInfo("ポリシー", kind, "", options=("ReadOnlyAccess", "job-function/Billing"))}
    codes = {"managed_policies": "ポリシー"}
    assert render({"managed_policies": [arn]}, codes, fields) == {"ポリシー": ["ReadOnlyAccess"]}
    with pytest.raises(DoesNotFit) as refused:
        render({"managed_policies": ["PowerUserAccess"]}, codes, fields)
    assert refused.value.reason.params == {"field": "ポリシー", "value": "PowerUserAccess"}


def test_policies_of_a_table_are_read() -> None:
    body = {
        "name": {"type": "SINGLE_LINE_TEXT", "value": "Reader"},
        **rows("ReadOnlyAccess", "", "job-function/Billing"),
    }
    notes = Notes("1:1")
    wish = parse_permission_set(pick_fields(body, {"name": "name", "managed_policies": "表.人"}), notes)
    assert wish
    assert wish.managed_policies == ("ReadOnlyAccess", "job-function/Billing")


def test_problem_in_a_table_names_the_row() -> None:
    body = {"name": {"type": "SINGLE_LINE_TEXT", "value": "Reader"}, **rows("ReadOnlyAccess", "", "no such!")}
    notes = Notes("1:1")
    parse_permission_set(pick_fields(body, {"name": "name", "managed_policies": "表.人"}), notes)
    assert [(problem.code, problem.line) for problem in notes.problems] == [("managed_policy_wrong", 3)]


NAMES = st.lists(st.sampled_from([f"{name}@example.com" for name in "abcdefgh"]), max_size=5, unique=True)


@given(before=NAMES, after=NAMES, kind=st.sampled_from(["USER_SELECT", "SINGLE_LINE_TEXT", "MULTI_LINE_TEXT"]))
def test_what_is_written_to_a_table_is_what_is_read(before: list[str], after: list[str], kind: str) -> None:
    fields = {"表": table(column(kind), FieldInfo("備考", "NUMBER", ""))}
    body = rows(*([{"code": name}] if kind == "USER_SELECT" else name for name in before), kind=kind)
    cells = render({"users": after}, {"users": "表.人"}, fields, body)
    stored = _as_kintone_stores(cells["表"], kind)
    assert set(read(stored, "表.人").users) == set(after)
    assert holds(stored, cells)
    assert holds(stored, render({"users": after}, {"users": "表.人"}, fields, stored))


def _as_kintone_stores(sent: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Every row with an id, every cell with its type."""
    stored = [
        {
            "id": row.get("id", str(number)),
            "value": {
                "人": {"type": kind, **row["value"]["人"]},
                "備考": {"type": "NUMBER", **row["value"].get("備考", {"value": ""})},
            },
        }
        for number, row in enumerate(sent, 901)
    ]
    return {"表": {"type": "SUBTABLE", "value": stored}}


@given(people=NAMES, shape=st.sampled_from(["USER_SELECT", "MULTI_LINE_TEXT", "SINGLE_LINE_TEXT", "CHECK_BOX"]))
def test_what_is_written_to_a_field_is_what_is_read(people: list[str], shape: str) -> None:
    cells = render({"users": people}, {"users": "人"}, {"人": column(shape, options=tuple(people))})
    body = {"人": {"type": shape, "value": cells["人"]}}
    assert list(read(body).users) == people
    assert holds(body, cells)


@pytest.mark.parametrize(
    "account",
    [
        "123456789012",
        "1234-5678-9012",
        "１２３４５６７８９０１２",
        " 1234 5678 9012 ",
        "\ufeff123456789012\u200b",
        "1234－5678－9012",
    ],
)
def test_account_is_understood_however_it_is_written(account: str) -> None:
    assert read({"account_id": {"type": "SINGLE_LINE_TEXT", "value": account}}).account_id == "123456789012"


@pytest.mark.parametrize("name", ["Reader", " Reader\u3000", "Ｒｅａｄｅｒ", "\u200bReader"])
def test_name_of_a_set_is_understood_however_it_is_written(name: str) -> None:
    assert read({"permission_set": {"type": "SINGLE_LINE_TEXT", "value": name}}).permission_set == "Reader"


@pytest.mark.parametrize("between", ["\n", "\r\n", ", ", ";", "、", "　", " "])
def test_addresses_are_told_apart_however_they_are_separated(between: str) -> None:
    assert read({"人": {"type": "MULTI_LINE_TEXT", "value": between.join(PEOPLE)}}).users == PEOPLE


def test_comma_in_a_name_separates_nobody() -> None:
    assert read({"人": {"type": "MULTI_LINE_TEXT", "value": "山田, 太郎"}}).users == ("山田, 太郎",)


# --- Texts inside a table, and options that spell a value their own way -----------------------------------------------

_TEXTS = FieldInfo(
    "T", "SUBTABLE", "T",
    columns=(FieldInfo("address", "MULTI_LINE_TEXT", "address"), FieldInfo("memo", "SINGLE_LINE_TEXT", "memo")),
)  # fmt: skip


def _write_addresses(text: str, wanted: list[str]) -> list[dict[str, Any]]:
    cells = {
        "address": {"type": "MULTI_LINE_TEXT", "value": text},
        "memo": {"type": "SINGLE_LINE_TEXT", "value": "kept"},
    }
    body = {"T": {"type": "SUBTABLE", "value": [{"id": "1", "value": cells}]}}
    rows: list[dict[str, Any]] = render({"users": wanted}, {"users": "T.address"}, {"T": _TEXTS}, body)["T"]
    return rows


@pytest.mark.parametrize("text", ["a@x, b@x", "a@x; b@x", "a@x\nb@x", "ａ@x　b@x"])
def test_row_with_several_addresses_in_one_text_is_kept(text: str) -> None:
    row, added = _write_addresses(text, ["a@x", "b@x", "c@x"])
    assert (row["id"], row["value"]["memo"]["value"]) == ("1", "kept")
    assert added == {"value": {"address": {"value": "c@x"}}}


def test_row_with_several_addresses_loses_only_who_goes() -> None:
    (row,) = _write_addresses("a@x, b@x", ["a@x"])
    assert (row["id"], row["value"]["address"]["value"], row["value"]["memo"]["value"]) == ("1", "a@x", "kept")


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [("account_id", "012345678901", "0123-4567-8901"), ("permission_set", "Admin", "Ａｄｍｉｎ")],
)
def test_option_is_found_however_it_spells_the_value(name: str, value: str, option: str) -> None:
    field = FieldInfo("f", "DROP_DOWN", "f", options=(option,))
    assert render({name: value}, {name: "f"}, {"f": field}) == {"f": option}
