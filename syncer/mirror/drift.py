"""Drift as rows: what was noted, what is new, what is over, and which differences are our own doing.

Rows are written before the plan that heeds them is made, and compared with columns that nothing but this file and our
own writing changes: a run that dies anywhere forgets no drift.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from accounts.models import PermissionSet
from syncer.desired import Desired
from syncer.drifting import (
    Consequences,
    Decision,
    DriftKind,
    HandMade,
    Known,
    Matter,
    Noted,
    Policy,
    find_changes,
    find_ended,
    find_proved,
    was_read,
    weigh,
)
from syncer.mirror.truth import definition_as_json, definition_from_json, load_assignments
from syncer.models import Change, Drift
from syncer.states import Actual, AssignmentKey, Definition, Difference, Ownership, Problem

_BATCH = 500
QUIET = timedelta(days=1)  # the same drift is told once in this time: Terraform may bring it back each hour


@dataclass(frozen=True)
class Judgement:
    """What a run has to heed of drift, and what people are told of it."""

    consequences: Consequences
    problems: tuple[Problem, ...]


def find_policy() -> Policy:
    return Policy(settings.DRIFT, timedelta(hours=settings.DRIFT_GRACE_HOURS))


@transaction.atomic
def judge(desired: Desired, actual: Actual, *, began_at: datetime, now: datetime) -> Judgement:
    """Note what is new, end what is over. `began_at` is when this reading of AWS began."""
    rows = {_identity(row): row for row in Drift.objects.filter(ended_at__isnull=True)}
    ended = [drift.change.matter for drift in find_ended([_read(row) for row in rows.values()], desired, actual)]
    Drift.objects.filter(pk__in=[rows.pop(matter).pk for matter in ended]).update(ended_at=now)
    for change in _find_new(desired, actual, began_at):
        if change.matter not in rows:
            rows[change.matter] = _build_row(change, actual, now)
    _mark_told(rows.values(), now)
    Drift.objects.bulk_create([row for row in rows.values() if row._state.adding], ignore_conflicts=True)
    _refresh(rows, desired, actual)
    _settle(actual, began_at)
    policy, drifts = find_policy(), [_read(row) for row in rows.values()]
    problems = tuple(_as_problem(row, policy, actual, desired) for row in rows.values())
    return Judgement(weigh(drifts, policy, now), problems)


def foresee(now: datetime) -> Judgement:
    """What a run has to heed of the drift that was noted so far; it notes and ends nothing."""
    drifts = [_read(row) for row in Drift.objects.filter(ended_at__isnull=True)]
    return Judgement(weigh(drifts, find_policy(), now), ())


def load_drifting() -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """Pairs of account and set, and sets, of which drift is noted."""
    rows = Drift.objects.filter(ended_at__isnull=True).values_list("account_id", "permission_set_name")
    pairs = frozenset(rows.exclude(account_id=""))
    return pairs, frozenset(name for _account_id, name in rows.filter(account_id=""))


def _identity(row: Drift) -> Matter:
    return Matter(row.permission_set_name, row.account_id, row.principal_type, row.principal_id)


def _read(row: Drift) -> Noted:
    differences = tuple(Difference(**item) for item in row.details)
    change = HandMade(DriftKind(row.kind), _identity(row), differences, row.record_revision)
    return Noted(change, row.seen_at, Decision(row.decision))


def _build_row(change: HandMade, actual: Actual, now: datetime) -> Drift:
    matter = change.matter
    principal = actual.principals.get(matter.principal_id)
    return Drift(
        kind=change.kind.value,
        permission_set_name=matter.permission_set,
        account_id=matter.account_id,
        principal_type=matter.principal_type,
        principal_id=matter.principal_id,
        principal_name=(principal.display_name or principal.name)[:1024] if principal else "",
        details=[difference._asdict() for difference in change.differences],
        record_revision=change.record_revision,
        seen_at=now,
    )


def _mark_told(rows: Iterable[Drift], now: datetime) -> None:
    new = [row for row in rows if row._state.adding]
    if not new:
        return
    told = {_identity(row) for row in Drift.objects.filter(told_at__gt=now - QUIET)}
    for row in new:
        row.told_at = None if _identity(row) in told else now


def _refresh(rows: Mapping[Matter, Drift], desired: Desired, actual: Actual) -> None:
    """What differs in a set that was changed again by hand: its grace goes on from the first time."""
    for name, row in ((matter.permission_set, row) for matter, row in rows.items() if row.kind == Drift.Kind.CHANGED):
        wished, there = desired.sets.get(name), actual.sets.get(name)
        if wished is None or there is None or there.definition is None or not was_read(actual, name):
            continue
        details = [difference._asdict() for difference in wished.definition.differences(there.definition)]
        if row.details != details:
            row.details = details
            Drift.objects.filter(pk=row.pk).update(details=details)


# --- What is new, and not our own doing -------------------------------------------------------------------------------


class _Own(NamedTuple):
    """Our newest change of something: its kind, and when it was sent or ended."""

    kind: str
    at: datetime


def _find_new(desired: Desired, actual: Actual, began_at: datetime) -> list[HandMade]:
    settled = _load_settled()
    known = Known(
        _load_known(actual),
        frozenset(PermissionSet.objects.filter(proved_at__isnull=False).values_list("name", flat=True)),
        {name: item.definition for name, item in settled.items() if item.at < began_at},
    )
    changes = find_changes(desired, actual, known)
    own = _load_own_changes({change.matter for change in changes}) if changes else {}
    return [
        change
        for change in changes
        if not _is_own(change, own.get(change.matter), settled.get(change.matter.permission_set), began_at)
    ]


def _load_known(actual: Actual) -> frozenset[AssignmentKey]:
    """What the mirror has; for a targeted reading no more than its accounts, so that a look costs little."""
    return load_assignments({account for account, _name in actual.focus.pairs} if actual.focus else None)


class _Settled(NamedTuple):
    definition: Definition
    at: datetime


def _load_settled() -> dict[str, _Settled]:
    rows = PermissionSet.objects.filter(settled__isnull=False, settled_at__isnull=False)
    return {
        row.name: _Settled(definition_from_json(row.settled), row.settled_at)
        for row in rows
        if row.settled and row.settled_at
    }


def _is_own(change: HandMade, own: _Own | None, settled: _Settled | None, began_at: datetime) -> bool:
    """Whether we made it. What we touched while we read is for the next reading to judge."""
    if own is None:
        return False
    if own.at >= began_at:
        return True
    if change.kind is DriftKind.CHANGED:
        return settled is None or own.at >= settled.at
    made = Change.Kind.CREATE if change.kind is DriftKind.ADDED else Change.Kind.DELETE
    return own.kind == made


def _load_own_changes(matters: Collection[Matter]) -> dict[Matter, _Own]:
    """Our newest change of each, whatever run it belongs to and however that ended: AWS may have taken it."""
    rows = (
        Change.objects.filter(sent_at__isnull=False, permission_set_name__in={item.permission_set for item in matters})
        .filter(Q(principal_id__in={item.principal_id for item in matters}) | Q(object=Change.Object.PERMISSION_SET))
        .order_by("pk")
        .values_list(
            "permission_set_name",
            "account_id",
            "principal_type",
            "principal_id",
            "kind",
            Coalesce("finished_at", "sent_at"),
        )
    )
    found: dict[Matter, _Own] = {}
    for row in rows.iterator(5000):
        if (matter := Matter(*row[:4])) in matters:
            found[matter] = _Own(row[4], row[5])
    return found


# --- What is known from now on ----------------------------------------------------------------------------------------


def _settle(actual: Actual, began_at: datetime) -> None:
    """The definitions that were read have been judged. One that we made since the reading began is newer."""
    for row in PermissionSet.objects.filter(name__in=list(actual.sets)):
        there = actual.sets[row.name]
        if there.ownership is not Ownership.OURS or there.definition is None or not was_read(actual, row.name):
            continue
        definition = definition_as_json(there.definition)
        if row.settled != definition and (row.settled_at is None or row.settled_at < began_at):
            PermissionSet.objects.filter(pk=row.pk).update(settled=definition, settled_at=began_at)


def store_proofs(actual: Actual, *, at: datetime) -> None:
    """After the assignments are stored: of which sets all are known. What is not ours any more is not known as ours."""
    foreign = [
        name for name, there in actual.sets.items() if there.ownership in (Ownership.NOT_OURS, Ownership.TERRAFORM)
    ]
    PermissionSet.objects.filter(name__in=foreign).exclude(proved_at=None, settled=None).update(
        proved_at=None, settled=None, settled_at=None
    )
    PermissionSet.objects.filter(name__in=find_proved(actual), proved_at__isnull=True).update(proved_at=at)


# --- Telling ----------------------------------------------------------------------------------------------------------


def _as_problem(row: Drift, policy: Policy, actual: Actual, desired: Desired) -> Problem:
    until = policy.find_end(_read(row))
    standing = desired.wanted.get(key) if (key := _identity(row).key) else None
    wished = desired.sets.get(row.permission_set_name)
    record = standing.records[0] if standing else wished.record if wished and key is None else ""
    params: dict[str, Any] = {
        "change": describe(row, actual),
        **({"until_at": until.isoformat(timespec="seconds")} if until else {}),
        "account": row.account_id,
        "set": row.permission_set_name,
    }
    return Problem("drift", "warning", record, params=params)


def find_end(row: Drift) -> datetime | None:
    """When it is put back by itself; None if never."""
    return find_policy().find_end(_read(row))


def describe(row: Drift, actual: Actual | None = None) -> str:
    """The change in the notation of plans, the same in every language."""
    account = actual.accounts.get(row.account_id) if actual else None
    place = f"{account.name} ({row.account_id})" if account else row.account_id
    parts = (place, row.permission_set_name, row.principal_name or row.principal_id)
    fields = ", ".join(item["field"] for item in row.details)
    return f"{row.sign} {' × '.join(filter(None, parts))}" + (f" ({fields})" if fields else "")


def show_time(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.TIME_ZONE)):%Y-%m-%d %H:%M}"
