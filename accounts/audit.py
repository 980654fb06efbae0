"""Writing the audit trail."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from accounts.audit_about import About, find_about
from accounts.models import AuditEvent, Record, User


def record_event(
    action: str,
    *,
    actor: User | None = None,
    request: HttpRequest | None = None,
    obj: tuple[str, str, str] = ("", "", ""),
    before: Any = None,
    after: Any = None,
    outcome: str = "",
    by: str = "",
    about: About | None = None,
) -> AuditEvent:
    """Append one event. `obj` is (kind, id, name); the actor is the request's user unless given.

    by: who acted where it was no user of the portal, such as a command.
    about: by which account, person or record it is found, where neither `obj` nor the values name it.
    """
    event = build_event(
        action, actor=actor or _find_user(request), obj=obj, before=before, after=after, outcome=outcome, by=by,
        about=about,
    )  # fmt: skip
    if request is not None:
        event.request_id = getattr(request, "request_id", "")
        event.ip = request.META.get("REMOTE_ADDR") or None
    event.save()
    return event


def build_event(
    action: str,
    *,
    actor: User | None = None,
    obj: tuple[str, str, str] = ("", "", ""),
    before: Any = None,
    after: Any = None,
    outcome: str = "",
    by: str = "",
    about: About | None = None,
) -> AuditEvent:
    """An event that is not stored yet, for those who store many at once."""
    kind, object_id, name = obj
    found = find_about(obj, before, after, about)
    return AuditEvent(
        action=action,
        actor=actor,
        actor_oid=actor.entra_oid if actor else "",
        actor_name=str(actor) if actor else by,
        object_type=kind,
        object_id=object_id,
        object_name=name[:400],
        before=before,
        after=after,
        outcome=outcome[:64],
        about_account=found.account,
        about_principal=found.principal,
        about_record=found.record,
    )


def _find_user(request: HttpRequest | None) -> User | None:
    user = getattr(request, "user", None) if request else None
    return user if isinstance(user, User) else None


def find_place(record: Record | None, values: Mapping[str, Any] | None = None) -> About:
    """A record with its account: the one that these new values name, else the one in force."""
    account_id = str((values or {}).get("account_id") or ((record and record.in_force) or {}).get("account_id", ""))
    return About(account=account_id if len(account_id) == 12 else "", record=record.reference if record else "")
