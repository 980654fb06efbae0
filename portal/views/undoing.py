"""What the page of a draft says of a removal: how long open sessions can live."""

from dataclasses import dataclass
from datetime import timedelta

from accounts.models import Draft
from syncer.lock_outs import find_longest_session
from syncer.models import Withdrawal


@dataclass(frozen=True)
class WithdrawalNote:
    """A removal as its page tells of it."""

    withdrawal: Withdrawal
    sessions: timedelta | None


def describe_withdrawal(draft: Draft) -> WithdrawalNote | None:
    """What a draft has taken away; None where it is no removal."""
    withdrawal = Withdrawal.objects.filter(draft=draft).first()
    if withdrawal is None:
        return None
    name = (withdrawal.in_force or {}).get("permission_set", "")
    return WithdrawalNote(withdrawal, find_longest_session({name}) if name else None)
