"""What each way to read the assignments will cost in requests, and which is the cheapest. Pure."""

import math
from dataclasses import dataclass

from syncer.gateways.reading_options import Known, Strategy
from syncer.states import Actual

PAGE = 100  # rows of a page


@dataclass(frozen=True)
class Counts:
    """The size of an organization, as far as it decides what a reading costs. Pairs are those known to be in use."""

    accounts: int
    sets: int
    pairs: int
    principals: int


def count(actual: Actual, known: Known) -> Counts:
    pairs = {key[:2] for key in known.assignments}
    return Counts(len(actual.accounts), len(actual.sets), len(pairs), len(actual.principals))


def predict(strategy: Strategy, counts: Counts) -> int:
    """Requests for all assignments; what the management account holds is known by then."""
    if strategy is Strategy.BY_PRINCIPAL:
        return counts.principals
    listings = counts.sets if strategy is Strategy.BY_SET else max(counts.accounts - 1, 0)
    return listings * max(1, math.ceil(counts.pairs / listings / PAGE)) + counts.pairs if listings else 0


def predict_definitions(sets: int) -> int:
    """Requests for whose the sets are, what they consist of, and where older versions of them are."""
    return 7 * sets


def choose(counts: Counts, *, may_list_by_principal: bool, needs_everything: bool) -> Strategy:
    """The cheapest way; where everything must be seen, listing by principal is none."""
    candidates = [Strategy.BY_SET, Strategy.BY_ACCOUNT]
    if may_list_by_principal and not needs_everything:
        candidates.append(Strategy.BY_PRINCIPAL)
    return min(candidates, key=lambda strategy: predict(strategy, counts))
