"""Who owns an account, which accounts are protected, and which can be claimed. Pure.

Owners are data, not records: an entry or the tag on the account, else on the nearest unit above that has owners. What
an entry or a tag names counts even when nobody can be found under it any more: the account is then owned by nobody who
can act, which is not the same as free.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from accounts.names import fold


class Source(StrEnum):
    """Where the owners of an account come from."""

    ENTRY = "entry"
    TAG = "tag"
    UNIT = "unit"
    NOBODY = "nobody"
    UNREAD = "unread"  # tags that may name some have never been read: who owns it is not known


@dataclass(frozen=True)
class Unit:
    """An organizational unit, or the root (no parent). `tag` is None while its tags have never been read."""

    unit_id: str
    name: str
    parent_id: str = ""
    tag: str | None = ""
    entries: frozenset[str] = frozenset()  # principal ids


@dataclass(frozen=True)
class Site:
    """An account as far as owning it goes. `tag` is None while its tags have never been read."""

    account_id: str
    name: str = ""
    unit_id: str = ""
    stage: str = "other"
    tag: str | None = ""
    entries: frozenset[str] = frozenset()  # principal ids
    is_management: bool = False
    was_moved: bool = False  # and nobody has confirmed the move yet
    key: int = 0  # of its row


@dataclass(frozen=True)
class Holder:
    """A user or group of the identity store, those who left included."""

    principal_id: str
    is_group: bool = False
    name: str = ""  # UserName or DisplayName
    external_id: str = ""
    is_active: bool = True  # enabled, and not gone


@dataclass(frozen=True)
class Owners:
    """Who owns an account.

    principals: the users and groups that own and are still there; people: the users among them and in those groups.
    left: who is named and is disabled or gone. unit_id: the unit that names them, where it is not the account itself.
    """

    source: Source = Source.NOBODY
    principals: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    left: frozenset[str] = field(default=frozenset(), compare=False)
    unit_id: str = field(default="", compare=False)

    @property
    def is_free(self) -> bool:
        """Nobody was ever named. Where all who were named have left, that is not so."""
        return self.source is Source.NOBODY

    @property
    def are_known(self) -> bool:
        return self.source is not Source.UNREAD


NOBODY, UNREAD = Owners(), Owners(Source.UNREAD)


@dataclass(frozen=True)
class Protection:
    """Where only admins register. `units`: ids, or paths from the root of whole names; everything below is included."""

    units: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()  # the delegated administrator's, and that of the portal's role


@dataclass(frozen=True)
class Register:
    """What owning follows from, as values."""

    sites: Mapping[str, Site]  # by account id
    units: Mapping[str, Unit] = field(default_factory=dict)  # by id
    holders: Mapping[str, Holder] = field(default_factory=dict)  # by principal id; at least all that may be named
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)  # group → users
    protection: Protection = Protection()
    claimable_stages: frozenset[str] = frozenset()

    # Owners

    def find_owners(self, account_id: str) -> Owners:
        """The owners of an account; the first place that names any decides."""
        site = self.sites.get(account_id)
        if site is None:
            return UNREAD
        if site.entries:
            return self._own(Source.ENTRY, site.entries)
        if site.tag is None:
            return UNREAD
        if site.tag.strip():
            return self._own(Source.TAG, self._find_named(site.tag))
        return next(filter(None, map(self._find_owners_of_unit, self._iter_units(site))), NOBODY)

    def owns(self, principal_id: str, account_id: str) -> bool:
        """Whether this person can act as an owner of the account."""
        return bool(principal_id) and principal_id in self.find_owners(account_id).people

    def find_named(self, text: str) -> Owners:
        """Whom a text names that is written like the tag: UserNames and GroupIds, separated by blanks."""
        return self._own(Source.TAG, self._find_named(text))

    def find_owned(self, principal_id: str) -> frozenset[str]:
        """The ids of all accounts that this person owns."""
        return frozenset(account_id for account_id in self.sites if self.owns(principal_id, account_id))

    def find_owners_of_unit(self, unit_id: str) -> Owners:
        """Who owns what comes into a unit: its own owners, else those of the nearest unit above."""
        units = self._iter_units(Site("", unit_id=unit_id))
        return next(filter(None, map(self._find_owners_of_unit, units)), NOBODY)

    def _find_owners_of_unit(self, unit: Unit) -> Owners | None:
        if unit.entries:
            return self._own(Source.UNIT, unit.entries, unit.unit_id)
        if unit.tag is None:
            return UNREAD
        return self._own(Source.UNIT, self._find_named(unit.tag), unit.unit_id) if unit.tag.strip() else None

    def _own(self, source: Source, named: Iterable[str], unit_id: str = "") -> Owners:
        known = frozenset(item for item in named if item in self.holders)
        active = frozenset(item for item in known if self.holders[item].is_active)
        people = {item for item in active if not self.holders[item].is_group}
        for group in active - people:
            members = self.members.get(group, frozenset())
            people |= {item for item in members if (holder := self.holders.get(item)) and holder.is_active}
        return Owners(source, active, frozenset(people), known - active, unit_id)

    def _find_named(self, tag: str) -> Iterator[str]:
        """The principals that a tag names: users by UserName, groups by id."""
        for word in tag.split():
            if word in self.holders:
                yield word
            elif found := self._find_user(fold(word)):
                yield found

    def _find_user(self, name: str) -> str:
        """The one user of a UserName. A name that somebody bore before names nobody, unless it is the same person."""
        bearers = self._users_by_name.get(name, ())
        present = [bearer for bearer in bearers if bearer.is_active]
        if len(present) != 1:
            return bearers[0].principal_id if len(bearers) == 1 else ""
        strangers = [bearer for bearer in bearers if not _is_same(bearer, present[0])]
        return "" if strangers else present[0].principal_id

    @cached_property
    def _users_by_name(self) -> Mapping[str, list[Holder]]:
        found: dict[str, list[Holder]] = {}
        for holder in self.holders.values():
            if not holder.is_group and holder.name:
                found.setdefault(fold(holder.name), []).append(holder)
        return found

    # Places

    def _iter_units(self, site: Site) -> Iterator[Unit]:
        """The units above an account, the nearest first, the root last."""
        unit_id, seen = site.unit_id, set[str]()
        while unit_id in self.units and unit_id not in seen:
            seen.add(unit_id)
            yield self.units[unit_id]
            unit_id = self.units[unit_id].parent_id

    def list_units_above(self, account_id: str) -> tuple[str, ...]:
        """The ids of the units above an account, the nearest first."""
        site = self.sites.get(account_id)
        return tuple(unit.unit_id for unit in self._iter_units(site)) if site else ()

    def is_protected(self, account_id: str) -> bool:
        """Whether only admins may register access to the account."""
        if account_id in self.protection.accounts:
            return True
        site = self.sites.get(account_id)
        return site is not None and any(unit.unit_id in self._protected_units for unit in self._iter_units(site))

    def is_protected_unit(self, unit_id: str) -> bool:
        """Whether that holds for all that lies below a unit."""
        return any(unit.unit_id in self._protected_units for unit in self._iter_units(Site("", unit_id=unit_id)))

    @cached_property
    def _protected_units(self) -> Collection[str]:
        wanted = {_fold_path(text) for text in self.protection.units} - {""}
        return {unit_id for unit_id in self.units if unit_id.casefold() in wanted or self._find_path(unit_id) in wanted}

    def _find_path(self, unit_id: str) -> str:
        """The folded names from below the root, joined by slashes; empty for the root."""
        units = list(self._iter_units(Site("", unit_id=unit_id)))
        return _fold_path("/".join(unit.name for unit in reversed(units) if unit.parent_id))

    def find_unmatched_protection(self) -> tuple[str, ...]:
        """What `PROTECTED_OUS` names and the organization does not have."""
        known = {unit_id.casefold() for unit_id in self.units} | {self._find_path(unit_id) for unit_id in self.units}
        return tuple(text for text in self.protection.units if _fold_path(text) not in known)

    def is_claimable(self, account_id: str) -> bool:
        """Whether registering makes one the owner: nobody was ever named, the stage allows it, and no protection.

        Not while a move waits for its confirmation: whoever owned the account has lost it by a unit that changed, and
        what is in it may be what the other stage was for.
        """
        site = self.sites.get(account_id)
        if site is None or site.is_management or site.was_moved or self.is_protected(account_id):
            return False
        return count_as(site.stage) in self.claimable_stages and self.find_owners(account_id).is_free


def count_as(stage: str) -> str:
    """The stage that rules treat an account as: what is unknown is as dangerous as production."""
    return "production" if stage == "other" else stage


def _fold_path(path: str) -> str:
    return "/".join(fold(name) for name in path.strip("/ ").split("/"))


def _is_same(one: Holder, other: Holder) -> bool:
    return one is other or (bool(one.external_id) and fold(one.external_id) == fold(other.external_id))
