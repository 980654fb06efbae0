"""My access: where I can go now, and what I should mind."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import find_own_assignments, find_own_problems, require_user
from accounts.access_portal import find_access_portal
from accounts.models import Problem, User
from accounts.search import VARIANTS
from accounts.stops import find_lock_out
from portal.views.access_rows import Chip, UnitGroup, build_groups, filter_groups, list_chips
from portal.views.attention import Matter, list_own_matters
from portal.views.cli_naming import load_naming
from portal.views.paging import read_query
from portal.views.pins import load_cards

_EXPIRING = timedelta(days=14)
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
def my_access(request: HttpRequest) -> HttpResponse:
    """Everything the person may enter, by unit and account, in a constant number of statements."""
    user = require_user(request)
    query = read_query(request)
    assignments = find_own_assignments(user).with_places().prefetch_related("wishes")
    groups = build_groups(assignments, find_access_portal(), load_naming(user))
    context = {
        "query": query,
        "variants": "|".join(VARIANTS),
        "has_access": bool(groups),
        "groups": filter_groups(groups, query),
        "cards": [] if query else load_cards(user, list_chips(groups)),
        "mind": _find_mind(user, groups),
        "locked_by": find_lock_out(user.person.principal) if user.person else None,
        "is_known": bool(user.person and user.person.principal and user.person.principal.is_provisioned),
    }
    return render(request, "portal/my_access.html", context)


def _find_mind(user: User, groups: list[UnitGroup]) -> Mind:
    chips = list_chips(groups)
    soon = timezone.localdate() + _EXPIRING
    expiring = sorted(
        (chip for chip in chips if chip.link and chip.until and chip.until <= soon), key=lambda chip: str(chip.until)
    )
    pending = [chip for chip in chips if not chip.link]
    problems = list(find_own_problems(user).select_related("record").order_by("severity", "-first_seen")[: _NOTES + 1])
    return Mind(expiring[:_NOTES], pending[:_NOTES], problems[:_NOTES], len(problems) > _NOTES, list_own_matters(user))
