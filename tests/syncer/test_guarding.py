"""Guardrails over the desired state: what is refused, what was there before and stays, what ends and what is spared."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.guardrails import Effect, Rule
from accounts.ownership import Holder, Protection, Register, Site, Unit
from accounts.policy.powers import EVERYTHING, Power
from syncer.cases import Case, Judge, Signature
from syncer.desired import Before, Desired, State
from syncer.guarding import fence_units, find_powers_of, find_unmatched_protection
from syncer.planning import plan_run
from syncer.states import (
    Actual,
    ActualAccount,
    AssignmentKey,
    Definition,
    PolicyReference,
    ReadRecord,
    Reason,
    Scope,
    Unresolved,
)
from tests.syncer.values import (
    BANK,
    NO_LIMITS,
    SHOP,
    TODAY,
    actual,
    broken,
    desire,
    key,
    lines,
    permission_set,
    record,
    set_record,
)

YESTERDAY, TOMORROW, NEXT_MONTH = (TODAY + timedelta(days=days) for days in (-1, 1, 30))
HANA, TEAM = key(principal_id="hana"), key(principal_id="developers")
NOBODY_HERE = Rule("nobody", Effect.REFUSE, "Terraform で管理しています。", account_id=SHOP)
WEEK = Rule("week", Effect.EXPIRES_WITHIN, "1週間以内の期限が必要です。", account_id=SHOP, days=7)
SAYS = Reason("guardrail", {"rule": "nobody", "sentence": "Terraform で管理しています。"})

REGISTER = Register(
    sites={
        SHOP: Site(SHOP, "shop", "ou-shop", "production", entries=frozenset({"hana"})),
        BANK: Site(BANK, "bank", "ou-bank", "production"),
    },
    holders={"hana": Holder("hana")},
    units={unit.unit_id: unit for unit in (Unit("ou-shop", "Shop", "r-1"), Unit("r-1", "Root"))},
)


def guarded(
    *records: ReadRecord,
    rules: tuple[Rule, ...] = (NOBODY_HERE,),
    there: Actual | None = None,
    before: dict[str, list[Before]] | None = None,
    **values: Any,
) -> Desired:
    found = there or actual()
    judge = Judge(REGISTER, values.pop("cases", {}), there=found.assignments, rules=rules)
    return desire(*records, there=found, before=before, judge=judge, **values)


def states(desired: Desired) -> dict[str, tuple[str, str]]:
    return {
        standing.written_as: (standing.state.value, standing.reason.code if standing.reason else "")
        for standing in desired.standings
    }


def in_force(*keys: AssignmentKey, end: date | None = None, reference: str = "24:1") -> dict[str, list[Before]]:
    return {reference: [Before(item, end) for item in keys]}


def removals(desired: Desired, there: Actual) -> list[str]:
    return [line for line in lines(plan_run(desired, there, NO_LIMITS).changes) if line.startswith("delete …")]


# --- New access


def test_new_access_is_refused_with_the_rules_sentence() -> None:
    desired = guarded(record(1, "hana"))
    (standing,) = desired.standings
    assert (standing.state, standing.reason, desired.wanted) == (State.WITHHELD, SAYS, {})
    (problem,) = desired.problems
    assert (problem.code, problem.record, problem.params["names"]) == ("guardrail_refuses", "24:1", "hana")


def test_other_accounts_and_sets_are_not_concerned() -> None:
    assert states(guarded(record(1, "hana", at=BANK))) == {"hana": ("wanted", "")}


def test_what_stands_in_the_way_in_any_case_is_said_first() -> None:
    desired = guarded(record(1, "hana", name="Legacy"))
    assert states(desired) == {"hana": ("blocked", "set_not_adopted")}


def test_who_is_not_there_yet_is_refused_too() -> None:
    assert states(guarded(record(1, "yuki"))) == {"yuki": ("withheld", "guardrail")}


def test_owner_condition_tells_owners_from_others() -> None:
    owners_only = Rule("owners", Effect.OWNERS_ONLY, "所有者のみ", account_id=SHOP)
    assert states(guarded(record(1, "hana", "taro"), rules=(owners_only,))) == {
        "hana": ("wanted", ""),
        "taro": ("withheld", "guardrail_owners_only"),
    }


def test_rule_of_a_unit_covers_what_is_below() -> None:
    assert states(guarded(record(1, "hana"), rules=(replace(NOBODY_HERE, account_id="", unit_id="r-1"),))) == {
        "hana": ("withheld", "guardrail")
    }


def test_power_is_that_of_the_set_as_its_record_wants_it() -> None:
    rules = (Rule("no writing", Effect.REFUSE, "参照のみ", power=Power.WRITE),)
    there = actual(sets={"Admin": permission_set("Admin", managed_policies=frozenset({"…/PowerUserAccess"}))})
    mild = (set_record(1, "Admin"),)  # its record takes the policies away
    assert states(guarded(record(1, "hana"), rules=rules, there=there, sets=mild)) == {"hana": ("wanted", "")}
    assert states(guarded(record(1, "hana"), rules=rules, there=there, sets=()))["hana"][0] == "kept"


def test_set_that_nobody_read_may_everything() -> None:
    assert find_powers_of(None) == EVERYTHING
    customer = Definition(customer_managed_policies=frozenset({PolicyReference("/", "x")}))
    assert find_powers_of(customer) == EVERYTHING


# --- Who registers


def by(writer: str, *names: str) -> dict[str, str]:
    return {f"kintone_user:{name}": writer for name in names}


OPS_ONLY = Rule(
    "ops", Effect.ROLES_ONLY, "運用チームだけが登録できます。", account_id=SHOP, roles=frozenset({"taro", "ops"})
)


def test_only_certain_people_register() -> None:
    assert states(guarded(replace(record(1, "hana"), by=by("taro", "hana")), rules=(OPS_ONLY,))) == {
        "hana": ("wanted", "")
    }
    assert states(guarded(replace(record(1, "hana"), by=by("ken", "hana")), rules=(OPS_ONLY,))) == {
        "hana": ("withheld", "guardrail_roles_only")
    }


def test_whoever_edits_later_does_not_become_the_one_who_registered() -> None:
    case = Case(
        record(1, "hana", "left").wish, Signature("Administrator"), Signature("x"), in_force=record(1, "hana").wish
    )
    case = replace(case, by=by("taro", "hana"))
    desired = guarded(record(1, "hana", "left"), rules=(OPS_ONLY,), cases={"24:1": case})
    assert states(desired) == {"hana": ("wanted", ""), "left": ("withheld", "guardrail_roles_only")}


# --- What is there already


def test_existing_access_is_kept_and_listed() -> None:
    there = actual(HANA)
    desired = guarded(record(1, "hana"), there=there, before=in_force(HANA))
    assert states(desired) == {"hana": ("kept", "guardrail_kept")}
    assert removals(desired, there) == []


def test_access_of_the_first_run_is_kept() -> None:
    there = actual(HANA)
    case = Case(record(1, "hana").wish, Signature("nobody"), Signature("nobody"), at_first_run=True)
    desired = guarded(record(1, "hana"), there=there, cases={"24:1": case})
    assert states(desired) == {"hana": ("kept", "guardrail_kept")}


def test_access_made_by_hand_is_not_kept_by_registering_it() -> None:
    there = actual(HANA)
    desired = guarded(record(1, "hana"), there=there)
    assert states(desired) == {"hana": ("withheld", "guardrail")}
    assert removals(desired, there) == ["delete …1 Admin hana"]


def test_another_record_for_existing_access_is_a_wish_of_its_own() -> None:
    there = actual(HANA)
    both = guarded(record(1, "hana"), record(2, "hana"), there=there, before=in_force(HANA))
    (standing,) = both.standings
    assert (standing.state, standing.records) == (State.KEPT, ("24:1",))
    alone = guarded(record(2, "hana"), there=there, before={"24:1": [Before(HANA, None, is_current=False)]})
    assert removals(alone, there) == ["delete …1 Admin hana"]


def test_access_that_aws_lost_is_not_made_again() -> None:
    assert states(guarded(record(1, "hana"), before=in_force(HANA))) == {"hana": ("withheld", "guardrail")}


@pytest.mark.parametrize(
    ("day", "state", "removed"),
    [
        (TOMORROW, ("kept", "guardrail_ends"), []),
        (TODAY, ("kept", "guardrail_ends"), []),
        (YESTERDAY, ("withheld", "guardrail_ended"), ["delete …1 Admin hana"]),
    ],
)
def test_existing_access_ends_on_a_date(day: date, state: tuple[str, str], removed: list[str]) -> None:
    there, rules = actual(HANA), (replace(NOBODY_HERE, ends_on=day),)
    desired = guarded(record(1, "hana"), rules=rules, there=there, before=in_force(HANA))
    assert states(desired) == {"hana": state}
    assert removals(desired, there) == removed
    assert set(desired.ending) == ({HANA} if removed else set())


def test_record_that_the_rule_allows_keeps_what_it_ends_for_another() -> None:
    """The rule asks for a last day: one record has none, another has."""
    there, rules = actual(HANA), (replace(WEEK, days=60, ends_on=YESTERDAY),)
    before = {"24:1": [Before(HANA, None)], "24:2": [Before(HANA, TOMORROW)]}
    desired = guarded(record(1, "hana"), record(2, "hana", until=TOMORROW), rules=rules, there=there, before=before)
    assert removals(desired, there) == []
    (standing,) = desired.standings
    assert (standing.state, standing.records) == (State.WANTED, ("24:2",))


def test_broken_record_holds_no_end_back() -> None:
    there, rules = actual(HANA), (replace(NOBODY_HERE, ends_on=YESTERDAY),)
    desired = guarded(
        broken(1, account_id=SHOP, permission_set="Admin"), rules=rules, there=there, before=in_force(HANA)
    )
    assert HANA in desired.kept
    assert removals(desired, there) == ["delete …1 Admin hana"]


def test_broken_set_holds_no_end_back() -> None:
    there, rules = actual(HANA), (replace(NOBODY_HERE, ends_on=YESTERDAY),)
    sets = (set_record(1, "Admin", wish=None),)
    desired = guarded(record(1, "hana"), rules=rules, there=there, before=in_force(HANA), sets=sets)
    assert removals(desired, there) == ["delete …1 Admin hana"]


def test_emergency_access_is_spared() -> None:
    keep = Rule("emergency", Effect.KEEP, "緊急用", permission_set="Admin", principal_type="GROUP")
    there = actual(HANA, TEAM)
    rules = (keep, replace(NOBODY_HERE, ends_on=YESTERDAY))
    desired = guarded(record(1, "hana", groups=("developers",)), rules=rules, there=there, before=in_force(HANA, TEAM))
    assert desired.emergency == {TEAM}
    assert removals(desired, there) == ["delete …1 Admin hana"]


# --- The last day


def test_last_day_counts_from_the_day_of_registering() -> None:
    """The sample's records were written on 1 November."""
    near, far = date(2026, 11, 8), TODAY + timedelta(days=2)
    written_today = replace(record(1, "hana", until=far), updated_at=None)
    assert states(guarded(written_today, rules=(WEEK,))) == {"hana": ("wanted", "")}
    assert near < TODAY  # such a record is over already
    assert states(guarded(record(1, "hana", until=far), rules=(WEEK,))) == {
        "hana": ("withheld", "guardrail_expires_within")
    }
    assert states(guarded(record(1, "hana"), rules=(WEEK,))) == {"hana": ("withheld", "guardrail_expires_within")}


