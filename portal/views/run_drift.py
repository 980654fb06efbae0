"""What somebody changed by hand, as it stood at a run."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Account, PermissionSet
from syncer.models import Drift, Run


@dataclass(frozen=True)
class DriftLine:
    """One change made by hand, with the pages where somebody can say what is to become of it."""

    drift: Drift
    account: Account | None
    permission_set_id: int | None
    is_new: bool


def build_drift(run: Run) -> list[DriftLine]:
    """What was open when the run ended, what it found itself first."""
    if not run.started_at or not run.finished_at:
        return []
    still_open = Q(ended_at__isnull=True) | Q(ended_at__gt=run.started_at)
    rows = list(Drift.objects.filter(still_open, seen_at__lte=run.finished_at).order_by("-seen_at", "pk"))
    accounts: Mapping[str, Account] = Account.objects.in_bulk(
        {row.account_id for row in rows} - {""}, field_name="account_id"
    )
    names = {row.permission_set_name for row in rows}
    sets = dict(PermissionSet.objects.filter(name__in=names).values_list("name", "pk")) if rows else {}
    return [
        DriftLine(
            row, accounts.get(row.account_id), sets.get(row.permission_set_name), is_new=row.seen_at >= run.started_at
        )
        for row in rows
    ]
