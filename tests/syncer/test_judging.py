"""Cases → rulings → the desired state: who counts as writer, whose account it is, and what people see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.ownership import Holder, Protection, Register, Site, Unit
from syncer.cases import Case, Judge, Signature
from syncer.desired import Before, Desired, State
from syncer.planning import plan_run
from syncer.states import Actual, AssignmentKey, AssignmentWish, ReadRecord, Reason, Scope, SetWish
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    NO_LIMITS,
    PRINCIPALS,
    SHOP,
    TODAY,
    actual,
    broken,
    desire,
    key,
    lines,
    record,
    set_record,
    user,
)

SANDBOX = BANK  # nobody owns it, and its stage may be claimed
HANA, TARO, KEN = (Signature(name, name.title()) for name in ("hana", "taro", "ken"))
ADMINISTRATOR = Signature("Administrator", "Administrator")
THERE = actual(principals={**PRINCIPALS, "ken": user("ken")})
WRITTEN = datetime(2026, 11, 20, tzinfo=UTC)

REGISTER = Register(
    sites={
        SHOP: Site(SHOP, "shop", stage="production", entries=frozenset({"hana"})),
        SANDBOX: Site(SANDBOX, "sandbox", "ou-sandbox", "sandbox"),
        CLOSED: Site(CLOSED, "closed", stage="sandbox"),
        MANAGEMENT: Site(MANAGEMENT, "management", is_management=True),
    },
    units={"ou-sandbox": Unit("ou-sandbox", "sandbox")},
    holders={name: Holder(name, name=f"{name}@example.com") for name in ("hana", "taro", "ken")},
    claimable_stages=frozenset({"sandbox"}),
)


def case(written: ReadRecord, writer: Signature, before: ReadRecord | None = None, **values: Any) -> Case:
    """The case of a record; `before` is what was in force. The first writer is hana unless said otherwise."""
    defaults: dict[str, Any] = {
        "author": HANA if before else writer,
        "in_force": before.wish if before else None,
        "written_at": WRITTEN,
    }
    return Case(written.wish, writer, **defaults | values)


def judged(
    *cases: tuple[ReadRecord, Case],
    register: Register = REGISTER,
    there: Actual = THERE,
    before: Any = None,
    **judge: Any,
) -> Desired:
    references = {str(written.reference): found for written, found in cases}
    values: dict[str, Any] = {"there": there.assignments, **judge}
    return desire(
        *(written for written, _case in cases),
        there=there,
        before=before,
        judge=Judge(register, references, **values),
    )


def states(desired: Desired) -> dict[str, tuple[str, str]]:
    """Who → state and code."""
    return {
        standing.written_as: (standing.state.value, standing.reason.code if standing.reason else "")
        for standing in desired.standings
    }


def one(written: ReadRecord, writer: Signature, before: ReadRecord | None = None, **values: Any) -> Desired:
    return judged((written, case(written, writer, before, **values)))


GRANTED = ("wanted", "")


# --- Who wrote it


def test_owner_of_the_account_registers() -> None:
    assert states(one(record(1, "taro"), HANA)) == {"taro": GRANTED}


def test_others_register_nothing_and_are_told_who_may() -> None:
    desired = one(record(1, "taro"), TARO)
    (standing,) = desired.standings
    assert (standing.state, standing.key in desired.wanted) == (State.WITHHELD, False)
    assert standing.reason == Reason(
        "writer_may_not", {"name": "Taro", "account": "account 1", "who": "hana@example.com"}
    )


@pytest.mark.parametrize(
    "writer",
    [
        Signature("stranger", "Hana"),  # a display name like somebody's
        Signature("left", "Left"),  # disabled in Identity Center
        Signature("", "Hana"),
        Signature(user="7", code="hana", name="Hana"),  # the portal's user, who is not in Identity Center
    ],
)
def test_writer_who_cannot_be_matched_may_not(writer: Signature) -> None:
    assert states(one(record(1, "taro"), writer)) == {"taro": ("withheld", "writer_unknown")}


def test_writer_whose_code_may_be_another_users_may_not() -> None:
    written = record(1, "taro")
    desired = desire(
        written, there=THERE, alike={"hana": ("HANA", "hana")},
        judge=Judge(REGISTER, {"24:1": case(written, HANA)}, there=THERE.assignments),
    )  # fmt: skip
    assert [standing.state for standing in desired.standings] == [State.WITHHELD]


def test_ledger_goes_before_the_code() -> None:
    by_portal = Signature("Administrator", "花", user="7", principal_id="hana")
    assert states(one(record(1, "taro"), by_portal)) == {"taro": GRANTED}
    other = Signature("Administrator", "太郎", user="8", principal_id="taro")
    assert states(one(record(1, "ken"), other)) == {"ken": ("withheld", "writer_may_not")}


def test_administrator_outside_the_ledger_is_applied() -> None:
    assert states(one(record(1, "taro"), ADMINISTRATOR)) == {"taro": GRANTED}


@pytest.mark.parametrize("code", ["administrator", "ADMINISTRATOR", "Ａdministrator"])
def test_administrator_is_known_in_any_spelling(code: str) -> None:
    assert states(one(record(1, "taro"), Signature(code))) == {"taro": GRANTED}


def test_admin_of_the_portal_registers_everywhere() -> None:
    written = record(1, "ken")
    assert states(judged((written, case(written, TARO)), admins=frozenset({"taro"}))) == {"ken": GRANTED}
    by_portal = Signature(user="9", is_admin=True)
    assert states(one(written, by_portal)) == {"ken": GRANTED}


@pytest.mark.parametrize("writer", [HANA, Signature(user="9", principal_id="hana", is_admin=True)])
def test_whoever_is_locked_out_lets_in_nobody(writer: Signature) -> None:
    """His sign-in may be stolen: neither ownership nor a role opens anything by it."""
    written = record(1, "taro")
    desired = judged((written, case(written, writer)), locked=frozenset({"hana"}))
    assert states(desired)["taro"][0] == State.WITHHELD
    assert states(judged((written, case(written, writer)), locked=frozenset({"ken"}))) == {"taro": GRANTED}


def test_code_that_an_admin_gave_a_person_counts() -> None:
    written = record(1, "taro")
    assert states(judged((written, case(written, Signature("h.sato"))), codes={"h.sato": "hana"})) == {"taro": GRANTED}


# --- Whose account it is


def test_nobody_but_admins_registers_where_it_is_protected() -> None:
    register = replace(REGISTER, protection=Protection(accounts=frozenset({SHOP})))
    written = record(1, "taro")
    assert states(judged((written, case(written, HANA)), register=register)) == {
        "taro": ("withheld", "account_protected")
    }


def test_account_of_nobody_waits_for_an_owner() -> None:
    sites = {**REGISTER.sites, SHOP: Site(SHOP, stage="production")}
    written = record(1, "taro")
    desired = judged((written, case(written, HANA)), register=replace(REGISTER, sites=sites))
    assert states(desired) == {"taro": ("withheld", "account_without_owner")}


def test_account_whose_owners_left_is_not_claimed() -> None:
    sites = {**REGISTER.sites, SANDBOX: Site(SANDBOX, stage="sandbox", entries=frozenset({"left"}))}
    written = record(1, "taro", at=SANDBOX)
    desired = judged((written, case(written, HANA)), register=replace(REGISTER, sites=sites))
    assert states(desired) == {"taro": ("withheld", "owners_left")}
    assert desired.rulings["24:1"].claims == ""


def test_unread_owners_decide_nothing_for_good() -> None:
    sites = {**REGISTER.sites, SHOP: Site(SHOP, tag=None)}
    written = record(1, "taro")
    desired = judged((written, case(written, HANA)), register=replace(REGISTER, sites=sites))
    assert states(desired) == {"taro": ("withheld", "owners_unread")}
    assert not desired.rulings["24:1"].withheld
    assert "24:1" not in desired.valid


def test_registering_claims_a_free_account() -> None:
    desired = one(record(1, "ken", at=SANDBOX), TARO)
    assert states(desired) == {"ken": GRANTED}
    assert desired.rulings["24:1"].claims == "taro"


def test_first_to_register_claims() -> None:
    early, late = record(2, "ken", at=SANDBOX), record(1, "hana", at=SANDBOX)
    desired = judged((late, case(late, HANA)), (early, case(early, TARO, written_at=WRITTEN - timedelta(minutes=1))))
    assert states(desired) == {"ken": GRANTED, "hana": ("withheld", "writer_may_not")}
    assert {name: ruling.claims for name, ruling in desired.rulings.items()} == {"24:2": "taro", "24:1": ""}


def test_claimant_registers_on() -> None:
    first, second = record(1, "ken", at=SANDBOX), record(2, "hana", at=SANDBOX)
    desired = judged((first, case(first, TARO)), (second, case(second, TARO)))
    assert set(states(desired).values()) == {GRANTED}


@pytest.mark.parametrize("writer", [ADMINISTRATOR, Signature(user="9", is_admin=True, principal_id="taro")])
def test_administrators_claim_nothing(writer: Signature) -> None:
    assert one(record(1, "ken", at=SANDBOX), writer).rulings["24:1"].claims == ""


def test_record_that_adds_nobody_claims_nothing() -> None:
    there = replace(THERE, assignments=frozenset({key(SANDBOX, principal_id="ken")}))
    written = record(1, "ken", at=SANDBOX)
    desired = judged((written, case(written, TARO, at_first_run=True)), there=there)
    assert desired.rulings["24:1"].claims == ""


def test_account_that_is_not_active_is_not_claimed() -> None:
    assert one(record(1, "ken", at=CLOSED), TARO).rulings["24:1"].claims == ""


@pytest.mark.parametrize(
    ("writer", "state", "code"), [(TARO, "withheld", "account_without_owner"), (HANA, "blocked", "")]
)
def test_management_account_is_judged_like_any_other(writer: Signature, state: str, code: str) -> None:
    """Nothing is done there, but what is in force is exported for Terraform."""
    written = record(1, "ken", at=MANAGEMENT)
    desired = judged((written, case(written, writer)), admins=frozenset({"hana"}))
    assert states(desired) == {"ken": (state, "management_account")}
    assert {reason.code for reason in desired.rulings["24:1"].withheld.values()} == ({code} if code else set())


def test_terraforms_set_is_judged_when_it_is_free() -> None:
    desired = one(record(1, "ken", name="Root"), TARO)
    assert states(desired) == {"ken": ("withheld", "managed_in_terraform")}
    assert not desired.rulings["24:1"].withheld
    assert "24:1" not in desired.valid


# --- The first run


def test_baseline_is_what_aws_has() -> None:
    there = replace(THERE, assignments=frozenset({key(principal_id="ken")}))
    written = record(1, "ken", "taro")
    desired = judged((written, case(written, Signature("stranger"), at_first_run=True)), there=there)
    assert states(desired) == {"ken": GRANTED, "taro": ("withheld", "writer_unknown")}


def test_later_record_has_no_baseline() -> None:
    """Somebody assigned by hand does not become right by an outsider's record, and is not kept by it."""
    there = replace(THERE, assignments=frozenset({key(principal_id="ken")}))
    written = record(1, "ken")
    desired = judged((written, case(written, TARO)), there=there)
    assert states(desired) == {"ken": ("withheld", "writer_may_not")}
    assert lines(plan_run(desired, there, NO_LIMITS).changes) == ["delete …1 Admin ken"]


