"""What a person's page tells at a glance: how much there is, what ends soon, what he owns, when he was here last."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.access import visible_accounts
from accounts.models import Account, Assignment, GroupMembership, Person, User
from accounts.models.access import AssignmentQuerySet
from accounts.owner_register import load_owned

SOON = timedelta(days=30)  # as the filter of the list offers it
_SHOWN = 6


@dataclass(frozen=True)
class PersonFacts:
    """accounts, sets: of all his access. ending: what ends within `SOON`, the first of `ending_count`.

    owned: the first accounts that he owns, of `owned_count`. last_seen: his last sign-in, for admins and auditors.
    """

    accounts: int
    sets: int
    ending: list[Assignment]
    ending_count: int
    owned: list[Account]
    owned_count: int
    last_seen: datetime | None = None
    has_signed_in: bool = False

    @property
    def more_owned(self) -> int:
        return self.owned_count - len(self.owned)


def read_facts(viewer: User, person: Person, assignments: AssignmentQuerySet) -> PersonFacts:
    """assignments: all that he has, himself and through groups."""
    figures = assignments.aggregate(
        accounts=Count("account", distinct=True), sets=Count("permission_set", distinct=True)
    )
    ending = _find_ending(assignments)
    owned = _find_owned(viewer, person)
    sign_in = User.objects.filter(person=person).first() if viewer.may_see_everything else None
    return PersonFacts(
        figures["accounts"],
        figures["sets"],
        list(ending.with_places().order_by("expires_on", "account__name", "pk")[:_SHOWN]),
        ending.count(),
        list(owned.order_by("name", "pk")[:_SHOWN]),
        owned.count(),
        sign_in.last_login if sign_in else None,
        sign_in is not None,
    )


def _find_ending(assignments: AssignmentQuerySet) -> AssignmentQuerySet:
    today = timezone.localdate()
    return assignments.filter(in_aws=True, expires_on__lte=today + SOON)


def _find_owned(viewer: User, person: Person) -> QuerySet[Account]:
    principal = person.principal
    if principal is None or not principal.principal_id:
        return Account.objects.none()
    groups = GroupMembership.objects.filter(member=principal).values_list("group__principal_id", flat=True)
    owned = load_owned(principal, [group for group in groups if group])
    return visible_accounts(viewer).filter(pk__in=owned.accounts.values(), gone_at__isnull=True)
