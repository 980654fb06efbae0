"""The reader's own access from rows."""

from collections.abc import Iterable

from django.db.models import prefetch_related_objects

from accounts.access_portal import find_access_portal
from accounts.models import User
from portal.views.access_rows import Chip, UnitGroup, build_groups
from portal.views.cli_naming import load_naming, load_ways


def load_groups(user: User) -> list[UnitGroup]:
    """All that he has, in a constant number of statements. Profiles are named among all that he may enter."""
    return build_groups(load_ways(user), find_access_portal(), load_naming(user))


def load_menus(chips: Iterable[Chip]) -> None:
    """Which records give the access, for the chips that are drawn."""
    prefetch_related_objects([way for chip in chips for way in chip.assignments], "wishes")
