"""Who wrote a record, and when: by the ledger where the portal wrote it, since its token writes as Administrator."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.models import PortalWrite, Record


class Authorship(NamedTuple):
    """Who registered a record and who changed it last; `changed_at` is None while nobody has. Names may be empty."""

    author: str
    created_at: datetime
    writer: str = ""
    changed_at: datetime | None = None


Ledger = Mapping[tuple[str, str, int], PortalWrite]
"""What the portal wrote, by app, record and revision."""


def load_ledger(records: Collection[Record]) -> Ledger:
    """Of these records, with the writers."""
    rows = PortalWrite.objects.filter(record_id__in={record.record_id for record in records}).select_related("user")
    return {(row.app_id, row.record_id, row.revision): row for row in rows}


def load_authors(records: Collection[Record], ledger: Ledger | None = None) -> dict[int, Authorship]:
    """Record's row → who wrote it, in one statement, or in none where their ledger is loaded."""
    known = load_ledger(records) if ledger is None else ledger
    return {record.pk: _find_authorship(record, known) for record in records}


def _find_authorship(record: Record, ledger: Ledger) -> Authorship:
    author = _find_writer(record, 1, ledger) or record.creator_name
    if record.revision == 1:
        return Authorship(author, record.created_at)
    writer = _find_writer(record, record.revision, ledger) or record.modifier_name
    return Authorship(author, record.created_at, writer, record.updated_at)


def _find_writer(record: Record, revision: int, ledger: Ledger) -> str:
    write = ledger.get((record.app_id, record.record_id, revision))
    if write is None or not write.is_of(record):
        return ""
    return str(write.user) if write.user else _("a command on the server")
