"""Access that came and went, in the audit trail: the rows of runs are cleaned away some day, the trail never."""

from datetime import datetime
from typing import Any

from accounts.audit import record_event
from syncer.models import Change
from syncer.records.parsing import parse_duration
from syncer.states import LONGEST_SESSION

_PAST = {Change.Kind.CREATE: "created", Change.Kind.UPDATE: "updated", Change.Kind.DELETE: "deleted"}


def record_success(change: Change) -> None:
    """Append that AWS has carried this change out; in the transaction that stores its outcome.

    Who wanted it is who wrote the record, so the event has no actor of its own.
    """
    is_removal = change.kind == Change.Kind.DELETE
    facts = {"run": change.run_id, "record": change.record_reference, **_name(change)}
    if change.object == Change.Object.PERMISSION_SET:
        name = change.permission_set_name
        action, obj = f"permission_set.{_PAST[Change.Kind(change.kind)]}", ("permission_set", name, name)
    else:
        action, obj = f"access.{'removed' if is_removal else 'granted'}", ("assignment", _identity(change), str(change))
        facts |= {"cause": find_detail(change, "cause")} if is_removal else {}
    until = find_sessions_end(change)
    after = {"sessions_until": until.isoformat(timespec="seconds")} if until else None
    if is_removal:
        record_event(action, obj=obj, before=facts, after=after)
    else:
        record_event(action, obj=obj, after=facts)


def find_sessions_end(change: Change) -> datetime | None:
    """Until when consoles and CLIs that were open at a removal can go on; None where no access was removed."""
    is_removal = change.kind == Change.Kind.DELETE and change.object == Change.Object.ASSIGNMENT
    if not is_removal or change.outcome != Change.Outcome.SUCCEEDED or not change.finished_at:
        return None
    return change.finished_at + (parse_duration(find_detail(change, "open_sessions")) or LONGEST_SESSION)


def find_detail(change: Change, field_name: str) -> str:
    """What a change's details say of this, empty where they do not."""
    return next((str(detail.get("after", "")) for detail in change.details if detail.get("field") == field_name), "")


def _name(change: Change) -> dict[str, Any]:
    if change.object == Change.Object.PERMISSION_SET:
        return {"permission_set": change.permission_set_name, "details": change.details}
    return {
        "account_id": change.account_id,
        "permission_set": change.permission_set_name,
        "principal_type": change.principal_type,
        "principal_id": change.principal_id,
        "principal": change.principal_name,
    }


def _identity(change: Change) -> str:
    return f"{change.account_id} {change.permission_set_name} {change.principal_id}"
