"""The audit trail as people read it: what one may see of it, and how it is narrowed down.

Everything here is newest first and without a count: the trail only grows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.access import find_own_records, find_principal_id, list_owned, sees_everything
from accounts.activity_sentences import ADMIN_SIGN_IN, FAMILIES
from accounts.models import AuditEvent, User

NEWEST = ("-at", "-id")


@dataclass(frozen=True)
class Narrowing:
    """What somebody looks for; None where it does not matter, an empty collection where nothing fits.

    accounts: 12 digits. principals and users: people, as those to whom it was done or who did it.
    """

    accounts: Collection[str] | None = None
    principals: Collection[str] | None = None
    users: Collection[int] = ()
    record: str = ""
    family: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """The events that fit, newest first."""
        found = Q()
        if self.accounts is not None:
            found &= Q(about_account__in=self.accounts)
        if self.principals is not None:
            found &= Q(about_principal__in=self.principals) | Q(actor__in=self.users)
        if self.record:
            found &= Q(about_record=self.record)
        if self.since:
            found &= Q(at__gte=self.since)
        if self.until:
            found &= Q(at__lt=self.until)
        return events.filter(found, _find_family(self.family)).order_by(*NEWEST)


def _find_family(family: str) -> Q:
    if family == ADMIN_SIGN_IN:
        return Q(action="signed_in", outcome="admin")
    return Q(action__in=list(FAMILIES[family].actions)) if family in FAMILIES else Q()


def visible_events(user: User) -> QuerySet[AuditEvent]:
    """All, or what the user did himself and what was done to him and to what he owns."""
    if sees_everything(user):
        return AuditEvent.objects.all()
    own = Q(actor=user)
    if principal_id := find_principal_id(user):
        own |= Q(about_principal=principal_id)
    # As lists, not as subqueries: so each part of the condition uses its index, whatever the size of the trail.
    references = find_own_records(user).annotate(shown=Concat("app_id", Value(":"), "record_id"))
    own |= ~Q(about_account="") & Q(about_account__in=list_owned(user))  # the first half names the index
    own |= ~Q(about_record="") & Q(about_record__in=list(references.values_list("shown", flat=True)))
    return AuditEvent.objects.filter(own)


def sees_origin(user: User) -> bool:
    """Whether he sees from which address people came, and the number of their requests."""
    return user.may_see_everything
