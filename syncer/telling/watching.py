"""The watch: beat has it look each minute at what no run would tell, because none runs or none looks there."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from cryptography import x509
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django_celery_beat.models import PeriodicTask

from accounts import stops
from syncer.models import Run, SecretEnd
from syncer.telling import alarms
from syncer.telling.matters import Matter
from syncer.telling.notices import tell_standing

FULL_RUN = "syncer.tasks.run_full"
_NEWEST = 10  # runs that are looked at; more in a row do not lose their lease at their very end


def watch(now: datetime) -> None:
    """Write down what stands now, and end what does not any more."""
    tell_standing(find_alarms(now), unknown=_find_unknown(now))


def find_alarms(now: datetime) -> list[Matter]:
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return [
        *alarms.find_silence(_load_runs(), now),
        *alarms.find_certificate_end(find_certificate_end(), today),
        *alarms.find_secret_ends(list(_load_secrets()), today),
        *alarms.find_aws_end(settings.AWS_CREDENTIAL_EXPIRATION, now),
    ]


def _find_unknown(now: datetime) -> frozenset[str]:
    """Whether runs come through is nobody's business in a pause, nor where nothing is written and no run is due."""
    is_planning = settings.SYNC_MODE == Run.Mode.PLAN and _find_schedule() is None
    return frozenset({alarms.NO_RUN}) if is_planning or stops.is_paused(now) else frozenset()


def find_certificate_end() -> datetime | None:
    """When the certificate by which the portal signs in at Entra ID ends; None where it has a secret instead."""
    if not settings.ENTRA_CLIENT_CERTIFICATE:
        return None
    return x509.load_pem_x509_certificate(settings.ENTRA_CLIENT_CERTIFICATE.encode()).not_valid_after_utc


def _load_secrets() -> Iterator[alarms.Secret]:
    for row in SecretEnd.objects.order_by("ends_on", "pk"):
        yield alarms.Secret(row.pk, str(row), row.ends_on)


def _load_runs() -> alarms.Runs:
    """A run that came through counts, whatever AWS refused in it: that is told by itself."""
    done = Run.objects.filter(kind=Run.Kind.FULL, steps__tell__state="done").order_by("-requested_at", "-id")
    last = next((run for run in done[:_NEWEST] if run.came_through), None)
    since = (last.finished_at if last else None) or _find_beginning()
    return alarms.Runs(since, last is not None, _find_due(since))


def _find_beginning() -> datetime:
    """When this database was made."""
    applied = MigrationRecorder.Migration.objects.filter(app="syncer").order_by("applied")
    beginning: datetime = applied.values_list("applied", flat=True)[0]
    return beginning


def _find_due(since: datetime) -> datetime | None:
    """When the schedule wanted the next full run after this."""
    task = _find_schedule()
    if task is None:
        return None
    schedule = task.schedule
    due: datetime = schedule.now() + schedule.remaining_estimate(since)
    return due


def _find_schedule() -> PeriodicTask | None:
    return PeriodicTask.objects.filter(task=FULL_RUN, enabled=True).order_by("pk").first()
