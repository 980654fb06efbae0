"""A run that somebody asked for on GitHub is answered as soon as it is over; without a broker the schedule does it."""

import logging
from functools import partial

from django.db import transaction

from syncer.models import Run, SyncRequest
from syncer.workers import start_task

logger = logging.getLogger(__name__)


def wake_for(run: Run) -> None:
    """Have those answered who asked for this run. Call it when the run's end is stored."""
    if SyncRequest.objects.filter(runs=run, sent_at__isnull=True, ended_at__isnull=True).exists():
        transaction.on_commit(partial(start_task, "syncer.tasks.answer_github"))
