"""Writing the audit trail."""

from typing import Any

from django.http import HttpRequest

from accounts.models import AuditEvent, User


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
) -> AuditEvent:
    """Append one event. `obj` is (kind, id, name); the actor is the request's user unless given.

    by: who acted where it was no user of the portal, such as a command.
    """
    if actor is None and request is not None:
        signed_in = getattr(request, "user", None)
        actor = signed_in if isinstance(signed_in, User) else None
    kind, object_id, name = obj
    return AuditEvent.objects.create(
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
        request_id=getattr(request, "request_id", "") if request else "",
        ip=request.META.get("REMOTE_ADDR") or None if request else None,
    )
