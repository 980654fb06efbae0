"""The register of owners, from rows: a handful of statements, whatever the number of accounts."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from accounts.models import (
    Account,
    AccountMove,
    GroupMembership,
    Guardrail,
    Instance,
    OrganizationalUnit,
    OwnerEntry,
    Principal,
)
from accounts.names import fold
from accounts.ownership import Holder, Protection, Register, Site, Unit

_MOST_NAMES = 10_000  # in one statement, where the database has no limit of its own


@dataclass(frozen=True)
class Places:
    """What accounts and units say of their owners, by id."""

    sites: Mapping[str, Site]
    units: Mapping[str, Unit]

    def narrow(self, accounts: Collection[str]) -> "Places":
        """The same of these accounts."""
        return Places({key: self.sites[key] for key in accounts if key in self.sites}, self.units)


def load_register(accounts: Collection[str] | None = None, *, places: Places | None = None) -> Register:
    """The register of these accounts (12 digits), or of all. Of people it knows those who are named as owners.

    places: of these accounts, where they are loaded already.
    """
    found = places or _load_places(accounts)
    sites, units = found.sites, found.units
    return Register(
        sites=sites,
        units=units,
        protection=Protection(settings.PROTECTED_OUS, _find_portal_accounts()),
        claimable_stages=frozenset(fold(stage) for stage in settings.CLAIMABLE_STAGES),
        **_load_people(_list_named(sites, units)),
    )


def _list_named(sites: Mapping[str, Site], units: Mapping[str, Unit]) -> set[str]:
    owned: list[Site | Unit] = [*sites.values(), *units.values()]
    return {name for item in owned for name in _names_of(item)}


def load_standing() -> Register:
    """The register of all accounts in which each group has one member at most who can act.

    Enough to tell whether anybody answers for an account; who that is takes the members of all groups that own.
    """
    places = _load_places(None)
    sites, units = places.sites, places.units
    holders = _load_holders(_list_named(sites, units))
    members = _load_one_member([holder.principal_id for holder in holders.values() if holder.is_group])
    unnamed = {one: Holder(one) for one in members.values()}
    return Register(sites, units, unnamed | holders, {group: frozenset({one}) for group, one in members.items()})


class Owned(NamedTuple):
    """The ids of somebody's accounts → their rows; `places` are all there are, where they were looked through."""

    accounts: Mapping[str, int]
    places: Places | None = None


def load_owned(principal: Principal, groups: Collection[str]) -> Owned:
    """What this person owns of all there is, in five statements. groups: ids of those he is in.

    Of people it asks for him, for whom a word that is his name means first, and for whoever bears that name: nobody
    else's being there or not makes him an owner, or keeps him from being one.
    """
    own = principal.principal_id or ""
    if not _is_named_anywhere(principal, {own, *groups}):
        return Owned({})
    places = _load_places(None)
    sites, units = places.sites, places.units
    named = _list_named(sites, units)
    members = {group: frozenset({own}) for group in groups if group in named}
    ids = {own, *members, *(name for name in named if fold(name) == principal.name_key)}
    rows = Principal.objects.filter(Q(principal_id__in=ids) | Q(type=Principal.Type.USER, name_key=principal.name_key))
    register = Register(sites, units, _read_holders(rows), members)
    return Owned({account_id: sites[account_id].key for account_id in register.find_owned(own)}, places)


def _is_named_anywhere(principal: Principal, ids: Collection[str]) -> bool:
    """Whether an entry or a tag names him or one of these ids. Most people own nothing, and each page asks."""
    named = OwnerEntry.objects.filter(principal__principal_id__in=ids).values_list("principal__principal_id")
    tags = (model.objects.exclude(owners_tag="").values_list("owners_tag") for model in (Account, OrganizationalUnit))
    words = (word for (text,) in named.union(*tags) for word in (text or "").split())
    return any(word in ids or fold(word) == principal.name_key for word in words)


def load_named(texts: Iterable[str]) -> Register:
    """A register that knows whom these texts name, written like the tag of owners."""
    return Register({}, **_load_people({name for text in texts for name in text.split()}))


def load_owning_groups() -> frozenset[str]:
    """The ids of all groups that own something, or that a guardrail names: their members have to be known."""
    register = load_register()
    roles = Guardrail.objects.filter(is_active=True).values_list("roles", flat=True)
    named = _list_named(register.sites, register.units)
    groups = Principal.objects.filter(type=Principal.Type.GROUP, principal_id__isnull=False, gone_at__isnull=True)
    wanted = named.union(*(text.split() for text in roles))
    return frozenset(name for name in groups.values_list("principal_id", flat=True) if name and name in wanted)


class _People(TypedDict):
    holders: dict[str, Holder]
    members: dict[str, frozenset[str]]


def _load_people(names: Collection[str]) -> _People:
    """Those whom the names mean, and the members of the groups among them."""
    holders = _load_holders(names)
    members, people = _load_members(holder.principal_id for holder in holders.values() if holder.is_group)
    return {"holders": people | holders, "members": members}


def _load_places(accounts: Collection[str] | None) -> Places:
    """Those of these accounts, or of all, and of all units."""
    entries = _load_entries(accounts)
    sites = {site.account_id: site for site in _iter_sites(accounts, entries)}
    return Places(sites, {unit.unit_id: unit for unit in _iter_units(entries)})


