"""Write what kintone wants in the management account as HCL, from the mirror: neither kintone nor AWS is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from syncer.models import TerraformExport
from syncer.terraform.comparing import Comparison
from syncer.terraform.exports import find_latest, in_order, refresh, take
from syncer.terraform.foreseeing import NotReady
from syncer.terraform.rendering import say


class Command(BaseCommand):
    help = (
        "Write the permission sets and assignments of the management account as Terraform files, from what the last "
        "run read. Without --out they go to standard output, one after the other; together they are one valid file. "
        "Exit code 1: no run has read everything yet, or the files cannot be written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", metavar="DIR", type=Path, help="the folder of the repository; its genkan_*.tf go")

    def handle(self, *_args: Any, **options: Any) -> None:
        with translation.override(settings.LANGUAGE_CODE):
            before = find_latest()
            export = self._refresh()
            comparison = find_latest().comparison
            if options["out"] is None:
                self._print(export.files)
            else:
                self._write(options["out"], export)
            out = self.stderr if options["out"] is None else self.stdout
            out.write("\n".join(summarise(comparison, is_first=before.taken is None)))

    def _refresh(self) -> TerraformExport:
        try:
            return refresh()
        except NotReady as error:
            raise CommandError(say(error.reason)) from error

    def _print(self, files: Mapping[str, str]) -> None:
        self.stdout.write("\n".join(f"# --- {path}\n\n{text}" for path, text in in_order(files)))

    def _write(self, folder: Path, export: TerraformExport) -> None:
        """All files, and the note that the company has them now."""
        for path, text in in_order(export.files):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                is_same = write_file(folder / path, text)
            except OSError as error:
                raise CommandError(f"{folder / path}: {error.strerror or error}") from error
            self.stdout.write(_("%(path)s, as it was") % {"path": folder / path} if is_same else str(folder / path))
        take(export, None)


def write_file(path: Path, text: str) -> bool:
    """Write the file unless it says this already; whether it did."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return True
    path.write_bytes(content)
    return False


def summarise(comparison: Comparison, *, is_first: bool) -> list[str]:
    """One line for each resource that came, changed or went since the export that was taken over last."""
    lines = [f"{sign} {address}" for sign, address in comparison.iter_signed()]
    if is_first:
        return [*lines, _("Nothing has been taken over before: everything is new.")]
    numbers = {
        "added": len(comparison.added), "changed": len(comparison.changed), "removed": len(comparison.removed),
        "same": comparison.unchanged,
    }  # fmt: skip
    summary = _("Since the last export that was taken over: %(added)s added, %(changed)s changed, %(removed)s removed, "
                "%(same)s as before.")  # fmt: skip
    return [*lines, summary % numbers]
