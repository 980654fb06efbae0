"""The query language: what it finds, in which order, and what it refuses."""

from typing import Any

import pytest

from simulators.kintone import App, KintoneWorld
from tests.simulators.kintone.conftest import Client

RECORDS: list[dict[str, Any]] = [
    {
        "account_id": "111",
        "seats": "5",
        "stage": "prod",
        "tags": ["pci"],
        "expires_on": "2026-04-14",
        "users": ["hana"],
    },
    {
        "account_id": "222",
        "seats": "10",
        "stage": "dev",
        "key": "k2",
        "tags": ["pci", "sox"],
        "expires_on": "2026-04-15",
    },
    {
        "account_id": 'say "hi"\\',
        "groups": "gamma keyword\n東京営業部",
        "expires_on": "2026-04-30",
        "since": "2026-04-14T16:00:00Z",
    },
    {"account_id": "", "groups": " \n", "rows": [{"item": "a", "size": 1}, {"item": "b", "size": 2}], "risk": ""},
    {
        "account_id": "111",
        "rows": [{"item": "a", "size": 2}],
        "teams": ["cloud"],
        "at": "09:30",
        "since": "2026-04-15T14:59:00Z",
    },
]


@pytest.fixture(autouse=True)
def records(assignments: App) -> None:
    for values in RECORDS:
        assignments.add_record(values, by="hana" if "seats" in values else "taro")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("$id = 3", "3"),
        ('$id >= "2" and $id < "4"', "32"),
        ('$id in ("5","1","99")', "51"),
        ('$id != "1"', "5432"),
        ("レコード番号 > 4", "5"),
        ('account_id = "111"', "51"),
        ('account_id != "111"', "432"),
        ('account_id in ("222", "")', "42"),
        (r'account_id = "say \"hi\"\\"', "3"),
        ("seats > 5", "2"),
        ("seats <= 10", "21"),
        ('seats = "5.0"', "1"),
        ('seats = ""', "543"),
        ("seats in (5, 10)", "21"),
        ("seats not in (5)", "5432"),
        ('stage in ("prod")', "1"),
        ('stage in ("")', "543"),
        ('stage not in ("prod", "dev")', "543"),
        ('risk in ("")', "4"),
        ('tags in ("sox")', "2"),
        ('tags not in ("sox")', "5431"),
        ('users in ("hana")', "1"),
        ('users in ("")', "5432"),
        ('teams in ("cloud")', "5"),
        ('作成者 in ("taro")', "543"),
        ('expires_on = "2026-04-15"', "2"),
        ('expires_on < "2026-04-15"', "1"),
        ('expires_on = ""', "54"),
        ('expires_on != ""', "321"),
        ('since >= "2026-04-15T00:00:00+09:00"', "53"),
        ('since = "2026-04-15T14:59:00Z"', "5"),
        ('at > "09:00"', "5"),
        ('作成日時 >= "2026-04-15T03:04:00Z"', "54321"),
        ('作成日時 > "2026-04-15T03:04:00Z"', ""),
        ('groups like "keyword"', "3"),
        ('groups like "key"', ""),
        ('groups like "営業"', "3"),
        ('groups not like "keyword"', "5421"),
        ("groups is empty", "5421"),
        ("groups is not empty", "3"),
        ('account_id = "111" and stage in ("prod") or $id = 2', "21"),
        ('account_id = "111" and (stage in ("prod") or $id = 2)', "1"),
        ('　account_id\n=\t"222"', "2"),
        ("", "54321"),
        ('key = "k2"', "2"),
        ('key in ("k3", "k2") and $id > 1', "2"),
        ('key in ("k3", "k2") and $id > 2', ""),
        ('key in ("k3", "")', "5431"),
        ('key != "k2"', "5431"),
        ('key = "none"', ""),
    ],
)
def test_condition_finds(client: Client, condition: str, expected: str) -> None:
    assert "".join(client.find(condition)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('item in ("a")', "54"),
        ("size > 1", "54"),
        ('item in ("a") and size > 1', "5"),
        ('item in ("b") and size > 1', "4"),
        ('item not in ("b")', "5"),
        ('item not in ("z")', "54"),
        ('item like "a"', "54"),
    ],
)
def test_table_conditions_bind_rows(client: Client, condition: str, expected: str) -> None:
    assert "".join(client.find(condition)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("expires_on = TODAY()", "2"),
        ("expires_on = YESTERDAY()", "1"),
        ("expires_on > TODAY()", "3"),
        ("expires_on = FROM_TODAY(-1, DAYS)", "1"),
        ("expires_on = THIS_WEEK(TUESDAY)", "1"),
        ("expires_on = THIS_WEEK()", "21"),
        ("expires_on = THIS_MONTH(LAST)", "3"),
        ("expires_on = THIS_MONTH(15)", "2"),
        ("expires_on <= LAST_MONTH()", ""),
        ("expires_on = THIS_YEAR()", "321"),
        ("since = TODAY()", "53"),
        ("since < NOW()", "3"),
        ("作成日時 = TODAY()", "54321"),
    ],
)
def test_date_functions_use_the_callers_days(client: Client, condition: str, expected: str) -> None:
    assert "".join(client.find(condition)) == expected


