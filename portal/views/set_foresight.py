"""What saving a permission set would do, before it is saved: the difference, whom it reaches, whether it may be."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from portal.forms.permission_sets import FIELDS, PermissionSetForm
from portal.views.differences import FieldDifference, compare_values
from portal.views.set_opening import Opening
from portal.views.sight import Seen, see_verdicts
from portal.views.values import to_lines
from syncer.sets.changes import GuardVerdict, Preview, ReachedAccount, preview_change

_NOTHING = Preview(is_allowed=True, does_more=False, is_rename=False, is_changed=False)
_NAMED = 6  # accounts and rules that are named; the rest is counted


@dataclass(frozen=True)
class Foresight:
    """What the values of a form would change. `mark` is the same as long as all of it is the same."""

    is_new: bool
    differences: tuple[FieldDifference, ...]
    errors: int
    change: Preview
    name: str
    mark: str
    verdicts: Seen[GuardVerdict]

    @property
    def is_refused(self) -> bool:
        return not self.change.is_allowed

    @property
    def reaches(self) -> bool:
        """Whether AWS has the set somewhere, and it becomes another."""
        return bool(self.differences) and self.change.provisioned > 0

    @property
    def strange(self) -> tuple[ReachedAccount, ...]:
        """As far as they can be named here."""
        return tuple(reached for reached in self.change.strange if reached.is_seen)[:_NAMED]

    @property
    def more_strange(self) -> int:
        return len(self.change.strange) - len(self.strange)

    @property
    def guardrails(self) -> tuple[GuardVerdict, ...]:
        """What the change newly breaks, before what was broken already."""
        return tuple(sorted(self.verdicts.rows, key=lambda verdict: not verdict.is_new)[:_NAMED])

    @property
    def more_guardrails(self) -> int:
        return self.verdicts.total - len(self.guardrails)


def foresee(user: User, opening: Opening, form: PermissionSetForm) -> Foresight:
    """For a form as it was opened, or as it came back and was looked at."""
    values = form.meant if form.is_bound else dict(opening.values)
    change = preview_change(user, opening.permission_set, values) if form.is_bound else _NOTHING
    return Foresight(
        is_new=opening.record is None,
        differences=tuple(_iter_differences(opening.values, values)) if opening.record else (),
        errors=sum(len(found) for found in form.errors.values()) if form.is_bound else 0,
        change=change,
        name=str(values.get("name", "")).strip(),
        mark=_make_mark(values, change),
        verdicts=see_verdicts(user, change.guardrails),
    )


def _make_mark(values: Mapping[str, Any], change: Preview) -> str:
    accounts = sorted(reached.account.account_id for reached in change.accounts)
    shown = json.dumps([values, change.is_allowed, change.does_more, accounts], sort_keys=True)
    return hashlib.sha256(shown.encode(errors="replace")).hexdigest()[:20]


def _iter_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldDifference]:
    for name in FIELDS:
        if name in after and after[name] != before.get(name):
            one, other = ("\n".join(to_lines(side.get(name))) for side in (before, after))
            yield compare_values(name, one, other)
