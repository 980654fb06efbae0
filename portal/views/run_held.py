"""What a run holds back, by what the brake counts together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class HeldGroup:
    """Removals that are held for one reason."""

    word: str
    reason: Mapping[str, Any]
    count: int
    groups: tuple[ChangeGroup, ...]


def build_held(held: Sequence[Change], accounts: Mapping[str, Account], names: Mapping[str, str]) -> list[HeldGroup]:
    found: dict[str, list[Change]] = {}
    for change in held:
        found.setdefault(group_of_held(str(change.reason.get("code", ""))), []).append(change)
    return [
        HeldGroup(str(_WORDS[name]), changes[0].reason, len(changes), tuple(group_changes(changes, accounts, names)))
        for name, changes in found.items()
    ]


def find_newer(run: Run) -> Run | None:
    """The full run after this one that says what is held now; None while this one's list is the newest."""
    if not run.checksum:
        return None
    ended = (Run.Status.DONE, Run.Status.HELD)
    newer = Run.objects.filter(pk__gt=run.pk, kind=Run.Kind.FULL, status__in=ended).order_by("-pk").first()
    return newer if newer and newer.checksum != run.checksum else None
