"""What people took out of records in the portal: their word, whatever else is wrong with the records."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import F, Q

from accounts.models import Draft
from syncer.models import Withdrawal
from syncer.states import AssignmentKey, PrincipalType

GOOD_FOR = timedelta(days=1)  # a removal that comes later counts as any other
_NOT_TO_COME = (Draft.State.REFUSED, Draft.State.DISCARDED)


def load_asked(before: Mapping[AssignmentKey, Collection[str]], now: datetime) -> frozenset[AssignmentKey]:
    """The assignments that went by a person's word. `before` says which records (APP:ID) wanted each.

    Only where every record that wanted it was named: another one's wish is nobody's to take back here. As long as the
    record cannot be understood the word is good, else for a day.
    """
    taken: dict[AssignmentKey, set[str]] = {}
    is_unheard = Q(draft__record__in_force_revision__lt=F("draft__written_revision"))
    rows = Withdrawal.objects.filter(
        Q(at__gt=now - GOOD_FOR) | is_unheard,
        Q(undo=None) | Q(undo__state__in=_NOT_TO_COME),
        draft__state=Draft.State.WRITTEN,
    )
    for reference, removals in rows.values_list("reference", "removals"):
        for account_id, name, kind, principal_id in removals:
            key = AssignmentKey(account_id, name, PrincipalType(kind), principal_id)
            taken.setdefault(key, set()).add(reference)
    return frozenset(key for key, records in taken.items() if key in before and records.issuperset(before[key]))
