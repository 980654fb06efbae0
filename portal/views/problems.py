"""Everything that needs somebody, with the way out: wrong records, and what failed, waits, ends or lacks an owner."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import find_own_problems, require_user, visible_problems
from accounts.models import Problem
from portal.views.attention import Scope, list_matters
from portal.views.csv_columns import PROBLEMS
from portal.views.csv_lists import CHUNK, stream_csv, wants_csv
from portal.views.paging import FoundPaginator, choose, paginate_keys, read_query


@require_safe
def problem_list(request: HttpRequest) -> HttpResponseBase:
    """Of the company, or with `mine=1` one's own. What is wrong with records, errors first, fifty a page.

    `severity` and `record=APP:ID` narrow the problems of records; what else there is stands on the first page above.
    """
    user = require_user(request)
    severity, reference = choose(request, "severity", Problem.Severity.values), read_query(request, "record")
    scope = Scope(user, is_mine=request.GET.get("mine") == "1")
    problems = find_own_problems(user) if scope.is_mine else visible_problems(user)
    problems = _narrow(problems, severity, reference)
    if wants_csv(request):
        return stream_csv(request, "problems", PROBLEMS, problems.iterator(CHUNK))
    page = paginate_keys(request, problems, Problem.objects.select_related("record"), kind=FoundPaginator)
    is_overview = page.number == 1 and not reference and not severity
    context = {
        "page": page,
        "severity": severity,
        "severities": Problem.Severity.choices,
        "reference": reference,
        "is_mine": scope.is_mine,
        "matters": list_matters(scope) if is_overview else [],
    }
    return render(request, "portal/problem_list.html", context)


def _narrow(problems: QuerySet[Problem], severity: str, reference: str) -> QuerySet[Problem]:
    if severity:
        problems = problems.filter(severity=severity)
    if reference:
        app_id, _colon, record_id = reference.partition(":")
        problems = problems.filter(record__app_id=app_id, record__record_id=record_id)
    return problems.select_related("record").order_by("severity", "-first_seen", "pk")
