"""What a migration means for the version that is still at work while it is applied, and until it has been replaced.

A newer version starts only once its migrations are applied (`/healthz/ready`), so for a while the old one works on the
new tables. That goes well while they only grow: what the old version reads stays, and what it writes is still taken.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field


class Impact(StrEnum):
    STOP = "stop"  # the old version fails on it: stop web, worker and beat first
    WAIT = "wait"  # writes to the table wait while it is applied


class Hazard(NamedTuple):
    impact: Impact
    migration: str
    what: str


_GONE = (operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel)
_SLOW = (operations.AddIndex, operations.AddConstraint)


def find_hazards(connection: BaseDatabaseWrapper) -> list[Hazard]:
    """Of the migrations that this database does not have yet, in their order."""
    executor = MigrationExecutor(connection)
    plan = [migration for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    return list(iter_hazards(plan, executor.loader.project_state(list(executor.loader.applied_migrations))))


def iter_hazards(migrations: Iterable[Migration], state: ProjectState) -> Iterator[Hazard]:
    """state: the models as they are before the first of them. A table that is made here nobody uses yet."""
    fresh: set[tuple[str, str]] = set()
    for migration in migrations:
        for operation in migration.operations:
            if isinstance(operation, operations.CreateModel):
                fresh.add((migration.app_label, operation.name_lower))
            elif _table(operation, migration) not in fresh and (impact := _judge(operation, migration, state)):
                yield Hazard(impact, f"{migration.app_label}.{migration.name}", operation.describe())
            operation.state_forwards(migration.app_label, state)


def _table(operation: Operation, migration: Migration) -> tuple[str, str]:
    name = getattr(operation, "model_name_lower", "") or getattr(operation, "name_lower", "")
    return migration.app_label, name


def _judge(operation: Operation, migration: Migration, state: ProjectState) -> Impact | None:
    if isinstance(operation, (*_GONE, operations.AlterModelTable)):
        return Impact.STOP
    if isinstance(operation, operations.AddField):
        return None if _takes_rows_without(operation.field) else Impact.STOP
    if isinstance(operation, operations.AlterField):
        before = state.models[migration.app_label, operation.model_name_lower].get_field(operation.name)
        return Impact.STOP if _narrows(before, operation.field) else None
    return Impact.WAIT if isinstance(operation, _SLOW) else None


def _takes_rows_without(field: "Field[Any, Any]") -> bool:
    """A default of Python's is none of the database's: the old version's rows have no value for the column."""
    return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED


def _narrows(before: "Field[Any, Any]", after: "Field[Any, Any]") -> bool:
    """Whether the old version may write what the column does not take any more."""
    if type(before) is not type(after) or (before.null and not after.null):
        return True
    was, now = before.max_length, after.max_length
    return now is not None and (was is None or now < was)
