"""Celery's tasks of the portal itself: the doctor, who knows the sign-in as well as what runs need."""

import logging

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from accounts import shortcut_check
from accounts.models import User
from portal.doctor import records
from syncer.models import Examination
from syncer.telling.letters import tell_authors
from syncer.workers import try_to_start

logger = logging.getLogger(__name__)


@shared_task
def examine() -> None:
    """Examine everything that the portal stands on, for the page that waits."""
    records.work_off()


def request_examination(user: User) -> Examination:
    """Ask for an examination; the row that its page follows. For admins: the caller checks."""
    with transaction.atomic():
        examination = records.queue_examination(user)
        transaction.on_commit(_send)
    return examination


def _send() -> None:
    """Tell a worker. Without a broker nobody takes it up, which the page says after a while."""
    try_to_start(examine.name, examine.delay)


@shared_task
def check_shortcuts() -> None:
    """Once a week: which kept shortcuts lead nowhere any more; whose they are is told."""
    with transaction.atomic():
        found = shortcut_check.check_shortcuts()
        tell_authors(found, timezone.now())
    logger.info("shortcuts: %d more lead nowhere", len(found))
