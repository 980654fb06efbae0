"""What is told though no run met it: that none comes through any more, and that something ends soon. Pure.

Such a matter's key begins with `WATCHED`, so that runs leave it alone. How near an end is counts as how large the
matter is: each step is at least twice the one before, so that it is told anew (`matters.has_grown`).
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from syncer.states import Reason
from syncer.telling.matters import Kind, Matter

WATCHED = "watch:"
NO_RUN = f"{WATCHED}no_run"
PATIENCE = timedelta(minutes=30)  # without a run that came through
LATE = timedelta(minutes=10)  # behind the schedule, where that is slower
# (how near, how grave), the nearest first
_DAYS = ((timedelta(days=-1), 8), (timedelta(days=1), 4), (timedelta(days=7), 2), (timedelta(days=30), 1))
_HOURS = ((timedelta(), 4), (timedelta(hours=1), 2), (timedelta(days=1), 1))
_SECONDS_A_MINUTE = 60


class Runs(NamedTuple):
    """How runs are doing: since when none has come through, and when the next one was due after that."""

    since: datetime  # the end of the last good one, or the beginning of it all
    was_any: bool
    due_at: datetime | None  # None: the schedule has none


class Secret(NamedTuple):
    """Something with a last day that an admin has written down."""

    pk: int
    name: str
    last_day: date


def find_silence(runs: Runs, now: datetime) -> Iterator[Matter]:
    """Whether no run has come through for too long."""
    patience_ends = max(runs.since + PATIENCE, (runs.due_at or runs.since) + LATE)
    if now < patience_ends:
        return
    params = {
        "since_at": runs.since.isoformat(),
        "minutes": int((now - runs.since).total_seconds() // _SECONDS_A_MINUTE),
    }
    sentence = Reason("notice_no_run", params) if runs.was_any else Reason("notice_no_run_yet")
    yield Matter(Kind.CRITICAL, NO_RUN, sentence, "/runs/")


def find_certificate_end(ends_at: datetime | None, today: date) -> Iterator[Matter]:
    """The certificate by which the portal shows Entra ID who it is. Without it nobody signs in."""
    if ends_at is None or not (gravity := _weigh(ends_at.date() - today, _DAYS)):
        return
    params = {"until": f"{ends_at:%Y-%m-%d}", "days": str((ends_at.date() - today).days)}
    is_over = ends_at.date() < today
    code = "doctor_entra_certificate_over" if is_over else "doctor_entra_certificate_ends"
    yield _build("entra_certificate", Reason(code, params), "/doctor/", gravity)


def find_secret_ends(secrets: Iterable[Secret], today: date) -> Iterator[Matter]:
    for secret in secrets:
        left = secret.last_day - today
        if gravity := _weigh(left, _DAYS):
            params = {"name": secret.name, "until": secret.last_day.isoformat(), "days": left.days}
            code = "notice_secret_over" if left < timedelta() else "notice_secret_ends"
            path = f"/admin/syncer/secretend/{secret.pk}/change/"
            yield _build(f"secret:{secret.pk}", Reason(code, params), path, gravity)


def find_aws_end(ends_at: datetime | None, now: datetime) -> Iterator[Matter]:
    """Credentials in the environment, which nobody renews while a process lives."""
    if ends_at is None or not (gravity := _weigh(ends_at - now, _HOURS)):
        return
    code = "notice_aws_over" if ends_at <= now else "notice_aws_ends"
    yield _build("aws_credentials", Reason(code, {"until_at": ends_at.isoformat()}), "/doctor/", gravity)


def _weigh(left: timedelta, steps: Iterable[tuple[timedelta, int]]) -> int:
    """0 while there is time."""
    return next((gravity for nearest, gravity in steps if left <= nearest), 0)


def _build(key: str, sentence: Reason, path: str, gravity: int) -> Matter:
    kind = Kind.CRITICAL if gravity >= 4 else Kind.MIND
    return Matter(kind, f"{WATCHED}{key}", sentence, path, count=gravity)
