"""What a run holds back, by what the brake counts together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from portal.views.change_groups import ChangeGroup, group_changes
from syncer.models import Change, Run
from syncer.telling.matters import group_of_held

_WORDS = {
    "access": _("Access that records or rules no longer give"),
    "people": _("People and groups who are disabled or gone"),
    "app": _("What an empty or far shorter kintone app would take away"),
}


HELD_SIZE = 200  # on a page: what a brake holds is mostly less, and stands there as a whole


@dataclass(frozen=True)
class HeldGroup:
    """Removals that are held for one reason: how many there are, and those that stand on this page."""

    word: str
    reason: Mapping[str, Any]
    count: int
    groups: list[ChangeGroup]


def paginate_held(request: HttpRequest, held: QuerySet[Change]) -> Page[Change]:
    """The page that the address names with `held=`. Whoever lets all of them go can look at all of them."""
    return Paginator(held, HELD_SIZE).get_page(request.GET.get("held"))


def build_held(
    held: QuerySet[Change], page: Iterable[Change], accounts: Mapping[str, Account], names: Mapping[str, str]
) -> list[HeldGroup]:
    """Every group with its count and its first reason, whichever removals the page shows."""
    firsts, counts = _count_groups(held)
    if not firsts:
        return []
    reasons = dict(held.filter(position__in=firsts.values()).values_list("position", "reason"))
    shown: dict[str, list[Change]] = {}
    for change in page:
        shown.setdefault(group_of_held(str(change.reason.get("code", ""))), []).append(change)
    return [
        HeldGroup(str(_WORDS[name]), reasons[first], counts[name], group_changes(shown.get(name, ()), accounts, names))
        for name, first in sorted(firsts.items(), key=lambda item: item[1])
    ]


def _count_groups(held: QuerySet[Change]) -> tuple[dict[str, int], Counter[str]]:
    """What the brake counts together: the position of its first removal, and how many there are."""
    firsts: dict[str, int] = {}
    counts = Counter[str]()
    rows = held.order_by().values_list("reason__code").annotate(Count("pk"), Min("position"))
    for code, count, position in rows:
        name = group_of_held(code or "")
        firsts[name] = min(position, firsts.get(name, position))
        counts[name] += count
    return firsts, counts


def find_newer(run: Run) -> Run | None:
    """The full run after this one that says what is held now; None while this one's list is the newest."""
    if not run.checksum:
        return None
    ended = (Run.Status.DONE, Run.Status.HELD)
    newer = Run.objects.filter(pk__gt=run.pk, kind=Run.Kind.FULL, status__in=ended).order_by("-pk").first()
    return newer if newer and newer.checksum != run.checksum else None
