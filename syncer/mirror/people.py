"""People as the mirror has them: who is waited for, who has come, and who signs in but is nowhere to be found."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Principal, Record, User, Wish
from accounts.names import fold
from accounts.people import link_sign_in
from syncer.mirror.truth import store_arrivals
from syncer.states import ActualPrincipal, PrincipalType

RECENT_SIGN_IN = timedelta(days=14)  # whoever left does not come back to sign in


class Waiting(NamedTuple):
    """Somebody whom records name and who cannot be given anything now."""

    pk: int
    type: PrincipalType
    name: str  # as written, or as he was called
    principal_id: str  # empty for one who never was there
    is_gone: bool = False


def load_waiting_hours(now: datetime) -> dict[tuple[PrincipalType, str], int]:
    """For how many whole hours names have been wished for that Identity Center does not know."""
    rows = Principal.objects.filter(principal_id__isnull=True, first_seen__lte=now)
    return {
        (PrincipalType(kind), key): int((now - since).total_seconds() // 3600)
        for kind, key, since in rows.values_list("type", "name_key", "first_seen")
    }


def load_waiting(record: Record | None = None) -> list[Waiting]:
    """Everybody who is waited for, or whom this record waits for; who has waited longest first.

    They are strangers, and those disabled or gone.
    """
    absent = Principal.objects.filter(Q(principal_id=None) | Q(gone_at__isnull=False) | Q(is_enabled=False))
    wishes = Wish.objects.filter(is_current=True, assignment__principal=OuterRef("pk"))
    waiting = absent.filter(Exists(wishes.filter(record=record) if record else wishes))
    return [
        Waiting(row.pk, PrincipalType(row.type), row.name, row.principal_id or "", row.gone_at is not None)
        for row in waiting.order_by("first_seen", "pk")
        if row.name
    ]


@transaction.atomic
def take_in(waiting: Waiting, found: ActualPrincipal, now: datetime) -> None:
    """Somebody who was waited for is there: the next look at the changes carries out what wants him."""
    store_arrivals([found], at=now)
    _wanting(waiting.pk).update(is_settled=False)


def _wanting(principal: int) -> QuerySet[Record]:
    """The records that want something for this principal's row."""
    wishes = Wish.objects.filter(is_current=True, assignment__principal=principal)
    return Record.objects.filter(pk__in=wishes.values("record"))


def load_absent_since(now: datetime) -> list[datetime]:
    """Since when those who sign in here have not been in Identity Center."""
    absent = _load_absent(now)
    for user in absent:
        link_sign_in(user, is_live=False)  # Identity Center may have brought him since he signed in
    names = {fold(user.upn or user.preferred_username) for user in absent}
    there = Principal.objects.filter(type=Principal.Type.USER, principal_id__isnull=False, gone_at=None)
    known = set(there.filter(name_key__in=names - {""}).values_list("name_key", flat=True))
    return [
        _absent_since(user)
        for user in absent
        if not _is_provisioned(user) and fold(user.upn or user.preferred_username) not in known
    ]


def _load_absent(now: datetime) -> Collection[User]:
    recently = Q(last_login__gte=now - RECENT_SIGN_IN) | Q(last_login=None, date_joined__gte=now - RECENT_SIGN_IN)
    nowhere = (
        Q(person=None)
        | Q(person__principal=None)
        | Q(person__principal__principal_id=None)
        | Q(person__principal__gone_at__isnull=False)
    )
    users = User.objects.filter(recently, nowhere, is_active=True, is_guest=False)
    return list(users.select_related("person__principal"))


def _is_provisioned(user: User) -> bool:
    principal = user.person.principal if user.person else None
    return principal is not None and principal.is_provisioned


def _absent_since(user: User) -> datetime:
    gone_at = user.person.principal.gone_at if user.person and user.person.principal else None
    return gone_at or user.date_joined
