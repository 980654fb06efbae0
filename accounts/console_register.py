"""The catalogue of console places with what admins added to it, and the regions in the company's order.

A row that cannot be used (the admin site refuses it, but a script or another version may have written it) is left out
and said in the log: the place that it was to replace stays as it came, and no page breaks.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings

from accounts.catalogue.catalogue import Catalogue, load_bundled, require_service
from accounts.catalogue.regions import Region, find_words, is_region, list_regions
from accounts.catalogue.services import BadService, Service, Words
from accounts.models import ConsoleService, FavouriteRegion
from accounts.shortcuts import find_partition

logger = logging.getLogger(__name__)


class RegionList(NamedTuple):
    """The regions of a partition: the company's own first, in its order, then the others."""

    favourites: tuple[Region, ...]
    others: tuple[Region, ...]


def load_catalogue() -> Catalogue:
    """One statement; the bundled places are read once a process."""
    return load_bundled().extended(_read_rows())


def _read_rows() -> Iterator[Service]:
    for row in ConsoleService.objects.all():
        try:
            yield require_service(row.written)
        except BadService as refusal:
            logger.warning("catalogue: service=%s left out, reason=%s", row.slug, refusal.code)


def load_regions(partition: str) -> RegionList:
    """Without favourites the region of Identity Center stands first."""
    codes = list(FavouriteRegion.objects.values_list("code", flat=True)) or [settings.IDENTITY_CENTER_REGION]
    known = {region.code: region for region in list_regions(partition)}
    own = [code for code in codes if is_region(code) and find_partition("", code) == partition]
    favourites = tuple(Region(code, find_words(code) or Words(code, code)) for code in own)
    return RegionList(favourites, tuple(region for code, region in known.items() if code not in own))