def test_baseline_that_could_not_be_read_withholds_nothing_for_good() -> None:
    written = record(1, "ken")
    desired = judged((written, case(written, TARO, at_first_run=True)), unread=(Scope(SHOP, "Admin"),))
    assert (desired.rulings["24:1"].withheld, desired.rulings["24:1"].is_certain) == ({}, False)


# --- Later revisions


def standing_keys(desired: Desired) -> set[AssignmentKey]:
    return set(desired.wanted)


def test_withheld_addition_leaves_the_rest_in_force() -> None:
    desired = one(record(1, "taro", "ken"), TARO, record(1, "taro"))
    assert states(desired) == {"taro": GRANTED, "ken": ("withheld", "writer_may_not")}
    assert desired.valid >= {"24:1"}


def test_withheld_removal_keeps_access() -> None:
    there = replace(THERE, assignments=frozenset({key(principal_id="taro"), key(principal_id="ken")}))
    before = {"24:1": [Before(key(principal_id=name), None) for name in ("taro", "ken")]}
    written = record(1, "taro")
    desired = judged((written, case(written, KEN, record(1, "taro", "ken"), author=HANA)), there=there, before=before)
    assert standing_keys(desired) == {key(principal_id="taro")}  # he took himself out
    written = record(1, "ken")
    desired = judged((written, case(written, KEN, record(1, "taro", "ken"), author=HANA)), there=there, before=before)
    assert standing_keys(desired) == {key(principal_id="taro"), key(principal_id="ken")}


