"""GitHub is left alone for a while when it does not answer or says that it is too much: one pause for all requests."""

import logging

from syncer.gateways.errors import GatewayError, Temporary
from syncer.models import IssueWatch
from syncer.telling.messages import describe_error

logger = logging.getLogger(__name__)


def note_error(watch: IssueWatch, error: GatewayError) -> None:
    """Pause as long as GitHub asked for; what it refuses for good, as long as pauses get: the remedy is a setting."""
    asked_for = error.retry_after if isinstance(error, Temporary) else watch.LONGEST_PAUSE.total_seconds()
    watch.pause(asked_for or 0.0, describe_error(error))
    logger.warning("github: the issue is left alone until %s: %s", watch.paused_until, error)
