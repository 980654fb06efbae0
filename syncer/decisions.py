"""What people decide about changes made by hand: put back, or keep as a record. Nothing here leaves the database.

Each decision is taken once: whoever presses second is told so. A record that is to be written is judged as any other,
so who may keep an assignment is who may register it.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import access
from accounts.audit import record_event
from accounts.models import Draft, PermissionSet, User
from accounts.owner_register import load_register
from accounts.ownership import Register
from syncer.drafts import drafting
from syncer.drafts.drafting import NotPossible
from syncer.mirror.drift import describe, show_time
from syncer.models import Drift, Run
from syncer.states import Reason
from syncer.tasks import request_full_run, request_writing


class Rights(NamedTuple):
    put_back: bool
    keep: bool


def find_rights(user: User, drifts: Collection[Drift], register: Register | None = None) -> dict[int, Rights]:
    """What this person may decide about each of these, by its row. register: one of all their accounts, if loaded."""
    may_own = access.may_change(user) and not user.is_staff
    owned = {drift.account_id for drift in drifts} & access.list_owned(user).keys() if may_own else set[str]()
    if owned and register is None:
        register = load_register(owned)
    rights: dict[int, Rights] = {}
    for drift in drifts:
        if not drift.account_id:
            rights[drift.pk] = _find_rights_of_set(user, drift)
            continue
        owns = user.is_staff or drift.account_id in owned
        widens = owns and (user.is_staff or not (register and register.is_protected(drift.account_id)))
        rights[drift.pk] = Rights(owns, widens if drift.kind == Drift.Kind.ADDED else owns)
    return rights


def _find_rights_of_set(user: User, drift: Drift) -> Rights:
    permission_set = PermissionSet.objects.select_related("record").filter(name=drift.permission_set_name).first()
    record = permission_set.record if permission_set else None
    may = user.is_staff or (record is not None and access.may_edit_record(user, record))
    return Rights(may, may and record is not None and drift.kind == Drift.Kind.CHANGED)


def put_back(drift: Drift, user: User) -> Run:
    """What was made by hand goes, by a run of its own. The caller checks the right. Raises NotPossible."""
    with transaction.atomic():
        _decide(drift, user, Drift.Decision.PUT_BACK, timezone.now())
        return request_full_run(user)


def keep(drift: Drift, user: User) -> list[Draft]:
    """What was made by hand becomes what records say. The caller checks the right. Raises NotPossible."""
    with transaction.atomic():
        _decide(drift, user, Drift.Decision.KEEP, timezone.now())
        drafts = _DRAFT[drift.kind](drift, user)
        Draft.objects.bulk_create(drafts)
        request_writing()
    return drafts


def _decide(drift: Drift, user: User, decision: str, now: datetime) -> None:
    """Take the decision if nobody has. Raises NotPossible."""
    is_first = Drift.objects.filter(pk=drift.pk, ended_at__isnull=True, decision="").update(
        decision=decision, decided_by=user, decided_at=now
    )
    if not is_first:
        raise NotPossible(Reason("drift_decided"))
    record_event(f"drift.{decision}", actor=user, obj=("drift", str(drift.pk), describe(drift)))


def _draft_assignment(drift: Drift, user: User) -> list[Draft]:
    with override(settings.LANGUAGE_CODE):  # for everybody who reads the record
        note = _("Kept as a record in Genkan: assigned in AWS by hand, seen %(time)s.") % {
            "time": show_time(drift.seen_at)
        }
    return [drafting.draft_assignment(drift, user, note=note)]


def _draft_definition(drift: Drift, user: User) -> list[Draft]:
    return [drafting.draft_definition(drift, user)]


_DRAFT: dict[str, Callable[[Drift, User], list[Draft]]] = {
    Drift.Kind.ADDED: _draft_assignment,
    Drift.Kind.REMOVED: drafting.draft_withdrawals,
    Drift.Kind.CHANGED: _draft_definition,
}
