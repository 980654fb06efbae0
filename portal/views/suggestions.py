"""What somebody may mean who types a few letters: AWS managed policies, and people whom kintone knows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_people
from accounts.finding import narrow_people
from accounts.models import AwsPolicy, User
from accounts.policy.managed import load_bundle
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
    found = sorted(_list_policies(bare), key=lambda policy: (not policy[0].lower().startswith(bare), policy[0]))
    return [(written, "") for _name, written in found[:_MOST]]


def _list_policies(part: str) -> list[tuple[str, str]]:
    """Name and how it is written, in IAM's list as it was read last; before that, in the one that comes with Genkan."""
    rows = AwsPolicy.objects.filter(name__icontains=part, is_attachable=True).values_list("name", "arn")[:500]
    if rows or AwsPolicy.objects.exists():
        return [(name, arn.partition(":policy/")[2]) for name, arn in rows]
    listed = (policy for policy in load_bundle().policies.values() if policy.is_attachable)
    return [(policy.name, policy.path + policy.name) for policy in listed if part in policy.name.lower()]


def _find_people(user: User, query: str) -> list[Option]:
    people = narrow_people(visible_people(user).exclude(kintone_code=""), query)
    return [(person.kintone_code, str(person)) for person in people.order_by("name", "pk")[:_MOST]]
