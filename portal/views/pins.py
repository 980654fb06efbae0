"""What somebody pinned and where he was last, as the cards on his home page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import reverse

from accounts.kept_shortcuts import visible_shortcuts
from accounts.models import Account, User, Visit
from portal.views.access_rows import Chip

MOST_PINNED, MOST_RECENT = 9, 3


@dataclass(frozen=True)
class Card:
    """One place: a shortcut, or a set in an account. `pin_url` pins it, or takes it off."""

    title: str
    below: str
    icon: str
    account: Account
    link: str
    is_outside: bool  # the link leads to AWS
    is_pinned: bool
    pin_url: str
    visit_url: str = ""


def load_cards(user: User, chips: Iterable[Chip]) -> list[Card]:
    """Pinned first, then the last ones. Places that cannot be entered any more are left out."""
    visits = list(Visit.objects.filter(user=user).order_by("-is_pinned", "-last_at")[: MOST_PINNED + 4 * MOST_RECENT])
    cards = list(_iter_cards(user, visits, chips))
    pinned = [card for card in cards if card.is_pinned][:MOST_PINNED]
    return pinned + [card for card in cards if not card.is_pinned][:MOST_RECENT]


def _iter_cards(user: User, visits: list[Visit], chips: Iterable[Chip]) -> Iterator[Card]:
    places = {(chip.first.account_id, chip.name): chip for chip in chips if chip.link}
    wanted = [visit.shortcut_id for visit in visits if visit.shortcut_id]
    shortcuts = visible_shortcuts(user).in_bulk(wanted) if wanted else {}
    for visit in visits:
        if visit.shortcut_id:
            shortcut = shortcuts.get(visit.shortcut_id)
            if shortcut:
                yield Card(
                    shortcut.name, " · ".join([shortcut.account.name, *shortcut.permission_sets]), shortcut.icon,
                    shortcut.account, reverse("go", args=[shortcut.slug]), is_outside=False,
                    is_pinned=visit.is_pinned, pin_url=reverse("pin_shortcut", args=[shortcut.pk]),
                )  # fmt: skip
        elif chip := places.get((visit.account_id or 0, visit.permission_set)):
            yield _build_place(visit, chip)


def _build_place(visit: Visit, chip: Chip) -> Card:
    account, place = chip.first.account, [chip.first.account.account_id, chip.name]
    return Card(
        account.name, chip.name, "arrow-up-right", account, chip.link, is_outside=True, is_pinned=visit.is_pinned,
        pin_url=reverse("pin_place", args=place), visit_url=reverse("note_place", args=place),
    )  # fmt: skip
