"""Rows → the shapes that the API answers with. No queries: the rows come with what they need."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.access_portal import AccessPortal
from accounts.models import Account, Assignment, GroupMembership, PermissionSet, Person
from accounts.shortcuts import build_console_link
from portal.api.answers import AccessOut, AccountOut, AssignmentOut, PermissionSetOut, PersonOut, RunOut, WayOut
from portal.views.states import show_assignment
from syncer.models import Run


def _describe(row: Assignment) -> dict[str, Any]:
    shown = show_assignment(row)
    return {
        "id": row.pk,
        "account_id": row.account.account_id,
        "account_name": row.account.name,
        "stage": row.account.stage,
        "permission_set": row.permission_set.name,
        "principal_type": row.principal.type,
        "principal": row.principal.name,
        "principal_name": str(row.principal),
        "state": row.state,
        "can_be_entered": row.can_be_entered and row.account.is_active,
        "message": shown.message,
        "remedy": shown.remedy,
        "expires_on": row.expires_on,
        "since": row.since,
        "records": sorted(record.reference for record in row.records.all()),
    }


def shape_assignment(row: Assignment) -> AssignmentOut:
    return AssignmentOut(**_describe(row))


def shape_access(row: Assignment, access_portal: AccessPortal | None) -> AccessOut:
    values = _describe(row)
    link = ""
    if access_portal and values["can_be_entered"]:
        link = build_console_link(access_portal.url, row.account.account_id, row.permission_set.name)
    return AccessOut(**values, console_url=link)


def shape_account(row: Account) -> AccountOut:
    return AccountOut(
        account_id=row.account_id, name=row.name, stage=row.stage, unit=row.ou.path if row.ou else "",
        is_active=row.is_active, is_management=row.is_management,
    )  # fmt: skip


def shape_set(row: PermissionSet) -> PermissionSetOut:
    return PermissionSetOut(
        id=row.pk, name=row.name, description=row.description, state=row.state,
        record=row.record.reference if row.record else "",
    )  # fmt: skip


def shape_people(
    people: Iterable[Person], assignments: Iterable[Assignment], members: QuerySet[GroupMembership]
) -> list[PersonOut]:
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for group, member in members.values_list("group", "member"):
        groups[member].add(group)
    by_principal: defaultdict[int, list[Assignment]] = defaultdict(list)
    for row in assignments:
        by_principal[row.principal_id].append(row)
    return [_shape_person(person, groups, by_principal) for person in people]


def _shape_person(
    person: Person, groups: Mapping[int, set[int]], by_principal: Mapping[int, list[Assignment]]
) -> PersonOut:
    own = person.principal_id or 0
    principals = [own, *sorted(groups.get(own, ()))]
    ways = [
        WayOut(
            permission_set=row.permission_set.name,
            through=row.principal.name if row.principal.is_group else "",
            expires_on=row.expires_on,
        )
        for principal in principals
        for row in by_principal.get(principal, ())
    ]
    return PersonOut(
        id=person.pk, name=str(person), user_name=person.principal.name if person.principal else "", ways=ways
    )


def shape_run(request: HttpRequest, run: Run) -> RunOut:
    return RunOut(
        id=run.pk, kind=run.kind, status=run.status, is_over=run.is_over, requested_at=run.requested_at,
        started_at=run.started_at, finished_at=run.finished_at, counts=run.counts,
        url=request.build_absolute_uri(reverse("run_detail", args=[run.pk])),
    )  # fmt: skip
