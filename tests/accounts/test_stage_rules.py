"""Stage rules: those that come with Genkan, and what a change of them does to the accounts."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, OrganizationalUnit, Stage, StageRule
from accounts.names import fold
from accounts.organization import recompute_stages

pytestmark = pytest.mark.django_db

migration = import_module("accounts.migrations.0002_stage_rules")


def make_unit(name: str, parent: OrganizationalUnit | None = None) -> OrganizationalUnit:
    number = OrganizationalUnit.objects.count()
    return OrganizationalUnit.objects.create(ou_id=f"ou-{number}", name=name, parent=parent, path=name)


def make_account(ou: OrganizationalUnit | None, number: int = 1, stage: str = Stage.OTHER) -> Account:
    return Account.objects.create(account_id=f"{number:012}", name=f"account {number}", ou=ou, stage=stage)


@pytest.mark.parametrize(
    ("ou_name", "stage"),
    [
        ("Production", "production"),
        ("Prod", "production"),
        ("本番", "production"),
        ("Staging", "staging"),
        ("Development", "staging"),
        ("検証", "staging"),
        ("開発", "staging"),
        ("sandbox", "sandbox"),
    ],
)
def test_rule_is_shipped(ou_name: str, stage: str) -> None:
    assert StageRule.objects.get(ou_name=fold(ou_name)).stage == stage


def test_shipping_again_keeps_an_admins_change() -> None:
    StageRule.objects.filter(ou_name="prod").update(stage="sandbox")
    count = StageRule.objects.count()
    migration.create_rules(apps, connection.schema_editor())
    assert StageRule.objects.get(ou_name="prod").stage == "sandbox"
    assert StageRule.objects.count() == count


def test_nearest_unit_with_a_rule_decides() -> None:
    production = make_unit("Production", make_unit("service"))
    account = make_account(make_unit("team", make_unit("ＳＡＮＤＢＯＸ", production)))
    recompute_stages()
    account.refresh_from_db()
    assert account.stage == Stage.SANDBOX


def test_account_without_rule_is_other() -> None:
    account = make_account(make_unit("Production-like"), stage=Stage.PRODUCTION)
    outside = make_account(None, 2, stage=Stage.PRODUCTION)
    recompute_stages()
    assert {Account.objects.get(pk=pk).stage for pk in (account.pk, outside.pk)} == {Stage.OTHER}


def test_only_changed_accounts_are_counted() -> None:
    unit = make_unit("Production")
    make_account(unit, 1)
    make_account(unit, 2, stage=Stage.PRODUCTION)
    assert (recompute_stages(), recompute_stages()) == (1, 0)


def test_queries_do_not_grow_with_accounts(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    parent = make_unit("Production")
    for number in range(30):
        make_account(make_unit(f"product {number}", parent), number)
    with django_assert_num_queries(6):  # rules, units, accounts, one write; a savepoint around the whole
        recompute_stages()
    assert not Account.objects.exclude(stage=Stage.PRODUCTION).exists()
