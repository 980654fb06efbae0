"""Changes of runs as pages show them: by account, each with whom it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from accounts.models import Account, Principal
from syncer.models import Change


class ChangeLine(NamedTuple):
    """A change, and whom it is about as people know him; the id where nobody knows a name."""

    change: Change
    who: str


@dataclass(frozen=True)
class ChangeGroup:
    """The changes in one account, None when it is not known; those of the sets themselves have no account id."""

    account_id: str
    account: Account | None
    lines: tuple[ChangeLine, ...]


def group_changes(
    changes: Iterable[Change], accounts: Mapping[str, Account], names: Mapping[str, str]
) -> list[ChangeGroup]:
    ordered = sorted(changes, key=lambda change: (change.account_id, change.position))
    groups = groupby(ordered, key=lambda change: change.account_id)
    return [
        ChangeGroup(account_id, accounts.get(account_id), tuple(ChangeLine(row, _name(row, names)) for row in rows))
        for account_id, rows in groups
    ]


def load_names(changes: Iterable[Change]) -> dict[str, str]:
    """Principal id → display name."""
    ids = {change.principal_id for change in changes} - {""}
    rows = Principal.objects.filter(principal_id__in=ids).values_list("principal_id", "display_name")
    return {principal_id: name for principal_id, name in rows if principal_id}


def _name(change: Change, names: Mapping[str, str]) -> str:
    return names.get(change.principal_id, "") or change.principal_name or change.principal_id
