"""People and groups, and what they can enter."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_assignments, visible_groups, visible_people, visible_principals
from accounts.finding import narrow, narrow_people
from accounts.models import Group, GroupMembership, Person
from accounts.namesakes import find_questions
from accounts.stops import find_locked
from portal.views.lock_outs import find_lock_out
from portal.views.paging import paginate, read_query
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.sections import build_sections, count_assignments, order_assignments

_GROUPS = 20  # shown above the people that a search finds; a longer word finds fewer


@require_safe
def person_list(request: HtmxHttpRequest) -> HttpResponse:
    """People, fifty a page; a search finds groups as well."""
    user = require_user(request)
    query = read_query(request)
    people = narrow_people(visible_people(user), query)
    groups = narrow(visible_groups(user).filter(gone_at__isnull=True), query)
    page = paginate(request, people.select_related("principal").order_by("name", "pk"))
    figures = count_assignments(
        visible_assignments(user), "principal", [row.principal_id for row in page if row.principal_id]
    )
    context = {
        "page": page,
        "rows": [(person, figures.get(person.principal_id or 0)) for person in page],
        "groups": groups.order_by("name_key")[:_GROUPS] if page.number == 1 else [],
        "query": query,
        "locked": find_locked(),
    }
    part = asks_for_part(request, "people")
    return render(request, "portal/_person_list.html" if part else "portal/person_list.html", context)


@require_safe
def person_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """What one person can enter, himself or through a group, and by which record; a lock-out as it happens.

    While access is being removed the page asks for that part each second; 204 says that nothing has changed since.
    """
    user = require_user(request)
    person = get_object_or_404(visible_people(user).select_related("principal"), pk=pk)
    lock_out, is_part = find_lock_out(person), asks_for_part(request, "lock-out")
    if is_part and (lock_out is None or request.GET.get("seen") == lock_out.version):
        return HttpResponse(status=204 if lock_out else 200)  # nothing is left of the part once it is lifted
    groups = _find_groups(person)
    principals = [group.pk for group in groups] + ([person.principal_id] if person.principal_id else [])
    page = paginate(request, order_assignments(visible_assignments(user).for_principals(principals), "account"))
    context = {
        "person": person,
        "groups": groups,
        "questions": find_questions(user, [person.principal_id] if person.principal_id else []),
        "page": page,
        "sections": build_sections(page, "account"),
        "lock_out": lock_out,
        "is_part": is_part,
        "may_lock_out": user.is_staff and lock_out is None and person.principal and person.principal.principal_id,
    }
    return render(request, "portal/_lock_out.html" if is_part else "portal/person_detail.html", context)


@require_safe
def group_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A group's members, and what they can enter through it."""
    user = require_user(request)
    group = get_object_or_404(visible_groups(user), pk=pk)
    everybody = GroupMembership.objects.filter(group=group)
    members = everybody.filter(member__in=visible_principals(user).values("pk"))
    members = members.select_related("member__person").order_by("member__name_key", "pk")
    shown = paginate(request, members, parameter="members")
    page = paginate(request, order_assignments(visible_assignments(user).for_principals([group.pk]), "account"))
    context = {
        "group": group,
        "questions": find_questions(user, [group.pk]),
        "members": shown,
        "more_members": everybody.count() - shown.paginator.count,
        "page": page,
        "sections": build_sections(page, "account"),
    }
    return render(request, "portal/group_detail.html", context)


def _find_groups(person: Person) -> list[Group]:
    if person.principal_id is None:
        return []
    return list(
        Group.objects.filter(memberships__member=person.principal_id, gone_at__isnull=True).order_by("name_key")
    )
