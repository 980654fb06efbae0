"""From what somebody wants to give to the records that say so: one an account, all of a submit or none.

A form carries a token. Whoever sends it twice, by a double click or a reload, gets what the first sending has made.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts.models import AppKind, Draft, Record, User
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible, Values
from syncer.drafts.saving import Wanted
from syncer.giving.foresight import Foresight
from syncer.giving.names import FIELDS, Name
from syncer.states import Reason

_BATCH = 32  # characters of a draft's batch


def make_token() -> str:
    return secrets.token_urlsafe(18)


def name_batch(user: User, token: str) -> str:
    """What the drafts of one sending have in common; nobody else's token leads to them."""
    return hashlib.sha256(f"{user.pk}:{token}".encode()).hexdigest()[:_BATCH]


def find_sent(user: User, token: str) -> list[Draft]:
    """What this very form has made already."""
    return list(Draft.objects.filter(author=user, batch=name_batch(user, token)).order_by("pk")) if token else []


def give(user: User, foresight: Foresight, common: Mapping[str, Any], token: str) -> list[Draft]:
    """Store the records of what was foreseen. common: permission set, last day, note, owners.

    Raises PermissionDenied where somebody may not, NotPossible with why.
    """
    if any(not part.right.may for part in foresight.parts):
        raise PermissionDenied
    if foresight.is_refused or foresight.is_empty:
        raise NotPossible(Reason("give_not_possible"))
    wanted = [
        Wanted(AppKind.ASSIGNMENT, {"account_id": part.account.account_id, **_as_values(part.new), **common})
        for part in foresight.parts
        if part.new
    ]
    return _send(user, wanted, token)


def _as_values(names: Sequence[Name]) -> Values:
    """Only the fields that name somebody: an app may lack the others."""
    values: dict[str, list[str]] = {}
    for name in names:
        values.setdefault(name.field, []).append(name.text)
    return {field: values[field] for field in FIELDS if field in values}


def change(
    user: User, record: Record, values: Mapping[str, Any], *, revision: int, base: Mapping[str, Any], token: str
) -> list[Draft]:
    """Store what somebody changed in a record that he opened with `base`. Raises as `give` does."""
    return _send(user, [Wanted(AppKind.ASSIGNMENT, values, record, revision, base)], token)


def _send(user: User, wanted: Sequence[Wanted], token: str) -> list[Draft]:
    if sent := find_sent(user, token):
        return sent
    try:
        with transaction.atomic():
            return saving.save_together(user, wanted, batch=name_batch(user, token))
    except IntegrityError:
        # The other click was quicker by a moment, and has committed.
        if sent := find_sent(user, token):
            return sent
        raise
