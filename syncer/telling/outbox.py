"""What all that is told outside shares: a row is claimed before it is sent, and put off when it could not be.

The claim moves the time of the next try, in a statement that only one worker can win. A worker that dies after it
leaves a row that is due again once the claim has passed.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from syncer.gateways.errors import GatewayError, Permanent, Temporary
from syncer.models.outbox import Outgoing
from syncer.telling.messages import describe_error

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)


def is_due(now: datetime) -> Q:
    """The condition of what may be sent now."""
    return Q(retry_at__isnull=True) | Q(retry_at__lte=now)


def claim(row: Outgoing, pause: timedelta) -> bool:
    """Whether it is this worker that sends it now; `pause` is longer than sending can take."""
    retry_at, attempts = timezone.now() + pause, row.attempts + 1
    unchanged = type(row)._default_manager.filter(pk=row.pk, sent_at__isnull=True, attempts=row.attempts)
    is_ours = unchanged.update(retry_at=retry_at, attempts=attempts)
    row.retry_at, row.attempts = retry_at, attempts
    return bool(is_ours)


def postpone(row: Outgoing, error: GatewayError) -> None:
    """Try again later: what is refused for good as well, since the remedy is a setting or a right."""
    pause = LONGEST_PAUSE if isinstance(error, Permanent) else _pause_of(row.attempts, error)
    rows = type(row)._default_manager.filter(pk=row.pk)
    rows.update(retry_at=timezone.now() + pause, error=describe_error(error)[:400])


def _pause_of(attempts: int, error: GatewayError) -> timedelta:
    asked_for = error.retry_after if isinstance(error, Temporary) else None
    doubled: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
    return max(doubled, timedelta(seconds=min(asked_for or 0.0, LONGEST_PAUSE.total_seconds())))
