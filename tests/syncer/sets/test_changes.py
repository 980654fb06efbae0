"""What a change of a set would do, and who may make it: the preview of the editor, and the refusal of the service."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import (
    Account,
    AppKind,
    Assignment,
    Guardrail,
    OrganizationalUnit,
    OwnerEntry,
    PermissionSet,
    PrincipalLink,
    Record,
    User,
    Wish,
)
from accounts.set_reach import find_places
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible
from syncer.mirror.records import wish_as_json
from syncer.models import AppState
from syncer.sets.changes import estimate_seconds, preview_change
from syncer.states import SetWish
from tests.factories import (
    get_principal,
    make_account,
    make_assignment,
    make_group,
    make_permission_set,
    make_person,
    make_policy_text,
    make_principal,
    make_record,
    make_user,
)
from tests.managed_policies import load_texts

pytestmark = pytest.mark.django_db

READ = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}'
WRITE = READ.replace("s3:Get*", "s3:*")


@pytest.fixture
def author() -> User:
    """Wrote the set's record, and owns nothing."""
    return make_user("作成者", person=make_person("作成者", kintone_code="author"))


@pytest.fixture
def owner() -> User:
    return make_user("所有者", person=make_person("所有者", kintone_code="owner"))


@pytest.fixture
def reader() -> PermissionSet:
    return make_set("Reader", SetWish("Reader", inline_policy=READ, permissions_boundary="/limits/Reader"))


def make_set(name: str, wish: SetWish) -> PermissionSet:
    record = make_record(
        AppKind.PERMISSION_SET,
        in_force=wish_as_json(wish),
        creator_code="author",
        title=name,
        is_settled=True,
    )
    return make_permission_set(name, record=record)


@pytest.fixture
def shop(owner: User, reader: PermissionSet) -> Account:
    """An account of the owner in which three people have the set, two of them through a group."""
    return use(reader, owner)


def use(permission_set: PermissionSet, owner: User, name: str = "shop") -> Account:
    account = make_account(name, tags_read_at=datetime.now(UTC))
    OrganizationalUnit.objects.update(tags_read_at=datetime.now(UTC))
    OwnerEntry.objects.create(account=account, principal=get_principal(owner))
    for principal in (make_group("", make_principal(), make_principal()), make_principal()):
        make_assignment(principal, account=account, permission_set=permission_set)
    return account


def test_author_may_narrow_and_not_widen(author: User, reader: PermissionSet, shop: Account) -> None:
    narrower = preview_change(author, reader, {"inline_policy": READ.replace("s3:Get*", "s3:GetObject")})
    assert (narrower.is_allowed, narrower.does_more, narrower.strange) == (True, False, narrower.accounts)
    wider = preview_change(author, reader, {"inline_policy": WRITE})
    assert (wider.is_allowed, wider.does_more) == (False, True)
    (reason,) = wider.reasons
    assert reason.code == "set_widens"
    assert reason.params == {"set": "Reader", "name": "作成者", "accounts": "shop", "count": 1, "who": "所有者"}


@pytest.mark.parametrize(
    ("values", "allowed"),
    [
        ({"description": "other", "session_duration": "PT8H"}, True),
        ({"inline_policy": ""}, True),
        ({"managed_policies": ["ReadOnlyAccess"]}, False),
        ({"customer_managed_policies": ["/team/Own"]}, False),
        ({"permissions_boundary": ""}, False),
        ({"permissions_boundary": "/limits/Other"}, False),
        ({"permissions_boundary": "/limits/Reader"}, True),
    ],
)
def test_each_field_is_judged(
    author: User, reader: PermissionSet, shop: Account, values: dict[str, Any], allowed: bool
) -> None:
    assert preview_change(author, reader, values).is_allowed is allowed


def test_known_text_shows_that_less_is_less(author: User, owner: User) -> None:
    power = make_set("Power", SetWish("Power", managed_policies=("PowerUserAccess",)))
    use(power, owner)
    values = {"managed_policies": ["ReadOnlyAccess"]}
    assert not preview_change(author, power, values).is_allowed, "nobody has read what they say"
    for name in ("PowerUserAccess", "ReadOnlyAccess"):
        make_policy_text(name, load_texts()[name])
    assert preview_change(author, power, values).is_allowed