def test_extension_beyond_the_days_is_refused() -> None:
    there = actual(HANA)
    written = replace(record(1, "hana", until=NEXT_MONTH), updated_at=None)
    desired = guarded(written, rules=(WEEK,), there=there, before=in_force(HANA, end=TOMORROW))
    (standing,) = desired.standings
    assert (standing.state, standing.expires_on) == (State.WANTED, TOMORROW)
    (problem,) = desired.problems
    assert (problem.code, problem.field, problem.params["day"]) == (
        "guardrail_day",
        "expires_on",
        NEXT_MONTH.isoformat(),
    )


def test_extension_within_the_days_is_allowed() -> None:
    written = replace(record(1, "hana", until=TODAY + timedelta(days=7)), updated_at=None)
    desired = guarded(written, rules=(WEEK,), there=actual(HANA), before=in_force(HANA, end=TOMORROW))
    assert desired.standings[0].expires_on == TODAY + timedelta(days=7)


def test_refused_extension_of_a_passed_day_ends_the_access() -> None:
    there = actual(HANA)
    written = replace(record(1, "hana", until=NEXT_MONTH), updated_at=None)
    desired = guarded(written, rules=(WEEK,), there=there, before=in_force(HANA, end=YESTERDAY))
    assert desired.ended == {HANA}
    assert removals(desired, there) == ["delete …1 Admin hana"]


