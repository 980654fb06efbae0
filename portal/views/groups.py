"""Groups of Identity Center, who is in them, and what their members can enter."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_assignments, visible_groups, visible_principals
from accounts.finding import narrow
from accounts.models import GroupMembership
from accounts.namesakes import find_questions
from portal.views.access_list import read_access
from portal.views.csv_columns import GROUPS, MEMBERS
from portal.views.csv_lists import CHUNK, stream_csv, wants_csv
from portal.views.histories import read_history
from portal.views.paging import paginate, read_query
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.sections import count_assignments, count_members


@require_safe
def group_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """Groups, fifty a page, with how many members they have and how many accounts these enter."""
    user = require_user(request)
    query = read_query(request)
    groups = narrow(visible_groups(user).filter(gone_at__isnull=True), query).order_by("name_key", "pk")
    if wants_csv(request):
        return stream_csv(request, "groups", GROUPS, groups.iterator(CHUNK))
    page = paginate(request, groups)
    keys = [group.pk for group in page]
    figures = count_assignments(visible_assignments(user), "principal", keys, of=("accounts",))
    members = count_members(keys)
    rows = [(group, members.get(group.pk, 0), figures.get(group.pk)) for group in page]
    part = asks_for_part(request, "groups")
    template = "portal/_group_list.html" if part else "portal/group_list.html"
    return render(request, template, {"page": page, "rows": rows, "query": query})


@require_safe
def group_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A group's members, and what they can enter through it; both as files too."""
    user = require_user(request)
    group = get_object_or_404(visible_groups(user), pk=pk)
    everybody = GroupMembership.objects.filter(group=group)
    members = everybody.filter(member__in=visible_principals(user).values("pk"))
    members = members.select_related("member__person").order_by("member__name_key", "pk")
    assignments = visible_assignments(user).for_principals([group.pk])
    access = read_access(request, assignments, "account")
    if wants_csv(request):
        if request.GET.get("list") == "members":
            return stream_csv(request, f"members-{pk}", MEMBERS, members.iterator(CHUNK))
        return access.stream(f"group-{pk}")
    shown = paginate(request, members, parameter="members")
    context = {
        "group": group,
        "questions": find_questions(user, [group.pk]),
        "members": shown,
        "more_members": everybody.count() - shown.paginator.count,
        "figures": count_assignments(assignments, "principal", [group.pk], of=("accounts", "sets")).get(group.pk),
        **access.describe(),
        "history": read_history(user, group),
    }
    return render(request, "portal/group_detail.html", context)
