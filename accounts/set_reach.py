"""Where a permission set reaches: the accounts that it is assigned in, in AWS or by a record in force."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from django.utils import timezone

from accounts.models import AppKind, Assignment, Draft, Record


def load_places(names: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Set → ids of its accounts."""
    found: dict[str, set[str]] = defaultdict(set)
    there = Assignment.objects.filter(in_aws=True, permission_set__name__in=names)
    pairs = there.values_list("permission_set__name", "account__account_id").distinct()
    for name, account_id in (*pairs, *_iter_wished(names), *_iter_moving(names)):
        found[name].add(account_id)
    return {name: frozenset(accounts) for name, accounts in found.items()}


def _iter_wished(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """What records in force want; a record whose last day has passed wants nothing."""
    rows = Record.objects.live().of_kind(AppKind.ASSIGNMENT).filter(in_force__permission_set__in=list(names))
    today = timezone.localdate()
    for in_force in rows.values_list("in_force", flat=True):
        values = in_force or {}
        ends = values.get("expires_on")
        if values.get("account_id") and not (ends and date.fromisoformat(ends) < today):
            yield values["permission_set"], values["account_id"]


def _iter_moving(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Where records are on their way to, also those that no run has seen there: whoever moves brings his people."""
    drafts = Draft.objects.filter(
        kind=AppKind.ASSIGNMENT, values__permission_set__in=list(names), record__isnull=False,
        state__in=(*Draft.OPEN, Draft.State.WRITTEN), updated_at__gt=timezone.now() - _ON_THE_WAY,
    )  # fmt: skip
    for values, in_force in drafts.values_list("values", "record__in_force"):
        if in_force and in_force.get("account_id") and in_force["permission_set"] != values["permission_set"]:
            yield values["permission_set"], in_force["account_id"]


_ON_THE_WAY = timedelta(days=1)


def find_places(name: str) -> frozenset[str]:
    """The ids of the accounts of one set."""
    return load_places([name]).get(name, frozenset())
