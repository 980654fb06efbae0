"""The outbox's end towards GitHub: 👀 under a comment as soon as it is known, and one reply when its runs are over.

GitHub knows no idempotency key for comments, so a reply's mark is looked for in the issue's comments before it is
posted: whoever died between posting and noting it does not say it twice. A reaction is there once by itself.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import record_event
from syncer import leases
from syncer.connections import connect_github
from syncer.gateways.errors import GatewayError, NotFound, Temporary
from syncer.gateways.github import GitHubIssue
from syncer.github.intake import is_touched, name_issue, name_login, take_comment
from syncer.github.pausing import note_error
from syncer.github.wording import build_mark, render_reply
from syncer.models import IssueWatch, Run, SyncRequest
from syncer.telling.outbox import claim, is_due, postpone

logger = logging.getLogger(__name__)

LEASE = "github-answers"
BATCH = 20  # of a pass
CLAIM = timedelta(minutes=10)  # longer than looking and posting can take
LIFE = timedelta(days=1)  # what nobody could be told within a day is no news any more
Verdict = SyncRequest.Verdict
REACTIONS = {Verdict.ACCEPTED: "eyes", Verdict.REFUSED: "-1", Verdict.WRONG: "confused"}
_UNDER_WAY = (Run.Status.QUEUED, Run.Status.RUNNING)


def answer_due(*, wait: float = 0) -> int:
    """React and reply to what is due; how many replies were posted. Somebody else at it is no error.

    A request that had to be looked up may have queued runs: whoever calls this begins them.
    """
    _give_up_old(timezone.now())
    github = connect_github()
    if github is None or not _has_work():
        return 0
    try:
        with leases.hold_lease(LEASE, wait=wait) as lease:
            watch = IssueWatch.load(name_issue())
            return 0 if watch.is_paused(timezone.now()) else _answer_all(github, watch, lease)
    except leases.LeaseBusy:
        return 0


def list_unanswered() -> QuerySet[SyncRequest]:
    """What has got no answer yet though no run is left to wait for."""
    return SyncRequest.objects.filter(sent_at=None, ended_at=None).exclude(runs__status__in=_UNDER_WAY)


def _has_work() -> bool:
    return _list_unseen().exists() or _list_ready().exists()


def _list_open() -> QuerySet[SyncRequest]:
    return SyncRequest.objects.filter(
        is_due(timezone.now()), issue=name_issue(), sent_at__isnull=True, ended_at__isnull=True
    ).order_by("pk")


def _list_unseen() -> QuerySet[SyncRequest]:
    return _list_open().filter(reacted_at__isnull=True)


def _list_ready() -> QuerySet[SyncRequest]:
    """Those whose runs are over, all of them."""
    return _list_open().filter(reacted_at__isnull=False).exclude(runs__status__in=_UNDER_WAY)


def _answer_all(github: GitHubIssue, watch: IssueWatch, lease: leases.Held) -> int:
    """First everybody sees that he was heard, then the replies go."""
    try:
        _serve(_list_unseen(), lambda row: _greet(row, github), lease)
        posted = _serve(_list_ready(), lambda row: _reply(row, github), lease)
    except Temporary as error:
        note_error(watch, error)
        return 0
    watch.note_answer()
    return posted


def _serve(rows: QuerySet[SyncRequest], serve: Callable[[SyncRequest], bool], lease: leases.Held) -> int:
    """One after the other; how many of them it came to. Raises what would meet the next one as well."""
    count = 0
    for row in rows[:BATCH]:
        if lease.is_lost:
            break
        try:
            count += serve(row)
        except GatewayError as error:
            postpone(row, error)
            logger.warning("github: comment %s was not answered: %s", row.comment_id, error)
            if isinstance(error, Temporary):
                raise
    return count


def _greet(row: SyncRequest, github: GitHubIssue) -> bool:
    """Show by a reaction what becomes of the comment. One that was deleted meanwhile needs none."""
    if row.verdict == Verdict.UNSURE and not _look_up(row, github):
        return False
    try:
        github.react(row.comment_id, REACTIONS[Verdict(row.verdict)])
    except NotFound:
        logger.info("github: comment %s is gone", row.comment_id)
    now = timezone.now()
    _update(row, reacted_at=now, ended_at=now if row.verdict == Verdict.REFUSED else None)
    return True


def _look_up(row: SyncRequest, github: GitHubIssue) -> bool:
    """Decide by what GitHub tells our own token; False where that ends it: it is gone, or was written into meanwhile.

    Polling may have decided at the same moment; then that holds.
    """
    try:
        comment = github.fetch_comment(row.comment_id)
    except NotFound:
        comment = None
    if comment and not is_touched(comment):
        take_comment(comment, is_final=True)
    SyncRequest.objects.filter(pk=row.pk, verdict=Verdict.UNSURE).update(ended_at=timezone.now())
    row.refresh_from_db()
    return row.ended_at is None


def _reply(row: SyncRequest, github: GitHubIssue) -> bool:
    """Post it unless it stands there already."""
    if not claim(row, CLAIM):
        return False
    there = github.list_comments(row.commented_at).comments or ()
    mark = build_mark(row)
    found = next((comment.comment_id for comment in there if mark in comment.body), None)
    _note_sent(row, found or _post(row, github))
    return found is None


def _post(row: SyncRequest, github: GitHubIssue) -> int:
    """Who reads it is asked each time: a repository may have become public since."""
    return github.post_comment(render_reply(row, is_public=github.fetch_repository().is_public))


@transaction.atomic
def _note_sent(row: SyncRequest, reply_id: int) -> None:
    _update(row, sent_at=timezone.now(), reply_id=str(reply_id), error="")
    after = {"comment": row.url, "reply": str(reply_id)}
    record_event("github.reply", by="Genkan", obj=("sync_request", str(row.pk), name_login(row.login)), after=after)


def _update(row: SyncRequest, **values: object) -> None:
    SyncRequest.objects.filter(pk=row.pk).update(**values)


def _give_up_old(now: datetime) -> None:
    """What waits for a run may wait, and has its day when that is over."""
    old = list_unanswered().filter(created_at__lte=now - LIFE)
    old.exclude(runs__finished_at__gt=now - LIFE).update(ended_at=now)
