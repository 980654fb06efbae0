"""What holds for every plan, whatever the records say and whatever AWS has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.changes import AssignmentChange, Change, Group, Kind, Limits, SetChange, identity_of
from syncer.desired import Before, Desired
from syncer.planning import Fences, plan_run
from syncer.states import (
    Actual,
    ActualSet,
    AssignmentKey,
    AssignmentWish,
    Definition,
    Ownership,
    PrincipalType,
    ReadRecord,
    Reason,
    RecordReference,
    Scope,
    SetWish,
    Unresolved,
)
from tests.syncer.values import (
    BANK,
    CLOSED,
    MANAGEMENT,
    NO_LIMITS,
    OWNERSHIP,
    PRINCIPALS,
    SHOP,
    TODAY,
    actual,
    apply,
    desire,
)

PLACES = (SHOP, BANK, CLOSED, MANAGEMENT, "000000000009")
NAMES = (*OWNERSHIP, "New", "Unheard")
IDS = (*PRINCIPALS, "deleted")
KEYS = [
    AssignmentKey(place, name, PRINCIPALS[who].type if who in PRINCIPALS else PrincipalType.USER, who)
    for place, name, who in product(PLACES, NAMES, IDS)
]
DAYS = (None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1))
WRITTEN = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))

keys = st.sampled_from(KEYS)
definitions = st.builds(Definition, relay_state=st.sampled_from(["", "https://example.com"]))
wishes = st.builds(
    AssignmentWish,
    st.sampled_from(PLACES),
    st.sampled_from(NAMES),
    users=st.lists(st.sampled_from(["hana", "taro", "left", "nobody"]), max_size=3).map(tuple),
    groups=st.lists(st.sampled_from(["developers", "nobody"]), max_size=1).map(tuple),
    expires_on=st.sampled_from(DAYS),
)
befores = st.lists(st.builds(Before, keys, st.sampled_from(DAYS), st.booleans()), max_size=4)
scopes = st.builds(
    Scope,
    st.sampled_from([None, *PLACES]),
    st.sampled_from([None, *NAMES]),
    st.sampled_from([None, *PrincipalType]),
)
gaps = st.builds(
    Unresolved,
    scopes,
    st.just("sso-admin:Any"),
    st.just(Reason("aws_unavailable")),
    st.sampled_from(["all", "deletes"]),
)


@st.composite
def assignment_records(draw: st.DrawFn) -> list[ReadRecord]:
    """Valid, broken and half-read records."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        wish = draw(st.none() | wishes)
        known = (wish.account_id, wish.permission_set) if wish else ("", "")
        place, name = draw(st.just(known) | st.tuples(st.sampled_from(["", *PLACES]), st.sampled_from(["", *NAMES])))
        found.append(
            ReadRecord(
                RecordReference("24", str(number), 1),
                wish,
                account_id=wish.account_id if wish else place,
                permission_set=wish.permission_set if wish else name,
                updated_at=draw(st.sampled_from(WRITTEN)),
                at_first_run=draw(st.booleans()),
                was_valid=draw(st.booleans()),
            )
        )
    return found


