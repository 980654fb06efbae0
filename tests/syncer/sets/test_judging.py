"""Who may let a permission set do more, as a table: a change, who wrote it, and where the set is assigned."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.ownership import Holder, Protection, Register, Site
from syncer.cases import Case, Gone, Judge, Signature
from syncer.desired import Desired
from syncer.states import Actual, AssignmentKey, Boundary, PolicyReference, Reason, SetWish
from tests.syncer.values import BANK, PRINCIPALS, SHOP, actual, desire, key, permission_set, record, set_record, user

HANA, TARO, KEN, ADMIN = (Signature(name, name.title()) for name in ("hana", "taro", "ken", "admin"))
ADMINISTRATOR = Signature("Administrator", "Administrator")
NAMES = ("hana", "taro", "ken", "admin")
REGISTER = Register(
    sites={
        SHOP: Site(SHOP, "shop", entries=frozenset({"hana", "taro"})),
        BANK: Site(BANK, "bank", entries=frozenset({"taro"})),
    },
    holders={name: Holder(name, name=f"{name}@example.com") for name in NAMES},
)
READ = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}'
WRITE, LESS = READ.replace("s3:Get*", "s3:*"), READ.replace("s3:Get*", "s3:GetObject")
OLD = SetWish("Admin", "old", inline_policy=READ, permissions_boundary="/limits/Admin")
EVERYWHERE = (key(SHOP), key(BANK))


def rule(wish: SetWish, writer: Signature, *there: AssignmentKey, before: SetWish | None = OLD, **case: Any) -> Desired:
    """The desired state after a revision of hana's record of the set, which is assigned `there`."""
    world = actual(*there, principals={**PRINCIPALS, **{name: user(name) for name in NAMES}})
    judge: dict[str, Any] = {
        name: case.pop(name) for name in ("places", "gone", "register", "cases", "texts") if name in case
    }
    found = Case(wish, writer, case.pop("author", HANA), in_force=before, **case)
    return decide(wish, found, world, judge)


def decide(wish: SetWish, found: Case, world: Actual, judge: dict[str, Any]) -> Desired:
    cases = {"23:1": found, **judge.pop("cases", {})}
    values = {"register": REGISTER, "admins": frozenset({"admin"}), "there": world.assignments, **judge}
    wishes = [record(int(name.partition(":")[2]), wish=case.wish) for name, case in cases.items() if name[:2] == "24"]
    return desire(*wishes, sets=(set_record(1, wish.name, wish=wish),), there=world, judge=Judge(cases=cases, **values))


def fields_of(desired: Desired) -> dict[str, Any]:
    definition = desired.sets["Admin"].definition
    return {"description": definition.description, "inline": definition.inline_policy}


