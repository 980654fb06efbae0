"""Every version of a permission set that was in force, and who wrote it. Rows are only added."""

from collections.abc import Iterable

from accounts.models import AppKind, Record
from accounts.names import clean
from syncer.models import SetVersion


def note_versions(changed: Iterable[tuple[Record, str]]) -> None:
    """Note what is in force of these records now, where that is another thing than before. `str` is who wrote it."""
    sets = [(row, writer) for row, writer in changed if row.kind == AppKind.PERMISSION_SET and row.in_force]
    if not sets:
        return
    known = _load_newest([row.reference for row, _writer in sets])
    SetVersion.objects.bulk_create(
        SetVersion(
            name=row.in_force["name"], reference=row.reference, revision=row.revision, values=row.in_force,
            writer_name=clean(writer, 256),
        )
        for row, writer in sets
        if row.in_force and known.get(row.reference) != row.in_force
    )  # fmt: skip


def _load_newest(references: Iterable[str]) -> dict[str, object]:
    rows = SetVersion.objects.filter(reference__in=list(references)).order_by("pk")
    return dict(rows.values_list("reference", "values"))
