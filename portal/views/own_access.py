"""The reader's own access from rows."""

from collections.abc import Iterable

from django.db.models import prefetch_related_objects

from accounts.access import find_own_assignments
from accounts.access_portal import find_access_portal
from accounts.models import User
from portal.views.access_rows import Chip, UnitGroup, build_groups
from portal.views.cli_naming import load_naming


def load_groups(user: User) -> list[UnitGroup]:
    """All that he has, in a constant number of statements. Profiles are named among all that he may enter."""
    return build_groups(find_own_assignments(user).with_own_places(), find_access_portal(), load_naming(user))


def load_menus(chips: Iterable[Chip]) -> None:
    """Who and which record gives the access, for the chips that are drawn."""
    prefetch_related_objects([way for chip in chips for way in chip.assignments], "principal", "wishes")
