"""What one person can go to, from rows: only what he may see, and places only where he may enter now."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.access import find_own_assignments, visible_accounts, visible_permission_sets
from accounts.access_portal import AccessPortal, find_access_portal
from accounts.catalogue.catalogue import Catalogue
from accounts.catalogue.regions import find_words
from accounts.catalogue.services import Service
from accounts.console_register import load_catalogue, load_regions
from accounts.finding import search_groups, search_people
from accounts.kept_shortcuts import visible_shortcuts
from accounts.models import Account, AccountCliDefaults, Group, PermissionSet, Person, Shortcut, Stage, User, Visit
from accounts.palette.use import ENTERED, weigh_use
from accounts.palette.words import tokenise
from accounts.palette.world import (
    ANY_ACCOUNT,
    AccountEntry,
    Entry,
    Kind,
    OpenService,
    OwnSet,
    Place,
    World,
    order_places,
)
from accounts.policy.summary import Level
from accounts.shortcuts import BadDestination, Destination
from portal.views.addresses import find_address
from portal.views.palette_pages import list_pages
from portal.views.shortcut_links import describe_destination
from portal.views.summaries import LevelMark, mark_level
from syncer.telling.messages import space_digits

_COSTS = "cost-explorer"  # the one place for which a set that only shows costs is enough
_DAY = 86_400  # seconds
_LONGEST = 200  # characters of a note or description that are looked through
_OF_SHORTCUTS = ("slug", "name", "note", "tags", "icon", "permission_sets", "destination")


class _AccountRow(NamedTuple):
    """What is asked of a thousand accounts."""

    name: str
    account_id: str
    stage: str
    stage_word: str
    path: str


@dataclass(frozen=True)
class _Uses:
    """What the person uses: of (account's row, set's name), and of shortcuts by row."""

    places: Mapping[tuple[int, str], int]
    shortcuts: Mapping[int, int]


def load_world(user: User) -> World:
    """Everything but people and groups, who are too many; see `find_people`. A constant number of statements."""
    access_portal, catalogue, uses = find_access_portal(), load_catalogue(), _load_uses(user)
    own = _load_own(user) if access_portal else {}
    rows = [(row, mark_level(row)) for row in _load_sets(user)]
    wanted = {pk for places in own.values() for pk in places}
    sets = [(row, mark) for row, mark in rows if row.pk in wanted]
    own_sets = tuple(OwnSet.of(row.name, (tokenise(row.name),), _find_level(mark)) for row, mark in sets)
    places = _list_places(own, {row.pk: number for number, (row, _mark) in enumerate(sets)}, own_sets, uses)
    accounts = tuple(_list_accounts(user, access_portal, places))
    regions = {account.region for account in accounts if account.places}
    return World(
        access_portal.url if access_portal else "",
        own_sets,
        tuple(_list_services(catalogue, access_portal, regions)) if access_portal else (),
        accounts,
        (
            *_list_shortcuts(user, catalogue, uses),
            *list_pages(user),
            *(_describe_set(row, mark) for row, mark in rows if row.state != PermissionSet.State.REMOVED),
            *_list_builders(catalogue),
        ),
    )


def find_people(user: User, query: str, most: int) -> list[Entry]:
    """People and groups whom the query means, as entries like the world's."""
    people = search_people(user, query, most)
    return [*map(_describe_person, people), *map(_describe_group, search_groups(user, query, most))]


# --- Rows -------------------------------------------------------------------------------------------------------------


def _load_uses(user: User) -> _Uses:
    now = timezone.now()
    places, shortcuts = {}, {}
    for visit in Visit.objects.filter(user=user):
        use = weigh_use(visit.count, (now - visit.last_at).total_seconds() / _DAY, is_pinned=visit.is_pinned)
        if visit.shortcut_id:
            shortcuts[visit.shortcut_id] = use
        elif visit.account_id:
            places[visit.account_id, visit.permission_set] = use
    return _Uses(places, shortcuts)


def _load_own(user: User) -> dict[int, list[int]]:
    """Rows of sets by row of account: what he may enter now."""
    active = find_own_assignments(user).filter(
        in_aws=True, account__state=Account.State.ACTIVE, account__gone_at__isnull=True
    )
    own: defaultdict[int, list[int]] = defaultdict(list)
    for account, permission_set in active.values_list("account_id", "permission_set_id").distinct():
        own[account].append(permission_set)
    return own


def _list_places(
    own: Mapping[int, Iterable[int]], numbers: Mapping[int, int], sets: Sequence[OwnSet], uses: _Uses
) -> dict[int, tuple[Place, ...]]:
    """By row of account. numbers: of the sets' rows."""
    return {
        account: order_places(
            (Place(numbers[pk], uses.places.get((account, sets[numbers[pk]].name), 0)) for pk in rows if pk in numbers),
            sets,
        )
        for account, rows in own.items()
    }


def _load_sets(user: User) -> QuerySet[PermissionSet]:
    """With what is said of them; definitions are long, and a company has hundreds."""
    rows = visible_permission_sets(user).select_related("record").order_by("name")
    return rows.only("name", "description", "state", "actual", "record__in_force")


