"""The outbox's end towards Slack: sends what was written, once, and tries again what could not be sent.

A worker that dies between sending and noting it makes Slack get that one message twice.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, override

from syncer.gateways.errors import GatewayError, Permanent, Temporary
from syncer.gateways.slack import Slack
from syncer.models import Notice
from syncer.telling.matters import NEWS
from syncer.telling.messages import render_notice
from syncer.telling.notices import write_resolved
from syncer.telling.outbox import claim, is_due, postpone

logger = logging.getLogger(__name__)

BATCH = 20  # of a pass; Slack takes about one message a second
CLAIM = timedelta(minutes=1)  # longer than a post can take
AGAIN = timedelta(days=1)  # a problem that is back within this goes on in its thread
LIFE = timedelta(days=1)  # what nobody could be told within a day is no news any more


def send_due(slack: Slack | None) -> int:
    """Send what is due, oldest first; how many were sent. Without Slack everything is kept until its day is over."""
    _give_up_old(is_set_up=slack is not None)
    if slack is None:
        return 0
    sent = 0
    for notice in _list_due(timezone.now()):
        if not claim(notice, CLAIM):
            continue
        try:
            thread = find_thread(notice, slack.channel)
            # That it is over need not be seen by who does not follow the thread.
            thread = slack.post(render_notice(notice), thread=thread, aloud=notice.kind != Notice.Kind.DONE)
        except Temporary as error:
            # Whatever it is, it would meet the next message as well.
            _postpone(notice, error)
            break
        except Permanent as error:
            _postpone(notice, error)
            continue
        _note_sent(notice, slack.channel, thread)
        sent += 1
    return sent


def _list_due(now: datetime) -> list[Notice]:
    return list(
        Notice.objects.filter(is_due(now), sent_at__isnull=True, created_at__gt=now - LIFE).order_by("pk")[:BATCH]
    )


def find_thread(notice: Notice, channel: str) -> str:
    """The thread in which the same problem was told, if it stands or has come back within a day; empty for none."""
    if not channel:
        return ""
    earlier = Notice.objects.filter(key=notice.key, pk__lt=notice.pk, channel=channel).exclude(thread="")
    last = earlier.order_by("-pk").first()
    is_same = last is not None and (last.ended_at is None or notice.created_at - last.ended_at < AGAIN)
    return last.thread if last and is_same else ""


@transaction.atomic
def _note_sent(notice: Notice, channel: str, thread: str) -> None:
    """A matter that was over before its message was noted has nobody else who would tell its end."""
    place = {"channel": channel, "thread": thread} if thread else {}
    Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now(), error="", **place)
    current = Notice.objects.get(pk=notice.pk)
    if current.ended_at and not notice.ended_at and current.code not in NEWS:
        write_resolved([current])


def _postpone(notice: Notice, error: GatewayError) -> None:
    postpone(notice, error)
    logger.warning("sending: notice %s was not sent: %s", notice.pk, error)


def _give_up_old(*, is_set_up: bool) -> None:
    """End what nobody could be told within a day; what still stands is then written anew by the next run."""
    now = timezone.now()
    old = Notice.objects.filter(sent_at__isnull=True, created_at__lte=now - LIFE)
    if not is_set_up:
        with override(settings.LANGUAGE_CODE):
            text = gettext("Nobody was told: Slack is not set up.")
        old.filter(error="").update(error=text)
    old.filter(ended_at__isnull=True).update(ended_at=now)
