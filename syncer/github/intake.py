"""What becomes of a `/sync` comment that GitHub's webhook or its polling brought: a row, and the runs it asked for.

Nothing here talks to the outside. Both ways lead to the same row, which is there once a comment: whoever comes second
finds it. A webhook says of a member who hides his membership that he is none, so whoever may not ask by its word is
looked up before that is believed.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import record_event
from accounts.models import Account, AppKind, Record, Wish
from accounts.names import clean, fold
from syncer import runs
from syncer.gateways.github import Comment
from syncer.github.asking import Asked, find_line, may_ask, parse_request
from syncer.models import Run, SyncRequest

logger = logging.getLogger(__name__)

MOST_RUNS = 10  # targeted runs for one comment; more records than that are looked at by a full run
MOST_REFUSED = 20  # comments of people who may not, noted within a day: anybody can write on a public issue
TOUCHED = timedelta(seconds=2)  # an edit shows as a later update; GitHub's times are whole seconds
Verdict = SyncRequest.Verdict


def name_issue() -> str:
    """The issue of the settings, as rows name it; GitHub does not tell `Example/AWS` from `example/aws`."""
    return fold(settings.GITHUB_SYNC_ISSUE)


def is_touched(comment: Comment) -> bool:
    """Somebody wrote into it before we saw it, and it need not have been its author."""
    return comment.updated_at - comment.created_at > TOUCHED


@transaction.atomic
def take_comment(comment: Comment, *, is_final: bool) -> SyncRequest | None:
    """Note what a new comment asks for and queue its runs; None where it asks for nothing, or is known.

    is_final: it was read with our own token, so what it says of its author is all there is to know.
    """
    asked = parse_request(comment.body)
    if asked is None or comment.is_bot or not comment.login:
        return None
    row, is_new = SyncRequest.objects.get_or_create(
        issue=name_issue(), comment_id=comment.comment_id, defaults=_describe(comment)
    )
    if not is_new and not (is_final and row.verdict == Verdict.UNSURE):
        return None
    return row if _decide(row, asked, comment, is_final=is_final) or is_new else None


def _describe(comment: Comment) -> dict[str, object]:
    return {
        "login": clean(comment.login, 100),
        "text": clean(find_line(comment.body), 400),
        "url": clean(comment.url, 400),
        "commented_at": comment.created_at,
    }


def _decide(row: SyncRequest, asked: Asked, comment: Comment, *, is_final: bool) -> bool:
    """Whether it is decided now, and by us: whoever looks at the same comment at the same time loses."""
    if may_ask(comment.login, comment.association, settings.GITHUB_ALLOWED_USERS):
        wrong = [clean(word, 80) for word in (*asked.wrong, *_find_unknown(asked))]
        return _accept(row, asked) if not wrong else _settle(row, Verdict.WRONG, wrong=wrong)
    if is_final or settings.GITHUB_ALLOWED_USERS:
        return _refuse(row, comment)
    return False


def _settle(row: SyncRequest, verdict: SyncRequest.Verdict, **values: object) -> bool:
    undecided = SyncRequest.objects.filter(pk=row.pk, verdict=Verdict.UNSURE)
    is_ours = undecided.update(verdict=verdict, **values)
    row.refresh_from_db()
    return bool(is_ours)


def _refuse(row: SyncRequest, comment: Comment) -> bool:
    """It stands in the audit trail; of a crowd only the first do, the others get nothing at all."""
    lately = SyncRequest.objects.filter(verdict=Verdict.REFUSED, created_at__gt=timezone.now() - timedelta(days=1))
    if lately.count() >= MOST_REFUSED:
        logger.warning("github: %s wrote /sync and may not, as many others today", row.login)
        return _settle(row, Verdict.REFUSED, ended_at=timezone.now())
    if not _settle(row, Verdict.REFUSED):
        return False
    after = {"comment": row.url, "association": comment.association}
    record_event("github.refuse", by=name_login(row.login), after=after, outcome="denied")
    return True


def _accept(row: SyncRequest, asked: Asked) -> bool:
    references = _list_references(asked)
    if not _settle(row, Verdict.ACCEPTED, is_widened=not asked.names_nothing and references is None):
        return False
    queued = [runs.queue_full_run()] if references is None else [runs.queue_record_run(each) for each in references]
    row.runs.set(queued)
    _sign(row, queued)
    return True


def _find_unknown(asked: Asked) -> list[str]:
    """Records of other apps, and accounts that nobody has heard of."""
    apps = {settings.KINTONE_PERMISSION_SET_APP_ID, settings.KINTONE_ASSIGNMENT_APP_ID}
    there = set(Account.objects.filter(account_id__in=asked.accounts).values_list("account_id", flat=True))
    foreign = [reference for reference in asked.records if reference.partition(":")[0] not in apps]
    return foreign + [account_id for account_id in asked.accounts if account_id not in there]


def _list_references(asked: Asked) -> list[str] | None:
    """The records to look at; None for all: none is named, they are too many, or an account has none of its own."""
    references = list(asked.records)
    for account_id in asked.accounts:
        found = _list_records(account_id)
        if not found:
            return None
        references += found
    unique = list(dict.fromkeys(references))
    return unique if 0 < len(unique) <= MOST_RUNS else None


def _list_records(account_id: str) -> list[str]:
    wanting = Wish.objects.filter(assignment__account__account_id=account_id).values("record")
    names_it = Q(in_force__account_id=account_id) | Q(pk__in=wanting)
    found = Record.objects.live().of_kind(AppKind.ASSIGNMENT).filter(names_it).order_by("pk")
    return [record.reference for record in found.only("app_id", "record_id")[: MOST_RUNS + 1]]


def _sign(row: SyncRequest, queued: list[Run]) -> None:
    """Each run bears the name of whoever asked for it first; the audit trail has everybody's."""
    unnamed = Run.objects.filter(pk__in=[run.pk for run in queued], requested_by=None, asked_by="")
    unnamed.update(asked_by=name_login(row.login))
    for run in queued:
        after = {"comment": row.url, "record": run.record_reference}
        record_event("github.request", by=name_login(row.login), obj=("run", str(run.pk), str(run)), after=after)


def name_login(login: str) -> str:
    return f"{login} (GitHub)"
