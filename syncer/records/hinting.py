"""What kintone's webhook says, kept as hints and heeded in bursts: a record named in one is read anew.

Nothing of a webhook is believed but that it is worth looking. The first word about a record is heeded at once, what is
said of it within the next moment together: sixty saves in a second are two runs. However many records are named, they
are read in one request for 500 and carried out in one run.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Instance
from syncer import leases, runs
from syncer.models import Hint, Run
from syncer.preparing import RunFailed, Wish, read_records

logger = logging.getLogger(__name__)

LEASE = "hints"
MOMENT = timedelta(seconds=2)  # between two looks at one record
MOST_LOOKS = 30  # of one task, so that it ends though somebody's script never does
MOST_RUNS = 3  # under way at once, so that workers have time for other things
KEPT = timedelta(days=1)


def note_hint(app_id: str, record_id: str) -> bool:
    """Remember that something happened to a record; whether somebody has to be woken, since nothing waited yet."""
    is_first = not has_hints()
    now = timezone.now()
    Hint.objects.bulk_create(
        [Hint(app_id=app_id, record_id=record_id, noted_at=now)],
        update_conflicts=True, unique_fields=["app_id", "record_id"], update_fields=["is_pending", "noted_at"],
    )  # fmt: skip
    return is_first


def has_hints() -> bool:
    return _pending().exists()


def heed_hints(stopping: runs.Stopping, *, wait: float = 0, sleep: Callable[[float], None] = time.sleep) -> list[Run]:
    """Look at what was hinted at until nothing is; the runs that came of it.

    One look at a time, but a run keeps nobody from the next look. Somebody else at it is no error.
    """
    done: list[Run] = []
    try:
        for _look in range(MOST_LOOKS):
            with leases.hold_lease(LEASE, wait=wait, sleep=sleep) as lease:
                wish = _look_at_next(lambda: bool(stopping) or lease.is_lost, sleep)
            if wish is None:
                break
            done += _carry_out(wish, stopping)
    except leases.LeaseBusy:
        logger.info("hints: somebody else is looking at them")
    except RunFailed as failure:
        logger.warning("hints: what was hinted at could not be read: %s", failure.reason)
    Hint.objects.filter(is_pending=False, noted_at__lt=timezone.now() - KEPT).delete()
    return done


def _pending() -> QuerySet[Hint]:
    return Hint.objects.filter(is_pending=True)


def _take() -> list[str]:
    """The records (APP:ID) whose moment is over; what is said of them from now on is another word."""
    now = timezone.now()
    is_due = Q(heeded_at__isnull=True) | Q(heeded_at__lte=now - MOMENT)
    rows = list(_pending().filter(is_due).order_by("noted_at")[:1000])
    Hint.objects.filter(pk__in=[row.pk for row in rows]).update(is_pending=False, heeded_at=now)
    return [str(row) for row in rows]


def _look_at_next(must_stop: Callable[[], bool], sleep: Callable[[float], None]) -> Wish | None:
    """Read the records that are due, waiting for their moment; None when nothing is hinted at. Raises RunFailed."""
    while has_hints() and not must_stop():
        if references := _take():
            return _read(references)
        sleep(MOMENT.total_seconds() / 4)
    return None


def _read(references: Collection[str]) -> Wish:
    try:
        return read_records(references)
    except RunFailed:
        _put_back(references)
        raise


def _carry_out(wish: Wish, stopping: runs.Stopping) -> Iterable[Run]:
    """One run over what changed, if anything did.

    What is read and not carried out, because this process ended or others are busy enough, the next look at the
    changes will do.
    """
    under_way = Run.objects.filter(kind__in=(Run.Kind.RECORD, Run.Kind.CHANGES), status=Run.Status.RUNNING)
    if not wish.changed or not Instance.objects.exists() or under_way.count() >= MOST_RUNS:
        return
    only = next(iter(wish.changed)) if len(wish.changed) == 1 else ""
    kind = Run.Kind.RECORD if only else Run.Kind.CHANGES
    run = Run.objects.create(kind=kind, record_reference=only, mode=settings.SYNC_MODE)
    yield runs.execute(run, stopping, wish=wish)


def _put_back(references: Collection[str]) -> None:
    """For the sweep: kintone may answer by then."""
    for reference in references:
        app_id, _colon, record_id = reference.partition(":")
        Hint.objects.filter(app_id=app_id, record_id=record_id).update(is_pending=True)
