"""Which part of the desired state goes into the management account's HCL, and which does not."""

from datetime import date

import pytest

from syncer.desired import Before
from syncer.planning import Circumstances
from syncer.states import Definition, Ownership, Reason
from tests.syncer.terraform.company import SETS, choose, left_out, lines
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    SHOP,
    actual,
    broken,
    key,
    permission_set,
    record,
    set_record,
)

ROOT_HANA = key(MANAGEMENT, "Root", "hana")


def test_takes_what_is_wanted_in_the_management_account() -> None:
    chosen = choose(record(1, "hana", at=MANAGEMENT, name="Root"), there=actual(ROOT_HANA))
    assert lines(chosen) == ["…9 Root hana"]
    assert [each.name for each in chosen.sets] == ["Root"]
    assert (chosen.left_out, chosen.strangers, chosen.looked_up) == ((), (), ())


def test_takes_its_sets_in_member_accounts_too() -> None:
    """A delegated administrator may not assign there what is provisioned in the management account."""
    chosen = choose(record(1, "hana", at=SHOP, name="Root"), record(2, "hana", at=SHOP, name="Admin"))
    assert lines(chosen) == ["+…1 Root hana"]


def test_takes_groups_and_says_who_wants_them_until_when() -> None:
    until = date(2026, 12, 31)
    chosen = choose(
        record(1, "hana", at=MANAGEMENT, name="Root", until=until),
        record(2, at=MANAGEMENT, name="Root", groups=("developers",)),
    )
    assert lines(chosen) == ["+…9 Root developers", "+…9 Root hana"]
    assert [(each.records, each.last_day) for each in chosen.assignments] == [(("24:2",), None), (("24:1",), until)]


def test_takes_set_of_its_own_that_is_used_nowhere_else() -> None:
    chosen = choose(record(1, "hana", at=MANAGEMENT, name="Admin"))
    assert (lines(chosen), [each.name for each in chosen.sets]) == (["+…9 Admin hana"], ["Admin", "Root"])


@pytest.mark.parametrize("is_wanted", [True, False], ids=["wanted elsewhere", "there elsewhere"])
def test_set_that_the_portal_hands_out_is_left_out(is_wanted: bool) -> None:
    """Terraform would take it out of the portal's hands in all accounts."""
    elsewhere = [record(2, "taro", at=BANK, name="Admin")] if is_wanted else []
    there = actual() if is_wanted else actual(key(BANK, "Admin", "taro"))
    chosen = choose(record(1, "hana", at=MANAGEMENT, name="Admin"), *elsewhere, there=there)
    assert (lines(chosen), left_out(chosen)) == ([], {"hana@example.com": "terraform_set_shared"})
    assert [each.name for each in chosen.sets] == ["Root"]


def test_whoever_is_not_provisioned_is_left_out() -> None:
    chosen = choose(record(1, "yuki", at=MANAGEMENT, name="Root"))
    assert (lines(chosen), left_out(chosen)) == ([], {"yuki": "not_provisioned"})


def test_passed_last_day_takes_it_out() -> None:
    ended = record(1, "hana", at=MANAGEMENT, name="Root", until=date(2026, 11, 22))
    chosen = choose(ended, there=actual(ROOT_HANA), before={"24:1": [Before(ROOT_HANA, date(2026, 11, 22))]})
    assert (lines(chosen), chosen.left_out, chosen.strangers) == ([], (), ())


def test_leaver_is_taken_out() -> None:
    left = key(MANAGEMENT, "Root", "left")
    chosen = choose(record(1, "left", at=MANAGEMENT, name="Root"), there=actual(left), leaving=("left",))
    assert (lines(chosen), left_out(chosen)) == ([], {"left@example.com": "principal_disabled"})


def test_whoever_is_gone_is_taken_out() -> None:
    """Terraform cannot even look him up."""
    gone = key(MANAGEMENT, "Root", "gone")
    chosen = choose(broken(1), there=actual(gone), before={"24:1": [Before(gone, None)]})
    assert lines(chosen) == []


@pytest.mark.parametrize("is_there", [True, False])
def test_locked_out_person_is_taken_out(is_there: bool) -> None:
    locked = Circumstances(locked={"hana": Reason("locked_out", {"name": "Hana"})})
    there = actual(ROOT_HANA) if is_there else actual()
    chosen = choose(record(1, "hana", at=MANAGEMENT, name="Root"), there=there, circumstances=locked)
    assert (lines(chosen), left_out(chosen)) == ([], {"hana@example.com": "locked_out"})


