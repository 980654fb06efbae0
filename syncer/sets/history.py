"""The versions of a permission set that were in force. Going back to one is an edit like any other."""

from collections.abc import Collection

from accounts.models import PermissionSet
from syncer.drafts import saving
from syncer.drafts.drafting import Values
from syncer.models import SetVersion
from syncer.records.parsing import SET_FIELDS

MOST_SHOWN = 50


def list_versions(permission_set: PermissionSet) -> list[SetVersion]:
    """The newest first."""
    return list(SetVersion.objects.filter(name=permission_set.name).order_by("-pk")[:MOST_SHOWN])


def find_version(permission_set: PermissionSet, number: str) -> SetVersion | None:
    """The version with this number, of this set."""
    is_number = number.isascii() and number.isdigit() and len(number) < 18
    return SetVersion.objects.filter(pk=number, name=permission_set.name).first() if is_number else None


def read_values(version: SetVersion, known: Collection[str] = SET_FIELDS) -> Values:
    """What it said, as a form has it: what a set may do and how, not whose it is. known: fields of the app."""
    values = saving.as_values(version.values)
    return {name: value for name, value in values.items() if name in SET_FIELDS and name in known}
