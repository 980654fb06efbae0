"""What applying does, as rows: an intent before each call, the request id before polling, the outcome at the end."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Assignment, PermissionSet, Principal, Record
from accounts.policy.widening import does_more
from syncer import lanes
from syncer.changes import AssignmentChange, Cause, Change, Group, Kind, Plan, SetChange, group_of, identity_of
from syncer.following import Operation
from syncer.mirror.policy_texts import load_texts
from syncer.mirror.standings import Outcomes
from syncer.mirror.stops import PAUSED, find_objection
from syncer.models import Change as ChangeRow
from syncer.models import Operation as OperationRow
from syncer.models import Run
from syncer.sets.widening import read_policies_there
from syncer.states import AssignmentKey, Definition, PrincipalType, Reason, render_duration
from syncer.telling.access_letters import note_access
from syncer.trail import record_success

_BATCH = 500
Outcome = ChangeRow.Outcome


def build_rows(run: Run, plan: Plan) -> list[ChangeRow]:
    """The plan as rows, in its order; what is held comes last."""
    names = _load_names(plan)
    rows = []
    for position, (change, outcome) in enumerate(
        [*((change, Outcome.PLANNED) for change in plan.changes), *((change, Outcome.HELD) for change in plan.held)]
    ):
        row = build_row(change, outcome, names)
        row.run, row.position = run, position
        if outcome == Outcome.HELD and (reason := plan.reason_for(change)):
            row.reason = reason.as_json()
        rows.append(row)
    return rows


def build_row(change: Change, outcome: str, names: Mapping[str, str]) -> ChangeRow:
    """One change as a row that belongs to no run yet."""
    if isinstance(change, SetChange):
        return ChangeRow(
            kind=change.kind,
            object=ChangeRow.Object.PERMISSION_SET,
            permission_set_name=change.name,
            record_reference=change.record,
            details=_details(change),
            outcome=outcome,
        )
    return ChangeRow(
        kind=change.kind,
        object=ChangeRow.Object.ASSIGNMENT,
        account_id=change.key.target_id,
        permission_set_name=change.key.permission_set,
        principal_type=change.key.principal_type,
        principal_id=change.key.principal_id,
        principal_name=names.get(change.key.principal_id, ""),
        record_reference=change.record,
        details=_warnings(change),
        confirmed=change.kind is Kind.DELETE and not change.counts,
        outcome=outcome,
    )


def _details(change: SetChange) -> list[dict[str, str]]:
    details: list[dict[str, str]] = [difference._asdict() for difference in change.differences]
    if change.stale_accounts:
        details.append(_detail("stale_accounts", ", ".join(sorted(change.stale_accounts))))
    if change.replaces_role:
        details.append(_detail("role_replaced"))
    if change.actual and change.definition and _does_more(change.actual, change.definition):
        details.append(_detail("may_do_more"))
    return details


def _does_more(there: Definition, wanted: Definition) -> bool:
    """As far as it is known what AWS's own policies say; that is looked up only where they change."""
    named = there.managed_policies | wanted.managed_policies
    texts = load_texts(named) if there.managed_policies != wanted.managed_policies else {}
    return does_more(read_policies_there(there, texts), read_policies_there(wanted, texts))


def _warnings(change: AssignmentChange) -> list[dict[str, str]]:
    """Why it is removed, and what people should know before."""
    details = [_detail("cause", change.cause)] if change.cause else []
    if change.replaces_role:
        details.append(_detail("role_replaced"))
    if change.sessions:
        details.append(_detail("open_sessions", render_duration(change.sessions)))
    return details


def _detail(field_name: str, value: str = "") -> dict[str, str]:
    return {"field": field_name, "before": "", "after": value}


def _load_names(plan: Plan) -> dict[str, str]:
    ids = {change.key.principal_id for change in (*plan.changes, *plan.held) if isinstance(change, AssignmentChange)}
    rows = Principal.objects.filter(principal_id__isnull=False).values_list("principal_id", "name")
    return {principal_id: name for principal_id, name in rows if principal_id in ids}


