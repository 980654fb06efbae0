"""`VISIBILITY=own`: one's own access and records; what is somebody else's is not found."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import access
from accounts.models import AppKind, Guardrail, OwnerEntry, PortalWrite, User
from syncer.mirror.records import wish_as_json
from syncer.models import AppState
from syncer.states import SetWish
from tests import factories
from tests.portal.pages import get_text, make_client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_only(settings: Settings) -> None:
    settings.VISIBILITY = "own"


class World:
    """Something of the user's own beside something of somebody else's."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.own, self.foreign = (self._make(name) for name in ("own", "foreign"))
        factories.make_assignment(
            user, account=self.own["account"], permission_set=self.own["set"], record=self.own["record"]
        )
        group = factories.make_group("own-team", factories.get_principal(user))
        self.own["group"], self.foreign["group"] = group, factories.make_group("foreign-team")
        self.own["person"], self.foreign["person"] = user.person, factories.make_person("foreign-person")
        self.foreign["assignment"] = factories.make_assignment(
            self.foreign["person"].principal,
            account=self.foreign["account"],
            permission_set=self.foreign["set"],
            record=self.foreign["record"],
        )

    def _make(self, name: str) -> dict[str, Any]:
        record = factories.make_record(title=f"{name}-record")
        factories.make_problem(record)
        return {
            "account": factories.make_account(f"{name}-account"),
            "set": factories.make_permission_set(f"{name}-set"),
            "record": record,
        }

    @staticmethod
    def list_urls(things: dict[str, Any]) -> list[str]:
        return [
            f"/accounts/{things['account'].account_id}/",
            f"/permission-sets/{things['set'].pk}/",
            f"/assignments/{things['record'].pk}/",
            f"/records/24/{things['record'].record_id}/",
            f"/people/{things['person'].pk}/",
            f"/groups/{things['group'].pk}/",
        ]


def test_outsider_gets_404() -> None:
    world = World(factories.make_user())
    client = make_client(world.user)
    assert {client.get(url).status_code for url in world.list_urls(world.foreign)} == {404}


def test_own_things_are_found() -> None:
    world = World(factories.make_user())
    client = make_client(world.user)
    assert {client.get(url).status_code for url in world.list_urls(world.own)} == {200, 302}


@pytest.mark.parametrize("url", ["/", "/accounts/", "/permission-sets/", "/people/", "/problems/", "/cli/"])
def test_lists_leave_out_what_is_not_mine(url: str) -> None:
    world = World(factories.make_user())
    assert "foreign" not in get_text(make_client(world.user), url)


@pytest.mark.parametrize("role", ["is_staff", "is_auditor"])
def test_admin_and_auditor_see_everything(role: str) -> None:
    roles: dict[str, Any] = {role: True}
    world = World(factories.make_user(**roles))
    client = make_client(world.user)
    assert {client.get(url).status_code for url in world.list_urls(world.foreign)} == {200, 302}
    assert "foreign-account" in get_text(client, "/accounts/")


def test_everybody_sees_everything_by_default(settings: Settings) -> None:
    settings.VISIBILITY = "all"
    world = World(factories.make_user())
    assert "foreign-account" in get_text(make_client(world.user), "/accounts/")


def test_shared_account_shows_my_own_way_in_only() -> None:
    world = World(factories.make_user())
    factories.make_assignment(world.foreign["person"].principal, account=world.own["account"])
    text = get_text(make_client(world.user), f"/accounts/{world.own['account'].account_id}/")
    assert "own-set" in text
    assert "foreign" not in text


@pytest.mark.parametrize("owns", [True, False])
def test_one_account_shows_what_all_accounts_show_of_it(*, owns: bool) -> None:
    user, account = factories.make_user(), factories.make_account(tags_read_at=timezone.now())
    factories.make_assignment(user, account=account)
    factories.make_assignment(factories.make_user(), account=account)
    factories.make_assignment(factories.make_user(), account=account, state="removed")
    if owns:
        OwnerEntry.objects.create(account=account, principal=factories.get_principal(user))
    seen = access.visible_in_account(user, account)
    assert seen.count() == (2 if owns else 1)
    assert set(seen) == set(access.visible_assignments(user).filter(account=account))
    assert access.visible_account(user, account.account_id).get() == account
    assert not access.visible_account(user, factories.make_account().account_id).exists()


@pytest.mark.parametrize("kind", list(AppKind))
def test_owner_of_a_record_sees_it(kind: AppKind) -> None:
    user = factories.make_user()
    assert user.person is not None
    owners = {"owners": {"type": "USER_SELECT", "value": [{"code": user.person.kintone_code, "name": "人"}]}}
    record = factories.make_record(kind, body=owners)
    other = factories.make_record(
        kind, body={"owners": {"type": "USER_SELECT", "value": [{"code": "other", "name": "人"}]}}
    )
    factories.make_permission_set(record=record)
    client = make_client(user)
    assert client.get(f"/records/{record.app_id}/{record.record_id}/").status_code == 302
    assert client.get(f"/records/{other.app_id}/{other.record_id}/").status_code == 404


def test_owner_whose_code_is_japanese_sees_his_record() -> None:
    user = factories.make_user(person=factories.make_person(kintone_code="佐藤陽菜"))
    owners = {"owners": {"type": "USER_SELECT", "value": [{"code": "佐藤陽菜", "name": "佐藤 陽菜"}]}}
    record = factories.make_record(body=owners)
    assert make_client(user).get(f"/assignments/{record.pk}/").status_code == 200


