"""The versions of a permission set that were in force, and going back to one, by the checks of any save."""

from accounts.models import AppKind, Draft, PermissionSet, User
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible, Values, load_fields
from syncer.models import SetVersion
from syncer.records.parsing import SET_FIELDS
from syncer.states import Reason

MOST_SHOWN = 50


def list_versions(permission_set: PermissionSet) -> list[SetVersion]:
    """The newest first."""
    return list(SetVersion.objects.filter(name=permission_set.name).order_by("-pk")[:MOST_SHOWN])


def read_values(version: SetVersion) -> Values:
    """What it said, as a form has it: what a set may do and how, not whose it is."""
    return {name: value for name, value in saving.as_values(version.values).items() if name in SET_FIELDS}


def restore(permission_set: PermissionSet, version: SetVersion, user: User) -> Draft:
    """Save what it said as the newest revision. Raises PermissionDenied, and NotPossible with why."""
    record = permission_set.record
    if record is None or record.gone_at is not None:
        raise NotPossible(Reason("twin_no_record", {"set": permission_set.name}))
    known = load_fields(AppKind.PERMISSION_SET)
    values = {name: value for name, value in read_values(version).items() if name in known}
    return saving.save(AppKind.PERMISSION_SET, user, values, record=record)
