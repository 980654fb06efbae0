"""Accounts that were moved to another unit: what that changes of rules and owners, told for a week.

A move removes no access by itself. Guardrails and protections name units, so it can free an account of them, and it can
make somebody else its owner: somebody should have a look.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.audit import record_event
from accounts.guardrails import Place, covers
from accounts.models import Account, AuditEvent, OrganizationalUnit, StageRule
from accounts.names import fold
from accounts.stages import find_stage
from syncer.cases import Judge
from syncer.states import Problem

_ACTION = "account.move"
_TOLD_FOR = timedelta(days=7)


@transaction.atomic
def note_moves(judge: Judge) -> None:
    """One audit event for each account that is in another unit than when this was last looked for."""
    placed = Account.objects.filter(gone_at__isnull=True, ou__isnull=False).exclude(placed_in=F("ou__ou_id"))
    moved = list(placed.exclude(placed_in="").select_related("ou"))
    if moved:
        stages = {fold(name): stage for name, stage in StageRule.objects.values_list("ou_name", "stage")}
        paths = dict(OrganizationalUnit.objects.values_list("ou_id", "path"))
        for account in moved:
            _note_move(account, judge, stages, paths)
    seen = list(placed.select_related("ou"))
    for account in seen:
        account.placed_in = account.ou.ou_id if account.ou else ""
    Account.objects.bulk_update(seen, ["placed_in"], 500)


def _note_move(account: Account, judge: Judge, stages: Mapping[str, str], paths: Mapping[str, str]) -> None:
    now = account.ou.ou_id if account.ou else ""
    before = _describe(account, account.placed_in, judge, stages)
    after = _describe(account, now, judge, stages)
    params = {
        "account": account.name,
        "old": paths.get(account.placed_in) or account.placed_in,
        "new": paths.get(now) or now,
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
    }
    record_event(_ACTION, obj=("account", account.account_id, account.name), before=before, after=params)


def _describe(account: Account, unit_id: str, judge: Judge, stages: Mapping[str, str]) -> dict[str, str]:
    """What the unit makes of the account: its stage, its guardrails, its owners, whether it is protected."""
    account_id, register = account.account_id, judge.register
    site = replace(register.sites[account_id], unit_id=unit_id)
    moved = replace(register, sites={**register.sites, account_id: site})
    units = moved.list_units_above(account_id)
    stage = find_stage((moved.units[unit].name for unit in units), stages)
    place = Place(account_id, frozenset(units), stage, judge.tags.get(account_id))
    rules = [rule.name for rule in judge.rules if covers(rule, place)]
    owners = moved.find_owners(account_id)
    named = (moved.holders[principal].name for principal in owners.principals)
    return {
        "stage": stage,
        "rules": ", ".join(sorted(rules)) or "—",
        "owners": ", ".join(sorted(named)) or "—",
        "protected": "✓" if moved.is_protected(account_id) else "—",
    }


def load_moves(now: datetime) -> Iterator[Problem]:
    """A problem for each move of the last days."""
    events = AuditEvent.objects.filter(action=_ACTION, at__gt=now - _TOLD_FOR).order_by("at")
    latest: dict[str, dict[str, Any]] = {event.object_id: event.after or {} for event in events}
    for params in latest.values():
        yield Problem("account_moved", "warning", params=params)
