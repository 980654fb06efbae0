"""A lock-out in words: what it takes away, what it leaves and why, and until when open sessions can live."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from accounts import stops
from accounts.models import Account, Person, Stop
from accounts.stops import Beyond
from portal.views.change_groups import ChangeGroup, group_changes, load_names
from portal.views.run_steps import Progress, find_progress
from portal.views.sections import Section, build_sections, order_assignments
from syncer.lock_outs import find_longest_session, find_sessions_end
from syncer.models import Change, Run


@dataclass(frozen=True)
class LockOut:
    """A lock-out that holds, and how far its removals are. `version` is the same as long as the page would be."""

    stop: Stop
    run: Run | None
    progress: Progress | None
    groups: tuple[ChangeGroup, ...]
    removed: int
    sessions_until: datetime | None
    beyond: list[Beyond]
    version: str

    @property
    def is_going_on(self) -> bool:
        return self.run is not None and not self.run.is_over


def foresee_lock_out(person: Person) -> dict[str, Any]:
    """What a lock-out would take away (`sections`, `sessions`), and what it would leave (`beyond`)."""
    if person.principal is None:
        return {"sections": [], "count": 0, "sessions": None, "beyond": []}
    ids = stops.find_ids(person.principal)
    going = list(order_assignments(stops.find_direct(ids).removable(), "account"))
    sections: list[Section] = build_sections(going, "account")
    sessions: timedelta | None = find_longest_session({row.permission_set.name for row in going})
    return {"sections": sections, "count": len(going), "sessions": sessions, "beyond": stops.list_beyond(ids)}


def find_lock_out(person: Person) -> LockOut | None:
    """The lock-out that holds for this person, in a constant number of statements; one when nobody is locked out."""
    stop = stops.find_lock_out(person.principal)
    if stop is None or person.principal is None:
        return None
    run = stop.runs.order_by("-pk").first()
    ended = Q(outcome=Change.Outcome.SUCCEEDED)
    changes = list(Change.objects.filter(run__stop=stop).filter(ended | Q(run=run)).order_by("position", "pk"))
    accounts = Account.objects.in_bulk({change.account_id for change in changes}, field_name="account_id")
    return LockOut(
        stop=stop,
        run=run,
        progress=find_progress(run) if run else None,
        groups=tuple(group_changes(changes, accounts, load_names(changes))),
        removed=sum(change.outcome == Change.Outcome.SUCCEEDED for change in changes),
        sessions_until=find_sessions_end(changes),
        beyond=stops.list_beyond(stops.find_ids(person.principal)),
        version=_fingerprint(stop, run, changes),
    )


def _fingerprint(stop: Stop, run: Run | None, changes: list[Change]) -> str:
    state = [stop.pk, run.pk if run else 0, run.status if run else "", [change.outcome for change in changes]]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
