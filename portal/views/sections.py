"""A page of assignments under headings: by account, or by permission set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from django.db.models import Count, Prefetch, Q

from accounts.editors import Removable, find_removable
from accounts.models import Account, Assignment, GroupMembership, PermissionSet, Principal, Record, User, Wish
from accounts.models.access import AssignmentQuerySet

Heading = Literal["account", "permission_set"]
_ORDER: dict[Heading, tuple[str, ...]] = {
    "account": ("account__name", "account__account_id", "permission_set__name", "principal__name_key", "pk"),
    "permission_set": ("permission_set__name", "principal__type", "principal__name_key", "pk"),
}
TROUBLED = (Assignment.State.BLOCKED, Assignment.State.FAILED, Assignment.State.DRIFTED, Assignment.State.UNRESOLVED)

Distinct = Literal["users", "groups", "accounts", "sets"]
_DISTINCT: dict[Distinct, Count] = {
    "users": Count("principal", filter=Q(principal__type=Principal.Type.USER), distinct=True),
    "groups": Count("principal", filter=Q(principal__type=Principal.Type.GROUP), distinct=True),
    "accounts": Count("account", distinct=True),
    "sets": Count("permission_set", distinct=True),
}
_PLAIN: dict[str, Count] = {
    "assignments": Count("pk"),
    "waiting": Count("pk", filter=Q(state=Assignment.State.WAITING)),
    "troubled": Count("pk", filter=Q(state__in=TROUBLED)),
}


@dataclass(frozen=True)
class Section:
    """What stands under one heading; exactly one of `account` and `permission_set` is given."""

    assignments: tuple[Assignment, ...]
    account: Account | None = None
    permission_set: PermissionSet | None = None


def order_assignments(assignments: AssignmentQuerySet, heading: Heading) -> AssignmentQuerySet:
    """With all that a row shows, in a constant number of statements: places, principals, records that want it."""
    return with_records(assignments).order_by(*_ORDER[heading])


def with_records(assignments: AssignmentQuerySet) -> AssignmentQuerySet:
    wishes = Prefetch("wishes", Wish.objects.filter(is_current=True).select_related("record").order_by("record_id"))
    return assignments.with_places().prefetch_related(wishes)


def order_keys(assignments: AssignmentQuerySet, heading: Heading) -> AssignmentQuerySet:
    """The same order of bare assignments: for finding which stand on a page."""
    return assignments.order_by(*_ORDER[heading])


def build_sections(assignments: Iterable[Assignment], heading: Heading) -> list[Section]:
    """One section a heading, from assignments in that order."""
    if heading == "account":
        return [Section(tuple(rows), account=key) for key, rows in groupby(assignments, key=lambda row: row.account)]
    return [
        Section(tuple(rows), permission_set=key)
        for key, rows in groupby(assignments, key=lambda row: row.permission_set)
    ]


def find_removable_rows(user: User, assignments: Iterable[Assignment], *records: Record) -> Removable:
    """What of a page of assignments, and of these records beside it, the user may take away."""
    found = {record.pk: record for record in (*records, *list_records(assignments))}
    return find_removable(user, list(found.values()))


def list_records(assignments: Iterable[Assignment]) -> list[Record]:
    """The records that want a page of assignments, each once."""
    wishes = (wish for assignment in assignments for wish in assignment.wishes.all())
    return list({wish.record_id: wish.record for wish in wishes}.values())


def count_members(groups: Iterable[int]) -> dict[int, int]:
    """Group → members, in one statement; a group without any is not in it."""
    rows = GroupMembership.objects.filter(group__in=list(groups)).order_by().values_list("group")
    return dict(rows.annotate(Count("pk")))


def count_assignments(
    assignments: AssignmentQuerySet, by: str, keys: Iterable[int], *, of: Sequence[Distinct]
) -> dict[int, dict[str, int]]:
    """Figures for the rows of one page, in one statement: key → those of `of`, assignments, waiting, troubled.

    Each of `of` makes the database sort all assignments of the page's rows once more, so a list asks for what it shows.
    """
    figures = {name: _DISTINCT[name] for name in of} | _PLAIN
    rows = assignments.filter(**{f"{by}__in": list(keys)}).order_by().values(by).annotate(**figures)
    return {row.pop(by): row for row in rows}