def test_owner_of_all_accounts_and_admin_widen(owner: User, author: User, reader: PermissionSet, shop: Account) -> None:
    assert preview_change(owner, reader, {"inline_policy": WRITE}).is_allowed
    assert preview_change(make_user("管理", is_staff=True), reader, {"inline_policy": WRITE}).is_allowed
    use(reader, author, "blog")
    refused = preview_change(owner, reader, {"inline_policy": WRITE})
    assert [reached.account.name for reached in refused.strange] == ["blog"]
    assert [reason.code for reason in refused.reasons] == ["set_widens_admin"], "nobody owns both"


def test_set_in_use_nowhere_may_do_whatever_its_author_likes(author: User, reader: PermissionSet) -> None:
    preview = preview_change(author, reader, {"inline_policy": WRITE})
    assert (preview.is_allowed, preview.does_more, preview.seconds) == (True, True, 0)


def test_access_that_is_only_wished_counts(author: User, owner: User, reader: PermissionSet) -> None:
    account = make_account("blog")
    make_record(in_force={"account_id": account.account_id, "permission_set": "Reader", "expires_on": None})
    make_record(in_force={"account_id": "999999999999", "permission_set": "Reader", "expires_on": "2020-01-31"})
    make_record(in_force={"account_id": "999999999999", "permission_set": "Other", "expires_on": None})
    assert find_places("Reader") == {account.account_id}
    assert not preview_change(author, reader, {"inline_policy": WRITE}).is_allowed


def test_effect_counts_people_once(author: User, owner: User, reader: PermissionSet, shop: Account) -> None:
    blog = use(reader, owner, "blog")
    member = get_principal(author)
    for account in (shop, blog):
        make_assignment(member, account=account, permission_set=reader)
    preview = preview_change(author, reader, {"description": "other"})
    assert [(reached.account.name, reached.people) for reached in preview.accounts] == [("blog", 4), ("shop", 4)]
    assert (preview.people, preview.provisioned, preview.seconds) == (7, 2, 4)
    assert preview_change(author, reader, {}).seconds == 0


def test_seconds_follow_awss_pace() -> None:
    assert [estimate_seconds(accounts) for accounts in (0, 1, 3, 37)] == [0, 4, 4, 40]


def test_new_name_is_a_rename(author: User, reader: PermissionSet) -> None:
    assert preview_change(author, reader, {"name": "Viewer"}).is_rename
    assert not preview_change(author, reader, {"name": " Ｒeader"}).is_rename


def test_values_that_cannot_be_read_are_problems(author: User, reader: PermissionSet, shop: Account) -> None:
    preview = preview_change(author, reader, {"inline_policy": "{", "session_duration": "99h"})
    assert {problem.field for problem in preview.problems} == {"inline_policy", "session_duration"}


def test_guardrails_are_decided_for_new_and_existing_access(author: User, reader: PermissionSet, shop: Account) -> None:
    Guardrail.objects.create(name="no admin", effect="refuse", power="admin", sentence="No", account_id=shop.account_id)
    Guardrail.objects.create(name="elsewhere", effect="refuse", power="admin", account_id="000000000000")
    assert preview_change(author, reader, {"description": "other"}).guardrails == ()
    (verdict,) = preview_change(author, reader, {"managed_policies": ["AdministratorAccess"]}).guardrails
    assert (verdict.account, verdict.rule, verdict.is_new) == (shop, "no admin", True)
    assert (verdict.refuses_new, verdict.existing, verdict.ends_on) == (True, 2, None)


@pytest.mark.parametrize(("by", "broken"), [("head", 1), ("owner", 2)])
def test_rule_about_roles_asks_who_registered_what_is_there(
    author: User, owner: User, reader: PermissionSet, shop: Account, by: str, broken: int
) -> None:
    """Of the two assignments in shop one was registered; whoever only edits the set is not asked."""
    head = make_principal("head")
    Guardrail.objects.create(
        name="by roles", effect="roles_only", roles="head", account_id=shop.account_id, power="admin"
    )
    row = shop.assignments.select_related("principal").get(principal__type="USER")
    PrincipalLink.objects.create(source="kintone_user", key="taro", principal=row.principal, how="kintone_code")
    writer = head if by == "head" else get_principal(owner)
    in_force = {"account_id": shop.account_id, "by": {"kintone_user:taro": writer.principal_id}}
    Wish.objects.create(assignment=row, record=make_record(in_force=in_force))
    (verdict,) = preview_change(author, reader, {"managed_policies": ["AdministratorAccess"]}).guardrails
    assert verdict.existing == broken