def test_login_user_is_the_caller(client: Client) -> None:
    headers = {"X-Cybozu-Authorization": "aGFuYTpzZWNyZXQ="}  # hana:secret
    answer = client.ok("GET", "records", {"app": 2, "query": "users in (LOGINUSER())"}, headers=headers)
    assert [record["$id"]["value"] for record in answer["records"]] == ["1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("order by $id asc", "12345"),
        ("order by $id", "54321"),
        ("order by seats asc, account_id desc", "35412"),
        ("order by stage desc", "12543"),
        ("order by expires_on desc limit 2", "32"),
        ("$id > 1 order by $id asc limit 2 offset 1", "34"),
        ("limit 2", "54"),
        ("limit 0", ""),
    ],
)
def test_order_and_paging(client: Client, query: str, expected: str) -> None:
    assert "".join(client.find(query)) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('nothing = "x"', "GAIA_IQ11"),
        ("order by nothing asc", "GAIA_IQ11"),
        ('stage = "prod"', "GAIA_IQ03"),
        ('groups = "x"', "GAIA_IQ03"),
        ('users = "hana"', "GAIA_IQ03"),
        ('account_id > "1"', "GAIA_IQ03"),
        ("account_id is empty", "GAIA_IQ03"),
        ('expires_on in ("2026-04-15")', "GAIA_IQ03"),
        ('item = "a"', "GAIA_IQ07"),
        ("size != 1", "GAIA_IQ07"),
        ("limit 501", "GAIA_QU01"),
        ("offset 10001", "GAIA_QU02"),
        ("expires_on = THIS_MONTH(32)", "GAIA_IQ23"),
        ("expires_on = FROM_TODAY(1, HOURS)", "GAIA_IQ25"),
        ("expires_on = FROM_TODAY(1)", "GAIA_IL08"),
    ],
)
def test_wrong_query_has_its_code(client: Client, query: str, code: str) -> None:
    assert client.refused("GET", "records", {"app": 2, "query": query})[0] == (400, code)


@pytest.mark.parametrize(
    "query",
    [
        "account_id = 'x'",
        "account_id = x",
        'account_id = "raw\ttab"',
        'account_id = "open',
        "account_id",
        "account_id = ",
        '`account_id` == "x"',
        "and",
        '(account_id = "x"',
        "limit -1",
        "limit 1 order by $id asc",
        "offset 1 limit 1",
        'expires_on = "tomorrow"',
        'seats = "many"',
        "order by rows asc",
    ],
)
def test_what_is_no_query_is_refused(client: Client, query: str) -> None:
    error, messages = client.refused("GET", "records", {"app": 2, "query": query})
    assert (error, set(messages)) == ((400, "CB_VA01"), {"query"})


def test_escaped_newline_and_tab_are_found(client: Client, assignments: App) -> None:
    record_id = assignments.add_record({"account_id": "a\tb\nc"})
    assert client.find(r'account_id = "a\tb\nc"') == [str(record_id)]


def test_related_records_are_conditions(client: Client, world: KintoneWorld) -> None:
    app = world.add_app(
        "口座",
        {
            "id": {"type": "SINGLE_LINE_TEXT"},
            "list": {
                "type": "REFERENCE_TABLE",
                "referenceTable": {
                    "relatedApp": {"app": "2"},
                    "condition": {"field": "id", "relatedField": "account_id"},
                },
            },
        },
    )
    for account in ("111", "222", "333"):
        app.add_record({"id": account})
    client.token = world.add_token([app.id])
    assert client.find('list.stage in ("prod")', app=app.id) == ["1"]
    assert "list" not in client.ok("GET", "record", {"app": app.id, "id": 1})["record"]


def test_seek_paging_sees_every_record_once(world: KintoneWorld, client: Client) -> None:
    app = world.add_app("大", {"name": {"type": "SINGLE_LINE_TEXT"}})
    client.token = world.add_token([app.id], ["view", "add"])
    payload = {"app": app.id, "records": [{"name": {"value": "x"}}] * 100}
    request = {"method": "POST", "api": "/k/v1/records.json", "payload": payload}
    client.ok("POST", "bulkRequest", {"requests": [request] * 11})
    app.delete_records(range(100, 200))
    seen: list[str] = []
    while len(page := client.find(f"$id > {seen[-1] if seen else 0} order by $id asc limit 500", app=app.id)) == 500:
        seen += page
    assert [int(one) for one in seen + page] == [*range(1, 100), *range(200, 1101)]