def test_author_narrows_without_owning_the_account() -> None:
    desired = one(record(1, "ken"), TARO, record(1, "ken", "taro"), author=TARO)
    assert states(desired) == {"ken": GRANTED}


def test_author_by_ledger_is_not_the_creator() -> None:
    by_portal = Signature("taro", "太郎", user="8", principal_id="ken")
    desired = one(record(1, "hana"), Signature("taro", "Taro"), record(1, "hana", "ken"), author=by_portal)
    assert states(desired) == {"hana": GRANTED, "ken": GRANTED}


def test_owner_named_in_the_same_revision_may_nothing_yet() -> None:
    desired = one(record(1, "hana"), TARO, record(1, "hana", "ken"), owners=("taro",), in_force_owners=("hana",))
    assert states(desired) == {"hana": GRANTED, "ken": GRANTED}
    assert desired.rulings["24:1"].owners == ("hana",)


def test_owner_of_the_record_narrows_and_does_not_widen() -> None:
    before = record(1, "hana", "ken")
    narrowed = one(record(1, "hana"), TARO, before, owners=("taro",), in_force_owners=("taro",))
    widened = one(record(1, "hana", "ken", "taro"), TARO, before, owners=("taro",), in_force_owners=("taro",))
    assert states(narrowed) == {"hana": GRANTED}
    assert states(widened)["taro"] == ("withheld", "writer_may_not")