def test_rule_about_days_counts_from_the_record(author: User, reader: PermissionSet, shop: Account) -> None:
    Guardrail.objects.create(name="a week", effect="expires_within", days=7, account_id=shop.account_id, power="admin")
    row = shop.assignments.get(principal__type="USER")
    today = timezone.localdate()
    record = make_record(in_force={"account_id": shop.account_id}, updated_at=timezone.now())
    Wish.objects.create(assignment=row, record=record, expires_on=today + timedelta(days=7))
    Assignment.objects.update(since=timezone.now() - timedelta(days=90))
    (verdict,) = preview_change(author, reader, {"managed_policies": ["AdministratorAccess"]}).guardrails
    assert verdict.existing == 1, "the group's has no last day"


# --- Names ------------------------------------------------------------------------------------------------------------


def test_name_of_a_set_without_record_is_taken_by_its_owners_only(
    author: User, owner: User, reader: PermissionSet, shop: Account
) -> None:
    record = Record.objects.get(title="Reader")
    Record.objects.filter(pk=record.pk).update(gone_at=datetime.now(UTC))
    values = {"name": "Reader", "inline_policy": READ, "permissions_boundary": "/limits/Reader"}
    other = make_user("他人")
    assert [reason.code for reason in preview_change(other, None, values).reasons] == ["set_taken"]
    assert preview_change(owner, None, values).is_allowed
    Record.objects.filter(pk=record.pk).update(in_force={**(record.in_force or {}), "owners": ["author"]})
    assert preview_change(author, None, values).is_allowed, "its own author registers it again"
    assert not preview_change(author, None, {**values, "inline_policy": WRITE}).is_allowed


def test_new_name_is_anybodys() -> None:
    assert preview_change(make_user(), None, {"name": "Fresh", "managed_policies": ["AdministratorAccess"]}).is_allowed


def test_name_that_others_have_registered_is_not_defined_by_anybody(author: User, owner: User) -> None:
    account = make_account("shop", tags_read_at=datetime.now(UTC))
    OwnerEntry.objects.create(account=account, principal=get_principal(owner))
    make_record(in_force={"account_id": account.account_id, "permission_set": "Fresh"})
    values = {"name": "Fresh", "managed_policies": ["AdministratorAccess"]}
    (reason,) = preview_change(author, None, values).reasons
    assert (reason.code, reason.params["accounts"]) == ("set_wished", "shop")
    assert preview_change(owner, None, values).is_allowed
    assert preview_change(make_user(is_staff=True), None, values).is_allowed


# --- The service ------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(reader: PermissionSet) -> None:
    fields = ("name", "description", "inline_policy", "permissions_boundary", "owners")
    AppState.objects.create(kind=AppKind.PERMISSION_SET, app_id="23", fields={name: name for name in fields})
    written = {"name": "Reader", "inline_policy": READ, "permissions_boundary": "/limits/Reader"}
    Record.objects.filter(title="Reader").update(body={name: {"value": text} for name, text in written.items()})


@pytest.mark.usefixtures("app")
def test_service_refuses_what_the_form_would(author: User, owner: User, reader: PermissionSet, shop: Account) -> None:
    def save(values: dict[str, Any]) -> str:
        try:
            return saving.save(AppKind.PERMISSION_SET, author, values, record=reader.record).state
        except NotPossible as refusal:
            return refusal.reason.code

    assert save({"inline_policy": WRITE}) == "set_widens"
    assert save({"name": "Viewer"}) == "set_rename_here"
    assert save({"inline_policy": ""}) == "waiting"
    with pytest.raises(NotPossible):
        saving.save(AppKind.PERMISSION_SET, make_user(), {"name": "Reader", "inline_policy": WRITE})