def test_access_without_end_from_before_is_kept() -> None:
    desired = guarded(record(1, "hana"), rules=(WEEK,), there=actual(HANA), before=in_force(HANA))
    assert states(desired) == {"hana": ("kept", "guardrail_kept")}


def test_dropping_the_last_day_is_an_extension() -> None:
    desired = guarded(record(1, "hana"), rules=(WEEK,), there=actual(HANA), before=in_force(HANA, end=TOMORROW))
    assert desired.standings[0].expires_on == TOMORROW


# --- Rules about nothing, and units that could not be read


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"unit_id": "ou-gone"}, "matches_nothing"),
        ({"account_id": "000000000077"}, "matches_nothing"),
        ({"permission_set": "Gone"}, "matches_nothing"),
        ({"unit_id": "ou-shop", "account_id": BANK}, "matches_no_account"),
        ({"stage": "staging"}, "matches_no_account"),
        ({"tag": ("team", "nobody")}, "matches_no_account"),
        ({"permission_set": "Reader", "power": Power.ADMIN}, "matches_no_set"),
        ({"effect": Effect.ROLES_ONLY, "roles": frozenset({"gone", "developers"})}, "roles_gone"),
        ({"effect": Effect.ROLES_ONLY, "roles": frozenset({"developers", "hana"})}, ""),
        ({"unit_id": "ou-shop", "permission_set": "Reader"}, ""),
        ({"stage": "production"}, ""),
        ({"tag": ("team", "shop")}, ""),
        ({"permission_set": "Admin", "power": Power.ADMIN}, ""),
    ],
)
def test_rule_about_nothing_is_a_problem(about: dict[str, Any], code: str) -> None:
    rule = Rule(**{"name": "rule", "effect": Effect.REFUSE, "sentence": "…"} | about)
    reader = permission_set("Reader", managed_policies=frozenset({"arn:aws:iam::aws:policy/ReadOnlyAccess"}))
    admin = permission_set("Admin", managed_policies=frozenset({"arn:aws:iam::aws:policy/AdministratorAccess"}))
    there = actual(sets={"Admin": admin, "Reader": reader})
    tags: dict[str, dict[str, str]] = {account_id: {} for account_id in there.accounts} | {SHOP: {"team": "shop"}}
    judge = Judge(REGISTER, rules=(rule,), tags=tags)
    problems = desire(sets=(), there=there, judge=judge).problems
    assert [problem.code for problem in problems] == ([f"guardrail_{code}"] if code else [])


