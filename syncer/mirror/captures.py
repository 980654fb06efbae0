"""Our sets that the management account holds: what nobody can change any more, and whom it concerns."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Draft, PermissionSet
from syncer.desired import Desired, State
from syncer.states import Actual, AssignmentKey, Problem

LISTED = 10  # assignments in one sentence; the set's page has them all
TOLD_FOR = timedelta(days=7)  # how long a move to a twin is shown to author and owners of its record


def amend_problems(desired: Desired, actual: Actual, *, now: datetime) -> tuple[Problem, ...]:
    """The problems of the wish, with what is critical in the place of "managed in Terraform"."""
    rows = PermissionSet.objects.filter(ownership=PermissionSet.Ownership.TERRAFORM, captured_at__isnull=False)
    captured = {row.name: row.record.reference if row.record else "" for row in rows.select_related("record")}
    others = [
        problem
        for problem in desired.problems
        if problem.code != "managed_in_terraform" or problem.params.get("set") not in captured
    ]
    critical = [_describe(name, record, desired, actual) for name, record in sorted(captured.items())]
    return (*others, *critical, *_iter_moved(now))


def _describe(name: str, record: str, desired: Desired, actual: Actual) -> Problem:
    management = actual.instance.management_account_id
    held = [key for key in actual.assignments if key.permission_set == name and key.target_id != management]
    pending = [
        key
        for key, standing in desired.wanted.items()
        if key.permission_set == name and standing.state is State.BLOCKED and key not in actual.assignments
    ]
    listed = _render(actual, sorted([*held, *pending]))
    params = {"set": name, "count": len(held), "pending": len(pending), "list": listed}
    return Problem("set_in_management", "error", record, "name" if record else "", params=params)


def _render(actual: Actual, keys: list[AssignmentKey]) -> str:
    return ", ".join(_name(actual, key) for key in keys[:LISTED]) + (", …" if len(keys) > LISTED else "")


def _name(actual: Actual, key: AssignmentKey) -> str:
    account, principal = actual.accounts.get(key.target_id), actual.principals.get(key.principal_id)
    who = principal.display_name or principal.name if principal else key.principal_id
    return f"{account.name if account else key.target_id} × {who}"


def _iter_moved(now: datetime) -> Iterator[Problem]:
    """Records that were moved to a copy of their set lately and that nobody has edited since."""
    is_move = Q(purpose__startswith="twin:") | Q(purpose__startswith="rename:")
    drafts = Draft.objects.filter(
        is_move, state=Draft.State.WRITTEN, record__isnull=False, updated_at__gt=now - TOLD_FOR
    ).select_related("record")
    for draft in drafts.order_by("pk"):
        record = draft.record
        if record is None or record.gone_at or record.revision != (draft.base_revision or 0) + 1:
            continue
        why, _colon, old = draft.purpose.partition(":")
        params = {"set": draft.values.get("permission_set", ""), "old": old}
        code = "moved_to_twin" if why == "twin" else "moved_to_new_name"
        yield Problem(code, "warning", record.reference, "permission_set", params=params)
