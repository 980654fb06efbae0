"""How the reader's CLI profiles are named, from rows."""

from accounts.access import find_own_assignments
from accounts.access_portal import AccessPortal
from accounts.cli.naming import Profile
from accounts.models import AccountCliDefaults, Assignment, CliPreference, User
from accounts.models.access import load_places
from portal.views.access_rows import Naming, build_groups, list_chips


def load_preference(user: User) -> CliPreference:
    """What the person has chosen, else a row that is not saved."""
    return CliPreference.objects.filter(user=user).first() or CliPreference(user=user)


def load_naming(user: User) -> Naming:
    """The person's pattern and region, and what accounts are called."""
    chosen = load_preference(user)
    rows = AccountCliDefaults.objects.values_list("account__account_id", "short_name", "region")
    defaults = {account_id: (short_name, region) for account_id, short_name, region in rows}
    return Naming(chosen.pattern, chosen.is_kebab, chosen.region, defaults)


def load_ways(user: User) -> list[Assignment]:
    """The person's own access with its places."""
    ways = list(find_own_assignments(user))
    load_places(ways)
    return ways


def list_own_profiles(user: User, access_portal: AccessPortal, naming: Naming) -> list[Profile]:
    """A profile for everything that the person may enter now, in the order of his own page."""
    chips = list_chips(build_groups(load_ways(user), access_portal, naming))
    return [chip.profile for chip in chips if chip.profile]
