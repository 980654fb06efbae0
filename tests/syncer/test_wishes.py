"""Parsed records → desired state: names looked up, obstacles named, nothing withdrawn that is only not understood."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from syncer.desired import Before, Desired, State
from syncer.directory import LinkKey, NewLink
from syncer.states import (
    ActualPolicy,
    ActualPrincipal,
    ActualSet,
    AssignmentKey,
    Boundary,
    Definition,
    Ownership,
    PolicyReference,
    PrincipalType,
    Reason,
    Scope,
    SetWish,
)
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    PRINCIPALS,
    PUBLIC_URL,
    SET_RECORDS,
    SHOP,
    TODAY,
    actual,
    broken,
    desire,
    key,
    permission_set,
    record,
    set_record,
    user,
)

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
READ_ONLY = ActualPolicy("arn:aws:iam::aws:policy/ReadOnlyAccess", "ReadOnlyAccess", is_attachable=True)
BILLING = ActualPolicy("arn:aws:iam::aws:policy/job-function/Billing", "Billing", is_attachable=True)
OTHER_BILLING = ActualPolicy("arn:aws:iam::aws:policy/Billing", "Billing", is_attachable=True)
SERVICE = ActualPolicy("arn:aws:iam::aws:policy/aws-service-role/ServicePolicy", "ServicePolicy", is_attachable=False)
POLICIES = (READ_ONLY, BILLING, SERVICE)


def codes(desired: Desired) -> list[str]:
    return [problem.code for problem in desired.problems]


def states(desired: Desired) -> list[tuple[str, str]]:
    return [(standing.state, standing.reason.code if standing.reason else "") for standing in desired.standings]


# --- Who is meant ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["hana", "HANA", "ｈａｎａ", " hana ", "hana@example.com", "Hana@Example.com"])
def test_person_is_found_by_code_or_user_name(code: str) -> None:
    assert set(desire(record(1, code)).wanted) == {key()}


def test_code_alone_is_nobody_without_suffix() -> None:
    assert states(desire(record(1, "hana"), user_suffix="")) == [(State.WAITING, "not_provisioned")]


def test_exact_user_name_goes_before_suffix() -> None:
    namesake = ActualPrincipal(PrincipalType.USER, "short", "hana")
    desired = desire(record(1, "hana"), there=actual(principals={**PRINCIPALS, "short": namesake}))
    assert set(desired.wanted) == {key(principal_id="short")}


def test_ambiguous_name_is_nobody() -> None:
    twins = {"one": replace(user("hana"), principal_id="one"), "two": replace(user("HANA"), principal_id="two")}
    desired = desire(record(1, "hana@example.com"), there=actual(principals={**twins}))
    assert (states(desired), desired.wanted) == ([(State.WAITING, "not_provisioned")], {})


@pytest.mark.parametrize(("match_email", "found"), [(True, {key()}), (False, set())])
def test_mail_matches_only_if_asked_for(match_email: bool, found: set[AssignmentKey]) -> None:
    hana = replace(PRINCIPALS["hana"], email="flower@example.org")
    there = actual(principals={"hana": hana})
    assert set(desire(record(1, "flower@example.org"), there=there, match_email=match_email).wanted) == found


def test_user_is_no_group_and_group_is_no_user() -> None:
    desired = desire(record(1, "developers", groups=("hana@example.com",)))
    assert desired.wanted == {}


ALIKE = {"hana": ("Hana", "hana")}


@pytest.mark.parametrize("links", [{}, {LinkKey("kintone_user", "hana"): "hana"}])
def test_two_kintone_users_of_one_name_are_told_and_never_guessed(links: dict[LinkKey, str]) -> None:
    desired = desire(record(1, "Hana", "taro"), links=links, alike=ALIKE)
    assert states(desired) == [(State.BLOCKED, "codes_alike"), (State.WANTED, "")]
    assert [link.principal_id for link in desired.links] == ["taro"]
    [told] = desired.problems
    assert (told.code, told.field, told.params["codes"]) == ("codes_alike", "users", "Hana, hana")


def test_access_that_is_there_already_outlives_a_user_of_the_same_name() -> None:
    links = {LinkKey("kintone_user", "hana"): "hana"}
    desired = desire(record(1, "hana"), links=links, alike=ALIKE, before={"24:1": [Before(key(), None)]})
    assert set(desired.wanted) == {key()}
    assert codes(desired) == ["codes_alike"]


def test_first_match_is_kept_as_link() -> None:
    links = desire(record(1, "Hana", groups=("Developers",))).links
    assert links == (
        NewLink(LinkKey("kintone_user", "hana"), "hana", "suffix"),
        NewLink(LinkKey("group_name", "developers"), "developers", "display_name"),
    )


def test_kept_link_goes_before_names() -> None:
    links = {LinkKey("kintone_user", "hana"): "taro"}
    desired = desire(record(1, "hana"), links=links)
    assert (set(desired.wanted), desired.links) == ({key(principal_id="taro")}, ())


def test_kept_link_to_somebody_gone_does_not_take_a_namesake() -> None:
    desired = desire(record(1, "hana"), links={LinkKey("kintone_user", "hana"): "deleted"})
    assert states(desired) == [(State.WAITING, "principal_gone")]
    assert set(desired.wanted) == {key(principal_id="deleted")}


def test_unknown_names_wait_and_are_told() -> None:
    desired = desire(record(1, "nobody", "?", addresses=("x@example.com",), groups=("😀",)))
    assert states(desired) == [(State.WAITING, "not_provisioned")] * 4
    assert [(problem.code, problem.field, problem.severity) for problem in desired.problems] == [
        ("person_unknown", "users", "warning"),
        ("person_unknown", "users", "warning"),
        ("person_unknown", "more_users", "warning"),
        ("group_unknown", "groups", "warning"),
    ]


def test_disabled_person_waits() -> None:
    assert states(desire(record(1, "left"))) == [(State.WAITING, "principal_disabled")]


def test_same_person_written_twice_is_one_standing() -> None:
    (standing,) = desire(record(1, "hana", addresses=("hana@example.com",))).standings
    assert standing.records == ("24:1",)


# --- Several records -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "expires_on"),
    [((None, TOMORROW), None), ((TODAY, TOMORROW), TOMORROW), ((TODAY, None), None), ((TODAY,), TODAY)],
)
def test_longest_wish_decides(ends: tuple[date | None, ...], expires_on: date | None) -> None:
    (standing,) = desire(*(record(number, "hana", until=end) for number, end in enumerate(ends, 1))).standings
    assert (standing.expires_on, len(standing.records)) == (expires_on, len(ends))


def test_two_records_wait_for_the_same_name_together() -> None:
    (standing,) = desire(record(1, "nobody"), record(2, "NOBODY")).standings
    assert standing.records == ("24:1", "24:2")


# --- What stands in the way ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "name", "expected"),
    [
        (SHOP, "Admin", (State.WANTED, "")),
        (MANAGEMENT, "Admin", (State.BLOCKED, "management_account")),
        (CLOSED, "Admin", (State.BLOCKED, "account_not_active")),
        (SHOP, "Root", (State.BLOCKED, "managed_in_terraform")),
        (SHOP, "Legacy", (State.BLOCKED, "set_not_adopted")),
        (SHOP, "Riddle", (State.KEPT, "set_record_gone")),
        (MANAGEMENT, "Root", (State.BLOCKED, "management_account")),
    ],
)
def test_obstacle_of_the_place(at: str, name: str, expected: tuple[str, str]) -> None:
    assert states(desire(record(1, "hana", at=at, name=name))) == [expected]


def test_record_of_unowned_set_asks_for_adoption() -> None:
    desired = desire(record(1, "hana", name="Legacy"), sets=(*SET_RECORDS, set_record(3, "Legacy")))
    assert (codes(desired), "Legacy" in desired.sets) == (["set_not_adopted"], False)
    assert states(desired) == [(State.BLOCKED, "set_not_adopted")]


def test_record_of_terraform_set_is_a_warning() -> None:
    (problem,) = desire(sets=(*SET_RECORDS, set_record(3, "Root"))).problems
    assert (problem.code, problem.severity) == ("managed_in_terraform", "warning")


def test_set_record_gone_keeps_set_and_access_and_lists_the_records() -> None:
    desired = desire(record(2, "hana", name="Reader"), record(1, "taro", name="Reader"), sets=SET_RECORDS[:1])
    assert states(desired) == [(State.KEPT, "set_record_gone")] * 2
    assert "Reader" in desired.kept_sets
    (problem,) = desired.problems
    assert (problem.code, problem.params) == ("set_record_gone", {"set": "Reader", "records": "24:1, 24:2"})
    assert [standing.reason for standing in desired.standings] == [Reason(problem.code, problem.params)] * 2


@pytest.mark.parametrize(
    ("at", "name", "expected"),
    [
        ("000000000009", "Admin", ["account_unknown"]),
        (SHOP, "Unheard", ["set_unknown"]),
        ("000000000009", "Unheard", ["account_unknown", "set_unknown"]),
    ],
)
def test_place_that_cannot_be_found_keeps_what_was(at: str, name: str, expected: list[str]) -> None:
    desired = desire(record(1, "hana", at=at, name=name), before={"24:1": [Before(key(), None)]})
    assert (codes(desired), desired.standings) == (expected, ())
    assert desired.kept == {key()}
    assert "24:1" not in desired.valid


# --- Permission sets -------------------------------------------------------------------------------------------------


def define(wish: SetWish, there: ActualSet | None = None, **directory: Any) -> tuple[Definition | None, Desired]:
    found = actual(sets={there.name: there} if there else {})
    desired = desire(sets=[set_record(1, wish.name, wish=wish)], there=found, **{"policies": POLICIES, **directory})
    return (desired.sets[wish.name].definition if wish.name in desired.sets else None), desired


@pytest.mark.parametrize(
    ("written", "arn"),
    [
        ("ReadOnlyAccess", READ_ONLY.arn),
        (READ_ONLY.arn, READ_ONLY.arn),
        ("Billing", BILLING.arn),
        ("job-function/Billing", BILLING.arn),
    ],
)
def test_managed_policy_is_looked_up(written: str, arn: str) -> None:
    definition, _desired = define(SetWish("New", managed_policies=(written, arn)))
    assert definition is not None
    assert definition.managed_policies == {arn}


def test_policy_without_path_goes_first() -> None:
    definition, _desired = define(SetWish("New", managed_policies=("Billing",)), policies=(OTHER_BILLING, BILLING))
    assert definition is not None
    assert definition.managed_policies == {OTHER_BILLING.arn}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (SetWish("New", managed_policies=("ReadOnlyAccess", "Unheard")), "managed_policy_unknown"),
        (SetWish("New", managed_policies=("readonlyaccess",)), "managed_policy_misspelt"),
        (SetWish("New", managed_policies=("ServicePolicy",)), "managed_policy_not_attachable"),
        (SetWish("New", permissions_boundary="Unheard"), "managed_policy_unknown"),
    ],
)
def test_unknown_policy_breaks_the_set(wish: SetWish, code: str) -> None:
    definition, desired = define(wish)
    assert (definition, codes(desired), desired.valid) == (None, [code], frozenset())
    assert desired.set_states == {"New": Reason("set_broken", {"set": "New"})}


def test_misspelt_policy_names_the_one_that_was_meant() -> None:
    _definition, desired = define(SetWish("New", managed_policies=("readonlyaccess",)))
    assert desired.problems[0].params == {"policy": "readonlyaccess", "near": "ReadOnlyAccess"}


def test_problem_of_a_policy_carries_its_line() -> None:
    sets = [set_record(1, "New", wish=SetWish("New", managed_policies=("Unheard",)), lines={"Unheard": 3})]
    assert [problem.line for problem in desire(sets=sets, policies=POLICIES).problems] == [3]


@pytest.mark.parametrize(
    ("written", "boundary"),
    [
        ("", None),
        ("/team/Limits", Boundary(customer_managed=PolicyReference("/team/", "Limits"))),
        ("/ReadOnlyAccess", Boundary(customer_managed=PolicyReference("/", "ReadOnlyAccess"))),
        ("ReadOnlyAccess", Boundary(managed_policy=READ_ONLY.arn)),
    ],
)
def test_boundary_is_looked_up(written: str, boundary: Boundary | None) -> None:
    definition, _desired = define(SetWish("New", permissions_boundary=written))
    assert definition is not None
    assert definition.permissions_boundary == boundary


@pytest.mark.parametrize("wish", [None, SetWish("Admin", managed_policies=("Unheard",))])
def test_broken_set_is_kept_and_blocks_its_assignments(wish: SetWish | None) -> None:
    desired = desire(record(1, "hana"), sets=[set_record(1, "Admin", wish=wish)])
    assert (states(desired), set(desired.wanted)) == ([(State.BLOCKED, "set_broken")], {key()})
    assert "Admin" in desired.kept_sets


def test_set_whose_name_cannot_be_read_any_more_is_broken_not_gone() -> None:
    sets = [set_record(1, "", wish=None, in_force_name="Admin", was_valid=True)]
    desired = desire(record(1, "hana"), sets=sets)
    assert states(desired) == [(State.BLOCKED, "set_broken")]
    assert desired.kept_sets == {"Admin"}


def test_renamed_record_neither_makes_nor_drops_a_set() -> None:
    sets = [set_record(1, "Chief", in_force_name="Admin", was_valid=True)]
    desired = desire(record(1, "hana"), record(2, "hana", name="Chief"), sets=sets)
    assert (desired.sets, codes(desired), desired.valid - {"24:1", "24:2"}) == ({}, ["set_renamed"], frozenset())
    assert desired.kept_sets >= {"Admin", "Chief"}
    assert states(desired) == [(State.BLOCKED, "set_renamed")] * 2


@pytest.mark.parametrize(("renamed_id", "other_id"), [(1, 2), (2, 1)])
def test_rename_does_not_block_a_record_that_bears_the_name(renamed_id: int, other_id: int) -> None:
    sets = [set_record(renamed_id, "Admin", in_force_name="Old"), set_record(other_id, "Admin", in_force_name="Admin")]
    desired = desire(record(1, "hana"), sets=sets)
    assert (states(desired), desired.sets["Admin"].record) == ([(State.WANTED, "")], f"23:{other_id}")


def test_second_record_of_a_name_is_refused() -> None:
    second = set_record(10, "Admin", wish=SetWish("Admin", relay_state="https://example.com"))
    desired = desire(sets=[second, set_record(9, "Admin")])
    assert (desired.sets["Admin"].record, codes(desired)) == ("23:9", ["set_named_twice"])
    assert desired.problems[0].params == {"name": "Admin", "other": "23:9"}
    assert "23:10" not in desired.valid


def test_record_whose_name_is_in_force_keeps_it() -> None:
    """An older record that takes over a name takes nothing over of the set."""
    older, ours = set_record(1, "Admin"), set_record(7, "Admin", was_valid=True, in_force_name="Admin")
    desired = desire(sets=[older, ours])
    assert (desired.sets["Admin"].record, codes(desired)) == ("23:7", ["set_named_twice"])


@pytest.mark.parametrize(
    ("values", "may_delete"),
    [({"at_first_run": True}, False), ({"at_first_run": True, "was_valid": True}, True), ({}, True)],
)
def test_old_record_with_hidden_name_keeps_all_sets(values: dict[str, bool], may_delete: bool) -> None:
    assert desire(sets=[set_record(1, "", wish=None, **values)]).may_delete_sets is may_delete


def test_absent_fields_keep_what_aws_has() -> None:
    there = permission_set("New", relay_state="https://example.com", session_duration=timedelta(hours=8))
    wish = SetWish("New", description="text", absent=frozenset({"relay_state", "session_duration"}))
    definition, _desired = define(wish, there)
    assert definition == Definition("text", timedelta(hours=8), "https://example.com")


def test_absent_fields_of_a_new_set_have_aws_defaults() -> None:
    assert define(SetWish("New", absent=frozenset({"relay_state"})))[0] == Definition()


@pytest.mark.parametrize("description", ["", "plain é ÿ", "two\nlines\t", "x" * 700])
def test_description_that_aws_can_hold_is_sent(description: str) -> None:
    definition, _desired = define(SetWish("New", description))
    assert definition is not None
    assert definition.description == description


@pytest.mark.parametrize("description", ["説明", "x" * 701, "no\u00a0break", "😀", "\x7f", "\x00"])
@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, f"{PUBLIC_URL}/records/23/1/"),
        ("by hand", f"{PUBLIC_URL}/records/23/1/"),
        ("", ""),
        (f"{PUBLIC_URL}/records/9/9/", f"{PUBLIC_URL}/records/9/9/"),
    ],
)
def test_description_that_aws_cannot_hold_becomes_a_link(description: str, there: str | None, expected: str) -> None:
    known = None if there is None else permission_set("New", description=there)
    definition, desired = define(SetWish("New", description), known)
    assert definition is not None
    assert (definition.description, desired.problems) == (expected, ())


# --- Not understood is not withdrawn ---------------------------------------------------------------------------------


def test_broken_record_keeps_what_is_current_only() -> None:
    before = {"24:1": [Before(key(), None), Before(key(BANK), None, is_current=False)]}
    assert desire(broken(1, was_valid=True), before=before).kept == {key()}


@pytest.mark.parametrize(("end", "ended"), [(YESTERDAY, True), (TODAY, False), (None, False)])
def test_broken_record_ends_with_its_last_day(end: date | None, ended: bool) -> None:
    desired = desire(broken(1, was_valid=True), before={"24:1": [Before(key(), end)]})
    assert (desired.ended == {key()}, desired.kept == {key()}) == (ended, not ended)


def test_name_that_is_unknown_keeps_who_stood_in_its_field() -> None:
    group = key(principal_id="developers")
    before = {"24:1": [Before(key(), None), Before(group, None)]}
    desired = desire(record(1, "renamed"), before=before)
    assert desired.kept == {key()}
    assert "24:1" not in desired.valid


def test_unknown_group_keeps_groups_alone() -> None:
    group = key(principal_id="developers")
    before = {"24:1": [Before(key(), None), Before(group, None)]}
    assert desire(record(1, groups=("renamed",)), before=before).kept == {group}


def test_unknown_name_keeps_nobody_at_another_place() -> None:
    before = {"24:1": [Before(key(BANK), None), Before(key(SHOP, "Reader"), None)]}
    desired = desire(record(1, "renamed"), before=before)
    assert (desired.kept, "24:1" in desired.valid) == (frozenset(), True)


def test_unknown_name_does_not_bring_back_who_was_taken_out_earlier() -> None:
    desired = desire(record(1, "new"), before={"24:1": [Before(key(), None, is_current=False)]})
    assert desired.kept == frozenset()


def test_name_that_was_unknown_all_along_keeps_nobody() -> None:
    newcomer = record(1, "new", in_force_principals=frozenset({"hana", "new"}))
    desired = desire(newcomer, before={"24:1": [Before(key(), None)]})
    assert (desired.kept, "24:1" in desired.valid) == (frozenset(), True)


def test_unknown_name_beside_known_ones_leaves_the_record_in_force() -> None:
    desired = desire(record(1, "hana", "new"), before={"24:1": [Before(key(), None)]})
    assert desired.kept == frozenset()
    assert "24:1" in desired.valid


def test_unknown_name_does_not_hold_a_last_day() -> None:
    desired = desire(record(1, "renamed", until=TOMORROW), before={"24:1": [Before(key(), YESTERDAY)]})
    assert desired.kept == frozenset()
    assert desired.ended == {key()}


@pytest.mark.parametrize("was_valid", [False, True])
def test_unknown_name_of_the_first_run_shelters_its_place_for_as_long_as_it_is_unknown(was_valid: bool) -> None:
    desired = desire(record(1, "hana", "unknown", at_first_run=True, was_valid=was_valid))
    assert desired.sheltered == (Scope(SHOP, "Admin"),)


def test_unknown_name_that_came_later_shelters_nothing() -> None:
    assert desire(record(1, "unknown")).sheltered == ()


def test_record_that_was_understood_once_shelters_nothing() -> None:
    assert desire(broken(1, at_first_run=True, was_valid=True)).sheltered == ()


@pytest.mark.parametrize(
    ("known", "scope"),
    [
        ({"account_id": SHOP, "permission_set": "Admin"}, Scope(SHOP, "Admin")),
        ({"permission_set": "Admin"}, Scope(None, "Admin")),
        ({"account_id": SHOP}, Scope(SHOP)),
        ({}, Scope()),
        ({"account_id": "000000000009", "permission_set": "Unheard"}, Scope()),
    ],
)
def test_shelter_is_as_wide_as_what_cannot_be_read(known: dict[str, str], scope: Scope) -> None:
    assert desire(broken(1, at_first_run=True, **known)).sheltered == (scope,)


# --- The last day ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "is_wanted"), [(YESTERDAY, False), (TODAY, True), (TOMORROW, True), (date.min, False)])
def test_access_lasts_through_the_last_day(end: date, is_wanted: bool) -> None:
    assert bool(desire(record(1, "hana", until=end)).standings) is is_wanted


def test_date_that_passed_by_itself_has_ended() -> None:
    desired = desire(record(1, "hana", groups=("developers",), until=YESTERDAY))
    assert desired.ended == {key(), key(principal_id="developers")}


@pytest.mark.parametrize(
    ("written", "by_itself"),
    [
        (datetime(2026, 11, 22, 14, 59, tzinfo=UTC), True),  # 23:59 on the last day in Tokyo
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), False),  # the day after
        (None, False),
    ],
)
def test_date_moved_into_the_past_has_not_ended_by_itself(written: datetime | None, by_itself: bool) -> None:
    moved = record(1, "hana", until=YESTERDAY, updated_at=written)
    desired = desire(moved, before={"24:1": [Before(key(), TOMORROW)]})
    assert (desired.ended == {key()}) is by_itself
    assert "24:1" in desired.valid


def test_date_that_passed_stays_passed_when_the_record_is_touched_later() -> None:
    touched = record(1, "hana", until=YESTERDAY, updated_at=datetime(2026, 11, 23, tzinfo=UTC))
    assert desire(touched, before={"24:1": [Before(key(), YESTERDAY)]}).ended == {key()}


def test_what_left_the_record_before_its_last_day_was_taken_out() -> None:
    desired = desire(
        record(1, "hana", until=YESTERDAY), before={"24:1": [Before(key(BANK), None), Before(key(), None)]}
    )
    assert desired.ended == {key()}


def test_record_past_its_last_day_has_no_problem_with_names() -> None:
    assert desire(record(1, "unknown", until=YESTERDAY)).problems == ()


@pytest.mark.parametrize("account_id", [MANAGEMENT, CLOSED])
def test_last_day_at_a_place_out_of_reach_ends_all_the_same(account_id: str) -> None:
    assert desire(record(1, "hana", at=account_id, until=YESTERDAY)).ended == {key(account_id)}


# --- Everything together ---------------------------------------------------------------------------------------------


def test_no_records_at_all_is_a_state_too() -> None:
    desired = desire(sets=())
    assert (desired.sets, desired.standings, desired.problems, desired.may_delete_sets) == ({}, (), (), True)


def test_problems_of_parsing_come_along() -> None:
    problems = desire(record(1, "nobody")).problems
    assert codes(desire(replace(record(2, "hana"), problems=problems))) == ["person_unknown"]


def test_one_problem_does_not_stop_the_others() -> None:
    desired = desire(record(1, "hana", at="000000000009"), broken(2), record(3, "taro"))
    assert set(desired.wanted) == {key(principal_id="taro")}


def test_revisions_of_all_records_are_told() -> None:
    assert desire(record(1, "hana"), broken(2)).revisions == {"23:1": 1, "23:2": 1, "24:1": 1, "24:2": 2}


def test_ownership_that_could_not_be_read_is_not_judged() -> None:
    there = ActualSet("Admin", "arn:Admin", Ownership.UNKNOWN)
    desired = desire(record(1, "hana"), there=actual(sets={"Admin": there}), sets=SET_RECORDS[:1])
    assert (desired.problems, states(desired)) == ((), [(State.WANTED, "")])
