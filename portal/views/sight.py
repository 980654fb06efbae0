"""What of a list its reader may see by name, where `VISIBILITY=own` narrows that. The rest is counted, never named."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from accounts.access import sees_everything, visible_accounts, visible_assignments, visible_records
from accounts.models import Assignment, Record, User
from syncer.sets.changes import GuardVerdict
from syncer.sets.moves import MovePlan

Row = TypeVar("Row")


@dataclass(frozen=True)
class Seen(Generic[Row]):
    """rows: those that may be named. hidden: how many there are besides."""

    rows: tuple[Row, ...]
    hidden: int = 0

    @property
    def total(self) -> int:
        return len(self.rows) + self.hidden


def see_assignments(user: User, rows: Collection[Assignment]) -> Seen[Assignment]:
    found = visible_assignments(user).filter(pk__in=[row.pk for row in rows])
    return _see(user, rows, lambda row: row.pk, lambda: set(found.values_list("pk", flat=True)))


def see_records(user: User, rows: Collection[Record]) -> Seen[Record]:
    found = visible_records(user).filter(pk__in=[row.pk for row in rows])
    return _see(user, rows, lambda row: row.pk, lambda: set(found.values_list("pk", flat=True)))


def see_move(user: User, plan: MovePlan) -> dict[str, Any]:
    """The records that move to another set, and those that stay, with why."""
    left = {record.pk: reason for record, reason in plan.left}
    stays = see_records(user, [record for record, _reason in plan.left])
    return {
        "moves": see_records(user, plan.moves),
        "stays": [(record, left[record.pk]) for record in stays.rows],
        "more_stays": stays.hidden,
    }


def see_verdicts(user: User, rows: Collection[GuardVerdict]) -> Seen[GuardVerdict]:
    """What guardrails say in accounts that one sees."""
    found = visible_accounts(user).filter(pk__in=[row.account.pk for row in rows])
    return _see(user, rows, lambda row: row.account.pk, lambda: set(found.values_list("pk", flat=True)))


def _see(
    user: User, rows: Collection[Row], key: Callable[[Row], int], load: Callable[[], Collection[int]]
) -> Seen[Row]:
    if not rows or sees_everything(user):
        return Seen(tuple(rows))
    visible = load()
    kept = tuple(row for row in rows if key(row) in visible)
    return Seen(kept, len(rows) - len(kept))
