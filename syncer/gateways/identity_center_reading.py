"""One reading of what AWS has, in several threads.

A question that fails costs its own scope and nothing more: what could not be read is `Unresolved`, never empty. First
comes what everything stands on (`reading_ground`), then sets and assignments, as far as they are asked for.
"""

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import replace

from accounts.tracing import TracedPool
from syncer.gateways.identity_center_queries import IdentityCenterQueries
from syncer.gateways.reading_costs import choose, count, predict
from syncer.gateways.reading_ground import Ground, GroundReader
from syncer.gateways.reading_options import Known, Pair, ReadOptions, Selection, Strategy
from syncer.gateways.reading_questions import Asker, Question
from syncer.gateways.reading_sets import SetReader
from syncer.gateways.reading_strategies import OPERATIONS, AssignmentReader, may_list_by_principal
from syncer.gateways.reading_tags import TagReader
from syncer.states import (
    Actual,
    ActualInstance,
    ActualPrincipal,
    Coverage,
    PrincipalType,
    ReadingFigures,
    Scope,
)

__all__ = ["Known", "Pair", "ReadOptions", "Selection", "Strategy", "assigned_groups", "read_actual"]

logger = logging.getLogger(__name__)

THREADS = 8
TAG_THREADS = 2  # Organizations keeps a pace of its own: its answers are waited for beside everything else


def read_actual(center: IdentityCenterQueries, options: ReadOptions) -> Actual:
    """Read what AWS has. Failed questions are in `Actual.unresolved`; this raises no GatewayError.

    Without the instance, the accounts, the list of sets or what the management account holds, everything is
    unresolved, and of sets and assignments nothing is read.
    """
    with (
        TracedPool(THREADS, thread_name_prefix="reading") as pool,
        TracedPool(TAG_THREADS, thread_name_prefix="reading-tags") as tag_pool,
    ):
        try:
            return _Reading(center, options, pool, tag_pool).read()
        except BaseException:
            for one in (pool, tag_pool):  # an interrupt does not wait for thousands of questions
                one.shutdown(wait=False, cancel_futures=True)
            raise


