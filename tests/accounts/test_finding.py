"""What a few words find, among what somebody may see."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import finding
from accounts.models import Account, OrganizationalUnit, PermissionSet, Person, Principal, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return factories.make_user("閲覧者")


def test_account_is_found_by_name_id_and_unit(user: User) -> None:
    account = factories.make_account("payment-prod", ou="service/決済/Production", account_id="012345678901")
    factories.make_account("other", ou="service/検索/Production")
    for text in ("paymentprod", "PAYMENT", "0123-4567", "０１２３ ４５６７ ８９０１", "決済", "決済 prod"):
        assert finding.search_accounts(user, text, 5) == [account], text


def test_account_that_left_is_not_found(user: User) -> None:
    factories.make_account("gone", gone_at="2026-01-01T00:00:00Z")
    assert finding.search_accounts(user, "gone", 5) == []


def test_what_begins_with_the_word_comes_first(user: User) -> None:
    for name in ("a-data", "data-a", "b-data"):
        factories.make_account(name, ou="x")
    assert [str(account) for account in finding.search_accounts(user, "data", 5)] == ["data-a", "a-data", "b-data"]
    assert len(finding.search_accounts(user, "data", 2)) == 2


@pytest.mark.parametrize("text", ["佐藤遥", "遥 佐藤", "haruka.sato", "kt-sato", "HARUKA@IDP", "佐藤"])
def test_person_is_found_by_every_name_he_has(user: User, text: str) -> None:
    principal = factories.make_principal("haruka@idp.example")
    person = factories.make_person(
        "佐藤\u3000遥", email="haruka.sato@asagiri.example", kintone_code="kt-sato", principal=principal
    )
    assert finding.search_people(user, text, 5) == [person]
    assert finding.search_principals(user, text, 5) == [principal]


def test_groups_and_people_are_principals(user: User) -> None:
    group = factories.make_group("ﾃﾞｰﾀ基盤")
    assert finding.search_groups(user, "データ", 5) == [group]
    assert [row.pk for row in finding.search_principals(user, "でーた", 5)] == [group.pk]


def test_set_is_found_by_name_and_description(user: User) -> None:
    permission_set = factories.make_permission_set("ReadOnly", description="ログを見る")
    factories.make_permission_set("Old", description="ログを見る", state=PermissionSet.State.REMOVED)
    assert finding.search_permission_sets(user, "ﾛｸﾞ read", 5) == [permission_set]


def test_units_are_found_by_their_path(user: User) -> None:
    unit = factories.make_ou("service/決済/Production")
    assert finding.search_units(user, "決済 production", 5) == [unit]


def test_like_signs_are_letters(user: User) -> None:
    factories.make_account("plain", ou="x")
    assert finding.search_accounts(user, "%", 5) == []
    assert finding.search_accounts(user, "_", 5) == []


def test_only_what_one_may_see_is_found(user: User, settings: Settings) -> None:
    settings.VISIBILITY = "own"
    group = factories.make_group("own-team", factories.get_principal(user))
    own = factories.make_assignment(group, account=factories.make_account("own-account", ou="top/own-unit"))
    factories.make_assignment(account=factories.make_account("foreign-account", ou="top/foreign-unit"))
    factories.make_group("foreign-team")
    assert finding.search_accounts(user, "account", 5) == [own.account]
    assert [unit.name for unit in finding.search_units(user, "unit", 5)] == ["own-unit"]
    assert finding.search_groups(user, "team", 5) == [group]
    assert finding.search_permission_sets(user, "", 5) == [own.permission_set]
    assert finding.search_people(user, "", 5) == [user.person]
    found = {row.pk for row in finding.search_principals(user, "", 5)}
    assert found == {group.pk, factories.get_principal(user).pk}


def test_each_search_is_one_statement(user: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    factories.make_account("data")
    searches = (
        finding.search_accounts, finding.search_units, finding.search_permission_sets, finding.search_people,
        finding.search_groups, finding.search_principals,
    )  # fmt: skip
    for search in searches:
        with django_assert_num_queries(1):
            search(user, "data", 20)


# --- The key ----------------------------------------------------------------------------------------------------------


def _make_rows() -> list[Model]:
    account, person = factories.make_account("口座 ア"), factories.make_person("佐藤 ハルカ")
    assert account.ou
    assert person.principal
    return [account, account.ou, person, person.principal, factories.make_permission_set("Set", description="ロ グ")]


def _find_key(row: Any) -> str:
    return str(type(row)._base_manager.get(pk=row.pk).search_key)


def test_key_follows_a_row_that_is_saved_in_part() -> None:
    for row in _make_rows():
        field = "path" if isinstance(row, OrganizationalUnit) else "name"
        setattr(row, field, "ハ ハ")
        row.save(update_fields=[field])
        assert "はは" in _find_key(row)


def test_saving_something_else_writes_no_key() -> None:
    account = factories.make_account("before")
    Account.objects.filter(pk=account.pk).update(search_key="as it was")
    account.save(update_fields=["email"])
    assert _find_key(account) == "as it was"


def test_rows_that_were_there_get_their_keys() -> None:
    rows = _make_rows()
    before = [_find_key(row) for row in rows]
    for model in (Account, OrganizationalUnit, PermissionSet, Person, Principal):
        model._base_manager.update(search_key="")
    import_module("accounts.migrations.0014_search_keys").fill_keys(apps, None)
    assert [_find_key(row) for row in rows] == before
    assert all(before)
