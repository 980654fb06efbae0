"""Undo from kintone to AWS: what was in force is so again, whoever presses; everything else is decided anew."""

from typing import Any

import pytest
from django.utils import timezone

from accounts import stops
from accounts.models import (
    Account,
    Draft,
    Guardrail,
    OwnerEntry,
    Person,
    PortalWrite,
    Principal,
    Record,
    User,
    Withheld,
)
from syncer.drafts import undoing, withdrawing
from syncer.models import Withdrawal
from syncer.tasks import write_drafts
from tests.factories import make_user
from tests.syncer.running import sync
from tests.syncer.worlds import DOMAIN, FOREIGN, World

pytestmark = pytest.mark.django_db
BOTH = {("shop", "Reader", "hana"), ("shop", "Reader", "taro")}


@pytest.fixture
def company(world: World) -> World:
    """Hana and Taro have Reader in shop."""
    world.register_set("Reader")
    world.register("shop", "Reader", "hana", "taro")
    assert sync().code == 0
    return world


def make_member(name: str) -> User:
    return make_user(name, person=Person.objects.get(principal=find(name)))


def find(name: str) -> Principal:
    return Principal.objects.get(name=f"{name}@{DOMAIN}")


def take_out(user: User, name: str) -> Withdrawal:
    record = Record.objects.get(kind="assignment")
    checksum = withdrawing.make_list_checksum([withdrawing.plan_removal(record, find(name))])
    return Withdrawal.objects.get(draft=withdrawing.take_out(user, find(name), [record], checksum, chosen={record.pk}))


def end_record(user: User) -> Withdrawal:
    taking = withdrawing.plan_end(Record.objects.get(kind="assignment"))
    checksum = withdrawing.make_list_checksum([taking])
    return Withdrawal.objects.get(draft=withdrawing.end_record(user, taking.record, checksum))


def undo(withdrawal: Withdrawal) -> Draft:
    user = withdrawal.draft.author
    return undoing.undo(withdrawal.pk, user, now=timezone.now(), today=timezone.localdate())


def granted(world: World) -> set[tuple[str, str, str]]:
    return world.granted() - FOREIGN


def users_of(world: World, record_id: int) -> list[Any]:
    return [user["code"] for user in world.assignments.record(record_id)["users"]["value"]]


def test_who_may_not_give_access_puts_himself_back(company: World) -> None:
    withdrawal = take_out(make_member("taro"), "taro")
    write_drafts.apply()
    assert granted(company) == BOTH - {("shop", "Reader", "taro")}
    undo(withdrawal)
    write_drafts.apply()
    assert (granted(company), users_of(company, 1)) == (BOTH, ["hana", "taro"])
    assert not Withheld.objects.exists()
    assert PortalWrite.objects.latest("revision").puts_back is not None


def test_undo_beside_an_edit_lets_nobody_else_in(company: World) -> None:
    """Ken came by somebody who may not: the undo neither loses him nor answers for him."""
    withdrawal = take_out(make_member("taro"), "taro")
    write_drafts.apply()
    company.assignments.edit_record(1, {"users": ["hana", "ken"]}, by="ken")
    undo(withdrawal)
    write_drafts.apply()
    assert (granted(company), users_of(company, 1)) == (BOTH, ["hana", "ken", "taro"])
    assert [row.value for row in Withheld.objects.all()] == ["+kintone_user:ken"]


def test_ended_record_is_back_as_a_new_one(company: World) -> None:
    owner = make_member("ken")
    OwnerEntry.objects.create(account=Account.objects.get(name="shop"), principal=find("ken"))
    withdrawal = end_record(owner)
    write_drafts.apply()
    assert granted(company) == set()
    undo(withdrawal)
    write_drafts.apply()
    assert (granted(company), users_of(company, 2)) == (BOTH, ["hana", "taro"])


def test_who_loses_the_account_on_the_way_registers_nobody(company: World) -> None:
    owner = make_member("ken")
    OwnerEntry.objects.create(account=Account.objects.get(name="shop"), principal=find("ken"))
    withdrawal = end_record(owner)
    write_drafts.apply()
    undo(withdrawal)
    OwnerEntry.objects.all().delete()
    write_drafts.apply()
    assert granted(company) == set()
    assert Withheld.objects.count() == 2


@pytest.mark.parametrize("barrier", ["lock", "freeze", "guardrail"])
def test_barriers_are_decided_again(company: World, barrier: str) -> None:
    withdrawal, admin = take_out(make_member("taro"), "taro"), make_user("管理", is_staff=True)
    write_drafts.apply()
    if barrier == "lock":
        stops.lock_out(admin, Person.objects.get(kintone_code="taro"), "lost laptop")
    elif barrier == "freeze":
        stops.freeze(admin, Account.objects.get(name="shop"), "incident")
    else:
        Guardrail.objects.create(name="groups", effect="groups_only", sentence="Groups only.")
    undo(withdrawal)
    write_drafts.apply()
    assert (granted(company), users_of(company, 1)) == (BOTH - {("shop", "Reader", "taro")}, ["hana", "taro"])


def test_undo_before_kintone_was_asked_writes_nothing(company: World) -> None:
    undo(take_out(make_member("taro"), "taro"))
    write_drafts.apply()
    assert (granted(company), users_of(company, 1)) == (BOTH, ["hana", "taro"])
    assert not PortalWrite.objects.exists()
