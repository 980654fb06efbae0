"""A person's access as he looks for it: units, the accounts in them, one chip a permission set. No queries here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import groupby

from accounts.access_portal import AccessPortal
from accounts.cli.naming import DEFAULT_PATTERN, AccountRole, Profile, name_profiles
from accounts.cli.rendering import build_profile
from accounts.models import Account, Assignment
from accounts.search import build_key, split_query
from accounts.shortcuts import build_console_link
from portal.views.states import ORDER, Shown, show_assignment


@dataclass(frozen=True)
class Naming:
    """How the reader's CLI profiles are named; defaults: account id → (name in profiles, region)."""

    pattern: str = DEFAULT_PATTERN
    is_kebab: bool = False
    region: str = ""
    defaults: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Chip:
    """One permission set in one account, through one assignment or several. `link` is empty where nobody can enter.

    `region` is where the reader works. What only a page shows is made when it asks: of hundreds of chips it shows some.
    """

    assignments: tuple[Assignment, ...]
    link: str = ""
    profile: Profile | None = None
    region: str = ""

    @property
    def first(self) -> Assignment:
        return self.assignments[0]

    @property
    def name(self) -> str:
        return self.first.permission_set.name

    @cached_property
    def shown(self) -> Shown:
        return show_assignment(self.first)

    @cached_property
    def config(self) -> str:
        return build_profile(self.profile, region=self.region).render() if self.profile else ""

    @cached_property
    def key(self) -> str:
        return build_key([self.name])

    @property
    def until(self) -> date | None:
        """The last day, when every way in ends."""
        days = [assignment.expires_on for assignment in self.assignments]
        return None if None in days else max(day for day in days if day)


@dataclass(frozen=True)
class AccountRow:
    account: Account
    chips: tuple[Chip, ...]

    @cached_property
    def key(self) -> str:
        """What the row is found by, as in the lists of accounts."""
        return build_key((self.account.name, self.account.account_id, _path_of(self)))


@dataclass(frozen=True)
class UnitGroup:
    """The accounts of one organizational unit; `above` is the path of the units over it.

    `count` is how many there are, where `rows` are only those of one page.
    """

    above: str
    name: str
    rows: tuple[AccountRow, ...]
    count: int


def build_groups(
    assignments: Iterable[Assignment], access_portal: AccessPortal | None, naming: Naming
) -> list[UnitGroup]:
    """Groups in the order of their paths. The assignments come with account, OU, permission set and principal."""
    chips = _name_profiles(list(_build_chips(assignments, access_portal)), naming)
    rows = [
        AccountRow(account, tuple(sorted(group, key=lambda chip: chip.name.casefold())))
        for account, group in groupby(chips, key=lambda chip: chip.first.account)
    ]
    return [
        _build_group(path, tuple(sorted(group, key=lambda row: (row.account.name.casefold(), row.account.account_id))))
        for path, group in groupby(sorted(rows, key=lambda row: (not _path_of(row), _path_of(row))), key=_path_of)
    ]


def filter_groups(groups: Iterable[UnitGroup], query: str) -> list[UnitGroup]:
    """What every word of the query fits: the account's name, id or unit, else the name of a set (that chip alone).

    static/js/filter.js does the same while somebody types.
    """
    words = split_query(query)
    found = ((group, tuple(_filter_rows(group, words))) for group in groups)
    return [replace(group, rows=rows, count=len(rows)) for group, rows in found if rows]


def split_pages(groups: Iterable[UnitGroup], most: int) -> list[list[UnitGroup]]:
    """The same on pages of at most so many chips. An account is on one page, also where it alone has more."""
    pages: list[list[tuple[UnitGroup, AccountRow]]] = [[]]
    room = most
    for unit in groups:
        for row in unit.rows:
            if pages[-1] and len(row.chips) > room:
                pages.append([])
                room = most
            pages[-1].append((unit, row))
            room -= len(row.chips)
    return [_regroup(page) for page in pages]


def _regroup(page: Iterable[tuple[UnitGroup, AccountRow]]) -> list[UnitGroup]:
    units = groupby(page, key=lambda pair: pair[0])
    return [replace(unit, rows=tuple(row for _unit, row in pairs)) for unit, pairs in units]


def list_chips(groups: Iterable[UnitGroup]) -> list[Chip]:
    return [chip for group in groups for row in group.rows for chip in row.chips]


def _build_chips(assignments: Iterable[Assignment], access_portal: AccessPortal | None) -> Iterator[Chip]:
    def key(assignment: Assignment) -> tuple[int, str, int]:
        return assignment.account_id, assignment.permission_set.name, assignment.permission_set_id

    for _key, group in groupby(sorted(assignments, key=key), key=key):
        ways = tuple(sorted(group, key=lambda way: (not _can_enter(way), ORDER.index(way.state))))
        link = ""
        if access_portal and _can_enter(ways[0]):
            link = build_console_link(access_portal.url, ways[0].account.account_id, ways[0].permission_set.name)
        yield Chip(ways, link)


def _can_enter(assignment: Assignment) -> bool:
    return assignment.can_be_entered and assignment.account.is_active


def _name_profiles(chips: Sequence[Chip], naming: Naming) -> list[Chip]:
    """The chips with their CLI profiles; names are unique among all that the person may enter."""
    roles = [_build_role(chip, naming) for chip in chips if chip.link]
    profiles = iter(name_profiles(roles, naming.pattern, is_kebab=naming.is_kebab))
    return [replace(chip, profile=next(profiles), region=naming.region) if chip.link else chip for chip in chips]


def _build_role(chip: Chip, naming: Naming) -> AccountRole:
    account = chip.first.account
    short_name, region = naming.defaults.get(account.account_id, ("", ""))
    return AccountRole(
        account.account_id, account.name, chip.name, account.stage, account.ou.path if account.ou else "",
        short_name, region,
    )  # fmt: skip


def _path_of(row: AccountRow) -> str:
    return row.account.ou.path if row.account.ou else ""


def _build_group(path: str, rows: tuple[AccountRow, ...]) -> UnitGroup:
    above, _slash, name = path.rpartition("/")
    return UnitGroup(above.replace("/", " / "), name, rows, len(rows))


def _filter_rows(group: UnitGroup, words: Sequence[str]) -> Iterator[AccountRow]:
    for row in group.rows:
        account = row.key
        rest = [word for word in words if word not in account]
        chips = tuple(chip for chip in row.chips if all(word in chip.key for word in rest))
        if chips:
            yield replace(row, chips=chips)
