"""The brake: what is counted together, what is held alone, and how one might try to get past it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncer.brake import Tally, find_held
from syncer.changes import AssignmentChange, Cause, Group, Kind, Limits, Plan, group_of, identity_of
from syncer.desired import Before
from syncer.planning import Circumstances
from syncer.states import Actual, AssignmentKey, PrincipalType, Reason
from tests.syncer.values import (
    PRINCIPALS,
    SET_RECORDS,
    SHOP,
    TODAY,
    actual,
    group,
    key,
    keys_of,
    lines,
    people,
    plan,
    record,
    user,
)

LIMITS = Limits()
YESTERDAY = TODAY - timedelta(days=1)


def company(size: int, *keys: AssignmentKey, **values: Any) -> Actual:
    """So many people; each has an assignment with Admin in an account of his own."""
    ids = [f"{number:012}" for number in range(100, 500)]
    accounts = {account_id: replace(actual().accounts[SHOP], account_id=account_id) for account_id in ids}
    own = [key(f"{100 + number:012}", "Admin", f"person{number}") for number in range(size)]
    return actual(*own, *keys, accounts=accounts, principals=people(size), **values)


def leave(of: int, gone: int, limits: Limits = LIMITS, **values: Any) -> Plan:
    """The plan when so many of the people have left; the records of all name them still."""
    there = company(of)
    records = [record(number, f"person{number}", at=f"{100 + number:012}") for number in range(of)]
    left = frozenset(f"person{number}" for number in range(gone))
    return plan(*records, there=there, limits=limits, leaving=left, **values)


# --- People ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "gone", "is_held"),
    [(40, 10, False), (40, 11, True), (333, 10, False), (400, 12, False), (400, 13, True)],
)
def test_leavers_are_held_when_more_than_ten_and_three_percent(of: int, gone: int, is_held: bool) -> None:
    planned = leave(of, gone)
    assert (planned.count(Kind.DELETE), len(planned.held)) == ((0, gone) if is_held else (gone, 0))
    assert set(planned.held_because) == ({Group.PEOPLE} if is_held else set())


def test_people_are_counted_not_their_assignments() -> None:
    there = actual(*keys_of(3), *keys_of(3, name="Reader"), principals=people(3))
    limits = replace(LIMITS, people_count=3, people_share=0)
    planned = plan(there=there, limits=limits, leaving=frozenset(people(3)))
    assert (planned.count(Kind.DELETE), planned.held) == (6, ())
    assert len(plan(there=there, limits=replace(limits, people_count=2), leaving=frozenset(people(3))).held) == 6


def test_people_of_the_last_24_hours_count_and_the_same_ones_once() -> None:
    lately = frozenset(f"person{number}" for number in range(5, 13))
    assert leave(40, 10, replace(LIMITS, people_lately=lately)).held_because == {
        Group.PEOPLE: Reason("too_many_people", {"count": 13, "of": 40})
    }
    same = frozenset(f"person{number}" for number in range(10))
    assert leave(40, 10, replace(LIMITS, people_lately=same)).held == ()


def test_people_who_are_gone_are_among_everybody() -> None:
    there = replace(company(11), principals={})
    left = frozenset(people(11))
    planned = plan(there=there, limits=replace(LIMITS, people_count=0, people_share=1), leaving=left)
    assert planned.held == ()


def test_leavers_do_not_count_as_access_nor_access_as_people() -> None:
    there = company(40)
    names = [f"person{number}" for number in range(40)]
    records = [record(number, name, at=f"{100 + number:012}") for number, name in enumerate(names) if number >= 10]
    planned = plan(*records, there=there, limits=LIMITS, leaving=frozenset(names[10:20]))
    assert (planned.count(Kind.DELETE), planned.held) == (20, ())


def test_one_group_held_lets_the_other_go() -> None:
    there = company(40)
    names = [f"person{number}" for number in range(40)]
    records = [record(number, name, at=f"{100 + number:012}") for number, name in enumerate(names) if number >= 15]
    few_leave = plan(*records, there=there, limits=LIMITS, leaving=frozenset(names[20:22]))
    assert (set(few_leave.held_because), len(few_leave.held), few_leave.count(Kind.DELETE)) == ({Group.ACCESS}, 15, 2)
    many_leave = plan(*records[5:], there=there, limits=LIMITS, leaving=frozenset(names[20:31]))
    assert set(many_leave.held_because) == {Group.ACCESS, Group.PEOPLE}
    codes = {reason.code for change in many_leave.held if (reason := many_leave.reason_for(change))}
    assert codes == {"too_large_share", "too_many_people"}


def test_one_checksum_stands_for_both_groups() -> None:
    there, left = company(40), frozenset(f"person{number}" for number in range(11))
    both = plan(there=there, limits=LIMITS, leaving=left)
    accepted = replace(LIMITS, accepted=frozenset(map(identity_of, both.held)))
    assert (len(both.held), set(both.held_because)) == (40, {Group.ACCESS, Group.PEOPLE})
    assert plan(there=there, limits=accepted, leaving=left).count(Kind.DELETE) == 40


def test_groups_that_are_gone_count_as_access() -> None:
    groups = {f"developers{number}": group(f"developers{number}") for number in range(6)}
    there = actual(*(key(principal_id=name) for name in groups), principals=PRINCIPALS)
    planned = plan(there=there, limits=LIMITS, leaving=frozenset(groups))
    assert (set(planned.held_because), planned.changes) == ({Group.ACCESS}, ())


# --- What is counted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "of_user", "of_group"),
    [
        (Cause.LOCKED_OUT, None, None),
        (Cause.ENDED, None, None),
        (Cause.ASKED, None, None),
        (Cause.LEAVER, Group.PEOPLE, Group.ACCESS),
        (Cause.GONE, Group.PEOPLE, Group.ACCESS),
        (Cause.GUARDRAIL, Group.ACCESS, Group.ACCESS),
        (Cause.DRIFT, Group.ACCESS, Group.ACCESS),
        (Cause.WITHDRAWN, Group.ACCESS, Group.ACCESS),
        (Cause.NO_RECORD, Group.ACCESS, Group.ACCESS),
    ],
)
def test_every_cause_has_its_group(cause: Cause, of_user: Group | None, of_group: Group | None) -> None:
    assert group_of(cause, PrincipalType.USER) is of_user
    assert group_of(cause, PrincipalType.GROUP) is of_group


def test_no_cause_is_without_a_group_by_accident() -> None:
    uncounted = {cause for cause in Cause if group_of(cause, PrincipalType.USER) is None}
    assert uncounted == {Cause.LOCKED_OUT, Cause.ENDED, Cause.ASKED}


def test_mass_guardrail_is_held_like_mass_withdrawal() -> None:
    keys = keys_of(20)
    there = actual(*keys, principals=people(20))
    records = record(7, *people(20))
    planned = plan(records, there=there, limits=LIMITS, ending={each: Reason("guardrail") for each in keys})
    assert (planned.changes, len(planned.held), set(planned.held_because)) == ((), 20, {Group.ACCESS})


def test_lock_outs_pass_beside_what_is_held() -> None:
    there = actual(*keys_of(20), key(), principals={**PRINCIPALS, **people(20)})
    locked = Circumstances(locked={"hana": Reason("locked_out")})
    planned = plan(there=there, limits=LIMITS, circumstances=locked)
    assert (lines(planned.changes), len(planned.held)) == (["delete …1 Admin hana"], 20)


def test_lock_outs_do_not_eat_up_the_limit_of_others() -> None:
    there = actual(*keys_of(13), *keys_of(4, name="Reader", start=13), principals=people(17))
    locked = Circumstances(locked={f"person{number}": Reason("locked_out") for number in range(13)})
    planned = plan(there=there, limits=LIMITS, circumstances=locked)
    assert (planned.count(Kind.DELETE), planned.held) == (17, ())


# --- A shrunk app ----------------------------------------------------------------------------------------------------


def test_shrunk_app_holds_what_it_brings_about_and_nothing_else() -> None:
    there = actual(*keys_of(4), principals=people(4))
    planned = plan(
        record(7, "person1", until=YESTERDAY),
        record(8, "person2"),
        record(9, "person3"),
        there=there,
        limits=replace(LIMITS, shrunk=frozenset({"assignment"})),
        leaving=frozenset({"person2"}),
        ending={keys_of(4)[3]: Reason("guardrail")},
    )
    assert lines(planned.held) == ["delete …1 Admin person0"]
    assert {change.cause for change in planned.changes if isinstance(change, AssignmentChange)} == {
        Cause.ENDED,
        Cause.LEAVER,
        Cause.GUARDRAIL,
    }


def test_shrunk_app_does_not_lift_the_limits_of_the_rest() -> None:
    keys = keys_of(20)
    there = actual(*keys, key(), principals={**PRINCIPALS, **people(20)})
    limits = replace(LIMITS, shrunk=frozenset({"assignment"}))
    planned = plan(there=there, limits=limits, ending={each: Reason("guardrail") for each in keys})
    assert (planned.changes, len(planned.held)) == ((), 21)
    assert planned.held_because == {Group.ACCESS: Reason("app_shrunk")}


def test_shrunk_app_of_sets_holds_sets_and_lets_people_go() -> None:
    limits = replace(LIMITS, shrunk=frozenset({"permission_set"}))
    there = actual(key(principal_id="left"))
    planned = plan(sets=SET_RECORDS[:1], there=there, limits=limits, leaving=frozenset({"left"}))
    assert (lines(planned.changes), lines(planned.held)) == (["delete …1 Admin left"], ["delete Reader"])


# --- At the very edge ------------------------------------------------------------------------------------------------


def test_exactly_the_share_of_one_account_is_not_too_much() -> None:
    there = actual(*keys_of(10), principals=people(10))
    half = record(7, *(f"person{number}" for number in range(5, 10)))
    assert plan(half, there=there, limits=replace(LIMITS, share=0.5)).held == ()
    assert len(plan(half, there=there, limits=replace(LIMITS, share=0.49)).held) == 5


# --- Getting past it -------------------------------------------------------------------------------------------------


def test_slow_drain_is_held_by_what_went_before() -> None:
    """Four an hour from one account: each run by itself is below every limit."""
    there = actual(*keys_of(16), principals=people(16))
    gone: list[AssignmentKey] = []
    for hour in range(4):
        before = {f"24:{hour}": [Before(each, None) for each in keys_of(16)]}
        keep = [f"person{number}" for number in range(4 * (hour + 1), 16)]
        limits = replace(LIMITS, removed_lately=tuple(gone))
        planned = plan(record(hour, *keep), there=there, limits=limits, before=before)
        if planned.held:
            break
        going = [change.key for change in planned.changes if isinstance(change, AssignmentChange)]
        gone += going
        there = replace(there, assignments=there.assignments - {*going})
    assert (hour, len(gone)) == (1, 4)


def test_removals_of_other_runs_count_though_the_mirror_still_has_them() -> None:
    """A full run that is under way: its removals are due, and AWS has them still."""
    there = actual(*keys_of(16), principals=people(16))
    limits = replace(LIMITS, removed_lately=tuple(keys_of(4)))
    planned = plan(record(7, *(f"person{number}" for number in range(5, 16))), there=there, limits=limits)
    assert len(planned.held) == 5


def test_hand_made_assignments_on_other_sets_dilute_nothing() -> None:
    ours, foreign = keys_of(12), keys_of(100, name="Legacy")
    there = actual(*ours, *foreign, principals=people(100))
    tally = Tally(there)
    assert (tally.total, tally.by_account, tally.by_set) == (12, {SHOP: 12}, {"Admin": 12})


def test_nothing_of_ours_is_no_reason_to_hold_nothing() -> None:
    there = actual(principals={"hana": user("hana")})
    change = AssignmentChange(Kind.DELETE, key(), counts=True, cause=Cause.NO_RECORD)
    held = find_held([change], there, Limits(count=0, share=0.3, maximum=50), Tally(there))
    assert held.changes == {change}
    assert held.because == {Group.ACCESS: Reason("too_large_share", {"count": 1, "of": 0})}
