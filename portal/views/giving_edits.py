"""What a form changes in a record, and what that needs.

Taking away is for whoever may edit the record, the rest for whoever may give access to the account.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from accounts.models import User
from portal.views.giving_opening import Opening
from portal.views.giving_picks import Picks
from portal.views.giving_preview import Edit
from portal.views.values import show_field
from syncer.drafts.merging import find_added, is_same
from syncer.giving.foresight import Foresight, foresee
from syncer.giving.gift import Gift
from syncer.giving.names import FIELDS, Name, load_named
from syncer.records.parsing import parse_date

_PLACE = ("account_id", "permission_set")


@dataclass(frozen=True)
class Changes:
    """What is other than in force. widens: somebody or some day comes to it, or it moves."""

    added: tuple[Name, ...] = ()
    removed: tuple[Name, ...] = ()
    fields: tuple[str, ...] = ()
    is_moved: bool = False
    is_extended: bool = False

    @property
    def widens(self) -> bool:
        return bool(self.added) or self.is_moved or self.is_extended

    def describe(self) -> Edit:
        """By what people call it."""
        labels = {named.name: named.label for named in load_named([*self.added, *self.removed])}
        return Edit(
            tuple(labels[name] for name in self.added),
            tuple(labels[name] for name in self.removed),
            tuple(show_field(name) for name in self.fields),
        )


def read_values(opening: Opening, picks: Picks, plain: Mapping[str, str], set_name: str) -> dict[str, Any]:
    """What the form says, by our names for the fields; in the spelling of before where it means the same."""
    account = picks.accounts[0].account_id if len(picks.accounts) == 1 else opening.values.get("account_id", "")
    values = {
        "account_id": account, "permission_set": set_name, **picks.as_values(), "owners": list(picks.owners), **plain
    }  # fmt: skip
    base = opening.values
    return {
        name: base[name] if name in base and is_same(name, value, base[name]) else value
        for name, value in values.items()
        if name in opening.fields or (name == "more_users" and value)
    }


def compare(opening: Opening, values: Mapping[str, Any]) -> Changes:
    base = opening.values
    changed = tuple(name for name, value in values.items() if value != base.get(name, [] if name in FIELDS else ""))
    return Changes(
        added=tuple(_iter_other(base, values)),
        removed=tuple(_iter_other(values, base)),
        fields=tuple(name for name in changed if name not in FIELDS),
        is_moved=any(name in changed for name in _PLACE),
        is_extended="expires_on" in changed and _is_later(values["expires_on"], base.get("expires_on", "")),
    )


def _iter_other(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Name]:
    """The names that `after` has and `before` has not."""
    return [
        Name(field, text) for field in FIELDS for text in find_added(field, before.get(field, []), after.get(field, []))
    ]


def _is_later(new: str, old: str) -> bool:
    return bool(old) and (not new or (parse_date(new) or date.min) > (parse_date(old) or date.min))


def foresee_edit(user: User, opening: Opening, gift: Gift, changes: Changes, *, today: date) -> Foresight:
    """Of a record that is there only what comes to it can be refused."""
    if not changes.widens:
        return Foresight(names=tuple(load_named(gift.names)))
    concerns_all = changes.is_moved or changes.is_extended
    asked = replace(gift, names=gift.names if concerns_all else changes.added)
    return foresee(user, asked, today=today, leave_out=opening.record)
