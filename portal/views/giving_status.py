"""What became of a submit: record by record on its way to kintone, then person by person on its way into AWS.

The page asks for itself while something is under way, more and more seldom, and ends. Without script it reloads.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import require_user
from accounts.editors import find_removable
from accounts.models import Account, Assignment, Draft, Record, User, Wish
from portal.views.drafts import FOLLOWED, DraftLine, build_lines
from portal.views.obstacles import tell
from portal.views.requests import HtmxHttpRequest, asks_for_part
from portal.views.retrying import find_retries, is_worth_retrying
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible
from syncer.giving.names import Named, iter_names, load_named

_MOVING = (Assignment.State.REQUESTED, Assignment.State.APPLYING, Assignment.State.REMOVING)
_IN_ORDER = ("failed", "blocked", "waiting", "applying", "requested", "granted")
_LISTED = 30  # people of one record; a page of thousands would be sent each second
_PAUSES = ((timedelta(seconds=30), "1s"), (timedelta(minutes=3), "3s"), (FOLLOWED, "10s"))  # by the age of the submit


@dataclass(frozen=True)
class Landing:
    """One name of a record; the assignment it leads to, once a run has looked."""

    named: Named
    assignment: Assignment | None

    @property
    def rank(self) -> int:
        """Trouble before what is still to come, and that before what is granted."""
        state = self.assignment.state if self.assignment else ""
        return _IN_ORDER.index(state) if state in _IN_ORDER else -1


@dataclass(frozen=True)
class Sent:
    """One record of the submit, and what it leads to."""

    line: DraftLine
    account: Account | None
    account_id: str
    landings: tuple[Landing, ...]
    removed: tuple[Assignment, ...] = ()
    retried_at: datetime | None = None  # while a run that somebody asked for looks at the record once more
    may_retry: bool = False

    @property
    def shown(self) -> tuple[Landing, ...]:
        """Of many, those that somebody has to look at come first; the others are counted."""
        if len(self.landings) <= _LISTED:
            return self.landings
        return tuple(sorted(self.landings, key=lambda landing: landing.rank))[:_LISTED]

    @property
    def more(self) -> int:
        return len(self.landings) - len(self.shown)

    @property
    def draft(self) -> Draft:
        return self.line.draft

    @property
    def is_moving(self) -> bool:
        """Whether something is still to come of it."""
        if self.draft.state == Draft.State.WAITING:
            return True
        if self.draft.state != Draft.State.WRITTEN or self.line.record is None:
            return False
        rows = [landing.assignment for landing in self.landings]
        is_coming = not self.line.record.is_settled or self.retried_at is not None
        return is_coming or any(row is not None and row.state in _MOVING for row in rows)


@require_safe
def sent(request: HtmxHttpRequest, batch: str) -> HttpResponse:
    """The records of one submit, live; 204: no news."""
    user = require_user(request)
    context = _describe(user, _load(user, batch))
    is_part = asks_for_part(request, "sent")
    if is_part and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "portal/_sent.html" if is_part else "portal/sent.html", {**context, "is_part": is_part})


@require_POST
def send_again(request: HttpRequest, batch: str) -> HttpResponse:
    """Try it at once: kintone may be back."""
    user = require_user(request)
    try:
        saving.send_now(_load(user, batch)[0], user)
    except NotPossible as refusal:
        tell(request, refusal)
    return redirect("sent", batch)


def _load(user: User, batch: str) -> list[Draft]:
    rows = Draft.objects.visible_to(user).filter(batch=batch).select_related("record", "author__person").order_by("pk")
    if drafts := list(rows):
        return drafts
    raise Http404


def _describe(user: User, drafts: Sequence[Draft]) -> dict[str, Any]:
    items = _build(user, drafts)
    pause = _find_pause(items)
    return {
        "batch": drafts[0].batch,
        "items": items,
        "counts": _count(items),
        "is_edit": drafts[0].record_id is not None,
        "why": next((item.line.why for item in items if item.line.why), None),
        "may_send": any(item.line.may_send for item in items),
        "is_stuck": any(item.draft.state in (Draft.State.REFUSED, Draft.State.CONFLICT) for item in items),
        "is_written": all(item.draft.state == Draft.State.WRITTEN for item in items),
        "look_again": pause,
        "version": _fingerprint(items, pause),
    }


# --- What stands there ------------------------------------------------------------------------------------------------


def _build(user: User, drafts: Sequence[Draft]) -> list[Sent]:
    lines = build_lines(user, drafts)
    values = {line.draft.pk: _read_values(line.draft) for line in lines}
    names = {name for each in values.values() for name in iter_names(each)}
    named = {each.name: each for each in load_named(sorted(names))}
    rows = _load_assignments([line.record for line in lines if line.record])
    ids = {str(each.get("account_id", "")) for each in values.values()}
    accounts = Account.objects.in_bulk(ids, field_name="account_id")
    items = [_build_one(line, values[line.draft.pk], named, rows, accounts) for line in lines]
    return _add_retries(user, items)


def _add_retries(user: User, items: Sequence[Sent]) -> list[Sent]:
    """Which records are being tried again, and which the viewer may have tried."""
    records = [item.line.record for item in items if item.line.record]
    editable, going = find_removable(user, records).records, find_retries(record.reference for record in records)
    return [
        replace(
            item,
            retried_at=going.get(item.line.record.reference),
            may_retry=item.line.record.pk in editable and is_worth_retrying(each.assignment for each in item.landings),
        )
        if item.line.record
        else item
        for item in items
    ]


def _read_values(draft: Draft) -> Mapping[str, Any]:
    """What the record says with this draft in it: of a change the fields that it leaves alone as well."""
    return {**(draft.base_values or {}), **draft.values}


def _load_assignments(records: Sequence[Record]) -> dict[int, dict[int, Assignment]]:
    """Record → principal → what the record leads to."""
    wishes = Wish.objects.filter(record__in=[record.pk for record in records]).select_related(
        "assignment__account", "assignment__principal__person", "assignment__permission_set"
    )
    found: dict[int, dict[int, Assignment]] = {}
    for wish in wishes:
        found.setdefault(wish.record_id, {})[wish.assignment.principal_id] = wish.assignment
    return found


def _build_one(
    line: DraftLine,
    values: Mapping[str, Any],
    named: Mapping[Any, Named],
    rows: Mapping[int, Mapping[int, Assignment]],
    accounts: Mapping[str, Account],
) -> Sent:
    draft, account_id = line.draft, str(values.get("account_id", ""))
    there = rows.get(line.record.pk, {}) if line.record and draft.state == Draft.State.WRITTEN else {}
    shown = [named[name] for name in iter_names(values)]
    landings = tuple(Landing(each, _find(there, each)) for each in shown)
    meant = {landing.assignment.pk for landing in landings if landing.assignment}
    others = tuple(row for row in there.values() if row.pk not in meant) if draft.record_id else ()
    return Sent(line, accounts.get(account_id), account_id, landings, others)


def _find(there: Mapping[int, Assignment], named: Named) -> Assignment | None:
    """By the principal; a name that Identity Center does not know has a stand-in of that name."""
    if named.principal and named.principal.pk in there:
        return there[named.principal.pk]
    return next((row for row in there.values() if row.principal.name == named.name.text), None)


def _count(items: Iterable[Sent]) -> dict[str, int]:
    """How many are there, and how many in all."""
    rows = [landing.assignment for item in items for landing in item.landings]
    done = sum(row is not None and row.state == Assignment.State.GRANTED for row in rows)
    return {"done": done, "total": len(rows)}


def _find_pause(items: Sequence[Sent]) -> str:
    """How long the page waits before it looks again; empty where nothing more is coming."""
    if not any(item.is_moving for item in items):
        return ""
    last = max(max(item.draft.updated_at, item.retried_at or item.draft.updated_at) for item in items)
    age = timezone.now() - last
    return next((pause for longest, pause in _PAUSES if age < longest), "")


def _fingerprint(items: Iterable[Sent], pause: str) -> str:
    """The same as long as the page would be."""
    shown = [[_note(item), [_note_row(landing.assignment) for landing in item.landings]] for item in items]
    gone = [[row.pk, row.state] for item in items for row in item.removed]
    return hashlib.sha256(json.dumps([shown, gone, pause], sort_keys=True).encode()).hexdigest()[:16]


def _note(item: Sent) -> list[Any]:
    draft, record = item.draft, item.line.record
    settled = bool(record and record.is_settled)
    return [draft.state, draft.reason, str(draft.retry_at), settled, str(item.retried_at), item.may_retry]


def _note_row(row: Assignment | None) -> list[Any]:
    return [row.state, row.reason] if row else []
