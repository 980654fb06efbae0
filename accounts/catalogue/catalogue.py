"""All services together: a destination becomes a URL, a URL becomes a destination. Pure.

Both ways end in `check_destination`: what a template or somebody's clipboard says is believed no further.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from accounts.catalogue.reading import parse_service, refuse_address, require_example
from accounts.catalogue.regions import HOMES, is_region
from accounts.catalogue.services import Parameter, Service
from accounts.catalogue.templates import BUILT_IN, Address, Template, split_address
from accounts.shortcuts import (
    CONSOLE_HOSTS,
    BadDestination,
    Destination,
    build_console_link,
    check_destination,
    strip_sessions,
)

_DATA = Path(__file__).parent / "services.toml"
_DNS = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
_EXAMPLE_ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Built:
    """A URL of the console or of the access portal; `open_names` stand in it in braces."""

    url: str
    open_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What a URL of the console says. `service` is None where the catalogue has nothing like it.

    account_id: where the address names it; dropped: what a link built from this would not have, such as `tab=tags`.
    """

    destination: Destination
    service: Service | None = None
    account_id: str = ""
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    services: tuple[Service, ...]

    @cached_property
    def _by_slug(self) -> Mapping[str, Service]:
        return {service.slug: service for service in self.services}

    @property
    def offered(self) -> tuple[Service, ...]:
        """What people choose from. A hidden service goes on working for what was kept with it."""
        return tuple(service for service in self.services if not service.is_hidden)

    def find(self, slug: str) -> Service | None:
        return self._by_slug.get(slug)

    def extended(self, services: Iterable[Service]) -> "Catalogue":
        """With more services; one of the same slug takes the place of ours."""
        return Catalogue(tuple({**self._by_slug, **{service.slug: service for service in services}}.values()))

    def build_url(self, destination: Destination, *, partition: str = "aws", account_id: str = "") -> Built:
        """The destination as a URL of the console; empty for a destination that leaves it to the set.

        Parameters without a value take their default or stay open. Raises BadDestination.
        """
        if not destination.service:
            return Built(check_destination(destination.url, partition) if destination.url else "")
        service = self.find(destination.service)
        if service is None:
            raise BadDestination("service_unknown", slug=destination.service)
        return _build(service, destination, partition, account_id)

    def build_link(
        self, portal_url: str, account_id: str, permission_set: str, destination: Destination, *, partition: str
    ) -> Built:
        """The access portal's link to the destination. Raises BadDestination."""
        built = self.build_url(destination, partition=partition, account_id=account_id)
        link = build_console_link(
            portal_url, account_id, permission_set, built.url, partition=partition, open_names=built.open_names
        )
        return Built(link, built.open_names)

    def take_apart(self, url: str, *, partition: str = "aws") -> Taken:
        """What a URL of the console means. Raises BadDestination for what is none."""
        refusal: BadDestination | None = None
        try:
            url = check_destination(url, partition)
        except BadDestination as error:
            # The console itself encodes some paths twice; what is recognised is built anew, encoded once.
            if error.code != "destination_encoded_twice":
                raise
            url, refusal = strip_sessions(url), error
        best = min(self._find_all(url, partition), key=_rank, default=None)
        if best:
            return best[0]
        if refusal:
            raise refusal
        return Taken(Destination(region=find_region(url, partition), url=url))

    def _find_all(self, url: str, partition: str) -> Iterator[tuple[Taken, int]]:
        parts = urlsplit(url)
        address = split_address(url.partition(parts.netloc)[2])
        host_region = parts.netloc.removesuffix(CONSOLE_HOSTS[partition]).rstrip(".")
        for service in self.services:
            for template in (service.template, *service.also):
                taken = _take(service, template, address, host_region)
                if taken:
                    yield taken, template.weight


def find_region(url: str, partition: str = "aws") -> str:
    """The region that a URL of the console names: in its query, else in its host."""
    parts = urlsplit(url)
    named = dict(split_address(f"?{parts.query}").query).get("region", "")
    label = parts.netloc.removesuffix(CONSOLE_HOSTS[partition]).rstrip(".")
    return next((region for region in (named, label) if is_region(region)), "")


# --- Building ---------------------------------------------------------------------------------------------------------


def _build(service: Service, destination: Destination, partition: str, account_id: str) -> Built:
    region = destination.region if service.is_regional else HOMES[partition]
    if not is_region(region):
        raise BadDestination("region_missing", region=region)
    values = _find_values(service.parameters, destination.filled)
    open_names = tuple(sorted(service.template.names - values.keys()))
    own = {"region": region, "account_id": account_id, "partition": partition,
           "dns": _DNS.get(partition, "amazonaws.com")}  # fmt: skip
    if not account_id and any(gap.name == "account_id" for gap in service.template.gaps):
        raise BadDestination("account_missing")
    path = service.template.fill({**values, **own}, open_names)
    return Built(check_destination(f"https://{_find_host(service, region, partition)}{path}", partition), open_names)


def _find_values(parameters: Iterable[Parameter], given: Mapping[str, str]) -> dict[str, str]:
    """What is given and fits, and defaults. What the service does not ask for (any more) is left out."""
    values = ((parameter, given.get(parameter.name) or parameter.default) for parameter in parameters)
    return {parameter.name: parameter.require(value) for parameter, value in values if value}


def _find_host(service: Service, region: str, partition: str) -> str:
    console = CONSOLE_HOSTS[partition]
    return console if service.place == "bare" else f"{region}.{console}"


# --- Taking apart -----------------------------------------------------------------------------------------------------


def _take(service: Service, template: Template, address: Address, host_region: str) -> Taken | None:
    slashed = frozenset(parameter.name for parameter in service.parameters if parameter.has_slash)
    optional = {parameter.name for parameter in service.parameters if parameter.default}
    found = template.find(address, slashed, optional)
    if found is None:
        return None
    region = found.values.get("region") or dict(address.query).get("region") or host_region
    values = {name: value for name, value in found.values.items() if name not in BUILT_IN}
    if not _fit(service, values) or (service.is_regional and not is_region(region)):
        return None
    destination = Destination.of(service.slug, region if service.is_regional else "", values)
    return Taken(destination, service, found.values.get("account_id", ""), found.dropped)


def _fit(service: Service, values: Mapping[str, str]) -> bool:
    return all(
        parameter.fits(values[parameter.name]) if parameter.name in values else bool(parameter.default)
        for parameter in service.parameters
    )


def _rank(found: tuple[Taken, int]) -> tuple[int, int]:
    """What says the most of an address comes first."""
    taken, weight = found
    return len(taken.dropped), -weight


# --- Where services come from -----------------------------------------------------------------------------------------


def require_service(written: Mapping[str, Any]) -> Service:
    """A service as an admin writes it, tried out with its example. Raises BadService."""
    service = parse_service(written, _load_data().get("parameters", {}))
    example = Destination.of(service.slug, HOMES["aws"], service.find_example())
    alone = Catalogue((service,))
    try:
        url = alone.build_url(example, account_id=_EXAMPLE_ACCOUNT).url
        found = alone.take_apart(url).destination.filled
    except BadDestination as refusal:
        raise refuse_address(refusal) from refusal
    require_example(service, url, found)
    return service


@cache
def load_bundled() -> Catalogue:
    """The services that come with the portal."""
    data = _load_data()
    return Catalogue(tuple(parse_service(written, data["parameters"]) for written in data["services"]))


@cache
def _load_data() -> dict[str, Any]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))