Entries = tuple[dict[str, set[str]], dict[str, set[str]]]
"""Principals by account id, and by unit id."""


def _load_entries(accounts: Collection[str] | None) -> Entries:
    """Those of these accounts, and of all units."""
    of_accounts: dict[str, set[str]] = {}
    of_units: dict[str, set[str]] = {}
    rows = OwnerEntry.objects.all()
    if accounts is not None:
        rows = rows.filter(Q(account__account_id__in=accounts) | Q(ou__isnull=False))
    for account_id, unit_id, principal_id in rows.values_list(
        "account__account_id", "ou__ou_id", "principal__principal_id"
    ):
        # Somebody who was never in Identity Center owns, too: he cannot act, but the account is not free.
        found = of_accounts.setdefault(account_id, set()) if account_id else of_units.setdefault(unit_id, set())
        found.add(principal_id or "")
    return of_accounts, of_units


def _iter_sites(accounts: Collection[str] | None, entries: Entries) -> Iterable[Site]:
    rows = Account.objects.all() if accounts is None else Account.objects.filter(account_id__in=accounts)
    moved = Exists(AccountMove.objects.open().filter(account=OuterRef("pk")))
    for account_id, name, unit_id, stage, tag, read_at, is_management, was_moved, key in rows.annotate(
        moved=moved
    ).values_list(
        "account_id", "name", "ou__ou_id", "stage", "owners_tag", "tags_read_at", "is_management", "moved", "pk"
    ):
        yield Site(
            account_id, name, unit_id or "", stage, None if read_at is None else tag,
            frozenset(entries[0].get(account_id, ())), is_management, was_moved, key,
        )  # fmt: skip


def _iter_units(entries: Entries) -> Iterable[Unit]:
    rows = OrganizationalUnit.objects.values_list("ou_id", "name", "parent__ou_id", "owners_tag", "tags_read_at")
    for unit_id, name, parent_id, tag, read_at in rows:
        known = None if read_at is None else tag
        yield Unit(unit_id, name, parent_id or "", known, frozenset(entries[1].get(unit_id, ())))


def _names_of(owned: Site | Unit) -> Iterable[str]:
    yield from owned.entries
    yield from (owned.tag or "").split()


def _load_holders(names: Collection[str]) -> dict[str, Holder]:
    """The principals of these ids or UserNames, those who left included."""
    found: dict[str, Holder] = {}
    for batch in _batches(name for name in names if name):
        keys = {fold(name) for name in batch}
        found |= _read_holders(
            Principal.objects.filter(Q(principal_id__in=batch) | Q(type=Principal.Type.USER, name_key__in=keys))
        )
    return found


_OF_HOLDERS = ("principal_id", "type", "name", "external_id", "is_enabled", "gone_at")


def _read_holders(rows: QuerySet[Principal]) -> dict[str, Holder]:
    values = rows.filter(principal_id__isnull=False).values_list(*_OF_HOLDERS)
    return {row[0]: _build_holder(*row) for row in values if row[0]}


def _build_holder(
    principal_id: str, kind: str, name: str, external_id: str, is_enabled: bool, gone_at: datetime | None
) -> Holder:
    return Holder(principal_id, kind == Principal.Type.GROUP, name, external_id, is_enabled and gone_at is None)


def _load_members(groups: Iterable[str]) -> tuple[dict[str, frozenset[str]], dict[str, Holder]]:
    """Group → its members, and these: both come at once, as asking for thousands by id takes far longer."""
    found: dict[str, set[str]] = {}
    people: dict[str, Holder] = {}
    columns = [F("group__principal_id"), *(F(f"member__{name}") for name in _OF_HOLDERS)]
    for batch in _batches(groups):
        rows = GroupMembership.objects.filter(group__principal_id__in=batch, member__principal_id__isnull=False)
        for group, member, *facts in rows.values_list(*columns):
            found.setdefault(group, set()).add(member)
            if member not in people:
                people[member] = _build_holder(member, *facts)
    return {group: frozenset(members) for group, members in found.items()}, people


def _load_one_member(groups: Collection[str]) -> dict[str, str]:
    """Group → one of its members who is there and enabled."""
    found: dict[str, str] = {}
    for batch in _batches(groups):
        rows = GroupMembership.objects.filter(
            group__principal_id__in=batch, member__principal_id__isnull=False,
            member__is_enabled=True, member__gone_at__isnull=True,
        )  # fmt: skip
        found |= dict(rows.values_list("group__principal_id").annotate(Min("member__principal_id")))
    return found


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    """At most as many as a statement can take that has each of them twice."""
    ordered, size = sorted(names), (connection.features.max_query_params or 2 * _MOST_NAMES) // 2 - 1
    return (ordered[start : start + size] for start in range(0, len(ordered), size))


def _find_portal_accounts() -> frozenset[str]:
    """The account of the portal's role, and the one that AWS says the portal's credentials belong to."""
    role = settings.IDENTITY_CENTER_ROLE_ARN.split(":")
    stored = Instance.objects.values_list("portal_account_id", flat=True)
    return frozenset(filter(None, (*role[4:5], *stored)))