class _Reading:
    def __init__(
        self,
        center: IdentityCenterQueries,
        options: ReadOptions,
        pool: TracedPool,
        tag_pool: TracedPool,
    ) -> None:
        self._center, self._options, self._tag_pool = center, options, tag_pool
        self._asker = Asker(pool, self._tell_progress)
        self._began = time.monotonic()
        self._tried: bool | None = None  # listing by principal

    def _tell_progress(self) -> None:
        if self._options.progress:
            self._options.progress(self._center.calls.total())

    def read(self) -> Actual:
        ground_reader = GroundReader(self._center, self._options, self._asker)
        instance = ground_reader.read_instance()
        if instance is None:
            return self._finish(ground_reader.bare(ActualInstance("", "", self._center.region, "")))
        ground, actual = ground_reader.read(instance)
        if ground is None:
            return self._finish(actual)
        set_reader = SetReader(self._center, self._options, self._asker, ground)
        selection, names, actual = self._select(set_reader, actual)
        tag_reader = TagReader(self._center, self._tag_pool, selection.tags)
        actual = self._read_sets(set_reader, selection, names, actual)
        actual = self._read_assignments(ground, names, selection, actual)
        ground_reader.doubt_empty_store(actual)
        memberships = self._read_memberships(self._find_groups(selection, actual), actual)
        tags, unread = tag_reader.end()
        self._asker.unresolved.extend(unread)
        actual = replace(actual, tags=tags, memberships=memberships)
        owning = find_owning_groups(actual) - (memberships or {}).keys()
        found = self._read_memberships(owning, actual)
        return self._finish(replace(actual, memberships={**(memberships or {}), **found}) if found else actual)

    def _finish(self, actual: Actual) -> Actual:
        self._tell_progress()
        figures = actual.figures
        if figures:
            unresolved = any(item.blocks != "none" for item in self._asker.unresolved)
            is_proof = actual.coverage.is_complete and actual.sets_read is None and not unresolved
            figures = replace(figures, seconds=time.monotonic() - self._began, is_proof=is_proof)
            logger.info(
                "reading: strategy=%s predicted=%d calls=%d seconds=%.1f proof=%s share=%s unresolved=%d",
                figures.strategy, figures.predicted, figures.calls, figures.seconds, figures.is_proof, figures.share,
                len(self._asker.unresolved),
            )  # fmt: skip
        return replace(actual, unresolved=tuple(self._asker.unresolved), figures=figures)

    # What to read

    def _select(self, reader: SetReader, actual: Actual) -> tuple[Selection, dict[str, str], Actual]:
        """What to read, the names of all sets that may be met by ARN, and what is known so far."""
        options = self._options
        if options.select is not None:
            actual = replace(actual, sets=reader.take_over(), sets_read=frozenset(), coverage=Coverage(frozenset()))
            may = self._may_list_by_principal(actual)
            selection = options.select(replace(actual, unresolved=tuple(self._asker.unresolved)), may)
            return selection, {there.arn: name for name, there in actual.sets.items()}, actual
        names = reader.name_sets()
        if options.pairs is not None:
            return Selection(Coverage(options.pairs), sets=options.sets), names, actual
        return self._select_everything(len(names), actual), names, actual

    def _select_everything(self, sets: int, actual: Actual) -> Selection:
        options = self._options
        sizes = replace(count(actual, options.known), sets=sets)
        cheapest = choose(sizes, may_list_by_principal=False, needs_everything=True)
        strategy = options.strategy or cheapest
        is_blind = strategy is Strategy.BY_PRINCIPAL
        coverage = Coverage(frozenset(), frozenset(actual.principals)) if is_blind else Coverage()
        units = options.known.units if actual.units is None else actual.units
        tags = {*actual.accounts, *(unit.ou_id for unit in units)} if options.with_tags else set()
        return Selection(coverage, strategy, predict(strategy, sizes), tags=frozenset(tags))

    def _may_list_by_principal(self, actual: Actual) -> bool:
        """Whether AWS lets us, tried with one principal where that is not known."""
        may = self._options.may_list_by_principal
        if may is None and actual.principals:
            principal = actual.principals[min(actual.principals)]
            [may] = self._asker.ask_all({"": Question(lambda: may_list_by_principal(self._center, principal))}).values()
            self._tried = may
        return bool(may)

    # Sets and assignments

    def _read_sets(self, reader: SetReader, selection: Selection, names: Mapping[str, str], actual: Actual) -> Actual:
        if self._options.select is None or selection.sets is None:
            return replace(actual, sets=reader.read(names, selection.sets), sets_read=None)
        asked = selection.sets | {name for _, name in selection.coverage.pairs or ()}
        read = reader.read({arn: name for arn, name in names.items() if name in asked}, selection.sets)
        for name in read.keys() - selection.sets:  # only whose they are was asked
            read[name] = replace(actual.sets[name], ownership=read[name].ownership)
        return replace(actual, sets={**actual.sets, **read}, sets_read=selection.sets)

    def _read_assignments(
        self, ground: Ground, names: Mapping[str, str], selection: Selection, actual: Actual
    ) -> Actual:
        known = self._options.known
        reader = AssignmentReader(self._center, self._asker, ground, names, actual.principals, known)
        before = self._count_calls()
        found = reader.read(selection)
        figures = ReadingFigures(
            strategy=found.strategy,
            predicted=selection.predicted,
            calls=self._count_calls() - before,
            seconds=0.0,
            share=selection.share,
            may_list_by_principal=self._tried if found.may_list_by_principal is None else found.may_list_by_principal,
        )
        return replace(actual, assignments=found.assignments, coverage=found.coverage, figures=figures)

    def _count_calls(self) -> int:
        calls = self._center.calls
        return sum(calls[operation] for operation in OPERATIONS)

    # Memberships

    def _find_groups(self, selection: Selection, actual: Actual) -> Collection[str]:
        if selection.groups is not None:
            return selection.groups
        return self._options.known.owning_groups.union(self._pick_groups(actual))

    def _read_memberships(self, ids: Collection[str], actual: Actual) -> dict[str, frozenset[str]] | None:
        """The members of the groups asked for that the identity store knows; None if none were asked for."""
        if not ids:
            return None
        known = {group_id: actual.principals[group_id] for group_id in ids if group_id in actual.principals}

        def question(group: ActualPrincipal) -> Question[frozenset[str]]:
            return Question(
                lambda: self._center.list_memberships(group.principal_id),
                Scope(principal_type=PrincipalType.GROUP, principal_id=group.principal_id),
                blocks="none",
                about=f"members of {group.name}",
            )

        return self._asker.ask_all({group_id: question(known[group_id]) for group_id in sorted(known)})

    def _pick_groups(self, actual: Actual) -> Collection[str]:
        wanted = self._options.with_memberships_of
        if wanted == "assigned":
            return assigned_groups(actual)
        return wanted(actual) if callable(wanted) else wanted


def find_owning_groups(actual: Actual) -> frozenset[str]:
    """The groups that the tags read this time name: their members own."""
    words = {word for tags in actual.tags.values() for value in tags.values() for word in value.split()}
    return frozenset(
        word for word in words if (found := actual.principals.get(word)) and found.type is PrincipalType.GROUP
    )


def assigned_groups(actual: Actual) -> frozenset[str]:
    """The ids of all groups that appear in assignments."""
    return frozenset(key.principal_id for key in actual.assignments if key.principal_type is PrincipalType.GROUP)
