"""What a rule would touch, before it is saved: the same as what a run makes of it afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.guardrails import Rule
from accounts.models import (
    Account,
    Assignment,
    Guardrail,
    OwnerEntry,
    PermissionSet,
    Principal,
    PrincipalLink,
    Record,
    Wish,
)
from accounts.owner_register import load_named
from accounts.rulebook import build_rule
from accounts.what_if import Foresight, Outcome, foresee
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
YESTERDAY, TOMORROW, NEXT_MONTH = (TODAY + timedelta(days=days) for days in (-1, 1, 30))


@pytest.fixture
def account() -> Account:
    return factories.make_account("payments", ou="service/決済")


@pytest.fixture
def admin_set() -> PermissionSet:
    policies = {"managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}
    return factories.make_permission_set("Admin", actual=policies)


@pytest.fixture
def taro() -> Principal:
    return factories.make_principal("taro@example.com")


@pytest.fixture
def there(account: Account, admin_set: PermissionSet, taro: Principal) -> Assignment:
    record = factories.make_record()
    return factories.make_assignment(taro, account=account, permission_set=admin_set, record=record)


def rule(**values: Any) -> Rule:
    defaults = {"name": "new", "sentence": "なぜなら", "effect": "refuse"}
    row = Guardrail(**defaults | values)
    return build_rule(row, load_named([row.roles]))


def save(**values: Any) -> Guardrail:
    return Guardrail.objects.create(**{"name": "old", "sentence": "なぜなら", "effect": "refuse"} | values)


def look(changed: Rule | None, replaces: str = "") -> Foresight:
    return foresee(changed, replaces=replaces, assignments=Assignment.objects.shown())


def outcomes(changed: Rule | None, replaces: str = "") -> list[Outcome]:
    return list(look(changed, replaces).touched.values())


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({}, Outcome.KEPT),
        ({"existing": "end", "ends_on": YESTERDAY}, Outcome.ENDED),
        ({"existing": "end", "ends_on": TOMORROW}, Outcome.ENDS),
        ({"effect": "keep"}, Outcome.PROTECTED),
        ({"effect": "groups_only"}, Outcome.KEPT),
        ({"effect": "expires_within", "days": 7}, Outcome.KEPT),
        ({"power": "admin", "stage": "production"}, Outcome.KEPT),
    ],
)
def test_new_rule_touches_what_is_there(values: dict[str, Any], outcome: Outcome, there: Assignment) -> None:
    assert look(rule(**values)).touched == {there.pk: outcome}


@pytest.mark.parametrize(
    "values",
    [{"stage": "sandbox"}, {"permission_set_name": "Reader"}, {"principal_type": "GROUP"}, {"power": "billing"}],
)
def test_what_the_rule_is_not_about_is_not_touched(values: dict[str, Any], there: Assignment) -> None:
    billing = {"managed_policies": ["ReadOnlyAccess"]}
    PermissionSet.objects.filter(pk=there.permission_set_id).update(actual=billing)
    assert look(rule(**values)).counts == []


def test_rows_are_read_by_the_scope_of_the_rule(there: Assignment, taro: Principal) -> None:
    factories.make_assignment(taro, account=factories.make_account("blog", ou="sandbox"))
    assert look(rule(account_id=there.account.account_id)).looked_at == 1
    assert look(rule()).looked_at == 2


def test_rule_that_goes_frees_or_unprotects(there: Assignment) -> None:
    save()
    assert outcomes(None, "old") == [Outcome.FREED]
    save(name="emergency", effect="keep")
    assert outcomes(None, "emergency") == [Outcome.UNPROTECTED]


def test_rule_beside_a_rule_that_says_the_same_touches_nothing(there: Assignment) -> None:
    save()
    assert outcomes(rule()) == []
    assert outcomes(rule(existing="end", ends_on=TOMORROW)) == [Outcome.ENDS]


def test_rule_as_it_is_saved_touches_nothing(there: Assignment) -> None:
    save(name="new")
    assert look(rule(), "new") == Foresight()


def test_emergency_access_is_ended_by_no_rule(there: Assignment) -> None:
    save(name="emergency", effect="keep")
    assert outcomes(rule(existing="end", ends_on=YESTERDAY)) == [Outcome.KEPT]


def test_owners_are_told_from_others(account: Account, there: Assignment, taro: Principal) -> None:
    OwnerEntry.objects.create(account=account, principal=taro)
    assert outcomes(rule(effect="owners_only")) == []
    assert outcomes(rule(is_owner=True)) == [Outcome.KEPT]


def test_what_waits_would_be_refused_and_what_is_refused_let_in(account: Account, admin_set: PermissionSet) -> None:
    waiting = factories.make_assignment(
        factories.make_principal(), account=account, permission_set=admin_set, record=factories.make_record(),
        state="waiting", in_aws=False,
    )  # fmt: skip
    assert look(rule()).touched == {waiting.pk: Outcome.REFUSED}
    save()
    assert outcomes(None, "old") == [Outcome.LET_IN]


def test_days_count_from_the_last_writing_of_each_record(there: Assignment) -> None:
    Wish.objects.update(expires_on=NEXT_MONTH)
    month = rule(effect="expires_within", days=31, existing="end", ends_on=YESTERDAY)
    Record.objects.update(updated_at=timezone.now())
    assert outcomes(month) == []
    Record.objects.update(updated_at=timezone.now() - timedelta(days=60))
    assert outcomes(month) == [Outcome.ENDED]


def test_longest_wish_decides(there: Assignment) -> None:
    """One record has a last day, as the rule asks for; the other has none."""
    record = factories.make_record(updated_at=timezone.now())
    Wish.objects.create(assignment=there, record=record, expires_on=TOMORROW)
    assert outcomes(rule(effect="expires_within", days=7, existing="end", ends_on=YESTERDAY)) == []


def test_whoever_registered_is_looked_up(there: Assignment, taro: Principal) -> None:
    chief = factories.make_principal("chief@example.com")
    PrincipalLink.objects.create(source="kintone_user", key="taro", principal=taro)
    record = there.wishes.get().record
    record.in_force = {"by": {"kintone_user:taro": chief.principal_id}}
    record.save()
    assert outcomes(rule(effect="roles_only", roles="chief@example.com")) == []
    assert outcomes(rule(effect="roles_only", roles="taro@example.com")) == [Outcome.KEPT]


def test_gravest_come_first(account: Account, there: Assignment, admin_set: PermissionSet, taro: Principal) -> None:
    group = factories.make_group("team")
    other = factories.make_assignment(group, account=account, permission_set=admin_set, record=factories.make_record())
    save(name="emergency", effect="keep", principal_type="USER")
    found = look(rule(existing="end", ends_on=YESTERDAY))
    assert list(found.touched) == [other.pk, there.pk]
    assert (found.counts, found.grave) == ([(Outcome.ENDED, 1), (Outcome.KEPT, 1)], 1)


def test_sets_that_are_not_ours_are_left_out(there: Assignment) -> None:
    PermissionSet.objects.update(ownership=PermissionSet.Ownership.NOT_OURS)
    assert look(rule()).looked_at == 0
