"""A run that somebody asked for on GitHub is answered as soon as it is over; without a broker the schedule does it."""

import logging

from celery import current_app
from celery.exceptions import OperationalError
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

from syncer.models import Run, SyncRequest

logger = logging.getLogger(__name__)


def wake_for(run: Run) -> None:
    """Have those answered who asked for this run. Call it when the run's end is stored."""
    if SyncRequest.objects.filter(runs=run, sent_at__isnull=True, ended_at__isnull=True).exists():
        transaction.on_commit(_start_task)


def _start_task() -> None:
    try:
        current_app.send_task("syncer.tasks.answer_github")
    except (OperationalError, BrokerError, OSError):
        logger.warning("github: the broker cannot be reached; the schedule answers", exc_info=True)
