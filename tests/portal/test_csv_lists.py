"""Lists as files: for a spreadsheet, in one's language, and without a formula in them."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, OwnerEntry, Stage
from portal.views import csv_lists
from portal.views.csv_lists import neutralise
from tests import factories
from tests.portal.pages import make_client

pytestmark = pytest.mark.django_db


def read_csv(client: Client, url: str, **headers: str) -> list[dict[str, str]]:
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = response.getvalue().decode()
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+81", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", " =1"]
)
def test_formula_becomes_text(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "payments-prod", "012345678901", "a=b", "佐藤 遥", "ー"])
def test_text_stays_as_it_is(cell: str) -> None:
    assert neutralise(cell) == cell


def test_what_a_spreadsheet_cannot_hold_goes() -> None:
    assert neutralise("\0=1") == "'=1"


def test_all_access_with_its_reasons() -> None:
    account = factories.make_account("payments-prod", account_id="012345678901")
    person, record = factories.make_person("=佐藤 遥"), factories.make_record(creator_name="林 浩二")
    today = timezone.localdate()
    factories.make_assignment(
        person.principal,
        account=account,
        permission_set=factories.make_permission_set("Deploy"),
        record=record,
        until=today,
    )
    factories.make_assignment(factories.make_group("team"), state="blocked", in_aws=False)
    first, second = sorted(
        read_csv(make_client(factories.make_user()), "/assignments/?format=csv"), key=lambda row: row["kind"]
    )
    assert (first["person or group"], first["can be entered"], first["user name"]) == ("team", "no", "")
    assert first["what happens next"]
    assert (second["account id"], second["account"]) == ("012345678901", "payments-prod")
    assert (second["person or group"], second["can be entered"]) == ("'=佐藤 遥", "yes")
    assert (second["last day"], second["records"]) == (today.isoformat(), record.reference)
    assert second["registered by"] == "林 浩二"
    assert second["what happens next"] == ""


def test_accounts_are_told_with_their_owners() -> None:
    group = factories.make_group("team", factories.make_principal())
    OwnerEntry.objects.create(account=factories.make_account("owned"), principal=group)
    factories.make_account("free")
    rows = {row["account"]: row for row in read_csv(make_client(factories.make_user()), "/accounts/?format=csv")}
    assert (rows["owned"]["owners"], rows["owned"]["owners by"]) == ("team", "named here")
    assert rows["free"]["owners"] == ""


def test_headings_and_words_follow_the_language_to_the_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lists, "CHUNK", 2)
    for _number in range(5):
        factories.make_account(stage=Stage.PRODUCTION)
    rows = read_csv(make_client(factories.make_user()), "/accounts/?format=csv", accept_language="ja")
    assert [row["ステージ"] for row in rows] == ["本番"] * 5


def make_company() -> dict[str, Any]:
    principal = factories.make_principal("sato@example.com")
    person, group = factories.make_person("佐藤 遥", principal=principal), factories.make_group("team", principal)
    account, permission_set = factories.make_account("payments-prod"), factories.make_permission_set("Deploy")
    factories.make_assignment(principal, account=account, permission_set=permission_set)
    factories.make_assignment(group, account=account, permission_set=permission_set)
    return {"account": account.account_id, "set": permission_set.pk, "person": person.pk, "group": group.pk}


@pytest.mark.parametrize(
    ("url", "count", "column", "value"),
    [
        ("/accounts/?q=payments", 1, "account", "payments-prod"),
        ("/accounts/?q=nothing", 0, "", ""),
        ("/permission-sets/?q=deploy", 1, "permission set", "Deploy"),
        ("/people/?q=佐藤遥", 1, "user name", "sato@example.com"),
        ("/groups/?q=team", 1, "group", "team"),
        ("/groups/{group}/?list=members", 1, "user name", "sato@example.com"),
        ("/groups/{group}/?", 1, "person or group", "team"),
        ("/accounts/{account}/?kind=user", 1, "person or group", "sato@example.com"),
        ("/permission-sets/{set}/?kind=group", 1, "person or group", "team"),
        ("/people/{person}/?", 2, "account", "payments-prod"),
        ("/assignments/?kind=group", 1, "person or group", "team"),
    ],
)
def test_each_list_is_a_file_with_its_filters(url: str, count: int, column: str, value: str) -> None:
    rows = read_csv(make_client(factories.make_user("x")), url.format(**make_company()) + "&format=csv")
    assert len(rows) == count
    assert [row[column] for row in rows[:1]] == [value] * min(count, 1)


def test_problems_are_told_with_what_to_do() -> None:
    record = factories.make_record()
    factories.make_problem(record)
    factories.make_problem(severity="warning")
    (row,) = read_csv(make_client(factories.make_user()), "/problems/?severity=error&format=csv")
    assert (row["record"], row["field"], row["severity"]) == (record.reference, "account", "error")
    assert row["what is wrong"]
    assert row["what to do"]


def test_only_what_one_may_see_is_in_the_file(settings: Settings) -> None:
    settings.VISIBILITY = "own"
    user = factories.make_user()
    own = factories.make_assignment(user)
    factories.make_assignment()
    rows = read_csv(make_client(user), "/assignments/?format=csv")
    assert [row["account"] for row in rows] == [own.account.name]


def test_who_took_which_list_is_kept() -> None:
    user = factories.make_user()
    read_csv(make_client(user), "/assignments/?q=payments&state=&format=csv")
    event = AuditEvent.objects.get(action="list.export")
    assert event.actor == user
    assert event.object_id == "assignments"
    assert event.after == {"filters": {"q": "payments"}}


def test_asking_for_the_head_takes_no_list() -> None:
    assert make_client(factories.make_user()).head("/assignments/?format=csv").status_code == 200
    assert not AuditEvent.objects.filter(action="list.export").exists()


def test_file_cannot_be_posted_for() -> None:
    assert make_client(factories.make_user()).post("/assignments/?format=csv").status_code == 405


def test_file_is_called_after_its_list_in_plain_letters() -> None:
    permission_set = factories.make_permission_set('a"b\r\nc=ほ')
    response = make_client(factories.make_user()).get(f"/permission-sets/{permission_set.pk}/?format=csv")
    today = timezone.localdate()
    wanted = f'attachment; filename="genkan-permission-set-a-b--c---{today}.csv"'
    assert response["Content-Disposition"] == wanted
