"""What the address of the builder says: an account, a set, a place in the console and what is filled in.

All of it stands in the address, so that it can be shared and works without script. An account or set that the visitor
may not see is one that is not there.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest

from accounts.access import find_own_assignments, visible_accounts, visible_assignments
from accounts.catalogue.catalogue import Catalogue, Taken
from accounts.finding import search_accounts
from accounts.models import Account, AccountCliDefaults, User
from accounts.shortcuts import BadDestination, ConsoleLink, Destination, parse_console_link
from portal.views.paging import read_query

VALUE = "p-"  # before the name of a parameter, so that none can be taken for a field of the form
_LONGEST = 8_000  # characters of a value or an address
_MOST_OWN, _MOST_FOUND, _MOST_SETS = 300, 8, 300
_NOWHERE = Destination()


@dataclass(frozen=True)
class Asked:
    """The fields of the form as they came. `pasted` is what it was made from, where a link would lose some of it."""

    account: str = ""
    permission_set: str = ""
    destination: Destination = _NOWHERE
    pasted: str = ""

    def as_query(self) -> str:
        """The same as a query of an address, without what is empty."""
        destination = self.destination
        pairs = {
            "account": self.account,
            "set": self.permission_set,
            "service": destination.service,
            "region": destination.region,
            **{VALUE + name: value for name, value in destination.values},
            "url": destination.url,
            "from": self.pasted,
        }
        return urlencode({name: value for name, value in pairs.items() if value})


@dataclass(frozen=True)
class Place:
    """The account that is meant; None where the words mean several (`near`), one that is not seen, or nothing."""

    written: str
    account: Account | None = None
    near: tuple[Account, ...] = ()
    region: str = ""

    @property
    def is_wrong(self) -> bool:
        return bool(self.written) and self.account is None


@dataclass(frozen=True)
class SetList:
    """The permission sets of an account: those that the visitor has there himself, and those that others have."""

    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.own or name in self.others


def read_asked(request: HttpRequest) -> Asked:
    values = {name.removeprefix(VALUE): read_value(request, name) for name in request.GET if name.startswith(VALUE)}
    destination = Destination.of(read_query(request, "service"), read_query(request, "region"), values)
    if not destination.service:
        destination = replace(destination, values=(), url=read_value(request, "url"))
    return Asked(read_query(request, "account"), read_query(request, "set"), destination, read_value(request, "from"))


def read_value(request: HttpRequest, name: str) -> str:
    """A value as it was typed, without blanks around it; browsers send line breaks as two characters."""
    return request.GET[name].replace("\r\n", "\n").replace("\0", "").strip()[:_LONGEST] if name in request.GET else ""


# --- What was pasted --------------------------------------------------------------------------------------------------


def take_pasted(asked: Asked, text: str, catalogue: Catalogue, partition: str) -> Asked:
    """The form with what a pasted address says. Raises BadDestination for what is no address of the console.

    What the address does not say stays as it was.
    """
    link = parse_console_link(text)
    url = text.strip() if link is None else link.destination
    taken = catalogue.take_apart(url, partition=partition) if url else Taken(Destination())
    known = link or ConsoleLink("", "", "")
    account = known.account_id or taken.account_id or asked.account
    permission_set = known.permission_set or (asked.permission_set if account == asked.account else "")
    return Asked(account, permission_set, taken.destination, url if taken.dropped else "")


def find_dropped(asked: Asked, catalogue: Catalogue, partition: str) -> tuple[str, ...]:
    """What the address that was pasted says beyond what the link will, while the place is still the one it named."""
    if not asked.pasted:
        return ()
    try:
        taken = catalogue.take_apart(asked.pasted, partition=partition)
    except BadDestination:
        return ()
    return taken.dropped if taken.destination.service == asked.destination.service else ()


def as_pasted(asked: Asked) -> Asked:
    """The same with the address as it was pasted in place of what it was taken for."""
    return replace(asked, destination=Destination(url=asked.pasted), pasted="")


# --- Accounts and sets ------------------------------------------------------------------------------------------------


def find_place(user: User, written: str) -> Place:
    """The account of an id, of a whole name, or of words that mean only one."""
    if not written:
        return Place("")
    digits = written.replace(" ", "").replace("-", "")
    if len(digits) == 12 and digits.isascii() and digits.isdigit():
        return _make_place(written, visible_accounts(user).filter(account_id=digits, gone_at__isnull=True).first())
    found = search_accounts(user, written, _MOST_FOUND)
    named = [account for account in found if account.name == written]
    meant = named if len(named) == 1 else found
    return _make_place(written, meant[0]) if len(meant) == 1 else Place(written, near=tuple(found))


def _make_place(written: str, account: Account | None) -> Place:
    regions = AccountCliDefaults.objects.filter(account=account).values_list("region", flat=True)
    return Place(written, account, region=regions.first() or "" if account else "")


def list_own_accounts(user: User) -> list[tuple[str, str]]:
    """Ids and names of what the visitor may enter, to choose from while typing."""
    rows = find_own_assignments(user).values_list("account__account_id", "account__name")
    return list(rows.order_by("account__name", "account__account_id").distinct()[:_MOST_OWN])


def list_sets(user: User, account: Account | None) -> SetList:
    if account is None:
        return SetList()
    own, seen = (
        rows.filter(account=account).values_list("permission_set__name", flat=True).order_by("permission_set__name")
        for rows in (find_own_assignments(user), visible_assignments(user))
    )
    mine = tuple(own.distinct()[:_MOST_SETS])
    return SetList(mine, tuple(name for name in seen.distinct()[:_MOST_SETS] if name not in mine))
