"""A permission set as somebody opens it for editing: who may, what its form begins with, and which fields there are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext as _

from accounts.models import AppKind, PermissionSet, Person, Record, User, Withheld
from accounts.names import fold
from portal.views.definitions import show_duration
from syncer.drafts import saving
from syncer.drafts.drafting import NotPossible, load_fields
from syncer.drafts.merging import is_same
from syncer.states import Reason

_SALT = "permission-set-form"


@dataclass(frozen=True)
class Opening:
    """What a form was opened with. revision is None for a new set; fields are those that the kintone app has."""

    fields: Mapping[str, str]
    permission_set: PermissionSet | None = None
    record: Record | None = None
    revision: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    withheld: Sequence[Withheld] = ()

    @property
    def base(self) -> Mapping[str, Any] | None:
        return None if self.record is None else self.values

    def seal(self) -> str:
        """For the form to bring back: nobody can make it say that it was opened with something else, or elsewhere."""
        reference = self.record.reference if self.record else ""
        return signing.dumps([reference, self.revision, dict(self.values)], salt=_SALT, compress=True)


def open_new() -> Opening:
    """Raises NotPossible before kintone has been read."""
    return Opening(load_fields(AppKind.PERMISSION_SET))


def open_set(permission_set: PermissionSet, sealed: str = "") -> Opening:
    """As it is now, or as it was when the form that comes back was opened. Raises NotPossible."""
    record = permission_set.record
    if record is None or record.gone_at is not None:
        raise NotPossible(Reason("keep_no_record", {"set": permission_set.name}))
    fields = load_fields(AppKind.PERMISSION_SET)
    start = saving.load_start(record)
    revision, values = _unseal(sealed, record) or (start.revision, start.values)
    return Opening(fields, permission_set, record, revision, values, start.withheld)


def _unseal(sealed: str, record: Record) -> tuple[int, Mapping[str, Any]] | None:
    try:
        reference, revision, values = signing.loads(sealed, salt=_SALT)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return (revision, values) if reference == record.reference and isinstance(revision, int) else None


def is_sealed(sealed: str, record: Record) -> bool:
    """Whether a form says in good faith what it was opened with, and that it was this record's."""
    return _unseal(sealed, record) is not None


# --- Who may ----------------------------------------------------------------------------------------------------------


def find_obstacle(user: User, permission_set: PermissionSet) -> str:
    """Why this person cannot edit this set; empty where he can."""
    record = permission_set.record
    if user.is_auditor and not user.is_staff:
        return _("Auditors read everything and change nothing.")
    if permission_set.ownership == PermissionSet.Ownership.TERRAFORM:
        return _("It is provisioned in the management account, so it is kept in Terraform.")
    if record is None or record.gone_at is not None:
        return _("No record in kintone defines it, so there is nothing that could be edited here.")
    if not saving.may_write(user, record):
        return _("Its owners, whoever wrote it first, and portal admins may.")
    return ""


def may_create(user: User) -> bool:
    """Everybody may define a set: it gives nobody access until an owner of an account assigns it."""
    return user.is_staff or not user.is_auditor


def list_editors(record: Record | None) -> list[str]:
    """The owners of a record, by name."""
    if record is None:
        return []
    codes = [str(code) for code in (record.in_force or {}).get("owners", ())]
    people = {fold(person.kintone_code): str(person) for person in Person.objects.filter(kintone_code__in=codes)}
    return [people.get(fold(code), code) for code in codes]


def spell(opening: Opening, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as this company's records write them: as the form has them where they mean the same."""
    texts = {show_duration(text): text for text in reversed(list_spellings(opening.fields))}
    spelt = dict(values)
    if duration := spelt.get("session_duration"):
        spelt["session_duration"] = texts.get(show_duration(duration), duration)
    return {
        name: opening.values[name] if name in opening.values and is_same(name, opening.values[name], value) else value
        for name, value in spelt.items()
    }


def list_spellings(fields: Mapping[str, str]) -> list[str]:
    """How the records of this company write session durations, the commonest first: a drop-down takes nothing else."""
    code = fields.get("session_duration", "")
    if not code:
        return []
    cells = Record.objects.live().of_kind(AppKind.PERMISSION_SET)
    texts = cells.values_list(KeyTransform("value", KeyTransform(code, "body")), flat=True)
    counts = Counter(text for text in texts if isinstance(text, str) and text)
    return [text for text, _count in counts.most_common()]
