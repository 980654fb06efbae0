"""What AWS refused for good: when it is tried again, and what makes it worth trying at once.

A refusal holds for an hour, doubling to a day, as long as the very same thing is wanted. When the record, the set or
the principal changes, the fingerprint does, and it is tried at once; so it is when somebody says *Try again*.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from accounts.models import Assignment, PermissionSet, Record
from syncer.desired import Desired
from syncer.mirror.standings import Outcomes
from syncer.mirror.truth import definition_as_json
from syncer.planning import Refused
from syncer.states import AssignmentKey, PrincipalType

FIRST_PAUSE, LONGEST_PAUSE = timedelta(hours=1), timedelta(hours=24)


def load_refused(desired: Desired, references: Mapping[str, int], now: datetime) -> Refused:
    """What is not to be tried again yet."""
    assignments = {
        key
        for key, fingerprint in _load_assignments(now).items()
        if fingerprint == fingerprint_assignment(key, desired, references)
    }
    sets = {
        name
        for name, fingerprint in PermissionSet.objects.filter(retry_at__gt=now).values_list("name", "failed_wish")
        if fingerprint == fingerprint_set(name, desired)
    }
    return Refused(frozenset(assignments), frozenset(sets))


def _load_assignments(now: datetime) -> dict[AssignmentKey, str]:
    rows = Assignment.objects.filter(retry_at__gt=now, principal__principal_id__isnull=False).values_list(
        "account__account_id", "permission_set__name", "principal__type", "principal__principal_id", "failed_wish"
    )
    return {AssignmentKey(row[0], row[1], PrincipalType(row[2]), row[3] or ""): row[4] for row in rows}


def fingerprint_assignment(key: AssignmentKey, desired: Desired, references: Mapping[str, int]) -> str:
    """What is wanted of this assignment: by which revisions, with which set; or that it is to go."""
    standing = desired.wanted.get(key)
    if standing is None:
        return _digest(["delete", *key])
    wished = desired.sets.get(key.permission_set)
    definition = definition_as_json(wished.definition) if wished else None
    records = [f"{record}@{desired.revisions.get(record, 0)}" for record in standing.records if record in references]
    return _digest([*key, sorted(records), definition])


def fingerprint_set(name: str, desired: Desired) -> str:
    """What is wanted of this set."""
    wished = desired.sets.get(name)
    return _digest([name, definition_as_json(wished.definition) if wished else None])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def store_refusals(outcomes: Outcomes, desired: Desired, references: Mapping[str, int], now: datetime) -> None:
    """Remember what AWS refused in this run, and forget what went well."""
    for key in outcomes.refused:
        row = _find_assignment(key)
        if row:
            row.failed_wish = fingerprint_assignment(key, desired, references)
            _postpone(row, now)
    for name in outcomes.sets_refused:
        row_of_set = PermissionSet.objects.filter(name=name).first()
        if row_of_set:
            row_of_set.failed_wish = fingerprint_set(name, desired)
            _postpone(row_of_set, now)
    _forget(outcomes.created | outcomes.deleted, outcomes.sets_done)


def _postpone(row: Assignment | PermissionSet, now: datetime) -> None:
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(row.failures, 10), LONGEST_PAUSE)
    row.failures += 1
    row.retry_at = now + pause
    row.save(update_fields=["failures", "failed_wish", "retry_at"])


def _find_assignment(key: AssignmentKey) -> Assignment | None:
    return Assignment.objects.filter(
        account__account_id=key.target_id,
        permission_set__name=key.permission_set,
        principal__principal_id=key.principal_id,
    ).first()


def _forget(keys: Iterable[AssignmentKey], sets: Iterable[str]) -> None:
    calm = {"failures": 0, "failed_wish": "", "retry_at": None}
    for key in keys:
        row = _find_assignment(key)
        if row and row.failures:
            Assignment.objects.filter(pk=row.pk).update(**calm)
    PermissionSet.objects.filter(name__in=list(sets), failures__gt=0).update(**calm)


def end_pauses(record: Record) -> None:
    """Let the next run try what AWS refused of a record, its set included. Refused again, the pause grows as ever."""
    wanted = Assignment.objects.filter(wishes__record=record, wishes__is_current=True)
    wanted.filter(retry_at__isnull=False).update(retry_at=None)
    PermissionSet.objects.filter(assignments__in=wanted.values("pk"), retry_at__isnull=False).update(retry_at=None)
