"""A form of access as somebody opens it: for new records, or for one that is there.

What it was opened with goes out with it, sealed, and comes back: so what others write meanwhile is neither lost nor
taken for the author's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import signing

from accounts.models import AppKind, Record, User, Withheld
from syncer.drafts import saving
from syncer.drafts.drafting import load_fields

_SALT = "assignment-form"


@dataclass(frozen=True)
class Opening:
    """fields: those that the kintone app has. Without `record` the form is for new ones."""

    fields: Mapping[str, str]
    token: str
    record: Record | None = None
    revision: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    withheld: tuple[Withheld, ...] = ()

    def seal(self) -> str:
        """For the form to bring back: nobody else can make it say that it was opened with something else."""
        return signing.dumps([self.revision, dict(self.values)], salt=_SALT, compress=True)


def open_new(token: str) -> Opening:
    """Raises NotPossible before kintone has been read."""
    return Opening(load_fields(AppKind.ASSIGNMENT), token)


def open_record(record: Record, token: str, sealed: str = "") -> Opening:
    """As it is now, or as it was when the form that comes back was opened. Raises NotPossible."""
    fields = load_fields(AppKind.ASSIGNMENT)
    start = saving.load_start(record)
    revision, values = _unseal(sealed) or (start.revision, start.values)
    return Opening(fields, token, record, revision, values, start.withheld)


def _unseal(sealed: str) -> tuple[int, Mapping[str, Any]] | None:
    try:
        revision, values = signing.loads(sealed, salt=_SALT)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return (revision, values) if isinstance(revision, int) else None


def is_sealed(sealed: str) -> bool:
    """Whether a form says in good faith what it was opened with."""
    return _unseal(sealed) is not None


def list_own_codes(user: User) -> tuple[str, ...]:
    """The author owns what he registers, where kintone knows him."""
    person = user.person
    return (person.kintone_code,) if person and person.kintone_code else ()
