"""What a full run reads: everything, or what is about to change and a share of the rest. Pure.

A proof reads everything. Between two proofs each run takes the next of six shares, so that with a run every ten minutes
everything is looked at once an hour, and whatever a run is going to change is read before it changes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from syncer.changes import AssignmentChange, Kind, Plan, SetChange
from syncer.gateways.reading_costs import Counts, choose, count, predict, predict_definitions
from syncer.gateways.reading_options import Known, Pair, Selection, Strategy
from syncer.states import Actual, Coverage, Ownership, PrincipalType

SHARES = 6
SMALL = 10.0  # seconds that a proof may take at the pace of the settings to be made in every run


@dataclass(frozen=True)
class Touched:
    """What a plan made from the mirror would touch, and what the mirror is not sure of."""

    pairs: frozenset[Pair] = frozenset()
    sets: frozenset[str] = frozenset()
    whole_sets: frozenset[str] = frozenset()  # to be deleted, so all their assignments must be known
    groups: frozenset[str] = frozenset()

    def __or__(self, other: "Touched") -> "Touched":
        return Touched(
            self.pairs | other.pairs,
            self.sets | other.sets,
            self.whole_sets | other.whole_sets,
            self.groups | other.groups,
        )


@dataclass(frozen=True)
class Turn:
    """Whose turn it is. untagged: accounts whose tags were never read."""

    is_proof: bool
    share: int = 0
    untagged: frozenset[str] = field(default_factory=frozenset)


def next_share(last: int | None) -> int:
    return 0 if last is None else (last + 1) % SHARES


def take_share(units: Iterable[str], share: int) -> frozenset[str]:
    return frozenset(sorted(units)[share::SHARES])


def find_touched(plan: Plan) -> Touched:
    changes = (*plan.changes, *plan.held)
    keys = [change.key for change in changes if isinstance(change, AssignmentChange)]
    of_sets = [change for change in changes if isinstance(change, SetChange)]
    return Touched(
        pairs=frozenset(key[:2] for key in keys),
        sets=frozenset(change.name for change in of_sets),
        whole_sets=frozenset(change.name for change in of_sets if change.kind is Kind.DELETE),
        groups=frozenset(key.principal_id for key in keys if key.principal_type is PrincipalType.GROUP),
    )


def is_small(known: Known, tps: float) -> bool:
    """Whether a proof costs so little that every run is one. `tps`: requests a second that a reading may send."""
    counts = Counts(len(known.accounts), len(known.sets), len(known.count_by_pair()), len(known.principals))
    walk = choose(counts, may_list_by_principal=False, needs_everything=True)
    return predict(walk, counts) + predict_definitions(counts.sets) <= SMALL * tps


def select_all(actual: Actual, known: Known) -> Selection:
    """Every pair, every definition, every tag."""
    counts = count(actual, known)
    walk = choose(counts, may_list_by_principal=False, needs_everything=True)
    return Selection(Coverage(), walk, predict(walk, counts), tags=frozenset(_tagged(actual, known)))


def select_share(actual: Actual, known: Known, touched: Touched, turn: Turn, *, may: bool) -> Selection:
    """What is touched and a share of the rest. `may`: whether AWS lets us list by principal."""
    counts = count(actual, known)
    strategy = choose(counts, may_list_by_principal=may, needs_everything=False)
    unsure = {name for name, there in actual.sets.items() if _is_unsure(there.ownership, name, known)}
    of_sets = Coverage(touched.pairs, sets=touched.whole_sets | take_share(actual.sets, turn.share))
    coverage = {
        Strategy.BY_ACCOUNT: Coverage(
            touched.pairs, sets=touched.whole_sets, accounts=take_share(actual.accounts, turn.share)
        ),
        Strategy.BY_PRINCIPAL: Coverage(
            touched.pairs, sets=touched.whole_sets, principals=take_share(actual.principals, turn.share)
        ),
    }.get(strategy, of_sets)
    resources = _tagged(actual, known)
    new = resources - known.accounts - {unit.ou_id for unit in known.units}
    return Selection(
        coverage=coverage,
        strategy=strategy,
        predicted=predict_part(coverage, known),
        in_place=of_sets,
        sets=take_share(actual.sets, turn.share) | touched.sets | unsure,
        groups=take_share(_assigned_groups(known) | known.owning_groups, turn.share) | touched.groups,
        tags=take_share(resources, turn.share) | (turn.untagged & resources) | new,
        share=turn.share,
    )


def predict_part(coverage: Coverage, known: Known) -> int:
    """Requests for a part of the assignments: a listing for each set or account, then for each pair, or principal."""
    seen = Coverage(frozenset(), sets=coverage.sets, accounts=coverage.accounts)
    provisioned = {key[:2] for key in known.assignments if seen.covers(key)}
    pairs = provisioned | (coverage.pairs or frozenset())
    return len(coverage.sets) + len(coverage.accounts) + len(coverage.principals) + len(pairs)


def _is_unsure(ownership: Ownership, name: str, known: Known) -> bool:
    return ownership is Ownership.UNKNOWN or name not in known.sets


def _tagged(actual: Actual, known: Known) -> frozenset[str]:
    """The accounts and units there are: what may bear the owners' tag."""
    units = known.units if actual.units is None else actual.units
    return frozenset({*actual.accounts, *(unit.ou_id for unit in units)})


def _assigned_groups(known: Known) -> frozenset[str]:
    return frozenset(key.principal_id for key in known.assignments if key.principal_type is PrincipalType.GROUP)