def load_removed_lately(
    there: Collection[AssignmentKey], *, since: datetime
) -> Iterator[tuple[AssignmentKey, Group | None]]:
    """Removals that nobody confirmed, with what the brake counts them in: done since then, or under way now.

    Of one that was sent and whose end nobody saw, what is `there` tells what became of it.
    """
    rows = ChangeRow.objects.filter(kind=Kind.DELETE, object=ChangeRow.Object.ASSIGNMENT, confirmed=False)
    running = Run.objects.filter(status=Run.Status.RUNNING, mode=Run.Mode.APPLY)
    # One question for each, because each has its index.
    ended = rows.filter(outcome__in=(Outcome.SUCCEEDED, Outcome.FAILED), finished_at__gt=since, sent_at__isnull=False)
    sent = rows.filter(outcome=Outcome.SENT, sent_at__gt=since)
    due = rows.filter(outcome=Outcome.PLANNED, run__in=running)
    for row in chain(ended.iterator(), sent.iterator(), due.iterator()):
        kind = PrincipalType(row.principal_type)
        key = AssignmentKey(row.account_id, row.permission_set_name, kind, row.principal_id)
        if row.outcome != Outcome.FAILED or key not in there:
            yield key, group_of(_cause_of(row), kind)


def _cause_of(row: ChangeRow) -> Cause:
    """A cause that this version does not know is one that counts."""
    found = next((item["after"] for item in row.details if item["field"] == "cause"), "")
    return next((cause for cause in Cause if cause == found), Cause.NO_RECORD)


def identity_of_row(row: ChangeRow) -> str:
    """The same line as `changes.identity_of` gives for the change this row was made of."""
    if row.object == ChangeRow.Object.PERMISSION_SET:
        return f"{row.kind} permission_set {row.permission_set_name}"
    parts = (row.account_id, row.permission_set_name, row.principal_type, row.principal_id)
    return f"{row.kind} assignment {' '.join(parts)}"