CHANGES: Mapping[str, tuple[dict[str, Any], bool]] = {
    "narrower": ({"inline_policy": LESS}, False),
    "nothing": ({"inline_policy": ""}, False),
    "other words": ({"description": "new"}, False),
    "longer sessions": ({"session_duration": timedelta(hours=12)}, False),
    "another first page": ({"relay_state": "https://console.aws.amazon.com/s3"}, False),
    "wider": ({"inline_policy": WRITE}, True),
    "unreadable": ({"inline_policy": "{"}, True),
    "managed": ({"managed_policies": ("ReadOnlyAccess",)}, True),
    "of the account": ({"customer_managed_policies": (PolicyReference("/", "Own"),)}, True),
    "boundary goes": ({"permissions_boundary": ""}, True),
    "boundary by AWS's name": ({"permissions_boundary": "Admin"}, True),
    "narrower under no boundary": ({"inline_policy": LESS, "permissions_boundary": ""}, True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_author_narrows_what_others_use_and_never_widens_it(name: str) -> None:
    values, does_more = CHANGES[name]
    wish = replace(OLD, **values)
    ruling = rule(wish, HANA, *EVERYWHERE).rulings["23:1"]
    assert isinstance(ruling.wish, SetWish)
    assert (ruling.wish == wish, bool(ruling.withheld)) == (not does_more, does_more)
    assert does_more <= (ruling.wish == OLD), "it stays as it was in force"


@pytest.mark.parametrize(
    ("writer", "there", "goes"),
    [
        (HANA, (), True),
        (HANA, (key(SHOP),), True),
        (HANA, EVERYWHERE, False),
        (TARO, EVERYWHERE, True),
        (ADMIN, EVERYWHERE, True),
        (ADMINISTRATOR, EVERYWHERE, True),
        (replace(KEN, user="7", is_admin=True), EVERYWHERE, True),
        (Signature("stranger"), (key(SHOP),), False),
        (HANA, (key(SHOP, "Reader"), key(BANK, "Reader")), True),
    ],
)
def test_whoever_answers_for_all_accounts_widens(
    writer: Signature, there: tuple[AssignmentKey, ...], goes: bool
) -> None:
    desired = rule(replace(OLD, inline_policy=WRITE), writer, *there, author=writer)
    assert fields_of(desired)["inline"] == (WRITE if goes else READ)


def test_texts_of_aws_own_policies_say_what_is_less() -> None:
    old = replace(OLD, inline_policy="", managed_policies=("ReadOnlyAccess",))
    new = replace(old, managed_policies=("Billing",))
    texts = {"ReadOnlyAccess": WRITE, "Billing": READ}
    for known, goes in (({}, False), (texts, True), ({"Billing": READ}, False)):
        found = rule(new, HANA, *EVERYWHERE, before=old, texts=known).rulings["23:1"].wish
        assert (found == new) is goes


def test_rest_of_the_revision_counts_and_one_problem_names_accounts_and_people() -> None:
    desired = rule(replace(OLD, description="new", inline_policy=WRITE), HANA, *EVERYWHERE)
    assert fields_of(desired) == {"description": "new", "inline": READ}
    (problem,) = desired.problems
    assert (problem.code, problem.severity) == ("set_widens", "warning")
    assert {**problem.params, "values": ""} == {
        "set": "Admin", "name": "Hana", "accounts": "account 2", "count": 1, "who": "taro@example.com", "values": "",
    }  # fmt: skip


def test_wishes_of_records_count_as_assigned() -> None:
    wider = replace(OLD, inline_policy=WRITE)
    assert fields_of(rule(wider, HANA, places={"Admin": frozenset({BANK})}))["inline"] == READ
    taken = Case(record(9, "ken", at=BANK).wish, TARO, TARO)
    assert fields_of(rule(wider, HANA, cases={"24:9": taken}))["inline"] == READ, "registered in the same run"


def test_protected_account_needs_an_admin() -> None:
    guarded = replace(REGISTER, protection=Protection(accounts=frozenset({SHOP})))
    desired = rule(replace(OLD, inline_policy=WRITE), HANA, key(SHOP), register=guarded)
    assert [problem.code for problem in desired.problems] == ["set_widens_admin"]


def test_unread_owners_decide_nothing_for_good() -> None:
    unread = Register({SHOP: Site(SHOP, "shop", tag=None)}, holders=REGISTER.holders)
    ruling = rule(replace(OLD, inline_policy=WRITE), HANA, key(SHOP), register=unread).rulings["23:1"]
    assert (ruling.wish, ruling.withheld, ruling.is_certain) == (OLD, {}, False)


# --- Step by step -----------------------------------------------------------------------------------------------------


def hold(wish: SetWish, *there: AssignmentKey) -> Mapping[str, Reason]:
    return rule(wish, HANA, *there).rulings["23:1"].withheld


def test_withheld_widening_stays_so_whoever_writes_next() -> None:
    wider = replace(OLD, inline_policy=WRITE)
    withheld = hold(wider, *EVERYWHERE)
    desired = rule(replace(wider, description="new"), ADMIN, *EVERYWHERE, withheld=withheld)
    assert fields_of(desired) == {"description": "new", "inline": READ}
    assert rule(wider, HANA, withheld=withheld).rulings["23:1"].wish == OLD, "also when nobody has it any more"


def test_second_step_is_measured_by_what_is_in_force() -> None:
    """A narrowing that came into force is where the next revision starts from, not what was there before it."""
    narrow = replace(OLD, inline_policy=LESS)
    assert rule(OLD, HANA, *EVERYWHERE, before=narrow).rulings["23:1"].wish == narrow


def test_confirmed_widening_counts_while_the_confirmer_answers_for_all() -> None:
    wider = replace(OLD, inline_policy=WRITE)
    confirmed = frozenset(hold(wider, *EVERYWHERE))

    def confirm(by: Signature | None) -> SetWish:
        confirmers = dict.fromkeys(confirmed, by) if by else {}
        ruling = rule(wider, HANA, *EVERYWHERE, confirmed=confirmed, confirmers=confirmers).rulings["23:1"]
        assert isinstance(ruling.wish, SetWish)
        assert (ruling.wish == wider) is not bool(ruling.withheld)
        return ruling.wish

    assert confirm(TARO) == wider
    assert confirm(HANA) == OLD, "assigned in bank since"
    assert confirm(None) == OLD


def test_field_that_the_app_gets_again_takes_no_boundary_away() -> None:
    """While the app had no field for it, AWS kept the boundary; an empty field would take it away."""
    before = replace(OLD, permissions_boundary="", absent=frozenset({"permissions_boundary"}))
    world = actual(*EVERYWHERE, principals={**PRINCIPALS, "hana": user("hana")})
    boundary = Boundary(customer_managed=PolicyReference("/limits/", "Admin"))
    world = replace(world, sets={**world.sets, "Admin": permission_set("Admin", permissions_boundary=boundary)})
    now = replace(before, absent=frozenset())
    ruling = decide(now, Case(now, HANA, HANA, in_force=before), world, {}).rulings["23:1"]
    assert isinstance(ruling.wish, SetWish)
    assert ruling.wish.absent == {"permissions_boundary"}


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("writer", "wish", "gone", "goes"),
    [
        (HANA, OLD, None, False),
        (HANA, SetWish("Admin"), None, False),
        (TARO, OLD, None, True),
        (ADMIN, OLD, None, True),
        (HANA, OLD, Gone(OLD, KEN), False),
        (HANA, OLD, Gone(OLD, HANA), True),
        (HANA, OLD, Gone(OLD, KEN, ("hana",)), True),
        (HANA, replace(OLD, inline_policy=WRITE), Gone(OLD, HANA), False),
    ],
)
def test_name_of_a_set_that_people_have_is_not_taken(
    writer: Signature, wish: SetWish, gone: Gone | None, goes: bool
) -> None:
    judge = {"gone": {"Admin": gone}} if gone else {}
    desired = rule(wish, writer, *EVERYWHERE, before=None, author=writer, **judge)
    assert ("Admin" in desired.sets) is goes
    if not goes:
        assert desired.set_states["Admin"].code == "set_taken"
        assert [problem.code for problem in desired.problems] == ["set_taken"]


@pytest.mark.parametrize(
    ("writer", "at_first_run", "goes"),
    [(HANA, False, False), (HANA, True, True), (TARO, False, True), (ADMIN, False, True)],
)
def test_set_that_others_have_registered_is_not_defined_by_anybody(
    writer: Signature, at_first_run: bool, goes: bool
) -> None:
    """Whoever defines it gives them what he writes."""
    wish, places = replace(OLD, name="Fresh"), {"Fresh": frozenset({BANK})}
    desired = rule(wish, writer, before=None, author=writer, places=places, at_first_run=at_first_run)
    assert ("Fresh" in desired.sets) is goes
    if not goes:
        (problem,) = desired.problems
        assert (problem.code, problem.params["accounts"], problem.params["who"]) == (
            "set_wished", "account 2", "taro@example.com",
        )  # fmt: skip


def test_set_that_is_registered_in_the_same_run_was_seen_by_whoever_did() -> None:
    taken = Case(record(9, "ken", at=BANK, name="Fresh").wish, TARO, TARO)
    assert "Fresh" in rule(replace(OLD, name="Fresh"), HANA, before=None, cases={"24:9": taken}).sets


def test_set_that_only_own_accounts_have_registered_is_defined() -> None:
    wish = replace(OLD, name="Fresh")
    assert "Fresh" in rule(wish, HANA, before=None, places={"Fresh": frozenset({SHOP})}).sets


def test_confirmed_name_is_bound_to_what_was_seen() -> None:
    value = next(iter(rule(OLD, HANA, *EVERYWHERE, before=None).rulings["23:1"].withheld))
    seen = {"confirmed": frozenset({value}), "confirmers": {value: TARO}}
    assert rule(OLD, HANA, *EVERYWHERE, before=None, **seen).rulings["23:1"].wish == OLD
    other = rule(replace(OLD, inline_policy=WRITE), HANA, *EVERYWHERE, before=None, **seen).rulings["23:1"]
    assert other.wish is None
    assert other.spent == {value}


def test_baseline_and_free_names_are_let() -> None:
    assert "Admin" in rule(OLD, HANA, *EVERYWHERE, before=None, at_first_run=True).sets
    assert "Admin" in rule(OLD, HANA, before=None).sets
