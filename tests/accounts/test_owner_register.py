"""The register of owners from rows, and what a user may do by it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import ProtectedError
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import access
from accounts.models import Account, Instance, OrganizationalUnit, OwnerEntry, PortalWrite, Principal, PrincipalLink
from accounts.names import fold
from accounts.owner_register import load_owned, load_register, load_standing
from tests.factories import (
    get_principal,
    make_account,
    make_group,
    make_instance,
    make_ou,
    make_person,
    make_principal,
    make_record,
    make_user,
)

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 25, tzinfo=UTC)


def owned_account(**values: Any) -> Account:
    """An account whose tags were read, in a unit whose tags were read."""
    account = make_account(tags_read_at=AT, **values)
    root, _made = OrganizationalUnit.objects.get_or_create(ou_id="r-1", defaults={"name": "Root"})
    OrganizationalUnit.objects.exclude(pk=root.pk).update(parent=root)
    OrganizationalUnit.objects.update(tags_read_at=AT)
    return account


def test_entry_makes_an_owner() -> None:
    account, hana, taro = owned_account(), make_user(), make_user()
    OwnerEntry.objects.create(account=account, principal=get_principal(hana))
    assert access.owns_account(hana, account)
    assert not access.owns_account(taro, account)


def test_tag_of_the_unit_makes_owners_through_a_group() -> None:
    hana = make_user()
    group = make_group("team", get_principal(hana))
    account = owned_account(ou="service/shop")
    OrganizationalUnit.objects.filter(path="service/shop").update(owners_tag=group.principal_id or "")
    assert access.owns_account(hana, account)
    assert set(access.owned_accounts(hana)) == {account}


def test_user_without_person_owns_nothing() -> None:
    account, stranger = owned_account(owners_tag="hana@example.com"), make_user()
    stranger.person = None
    assert not access.owns_account(stranger, account)
    assert not access.owned_accounts(stranger).exists()


def test_disabled_owner_can_do_nothing() -> None:
    account, hana = owned_account(), make_user()
    OwnerEntry.objects.create(account=account, principal=get_principal(hana))
    Principal.objects.update(is_enabled=False)
    hana.refresh_from_db()
    assert not access.owns_account(hana, account)


def test_admins_widen_everywhere_owners_where_nothing_is_protected(settings: Settings) -> None:
    settings.PROTECTED_OUS = ("admin",)
    hana, admin = make_user(), make_user(is_staff=True)
    free, protected = owned_account(ou="service"), owned_account(ou="admin")
    for account in (free, protected):
        OwnerEntry.objects.create(account=account, principal=get_principal(hana))
    assert [access.may_widen(hana, account) for account in (free, protected)] == [True, False]
    assert [access.may_widen(admin, account) for account in (free, protected)] == [True, True]


def test_accounts_of_the_portal_are_protected(settings: Settings) -> None:
    settings.IDENTITY_CENTER_ROLE_ARN = "arn:aws:iam::000000000001:role/genkan"
    Instance.objects.filter(pk=make_instance().pk).update(portal_account_id="000000000002")
    assert load_register().protection.accounts == {"000000000001", "000000000002"}


def test_entry_keeps_its_principal() -> None:
    entry = OwnerEntry.objects.create(account=owned_account(), principal=make_principal())
    with pytest.raises(ProtectedError):
        entry.principal.delete()


def test_statements_do_not_grow(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    groups = [make_group(f"team{number}", make_principal(), make_principal()) for number in range(5)]
    for group in groups:
        owned_account(owners_tag=f"{group.principal_id} somebody{group.pk}@example.com")
    with django_assert_num_queries(6):
        assert len(load_register().sites) == 5


# --- Who may edit a record


def test_outsider_may_not_edit() -> None:
    record = make_record(creator_code="somebody", in_force={"owners": ["another"]})
    assert not access.may_edit_record(make_user(), record)


def test_owner_in_force_may_edit() -> None:
    hana = make_user(person=make_person(kintone_code="Hana"))
    assert access.may_edit_record(hana, make_record(in_force={"owners": ["hana"]}))


def test_owner_only_written_may_not_edit() -> None:
    hana = make_user(person=make_person(kintone_code="hana"))
    body = {"owners": {"type": "USER_SELECT", "value": [{"code": "hana", "name": "花"}]}}
    assert not access.may_edit_record(hana, make_record(in_force={"owners": []}, body=body))


def test_display_name_like_a_code_is_no_owner() -> None:
    hana = make_user(person=make_person(name="hana", kintone_code="hana.sato"))
    assert not access.may_edit_record(hana, make_record(creator_name="hana.sato", in_force={"owners": ["hana"]}))


def test_author_may_edit_by_code_and_by_link() -> None:
    hana = make_user(person=make_person(kintone_code=""))
    record = make_record(creator_code="HANA")
    assert not access.may_edit_record(hana, record)
    PrincipalLink.objects.create(source="kintone_user", key="hana", principal=get_principal(hana))
    assert access.may_edit_record(hana, record)


def test_ledger_goes_before_creator() -> None:
    hana, taro = make_user(), make_user(person=make_person(kintone_code="taro"))
    record = make_record(creator_code="taro")
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=hana)
    assert access.may_edit_record(hana, record)
    assert not access.may_edit_record(taro, record)


def test_ledger_of_before_a_backup_makes_no_author() -> None:
    """The app was restored, and the record's number given to somebody else's."""
    hana, taro = make_user(), make_user(person=make_person(kintone_code="taro"))
    record = make_record(creator_code="taro")
    before = record.created_at - timedelta(hours=1)
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=hana, at=before)
    assert not access.may_edit_record(hana, record)
    assert access.may_edit_record(taro, record)


def test_owner_of_the_account_and_admin_may_edit() -> None:
    account, hana = owned_account(), make_user()
    OwnerEntry.objects.create(account=account, principal=get_principal(hana))
    record = make_record(in_force={"account_id": account.account_id})
    assert access.may_edit_record(hana, record)
    assert access.may_edit_record(make_user(is_staff=True), record)
    assert not access.may_edit_record(make_user(), record)


def test_what_one_owns_is_what_the_whole_register_says() -> None:
    """Asked for one person, of whom else only namesakes and his groups are looked at."""
    named = {"shop": "hana", "old": "taro", "twice": "jiro", "odd": "kei", "away": "gone"}
    people = {key: make_principal(f"{name}@example.com") for key, name in named.items()}
    former = make_principal("taro@example.com", gone_at=AT, external_id="another")
    same = make_principal("JIRO@example.com", is_enabled=False, external_id="the-same")
    Principal.objects.filter(pk=people["twice"].pk).update(external_id="the-same")
    Principal.objects.filter(pk=people["away"].pk).update(gone_at=AT)
    team = make_group("team", people["shop"], people["old"], people["away"])
    # Somebody calls himself by the id of a group: the word still means the group.
    Principal.objects.filter(pk=people["odd"].pk).update(name=team.principal_id, name_key=fold(team.principal_id or ""))
    unit = make_ou("service/shop")
    tags = [*(f"{name}@example.com" for name in named.values()), "Hana@Example.com", team.principal_id or "", "nobody"]
    tags += [" ".join(tags), former.principal_id or "", ""]
    accounts = [make_account(owners_tag=tag, tags_read_at=AT, ou="service/shop") for tag in tags]
    OwnerEntry.objects.create(account=accounts[0], principal=people["old"])
    OwnerEntry.objects.create(ou=unit, principal=Principal.objects.get(pk=team.pk))
    register, everybody = load_register(), [*people.values(), former, same]
    found = {}
    for person in Principal.objects.filter(pk__in=[row.pk for row in everybody]):
        groups = [team.principal_id or ""] if person.member_of.exists() else []
        owned = load_owned(person, groups).accounts
        assert owned == {row.account_id: row.pk for row in Account.objects.filter(account_id__in=owned)}
        assert set(owned) == register.find_owned(person.principal_id or "")
        found[person.pk] = len(owned)
    standing, owners = load_standing(), {row.account_id: register.find_owners(row.account_id) for row in accounts}
    said = {account_id: standing.find_owners(account_id) for account_id in owners}
    assert {account_id: (one.source, bool(one.people)) for account_id, one in said.items()} == {
        account_id: (one.source, bool(one.people)) for account_id, one in owners.items()
    }
    assert found[people["odd"].pk] == 0
    assert found[people["shop"].pk] > found[people["away"].pk] == 0
