"""Why somebody can enter, and why not: the record with its author, else each barrier with its next step."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, GroupMembership, OwnerEntry, PermissionSet, PortalWrite, Stop, User
from portal.views.barriers import Question, explain
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return factories.make_user("橋本 隆")


@pytest.fixture
def account() -> Account:
    return factories.make_account("payments-prod")


@pytest.fixture
def deploy() -> PermissionSet:
    return factories.make_permission_set("Deploy")


def list_codes(user: User, account: Account, permission_set: PermissionSet) -> list[str]:
    assert user.person
    answer = explain(Question(user, user.person, account, permission_set))
    assert not answer.open
    return [barrier.code.partition(":")[0] for barrier in answer.barriers]


def build_url(account: Account, permission_set: PermissionSet) -> str:
    return f"/why/?account={account.account_id}&set={permission_set.pk}"


# --- Why --------------------------------------------------------------------------------------------------------------


def test_record_is_named_with_its_author_and_time(user: User, account: Account, deploy: PermissionSet) -> None:
    record = factories.make_record(creator_name="林 浩二")
    factories.make_assignment(user, account=account, permission_set=deploy, record=record)
    text = get_text(make_client(user), build_url(account, deploy))
    assert "橋本 隆 can enter payments-prod with Deploy." in text
    assert f"record {record.reference} registered by 林 浩二" in text


def test_who_wrote_through_the_portal_is_known_by_the_ledger(
    user: User, account: Account, deploy: PermissionSet
) -> None:
    record = factories.make_record(creator_name="Administrator", modifier_name="Administrator", revision=3)
    for revision, name in ((1, "登録 花"), (3, "変更 太郎")):
        writer = factories.make_user(name)
        PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=revision, user=writer)
    factories.make_assignment(user, account=account, permission_set=deploy, record=record)
    text = get_text(make_client(user), build_url(account, deploy))
    assert "registered by 登録 花" in text
    assert "last changed by 変更 太郎" in text
    assert "Administrator" not in text


def test_ledger_of_a_record_restored_from_a_backup_is_not_believed(
    user: User, account: Account, deploy: PermissionSet
) -> None:
    later = timezone.now() + timedelta(days=1)
    record = factories.make_record(creator_name="林 浩二", created_at=later, updated_at=later)
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1, user=user)
    factories.make_assignment(user, account=account, permission_set=deploy, record=record)
    assert "registered by 林 浩二" in get_text(make_client(user), build_url(account, deploy))


def test_a_command_is_an_author_too(user: User, account: Account, deploy: PermissionSet) -> None:
    record = factories.make_record(creator_name="Administrator")
    PortalWrite.objects.create(app_id=record.app_id, record_id=record.record_id, revision=1)
    factories.make_assignment(user, account=account, permission_set=deploy, record=record)
    assert "registered by a command on the server" in get_text(make_client(user), build_url(account, deploy))


def test_way_through_a_group_is_a_way(user: User, account: Account, deploy: PermissionSet) -> None:
    group = factories.make_group("team", factories.get_principal(user))
    factories.make_assignment(group, account=account, permission_set=deploy)
    factories.make_assignment(user, account=account, permission_set=deploy, state="waiting", in_aws=False)
    text = get_text(make_client(user), build_url(account, deploy))
    assert "through the group team" in text
    assert "What is wanted and not open" in text


# --- Why not ----------------------------------------------------------------------------------------------------------


def test_nothing_registered_names_the_owners(user: User, account: Account, deploy: PermissionSet) -> None:
    OwnerEntry.objects.create(
        account=account, principal=factories.make_principal("owner@x.example", display_name="林 浩二")
    )
    assert list_codes(user, account, deploy) == ["why_no_record"]
    assert "Ask an owner of the account to register it: 林 浩二." in get_text(
        make_client(user), build_url(account, deploy)
    )


def test_owner_is_led_to_the_form(account: Account, deploy: PermissionSet) -> None:
    admin = factories.make_user("管理", is_staff=True)
    html = get_html(make_client(admin), build_url(account, deploy))
    assert f"/assignments/new/?account={account.account_id}&amp;permission_set=Deploy&amp;user=" in html


def test_account_that_nobody_owns_says_so(user: User, account: Account, deploy: PermissionSet) -> None:
    assert "Nobody owns the account." in get_text(make_client(user), build_url(account, deploy))


def test_state_of_what_is_wanted_comes_first(user: User, account: Account, deploy: PermissionSet) -> None:
    reason = {"code": "not_provisioned", "params": {"name": "橋本 隆"}}
    factories.make_assignment(
        user,
        account=account,
        permission_set=deploy,
        record=factories.make_record(),
        state="waiting",
        in_aws=False,
        reason=reason,
    )
    assert list_codes(user, account, deploy) == ["not_provisioned"]


def test_end_of_the_last_day_is_told_with_the_record(user: User, account: Account, deploy: PermissionSet) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    record = factories.make_record()
    assignment = factories.make_assignment(
        user, account=account, permission_set=deploy, record=record, until=yesterday, state="removed", in_aws=False
    )
    assignment.wishes.update(is_current=False)
    assert list_codes(user, account, deploy) == ["why_ended", "why_no_record"]
    assert f"Record {record.reference} gave it until the end of {yesterday}" in get_text(
        make_client(user), build_url(account, deploy)
    )


@pytest.mark.parametrize(("values", "code"), [({"gone_at": timezone.now()}, "why_record_gone"), ({}, "why_withdrawn")])
def test_record_that_gave_it_once_is_told(
    user: User, account: Account, deploy: PermissionSet, values: dict[str, Any], code: str
) -> None:
    record = factories.make_record(**values)
    assignment = factories.make_assignment(
        user, account=account, permission_set=deploy, record=record, state="removed", in_aws=False
    )
    assignment.wishes.update(is_current=False)
    assert list_codes(user, account, deploy) == [code, "why_no_record"]


def test_lock_out_is_told(user: User, account: Account, deploy: PermissionSet) -> None:
    admin = factories.make_user(is_staff=True)
    Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=factories.get_principal(user), begun_by=admin, reason="lost")
    assert list_codes(user, account, deploy) == ["locked_out", "why_no_record"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"principal_id": None}, "person_unknown"),
        ({"gone_at": timezone.now()}, "principal_gone"),
        ({"is_enabled": False}, "principal_disabled"),
    ],
)
def test_person_whom_identity_center_does_not_let_in(
    account: Account, deploy: PermissionSet, values: dict[str, Any], code: str
) -> None:
    person = factories.make_person("石川 一輝", principal=factories.make_principal(**values))
    user = factories.make_user(person=person)
    factories.make_assignment(person.principal, account=account, permission_set=deploy)
    assert list_codes(user, account, deploy)[-1] == code


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"gone_at": timezone.now()}, "why_left_organization"),
        ({"state": "SUSPENDED"}, "account_not_active"),
        ({"is_management": True}, "management_account"),
    ],
)
def test_account_that_nobody_gets_into(user: User, deploy: PermissionSet, values: dict[str, Any], code: str) -> None:
    assert code in list_codes(user, factories.make_account(**values), deploy)


def test_freeze_is_told_with_the_account(user: User, account: Account, deploy: PermissionSet) -> None:
    admin = factories.make_user(is_staff=True)
    Stop.objects.create(kind=Stop.Kind.FREEZE, account=account, begun_by=admin, reason="incident")
    assert list_codes(user, account, deploy) == ["account_frozen", "why_no_record"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"ownership": "terraform"}, "managed_in_terraform"),
        ({"ownership": "not_ours"}, "set_not_ours"),
        ({"ownership": "absent", "state": "pending"}, "why_set_absent"),
        ({"state": "blocked", "reason": {"code": "set_broken", "params": {"set": "x"}}}, "set_broken"),
    ],
)
def test_set_that_cannot_be_given(user: User, account: Account, values: dict[str, Any], code: str) -> None:
    assert code in list_codes(user, account, factories.make_permission_set(**values))


def test_groups_that_have_it_are_named(user: User, account: Account, deploy: PermissionSet) -> None:
    factories.make_assignment(factories.make_group("team-a"), account=account, permission_set=deploy)
    factories.make_assignment(factories.make_group("team-b"), account=account, permission_set=deploy, in_aws=False)
    assert list_codes(user, account, deploy) == ["why_no_record", "why_in_no_group"]


# --- The form ---------------------------------------------------------------------------------------------------------


def test_names_do_as_well_as_numbers(user: User, account: Account, deploy: PermissionSet) -> None:
    factories.make_account("payments-prod-2")
    factories.make_person("佐藤 遥")
    text = get_text(make_client(user), "/why/?person=佐藤遥&account=payments-prod&set=deploy")
    assert "佐藤 遥 cannot enter payments-prod with Deploy." in text


def test_what_is_ambiguous_is_asked_back(user: User, deploy: PermissionSet) -> None:
    first, second = factories.make_account("payments-prod"), factories.make_account("payments-dev")
    html = get_html(make_client(user), "/why/?account=payments&set=deploy")
    assert f"account={first.account_id}" in html
    assert f"account={second.account_id}" in html
    assert 'aria-invalid="true"' in html


def test_what_nobody_knows_is_said(user: User) -> None:
    text = get_text(make_client(user), "/why/?account=nowhere&person=99999999&set=%00")
    assert text.count("Nothing that you can see is called so.") == 2


def test_account_alone_offers_its_sets(user: User, account: Account, deploy: PermissionSet) -> None:
    factories.make_assignment(account=account, permission_set=deploy)
    assert f"set={deploy.pk}" in get_html(make_client(user), f"/why/?account={account.account_id}")


def test_others_stay_hidden_where_one_sees_only_oneself(
    user: User, account: Account, deploy: PermissionSet, settings: Settings
) -> None:
    settings.VISIBILITY = "own"
    other = factories.make_person("佐藤 遥")
    factories.make_assignment(other.principal, account=account, permission_set=deploy)
    text = get_text(make_client(user), f"/why/?person={other.pk}&account={account.account_id}&set={deploy.pk}")
    assert "佐藤 遥" not in text
    assert text.count("Nothing that you can see is called so.") == 3


def test_sign_in_without_a_person_is_told(account: Account, deploy: PermissionSet) -> None:
    user = factories.make_user()
    User.objects.filter(pk=user.pk).update(person=None)
    assert "Nobody is known under your sign-in yet" in get_text(make_client(user), build_url(account, deploy))


def test_page_can_only_be_read(user: User) -> None:
    assert make_client(user).post("/why/").status_code == 405


def test_statements_are_bounded(user: User, account: Account, deploy: PermissionSet) -> None:
    for _number in range(8):
        group = factories.make_group("", factories.get_principal(user))
        factories.make_assignment(
            group, account=account, permission_set=deploy, record=factories.make_record(), state="blocked", in_aws=False
        )
        factories.make_assignment(factories.make_group(), account=account, permission_set=deploy)
    client = make_client(user)
    with CaptureQueriesContext(connection) as queries:
        get_html(client, build_url(account, deploy))
    assert len(queries) <= 40
    GroupMembership.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        get_html(client, build_url(account, deploy))
    assert len(queries) <= 40
