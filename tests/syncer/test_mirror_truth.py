"""What AWS has, as rows: what came, what changed, what went."""

from datetime import timedelta

import pytest

from accounts.models import (
    Account,
    AwsPolicy,
    GroupMembership,
    Instance,
    OrganizationalUnit,
    PermissionSet,
    Person,
    Principal,
    PrincipalLink,
)
from accounts.models.searching import refold
from syncer.directory import LinkKey, NewLink
from syncer.mirror import truth
from syncer.mirror.links import load_links
from syncer.states import Boundary, Definition, PolicyReference
from tests.factories import make_person, make_principal
from tests.syncer.running import sync
from tests.syncer.worlds import DOMAIN, NEWCOMER, World

pytestmark = pytest.mark.django_db

FULL = Definition(
    description="everything",
    session_duration=timedelta(minutes=90),
    relay_state="https://example.com/",
    managed_policies=frozenset({"arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    customer_managed_policies=frozenset({PolicyReference("/", "Root"), PolicyReference("/a/b/", "Deep")}),
    inline_policy='{"Version": "2012-10-17"}',
    permissions_boundary=Boundary(customer_managed=PolicyReference("/team/", "Limits")),
)


@pytest.mark.parametrize(
    "definition",
    [
        Definition(),
        FULL,
        Definition(session_duration=timedelta(hours=12)),
        Definition(session_duration=timedelta(minutes=45)),
        Definition(permissions_boundary=Boundary(managed_policy="arn:aws:iam::aws:policy/ReadOnlyAccess")),
    ],
)
def test_definition_survives_the_mirror(definition: Definition) -> None:
    assert truth.definition_from_json(truth.definition_as_json(definition)) == definition


def test_organization_is_mirrored_with_its_units(world: World) -> None:
    sync()
    assert Instance.objects.get().instance_arn == world.aws.instance_arn
    assert dict(Account.objects.values_list("name", "state"))["closed"] == "SUSPENDED"
    assert Account.objects.get(is_management=True).account_id == world.aws.management_account_id
    shop = Account.objects.select_related("ou").get(name="shop")
    assert shop.ou
    assert shop.ou.path == "service"


def test_moved_account_and_renamed_tree_follow(world: World) -> None:
    sync()
    unit = world.aws.add_ou("Production", world.aws.add_ou("payments"))
    world.aws.move_account(world.account_ids["shop"], unit)
    sync()
    shop = Account.objects.select_related("ou").get(name="shop")
    assert shop.ou
    assert (shop.ou.path, shop.stage) == ("payments/Production", "production")
    assert OrganizationalUnit.objects.filter(path="service").exists()


def test_account_that_left_is_gone_and_comes_back(world: World) -> None:
    sync()
    organization = world.aws.organization
    blog = organization.accounts[world.account_ids["blog"]]
    organization.all_accounts.remove(blog.number)
    sync()
    assert Account.objects.get(name="blog").gone_at
    organization.all_accounts.add(blog.number, blog)
    sync()
    assert Account.objects.get(name="blog").gone_at is None


def test_user_of_the_identity_store_is_a_person(world: World) -> None:
    sync()
    hana = Person.objects.get(principal__name=f"hana@{DOMAIN}")
    assert (hana.name, hana.email) == ("hana", f"hana@{DOMAIN}")


def test_removed_user_stays_known_as_gone(world: World) -> None:
    sync()
    world.aws.remove_user(world.principal_ids["ken"])
    sync()
    assert Principal.objects.get(name=f"ken@{DOMAIN}").gone_at
    assert Person.objects.filter(principal__name=f"ken@{DOMAIN}").exists()


def test_orphan_has_a_row_without_a_name(world: World) -> None:
    world.aws.remove_user(world.principal_ids["taro"])
    sync()
    orphan = Principal.objects.get(principal_id=world.principal_ids["taro"])
    assert orphan.name == ""
    assert orphan.assignments.filter(account__name="shop", in_aws=True).exists()


def test_members_of_assigned_groups_follow(world: World) -> None:
    world.register_set("Reader")
    world.register("shop", "Reader", groups="developers")
    sync()
    sync()  # memberships are read of groups that are assigned
    assert [row.member.name for row in GroupMembership.objects.all()] == [f"ken@{DOMAIN}"]
    developers = world.principal_ids["developers"]
    world.aws.remove_member(developers, world.principal_ids["ken"])
    world.aws.add_member(developers, world.principal_ids["hana"])
    sync()
    assert [row.member.name for row in GroupMembership.objects.all()] == [f"hana@{DOMAIN}"]


def test_set_made_anew_under_its_name_is_found(world: World) -> None:
    world.register_set("Reader")
    sync()
    arn = world.aws.permission_set_arn("Reader")
    world.aws.center.remove_set(arn)
    again = world.add_set("Reader")
    sync()
    assert PermissionSet.objects.get(name="Reader").arn == again != arn


def test_set_that_is_gone_has_no_arn(world: World) -> None:
    sync()
    world.unassign("shop", "Legacy", "taro")
    world.aws.center.remove_set(world.aws.permission_set_arn("Legacy"))
    sync()
    legacy = PermissionSet.objects.get(name="Legacy")
    assert (legacy.arn, legacy.ownership) == (None, PermissionSet.Ownership.ABSENT)


def test_aws_policies_are_read_once_a_day(world: World) -> None:
    sync()
    assert AwsPolicy.objects.filter(name="ReadOnlyAccess").exists()
    world.aws.calls.clear()
    sync()
    assert not world.aws.calls["iam:ListPolicies"]
    sync("--full")
    assert world.aws.calls["iam:ListPolicies"]


def link(key: str, principal_id: str | None) -> NewLink:
    return NewLink(LinkKey(PrincipalLink.Source.KINTONE_USER, key), principal_id or "", "user_name")


def test_first_match_is_kept() -> None:
    first, second = make_principal("hana@example.com"), make_principal("hana@example.org")
    truth.store_links([link("hana", first.principal_id)])
    truth.store_links([link("hana", second.principal_id)])
    assert load_links().principals == {LinkKey("kintone_user", "hana"): first.principal_id}


def test_person_gets_the_code_he_was_found_by() -> None:
    person = make_person("花", kintone_code="")
    assert person.principal
    truth.store_links([link("hana", person.principal.principal_id)])
    person.refresh_from_db()
    assert person.kintone_code == "hana"


def test_code_of_somebody_else_is_not_taken() -> None:
    make_person("花", kintone_code="hana")
    other = make_person("別の花", kintone_code="")
    assert other.principal
    truth.store_links([link("hana", other.principal.principal_id)])
    other.refresh_from_db()
    assert other.kintone_code == ""


_SEARCHED = (Account, OrganizationalUnit, PermissionSet, Person, Principal)


def _list_stale_keys() -> list[str]:
    rows = [row for model in _SEARCHED for row in model._base_manager.all()]
    stored = [row.search_key for row in rows]
    refold(rows)
    return [key for key, row in zip(stored, rows, strict=True) if key != row.search_key]


def test_what_a_run_writes_can_be_searched(world: World) -> None:
    """Its writers go by in bulk, and so has each to see to what its rows are found by."""
    world.register_set("Reader", description="ログ を見る")
    world.register("shop", "Reader", "hana", NEWCOMER)
    sync()
    assert _list_stale_keys() == []
    assert Person.objects.filter(search_key__contains=NEWCOMER).count() == 1
    Account.objects.update(name="old", search_key="old")
    OrganizationalUnit.objects.exclude(path="").update(path="old", search_key="old")
    Person.objects.exclude(principal__principal_id=None).update(name="old", kintone_code="", search_key="old")
    Principal.objects.exclude(principal_id=None).update(display_name="old", search_key="old")
    PermissionSet.objects.update(description="old", search_key="old")
    PrincipalLink.objects.all().delete()
    sync("--full")
    assert _list_stale_keys() == []
    assert not any(model._base_manager.filter(search_key__contains="old").exists() for model in _SEARCHED)
    assert PermissionSet.objects.get(name="Reader").search_key == "reader\nろぐを見る"
