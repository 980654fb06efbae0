"""What runs did to AWS by themselves: it counts as there for whoever read AWS before it was done.

A full reading takes minutes; a targeted run beside it takes seconds. Without this the full run would plan to undo what
the other has just done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from syncer.models import Change, Operation, Run
from syncer.states import Actual, ActualSet, AssignmentKey, PrincipalType


@dataclass(frozen=True)
class Ledger:
    """The changes of other runs since a reading began.

    created, deleted: assignments; sets: names of sets that were changed; under_way, sets_under_way: what they are
    still at. marks: the rows this was made of; another value means that more has happened.
    """

    created: frozenset[AssignmentKey] = frozenset()
    deleted: frozenset[AssignmentKey] = frozenset()
    sets: frozenset[str] = frozenset()
    under_way: frozenset[AssignmentKey] = frozenset()
    sets_under_way: frozenset[str] = frozenset()
    marks: frozenset[int] = frozenset()

    def overlay(self, actual: Actual, mirrored: Mapping[str, ActualSet]) -> Actual:
        """The reading with what was done since; a set that was changed is as the mirror has it from then."""
        if not self.marks:
            return actual
        changed = {name: mirrored[name] for name in self.sets if name in mirrored}
        kept = {name: there for name, there in actual.sets.items() if name not in self.sets}
        return replace(actual, assignments=(actual.assignments | self.created) - self.deleted, sets={**kept, **changed})


def load_ledger(since: datetime) -> Ledger:
    """What ended since then, and what is under way now: for a run that has not stored its plan yet."""
    created: set[AssignmentKey] = set()
    deleted: set[AssignmentKey] = set()
    sets: set[str] = set()
    marks: set[int] = set()
    for row in Change.objects.filter(finished_at__gt=since, outcome=Change.Outcome.SUCCEEDED).order_by("finished_at"):
        marks.add(row.pk)
        if row.object == Change.Object.PERMISSION_SET:
            sets.add(row.permission_set_name)
            continue
        key = key_of(row)
        ours, others = (created, deleted) if row.kind == Change.Kind.CREATE else (deleted, created)
        ours.add(key)
        others.discard(key)
    open_rows = Operation.objects.filter(ended_at__isnull=True).exclude(principal_id="").select_related("change")
    under_way = {row.pk: key_of(row.change) for row in open_rows}
    return Ledger(
        frozenset(created), frozenset(deleted), frozenset(sets), frozenset(under_way.values()),
        _load_sets_under_way(), frozenset({*marks, *(-pk for pk in under_way)}),
    )  # fmt: skip


def _load_sets_under_way() -> frozenset[str]:
    rows = Change.objects.filter(
        object=Change.Object.PERMISSION_SET, outcome=Change.Outcome.SENT, run__status=Run.Status.RUNNING
    )
    return frozenset(rows.values_list("permission_set_name", flat=True))


def key_of(row: Change) -> AssignmentKey:
    """The assignment that a change of assignments is about."""
    return AssignmentKey(row.account_id, row.permission_set_name, PrincipalType(row.principal_type), row.principal_id)
