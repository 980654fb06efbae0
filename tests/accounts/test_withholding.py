"""Who confirms what is withheld, and what follows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.access import may_freeze
from accounts.models import Account, AuditEvent, OrganizationalUnit, OwnerEntry, Record, User, Withheld
from accounts.withholding import confirm, may_confirm
from tests.factories import get_principal, make_account, make_person, make_record, make_user

pytestmark = pytest.mark.django_db
OWNED = {"owners": ["owner"]}


@pytest.fixture
def owner() -> User:
    return make_user("所有者", person=make_person("所有者", kintone_code="owner"))


@pytest.fixture
def account(owner: User) -> Account:
    account = make_account(tags_read_at=datetime.now(UTC))
    OrganizationalUnit.objects.update(tags_read_at=datetime.now(UTC))
    OwnerEntry.objects.create(account=account, principal=get_principal(owner))
    return account


def hold(account: Account, value: str, **record: Any) -> Withheld:
    spaced = f"{account.account_id[:4]}-{account.account_id[4:8]}-{account.account_id[8:]}"
    defaults: dict[str, Any] = {"title": spaced, "is_settled": True, "in_force": {"owners": ["editor"]}}
    return Withheld.objects.create(record=make_record(**defaults | record), value=value, revision=2)


def test_owner_of_the_account_confirms_what_widens(account: Account, owner: User) -> None:
    held = hold(account, "+kintone_user:taro")
    confirm(held, owner)
    held.refresh_from_db()
    assert (held.confirmed_by, held.confirmed_at is not None) == (owner, True)
    assert Record.objects.get(pk=held.record_id).is_settled is False
    assert AuditEvent.objects.get(action="withheld.confirm").after == {"value": "+kintone_user:taro"}


def test_owner_of_the_record_confirms_what_narrows_only(account: Account) -> None:
    editor = make_user(person=make_person(kintone_code="editor"))
    assert may_confirm(editor, hold(account, "-kintone_user:taro"))
    assert may_confirm(editor, hold(account, "+owner:taro"))
    assert not may_confirm(editor, hold(account, "+kintone_user:taro"))
    assert not may_confirm(editor, hold(account, "+expires_on:never"))


def test_auditor_changes_nothing_whatever_he_owns(account: Account, owner: User) -> None:
    owned, edited = hold(account, "+kintone_user:taro"), hold(account, "-kintone_user:taro", in_force=OWNED)
    for is_auditor, is_staff, may in ((False, False, True), (True, False, False), (True, True, True)):
        owner.is_auditor, owner.is_staff = is_auditor, is_staff
        assert (may_confirm(owner, owned), may_confirm(owner, edited), may_freeze(owner, account)) == (may, may, may)


def test_outsider_confirms_nothing(account: Account) -> None:
    held = hold(account, "+kintone_user:taro")
    with pytest.raises(PermissionDenied):
        confirm(held, make_user())
    held.refresh_from_db()
    assert held.confirmed_at is None


def test_move_needs_both_ends(account: Account, owner: User) -> None:
    move = f"+place:{account.account_id}/Reader"
    assert not may_confirm(owner, hold(account, move, title="000000000009"))
    mine = hold(account, move, in_force={"owners": ["owner"]}, title="000000000009")
    assert may_confirm(owner, mine)


def test_owner_of_where_a_record_only_says_it_goes_confirms_nothing(account: Account, owner: User) -> None:
    elsewhere = {"owners": ["owner"], "account_id": make_account().account_id}
    assert not may_confirm(owner, hold(account, "+kintone_user:taro", in_force=elsewhere))
    assert not may_confirm(owner, hold(account, "+expires_on:never", in_force=elsewhere))
    assert may_confirm(owner, hold(account, "+kintone_user:taro", in_force={"account_id": account.account_id}))


def test_account_that_is_not_there_is_for_admins(account: Account, owner: User) -> None:
    held = hold(account, "+kintone_user:taro", title="何か")
    assert not may_confirm(owner, held)
    assert may_confirm(make_user(is_staff=True), held)


def test_set_is_confirmed_by_who_may_edit_it(account: Account, owner: User) -> None:
    held = hold(account, "+inline_policy:0123", kind="permission_set", title="Reader", in_force={"owners": ["owner"]})
    assert may_confirm(owner, held)
    assert not may_confirm(make_user(), held)


def test_second_confirmation_changes_nothing(account: Account, owner: User) -> None:
    held = hold(account, "+kintone_user:taro")
    confirm(held, owner)
    confirm(held, make_user(is_staff=True))
    held.refresh_from_db()
    assert held.confirmed_by == owner