def test_frozen_account_lets_nobody_new_in_and_nobody_out() -> None:
    frozen = Circumstances(frozen={MANAGEMENT: Reason("account_frozen")})
    chosen = choose(
        record(1, "hana", "taro", at=MANAGEMENT, name="Root"), there=actual(ROOT_HANA), circumstances=frozen
    )
    assert (lines(chosen), left_out(chosen)) == (["…9 Root hana"], {"taro@example.com": "account_frozen"})


def test_inactive_account_keeps_what_it_has_and_gets_nothing() -> None:
    had = key(CLOSED, "Root", "hana")
    chosen = choose(record(1, "hana", "taro", at=CLOSED, name="Root"), there=actual(had))
    assert (lines(chosen), left_out(chosen)) == (["…3 Root hana"], {"taro@example.com": "account_not_active"})


def test_broken_record_keeps_what_it_last_wanted() -> None:
    before = {"24:1": [Before(ROOT_HANA, None), Before(key(MANAGEMENT, "Root", "taro"), None)]}
    chosen = choose(broken(1), there=actual(ROOT_HANA), before=before)
    assert lines(chosen) == ["…9 Root hana"]


def test_withdrawn_wish_is_taken_out() -> None:
    chosen = choose(
        record(1, "taro", at=MANAGEMENT, name="Root"),
        there=actual(ROOT_HANA),
        before={"24:1": [Before(ROOT_HANA, None)]},
    )
    assert (lines(chosen), chosen.strangers) == (["+…9 Root taro"], ())


def test_what_no_record_wants_is_named_and_left_alone() -> None:
    chosen = choose(there=actual(ROOT_HANA, key(SHOP, "Root", "taro"), key(SHOP, "Admin", "taro")))
    assert lines(chosen) == []
    assert chosen.strangers == (key(SHOP, "Root", "taro"), ROOT_HANA)


# --- Permission sets --------------------------------------------------------------------------------------------------


def test_set_is_as_its_record_wants_it() -> None:
    (root,) = choose().sets
    assert (root.name, root.record, root.reason) == ("Root", "23:3", None)
    assert root.there is not None


def test_broken_set_stays_as_aws_has_it() -> None:
    """Without its block Terraform would delete it."""
    there = actual(sets={"Root": permission_set("Root", Ownership.TERRAFORM, description="as it was")})
    (root,) = choose(sets=[*SETS[:2], set_record(3, "Root", wish=None)], there=there).sets
    assert (root.definition, root.reason) == (Definition("as it was"), Reason("set_broken", {"set": "Root"}))


@pytest.mark.parametrize(("is_named", "names"), [(True, ["Root"]), (False, [])])
def test_set_without_record_stays_while_records_name_it(is_named: bool, names: list[str]) -> None:
    named = [record(1, "hana", at=MANAGEMENT, name="Root")] if is_named else []
    chosen = choose(*named, sets=SETS[:2], there=actual(ROOT_HANA))
    assert [each.name for each in chosen.sets] == names


def test_set_that_never_had_a_record_is_looked_up() -> None:
    """Another Terraform has made it; only who has it is kintone's word."""
    chosen = choose(
        record(1, "hana", "taro", at=MANAGEMENT, name="Root"), sets=SETS[:2], there=actual(ROOT_HANA), recorded=()
    )
    assert (chosen.sets, chosen.looked_up, lines(chosen)) == ((), ("Root",), ["…9 Root hana"])
    assert left_out(chosen) == {"taro@example.com": "set_record_gone"}


def test_set_that_is_not_ours_is_left_out() -> None:
    chosen = choose(record(1, "hana", at=MANAGEMENT, name="Legacy"), sets=[*SETS, set_record(4, "Legacy")])
    assert left_out(chosen) == {"hana@example.com": "set_not_adopted"}


def test_order_does_not_depend_on_that_of_records() -> None:
    wishes = [
        record(1, "taro", "hana", at=MANAGEMENT, name="Root"),
        record(2, at=BANK, name="Root", groups=("developers",)),
    ]
    assert choose(*wishes) == choose(*reversed(wishes))
