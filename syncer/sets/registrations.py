"""Who registered the access that a set gives now, and when: what guardrails about roles and days decide by."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.judgement import name_value
from accounts.models import Assignment, PrincipalLink, Wish


class Registration(NamedTuple):
    """One record's word for an assignment. writers: principal ids of who brought the name into force."""

    expires_on: date | None
    registered_on: date
    writers: frozenset[str]


def load_registrations(rows: Collection[Assignment]) -> Mapping[int, list[Registration]]:
    """Number of the assignment → what records in force say; nothing for one that no record wants."""
    principals = {row.pk: row.principal_id for row in rows}
    spellings = _load_spellings(set(principals.values()))
    wishes = Wish.objects.filter(assignment__in=list(principals), is_current=True)
    found: dict[int, list[Registration]] = defaultdict(list)
    for number, end, in_force, written in wishes.values_list(
        "assignment", "expires_on", "record__in_force", "record__updated_at"
    ):
        writers = _find_writers(in_force, spellings.get(principals[number], ()))
        found[number].append(Registration(end, timezone.localdate(written), writers))
    return found


def _load_spellings(principals: Collection[int]) -> Mapping[int, Collection[str]]:
    """Principal → the names of values that mean him."""
    found: dict[int, set[str]] = defaultdict(set)
    for link in PrincipalLink.objects.filter(principal__in=principals).only("principal", "source", "key"):
        found[link.principal_id].add(name_value(link.source, link.key))
    return found


def _find_writers(in_force: Mapping[str, Any] | None, spellings: Collection[str]) -> frozenset[str]:
    by = (in_force or {}).get("by", {})
    return frozenset(filter(None, (by.get(spelling, "") for spelling in spellings)))
