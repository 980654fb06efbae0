"""Lists of assignments: that of everything, which an auditor takes with him, and the part of a page that holds one."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_assignments
from accounts.authors import load_authors, load_ledger
from accounts.editors import find_removable
from accounts.models import Assignment, Stage
from accounts.models.access import AssignmentQuerySet
from portal.views.access_export import COLUMNS, iter_lines
from portal.views.access_filter import ENDS, KINDS, STATES, AccessFilter, narrow_assignments
from portal.views.csv_lists import stream_csv, wants_csv
from portal.views.paging import paginate_keys
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.sections import (
    Heading,
    build_sections,
    count_members,
    list_records,
    order_assignments,
    order_keys,
    with_records,
)


@dataclass(frozen=True)
class AccessList:
    """The assignments that the address asks for."""

    request: HttpRequest
    wanted: AccessFilter
    assignments: AssignmentQuerySet
    heading: Heading

    def stream(self, name: str) -> HttpResponseBase:
        """All of them as a file."""
        return stream_csv(self.request, name, COLUMNS, iter_lines(order_assignments(self.assignments, self.heading)))

    def describe(self) -> dict[str, Any]:
        """One page of them, and the form that narrows them."""
        found = order_keys(self.assignments, self.heading)
        page = paginate_keys(self.request, found, with_records(Assignment.objects.all()))
        records = list_records(page)
        ledger = load_ledger(records)
        choices = {"states": STATES, "stages": Stage.choices, "kinds": KINDS, "ends": ENDS}
        shown = {"sections": build_sections(page, self.heading), "wanted": self.wanted}
        beside = {
            "removable": find_removable(require_user(self.request), records, ledger),
            "authors": load_authors(records, ledger),
            "member_counts": count_members({row.principal_id for row in page if row.principal.is_group}),
        }
        return {"page": page, **shown, **beside, **choices}


def read_access(request: HttpRequest, assignments: AssignmentQuerySet, heading: Heading) -> AccessList:
    """What the address asks for of these assignments."""
    wanted, narrowed = narrow_assignments(request, assignments)
    return AccessList(request, wanted, narrowed, heading)


@require_safe
def assignment_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """All assignments under their accounts, fifty a page."""
    access = read_access(request, visible_assignments(require_user(request)), "account")
    if wants_csv(request):
        return access.stream("assignments")
    part = asks_for_part(request, "access")
    return render(request, "portal/_assignment_list.html" if part else "portal/assignment_list.html", access.describe())
