"""Who owns an account, or what lies below a unit, as pages tell it: who, by whose word, and whether that holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import OrganizationalUnit, Principal
from accounts.ownership import Owners, Register, Source

_WORDS: Mapping[Source, str | Promise] = {
    Source.ENTRY: _("named here"),
    Source.TAG: _("by the tag in Organizations"),
    Source.NOBODY: _("nobody"),
    Source.UNREAD: _("not read yet"),
}


@dataclass(frozen=True)
class Shown:
    """owners: users and groups who are there. left: who is named and has left. unit: where they are named, if above.

    is_orphaned: somebody is named, and nobody of them can act.
    """

    source: str
    word: str | Promise
    owners: Sequence[Principal] = ()
    left: Sequence[Principal] = ()
    unit: OrganizationalUnit | None = None
    is_protected: bool = False
    is_claimable: bool = False
    is_orphaned: bool = False

    @property
    def is_inherited(self) -> bool:
        return self.source == Source.UNIT


class OwnerBook:
    """What a register says of several accounts and units, with the people behind the ids: two statements."""

    def __init__(self, register: Register, account_ids: Collection[str], unit_ids: Iterable[str] = ()) -> None:
        self._register = register
        self._of_accounts = {account_id: register.find_owners(account_id) for account_id in account_ids}
        self._of_units = {unit_id: register.find_owners_of_unit(unit_id) for unit_id in unit_ids}
        everybody = [*self._of_accounts.values(), *self._of_units.values()]
        self._principals = _load_principals({key for owners in everybody for key in owners.principals | owners.left})
        units = {owners.unit_id for owners in everybody}
        rows = OrganizationalUnit.objects.filter(ou_id__in=units) if self._of_units or units != {""} else ()
        self._units = {unit.ou_id: unit for unit in rows}

    def show_account(self, account_id: str) -> Shown:
        register = self._register
        return self._show(
            self._of_accounts[account_id],
            is_protected=register.is_protected(account_id),
            is_claimable=register.is_claimable(account_id),
        )

    def show_unit(self, unit_id: str) -> Shown:
        owners = self._of_units[unit_id]
        shown = self._show(owners, is_protected=self._register.is_protected_unit(unit_id))
        if owners.unit_id != unit_id:
            return shown
        source = Source.ENTRY if self._register.units[unit_id].entries else Source.TAG
        return replace(shown, source=source, word=_WORDS[source], unit=None)

    def _show(self, owners: Owners, *, is_protected: bool, is_claimable: bool = False) -> Shown:
        is_named = owners.source not in (Source.NOBODY, Source.UNREAD)
        return Shown(
            source=owners.source,
            word=_WORDS.get(owners.source, ""),
            owners=self._list(owners.principals),
            left=self._list(owners.left),
            unit=self._units.get(owners.unit_id),
            is_protected=is_protected,
            is_claimable=is_claimable,
            is_orphaned=is_named and not owners.people,
        )

    def _list(self, ids: Collection[str]) -> Sequence[Principal]:
        found = (self._principals[key] for key in ids if key in self._principals)
        return sorted(found, key=lambda row: (not row.is_group, row.name_key))


def _load_principals(ids: Collection[str]) -> dict[str, Principal]:
    rows = Principal.objects.filter(principal_id__in=ids).select_related("person")
    return {row.principal_id or "": row for row in rows}
