"""A permission set gets a new name, or goes: what is written, who moves, what the brake counts, what is left."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Draft, PermissionSet, Person, User
from syncer import tasks
from syncer.changes import target_of
from syncer.drafts import writing
from syncer.drafts.drafting import NotPossible
from syncer.models import Farewell, Notice, SetVersion
from syncer.sets import deletion as set_deletion
from syncer.sets import renaming
from syncer.sets.farewells import load_confirmed
from tests.factories import make_user
from tests.syncer.running import sync
from tests.syncer.worlds import FOREIGN, World

pytestmark = pytest.mark.django_db
PEOPLE = ("hana", "taro", "ken")


@pytest.fixture
def company(world: World) -> World:
    """Everybody has Reader in shop, Ken also in blog: more than the brake lets go unseen."""
    world.register_set("Reader", description="読むだけ")
    world.register("shop", "Reader", *PEOPLE)
    world.register("blog", "Reader", "ken", "taro")
    assert sync().code == 0
    return world


@pytest.fixture
def admin(company: World) -> User:
    return make_user("管理", person=Person.objects.get(kintone_code="hana"), is_staff=True)


def reader() -> PermissionSet:
    return PermissionSet.objects.select_related("record").get(name="Reader")


def granted(world: World) -> set[tuple[str, str, str]]:
    return world.granted() - FOREIGN


def rename(user: User, name: str = "Viewer") -> Draft:
    return renaming.rename(reader(), user, name, renaming.plan_rename(user, reader(), name).checksum)


def delete(user: User) -> Farewell:
    return set_deletion.delete(reader(), user, set_deletion.plan_deletion(user, reader()).checksum)


def test_rename_moves_all_and_nobody_loses_access(company: World, admin: User) -> None:
    before = granted(company)
    rename(admin)
    tasks.write_drafts()
    sync()
    tasks.sweep()
    assert granted(company) == {(account, "Viewer", who) for account, _name, who in before}
    assert company.sets.record_ids() == [2], "the old record went with its last assignment"
    assert sync().code == 0
    assert not PermissionSet.objects.filter(name="Reader").exclude(state=PermissionSet.State.REMOVED).exists()
    event = AuditEvent.objects.get(action="permission_set.rename")
    assert (event.actor, (event.after or {})["name"]) == (admin, "Viewer")


def test_owner_of_the_set_who_owns_no_account_renames_it(company: World) -> None:
    owner = make_user("健", person=Person.objects.get(kintone_code="ken"))
    rename(owner)
    tasks.write_drafts()
    sync()
    assert {name for _account, name, _who in granted(company)} == {"Viewer"}


def test_only_the_confirmed_list_is_renamed(company: World, admin: User) -> None:
    checksum = renaming.plan_rename(admin, reader(), "Viewer").checksum
    company.register("blog", "Reader", "hana")
    sync()
    with pytest.raises(NotPossible) as refused:
        renaming.rename(reader(), admin, "Viewer", checksum)
    assert (refused.value.reason.code, Draft.objects.count(), Farewell.objects.count()) == ("list_changed", 0, 0)


def test_names_that_are_none_or_taken_are_refused(company: World, admin: User) -> None:
    company.register_set("Taken")
    sync()
    for name, code in (
        ("Reader", "name_wrong"),
        ("", "name_wrong"),
        ("a b", "name_wrong"),
        ("Taken", "set_name_in_use"),
    ):
        with pytest.raises(NotPossible) as refused:
            renaming.plan_rename(admin, reader(), name)
        assert refused.value.reason.code == code


def test_pressed_twice_renames_once(company: World, admin: User) -> None:
    rename(admin)
    with pytest.raises(NotPossible) as refused:
        rename(admin, "Other")
    assert refused.value.reason.code == "set_is_going"


def test_old_record_that_somebody_edited_stays(company: World, admin: User) -> None:
    rename(admin)
    company.edit(f"{company.sets.id}:1", description="still needed")
    tasks.write_drafts()
    sync()
    tasks.sweep()
    assert company.sets.record_ids() == [1, 2]
    assert Farewell.objects.get().ended_at is not None


def test_new_set_does_not_do_more_while_records_are_on_their_way(company: World) -> None:
    """Its author widens the empty copy before anybody has come: it counts as assigned where they come from."""
    owner = make_user("健", person=Person.objects.get(kintone_code="ken"))
    rename(owner)
    writing.write_drafts()
    number = company.sets.record_ids()[-1]
    company.sets.edit_record(number, {"managed_policies": "AdministratorAccess"}, by="ken")
    sync()
    viewer = PermissionSet.objects.get(name="Viewer")
    assert (viewer.actual or {})["managed_policies"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert {name for _account, name, _who in granted(company)} == {"Viewer"}, "and nobody loses anything by it"


# --- Deleting ---------------------------------------------------------------------------------------------------------


def test_set_goes_with_the_records_that_name_it(company: World, admin: User) -> None:
    plan = set_deletion.plan_deletion(admin, reader())
    assert (len(plan.records), len(plan.assignments), plan.others) == (2, 5, ())
    set_deletion.delete(reader(), admin, plan.checksum)
    tasks.write_drafts()
    outcome = sync()
    tasks.sweep()
    assert (outcome.code, granted(company)) == (0, set()), "the brake counts nothing that was on the screen"
    assert (company.sets.record_ids(), company.assignments.record_ids()) == ([], [])


def test_same_without_the_list_on_the_screen_is_held(company: World) -> None:
    company.delete(f"{company.assignments.id}:1", f"{company.assignments.id}:2")
    assert sync().code == 3


def test_stale_list_deletes_nothing(company: World, admin: User) -> None:
    checksum = set_deletion.plan_deletion(admin, reader()).checksum
    company.register("blog", "Reader", "hana")
    sync()
    with pytest.raises(NotPossible) as refused:
        set_deletion.delete(reader(), admin, checksum)
    assert (refused.value.reason.code, Draft.objects.count()) == ("list_changed", 0)


def test_records_of_others_keep_the_set(company: World) -> None:
    owner = make_user("健", person=Person.objects.get(kintone_code="ken"))
    record = reader().record
    assert record
    record.in_force = {**(record.in_force or {}), "owners": ["ken"]}
    record.save()
    plan = set_deletion.plan_deletion(owner, reader())
    assert (set_deletion.may_delete(owner, reader()), len(plan.others)) == (True, 2)
    with pytest.raises(NotPossible) as refused:
        set_deletion.delete(reader(), owner, plan.checksum)
    assert refused.value.reason.code == "set_named_by_others"


# --- What came to nothing ---------------------------------------------------------------------------------------------


def settle(state: Draft.State, **which: object) -> None:
    Draft.objects.filter(**which).update(state=state)


@pytest.mark.parametrize("state", [Draft.State.REFUSED, Draft.State.CONFLICT, Draft.State.DISCARDED])
def test_brake_counts_what_a_refused_rename_would_have_moved(company: World, admin: User, state: Draft.State) -> None:
    rename(admin)
    assert len(load_confirmed(timezone.now())) == 6, "five assignments and the set"
    settle(state, record=None)
    assert load_confirmed(timezone.now()) == frozenset()
    company.delete(f"{company.assignments.id}:1", f"{company.assignments.id}:2")
    assert sync().code == 3, "nobody asked for it"


def test_brake_counts_what_a_record_that_was_not_withdrawn_wants(company: World, admin: User) -> None:
    set_deletion.delete(reader(), admin, set_deletion.plan_deletion(admin, reader()).checksum)
    settle(Draft.State.REFUSED, record__record_id="1")
    good = load_confirmed(timezone.now())
    assert {target_of(each) for each in good if " assignment " in each} == {company.account_ids["blog"]}


@pytest.mark.parametrize("first", [rename, delete])
@pytest.mark.parametrize("second", [rename, delete])
def test_what_got_stuck_can_be_tried_again(
    company: World, admin: User, first: Callable[[User], object], second: Callable[[User], object]
) -> None:
    first(admin)
    with pytest.raises(NotPossible):
        second(admin)
    settle(Draft.State.REFUSED)
    second(admin)
    assert Farewell.objects.filter(ended_at__isnull=True).count() == 1


# --- Versions ---------------------------------------------------------------------------------------------------------


def test_every_version_in_force_is_kept(company: World) -> None:
    company.edit(f"{company.sets.id}:1", description="new")
    sync()
    sync()
    rows = SetVersion.objects.order_by("pk").values_list("name", "revision", "values__description")
    assert list(rows) == [("Reader", 1, "読むだけ"), ("Reader", 2, "new")]
    notice = Notice.objects.get(code="notice_set_changed")
    assert {name: notice.params[name] for name in ("set", "count", "accounts")} == {
        "set": "Reader", "count": 2, "accounts": "blog, shop",
    }  # fmt: skip
    assert list(SetVersion.objects.exclude(writer_name="").values_list("revision", flat=True))[-1:] == [2]
