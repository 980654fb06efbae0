"""Confirming that an account was moved: its access is decided by where it is now, and by nothing else."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.access import may_change, owns_account
from accounts.audit import record_event
from accounts.ground import Ask, Ground, Say
from accounts.guardrails import Rule
from accounts.models import Account, AccountMove, AppKind, Assignment, PermissionSet, Record, User
from accounts.policy.powers import Power
from accounts.rulebook import load_ground, load_powers, load_tags


def find_moves(account: Account) -> list[AccountMove]:
    """The moves that nobody has confirmed, the oldest first."""
    return list(account.moves.open().order_by("moved_at", "pk"))


def may_confirm_moves(user: User, account: Account) -> bool:
    """The owners of the account where it is now, and admins."""
    return user.is_staff or (may_change(user) and owns_account(user, account))


@dataclass(frozen=True)
class Consequence:
    """What confirming changes for one assignment: a rule ends it, or nothing spares it any more (no rule)."""

    assignment: Assignment
    rule: Rule | None = None


def foresee(account: Account, today: date) -> list[Consequence]:
    """What is decided otherwise once only the place counts where the account is now."""
    both = load_ground([account.account_id])
    now = Ground(both.rules, both.register, tags=load_tags([account.account_id]))
    ours = PermissionSet.Ownership.OURS
    rows = account.assignments.filter(in_aws=True, permission_set__ownership=ours)
    rows = rows.select_related("permission_set", "principal").order_by("permission_set__name", "principal__name_key")
    there = list(rows)
    powers = load_powers({row.permission_set.name for row in there})
    asks = [(row, _ask(row, powers[row.permission_set.name])) for row in there]
    ending = [(row, now.answer(ask, today)) for row, ask in asks if both.answer(ask, today).say is Say.MOVED]
    bare = [row for row, ask in asks if both.is_emergency(ask) and not now.is_emergency(ask)]
    return [*(Consequence(row, answer.rule) for row, answer in ending), *(Consequence(row) for row in bare)]


def _ask(row: Assignment, powers: frozenset[Power]) -> Ask:
    principal = row.principal
    return Ask(
        account_id=row.account.account_id,
        permission_set=row.permission_set.name,
        powers=powers,
        principal_type=principal.type,
        principal_id=principal.principal_id or "",
        expires_on=row.expires_on,
        registered_on=timezone.localdate(row.since),
        is_there=True,
        was_until=row.expires_on,
    )


@transaction.atomic
def confirm_moves(account: Account, user: User, *, until: int) -> bool:
    """Confirm the moves up to the one with this number, the last on the screen. False: somebody has. PermissionDenied.

    The records of the account are looked at by the next run.
    """
    if not may_confirm_moves(user, account):
        raise PermissionDenied
    moves = list(account.moves.open().filter(pk__lte=until).order_by("moved_at", "pk"))
    pks = [move.pk for move in moves]
    if not AccountMove.objects.open().filter(pk__in=pks).update(confirmed_at=timezone.now(), confirmed_by=user):
        return False
    Record.objects.live().filter(kind=AppKind.ASSIGNMENT, wishes__assignment__account=account).update(is_settled=False)
    record_event(
        "account.move_confirm",
        actor=user,
        obj=("account", account.account_id, account.name),
        before={"places": [move.old_path for move in moves]},
        after={"place": moves[-1].new_path},
    )
    return True