def _list_accounts(
    user: User, access_portal: AccessPortal | None, places: Mapping[int, tuple[Place, ...]]
) -> Iterator[AccountEntry]:
    rows = visible_accounts(user).filter(gone_at__isnull=True).order_by("name", "account_id")
    named = AccountCliDefaults.objects.values_list("account_id", "short_name", "region")
    defaults = {account: (short_name, region) for account, short_name, region in named}
    usual, words = _find_usual_region(access_portal), {stage.value: str(stage.label) for stage in Stage}
    for key, name, account_id, stage, path in rows.values_list("pk", "name", "account_id", "stage", "ou__path"):
        short_name, region = defaults.get(key, ("", ""))
        row = _AccountRow(name, account_id, stage, words[stage], path or "")
        yield _describe_account(row, short_name, region or usual, places.get(key, ()))


def _find_usual_region(access_portal: AccessPortal | None) -> str:
    if access_portal is None:
        return ""
    favourites = load_regions(access_portal.partition).favourites
    return favourites[0].code if favourites else access_portal.region


def _describe_account(row: _AccountRow, short_name: str, region: str, places: tuple[Place, ...]) -> AccountEntry:
    texts = (row.name, row.account_id, row.path, row.stage, short_name)
    entry = Entry(
        Kind.ACCOUNT,
        row.name,
        " · ".join(filter(None, (row.stage_word, row.path.replace("/", " / "), space_digits(row.account_id)))),
        find_address("account_detail", row.account_id),
        tuple(filter(None, map(tokenise, texts))),
        "cloud",
        ENTERED if places else 0,
        row.stage,
    )
    region_word = _name_region(region, get_language() or "en")
    return AccountEntry(entry, row.account_id, row.stage_word, region, region_word, places)


@lru_cache(maxsize=200)
def _name_region(code: str, language: str) -> str:
    words = find_words(code)
    return words.of(language) if words else code


def _find_level(mark: LevelMark | None) -> Level | None:
    return Level(mark.level) if mark and mark.level in set(Level) else None


# --- Entries ----------------------------------------------------------------------------------------------------------


def _list_services(
    catalogue: Catalogue, access_portal: AccessPortal, regions: Collection[str]
) -> Iterator[OpenService]:
    """The services that can be opened at once, in the regions that are needed."""
    for service in catalogue.offered:
        if not service.required:
            wanted = sorted(regions) if service.is_regional else [""]
            links = {region: _encode(catalogue, service, region, access_portal.partition) for region in wanted}
            texts = _list_texts(service)
            yield OpenService(service.slug, _title(service), texts, links, service.slug == _COSTS)


def _encode(catalogue: Catalogue, service: Service, region: str, partition: str) -> str:
    """As it stands in a link; empty where it leads nowhere, so that the set's own page opens."""
    try:
        built = catalogue.build_url(Destination.of(service.slug, region), partition=partition, account_id=ANY_ACCOUNT)
    except BadDestination:
        return ""
    return quote(built.url, safe="")


def _title(service: Service) -> str:
    return service.title(get_language() or "en")


def _list_texts(service: Service) -> tuple[str, ...]:
    names = [_title(service), service.title("en"), service.title("ja"), *service.aliases]
    return tuple(dict.fromkeys(filter(None, map(tokenise, names))))


def _list_builders(catalogue: Catalogue) -> Iterator[Entry]:
    """Where a link to a service is made, also to one that has to be told something."""
    for service in catalogue.offered:
        href = f"{reverse('new_shortcut')}?{urlencode({'service': service.slug})}"
        yield Entry(
            Kind.SERVICE, _title(service), _("Make a shortcut"), href, _list_texts(service), "bookmark-plus"
        )  # fmt: skip


def _list_shortcuts(user: User, catalogue: Catalogue, uses: _Uses) -> Iterator[Entry]:
    rows = visible_shortcuts(user).select_related(None).select_related("account")
    for row in rows.only(*_OF_SHORTCUTS, "account__name", "account__account_id", "account__stage"):
        yield _describe_shortcut(row, catalogue, uses.shortcuts.get(row.pk, 0))


def _describe_shortcut(row: Shortcut, catalogue: Catalogue, use: int) -> Entry:
    texts = (row.name, row.slug, " ".join(row.tags), row.note[:_LONGEST], row.account.name, row.account.account_id,
             row.account.stage, describe_destination(row, catalogue))  # fmt: skip
    return Entry(
        Kind.SHORTCUT,
        row.name,
        " · ".join([row.account.get_stage_display(), row.account.name, *row.permission_sets]),
        find_address("go", row.slug),
        tuple(filter(None, map(tokenise, texts))),
        row.icon,
        use,
        row.account.stage,
    )


def _describe_set(row: PermissionSet, mark: LevelMark | None) -> Entry:
    texts = tuple(filter(None, (tokenise(row.name), tokenise(row.description[:_LONGEST]))))
    return Entry(
        Kind.SET,
        row.name,
        mark.word if mark else "",
        find_address("permission_set_detail", row.pk),
        texts,
        "key-square",
    )


def _describe_person(row: Person) -> Entry:
    names = (row.name, row.email, row.kintone_code, row.principal.name if row.principal else "")
    return Entry(
        Kind.PERSON,
        row.name,
        row.email,
        find_address("person_detail", row.pk),
        tuple(dict.fromkeys(filter(None, map(tokenise, names)))),
        "user-round",
    )


def _describe_group(row: Group) -> Entry:
    texts = tuple(dict.fromkeys(filter(None, map(tokenise, (row.name, row.display_name)))))
    return Entry(Kind.GROUP, row.name, "", find_address("group_detail", row.pk), texts, "users")
