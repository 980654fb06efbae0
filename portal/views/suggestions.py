"""What somebody may mean who types a few letters: AWS managed policies, and people whom kintone knows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_people
from accounts.finding import narrow_people
from accounts.models import AwsPolicy, User
from portal.views.paging import read_query

_MOST = 20
Option = tuple[str, str]


@require_safe
def suggest(request: HttpRequest, field: str) -> HttpResponse:
    """Options for an input, at most twenty: what is written into the record, and what people call it instead."""
    user, query = require_user(request), read_query(request)
    options = _find_people(user, query) if field == "owners" else _find_policies(query)
    return render(request, "portal/_suggestions.html", {"options": options})


def _find_policies(query: str) -> list[Option]:
    """Names that begin with it come first, and paths are written where there are any."""
    bare = query.rpartition("/")[2].lower()
    found = AwsPolicy.objects.filter(name__icontains=bare, is_attachable=True)
    rows = sorted(found.order_by("name")[:500], key=lambda row: not row.name.lower().startswith(bare))
    return [(row.arn.partition(":policy/")[2], "") for row in rows[:_MOST]]


def _find_people(user: User, query: str) -> list[Option]:
    people = narrow_people(visible_people(user).exclude(kintone_code=""), query)
    return [(person.kintone_code, str(person)) for person in people.order_by("name", "pk")[:_MOST]]