@dataclass
class DatabaseRecorder:
    """The recorder of a run (see `applying.Recorder`): writes each step to the change's row at once."""

    run: Run
    rows: Mapping[str, ChangeRow]  # by identity
    revisions: Mapping[str, int]  # APP:ID → the revision that was planned
    stop: Callable[[], bool]
    progress: Callable[[int], None]
    settle: Callable[[OperationRow], object]  # asks AWS what became of a dead process's operation
    wanted: Collection[AssignmentKey] | None = None  # what was wished for when planned; None: it does not matter
    outcomes: Outcomes = field(default_factory=Outcomes)
    operations: dict[Operation, OperationRow] = field(default_factory=dict)
    objection: Reason | None = None  # what somebody stopped or lifted since the plan
    ended: int = 0

    def is_still_wanted(self, change: Change) -> bool:
        """Whether the mirror still says what was planned from, and nobody has stopped it.

        A change whose record was edited since is left to the run that will read it, a removal as well; and so is one
        that another run, which read a newer record, has judged otherwise.
        """
        self.objection = find_objection(change)
        return not self.objection and self._is_of_this_revision(change.record) and self._is_judged_alike(change)

    def _is_of_this_revision(self, reference: str) -> bool:
        if reference not in self.revisions:
            return True
        app_id, _colon, record_id = reference.partition(":")
        records = Record.objects.live().filter(app_id=app_id, record_id=record_id)
        return records.filter(revision=self.revisions[reference]).exists()

    def _is_judged_alike(self, change: Change) -> bool:
        if isinstance(change, SetChange):
            return True
        row = self.rows[identity_of(change)]
        if row.assignment_id is None or self.wanted is None:
            return True
        judged = Assignment.objects.filter(pk=row.assignment_id).values_list("is_wanted", flat=True).first()
        return judged is None or judged == (change.key in self.wanted)

    def enter(self, operation: Operation, arn: str) -> bool:
        """The intent and the lane are one row. The operation of a dead process is settled before its lane is taken."""
        row = self._build_operation(operation, arn)
        is_targeted = self.run.kind != Run.Kind.FULL
        if not lanes.enter(row, is_targeted=is_targeted):
            there = lanes.find_open(operation.account_id)
            if there is None or not lanes.is_abandoned(there):
                return False
            self.settle(there)
            if not lanes.enter(row, is_targeted=is_targeted):
                return False
        self.operations[operation] = row
        return True

    def _build_operation(self, operation: Operation, arn: str) -> OperationRow:
        change = self.rows[identity_of(operation.change)]
        return OperationRow(
            change=change, kind=operation.kind, account_id=operation.account_id, permission_set_arn=arn,
            principal_type=change.principal_type, principal_id=change.principal_id,
        )  # fmt: skip

    def leave(self, operation: Operation, failed: Reason | None = None) -> None:
        row = self.operations.pop(operation, None)
        if row is not None:
            lanes.leave(row, failed)

    def sending(self, change: Change) -> None:
        self._save(change, outcome=Outcome.SENT, sent_at=timezone.now())

    def sent(self, operation: Operation, request_id: str) -> None:
        row = self.operations[operation]
        row.request_id = request_id
        row.save(update_fields=["request_id"])
        self._save(operation.change, request_id=request_id)

    def made(self, change: SetChange, arn: str) -> None:
        self.outcomes.arns[change.name] = arn
        self.succeeded(change)

    def succeeded(self, change: Change) -> None:
        if isinstance(change, SetChange):
            self.outcomes.sets_done.add(change.name)
            if change.kind is Kind.DELETE:
                self.outcomes.sets_deleted.add(change.name)
        else:
            (self.outcomes.created if change.kind is Kind.CREATE else self.outcomes.deleted).add(change.key)
        self._end(change, Outcome.SUCCEEDED)

    def failed(self, change: Change, reason: Reason, *, for_good: bool) -> None:
        if isinstance(change, SetChange):
            (self.outcomes.sets_refused if for_good else self.outcomes.sets_postponed)[change.name] = reason
        else:
            (self.outcomes.refused if for_good else self.outcomes.postponed)[change.key] = reason
        self._end(change, Outcome.FAILED, reason)

    def superseded(self, change: Change) -> None:
        """What a pause stops stays planned: the first run after it carries it out."""
        if self.objection and self.objection.code == PAUSED:
            return
        self._end(change, Outcome.SUPERSEDED, self.objection or Reason("not_wanted_any_more"))

    def must_stop(self) -> bool:
        return self.stop()

    def _end(self, change: Change, outcome: str, reason: Reason | None = None) -> None:
        self._save(change, outcome=outcome, reason=reason.as_json() if reason else {}, finished_at=timezone.now())
        self.ended += 1
        self.progress(self.ended)

    def _save(self, change: Change, **values: Any) -> None:
        row = self.rows[identity_of(change)]
        for name, value in values.items():
            setattr(row, name, value)
        with transaction.atomic():
            row.save(update_fields=list(values))
            if row.outcome == Outcome.SUCCEEDED:
                record_success(row)
                note_access(row)


def point_to_rows(run: Run) -> None:
    """Let each change point to the assignment or set it touched, now that their rows exist."""
    rows = list(run.changes.all())
    sets = dict(PermissionSet.objects.values_list("name", "pk"))
    assignments = _find_assignments([row for row in rows if row.object == ChangeRow.Object.ASSIGNMENT])
    for row in rows:
        row.permission_set_id = sets.get(row.permission_set_name)
        row.assignment_id = assignments.get((row.account_id, row.permission_set_name, row.principal_id))
    ChangeRow.objects.bulk_update(rows, ["permission_set", "assignment"], _BATCH)


def _find_assignments(rows: list[ChangeRow]) -> dict[tuple[str, str, str | None], int]:
    accounts = {row.account_id for row in rows}
    found = Assignment.objects.filter(account__account_id__in=accounts).values_list(
        "account__account_id", "permission_set__name", "principal__principal_id", "pk"
    )
    return {(account, name, principal): pk for account, name, principal, pk in found}
