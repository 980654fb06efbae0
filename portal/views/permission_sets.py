"""Permission sets: what each allows, where it is used and by whom."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_accounts, visible_assignments, visible_permission_sets
from accounts.authors import load_authors
from accounts.finding import narrow
from accounts.models import PermissionSet, Problem, User
from portal.views.access_list import read_access
from portal.views.csv_columns import PERMISSION_SETS
from portal.views.csv_lists import CHUNK, stream_csv, wants_csv
from portal.views.definitions import Definition, build_definition
from portal.views.drafts import list_drafts_of
from portal.views.drift import build_lines
from portal.views.lacking import Lack, find_lacks
from portal.views.paging import choose, paginate, read_query
from portal.views.policy_notes import build_notes
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.sections import count_assignments
from portal.views.set_opening import find_obstacle, may_create
from portal.views.set_pages import describe_going
from portal.views.summaries import LevelMark, explain_set, mark_level
from portal.views.twins import describe_capture
from syncer.adoption.queue import is_free
from syncer.models import Drift


class SetRow(NamedTuple):
    permission_set: PermissionSet
    figures: dict[str, int] | None
    problems: int
    level: LevelMark | None


@require_safe
def permission_set_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """The sets, fifty a page, with where they are used and how many problems they have."""
    user = require_user(request)
    query, ownership = read_query(request), choose(request, "ownership", PermissionSet.Ownership.values)
    sets = narrow(visible_permission_sets(user).exclude(state=PermissionSet.State.REMOVED), query)
    if ownership:
        sets = sets.filter(ownership=ownership)
    sets = sets.select_related("record").order_by("name")
    if wants_csv(request):
        return stream_csv(request, "permission-sets", PERMISSION_SETS, sets.iterator(CHUNK))
    page = paginate(request, sets)
    figures = count_assignments(visible_assignments(user), "permission_set", [row.pk for row in page], of=("accounts",))
    problems = _count_problems(page)
    context = {
        "page": page,
        "rows": [
            SetRow(row, figures.get(row.pk), problems.get(row.record_id or 0, 0), mark_level(row)) for row in page
        ],
        "query": query,
        "ownership": ownership,
        "ownerships": PermissionSet.Ownership.choices,
        "may_create": may_create(user),
    }
    part = asks_for_part(request, "permission-sets")
    return render(request, "portal/_permission_set_list.html" if part else "portal/permission_set_list.html", context)


@require_safe
def permission_set_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The definition as registered and as AWS has it, its problems, and who uses it where."""
    user = require_user(request)
    permission_set = get_object_or_404(visible_permission_sets(user).select_related("record"), pk=pk)
    problems = (
        list(permission_set.record.problems.order_by("severity", "field", "line")) if permission_set.record else []
    )
    assignments = visible_assignments(user).filter(permission_set=permission_set)
    access = read_access(request, assignments, "account")
    if wants_csv(request):
        return access.stream(f"permission-set-{permission_set.name}")
    definition = build_definition(permission_set, problems)
    context = {
        "permission_set": permission_set,
        "written": load_authors([permission_set.record])[permission_set.record.pk] if permission_set.record else None,
        "definition": definition,
        "level": mark_level(permission_set),
        "allows": explain_set(permission_set),
        "notes": build_notes(definition.text, problems),
        "newest_notes": build_notes(definition.newest_text, problems),
        "lacks": _find_lacks(user, permission_set, definition),
        "problems": problems,
        "figures": count_assignments(assignments, "permission_set", [pk], of=("accounts", "users", "groups")).get(pk),
        "drift": build_lines(user, _find_drift(user, permission_set)),
        "capture": describe_capture(user, permission_set),
        "drafts": list_drafts_of(user, permission_set.record),
        "may_edit": not find_obstacle(user, permission_set),
        **access.describe(),
        **describe_going(user, permission_set),
        "may_adopt": user.is_staff and is_free(permission_set),
    }
    return render(request, "portal/permission_set_detail.html", context)


def _find_lacks(user: User, permission_set: PermissionSet, definition: Definition) -> list[Lack]:
    """In accounts that the viewer may see."""
    policies = dict(definition.rows).get("customer_managed_policies", ())
    accounts = visible_accounts(user).filter(assignments__permission_set=permission_set).distinct() if policies else ()
    return find_lacks(permission_set, list(accounts), policies)


def _find_drift(user: User, permission_set: PermissionSet) -> QuerySet[Drift]:
    """What was changed by hand with this set, in accounts that the viewer may see."""
    accounts = visible_accounts(user).values("account_id")
    return Drift.objects.filter(Q(account_id="") | Q(account_id__in=accounts), permission_set_name=permission_set.name)


def _count_problems(sets: Iterable[PermissionSet]) -> dict[int, int]:
    """Record → problems, for the sets of one page."""
    counts = Problem.objects.filter(record__in=[row.record_id for row in sets if row.record_id]).order_by()
    return dict(counts.values_list("record").annotate(Count("pk")))
