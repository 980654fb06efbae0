"""What counts as changed by hand, when that is over, and what follows. Values only."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from syncer.desired import Before, Desired
from syncer.drifting import (
    Consequences,
    Decision,
    DriftKind,
    HandMade,
    Known,
    Matter,
    Noted,
    Policy,
    find_changes,
    find_ended,
    find_proved,
    weigh,
)
from syncer.states import (
    Actual,
    AssignmentKey,
    Coverage,
    Definition,
    Ownership,
    PrincipalType,
    Reason,
    Scope,
    Unresolved,
)
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    SHOP,
    TODAY,
    actual,
    broken,
    desire,
    key,
    permission_set,
    record,
    set_record,
)

SEEN = datetime(2026, 11, 23, 3, tzinfo=UTC)
HANA, TARO = key(), key(principal_id="taro")
PROVED = frozenset({"Admin", "Reader", "Legacy", "Root"})


def matter(wanted: AssignmentKey) -> Matter:
    return Matter(wanted.permission_set, wanted.target_id, wanted.principal_type, wanted.principal_id)


def find(desired: Desired, there: Actual, *known: AssignmentKey, **values: Any) -> list[tuple[str, Matter]]:
    knowledge = Known(frozenset(known), **{"proved": PROVED, **values})
    return [(change.kind.value, change.matter) for change in find_changes(desired, there, knowledge)]


def unresolved(scope: Scope, blocks: str = "all") -> tuple[Unresolved, ...]:
    return (Unresolved(scope, "sso-admin:ListAccountAssignments", Reason("aws_unavailable"), blocks),)


# --- New --------------------------------------------------------------------------------------------------------------


def test_assignment_nobody_wants_is_drift() -> None:
    there = actual(HANA, TARO)
    assert find(desire(record(1, "hana"), there=there), there, HANA) == [("added", matter(TARO))]


def test_assignment_taken_away_by_hand_is_drift() -> None:
    there = actual(TARO)
    assert find(desire(record(1, "hana", "taro"), there=there), there, HANA, TARO) == [("removed", matter(HANA))]


def test_what_kintone_wants_anyway_is_no_drift() -> None:
    there = actual(HANA)
    assert find(desire(record(1, "hana"), there=there), there, TARO) == []


def test_first_reading_of_a_set_finds_no_drift() -> None:
    there = actual(HANA)
    assert find(desire(there=there), there, proved=frozenset({"Reader"})) == []


@pytest.mark.parametrize("name", ["Legacy", "Root", "Riddle"])
def test_set_that_is_not_ours_has_no_drift(name: str) -> None:
    there = actual(key(name=name))
    assert find(desire(there=there), there) == []


@pytest.mark.parametrize("target_id", [CLOSED, MANAGEMENT])
def test_account_that_is_not_written_has_no_drift(target_id: str) -> None:
    there = actual(key(target_id))
    assert find(desire(there=there), there) == []


@pytest.mark.parametrize("blocks", ["all", "deletes"])
@pytest.mark.parametrize(
    "scope", [Scope(SHOP, "Admin"), Scope(permission_set="Admin"), Scope(principal_type=PrincipalType.USER), Scope()]
)
def test_unresolved_scope_has_no_drift(scope: Scope, blocks: str) -> None:
    there = actual(HANA, unresolved=unresolved(scope, blocks))
    assert find(desire(record(1, "taro"), there=there), there, TARO) == []


def test_pair_that_was_not_read_has_no_drift() -> None:
    there = actual(HANA, coverage=Coverage(frozenset({(BANK, "Admin")})))
    assert find(desire(record(1, "taro"), there=there), there, TARO) == []


@pytest.mark.parametrize("principal_id", ["left", "nobody"])
def test_access_of_people_who_left_waits_for_no_grace(principal_id: str) -> None:
    there = actual(key(principal_id=principal_id))
    assert find(desire(there=there), there) == []


def test_access_past_its_last_day_waits_for_no_grace() -> None:
    there = actual(HANA)
    yesterday = TODAY - timedelta(days=1)
    before = {"24:1": [Before(HANA, yesterday)]}
    assert find(desire(record(1, "hana", until=yesterday), there=there, before=before), there) == []


def test_what_a_broken_record_keeps_is_no_drift() -> None:
    there = actual(HANA)
    before = {"24:1": [Before(HANA, date(2027, 1, 1))]}
    assert find(desire(broken(1, was_valid=True), there=there, before=before), there) == []


def test_removal_that_leaves_a_blocked_wish_is_no_drift() -> None:
    there = actual()
    assert find(desire(record(1, "left"), there=there), there, key(principal_id="left")) == []


# --- Sets -------------------------------------------------------------------------------------------------------------


def edited(**definition: Any) -> Actual:
    return actual(sets={"Admin": permission_set("Admin", **definition), "Reader": permission_set("Reader")})


def test_set_changed_by_hand_is_drift() -> None:
    there = edited(relay_state="https://example.com/")
    change = find_changes(desire(there=there), there, Known(settled={"Admin": Definition()}))[0]
    assert (change.kind, change.matter, change.record_revision) == (DriftKind.CHANGED, Matter("Admin"), 1)
    assert change.differences == (("relay_state", "", "https://example.com/"),)


def test_set_as_it_was_known_is_no_drift() -> None:
    there = edited(description="older than the record")
    settled = {"Admin": Definition(description="older than the record")}
    assert find(desire(there=there), there, settled=settled) == []


def test_set_changed_to_what_its_record_wants_is_no_drift() -> None:
    there = edited()
    assert find(desire(there=there), there, settled={"Admin": Definition(description="old")}) == []


def test_set_never_judged_is_no_drift() -> None:
    there = edited(description="by whom?")
    assert find(desire(there=there), there) == []


def test_set_whose_record_is_broken_is_left_alone() -> None:
    there = edited(description="by hand")
    sets = (set_record(1, "Admin", wish=None), set_record(2, "Reader"))
    assert find(desire(there=there, sets=sets), there, settled={"Admin": Definition()}) == []


def test_set_deleted_by_hand_is_one_drift() -> None:
    there = actual(sets={"Reader": permission_set("Reader")})
    found = find(desire(record(1, "hana"), there=there), there, HANA, settled={"Admin": Definition()})
    assert found == [("removed", Matter("Admin"))]


def test_set_that_was_not_read_is_no_drift() -> None:
    there = replace(edited(description="by hand"), sets_read=frozenset({"Reader"}))
    assert find(desire(there=there), there, settled={"Admin": Definition()}) == []
    there = replace(edited(description="by hand"), unresolved=unresolved(Scope(permission_set="Admin")))
    assert find(desire(there=there), there, settled={"Admin": Definition()}) == []


# --- Over -------------------------------------------------------------------------------------------------------------


def noted(kind: DriftKind, about: Matter, decision: Decision = Decision.NONE, revision: int | None = None) -> Noted:
    return Noted(HandMade(kind, about, (), revision), SEEN, decision)


ADDED, REMOVED = noted(DriftKind.ADDED, matter(HANA)), noted(DriftKind.REMOVED, matter(HANA))
EDITED = noted(DriftKind.CHANGED, Matter("Admin"), revision=1)


def ended(drift: Noted, *records: Any, there: Actual, **values: Any) -> bool:
    return find_ended([drift], desire(*records, there=there, **values), there) == [drift]


def test_added_ends_when_it_is_gone_or_wanted() -> None:
    assert not ended(ADDED, there=actual(HANA))
    assert ended(ADDED, there=actual())
    assert ended(ADDED, record(1, "hana"), there=actual(HANA))


def test_removed_ends_when_it_is_back_or_unwanted() -> None:
    assert not ended(REMOVED, record(1, "hana"), there=actual())
    assert ended(REMOVED, record(1, "hana"), there=actual(HANA))
    assert ended(REMOVED, there=actual())


def test_drift_goes_on_while_it_cannot_be_read() -> None:
    assert not ended(ADDED, there=actual(unresolved=unresolved(Scope(SHOP, "Admin"))))
    assert not ended(ADDED, there=actual(coverage=Coverage(frozenset())))
    assert not ended(EDITED, there=replace(edited(), sets_read=frozenset()))


def test_drift_ends_with_our_ownership() -> None:
    sets = {"Admin": permission_set("Admin", Ownership.NOT_OURS)}
    assert ended(ADDED, there=actual(HANA, sets=sets))


def test_changed_set_ends_when_it_is_in_line() -> None:
    assert not ended(EDITED, there=edited(description="by hand"))
    assert ended(EDITED, there=edited())


def test_newer_revision_of_its_record_ends_a_changed_set() -> None:
    there = edited(description="by hand")
    newer = replace(set_record(1, "Admin"), reference=set_record(1, "Admin").reference._replace(revision=2))
    assert ended(EDITED, there=there, sets=(newer, set_record(2, "Reader")))


def test_deleted_set_ends_when_it_is_back() -> None:
    drift = noted(DriftKind.REMOVED, Matter("Admin"), revision=1)
    assert not ended(drift, there=actual(sets={}))
    assert ended(drift, there=edited())


# --- What follows -----------------------------------------------------------------------------------------------------

GRACE, OVERWRITE, NOTIFY = Policy(), Policy("overwrite"), Policy("notify")


@pytest.mark.parametrize(
    ("policy", "decision", "hours", "is_held"),
    [
        (GRACE, Decision.NONE, 23, True),
        (GRACE, Decision.NONE, 24, False),
        (GRACE, Decision.PUT_BACK, 1, False),
        (GRACE, Decision.KEEP, 100, True),
        (OVERWRITE, Decision.NONE, 0, False),
        (OVERWRITE, Decision.KEEP, 1, True),
        (NOTIFY, Decision.NONE, 1000, True),
        (NOTIFY, Decision.PUT_BACK, 1, False),
    ],
)
def test_grace_by_policy_and_decision(policy: Policy, decision: Decision, hours: int, is_held: bool) -> None:
    drift = noted(DriftKind.ADDED, matter(HANA), decision)
    assert policy.is_held(drift, SEEN + timedelta(hours=hours)) == is_held


def test_consequences_are_told_apart() -> None:
    drifts = [
        noted(DriftKind.ADDED, matter(HANA)),
        noted(DriftKind.ADDED, matter(TARO), Decision.PUT_BACK),
        noted(DriftKind.REMOVED, matter(key(BANK)), Decision.PUT_BACK),
        EDITED,
    ]
    left = {HANA: Reason("drift_added", {"until_at": "2026-11-24T03:00:00+00:00"})}
    assert weigh(drifts, GRACE, SEEN) == Consequences(left, frozenset({"Admin"}), asked=frozenset({TARO}))
    assert weigh(drifts, NOTIFY, SEEN).left_alone == {HANA: Reason("drift_added")}
    late = weigh(drifts, GRACE, SEEN + timedelta(days=2))
    assert late == Consequences(overdue=frozenset({HANA}), asked=frozenset({TARO}))


# --- What a reading proves --------------------------------------------------------------------------------------------


def test_complete_reading_proves_our_sets() -> None:
    assert find_proved(actual()) == {"Admin", "Reader"}


def test_partial_reading_proves_nothing() -> None:
    assert find_proved(actual(coverage=Coverage(frozenset({(SHOP, "Admin")})))) == frozenset()


def test_unread_pair_leaves_its_set_unproved() -> None:
    assert find_proved(actual(unresolved=unresolved(Scope(SHOP, "Admin")))) == {"Reader"}
    assert find_proved(actual(unresolved=unresolved(Scope(SHOP)))) == frozenset()
