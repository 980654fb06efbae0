"""My access: where I can go now, and what I should mind."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import find_own_problems, require_user
from accounts.models import Problem, User
from accounts.search import VARIANTS
from accounts.stops import find_lock_out
from portal.views.access_rows import Chip, UnitGroup, filter_groups, list_chips, split_pages
from portal.views.attention import Matter, list_own_matters
from portal.views.own_access import load_groups, load_menus
from portal.views.paging import read_query
from portal.views.pins import load_cards
from portal.views.requests import HtmxHttpRequest, asks_for_part

_EXPIRING = timedelta(days=14)
_WAYS = 80  # on one page: far more than most people have
_NOTES = 6  # of one kind beside the list; the rest is a link away


@dataclass(frozen=True)
class Mind:
    """What to mind: access that ends soon or is not there yet, problems of one's records, and what waits for a word."""

    expiring: list[Chip]
    pending: list[Chip]
    problems: list[Problem]
    more_problems: bool
    matters: list[Matter]

    def __bool__(self) -> bool:
        return bool(self.expiring or self.pending or self.problems or self.matters)


@require_safe
def my_access(request: HtmxHttpRequest) -> HttpResponse:
    """Everything the person may enter, by unit and account, in a constant number of statements."""
    user, query = require_user(request), read_query(request)
    groups = load_groups(user)
    found = filter_groups(groups, query)
    page = Paginator(split_pages(found, _WAYS), 1).get_page(request.GET.get("page"))
    shown: list[UnitGroup] = page.object_list[0]
    context = {"query": query, "page": page, "groups": shown, "total": len(list_chips(found))}
    if asks_for_part(request, "ways"):
        load_menus(list_chips(shown))
        return render(request, "portal/_ways.html", context)
    mind = _find_mind(user, groups)
    load_menus([*list_chips(shown), *mind.expiring])
    return render(request, "portal/my_access.html", context | _describe_rest(user, groups, query) | {"mind": mind})


def _describe_rest(user: User, groups: list[UnitGroup], query: str) -> dict[str, Any]:
    principal = user.person.principal if user.person else None
    return {
        "variants": "|".join(VARIANTS),
        "has_access": bool(groups),
        "cards": [] if query else load_cards(user, list_chips(groups)),
        "locked_by": find_lock_out(principal),
        "is_known": bool(principal and principal.is_provisioned),
    }


def _find_mind(user: User, groups: list[UnitGroup]) -> Mind:
    chips = list_chips(groups)
    soon = timezone.localdate() + _EXPIRING
    expiring = sorted(
        (chip for chip in chips if chip.link and chip.until and chip.until <= soon), key=lambda chip: str(chip.until)
    )
    pending = [chip for chip in chips if not chip.link]
    problems = list(find_own_problems(user).select_related("record").order_by("severity", "-first_seen")[: _NOTES + 1])
    return Mind(expiring[:_NOTES], pending[:_NOTES], problems[:_NOTES], len(problems) > _NOTES, list_own_matters(user))
