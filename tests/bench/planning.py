"""Plans 1,000,000 wished assignments against 1,000,000 that are there, 1 % of them different, in a fresh process.

Prints one JSON object. The yardstick is what any planner must do with these tuples: the two differences of the sets.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Iterator

from syncer.changes import Kind, Limits
from syncer.desired import Desired, Standing, WishedSet
from syncer.planning import plan_run
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPrincipal,
    ActualSet,
    AssignmentKey,
    Definition,
    Ownership,
    PrincipalType,
)

ASSIGNMENTS, DIFFERENT = 1_000_000, 5_000  # so many to create and as many to delete
ACCOUNTS, SETS, PEOPLE = 2_000, 500, 50_000
MANAGEMENT = "999999999999"
NO_BRAKE = Limits(count=ASSIGNMENTS, share=1.0, maximum=ASSIGNMENTS)
USER = PrincipalType.USER

accounts = [f"{100_000_000_000 + number}" for number in range(ACCOUNTS)]
sets = [f"Set{number:04}" for number in range(SETS)]
people = [f"9067642ac7-{number:08}-1111-4111-8111-111111111111" for number in range(PEOPLE)]


def iter_places(numbers: range) -> Iterator[tuple[str, str, str]]:
    """Account, set and person of each number, all different."""
    for number in numbers:
        pair = number // 2
        yield accounts[pair % ACCOUNTS], sets[pair // ACCOUNTS % SETS], people[number * 7 % PEOPLE]


def build_actual() -> Actual:
    return Actual(
        ActualInstance("arn:aws:sso:::instance/ssoins-1", "d-1", "ap-northeast-1", MANAGEMENT),
        accounts={account_id: ActualAccount(account_id, account_id, "", "ACTIVE") for account_id in accounts},
        sets={name: ActualSet(name, f"arn:{name}", Ownership.OURS, Definition()) for name in sets},
        principals={person: ActualPrincipal(USER, person, person) for person in people},
        assignments=frozenset(AssignmentKey(*place[:2], USER, place[2]) for place in iter_places(range(ASSIGNMENTS))),
    )


def build_desired() -> Desired:
    """All but the first numbers of what is there, and as many new ones."""
    records = [{f"24:{number}": None} for number in range(ASSIGNMENTS // 100)]
    numbers = range(DIFFERENT, ASSIGNMENTS + DIFFERENT)
    standings = tuple(
        Standing(account_id, name, USER, person, person, wanted_by=records[number // 2 % len(records)])
        for number, (account_id, name, person) in zip(numbers, iter_places(numbers), strict=True)
    )
    return Desired(
        sets={name: WishedSet(name, f"23:{number}", Definition()) for number, name in enumerate(sets)},
        set_states={},
        kept_sets=frozenset(),
        may_delete_sets=True,
        standings=standings,
        kept=frozenset(),
        ended=frozenset(),
        before={},
        sheltered=(),
        problems=(),
        links=(),
        valid=frozenset(),
    )


def main() -> None:
    actual, desired = build_actual(), build_desired()
    begin = time.perf_counter()
    wished = frozenset(desired.wanted)  # the tuples that are compared belong to what is desired, not to the planner
    keyed = time.perf_counter() - begin
    gc.freeze()  # what is there before the planner is not the planner's to go through
    begin = time.perf_counter()
    bare = (wished - actual.assignments, actual.assignments - wished)
    least = time.perf_counter() - begin
    begin = time.perf_counter()
    plan = plan_run(desired, actual, NO_BRAKE)
    seconds = time.perf_counter() - begin
    found = {
        "seconds": seconds,
        "least": least,
        "keyed": keyed,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "is_right": [len(part) for part in bare] == [plan.count(Kind.CREATE), plan.count(Kind.DELETE)]
        and (plan.unchanged, plan.held) == (SETS + ASSIGNMENTS - DIFFERENT, ()),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
