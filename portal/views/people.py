"""People, and what they can enter."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access import require_user, visible_assignments, visible_people
from accounts.finding import narrow_people, search_groups
from accounts.models import Group, Person
from accounts.namesakes import find_questions
from accounts.stops import find_locked
from portal.views.access_list import read_access
from portal.views.csv_columns import PEOPLE
from portal.views.csv_lists import CHUNK, stream_csv, wants_csv
from portal.views.histories import read_history
from portal.views.lock_outs import find_lock_out
from portal.views.paging import choose, paginate, read_query
from portal.views.person_facts import read_facts
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.sections import count_assignments

STANDINGS: list[tuple[str, str | Promise]] = [
    ("present", _("in Identity Center")),
    ("waiting", _("not in Identity Center yet")),
    ("disabled", _("disabled")),
    ("gone", _("gone from Identity Center")),
    ("locked", _("locked out")),
]
_GROUPS = 20  # shown above the people that a search finds; a longer word finds fewer


@require_safe
def person_list(request: HtmxHttpRequest) -> HttpResponseBase:
    """People, fifty a page; a search finds groups as well."""
    user = require_user(request)
    query, standing = read_query(request), choose(request, "standing", [value for value, _word in STANDINGS])
    people = _keep_standing(narrow_people(visible_people(user), query), standing)
    people = people.select_related("principal").order_by("name", "pk")
    if wants_csv(request):
        return stream_csv(request, "people", PEOPLE, people.iterator(CHUNK))
    page = paginate(request, people)
    keys = [row.principal_id for row in page if row.principal_id]
    figures = count_assignments(visible_assignments(user), "principal", keys, of=("accounts",))
    context = {
        "page": page,
        "rows": [(person, figures.get(person.principal_id or 0)) for person in page],
        "groups": search_groups(user, query, _GROUPS) if query and not standing and page.number == 1 else [],
        "query": query,
        "standing": standing,
        "standings": STANDINGS,
        "locked": find_locked(),
    }
    part = asks_for_part(request, "people")
    return render(request, "portal/_person_list.html" if part else "portal/person_list.html", context)


def _keep_standing(people: QuerySet[Person], standing: str) -> QuerySet[Person]:
    """Those of whom Identity Center, or a lock-out, says so."""
    if standing == "locked":
        return people.filter(principal__principal_id__in=find_locked())
    if standing == "waiting":
        return people.filter(principal__principal_id__isnull=True)
    there = people.filter(principal__principal_id__isnull=False, principal__gone_at__isnull=standing != "gone")
    if standing in ("present", "disabled"):
        return there.filter(principal__is_enabled=standing == "present")
    return there if standing == "gone" else people


@require_safe
def person_detail(request: HtmxHttpRequest, pk: int) -> HttpResponseBase:
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
    assignments = visible_assignments(user).for_principals(principals)
    access = read_access(request, assignments, "account")
    if wants_csv(request):
        return access.stream(f"person-{pk}")
    context = {
        "person": person,
        "groups": groups,
        "questions": find_questions(user, [person.principal_id] if person.principal_id else []),
        **access.describe(),
        "facts": None if is_part else read_facts(user, person, assignments),
        "history": None if is_part else read_history(user, person),
        "lock_out": lock_out,
        "is_part": is_part,
        "may_lock_out": user.is_staff and lock_out is None and person.principal and person.principal.principal_id,
    }
    return render(request, "portal/_lock_out.html" if is_part else "portal/person_detail.html", context)


def _find_groups(person: Person) -> list[Group]:
    if person.principal_id is None:
        return []
    return list(
        Group.objects.filter(memberships__member=person.principal_id, gone_at__isnull=True).order_by("name_key")
    )