def test_move_that_is_withheld_keeps_the_old_place() -> None:
    desired = one(record(1, "ken", at=SANDBOX, name="Reader"), KEN, record(1, "ken"))
    assert standing_keys(desired) == {key(principal_id="ken")}
    assert [s.reason.code for s in desired.standings if s.state is State.WITHHELD and s.reason] == [
        "writer_may_not_edit"
    ]


def test_withheld_reason_is_that_of_its_day() -> None:
    """A later writer is not blamed for what somebody else wrote."""
    held = {"+kintone_user:ken": Reason("writer_may_not", {"name": "Mallory"})}
    desired = one(record(1, "taro", "ken"), ADMINISTRATOR, record(1, "taro"), withheld=held)
    (standing,) = [standing for standing in desired.standings if standing.state is State.WITHHELD]
    assert standing.reason == held["+kintone_user:ken"]


def test_one_problem_tells_what_is_withheld() -> None:
    desired = one(record(1, "taro", "ken"), TARO, record(1, "taro"))
    (problem,) = [problem for problem in desired.problems if problem.record == "24:1"]
    assert (problem.code, problem.severity, problem.params["values"]) == ("values_withheld_who", "warning", "+ ken")


def test_extended_day_that_is_withheld_ends_as_before() -> None:
    tomorrow = TODAY + timedelta(days=1)
    desired = one(record(1, "ken", until=tomorrow), KEN, record(1, "ken", until=TODAY))
    (standing,) = desired.standings
    assert standing.expires_on == TODAY


