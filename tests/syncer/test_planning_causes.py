"""Who and what goes before what: lock-outs, leavers, a person's word, guardrails, emergency access, drift, freezes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncer.changes import AssignmentChange, Cause, Group, Kind, Limits, SetChange, Standstill, Verdict
from syncer.desired import Before, Standing, State
from syncer.planning import Circumstances, Fences, Refused, plan_run
from syncer.states import (
    Actual,
    AssignmentKey,
    Coverage,
    PrincipalType,
    Reason,
    Scope,
    SetWish,
    Unresolved,
)
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    NO_LIMITS,
    PRINCIPALS,
    SET_RECORDS,
    SHOP,
    TODAY,
    actual,
    apply,
    broken,
    desire,
    key,
    keys_of,
    lines,
    people,
    permission_set,
    plan,
    record,
    set_record,
)

YESTERDAY = TODAY - timedelta(days=1)
LIMITS = Limits()
LOCKED = Reason("locked_out", {"name": "hana"})
FROZEN = Reason("account_frozen", {"account": "account 1"})
NOT_HERE = Reason("guardrail", {"rule": "nobody here"})
BY_HAND = Reason("drift_added")
LOCK_OUT = Circumstances(locked={"hana": LOCKED})
FREEZE = Circumstances(frozen={SHOP: FROZEN})
WIDER = SetWish("Admin", relay_state="https://example.com")
WANTED_BEFORE = {"24:7": [Before(key(), None)]}


def gap(scope: Scope, blocks: str = "all") -> dict[str, Any]:
    return {"unresolved": (Unresolved(scope, "sso-admin:Any", Reason("aws_unavailable"), blocks),)}


def causes(*records: Any, there: Actual, **values: Any) -> list[Cause | None]:
    changes = plan(*records, there=there, **values).changes
    return [change.cause for change in changes if isinstance(change, AssignmentChange) and change.kind is Kind.DELETE]


# --- Lock-out --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "values"),
    [
        ({}, {}),
        (gap(Scope()), {}),
        (gap(Scope(SHOP, "Admin")), {}),
        (gap(Scope(principal_type=PrincipalType.USER), "deletes"), {}),
        (gap(Scope(principal_type=PrincipalType.USER), "names"), {}),
        ({"coverage": Coverage(frozenset()), "sets_read": frozenset()}, {}),
        ({"principals": {}}, {}),
        ({}, {"emergency": frozenset({key()})}),
        ({}, {"limits": Limits(count=0, share=0, maximum=0)}),
        ({}, {"limits": replace(LIMITS, shrunk=frozenset({"assignment"}))}),
        ({}, {"circumstances": replace(LOCK_OUT, frozen={SHOP: FROZEN})}),
        ({}, {"circumstances": replace(LOCK_OUT, drift={key(): BY_HAND})}),
        ({}, {"circumstances": replace(LOCK_OUT, refused=Refused(frozenset({key()})))}),
    ],
)
def test_lock_out_goes_through_everything(world: dict[str, Any], values: dict[str, Any]) -> None:
    planned = plan(record(7, "hana"), there=actual(key(), **world), **{"circumstances": LOCK_OUT, **values})
    (change,) = planned.changes
    assert change == AssignmentChange(Kind.DELETE, key(), "", counts=False, cause=Cause.LOCKED_OUT)
    assert planned.held == ()


@pytest.mark.parametrize("records", [(broken(7, was_valid=True),), (broken(9, at_first_run=True),)])
def test_lock_out_goes_before_what_is_not_understood(records: tuple[Any, ...]) -> None:
    there, before = actual(key()), {} if records[0].at_first_run else WANTED_BEFORE
    assert causes(*records, there=there, before=before, circumstances=LOCK_OUT) == [Cause.LOCKED_OUT]


@pytest.mark.parametrize(
    "out_of_reach",
    [key(CLOSED), key(MANAGEMENT), key("000000000009"), key(name="Legacy"), key(name="Root"), key(name="Riddle")],
)
def test_lock_out_ends_where_our_reach_does(out_of_reach: AssignmentKey) -> None:
    assert plan(there=actual(out_of_reach), circumstances=LOCK_OUT).changes == ()


def test_locked_person_is_given_nothing_and_shown_why() -> None:
    planned = plan(record(7, "hana"), record(8, "hana", name="New"), there=actual(), circumstances=LOCK_OUT)
    assert planned.changes == ()
    assert planned.verdicts[key()] == Verdict(Standstill.BLOCKED, LOCKED)


def test_lock_out_of_a_person_spares_a_group_of_the_same_id() -> None:
    there = actual(key(principal_id="developers"))
    locked = Circumstances(locked={"developers": LOCKED})
    assert plan(record(7, groups=("developers",)), there=there, circumstances=locked).changes == ()


def test_most_urgent_removals_come_before_everything() -> None:
    there = actual(
        key(BANK, principal_id="taro"), key(BANK), key(SHOP, "Reader", "left"), key(SHOP, "Reader", "nobody")
    )
    planned = plan(
        record(7, "hana", at=BANK),
        record(8, "taro"),
        sets=(set_record(1, "Admin", wish=WIDER), SET_RECORDS[1]),
        there=there,
        leaving=frozenset({"left"}),
        circumstances=LOCK_OUT,
    )
    assert lines(planned.changes) == [
        "delete …2 Admin hana",
        "delete …1 Reader left",
        "update Admin",
        "create …1 Admin taro",
        "delete …1 Reader nobody",
        "delete …2 Admin taro",
    ]


# --- Leavers and orphans ---------------------------------------------------------------------------------------------


def test_leaver_loses_what_records_want_and_gets_nothing_new() -> None:
    there = actual(key(principal_id="left"))
    planned = plan(record(7, "left"), record(8, "left", at=BANK), there=there, leaving=frozenset({"left"}))
    (change,) = planned.changes
    assert change == AssignmentChange(Kind.DELETE, key(principal_id="left"), "", counts=True, cause=Cause.LEAVER)
    assert isinstance(change, AssignmentChange)
    assert change.group is Group.PEOPLE


def test_enabled_standing_of_a_leaver_is_not_created() -> None:
    planned = plan(record(7, "hana"), there=actual(), leaving=frozenset({"hana"}))
    assert (planned.changes, planned.verdicts[key()].standstill) == ((), Standstill.BLOCKED)


@pytest.mark.parametrize(
    ("principal_id", "counted_in"), [("orphan", Group.PEOPLE), ("developers-of-old", Group.ACCESS)]
)
def test_orphans_are_cleaned_and_counted_by_what_they_were(principal_id: str, counted_in: Group) -> None:
    there = actual(key(principal_id=principal_id))
    (change,) = plan(there=there, leaving=frozenset({principal_id})).changes
    assert isinstance(change, AssignmentChange)
    assert (change.cause, change.group) == (Cause.GONE, counted_in)


def test_principal_that_a_listing_lacks_is_no_leaver() -> None:
    there = actual(key(), principals={})
    desired = replace(desire(record(7, "hana"), there=actual()), leaving=frozenset())
    assert plan_run(desired, there, NO_LIMITS).changes == ()


@pytest.mark.parametrize("values", [{"before": WANTED_BEFORE}, {"emergency": frozenset({key()})}])
def test_leaver_goes_before_what_is_not_understood_and_emergency(values: dict[str, Any]) -> None:
    records = (broken(7, was_valid=True),) if "before" in values else ()
    there = actual(key())
    drift = Circumstances(drift={key(): BY_HAND})
    assert causes(*records, there=there, leaving=frozenset({"hana"}), circumstances=drift, **values) == [Cause.LEAVER]


def test_unread_users_stop_the_removal_of_leavers() -> None:
    there = actual(key(), **gap(Scope(principal_type=PrincipalType.USER), "deletes"))
    assert plan(there=there, leaving=frozenset({"hana"})).changes == ()


# --- A person's word, dates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"emergency": frozenset({key()})},
        {"before": WANTED_BEFORE},
        {"circumstances": Circumstances(asked=frozenset({key()}), drift={key(): BY_HAND})},
    ],
)
def test_word_of_a_person_is_never_held(values: dict[str, Any]) -> None:
    records = (broken(7, was_valid=True),) if "before" in values else ()
    asked = Circumstances(asked=frozenset({key()}))
    nothing_goes = Limits(count=0, share=0, maximum=0)
    planned = plan(*records, there=actual(key()), **{"circumstances": asked, "limits": nothing_goes, **values})
    assert [change.cause for change in planned.changes if isinstance(change, AssignmentChange)] == [Cause.ASKED]


def test_valid_record_goes_before_a_word_about_the_same() -> None:
    asked = Circumstances(asked=frozenset({key()}))
    assert plan(record(7, "hana"), there=actual(key()), circumstances=asked).changes == ()


def test_passed_date_goes_before_emergency_and_drift() -> None:
    ended = record(7, "hana", until=YESTERDAY)
    drift = Circumstances(drift={key(): BY_HAND})
    found = causes(ended, there=actual(key()), emergency=frozenset({key()}), circumstances=drift)
    assert found == [Cause.ENDED]


# --- Guardrails and emergency access ---------------------------------------------------------------------------------


def test_guardrail_ends_what_a_record_wants_and_says_so_afterwards() -> None:
    there, ending = actual(key()), {key(): NOT_HERE}
    planned = plan(record(7, "hana"), there=there, ending=ending)
    assert planned.changes == (AssignmentChange(Kind.DELETE, key(), "", counts=True, cause=Cause.GUARDRAIL),)
    assert planned.verdicts[key()] == Verdict(Standstill.BLOCKED, NOT_HERE)
    assert plan(record(7, "hana"), there=apply(planned, there), ending=ending).changes == ()


def test_guardrail_goes_before_what_is_not_understood() -> None:
    found = causes(broken(7, was_valid=True), there=actual(key()), before=WANTED_BEFORE, ending={key(): NOT_HERE})
    assert found == [Cause.GUARDRAIL]


def test_drift_in_its_grace_is_left_by_a_guardrail() -> None:
    drift = Circumstances(drift={key(): BY_HAND})
    assert plan(there=actual(key()), ending={key(): NOT_HERE}, circumstances=drift).changes == ()


@pytest.mark.parametrize(
    "values",
    [
        {"ending": {key(): NOT_HERE}},
        {"before": WANTED_BEFORE},  # the record is gone
        {},  # there never was one
        {"circumstances": Circumstances(overdue=frozenset({key()}))},
    ],
)
def test_emergency_access_stays(values: dict[str, Any]) -> None:
    assert plan(there=actual(key()), emergency=frozenset({key()}), **values).changes == ()


def test_emergency_access_is_given_whatever_guardrails_end() -> None:
    planned = plan(record(7, "hana"), there=actual(), ending={key(): NOT_HERE}, emergency=frozenset({key()}))
    assert lines(planned.changes) == ["create …1 Admin hana"]


def test_emergency_access_ends_when_it_is_taken_out_of_its_record() -> None:
    there = actual(key(), key(principal_id="taro"))
    found = causes(record(7, "taro"), there=there, before=WANTED_BEFORE, emergency=frozenset({key()}))
    assert found == [Cause.WITHDRAWN]


def test_emergency_access_stays_when_one_of_its_records_vanished() -> None:
    before = {**WANTED_BEFORE, "24:8": [Before(key(), None)]}
    there = actual(key(), key(principal_id="taro"))
    assert causes(record(7, "taro"), there=there, before=before, emergency=frozenset({key()})) == []


# --- Withheld wishes -------------------------------------------------------------------------------------------------


def withheld(who: str = "hana") -> Standing:
    kind = PRINCIPALS[who].type
    return Standing(SHOP, "Admin", kind, who, who, State.WITHHELD, Reason("writer_may_not"), {"24:7": None})


def test_withheld_wish_brings_nothing() -> None:
    desired = replace(desire(there=actual()), standings=(withheld(),))
    assert plan_run(desired, actual(), NO_LIMITS).changes == ()


def test_withheld_wish_does_not_keep_what_was_made_by_hand() -> None:
    there = actual(key())
    desired = replace(desire(there=there), standings=(withheld(),))
    assert lines(plan_run(desired, there, NO_LIMITS).changes) == ["delete …1 Admin hana"]


# --- Freezes ---------------------------------------------------------------------------------------------------------


def test_frozen_account_lets_nobody_in_and_people_out() -> None:
    there = actual(key(principal_id="taro"))
    planned = plan(record(7, "hana"), record(8, "hana", at=BANK), there=there, circumstances=FREEZE)
    assert lines(planned.changes) == ["delete …1 Admin taro", "create …2 Admin hana"]
    assert planned.verdicts == {key(): Verdict(Standstill.BLOCKED, FROZEN)}


# --- Drift -----------------------------------------------------------------------------------------------------------


def test_drift_is_neither_created_nor_removed_nor_counted() -> None:
    added, removed = key(principal_id="taro"), key()
    circumstances = Circumstances(drift={added: BY_HAND, removed: BY_HAND})
    planned = plan(record(7, "hana"), there=actual(added), circumstances=circumstances)
    assert (planned.changes, planned.held) == ((), ())
    assert planned.verdicts == {
        added: Verdict(Standstill.DRIFTED, BY_HAND),
        removed: Verdict(Standstill.DRIFTED, BY_HAND),
    }


def test_drift_does_not_spare_what_is_removed_beside_it() -> None:
    there = actual(*keys_of(8), principals={**PRINCIPALS, **people(8)})
    circumstances = Circumstances(drift=dict.fromkeys(keys_of(4), BY_HAND))
    planned = plan(there=there, limits=LIMITS, circumstances=circumstances)
    assert (len(planned.changes), planned.held) == (4, ())


def test_drift_whose_grace_is_over_is_put_back_and_counts() -> None:
    overdue = Circumstances(overdue=frozenset({key()}))
    assert plan(there=actual(key()), circumstances=overdue).changes == (
        AssignmentChange(Kind.DELETE, key(), "", counts=True, cause=Cause.DRIFT),
    )


@pytest.mark.parametrize("sets", [(set_record(1, "Admin", wish=WIDER), SET_RECORDS[1]), SET_RECORDS[1:]])
def test_set_changed_by_hand_is_neither_mended_nor_deleted(sets: Any) -> None:
    planned = plan(sets=sets, there=actual(), circumstances=Circumstances(drifting_sets=frozenset({"Admin"})))
    assert (planned.changes, planned.idle_sets) == ((), {"Admin": Standstill.DRIFTED})


@pytest.mark.parametrize("sets", [(set_record(1, "Admin", wish=WIDER), SET_RECORDS[1]), SET_RECORDS[1:]])
def test_set_that_another_run_is_at_is_left_to_it(sets: Any) -> None:
    planned = plan(sets=sets, there=actual(), circumstances=Circumstances(sets_under_way=frozenset({"Admin"})))
    assert (planned.changes, planned.idle_sets) == ((), {"Admin": Standstill.UNDER_WAY})


# --- Under way elsewhere ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [actual(), actual(key())])
@pytest.mark.parametrize("records", [(), (record(7, "hana"),)])
def test_what_another_run_has_sent_is_left_to_it(there: Actual, records: tuple[Any, ...]) -> None:
    for locked in ({}, {"hana": LOCKED}):
        circumstances = Circumstances(under_way=frozenset({key()}), locked=locked)
        planned = plan(*records, there=there, circumstances=circumstances)
        assert planned.changes == ()
        assert planned.verdicts[key()].standstill is Standstill.UNDER_WAY


def test_set_stays_while_an_assignment_with_it_is_under_way() -> None:
    circumstances = Circumstances(under_way=frozenset({key(name="Reader")}))
    assert plan(sets=SET_RECORDS[:1], there=actual(), circumstances=circumstances).changes == ()


def test_set_stays_while_it_is_assigned_by_this_very_plan() -> None:
    there = actual()
    wanted = Standing(SHOP, "Reader", PrincipalType.USER, "hana", "hana", wanted_by={"24:7": None})
    desired = replace(desire(sets=SET_RECORDS[:1], there=there), standings=(wanted,))
    assert lines(plan_run(desired, there, NO_LIMITS).changes) == ["create …1 Reader hana"]


# --- What people should know before ----------------------------------------------------------------------------------


def warned(planned_changes: Any) -> dict[str, bool]:
    deletes = [change for change in planned_changes if change.kind is Kind.DELETE]
    return dict(zip(lines(deletes), (change.replaces_role for change in deletes), strict=True))


def test_role_goes_with_the_last_assignment_of_its_set() -> None:
    there = actual(key(), key(BANK), key(BANK, principal_id="taro"))
    planned = plan(record(7, "taro", at=BANK), there=there)
    assert warned(planned.changes) == {"delete …1 Admin hana": True, "delete …2 Admin hana": False}


def test_role_stays_when_somebody_else_comes_first() -> None:
    assert warned(plan(record(7, "taro"), there=actual(key())).changes) == {"delete …1 Admin hana": False}


def test_role_goes_though_somebody_comes_after_a_lock_out() -> None:
    planned = plan(record(7, "taro"), there=actual(key()), circumstances=LOCK_OUT)
    assert warned(planned.changes) == {"delete …1 Admin hana": True}


def test_role_stays_while_other_removals_are_held() -> None:
    there = actual(*keys_of(6), principals={**PRINCIPALS, **people(6)})
    planned = plan(record(7, "person0", until=YESTERDAY), there=there, limits=LIMITS)
    assert warned(planned.changes) == {"delete …1 Admin person0": False}
    assert all(change.replaces_role for change in planned.held if isinstance(change, AssignmentChange))


def test_deleted_set_takes_its_roles_along() -> None:
    assert warned(plan(sets=SET_RECORDS[:1], there=actual()).changes) == {"delete Reader": True}


def test_removal_says_how_long_sessions_live() -> None:
    long = permission_set("Admin", session_duration=timedelta(hours=8))
    there = actual(key(), sets={**actual().sets, "Admin": long})
    (update, change) = plan(there=there).changes
    assert isinstance(update, SetChange)
    assert isinstance(change, AssignmentChange)
    assert change.sessions == timedelta(hours=8)


# --- Where something was not read ------------------------------------------------------------------------------------

SCOPES = [
    Scope(),
    Scope(SHOP),
    Scope(permission_set="Admin"),
    Scope(SHOP, "Admin"),
    Scope(principal_type=PrincipalType.USER),
    Scope(BANK, "Reader", PrincipalType.GROUP),
    Scope(principal_type=PrincipalType.USER, principal_id="hana"),
]


@pytest.mark.parametrize("scope", SCOPES, ids=str)
@pytest.mark.parametrize("each", [key(), key(BANK), key(BANK, "Reader", "developers"), key(principal_id="taro")])
def test_fence_stands_exactly_around_its_scope(scope: Scope, each: AssignmentKey) -> None:
    others = [Unresolved(Scope(CLOSED, "Other"), "any", Reason("aws_unavailable"))]
    for blocks in ("all", "deletes"):
        fences = Fences([*others, Unresolved(scope, "any", Reason("aws_unavailable"), blocks)])
        assert fences.stop_delete(each) == scope.covers(each)
        assert fences.stop_create(each) == (scope.covers(each) and blocks == "all")
