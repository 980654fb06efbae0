"""Looks for new comments on the issue, so that `/sync` needs no webhook and none that GitHub could not deliver is lost.

GitHub does not count an answer that nothing changed, so the question stays the same, word for word, until something
did. What was updated a while before the newest comment is asked for once more: GitHub's lists may lag behind.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from syncer import leases
from syncer.connections import connect_github
from syncer.gateways.errors import GatewayError
from syncer.gateways.github import Comment, GitHubIssue, Listing
from syncer.github.intake import is_touched, name_issue, take_comment
from syncer.github.pausing import note_error
from syncer.models import IssueWatch, SyncRequest

LEASE = "github-issue"
OVERLAP = timedelta(minutes=2)  # how late a comment may turn up in GitHub's lists


def look(now: datetime) -> list[SyncRequest]:
    """Ask for new comments and take what they ask for; the new requests. Somebody else looking is no error."""
    github = connect_github()
    if github is None:
        return []
    try:
        with leases.hold_lease(LEASE):
            watch = IssueWatch.load(name_issue())
            return [] if watch.is_paused(now) else _look(github, watch, now)
    except leases.LeaseBusy:
        return []


def _look(github: GitHubIssue, watch: IssueWatch, now: datetime) -> list[SyncRequest]:
    try:
        listing = github.list_comments(watch.since or now - OVERLAP, watch.etag)
    except GatewayError as error:
        note_error(watch, error)
        return []
    watch.note_answer()
    if listing.comments is None:
        return []
    first_look_at = watch.first_look_at or listing.at
    taken = [
        take_comment(comment, is_final=True)
        for comment in listing.comments
        if comment.created_at >= first_look_at and not is_touched(comment)
    ]
    _note(watch, listing.comments, listing, first_look_at)
    return list(filter(None, taken))


def _note(watch: IssueWatch, comments: Iterable[Comment], listing: Listing, first_look_at: datetime) -> None:
    """An ETag is good for its own question only."""
    newest = max((comment.updated_at for comment in comments), default=first_look_at)
    since = max(watch.since, newest - OVERLAP) if watch.since else first_look_at - OVERLAP
    etag = listing.etag if since == watch.since else ""
    watch.first_look_at, watch.since, watch.etag = first_look_at, since, etag
    watch.save(update_fields=["first_look_at", "since", "etag"])
