"""What the builder of shortcuts stands on, and the link that comes of it. The address was read in `shortcut_asking`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.translation import get_language

from accounts.access_portal import AccessPortal
from accounts.catalogue.alerting import Snippet, build_snippets
from accounts.catalogue.catalogue import Catalogue
from accounts.catalogue.formats import Copy, render_copies
from accounts.catalogue.regions import HOMES, Region, is_region
from accounts.catalogue.services import Parameter, Service, Words
from accounts.console_register import RegionList, load_catalogue, load_regions
from accounts.models import Account, User
from accounts.sentences import Sentence, render
from accounts.shortcuts import BadDestination, Destination
from portal.views.shortcut_asking import VALUE, Asked, Place, SetList, find_place, list_sets

_LONGEST_VALUES = 80  # characters of what is filled in, among the words of a link
_LONGEST_QR = 1_200  # characters; what has more is too fine for a camera before a screen


class PlaceGroup(NamedTuple):
    """The places of one AWS service: short name and what it is called."""

    service: str
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Field:
    """A parameter as a field of the form."""

    parameter: Parameter
    label: str
    value: str
    error: Sentence | None
    options: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return VALUE + self.parameter.name

    @property
    def is_choice(self) -> bool:
        """Numbers with options are chosen as well: nobody writes milliseconds by hand."""
        return self.parameter.type == "choice" or (self.parameter.type == "number" and bool(self.options))

    @property
    def has_lines(self) -> bool:
        return self.parameter.type == "lines"


@dataclass(frozen=True)
class Building:
    """What a request asks for, with everything that its words mean."""

    asked: Asked
    access_portal: AccessPortal
    catalogue: Catalogue
    place: Place
    sets: SetList
    regions: RegionList

    @property
    def account(self) -> Account | None:
        return self.place.account

    @property
    def service(self) -> Service | None:
        return self.catalogue.find(self.asked.destination.service)

    @property
    def is_wrong_set(self) -> bool:
        asked = self.asked.permission_set
        return bool(asked and self.account) and asked not in self.sets

    @property
    def region(self) -> str:
        """The one that was chosen, else the account's own, else the company's first."""
        firsts = [region.code for region in self.regions.favourites]
        codes = [self.asked.destination.region, self.place.region, *firsts, HOMES[self.access_portal.partition]]
        return next(code for code in codes if is_region(code))

    @property
    def destination(self) -> Destination:
        """What is asked for, in the region that is meant; values of a place that was chosen before are left out."""
        service, asked = self.service, self.asked.destination
        if service is None:
            return asked
        known = {name: value for name, value in asked.values if service.find_parameter(name)}
        return Destination.of(service.slug, self.region if service.is_regional else "", known)

    @property
    def keep_query(self) -> str:
        """What fills the form that keeps it."""
        pairs = {
            "account": self.asked.account,
            "permission_sets": self.asked.permission_set,
            "destination": json.dumps(self.destination.as_json(), ensure_ascii=False),
        }
        return urlencode({name: value for name, value in pairs.items() if value})

    @property
    def query(self) -> str:
        """The address of this very link, whatever the words were that it came from."""
        account = self.account.account_id if self.account else self.asked.account
        return replace(self.asked, account=account, destination=self.destination).as_query()


@dataclass(frozen=True)
class Result:
    """The link, if there is enough to build one; else what is wrong with it, or nothing yet."""

    url: str = ""
    words: str = ""
    open_names: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    error: Sentence | None = None

    @property
    def has_qr(self) -> bool:
        return bool(self.url) and not self.open_names and len(self.url) <= _LONGEST_QR


def find_building(user: User, asked: Asked, access_portal: AccessPortal) -> Building:
    place = find_place(user, asked.account)
    return Building(
        asked, access_portal, load_catalogue(), place, list_sets(user, place.account),
        load_regions(access_portal.partition),
    )  # fmt: skip


def build_result(building: Building) -> Result:
    account, asked = building.account, building.asked
    if account is None or building.is_wrong_set:
        return Result()
    try:
        built = building.catalogue.build_link(
            building.access_portal.url, account.account_id, asked.permission_set, building.destination,
            partition=building.access_portal.partition,
        )  # fmt: skip
    except BadDestination as refusal:
        return Result(error=render(refusal.code, refusal.params))
    words = describe(building)
    service = building.service
    snippets = build_snippets(service, built.url, words, built.open_names) if service and built.open_names else ()
    return Result(built.url, words, built.open_names, render_copies(built.url, words), snippets)


def describe(building: Building) -> str:
    """The words of the link: where it leads, as people say it."""
    account, service = building.account, building.service
    parts = [account.name if account else "", building.asked.permission_set]
    if service:
        parts += [service.title(get_language() or ""), _describe_values(service, building.destination)]
    elif building.destination.url:
        parts.append("AWS")
    return " · ".join(part for part in parts if part)


def _describe_values(service: Service, destination: Destination) -> str:
    """What was filled in, on one line; what every link has is not worth a word."""
    filled = destination.filled
    values = (filled.get(parameter.name, "") for parameter in service.required)
    text = " ".join(" / ".join(value for value in values if value).split())
    return text if len(text) <= _LONGEST_VALUES else f"{text[: _LONGEST_VALUES - 1]}…"


# --- What the form offers ---------------------------------------------------------------------------------------------


def list_fields(building: Building) -> list[Field]:
    """A field for each parameter of the place, with what is wrong in it."""
    service, filled = building.service, building.asked.destination.filled
    return (
        [_make_field(parameter, filled.get(parameter.name, "")) for parameter in service.parameters] if service else []
    )


def _make_field(parameter: Parameter, value: str) -> Field:
    language = get_language() or ""
    wrong = {"value": value[:100], "example": parameter.example}
    error = render("value_wrong", wrong) if value and not parameter.fits(value) else None
    options = tuple((option.value, option.words.of(language)) for option in parameter.options)
    field = Field(parameter, parameter.words.of(language), value, error, options)
    if not field.is_choice:
        return field
    shown = value or parameter.default
    known = shown in dict(options)
    return replace(field, value=shown, options=options if known else ((shown, shown), *options))


def group_places(catalogue: Catalogue) -> list[PlaceGroup]:
    """What can be chosen, by AWS service in the order of the catalogue's first place of each."""
    language = get_language() or ""
    order = {service.service: number for number, service in reversed([*enumerate(catalogue.offered)])}
    offered = sorted(catalogue.offered, key=lambda service: order[service.service])
    return [
        PlaceGroup(name, tuple((service.slug, service.words.of(language)) for service in places))
        for name, places in groupby(offered, key=lambda service: service.service)
    ]


class RegionGroup(NamedTuple):
    is_favourite: bool
    regions: tuple[tuple[str, str], ...]


def group_regions(building: Building) -> list[RegionGroup]:
    """The company's regions, then the others; with the one that was asked for, whatever it is."""
    listed = building.regions
    known = {region.code for region in (*listed.favourites, *listed.others)}
    code = building.region
    extra = () if code in known else (Region(code, Words(code, code)),)
    groups = ((True, listed.favourites), (False, (*extra, *listed.others)))
    return [RegionGroup(first, tuple(_name_regions(regions))) for first, regions in groups if regions]


def _name_regions(regions: tuple[Region, ...]) -> Iterator[tuple[str, str]]:
    language = get_language() or ""
    for code, words in regions:
        name = words.of(language)
        yield code, code if name == code else f"{name} ({code})"
