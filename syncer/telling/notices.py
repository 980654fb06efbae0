"""The outbox: what a run has to tell goes into the database with the end of the run; a task sends it (`sending`).

Nothing here talks to the outside. A notice that stands for a matter is open until a full run no longer meets it.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import Account, Assignment, PermissionSet, Principal
from syncer.github.waking import wake_for
from syncer.models import Change, Drift, Notice, Run, TerraformExport
from syncer.states import Reason
from syncer.telling.alarms import WATCHED
from syncer.telling.commenting import note_remarks
from syncer.telling.matters import NEWS, Captured, Drifted, Findings, Item, Matter, Told, find_matters, has_grown
from syncer.telling.orphans import tell_orphans
from syncer.workers import start_task

logger = logging.getLogger(__name__)

Outcome = Change.Outcome


def end_run(run: Run) -> None:
    """Store how a run ended, and what it has to tell operators and records, in one transaction.

    Whatever is wrong with the telling: the end of a run is stored all the same, or it would pass for lost.
    """
    try:
        with transaction.atomic():
            run.save()
            tell_run(run)
            _comment(run)
            _tell_orphans(run)
    except Exception:
        logger.exception("notices: what run %s has to tell could not be written down", run.pk)
        run.save()
    wake_for(run)


def _tell_orphans(run: Run) -> None:
    """Whatever is wrong with letters does not keep operators from being told."""
    gone = Principal.objects.filter(Q(is_enabled=False) | Q(gone_at__isnull=False))
    removed = run.changes.filter(kind=Change.Kind.DELETE, outcome=Outcome.SUCCEEDED, principal_type="USER")
    if not removed.filter(principal_id__in=gone.values("principal_id")).exists():
        return
    try:
        with transaction.atomic():
            tell_orphans(timezone.now())
    except Exception:
        logger.exception("letters: what leavers of run %s leave behind could not be written down", run.pk)


def _comment(run: Run) -> None:
    """Whatever is wrong with comments on records does not keep operators from being told."""
    try:
        with transaction.atomic():
            note_remarks(run)
    except Exception:
        logger.exception("notices: what run %s has to tell records could not be written down", run.pk)


@transaction.atomic
def tell_run(run: Run) -> None:
    """Write down what this run, whose row says how it ended, has to tell."""
    matters = find_matters(_load_findings(run))
    standing = _load_standing(Notice.objects.exclude(key__startswith=WATCHED))
    if _has_seen_all(run):
        over = [notice for key, notice in standing.items() if _is_over(key, matters, run)]
        _end(over, resolved=not run.unresolved)
    _tell_news(matters, standing)


@transaction.atomic
def tell_standing(matters: Collection[Matter], *, unknown: Collection[str] = ()) -> None:
    """Write down what the watch finds, all of it at once: what stood and is not among it is over.

    Of the keys in `unknown` nothing is said, neither that they stand nor that they are over.
    """
    standing = _load_standing(Notice.objects.filter(key__startswith=WATCHED))
    keys = {matter.key for matter in matters} | set(unknown)
    _end([notice for key, notice in standing.items() if key not in keys], resolved=True)
    _tell_news([matter for matter in matters if matter.key not in unknown], standing)


def _load_standing(notices: QuerySet[Notice]) -> dict[str, Notice]:
    return {notice.key: notice for notice in notices.filter(ended_at__isnull=True)}


def _tell_news(matters: Collection[Matter], standing: Mapping[str, Notice]) -> None:
    """Write what is not told yet, and anew what has grown."""
    grown = [
        notice
        for matter in matters
        if (notice := standing.get(matter.key)) and has_grown(_count_of(notice), matter.count)
    ]
    _end(grown)
    told = standing.keys() - {notice.key for notice in grown}
    _insert([_build(matter) for matter in matters if matter.key not in told])


def tell_event(matter: Matter) -> None:
    """Write down what happened once and has no end. Call it in the transaction that brings it about."""
    now = timezone.now()
    _insert([_build(matter, created_at=now, ended_at=now)])


def _has_seen_all(run: Run) -> bool:
    """Only a full run that came through knows what is over."""
    return run.kind == Run.Kind.FULL and run.came_through


def _is_over(key: str, matters: Collection[Matter], run: Run) -> bool:
    """A run that only plans does not try again what failed; what could not be read, only a proof has read since."""
    if key.startswith("failed:") and run.mode == Run.Mode.PLAN:
        return False
    if key.startswith("unresolved:") and not run.is_proof:
        return False
    return all(matter.key != key for matter in matters)


# --- Rows -------------------------------------------------------------------------------------------------------------


def _build(matter: Matter, **values: Any) -> Notice:
    return Notice(
        kind=matter.kind, key=matter.key, code=matter.sentence.code, params=matter.as_params(), path=matter.path,
        **values,
    )  # fmt: skip


def _insert(rows: Collection[Notice]) -> None:
    """Another run may have met the same matter at the same moment: then its notice is the one."""
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        _wake_sender()


def _end(notices: Collection[Notice], *, resolved: bool = False) -> None:
    """End what stands; with `resolved`, say so for what was told."""
    if not notices:
        return
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(ended_at=timezone.now())
    if resolved:
        write_resolved(notice for notice in notices if notice.sent_at and notice.code not in NEWS)


def write_resolved(notices: Iterable[Notice]) -> None:
    """Tell that these are over. What tells an end has no end of its own to wait for."""
    now = timezone.now()
    rows = [
        Notice(
            kind=Notice.Kind.DONE, key=notice.key, code="notice_resolved", path=notice.path,
            params={"was": {"code": notice.code, "params": notice.params}}, created_at=now, ended_at=now,
        )
        for notice in notices
    ]  # fmt: skip
    _insert(rows)


def _count_of(notice: Notice) -> int:
    return int(notice.params.get("count") or 1)


def _wake_sender() -> None:
    """Have what was written sent as soon as it is committed; without a broker the schedule does it."""
    if settings.SLACK_WEBHOOK_URL or settings.SLACK_BOT_TOKEN:
        transaction.on_commit(partial(start_task, "syncer.tasks.send_notices"))


# --- What a run has come to -------------------------------------------------------------------------------------------


class _Names(NamedTuple):
    """What people call accounts and principals."""

    accounts: Mapping[str, Account]
    principals: Mapping[str, str]

    def item_of(self, row: Change | Drift) -> Item:
        account = self.accounts.get(row.account_id)
        return Item(
            account=account.name if account else row.account_id,
            stage=account.stage if account else "",
            permission_set=row.permission_set_name,
            who=self.principals.get(row.principal_id) or row.principal_name or row.principal_id,
        )


def _load_findings(run: Run) -> Findings:
    changes = list(run.changes.filter(outcome__in=(Outcome.FAILED, Outcome.HELD)).order_by("position"))
    failed = _with_refused([row for row in changes if row.outcome == Outcome.FAILED], run)
    held = [row for row in changes if row.outcome == Outcome.HELD]
    drift = list(Drift.objects.filter(ended_at__isnull=True, told_at__isnull=False).order_by("pk"))
    names = _load_names([*failed, *held, *drift])
    return Findings(
        run_id=run.pk,
        came_through=run.came_through,
        error=Reason.from_json(run.error) if run.error else None,
        failed=tuple(Told(Reason.from_json(row.reason), names.item_of(row)) for row in failed),
        held=tuple(Told(Reason.from_json(row.reason), names.item_of(row)) for row in held),
        checksum=run.checksum,
        unresolved=tuple(
            Told(Reason.from_json(item["reason"]), Item(scope=item["scope"]), item["operation"])
            for item in run.unresolved
        ),
        problems=tuple(Reason.from_json(problem) for problem in run.problems if not problem["record"]),
        drift=tuple(Drifted(row.seen_at, names.item_of(row)) for row in drift),
        captured=_load_captured(),
        untaken=_load_untaken(),
    )


def _with_refused(failed: list[Change], run: Run) -> list[Change]:
    """What failed in this run, and what AWS refused earlier and is not tried again yet: that stands as well."""
    waiting = Assignment.objects.filter(
        state__in=(Assignment.State.FAILED, Assignment.State.REMOVING), failures__gt=0
    ).values("pk")
    sets = PermissionSet.objects.filter(failures__gt=0).values("pk")
    earlier = (
        Change.objects.filter(outcome=Outcome.FAILED)
        .filter(Q(assignment__in=waiting) | Q(object=Change.Object.PERMISSION_SET, permission_set__in=sets))
        .exclude(run=run)
        .order_by("-pk")
    )
    tried = {_place_of(row) for row in failed}
    newest = {_place_of(row): row for row in reversed(earlier)}
    return [*failed, *(row for place, row in newest.items() if place not in tried)]


def _place_of(row: Change) -> tuple[str, str, str]:
    return row.account_id, row.permission_set_name, row.principal_id


def _load_captured() -> tuple[Captured, ...]:
    sets = PermissionSet.objects.filter(
        ownership=PermissionSet.Ownership.TERRAFORM, captured_at__isnull=False
    ).annotate(held=Count("assignments", filter=Q(assignments__in_aws=True)))
    return tuple(Captured(row.pk, row.name, row.held) for row in sets)


def _load_untaken() -> int:
    return TerraformExport.objects.newest_first().values_list("pending", flat=True).first() or 0


def _load_names(rows: Collection[Change | Drift]) -> _Names:
    accounts = Account.objects.in_bulk({row.account_id for row in rows} - {""}, field_name="account_id")
    ids = {row.principal_id for row in rows} - {""}
    people = Principal.objects.filter(principal_id__in=ids).values_list("principal_id", "display_name")
    return _Names(accounts, {str(principal_id): name for principal_id, name in people})
