"""Who is assigned what, found out in the way that takes the fewest requests.

By pair: where each set is provisioned (or what each account holds), then one listing for each pair found; that sees the
assignments of principals that are gone as well. By principal: one listing for each user and group; AWS may deny it to
a delegated administrator, and it cannot be asked about principals that are gone.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from syncer.gateways.errors import Denied, GatewayError
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.gateways.reading_costs import Counts, choose
from syncer.gateways.reading_ground import Ground
from syncer.gateways.reading_options import Known, Pair, Selection, Strategy
from syncer.gateways.reading_questions import EVERYTHING, FEW, Asker, Question
from syncer.states import ActualPrincipal, AssignmentKey, Coverage, PrincipalType, Scope

T = TypeVar("T")

OPERATIONS = (
    "sso-admin:ListAccountAssignments",
    "sso-admin:ListAccountAssignmentsForPrincipal",
    "sso-admin:ListAccountsForProvisionedPermissionSet",
    "sso-admin:ListPermissionSetsProvisionedToAccount",
)
"""What is called for assignments."""


@dataclass(frozen=True)
class Found:
    """The assignments that were found, and what has been looked at."""

    assignments: frozenset[AssignmentKey]
    coverage: Coverage
    strategy: Strategy
    may_list_by_principal: bool | None = None  # None: not tried


class AssignmentReader:
    """Reads what a selection names; `names` are those of all sets that may be met, by ARN."""

    def __init__(
        self,
        center: IdentityCenterQueries,
        asker: Asker,
        ground: Ground,
        names: Mapping[str, str],
        principals: Mapping[str, ActualPrincipal],
        known: Known,
    ) -> None:
        self._center, self._asker, self._ground, self._names = center, asker, ground, names
        self._principals, self._known = principals, known
        self._arns = {name: arn for arn, name in names.items()}

    def read(self, selection: Selection) -> Found:
        coverage, strategy = selection.coverage, selection.strategy
        if not coverage.principals:
            return Found(self._read_pairs(coverage, strategy), coverage, strategy)
        listed = self._read_principals(coverage.principals)
        if listed is None:
            return self._read_in_place(selection)
        rest = replace(coverage, principals=frozenset())
        return Found(listed | self._read_pairs(rest, strategy), coverage, strategy, may_list_by_principal=True)

    def _read_in_place(self, selection: Selection) -> Found:
        """Listing by principal is denied after all: everything by pair, or another part of it."""
        asked, other = selection.coverage, selection.in_place
        pairs = None if asked.pairs is None or other.pairs is None else asked.pairs | other.pairs
        coverage = Coverage(pairs, sets=asked.sets | other.sets, accounts=asked.accounts | other.accounts)
        strategy = self._cheapest_walk() if coverage.is_complete else Strategy.BY_SET
        return Found(self._read_pairs(coverage, strategy), coverage, strategy, may_list_by_principal=False)

    def _cheapest_walk(self) -> Strategy:
        counts = Counts(len(self._ground.accounts), len(self._names), 0, len(self._principals))
        return choose(counts, may_list_by_principal=False, needs_everything=True)

    # By pair

    def _read_pairs(self, coverage: Coverage, strategy: Strategy) -> frozenset[AssignmentKey]:
        """The assignments of all pairs to read, those of sets that are not ours included."""
        names, counts = self._names, self._known.count_by_pair()

        def question(pair: Pair) -> Question[frozenset[tuple[PrincipalType, str]]]:
            account_id, arn = pair
            many = counts[account_id, names[arn]] > FEW
            ask = _sure(lambda: self._center.list_assignments(account_id, arn), many)
            return Question(ask, Scope(account_id, names[arn]))

        pairs = sorted(self._find_pairs(coverage, strategy))
        found = self._asker.ask_all({pair: question(pair) for pair in pairs})
        return frozenset(
            AssignmentKey(account_id, names[arn], principal_type, principal_id)
            for (account_id, arn), principals in found.items()
            for principal_type, principal_id in principals
        )

    def _find_pairs(self, coverage: Coverage, strategy: Strategy) -> set[Pair]:
        """The pairs of account and set (by ARN) to read: those that are named, and those that are provisioned."""
        named = {(account_id, self._arns[name]) for account_id, name in coverage.pairs or () if name in self._arns}
        if not coverage.is_complete:
            by_set = self._find_by_set(self._arns[name] for name in coverage.sets if name in self._arns)
            found = by_set | self._find_by_account(coverage.accounts)
        elif strategy is Strategy.BY_ACCOUNT:
            found = self._find_by_account(self._ground.accounts)
        else:
            found = self._find_by_set(self._names)
        return named | found | self._find_vanished(coverage, found)

    def _find_vanished(self, coverage: Coverage, found: Collection[Pair]) -> set[Pair]:
        """Pairs with assignments that are provisioned no more, by the listings: each is asked for by itself."""
        unread = [item.scope for item in self._asker.unresolved]
        known = {
            key[:2]
            for key in self._known.assignments
            if coverage.covers(key) and not any(scope.covers(key) for scope in unread if scope != EVERYTHING)
        }
        pairs = {(account_id, self._arns[name]) for account_id, name in known if name in self._arns}
        return {pair for pair in pairs if pair not in found and pair[0] in self._ground.accounts}

    def _find_by_set(self, arns: Iterable[str]) -> set[Pair]:
        def question(arn: str) -> Question[frozenset[str]]:
            return Question(lambda: self._center.list_provisioned_accounts(arn), Scope(permission_set=self._names[arn]))

        found = self._asker.ask_all({arn: question(arn) for arn in sorted(arns)})
        return {(account_id, arn) for arn, account_ids in found.items() for account_id in account_ids}

    def _find_by_account(self, account_ids: Collection[str]) -> set[Pair]:
        """What the management account holds is known already."""

        def question(account_id: str) -> Question[frozenset[str]]:
            return Question(lambda: self._center.list_provisioned_sets(account_id), Scope(target_id=account_id))

        management_id = self._ground.instance.management_account_id
        asked = sorted(account_id for account_id in account_ids if account_id != management_id)
        found = self._asker.ask_all({account_id: question(account_id) for account_id in asked})
        if management_id in account_ids:
            found[management_id] = self._ground.in_management
        return {(account_id, arn) for account_id, arns in found.items() for arn in arns if arn in self._names}

    # By principal

    def _read_principals(self, principal_ids: Collection[str]) -> frozenset[AssignmentKey] | None:
        """What these are assigned, or None if AWS denies asking so: then nobody is asked about any more."""
        denied = threading.Event()
        counts = Counter(key.principal_id for key in self._known.assignments)

        def question(principal: ActualPrincipal) -> Question[frozenset[Pair]]:
            many = counts[principal.principal_id] > FEW
            ask = _sure(lambda: self._center.list_assignments_of(principal.type, principal.principal_id), many)
            scope = Scope(principal_type=principal.type, principal_id=principal.principal_id)
            return Question(_unless(denied, ask), scope, about=principal.name)

        there = {key: self._principals[key] for key in sorted(principal_ids) if key in self._principals}
        questions = {key: question(principal) for key, principal in there.items()}
        found, failures = self._asker.try_all(questions)
        if denied.is_set():
            return None
        for key, error in failures.items():
            self._asker.note(questions[key], error)
        return frozenset(
            AssignmentKey(account_id, self._names[arn], there[key].type, key)
            for key, pairs in found.items()
            for account_id, arn in pairs
            if arn in self._names
        )


def may_list_by_principal(center: IdentityCenterQueries, principal: ActualPrincipal) -> bool | None:
    """Try it once: None if that did not tell."""
    try:
        center.list_assignments_of(principal.type, principal.principal_id)
    except Denied:
        return False
    except GatewayError:
        return None
    return True


def _sure(ask: Callable[[], frozenset[T]], many: bool) -> Callable[[], frozenset[T]]:
    """Ask once more where nothing comes and much was known."""
    return (lambda: ask() or ask()) if many else ask


def _unless(denied: threading.Event, ask: Callable[[], frozenset[T]]) -> Callable[[], frozenset[T]]:
    """Ask unless AWS has denied asking so."""

    def ask_once() -> frozenset[T]:
        if denied.is_set():
            return frozenset()
        try:
            return ask()
        except Denied:
            denied.set()
            raise

    return ask_once
