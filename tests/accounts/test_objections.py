"""What guardrails would say to access that somebody is about to register or to change."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.ground import Say
from accounts.models import Account, AccountMove, AppKind, Guardrail, OwnerEntry, Principal, User
from accounts.objections import Objection, Wanted, find_objections
from accounts.policy.powers import Power
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


@pytest.fixture
def writer() -> User:
    return factories.make_user("書き手")


@pytest.fixture
def account() -> Account:
    return factories.make_account("payments", ou="service/決済")


@pytest.fixture
def taro() -> Principal:
    return factories.make_principal("taro@example.com")


def forbid(**values: Any) -> Guardrail:
    defaults = {"name": values.get("effect", "rule"), "sentence": "なぜなら", "effect": "refuse"}
    return Guardrail.objects.create(**defaults | values)


def want(account: Account, principal: Principal, until: date | None = None, name: str = "Admin") -> Wanted:
    return Wanted(account.account_id, name, principal.type, principal.principal_id or "", until)


def says(objections: list[Objection]) -> list[tuple[str, bool]]:
    return [(objection.rule, objection.is_refused) for objection in objections]


def test_what_is_allowed_is_not_mentioned(writer: User, account: Account, taro: Principal) -> None:
    assert find_objections(writer, [want(account, taro)]) == []
    forbid(effect="groups_only")
    group = factories.make_group("team")
    (objection,) = find_objections(writer, [want(account, taro), want(account, group)])
    assert objection.wanted.principal_id == taro.principal_id


def test_rule_of_a_unit_above_speaks(writer: User, account: Account, taro: Principal) -> None:
    assert account.ou
    forbid(ou_id=account.ou.ou_id)
    elsewhere = factories.make_account("blog", ou="sandbox")
    wanted = [want(elsewhere, taro), want(account, taro)]
    assert [each.wanted.account_id for each in find_objections(writer, wanted)] == [account.account_id]


def test_latest_day_is_the_way_out(writer: User, account: Account, taro: Principal) -> None:
    forbid(effect="expires_within", days=7)
    (objection,) = find_objections(writer, [want(account, taro)])
    latest = TODAY + timedelta(days=7)
    assert (objection.is_about_day, objection.latest) == (True, latest)
    assert latest.isoformat() in objection.sentence.remedy
    assert find_objections(writer, [want(account, taro, latest)]) == []


def test_owners_and_registering_people_are_told_from_others(writer: User, account: Account, taro: Principal) -> None:
    forbid(effect="owners_only")
    OwnerEntry.objects.create(account=account, principal=taro)
    assert find_objections(writer, [want(account, taro)]) == []
    me = factories.get_principal(writer)
    forbid(name="me", effect="roles_only", roles=me.principal_id)
    assert find_objections(writer, [want(account, taro)]) == []
    assert says(find_objections(factories.make_user(), [want(account, taro)])) == [("me", True)]


def test_set_is_judged_by_what_it_may_do(writer: User, account: Account, taro: Principal) -> None:
    forbid(power="admin")
    reader = {"managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    factories.make_permission_set("Reader", actual=reader)
    wanted = [want(account, taro, name="Reader"), want(account, taro, name="Unknown")]
    assert [each.wanted.permission_set for each in find_objections(writer, wanted)] == ["Unknown"]
    powers = {"Reader": frozenset(Power)}
    assert len(find_objections(writer, wanted, powers=powers)) == 2


def test_record_in_force_counts_before_what_aws_has(writer: User, account: Account, taro: Principal) -> None:
    forbid(power="write")
    record = factories.make_record(AppKind.PERMISSION_SET, in_force={"managed_policies": ["ReadOnlyAccess"]})
    admin = {"managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}
    factories.make_permission_set("Deploy", actual=admin, record=record)
    assert find_objections(writer, [want(account, taro, name="Deploy")]) == []


def test_what_the_record_has_in_force_is_kept_and_not_extended(writer: User, account: Account, taro: Principal) -> None:
    forbid(effect="expires_within", days=7)
    record, permission_set = factories.make_record(), factories.make_permission_set("Admin")
    until = TODAY + timedelta(days=30)
    factories.make_assignment(taro, account=account, permission_set=permission_set, record=record, until=until)
    (kept,) = find_objections(writer, [want(account, taro, until)], record=record)
    assert (kept.answer.say, kept.is_refused) == (Say.KEPT, False)
    (later,) = find_objections(writer, [want(account, taro, until + timedelta(days=1))], record=record)
    assert (later.answer.say, later.latest) == (Say.DAY, TODAY + timedelta(days=7))
    assert says(find_objections(writer, [want(account, taro, until)])) == [("expires_within", True)]


def test_move_that_nobody_confirmed_keeps_what_is_there(writer: User, account: Account, taro: Principal) -> None:
    assert account.ou
    forbid(ou_id=account.ou.ou_id, existing="end", ends_on=TODAY - timedelta(days=1))
    AccountMove.objects.create(account=account, old_units=["ou-gone"], old_stage="sandbox")
    record, permission_set = factories.make_record(), factories.make_permission_set("Admin")
    factories.make_assignment(taro, account=account, permission_set=permission_set, record=record)
    (objection,) = find_objections(writer, [want(account, taro)], record=record)
    assert objection.answer.say is Say.MOVED


def test_statements_do_not_grow_with_wishes(writer: User, taro: Principal) -> None:
    forbid(effect="groups_only")
    counts = []
    for many in (1, 20):
        wanted = [want(factories.make_account(), taro, name=f"Set{number}") for number in range(many)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(find_objections(writer, wanted)) == many
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16
