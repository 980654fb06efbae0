"""Exports over time: made from the mirror, kept where they differ, taken over by somebody.

Terraform's state knows what was applied; here only is known what was handed over. The export that was taken over last
is what the next one is compared with.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from accounts.audit import record_event
from accounts.models import User
from syncer.leases import lock_mirror
from syncer.models import TerraformExport
from syncer.terraform.comparing import Comparison, compare
from syncer.terraform.foreseeing import find_last_run, foresee, has_full_run
from syncer.terraform.rendering import FILES, render_files


@dataclass(frozen=True)
class Latest:
    """The newest export beside the one that was taken over last; both None before the first."""

    newest: TerraformExport | None
    taken: TerraformExport | None

    @property
    def before(self) -> Mapping[str, str]:
        return self.taken.files if self.taken else {}

    @property
    def comparison(self) -> Comparison:
        return compare(self.before, self.newest.files if self.newest else {})

    @property
    def is_taken(self) -> bool:
        """The company has what is newest, or the same text."""
        return bool(self.newest and self.taken and self.newest.checksum == self.taken.checksum)


def build_files() -> dict[str, str]:
    """Path → text, from the mirror as it is, in the company's language. Raises NotReady."""
    with translation.override(settings.LANGUAGE_CODE):
        return render_files(foresee())


def find_latest() -> Latest:
    return Latest(TerraformExport.objects.newest_first().first(), TerraformExport.objects.taken().first())


def refresh() -> TerraformExport:
    """Make the export, and keep it if it differs from the newest. Raises NotReady."""
    run, files = find_last_run(), build_files()
    with transaction.atomic():
        lock_mirror()
        latest = find_latest()
        export = latest.newest
        if export is None or export.checksum != checksum_of(files):
            export = TerraformExport(files=files, checksum=checksum_of(files))
        export.checked_at, export.run = timezone.now(), run
        export.pending = compare(latest.before, files).count if latest.taken else 0
        export.save()
    return export


def refresh_if_due() -> TerraformExport | None:
    """Make it anew where a run has come through since the last time; None where there was nothing to do."""
    run, newest = find_last_run(), find_latest().newest
    if run is None or (newest and newest.run_id == run.pk) or not has_full_run():
        return None
    return refresh()


def in_order(files: Mapping[str, str]) -> list[tuple[str, str]]:
    """Path and text, in the order for reading: a database may keep another one."""
    return sorted(files.items(), key=lambda item: FILES.index(item[0]) if item[0] in FILES else len(FILES))


def checksum_of(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def take(export: TerraformExport, user: User | None, *, by: str = "manage.py") -> None:
    """Note that the company has this one now. `manage.py` acts as an admin; for the page the caller checks."""
    export.taken_at, export.taken_by, export.pending = timezone.now(), str(user) if user else by, 0
    export.save(update_fields=["taken_at", "taken_by", "pending"])
    name = export.checksum[:12]
    record_event("terraform.take", actor=user, obj=("terraform_export", str(export.pk), name), by="" if user else by)
