"""A permission set that is in use has changed: told once for all accounts that it reaches, with their owners' names."""

import logging

from django.db import transaction

from accounts.models import Account, PermissionSet, Principal
from accounts.owner_register import load_register
from accounts.set_reach import load_places
from syncer.models import SetVersion
from syncer.sets.widening import list_names
from syncer.states import Reason
from syncer.telling.matters import Kind, Matter
from syncer.telling.notices import tell_event

logger = logging.getLogger(__name__)


def tell_changes() -> None:
    """Write down what became of sets since this was last called. Whatever is wrong with the telling stops no run."""
    try:
        with transaction.atomic():
            _tell()
    except Exception:
        logger.exception("sets: what changed could not be written down to be told")


def _tell() -> None:
    """A first version is no change."""
    fresh = list(SetVersion.objects.filter(is_told=False).order_by("pk"))
    if not fresh:
        return
    places = load_places({version.name for version in fresh})
    for version in fresh:
        earlier = SetVersion.objects.filter(reference=version.reference, pk__lt=version.pk).order_by("-pk").first()
        if earlier and places.get(version.name) and not _is_same(earlier, version):
            tell_event(_describe(version, places[version.name]))
    SetVersion.objects.filter(pk__in=[version.pk for version in fresh]).update(is_told=True)


def _is_same(one: SetVersion, other: SetVersion) -> bool:
    """Whose its record is concerns nobody who has the set."""
    values = [{name: value for name, value in each.values.items() if name != "owners"} for each in (one, other)]
    return values[0] == values[1]


def _describe(version: SetVersion, places: frozenset[str]) -> Matter:
    register = load_register(places)
    owners = frozenset[str]().union(*(register.find_owners(account).people for account in places))
    people = [str(person) for person in Principal.objects.filter(principal_id__in=owners)]
    names = Account.objects.filter(account_id__in=places).values_list("name", flat=True)
    permission_set = PermissionSet.objects.filter(name=version.name).first()
    params = {
        "set": version.name, "name": version.writer_name, "count": len(places),
        "accounts": list_names(list(names)), "owners": ", ".join(sorted(people)) or "–",
    }  # fmt: skip
    path = f"/permission-sets/{permission_set.pk}/history/" if permission_set else "/permission-sets/"
    key = f"set_changed:{version.reference}:{version.revision}"
    return Matter(Kind.PEOPLE, key, Reason("notice_set_changed", params), path, count=len(places))
