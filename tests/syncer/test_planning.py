"""The planner: which changes, in which order, and which are held back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncer.changes import AssignmentChange, Cause, Group, Kind, Limits, Plan, SetChange, checksum_of, identity_of
from syncer.desired import Before
from syncer.planning import Circumstances, Refused, plan_run
from syncer.states import (
    Actual,
    ActualSet,
    AssignmentKey,
    Coverage,
    Definition,
    Ownership,
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
    user,
)

YESTERDAY = TODAY - timedelta(days=1)
LIMITS = Limits()  # as shipped: 10, 30 %, 50


def unresolved(scope: Scope, blocks: str = "all") -> tuple[Unresolved, ...]:
    return (Unresolved(scope, "sso-admin:ListAccountAssignments", Reason("aws_unavailable"), blocks),)


# --- What is done ----------------------------------------------------------------------------------------------------


def test_nothing_to_do() -> None:
    planned = plan(record(1, "hana"), there=actual(key()))
    assert (planned.changes, planned.held, planned.unchanged) == ((), (), 3)


def test_wanted_and_absent_is_created() -> None:
    planned = plan(record(7, "hana"), there=actual())
    assert planned.changes == (AssignmentChange(Kind.CREATE, key(), "24:7"),)


def test_value_taken_out_is_deleted_and_counts() -> None:
    planned = plan(
        record(7, "taro"), there=actual(key(), key(principal_id="taro")), before={"24:7": [Before(key(), None)]}
    )
    assert planned.changes == (AssignmentChange(Kind.DELETE, key(), "24:7", counts=True, cause=Cause.WITHDRAWN),)


def test_access_without_record_is_deleted_and_counts() -> None:
    planned = plan(there=actual(key()))
    assert planned.changes == (AssignmentChange(Kind.DELETE, key(), "", counts=True, cause=Cause.NO_RECORD),)


def test_confirmed_gone_record_ends_access() -> None:
    planned = plan(there=actual(key()), before={"24:7": [Before(key(), None)]})
    assert planned.changes == (AssignmentChange(Kind.DELETE, key(), "24:7", counts=True, cause=Cause.WITHDRAWN),)


def test_assignment_wanted_twice_survives_one_record() -> None:
    before = {"24:1": [Before(key(), None)], "24:2": [Before(key(), None)]}
    assert plan(record(2, "hana"), there=actual(key()), before=before).changes == ()


def test_new_set_is_made_before_it_is_assigned() -> None:
    sets = (*SET_RECORDS, set_record(3, "New"))
    planned = plan(record(1, "hana", name="New"), sets=sets, there=actual())
    assert lines(planned.changes) == ["create New", "create …1 New hana"]


def test_set_change_names_what_differs() -> None:
    wish = SetWish("Admin", session_duration=timedelta(hours=8))
    planned = plan(sets=(set_record(1, "Admin", wish=wish), SET_RECORDS[1]), there=actual())
    (change,) = planned.changes
    assert isinstance(change, SetChange)
    assert (change.kind, change.differences) == (Kind.UPDATE, (("session_duration", "PT1H", "PT8H"),))


def test_stale_accounts_alone_are_provisioned() -> None:
    stale = ActualSet("Admin", "arn:Admin", Ownership.OURS, Definition(), frozenset({BANK}))
    planned = plan(there=actual(sets={**actual().sets, "Admin": stale}))
    (change,) = planned.changes
    assert isinstance(change, SetChange)
    assert (change.differences, change.stale_accounts) == ((), frozenset({BANK}))


def test_order_is_sets_then_creates_before_deletes_by_account_then_set_deletes() -> None:
    there = actual(key(BANK, "Reader"), key(SHOP, "Reader"))
    sets = (SET_RECORDS[0], set_record(3, "New"))
    planned = plan(record(1, "hana"), record(2, "hana", at=BANK, name="New"), sets=sets, there=there)
    assert lines(planned.changes) == [
        "create New",
        "create …1 Admin hana",
        "delete …1 Reader hana",
        "create …2 New hana",
        "delete …2 Reader hana",
        "delete Reader",
    ]


def test_order_is_the_same_in_any_order_of_records() -> None:
    records = [record(number, "hana", "taro", at=at) for number, at in enumerate((SHOP, BANK), 1)]
    assert plan(*records, there=actual()).changes == plan(*reversed(records), there=actual()).changes


def test_planning_the_applied_result_gives_nothing() -> None:
    there, sets = actual(key(), key(BANK, "Reader")), (*SET_RECORDS, set_record(3, "New"))
    records = (record(1, "taro", groups=("developers",)), record(2, "hana", name="New"))
    after = apply(plan(*records, sets=sets, there=there), there)
    assert plan(*records, sets=sets, there=after).changes == ()


# --- What is never touched -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Legacy", "Root", "Riddle", "Nameless"])
def test_unmanaged_set_keeps_its_assignments(name: str) -> None:
    assert plan(there=actual(key(name=name))).changes == ()


@pytest.mark.parametrize("name", ["Legacy", "Root", "Riddle"])
def test_nothing_is_assigned_with_set_that_is_not_ours(name: str) -> None:
    sets = (*SET_RECORDS, set_record(3, name, wish=SetWish(name, relay_state="https://example.com")))
    assert plan(record(1, "hana", name=name), sets=sets, there=actual()).changes == ()


def test_sets_that_are_not_ours_are_never_deleted() -> None:
    assert lines(plan(sets=(), there=actual()).changes) == ["delete Admin", "delete Reader"]


@pytest.mark.parametrize("account_id", [MANAGEMENT, CLOSED, "000000000009"])
def test_account_out_of_reach_is_left_alone(account_id: str) -> None:
    there = actual(key(account_id, principal_id="taro"))
    assert plan(record(1, "hana", at=account_id), there=there).changes == ()


def test_disabled_and_unknown_people_are_not_given_access() -> None:
    assert plan(record(1, "left", "nobody"), there=actual()).changes == ()


def test_targeted_run_changes_only_what_it_read() -> None:
    there = actual(
        key(principal_id="taro"), key(BANK), coverage=Coverage(frozenset({(SHOP, "Admin")})), sets_read=frozenset()
    )
    sets = (set_record(1, "Admin", wish=SetWish("Admin", relay_state="https://example.com")),)
    planned = plan(record(1, "hana"), record(2, "taro", at=BANK), sets=sets, there=there)
    assert lines(planned.changes) == ["create …1 Admin hana", "delete …1 Admin taro"]


def test_refused_is_not_tried_again() -> None:
    there = actual(key(BANK))
    refused = Circumstances(Refused(frozenset({key(), key(BANK)}), frozenset({"New", "Reader"})))
    sets = (SET_RECORDS[0], set_record(3, "New"))
    desired = desire(record(1, "hana"), record(2, "hana", name="New"), sets=sets, there=there)
    assert plan_run(desired, there, LIMITS, refused).changes == ()


# --- Unreadable is not empty -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope",
    [Scope(), Scope(SHOP), Scope(permission_set="Admin"), Scope(SHOP, "Admin")],
    ids=str,
)
def test_unresolved_scope_gets_no_changes(scope: Scope) -> None:
    there = actual(key(principal_id="taro"), unresolved=unresolved(scope))
    assert plan(record(1, "hana"), there=there).changes == ()


def test_unresolved_account_does_not_stop_the_others() -> None:
    there = actual(unresolved=unresolved(Scope(SHOP)))
    planned = plan(record(1, "hana"), record(2, "hana", at=BANK), there=there)
    assert lines(planned.changes) == ["create …2 Admin hana"]


def test_unread_groups_stop_removals_of_groups_alone() -> None:
    there = actual(
        key(principal_id="developers"),
        key(),
        unresolved=unresolved(Scope(principal_type=PrincipalType.GROUP), "deletes"),
    )
    assert lines(plan(record(1, "taro"), there=there).changes) == ["create …1 Admin taro", "delete …1 Admin hana"]


def test_unread_policies_stop_nothing() -> None:
    planned = plan(record(1, "hana"), there=actual(unresolved=unresolved(Scope(), "none")))
    assert lines(planned.changes) == ["create …1 Admin hana"]


@pytest.mark.parametrize("scope", [Scope(), Scope(permission_set="Admin")], ids=str)
def test_unread_set_is_neither_made_nor_mended(scope: Scope) -> None:
    sets = (set_record(1, "Admin", wish=SetWish("Admin", relay_state="https://example.com")), SET_RECORDS[1])
    assert plan(sets=sets, there=actual(unresolved=unresolved(scope))).changes == ()
    without = {name: there for name, there in actual().sets.items() if name != "Admin"}
    assert plan(sets=sets, there=actual(sets=without, unresolved=unresolved(scope))).changes == ()


def test_set_of_ours_without_definition_is_not_mended() -> None:
    unread = ActualSet("Admin", "arn:Admin", Ownership.OURS)
    sets = (set_record(1, "Admin", wish=SetWish("Admin", relay_state="https://example.com")), SET_RECORDS[1])
    assert plan(sets=sets, there=actual(sets={**actual().sets, "Admin": unread})).changes == ()


@pytest.mark.parametrize(
    "scope", [Scope(), Scope(BANK), Scope(BANK, "Reader"), Scope(permission_set="Reader")], ids=str
)
def test_set_is_not_deleted_while_an_account_is_unread(scope: Scope) -> None:
    assert plan(sets=SET_RECORDS[:1], there=actual(unresolved=unresolved(scope))).changes == ()


# --- Deleting permission sets ----------------------------------------------------------------------------------------


def test_set_without_record_is_deleted_after_its_assignments() -> None:
    planned = plan(sets=SET_RECORDS[:1], there=actual(key(name="Reader")))
    assert lines(planned.changes) == ["delete …1 Reader hana", "delete Reader"]


@pytest.mark.parametrize("account_id", [CLOSED, MANAGEMENT])
def test_set_stays_while_something_is_assigned_out_of_reach(account_id: str) -> None:
    assert plan(sets=SET_RECORDS[:1], there=actual(key(account_id, "Reader"))).changes == ()


def test_set_stays_while_its_removals_are_held() -> None:
    there = actual(*keys_of(6, name="Reader"), principals=people(6))
    planned = plan(sets=SET_RECORDS[:1], there=there, limits=LIMITS)
    assert (planned.changes, len(planned.held)) == ((), 6)


def test_targeted_run_deletes_no_set() -> None:
    assert plan(sets=SET_RECORDS[:1], there=actual(coverage=Coverage(frozenset()))).changes == ()


def test_set_stays_while_a_record_names_it() -> None:
    assert plan(record(1, name="Reader"), sets=SET_RECORDS[:1], there=actual()).changes == ()


def test_set_stays_while_an_old_record_may_name_it() -> None:
    assert plan(broken(9, at_first_run=True, account_id=SHOP), sets=SET_RECORDS[:1], there=actual()).changes == ()


def test_set_stays_while_the_record_of_any_set_may_be_its_own() -> None:
    nameless = set_record(9, "", wish=None, at_first_run=True)
    assert plan(sets=(SET_RECORDS[0], nameless), there=actual()).changes == ()


def test_set_stays_while_a_broken_record_keeps_access_with_it() -> None:
    before = {"24:9": [Before(key(name="Reader"), None)]}
    assert plan(broken(9, was_valid=True), sets=SET_RECORDS[:1], there=actual(), before=before).changes == ()


# --- Not understood is not withdrawn ---------------------------------------------------------------------------------


def test_broken_record_keeps_what_it_wanted() -> None:
    before = {"24:7": [Before(key(), None)]}
    assert plan(broken(7, was_valid=True), there=actual(key()), before=before).changes == ()


def test_broken_record_creates_nothing() -> None:
    before = {"24:7": [Before(key(), None)]}
    assert plan(broken(7, was_valid=True), there=actual(), before=before).changes == ()


def test_broken_record_does_not_hold_back_its_own_last_day() -> None:
    before = {"24:7": [Before(key(), YESTERDAY)]}
    planned = plan(broken(7, was_valid=True), there=actual(key()), before=before)
    assert planned.changes == (AssignmentChange(Kind.DELETE, key(), "24:7", counts=False, cause=Cause.ENDED),)


def test_last_day_of_one_record_spares_what_a_broken_one_wants_too() -> None:
    before = {"24:7": [Before(key(), None)], "24:8": [Before(key(), YESTERDAY)]}
    ended = record(8, "hana", until=YESTERDAY)
    assert plan(broken(7, was_valid=True), ended, there=actual(key()), before=before).changes == ()


def test_last_day_of_one_record_does_not_free_the_removal_of_a_gone_one() -> None:
    before = {"24:7": [Before(key(), None)], "24:8": [Before(key(), YESTERDAY)]}
    (change,) = plan(record(8, "hana", until=YESTERDAY), there=actual(key()), before=before).changes
    assert isinstance(change, AssignmentChange)
    assert change.counts


def test_value_taken_out_by_the_record_of_today_is_gone_though_kept_records_exist() -> None:
    before = {"24:7": [Before(key(BANK), None)], "24:8": [Before(key(), None)]}
    planned = plan(broken(7, was_valid=True), record(8, "taro"), there=actual(key(), key(BANK)), before=before)
    assert lines(planned.changes) == ["create …1 Admin taro", "delete …1 Admin hana"]


@pytest.mark.parametrize(
    ("known", "stays"),
    [
        ({"account_id": SHOP, "permission_set": "Admin"}, {key()}),
        ({"permission_set": "Admin"}, {key(), key(BANK)}),
        ({"account_id": SHOP}, {key(), key(SHOP, "Reader")}),
        ({}, {key(), key(BANK), key(SHOP, "Reader"), key(BANK, "Reader")}),
        ({"account_id": "000000000009", "permission_set": "Admin"}, {key(), key(BANK)}),
        ({"account_id": SHOP, "permission_set": "Unheard"}, {key(), key(SHOP, "Reader")}),
    ],
)
def test_record_never_understood_shelters_what_it_may_mean(known: dict[str, str], stays: set[AssignmentKey]) -> None:
    there = actual(key(), key(BANK), key(SHOP, "Reader"), key(BANK, "Reader"))
    planned = plan(broken(7, at_first_run=True, **known), there=there)
    assert apply(planned, there).assignments == stays


def test_broken_record_that_came_later_shelters_nothing() -> None:
    planned = plan(broken(7, account_id=SHOP, permission_set="Admin"), there=actual(key()))
    assert lines(planned.changes) == ["delete …1 Admin hana"]


def test_shelter_does_not_hold_what_a_valid_record_took_back() -> None:
    there, before = actual(key(), key(principal_id="taro")), {"24:8": [Before(key(), None)]}
    planned = plan(broken(7, at_first_run=True), record(8, "taro"), there=there, before=before)
    assert lines(planned.changes) == ["delete …1 Admin hana"]


def test_shelter_does_not_hold_a_last_day() -> None:
    planned = plan(broken(7, at_first_run=True), record(8, "hana", until=YESTERDAY), there=actual(key()))
    assert lines(planned.changes) == ["delete …1 Admin hana"]


# --- The brake -------------------------------------------------------------------------------------------------------


def spread(count: int) -> list[AssignmentKey]:
    """So many assignments, one an account, so that no account and no set weighs."""
    return [key(f"{number:012}", f"Set{number}", f"person{number}") for number in range(1, count + 1)]


def world_of(keys: list[AssignmentKey]) -> Actual:
    accounts = {each.target_id: replace(actual().accounts[SHOP], account_id=each.target_id) for each in keys}
    sets = {each.permission_set: permission_set(each.permission_set) for each in keys}
    return actual(
        *keys, accounts=accounts, sets=sets, principals={each.principal_id: user(each.principal_id) for each in keys}
    )


def code_of(planned: Plan, group: Group = Group.ACCESS) -> str | None:
    """The rule by which this group is held."""
    return planned.held_because[group].code if group in planned.held_because else None


def remove(keys: list[AssignmentKey], count: int, limits: Limits = LIMITS) -> Plan:
    """The plan when the records of the first `count` of these assignments are gone."""
    there = world_of(keys)
    links = {("kintone_user", each.principal_id): each.principal_id for each in keys}
    sets = [set_record(number, name) for number, name in enumerate(sorted(there.sets), 1)]
    records = [
        record(number, each.principal_id, at=each.target_id, name=each.permission_set)
        for number, each in enumerate(keys[count:], 1)
    ]
    before = {f"24:{10_000 + number}": [Before(each, None)] for number, each in enumerate(keys[:count])}
    return plan(*records, there=there, limits=limits, before=before, sets=sets, links=links)


@pytest.mark.parametrize(
    ("of", "gone", "code"),
    [
        (20, 10, None),  # half, but not more than ten
        (36, 11, "too_large_share"),  # more than ten and more than 30 %
        (37, 11, None),  # more than ten, less than 30 %
        (170, 50, None),
        (200, 51, "too_many_removals"),  # a quarter, but more than fifty
    ],
)
def test_brake_by_count_and_share_and_maximum(of: int, gone: int, code: str | None) -> None:
    planned = remove(spread(of), gone)
    assert code_of(planned) == code
    assert len(planned.held) == (gone if code else 0)
    assert planned.count(Kind.DELETE) == (0 if code else gone)


@pytest.mark.parametrize(("of", "gone", "code"), [(13, 4, None), (16, 5, "too_much_of_account"), (17, 5, None)])
def test_brake_by_share_of_one_account(of: int, gone: int, code: str | None) -> None:
    keys = [key(SHOP, f"Set{number}", f"person{number}") for number in range(of)]
    others = [key(f"{number:012}", f"Other{number}", f"other{number}") for number in range(100, 200)]
    planned = remove([*keys, *others], gone)
    assert code_of(planned) == code


def test_brake_by_share_of_one_set() -> None:
    keys = [key(f"{number:012}", "Admin", f"person{number}") for number in range(100, 110)]
    planned = remove([*keys, *spread(50)], 5)
    assert planned.held_because == {Group.ACCESS: Reason("too_much_of_set", {"count": 5, "of": 10, "name": "Admin"})}


def test_brake_remembers_the_last_24_hours() -> None:
    lately = tuple(spread(40)[30:])
    limits = replace(LIMITS, removed_lately=lately)
    assert remove(spread(30), 1).held == ()
    assert remove(spread(30), 3, limits).held_because == {
        Group.ACCESS: Reason("too_large_share", {"count": 13, "of": 40})
    }


def test_what_was_removed_and_came_back_counts_once() -> None:
    limits = replace(LIMITS, removed_lately=tuple(spread(10)))
    assert remove(spread(20), 10, limits).held == ()


def test_held_removals_do_not_hold_the_rest() -> None:
    there = actual(*keys_of(20), principals={**PRINCIPALS, **people(20)})
    sets = (set_record(1, "Admin", wish=SetWish("Admin", relay_state="https://example.com")), SET_RECORDS[1])
    ended = record(8, "person0", until=YESTERDAY)
    planned = plan(record(7, "hana", at=BANK), ended, sets=sets, there=there, limits=LIMITS)
    assert lines(planned.changes) == ["update Admin", "delete …1 Admin person0", "create …2 Admin hana"]
    assert len(planned.held) == 19


def test_passed_dates_are_never_held() -> None:
    keys = keys_of(60)
    ended = record(7, *(each.principal_id for each in keys), until=YESTERDAY)
    planned = plan(ended, there=actual(*keys, principals=people(60)), limits=LIMITS)
    assert (planned.count(Kind.DELETE), planned.held) == (60, ())


def test_dates_moved_into_the_past_are_held() -> None:
    keys = keys_of(60)
    moved = record(7, *(each.principal_id for each in keys), until=YESTERDAY)
    moved = replace(moved, updated_at=moved.updated_at and moved.updated_at + timedelta(days=23))
    before = {"24:7": [Before(each, None) for each in keys]}
    planned = plan(moved, there=actual(*keys, principals=people(60)), limits=LIMITS, before=before)
    assert (planned.changes, len(planned.held)) == ((), 60)


def test_accepted_removals_go_and_new_ones_do_not_hide_behind_them() -> None:
    held = remove(spread(36), 11)
    accepted = replace(LIMITS, accepted=frozenset(map(identity_of, held.held)))
    assert remove(spread(36), 11, accepted).count(Kind.DELETE) == 11
    more = remove(spread(36), 30, accepted)
    assert (more.count(Kind.DELETE), len(more.held)) == (11, 19)


def test_shrunk_app_holds_a_single_removal() -> None:
    planned = remove(spread(30), 1, replace(LIMITS, shrunk=frozenset({"assignment"})))
    assert (planned.changes, planned.held_because) == ((), {Group.ACCESS: Reason("app_shrunk")})


def test_shrunk_app_of_sets_holds_their_removal_until_accepted() -> None:
    limits = replace(LIMITS, shrunk=frozenset({"permission_set"}))
    held = plan(sets=SET_RECORDS[:1], there=actual(), limits=limits)
    assert (lines(held.held), held.changes, code_of(held)) == (["delete Reader"], (), "app_shrunk")
    accepted = replace(limits, accepted=frozenset(map(identity_of, held.held)))
    assert lines(plan(sets=SET_RECORDS[:1], there=actual(), limits=accepted).changes) == ["delete Reader"]


def test_assignments_of_others_do_not_dilute_the_share() -> None:
    keys = [key(f"{number:012}", f"Set{number}", f"person{number}") for number in range(100, 120)]
    mixed = world_of(keys)
    foreign = frozenset(keys_of(100, name="Legacy"))
    there = replace(
        mixed, assignments=mixed.assignments | foreign, sets={**mixed.sets, "Legacy": actual().sets["Legacy"]}
    )
    planned = plan(
        sets=[set_record(n, name) for n, name in enumerate(sorted(mixed.sets), 1)], there=there, limits=LIMITS
    )
    assert planned.held_because == {Group.ACCESS: Reason("too_large_share", {"count": 20, "of": 20})}


# --- Checksum --------------------------------------------------------------------------------------------------------


def test_checksum_does_not_depend_on_order() -> None:
    changes = [AssignmentChange(Kind.DELETE, each, counts=True) for each in keys_of(3)]
    assert checksum_of(changes) == checksum_of(reversed(changes))
    assert checksum_of(changes) != checksum_of(changes[:2])


def test_checksum_stands_only_while_something_is_held() -> None:
    assert remove(spread(36), 10).checksum == ""
    assert len(remove(spread(36), 11).checksum) == 12
