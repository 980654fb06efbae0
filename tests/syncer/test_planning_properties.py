"""What holds for every plan, whatever the records say, whatever AWS has and whatever else is to be heeded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.changes import URGENT, AssignmentChange, Cause, Change, Group, Kind, Limits, Plan, SetChange, identity_of
from syncer.desired import Before, Desired
from syncer.planning import CALM, Circumstances, Fences, Refused, plan_run
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

T = TypeVar("T")

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


@dataclass(frozen=True)
class Fate:
    """What others have found out about people and rules."""

    leaving: frozenset[str] = frozenset()
    ending: Mapping[AssignmentKey, Reason] = field(default_factory=dict)
    emergency: frozenset[AssignmentKey] = frozenset()


def subset(values: Sequence[T], most: int = 4) -> st.SearchStrategy[frozenset[T]]:
    return st.frozensets(st.sampled_from(values), max_size=most)


some_keys = subset(KEYS, 6)
reasons = st.just(Reason("because"))
fates = st.builds(Fate, subset(IDS, 2), st.dictionaries(keys, reasons, max_size=4), some_keys)
calm = st.just(CALM)
circumstances = st.builds(
    Circumstances,
    refused=st.builds(Refused, some_keys, subset(NAMES, 2)),
    locked=st.dictionaries(st.sampled_from(IDS), reasons, max_size=2),
    frozen=st.dictionaries(st.sampled_from(PLACES), reasons, max_size=2),
    drift=st.dictionaries(keys, reasons, max_size=6),
    drifting_sets=subset(NAMES, 2),
    overdue=some_keys,
    asked=some_keys,
    under_way=some_keys,
    sets_under_way=subset(NAMES, 2),
)
records = st.tuples(
    set_records(), assignment_records(), st.dictionaries(st.sampled_from([f"24:{n}" for n in range(8)]), befores), fates
)
Records = tuple[list[ReadRecord], list[ReadRecord], dict[str, list[Before]], Fate]
limits = st.builds(Limits, st.integers(0, 12), st.floats(0, 1), st.integers(0, 20), people_count=st.integers(0, 3))
thorough = settings(deadline=None, max_examples=60)


def want(wanted: Records, there: Actual) -> Desired:
    sets, assignments, before, fate = wanted
    desired = desire(*assignments, sets=sets, before=before, there=there)
    return replace(desired, leaving=fate.leaving, ending=fate.ending, emergency=fate.emergency)


def removals(planned: Plan) -> list[AssignmentChange]:
    """Everything that goes, held or not."""
    found = (change for change in (*planned.changes, *planned.held) if isinstance(change, AssignmentChange))
    return [change for change in found if change.kind is Kind.DELETE]


def creates(planned: Plan) -> set[AssignmentKey]:
    found = (change for change in planned.changes if isinstance(change, AssignmentChange))
    return {change.key for change in found if change.kind is Kind.CREATE}


def names_of(change: Change) -> str:
    return change.name if isinstance(change, SetChange) else change.key.permission_set


@thorough
@given(records, worlds(), st.lists(gaps, max_size=2), limits, circumstances)
def test_only_owned_sets_and_reachable_accounts_are_touched(
    wanted: Records, there: Actual, unresolved: list[Unresolved], limit: Limits, heeded: Circumstances
) -> None:
    there = replace(there, unresolved=tuple(unresolved))
    planned = plan_run(want(wanted, there), there, limit, heeded)
    for change in (*planned.changes, *planned.held):
        known = there.sets.get(names_of(change))
        assert known is None or known.ownership is Ownership.OURS
        if isinstance(change, AssignmentChange):
            assert change.key.target_id in (SHOP, BANK)


@thorough
@given(records, worlds(), st.lists(gaps, min_size=1, max_size=3), circumstances)
def test_unresolved_scopes_are_left_alone_but_for_lock_outs(
    wanted: Records, there: Actual, unresolved: list[Unresolved], heeded: Circumstances
) -> None:
    there = replace(there, unresolved=tuple(unresolved))
    planned = plan_run(want(wanted, there), there, NO_LIMITS, heeded)
    fences = Fences(unresolved)
    for change in planned.changes:
        if isinstance(change, SetChange):
            assert not fences.stop_set(change.name)
            assert change.kind is not Kind.DELETE or not fences.stop_set_delete(change.name)
        elif change.kind is Kind.CREATE:
            assert not any(gap.scope.covers(change.key) for gap in unresolved if gap.blocks == "all")
        elif change.cause is not Cause.LOCKED_OUT:
            assert not any(gap.scope.covers(change.key) for gap in unresolved)


@thorough
@given(records, worlds(), st.lists(gaps, max_size=1), calm | circumstances)
def test_planning_the_applied_result_gives_nothing(
    wanted: Records, there: Actual, unresolved: list[Unresolved], heeded: Circumstances
) -> None:
    possible = frozenset(key for key in there.assignments if key.permission_set in there.sets)
    there = replace(there, unresolved=tuple(unresolved), assignments=possible)
    after = apply(plan_run(want(wanted, there), there, NO_LIMITS, heeded), there)
    again = plan_run(want(wanted, after), after, NO_LIMITS, heeded)
    assert (again.changes, again.held) == ((), ())


@thorough
@given(records, worlds(), circumstances)
def test_what_valid_records_want_goes_only_with_its_principal_or_by_a_guardrail(
    wanted: Records, there: Actual, heeded: Circumstances
) -> None:
    desired = want(wanted, there)
    for change in removals(plan_run(desired, there, NO_LIMITS, heeded)):
        if change.key in desired.wanted:
            assert change.cause in (*URGENT, Cause.GUARDRAIL)
        elif change.key in desired.kept - desired.ended:
            assert change.cause in (*URGENT, Cause.GUARDRAIL, Cause.ASKED)


@thorough
@given(records, worlds())
def test_broken_records_take_nothing_away(wanted: Records, there: Actual) -> None:
    """Records that cannot be understood any more, all at once, remove nothing that they wanted but what has ended."""
    sets, assignments, _before, _fate = wanted
    desired = want((sets, assignments, {}, Fate()), there)
    before = {
        reference: [Before(key, standing.wanted_by[reference])]
        for key, standing in desired.wanted.items()
        for reference in standing.records[:1]
    }
    unreadable = [replace(each, wish=None, was_valid=True, account_id="", permission_set="") for each in assignments]
    planned = plan_run(want((sets, unreadable, before, Fate()), there), there, NO_LIMITS)
    lost = {change.key for change in planned.changes if isinstance(change, AssignmentChange)}
    assert lost.isdisjoint(item.key for items in before.values() for item in items)


@thorough
@given(records, worlds(), limits, calm | circumstances)
def test_brake_holds_all_of_a_group_or_none(
    wanted: Records, there: Actual, limit: Limits, heeded: Circumstances
) -> None:
    desired = want(wanted, there)
    free, braked = (plan_run(desired, there, each, heeded) for each in (NO_LIMITS, limit))
    counted = [change for change in free.changes if isinstance(change, AssignmentChange) and change.counts]
    for group in Group:
        held = {change for change in braked.held if isinstance(change, AssignmentChange) and change.group is group}
        assert held in (set(), {change for change in counted if change.group is group})
        assert bool(held) == (group in braked.held_because)
    assert bool(braked.held) == bool(braked.held_because) == bool(braked.checksum)
    accepted = replace(limit, accepted=frozenset(map(identity_of, braked.held)))
    after = plan_run(desired, there, accepted, heeded)
    assert [identity_of(change) for change in after.changes] == [identity_of(change) for change in free.changes]


@thorough
@given(records, worlds(), calm | circumstances)
def test_order_is_urgent_then_sets_then_creates_before_deletes_by_account(
    wanted: Records, there: Actual, heeded: Circumstances
) -> None:
    changes = plan_run(want(wanted, there), there, NO_LIMITS, heeded).changes
    ranks = [_rank(change) for change in changes]
    assert ranks == sorted(ranks)
    assert len(set(map(identity_of, changes))) == len(changes)


def _rank(change: Change) -> tuple[int, str, bool]:
    if isinstance(change, SetChange):
        return 3 if change.kind is Kind.DELETE else 1, "", False
    if change.cause in URGENT:
        return 0, "", change.cause is not Cause.LOCKED_OUT
    return 2, change.key.target_id, change.kind is Kind.DELETE


@thorough
@given(records, worlds(), calm | circumstances)
def test_plan_does_not_depend_on_the_order_of_reading(wanted: Records, there: Actual, heeded: Circumstances) -> None:
    sets, assignments, before, fate = wanted
    turned = (sets[::-1], assignments[::-1], dict(reversed(before.items())), fate)
    one, other = (plan_run(want(each, there), there, NO_LIMITS, heeded).changes for each in (wanted, turned))
    assert list(map(identity_of, one)) == list(map(identity_of, other))


# --- Who goes, who stays ----------------------------------------------------------------------------------------------


@thorough
@given(records, worlds(), st.lists(gaps, max_size=2), limits, circumstances)
def test_locked_people_end_with_nothing_within_our_reach(
    wanted: Records, there: Actual, unresolved: list[Unresolved], limit: Limits, heeded: Circumstances
) -> None:
    there = replace(there, unresolved=tuple(unresolved))
    planned = plan_run(want(wanted, there), there, limit, heeded)
    assert not any(change.cause is Cause.LOCKED_OUT for change in planned.held if isinstance(change, AssignmentChange))
    for key in apply(planned, there).assignments - heeded.under_way:
        is_ours = key.permission_set in there.sets and there.sets[key.permission_set].ownership is Ownership.OURS
        if key.principal_type is PrincipalType.USER and key.principal_id in heeded.locked and is_ours:
            assert key.target_id not in (SHOP, BANK)


@thorough
@given(records, worlds(), circumstances)
def test_what_is_stopped_gets_nothing_new(wanted: Records, there: Actual, heeded: Circumstances) -> None:
    desired = want(wanted, there)
    planned = plan_run(desired, there, NO_LIMITS, heeded)
    for key in creates(planned):
        assert key.principal_id not in desired.leaving
        assert key.principal_type is PrincipalType.GROUP or key.principal_id not in heeded.locked
        assert key.target_id not in heeded.frozen
        assert key not in heeded.under_way | heeded.refused.assignments | heeded.drift.keys()
        assert key not in desired.ending or key in desired.emergency
        assert key not in planned.verdicts


@thorough
@given(records, worlds(), limits, circumstances)
def test_what_is_left_alone_is_in_no_change(
    wanted: Records, there: Actual, limit: Limits, heeded: Circumstances
) -> None:
    planned = plan_run(want(wanted, there), there, limit, heeded)
    touched = {change.name for change in (*planned.changes, *planned.held) if isinstance(change, SetChange)}
    assert touched.isdisjoint(heeded.idle_sets)
    for change in removals(planned):
        assert change.key not in heeded.under_way
        if change.key in heeded.drift:
            assert change.cause in (*URGENT, Cause.ENDED, Cause.ASKED)


@thorough
@given(records, worlds(), circumstances)
def test_emergency_access_ends_by_clear_words_only(wanted: Records, there: Actual, heeded: Circumstances) -> None:
    desired = want(wanted, there)
    for change in removals(plan_run(desired, there, NO_LIMITS, heeded)):
        if change.key in desired.emergency:
            assert change.cause in (*URGENT, Cause.ENDED, Cause.ASKED, Cause.WITHDRAWN)
            assert change.cause is not Cause.WITHDRAWN or desired.before[change.key] <= desired.valid


@thorough
@given(records, worlds(), limits, circumstances)
def test_held_changes_are_removals_and_never_applied(
    wanted: Records, there: Actual, limit: Limits, heeded: Circumstances
) -> None:
    planned = plan_run(want(wanted, there), there, limit, heeded)
    assert all(change.kind is Kind.DELETE and change.counts for change in planned.held)
    assert set(map(identity_of, planned.held)).isdisjoint(map(identity_of, planned.changes))
    kept = {change.key for change in planned.held if isinstance(change, AssignmentChange)}
    assert kept <= apply(planned, there).assignments


@thorough
@given(records, worlds(), st.sampled_from(["", *PLACES]), st.sampled_from(["", *NAMES]), circumstances)
def test_broken_record_that_came_later_holds_back_nothing(
    wanted: Records, there: Actual, place: str, name: str, heeded: Circumstances
) -> None:
    sets, assignments, before, fate = wanted
    late = ReadRecord(RecordReference("24", "99", 1), None, account_id=place, permission_set=name)
    without = plan_run(want(wanted, there), there, NO_LIMITS, heeded)
    beside = plan_run(want((sets, [*assignments, late], before, fate), there), there, NO_LIMITS, heeded)
    held_back = set(map(identity_of, without.changes)) - set(map(identity_of, beside.changes))
    assert held_back <= {f"delete permission_set {name}"}
    assert len(beside.changes) == len(without.changes) - len(held_back)


@thorough
@given(records, worlds(), limits, circumstances)
def test_smaller_limits_never_let_more_go(wanted: Records, there: Actual, limit: Limits, heeded: Circumstances) -> None:
    desired = want(wanted, there)
    tighter = replace(limit, count=limit.count // 2, maximum=limit.maximum // 2, people_count=limit.people_count // 2)
    gone, less = (set(plan_run(desired, there, each, heeded).changes) for each in (limit, tighter))
    assert less <= gone
