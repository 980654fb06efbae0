"""All that one person can go to, as the browser gets it and the server reads it.

What is found by its own words is an `Entry`. A place of the console is put together while somebody types: an account,
one of the sets that he has there, and a service that can be opened at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote

from accounts.entering import LEVELS, may_change, rank_level
from accounts.policy.summary import Level

# Stands in a link in place of an account's id until it is known; digits look the same however they are encoded.
ANY_ACCOUNT = "999999999999"


class Kind(StrEnum):
    """In the order in which equals stand."""

    PLACE = "place"
    SHORTCUT = "shortcut"
    ACCOUNT = "account"
    PAGE = "page"
    SET = "set"
    SERVICE = "service"
    PERSON = "person"
    GROUP = "group"


@dataclass(frozen=True)
class Entry:
    """texts: folded words that it is found by, the first its name. use: see `palette.use`."""

    kind: Kind
    title: str
    below: str
    href: str
    texts: tuple[str, ...]
    icon: str
    use: int = 0
    stage: str = ""


@dataclass(frozen=True)
class OwnSet:
    """A set that the person has somewhere. rank: how much it may do; is_billing: it shows costs and nothing else."""

    name: str
    texts: tuple[str, ...]
    rank: int
    is_billing: bool = False
    may_change: bool = False

    @classmethod
    def of(cls, name: str, texts: tuple[str, ...], level: Level | None) -> "OwnSet":
        """One that only shows costs serves last, but where costs are what is wanted."""
        is_billing = level is Level.BILLING
        rank = len(LEVELS) + 1 if is_billing else rank_level(level)
        return cls(name, texts, rank, is_billing, may_change(level))


@dataclass(frozen=True)
class OpenService:
    """destinations: by region, as they stand encoded in a link; under "" where the service has no region."""

    slug: str
    title: str
    texts: tuple[str, ...]
    destinations: Mapping[str, str]
    is_billing: bool = False
    icon: str = "arrow-up-right"


class Place(NamedTuple):
    """A set that one has in an account: its number in the world's list, and the use of it there."""

    number: int
    use: int = 0


@dataclass(frozen=True)
class AccountEntry:
    """places: in the order of `order_places`, on which the ranking relies."""

    entry: Entry
    account_id: str
    stage_word: str
    region: str = ""
    region_word: str = ""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class World:
    portal: str = ""
    sets: tuple[OwnSet, ...] = ()
    services: tuple[OpenService, ...] = ()
    accounts: tuple[AccountEntry, ...] = ()
    entries: tuple[Entry, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Nothing is copied: somebody may have forty thousand places."""
        return {
            "portal": self.portal,
            "sets": [vars(own) for own in self.sets],
            "services": [vars(service) for service in self.services],
            "accounts": [{**vars(account), "entry": vars(account.entry)} for account in self.accounts],
            "entries": [vars(entry) for entry in self.entries],
        }

    def build_link(self, account: AccountEntry, own: OwnSet, service: OpenService | None) -> str:
        """The access portal's link, as `accounts.shortcuts` would build it."""
        link = (
            f"{self.portal.rstrip('/')}/#/console?account_id={account.account_id}&role_name={quote(own.name, safe='')}"
        )
        destination = find_destination(service, account)
        return f"{link}&destination={destination}" if destination else link


def order_places(places: Iterable[Place], sets: Sequence[OwnSet]) -> tuple[Place, ...]:
    """What one uses first, then the least powerful."""
    return tuple(sorted(places, key=lambda place: (-place.use, sets[place.number].rank, sets[place.number].name)))


def find_destination(service: OpenService | None, account: AccountEntry) -> str:
    """Empty where the set decides."""
    if service is None:
        return ""
    found = service.destinations.get("") or service.destinations.get(account.region, "")
    return found.replace(ANY_ACCOUNT, account.account_id)