def test_another_record_may_bring_what_one_withholds() -> None:
    withheld, wanted = record(1, "ken"), record(2, "ken")
    desired = judged((withheld, case(withheld, TARO)), (wanted, case(wanted, HANA)))
    (standing,) = desired.standings
    assert (standing.state, standing.records) == (State.WANTED, ("24:2",))


# --- What cannot be understood


def test_broken_revision_withholds_from_whoever_mends_it() -> None:
    readable = AssignmentWish(SHOP, "Admin", ("taro", "ken"))
    spoilt = Case(readable, TARO, HANA, in_force=record(1, "taro").wish, is_understood=False)
    desired = judged((broken(1, account_id=SHOP, permission_set="Admin"), spoilt))
    ruling = desired.rulings["24:1"]
    assert set(ruling.withheld) == {"+kintone_user:ken"}
    assert ruling.wish is None
    mended = record(1, "taro", "ken")
    later = case(mended, ADMINISTRATOR, record(1, "taro"), withheld=ruling.withheld)
    assert states(judged((mended, later)))["ken"] == ("withheld", "writer_may_not")


def test_slip_of_the_pen_lets_nobody_in_later() -> None:
    written = record(1, "taro", "ken", at="000000000099")
    desired = judged((written, case(written, TARO, record(1, "taro"))))
    assert "+kintone_user:ken" in desired.rulings["24:1"].withheld


# --- Permission sets


def rule_on_set(writer: Signature, before: SetWish | None = None, **values: Any) -> Desired:
    written = set_record(1, "Admin", wish=SetWish("Admin", description="new"))
    found = Case(written.wish, writer, values.pop("author", HANA), in_force=before, **values)
    return desire(record(1, "ken"), sets=(written,), there=THERE, judge=Judge(REGISTER, {"23:1": found}))


def test_everybody_known_registers_a_set() -> None:
    assert rule_on_set(TARO, author=TARO).sets["Admin"].definition.description == "new"


def test_set_of_somebody_unknown_brings_nothing() -> None:
    desired = rule_on_set(Signature("stranger"), author=Signature("stranger"))
    assert desired.set_states["Admin"].code == "writer_unknown"
    assert states(desired) == {"ken": ("blocked", "writer_unknown")}


def test_author_and_owners_change_a_set_others_do_not() -> None:
    before = SetWish("Admin", description="old")
    assert rule_on_set(HANA, before).sets["Admin"].definition.description == "new"
    assert rule_on_set(TARO, before, in_force_owners=("taro",)).sets["Admin"].definition.description == "new"
    outsider = rule_on_set(TARO, before, owners=("taro",), in_force_owners=("hana",))
    assert outsider.sets["Admin"].definition.description == "old"
    assert outsider.rulings["23:1"].owners == ("hana",)
    assert [problem.code for problem in outsider.problems] == ["values_withheld"]


def test_owner_whom_an_outsider_names_stays_withheld_when_the_author_writes_next() -> None:
    before = SetWish("Admin", description="new")
    names: dict[str, Any] = {"owners": ("hana", "taro"), "in_force_owners": ("hana",)}
    first = rule_on_set(TARO, before, **names).rulings["23:1"]
    assert (first.owners, set(first.withheld)) == (("hana",), {"+owner:taro"})
    then = rule_on_set(HANA, before, withheld=first.withheld, **names).rulings["23:1"]
    assert (then.owners, set(then.withheld)) == (("hana",), {"+owner:taro"})
    let = rule_on_set(HANA, before, confirmed=frozenset({"+owner:taro"}), **names).rulings["23:1"]
    assert (let.owners, {*let.withheld, *let.spent}) == (("hana", "taro"), set())


def test_owners_that_are_new_on_the_form_are_no_outsiders_to_name() -> None:
    before = SetWish("Admin", description="old")
    assert rule_on_set(TARO, before, owners=("taro",)).rulings["23:1"].owners == ()
    assert rule_on_set(HANA, before, owners=("taro",)).rulings["23:1"].owners == ("taro",)


def test_everything_counts_without_a_judge() -> None:
    assert states(desire(record(1, "hana"))) == {"hana": GRANTED}
