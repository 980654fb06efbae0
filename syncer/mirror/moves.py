"""Accounts that were moved to another unit: noted as they are read, told until somebody confirms them.

A move removes no access by itself. Guardrails and protections name units, so it can bring an account under rules or
free it of them, and it can make somebody else its owner. So the old place goes on deciding about what is there
(`accounts.ground`) until an owner of the account or an admin has looked. Where nobody has access there is no question.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Q

from accounts.audit import record_event
from accounts.guardrails import Place, Rule, covers
from accounts.models import Account, AccountMove, Assignment, OrganizationalUnit, PermissionSet
from accounts.owner_register import load_register
from accounts.ownership import Register
from accounts.rulebook import load_rules
from syncer.states import Actual, Problem

_ACTION = "account.move"
_TOLD_FOR = timedelta(days=7)  # where there is nothing to confirm
_BATCH = 500


def look_before(actual: Actual) -> Register | None:
    """Whose the accounts are that are in another unit than when this was last looked for; None if there is none.

    Before what was read is stored: the unit that an account was in is often deleted afterwards.
    """
    placed = dict(Account.objects.exclude(placed_in="").values_list("account_id", "placed_in"))
    units = {account_id: account.ou_id for account_id, account in actual.accounts.items() if account.ou_id}
    moving = [account_id for account_id in units.keys() & placed.keys() if units[account_id] != placed[account_id]]
    return load_register(moving) if moving else None


def note_moves(before: Register | None, *, at: datetime) -> None:
    """Keep where every account is now, and of those that moved where they were. After what was read is stored."""
    units = {row.ou_id: row for row in OrganizationalUnit.objects.select_related("parent")}
    accounts = list(Account.objects.filter(gone_at__isnull=True, ou__isnull=False).select_related("ou"))
    moved, changed = [], []
    for account in accounts:
        unit_id, place = account.ou.ou_id if account.ou else "", _describe_place(account, units)
        has_moved, old = account.placed_in not in ("", unit_id), _read_place(account)
        if has_moved and not _take_place(account, unit_id, place):
            continue  # another reading beside this one has noted it
        if has_moved:
            moved.append((account, old))
        elif (account.placed_in, account.place) != (unit_id, place):
            changed.append(account)
        account.placed_in, account.place = unit_id, place
    Account.objects.bulk_update(changed, ["placed_in", "place"], _BATCH)
    if moved:
        _store_moves(moved, before or Register({}), at)


def _take_place(account: Account, unit_id: str, place: dict[str, object]) -> bool:
    """Keep where it is now; False where somebody else has, since this was read."""
    there = Account.objects.filter(pk=account.pk, placed_in=account.placed_in)
    return there.update(placed_in=unit_id, place=place) == 1


@dataclass(frozen=True)
class _Old:
    """Where an account was when this was last looked for."""

    units: tuple[str, ...]
    path: str
    stage: str


def _read_place(account: Account) -> _Old:
    """Of an account that was last looked at by an older version nothing is known but its unit."""
    place = account.place
    units = tuple(place.get("units", ())) or (account.placed_in,)
    return _Old(units, place.get("path") or account.placed_in, place.get("stage", "other"))


def _describe_place(account: Account, units: Mapping[str, OrganizationalUnit]) -> dict[str, object]:
    above, unit = [], account.ou
    while unit is not None and unit.ou_id not in above:
        above.append(unit.ou_id)
        parent = units[unit.ou_id].parent
        unit = units[parent.ou_id] if parent else None
    return {"units": above, "path": str(account.ou or ""), "stage": account.stage}


def _store_moves(moved: Collection[tuple[Account, _Old]], before: Register, at: datetime) -> None:
    after, rules = load_register([account.account_id for account, _old in moved]), load_rules()
    used = _find_used([account.pk for account, _old in moved])
    for account, old in moved:
        old_owners, now = before.find_owners(account.account_id), account.place
        was = _describe(account, Place(account.account_id, frozenset(old.units), old.stage), before, rules)
        place = Place(account.account_id, frozenset(now["units"]), now["stage"])
        params = {
            "account": account.name,
            "old": old.path,
            "new": now["path"],
            **{f"{name}_before": value for name, value in was.items()},
            **{f"{name}_after": value for name, value in _describe(account, place, after, rules).items()},
        }
        AccountMove.objects.create(
            account=account,
            old_path=old.path,
            new_path=now["path"],
            old_units=old.units,
            old_stage=old.stage,
            old_owners=sorted(old_owners.people | old_owners.principals),
            changes=params,
            moved_at=at,
            confirmed_at=None if account.pk in used else at,
        )
        record_event(_ACTION, obj=("account", account.account_id, account.name), before=was, after=params)


def _find_used(accounts: Collection[int]) -> frozenset[int]:
    """Those in which somebody has access that guardrails speak of: nothing is changed of sets that are not ours."""
    ours = PermissionSet.Ownership.OURS
    rows = Assignment.objects.filter(in_aws=True, account__in=accounts, permission_set__ownership=ours)
    return frozenset(rows.values_list("account_id", flat=True))


def _describe(account: Account, place: Place, register: Register, rules: Collection[Rule]) -> dict[str, str]:
    """What the place makes of the account: its stage, its guardrails, its owners, whether it is protected."""
    tagged = Place(place.account_id, place.units, place.stage, account.tags if account.tags_read_at else None)
    owners = register.find_owners(account.account_id)
    named = (register.holders[principal].name for principal in owners.principals)
    return {
        "stage": place.stage,
        "rules": ", ".join(sorted(rule.name for rule in rules if covers(rule, tagged))) or "—",
        "owners": ", ".join(sorted(named)) or "—",
        "protected": "✓" if register.is_protected(account.account_id) else "—",
    }


def load_moves(now: datetime) -> Iterator[Problem]:
    """A problem for each account whose moves nobody has confirmed; for a week where there was nothing to confirm."""
    is_told = Q(confirmed_at__isnull=True) | Q(confirmed_by__isnull=True, confirmed_at__gt=now - _TOLD_FOR)
    rows = AccountMove.objects.filter(is_told, account__gone_at__isnull=True).select_related("account")
    for _account, moves in groupby(
        rows.order_by("account__account_id", "moved_at", "pk"), lambda move: move.account_id
    ):
        yield _tell(list(moves))


def _tell(moves: list[AccountMove]) -> Problem:
    """Several moves of one account as one: from where it was at first to where it is now."""
    is_open = any(move.confirmed_at is None for move in moves)
    first, last = moves[0].changes, moves[-1].changes
    was = {name: value for name, value in first.items() if name == "old" or name.endswith("_before")}
    params = {**last, **was, "account_id": moves[0].account.account_id, "move": str(moves[-1].pk)}
    return Problem("account_moved" if is_open else "account_moved_empty", "warning", params=params)