def test_tags_that_were_never_read_may_be_those_of_the_rule() -> None:
    rule = Rule("rule", Effect.REFUSE, "…", tag=("team", "nobody"))
    assert [problem.code for problem in guarded(rules=(rule,)).problems] == []


def test_protection_of_nothing_is_a_problem_but_for_the_default() -> None:
    register = replace(REGISTER, protection=Protection(("admin", "Shop", "ou-gone")))
    assert [problem.params["unit"] for problem in find_unmatched_protection(register)] == ["ou-gone"]
    assert list(find_unmatched_protection(replace(register, units={}))) == []


BLIND = Unresolved(Scope(), "organizations:ListRoots", Reason("aws_denied"), blocks="units")
PLACED = {SHOP: ActualAccount(SHOP, "shop", "", "ACTIVE", "ou-shop"), BANK: ActualAccount(BANK, "bank", "", "ACTIVE")}


def fenced(*rules: Rule, register: Register = REGISTER, unresolved: Unresolved = BLIND) -> list[Scope]:
    seen = fence_units(actual(accounts=PLACED, unresolved=(unresolved,)), Judge(register, rules=rules))
    return [item.scope for item in seen.unresolved if item.blocks == "all"]


def test_unread_units_stop_changes_where_a_rule_may_concern() -> None:
    of_unit = replace(NOBODY_HERE, account_id="", unit_id="ou-shop")
    assert fenced(of_unit) == [Scope(BANK)]
    assert fenced(replace(NOBODY_HERE, account_id="", stage="production")) == [Scope(BANK)]
    assert fenced(register=replace(REGISTER, protection=Protection(("admin",)))) == [Scope(BANK)]


def test_unread_units_stop_nothing_where_no_rule_is_about_units() -> None:
    assert fenced(NOBODY_HERE) == []
    assert fenced(replace(NOBODY_HERE, unit_id="ou-shop"), unresolved=replace(BLIND, blocks="none")) == []
