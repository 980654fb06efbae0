"""Everything that a person should mend, with the way out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_problems
from accounts.models import Problem
from portal.views.paging import choose, paginate, read_query


@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    """Problems, errors first, fifty a page; `record=APP:ID` narrows them to one record."""
    problems = visible_problems(require_user(request))
    severity, reference = choose(request, "severity", Problem.Severity.values), read_query(request, "record")
    if severity:
        problems = problems.filter(severity=severity)
    if reference:
        app_id, _colon, record_id = reference.partition(":")
        problems = problems.filter(record__app_id=app_id, record__record_id=record_id)
    page = paginate(request, problems.select_related("record").order_by("severity", "-first_seen", "pk"))
    context = {"page": page, "severity": severity, "severities": Problem.Severity.choices, "reference": reference}
    return render(request, "portal/problem_list.html", context)
