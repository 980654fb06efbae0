"""The outbox's other end: sends what was written, once, and tries again what could not be sent.

A row is claimed before it is sent: the claim moves the time of its next try, in a statement that only one worker can
win. A worker that dies after the claim leaves a row that is due again a minute later; one that dies between sending and
noting it makes Slack get that one message twice.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, override

from accounts.sentences import render_reason
from syncer.gateways.errors import GatewayError, Permanent, Temporary
from syncer.gateways.slack import Slack
from syncer.matters import NEWS
from syncer.messages import join, render_notice
from syncer.models import Notice
from syncer.notices import write_resolved

logger = logging.getLogger(__name__)

BATCH = 20  # of a pass; Slack takes about one message a second
CLAIM = timedelta(minutes=1)  # longer than a post can take
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
LIFE = timedelta(days=1)  # what nobody could be told within a day is no news any more


def send_due(slack: Slack | None) -> int:
    """Send what is due, oldest first; how many were sent. Without Slack everything is kept until its day is over."""
    _give_up_old(is_set_up=slack is not None)
    if slack is None:
        return 0
    sent = 0
    for notice in _list_due(timezone.now()):
        if not _claim(notice):
            continue
        try:
            slack.post(render_notice(notice))
        except Temporary as error:
            # Whatever it is, it would meet the next message as well.
            _postpone(notice, error)
            break
        except Permanent as error:
            _postpone(notice, error)
            continue
        _note_sent(notice)
        sent += 1
    return sent


def _list_due(now: datetime) -> list[Notice]:
    due = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    return list(Notice.objects.filter(due, sent_at__isnull=True, created_at__gt=now - LIFE).order_by("pk")[:BATCH])


def _claim(notice: Notice) -> bool:
    """Whether it is this worker that sends it now."""
    retry_at, attempts = timezone.now() + CLAIM, notice.attempts + 1
    unchanged = Notice.objects.filter(pk=notice.pk, sent_at__isnull=True, attempts=notice.attempts)
    is_ours = unchanged.update(retry_at=retry_at, attempts=attempts)
    notice.retry_at, notice.attempts = retry_at, attempts
    return bool(is_ours)


@transaction.atomic
def _note_sent(notice: Notice) -> None:
    """A matter that was over before its message was noted has nobody else who would tell its end."""
    Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now(), error="")
    current = Notice.objects.get(pk=notice.pk)
    if current.ended_at and not notice.ended_at and current.code not in NEWS:
        write_resolved([current])


def _postpone(notice: Notice, error: GatewayError) -> None:
    """Try again later: what Slack refuses for good as well, since the remedy is a setting or a channel."""
    pause = LONGEST_PAUSE if isinstance(error, Permanent) else _pause_of(notice.attempts, error)
    with override(settings.LANGUAGE_CODE):
        said = render_reason(error.reason.as_json())
        text = join(said.message, said.remedy) if said else str(error)
    Notice.objects.filter(pk=notice.pk).update(retry_at=timezone.now() + pause, error=text[:400])
    logger.warning("sending: notice %s was not sent: %s", notice.pk, error)


def _pause_of(attempts: int, error: GatewayError) -> timedelta:
    asked_for = error.retry_after if isinstance(error, Temporary) else None
    doubled: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
    return max(doubled, timedelta(seconds=min(asked_for or 0.0, LONGEST_PAUSE.total_seconds())))


def _give_up_old(*, is_set_up: bool) -> None:
    """End what nobody could be told within a day; what still stands is then written anew by the next run."""
    now = timezone.now()
    old = Notice.objects.filter(sent_at__isnull=True, created_at__lte=now - LIFE)
    if not is_set_up:
        with override(settings.LANGUAGE_CODE):
            text = gettext("Nobody was told: Slack is not set up.")
        old.filter(error="").update(error=text)
    old.filter(ended_at__isnull=True).update(ended_at=now)
