"""How old the mirror of kintone is, and what reading it takes of the day's requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import AppKind
from syncer.gateways.kintone_usage import DAILY_QUOTA
from syncer.models import AppState
from syncer.records.usage import load_usage


@dataclass(frozen=True)
class MirrorAge:
    """One app as it was last read. `missing`: records that kintone did not show and that do not count as gone."""

    name: str
    looked_at: datetime | None
    scanned_at: datetime | None
    records: int
    missing: int
    requests: int
    error: dict[str, Any]
    quota: int = DAILY_QUOTA


def list_mirror_ages() -> list[MirrorAge]:
    """Those of the apps that were read, or of which that was tried; permission sets first."""
    states = {state.kind: state for state in AppState.objects.all()}
    return list(_iter_ages(states))


def _iter_ages(states: dict[str, AppState]) -> Iterator[MirrorAge]:
    now = timezone.now()
    for kind in AppKind:
        if state := states.get(kind):
            yield MirrorAge(
                name=str(kind.label),
                looked_at=state.read_at,
                scanned_at=state.scanned_at,
                records=state.records,
                missing=len(state.missing),
                requests=load_usage(state.app_id, now).today,
                error=state.error,
            )
