"""Settings files on disk: written whole or not at all, readable by their owner alone, the oldest of many deleted."""

import os
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from syncer.backup.exporting import export_settings
from syncer.models import Baseline

_PREFIX = "settings-"


def write_file(path: Path, text: str) -> None:
    """Put the text in the place of what stands there, in one step. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)  # 0600 from the beginning
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_nightly(now: datetime) -> Path | None:
    """The file of this night, named by its date; None on a database that nobody has confirmed. Raises OSError.

    Such a database knows nothing yet, and its files would push out those that it is to be filled from.
    """
    if not Baseline.objects.exists():
        return None
    folder = Path(settings.BACKUP_DIR)
    day = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    path = folder / f"{_PREFIX}{day}.json"
    write_file(path, export_settings(now).render())
    for old in list_files(folder)[: -settings.BACKUP_KEEP]:
        old.unlink(missing_ok=True)
    return path


def list_files(folder: Path) -> list[Path]:
    """The nightly files, oldest first: their names sort by date."""
    return sorted(folder.glob(f"{_PREFIX}????-??-??.json"))