@pytest.mark.parametrize("named", [{"code": "sato2", "name": "佐藤"}, {"code": "suzuki", "name": "sato"}])
def test_longer_code_or_a_name_is_somebody_else(named: dict[str, str]) -> None:
    user = factories.make_user(person=factories.make_person(kintone_code="sato"))
    record = factories.make_record(body={"owners": {"value": [named]}})
    assert make_client(user).get(f"/assignments/{record.pk}/").status_code == 404


def test_case_and_width_of_a_code_do_not_matter() -> None:
    user = factories.make_user(person=factories.make_person(kintone_code="sato"))
    record = factories.make_record(body={"owners": {"value": [{"code": "ＳＡＴＯ", "name": "佐藤"}]}})
    assert make_client(user).get(f"/assignments/{record.pk}/").status_code == 200


def test_author_sees_his_record_whether_made_in_kintone_or_here() -> None:
    user, other = (factories.make_user(person=factories.make_person(kintone_code=code)) for code in ("sato", "suzuki"))
    made = factories.make_record(creator_code="Sato")
    for author, status in ((user, 200), (other, 404)):
        PortalWrite.objects.create(app_id="24", record_id=f"9{author.pk}", revision=1, user=author)
        ours = factories.make_record(record_id=f"9{author.pk}", creator_code="Administrator")
        assert make_client(user).get(f"/assignments/{ours.pk}/").status_code == status
    assert make_client(user).get(f"/assignments/{made.pk}/").status_code == 200


def test_run_shows_my_own_changes_only() -> None:
    world = World(factories.make_user())
    problem = {"record": world.foreign["record"].reference, "field": "foreign", "code": "x", "severity": "error"}
    unresolved = {"scope": "everything", "operation": "foreign", "reason": {}}
    run = factories.make_run(unresolved=[unresolved], problems=[problem])
    factories.make_change(run, principal_name="foreign-person", assignment=world.foreign["assignment"])
    assert "foreign" not in get_text(make_client(world.user), f"/runs/{run.pk}/")


def test_sign_in_without_a_person_sees_nothing_of_others() -> None:
    world = World(factories.make_user())
    stranger = factories.make_user()
    stranger.person = None
    stranger.save()
    client = make_client(stranger)
    assert {client.get(url).status_code for url in world.list_urls(world.own)} == {404}
    assert "account" in get_text(client, "/accounts/")


class SetOfMine:
    """A set whose record is the user's, and which somebody else has in somebody else's account."""

    def __init__(self, user: User) -> None:
        fields = ("name", "inline_policy", "owners")
        for kind, app_id in ((AppKind.PERMISSION_SET, "23"), (AppKind.ASSIGNMENT, "24")):
            AppState.objects.create(kind=kind, app_id=app_id, fields={name: name for name in fields})
        assert user.person is not None
        person = {"code": user.person.kintone_code, "name": "人"}
        self.record = factories.make_record(
            AppKind.PERMISSION_SET, title="Mine", is_settled=True,
            body={"name": {"value": "Mine"}, "owners": {"value": [person]}},
            in_force=wish_as_json(SetWish("Mine")) | {"owners": [user.person.kintone_code]},
        )  # fmt: skip
        self.set = factories.make_permission_set("Mine", record=self.record)
        self.account = factories.make_account("foreign-account")
        named = {"account_id": self.account.account_id, "permission_set": "Mine"}
        wish = factories.make_record(in_force=named, title="foreign-record")
        somebody = factories.make_person("foreign-person").principal
        factories.make_assignment(somebody, account=self.account, permission_set=self.set, record=wish)
        owner = factories.get_principal(factories.make_user("foreign-owner"))
        OwnerEntry.objects.create(account=self.account, principal=owner)
        Guardrail.objects.create(name="wall", sentence="No.", effect="refuse", permission_set_name="Mine")


@pytest.mark.parametrize("page", ["rename/?name=Yours", "delete/"])
def test_what_becomes_of_a_set_names_nobody_whom_i_do_not_see(page: str) -> None:
    user = factories.make_user()
    found = SetOfMine(user)
    text = get_text(make_client(user), f"/permission-sets/{found.set.pk}/{page}")
    assert "foreign" not in text
    assert found.account.account_id not in text
    assert "and 1 more" in text
    assert "foreign-account" in get_text(
        make_client(factories.make_user(is_staff=True)), f"/permission-sets/{found.set.pk}/{page}"
    )


def test_refused_widening_counts_accounts_that_i_do_not_see() -> None:
    user = factories.make_user()
    found = SetOfMine(user)
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    values = {"do": "save", "name": "Mine", "inline_policy": text}
    html = make_client(user).post(f"/permission-sets/{found.set.pk}/edit/", values).content.decode()
    assert "may not let" in html
    assert "foreign" not in html
    assert html.count("and 1 more") == 2, "the account in the way, and the guardrail there"


def test_group_of_mine_counts_members_whom_i_do_not_see() -> None:
    user = factories.make_user()
    group = factories.make_group("own-team", factories.get_principal(user), factories.make_principal("foreign"))
    text = get_text(make_client(user), f"/groups/{group.pk}/")
    assert "foreign" not in text
    assert "2 people" in text
    assert "and 1 more" in text
