"""Naming owners of an account or of all that lies below a unit, and taking them away again: for admins.

What is named here goes before tags and before the units above, so an entry on an account ends what it inherited.
"""

from typing import TypeAlias

from django.db import transaction
from django.http import HttpRequest

from accounts.audit import record_event
from accounts.audit_about import About
from accounts.finding import search_principals
from accounts.models import Account, OrganizationalUnit, OwnerEntry, Principal, User
from accounts.names import fold

Owned: TypeAlias = Account | OrganizationalUnit
MOST_MEANT = 10  # people and groups that one word may mean


def list_entries(owned: Owned) -> list[OwnerEntry]:
    """Who is named, the first one first."""
    return list(owned.owner_entries.select_related("principal__person", "created_by").order_by("created_at", "pk"))


def find_meant(user: User, text: str) -> list[Principal]:
    """Whom a word may mean, among those whom Identity Center knows; the one alone whose mail or name it is."""
    found = [row for row in search_principals(user, text, MOST_MEANT) if row.is_provisioned]
    key = fold(text)
    exact = [row for row in found if key in (row.name_key, fold(row.email), row.principal_id)]
    return exact if len(exact) == 1 else found


@transaction.atomic
def name_owner(request: HttpRequest, owned: Owned, principal: Principal) -> bool:
    """Make somebody, or the members of a group, an owner; False if he is one by an entry already.

    An entry that a claim brought becomes an admin's word.
    """
    before = _list_names(owned)
    user = request.user if isinstance(request.user, User) else None
    values = {"how": OwnerEntry.How.ADMIN, "created_by": user}
    owner = {"account": owned} if isinstance(owned, Account) else {"ou": owned}
    entry, is_new = OwnerEntry.objects.get_or_create(**owner, principal=principal, defaults=values)
    if not is_new and entry.how == OwnerEntry.How.ADMIN:
        return False
    OwnerEntry.objects.filter(pk=entry.pk).update(**values)
    _record("owner.name", request, owned, principal, before)
    return True


@transaction.atomic
def remove_owner(request: HttpRequest, owned: Owned, entry: OwnerEntry) -> bool:
    """Take an entry away; False if somebody else was first."""
    before = _list_names(owned)
    if not OwnerEntry.objects.filter(pk=entry.pk).delete()[0]:
        return False
    _record("owner.remove", request, owned, entry.principal, before)
    return True


def _record(action: str, request: HttpRequest, owned: Owned, principal: Principal, before: list[str]) -> None:
    record_event(
        action,
        request=request,
        obj=_name(owned),
        before={"owners": before},
        after={"owners": _list_names(owned)},
        about=About(principal=principal.principal_id or ""),
    )


def _name(owned: Owned) -> tuple[str, str, str]:
    if isinstance(owned, Account):
        return "account", owned.account_id, owned.name
    return "ou", str(owned.pk), str(owned)


def _list_names(owned: Owned) -> list[str]:
    return [str(entry.principal) for entry in list_entries(owned)]