@st.composite
def set_records(draw: st.DrawFn) -> list[ReadRecord]:
    """Records of sets: valid, broken, nameless, renamed and twice the same."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        name = draw(st.sampled_from(["", *NAMES]))
        wish = SetWish(name, relay_state=draw(st.sampled_from(["", "https://example.com"])))
        found.append(
            ReadRecord(
                RecordReference("23", str(number), 1),
                wish if name and draw(st.booleans()) else None,
                permission_set=name,
                at_first_run=draw(st.booleans()),
                was_valid=draw(st.booleans()),
                in_force_name=draw(st.sampled_from(["", name, name, *NAMES])),
            )
        )
    return found


@st.composite
def worlds(draw: st.DrawFn) -> Actual:
    sets = {
        name: ActualSet(
            name, f"arn:{name}", ownership, draw(definitions), draw(st.sampled_from([frozenset(), frozenset({SHOP})]))
        )
        for name, ownership in OWNERSHIP.items()
        if draw(st.booleans())
    }
    return actual(*draw(st.sets(keys, max_size=30)), sets=sets)


records = st.tuples(
    set_records(), assignment_records(), st.dictionaries(st.sampled_from([f"24:{n}" for n in range(8)]), befores)
)
Records = tuple[list[ReadRecord], list[ReadRecord], dict[str, list[Before]]]
limits = st.builds(Limits, st.integers(0, 12), st.floats(0, 1), st.integers(0, 20), people_count=st.integers(0, 3))
thorough = settings(deadline=None, max_examples=100)


def want(wanted: Records, there: Actual) -> Desired:
    sets, assignments, before = wanted
    return desire(*assignments, sets=sets, before=before, there=there)


def names_of(change: Change) -> str:
    return change.name if isinstance(change, SetChange) else change.key.permission_set


@thorough
@given(records, worlds(), st.lists(gaps, max_size=2), limits)
def test_only_owned_sets_and_reachable_accounts_are_touched(
    wanted: Records, there: Actual, unresolved: list[Unresolved], limit: Limits
) -> None:
    there = replace(there, unresolved=tuple(unresolved))
    planned = plan_run(want(wanted, there), there, limit)
    for change in (*planned.changes, *planned.held):
        known = there.sets.get(names_of(change))
        assert known is None or known.ownership is Ownership.OURS
        if isinstance(change, AssignmentChange):
            assert change.key.target_id in (SHOP, BANK)


@thorough
@given(records, worlds(), st.lists(gaps, min_size=1, max_size=3))
def test_unresolved_scopes_are_left_alone(wanted: Records, there: Actual, unresolved: list[Unresolved]) -> None:
    there = replace(there, unresolved=tuple(unresolved))
    planned = plan_run(want(wanted, there), there, NO_LIMITS)
    fences = Fences(unresolved)
    for change in planned.changes:
        if isinstance(change, SetChange):
            assert not fences.stop_set(change.name)
            assert change.kind is not Kind.DELETE or not fences.stop_set_delete(change.name)
        elif change.kind is Kind.CREATE:
            assert not any(gap.scope.covers(change.key) for gap in unresolved if gap.blocks == "all")
        else:
            assert not any(gap.scope.covers(change.key) for gap in unresolved)


@thorough
@given(records, worlds(), st.lists(gaps, max_size=1))
def test_planning_the_applied_result_gives_nothing(
    wanted: Records, there: Actual, unresolved: list[Unresolved]
) -> None:
    possible = frozenset(key for key in there.assignments if key.permission_set in there.sets)
    there = replace(there, unresolved=tuple(unresolved), assignments=possible)
    after = apply(plan_run(want(wanted, there), there, NO_LIMITS), there)
    again = plan_run(want(wanted, after), after, NO_LIMITS)
    assert (again.changes, again.held) == ((), ())


@thorough
@given(records, worlds())
def test_what_valid_records_want_is_never_removed(wanted: Records, there: Actual) -> None:
    desired = want(wanted, there)
    deleted = {
        change.key
        for change in plan_run(desired, there, NO_LIMITS).changes
        if isinstance(change, AssignmentChange) and change.kind is Kind.DELETE
    }
    assert deleted.isdisjoint(desired.wanted)
    assert deleted.isdisjoint(desired.kept - desired.ended)


@thorough
@given(records, worlds())
def test_broken_records_take_nothing_away(wanted: Records, there: Actual) -> None:
    """Records that cannot be understood any more, all at once, remove nothing that they wanted but what has ended."""
    sets, assignments, _before = wanted
    desired = want((sets, assignments, {}), there)
    before = {
        reference: [Before(key, standing.wanted_by[reference])]
        for key, standing in desired.wanted.items()
        for reference in standing.records[:1]
    }
    unreadable = [replace(each, wish=None, was_valid=True, account_id="", permission_set="") for each in assignments]
    planned = plan_run(want((sets, unreadable, before), there), there, NO_LIMITS)
    lost = {change.key for change in planned.changes if isinstance(change, AssignmentChange)}
    assert lost.isdisjoint(item.key for items in before.values() for item in items)


@thorough
@given(records, worlds(), limits)
def test_brake_holds_all_of_a_group_or_none(wanted: Records, there: Actual, limit: Limits) -> None:
    desired = want(wanted, there)
    free, braked = plan_run(desired, there, NO_LIMITS), plan_run(desired, there, limit)
    counted = [change for change in free.changes if isinstance(change, AssignmentChange) and change.counts]
    for group in Group:
        held = {change for change in braked.held if isinstance(change, AssignmentChange) and change.group is group}
        assert held in (set(), {change for change in counted if change.group is group})
        assert bool(held) == (group in braked.held_because)
    assert bool(braked.held) == bool(braked.held_because) == bool(braked.checksum)
    accepted = replace(limit, accepted=frozenset(map(identity_of, braked.held)))
    after = plan_run(desired, there, accepted)
    assert [identity_of(change) for change in after.changes] == [identity_of(change) for change in free.changes]


@thorough
@given(records, worlds())
def test_creates_come_before_deletes_in_every_account(wanted: Records, there: Actual) -> None:
    changes = plan_run(want(wanted, there), there, NO_LIMITS).changes
    ranks = [
        (0 if change.kind is not Kind.DELETE else 2, "", False)
        if isinstance(change, SetChange)
        else (1, change.key.target_id, change.kind is Kind.DELETE)
        for change in changes
    ]
    assert ranks == sorted(ranks)
    assert len(set(map(identity_of, changes))) == len(changes)


@thorough
@given(records, worlds())
def test_plan_does_not_depend_on_the_order_of_reading(wanted: Records, there: Actual) -> None:
    sets, assignments, before = wanted
    turned = (sets[::-1], assignments[::-1], dict(reversed(before.items())))
    one, other = (plan_run(want(each, there), there, NO_LIMITS).changes for each in (wanted, turned))
    assert list(map(identity_of, one)) == list(map(identity_of, other))
