"""Which records are to be told what, written down with the end of the run that found it; `posting` sends it.

Only runs that may write to AWS speak on records: in plan mode, in a pause and before a new database is confirmed,
nothing is written down. The problems in the database are those of the last run, whichever it was, so each run can say
what is news and what is over. Nothing here talks to the outside.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import PermissionSet, PortalWrite, Problem, Record
from accounts.names import clean, fold
from syncer.cases import ADMINISTRATOR
from syncer.mirror.judging import COMMAND
from syncer.models import AppState, Baseline, CommentSettings, RecordComment, Run
from syncer.records.parsing import find_cell, list_users
from syncer.telling.remarks import Remark, build_mark, choose_mentions, is_mendable, is_worth_telling
from syncer.workers import start_task

logger = logging.getLogger(__name__)

AT_ONCE = 10  # comments of one run that wait for nothing: of those written within a day, or all while nobody waits
FRESH = timedelta(days=1)
SPREAD = timedelta(minutes=2)  # between all others: at most 1,440 requests a day, of both apps together
MOST_WAITING = 500  # what is more is found again by a later run
AGAIN = timedelta(days=1)  # before a record is told anew what it was told and what was over meanwhile
_BATCH = 500
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Kind = RecordComment.Kind


def may_comment() -> bool:
    """Whether this portal speaks on kintone's records at all.

    A portal that only plans runs beside what it is to replace. One whose links lead to somebody's own machine has no
    business on the records of a real kintone.
    """
    if settings.SYNC_MODE != Run.Mode.APPLY or not CommentSettings.load().is_on:
        return False
    return not _is_local(settings.PUBLIC_URL) or _is_local(settings.KINTONE_BASE_URL)


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "") in _LOOPBACK


def note_remarks(run: Run) -> None:
    """Write down what records are to be told after this run. Call it in the transaction that stores the run's end."""
    if run.kind == Run.Kind.LOCK_OUT or run.mode == Run.Mode.PLAN or not run.came_through:
        return
    if not may_comment() or not Baseline.objects.exists():
        return
    findings = _load_findings(timezone.now())
    if findings.records:
        _note(findings, timezone.now())


# --- What there is to say ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Findings:
    """By row of the record: its remarks, and the comment that stands. A record that is not decided is in neither."""

    records: Mapping[int, Record]
    remarks: Mapping[int, list[Remark]]
    standing: Mapping[int, RecordComment]


def _load_findings(now: datetime) -> _Findings:
    remarks = _load_problems(now)
    undecided = _add_refused_sets(remarks)
    standing = {row.record_id: row for row in RecordComment.objects.filter(ended_at__isnull=True)}
    rows = Record.objects.defer("body", "in_force").in_bulk(remarks.keys() | standing.keys())
    # What no run has judged yet, the next one will.
    decided = {pk: row for pk, row in rows.items() if (row.is_settled or row.gone_at) and pk not in undecided}
    return _Findings(decided, remarks, {pk: row for pk, row in standing.items() if pk in decided})


def _load_problems(now: datetime) -> defaultdict[int, list[Remark]]:
    remarks: defaultdict[int, list[Remark]] = defaultdict(list)
    problems = Problem.objects.filter(record__gone_at__isnull=True, record__isnull=False).order_by(
        "field", "line", "pk"
    )
    for row in problems:
        is_error = row.severity == Problem.Severity.ERROR
        if row.record_id and is_worth_telling(row.code, is_error=is_error, stood_for=now - row.first_seen):
            remarks[row.record_id].append(Remark(row.code, row.field, row.line, row.params))
    return remarks


def _add_refused_sets(remarks: defaultdict[int, list[Remark]]) -> set[int]:
    """What AWS refused for good of sets; the records of those that are being tried again, which nobody knows yet."""
    undecided = set()
    for row in PermissionSet.objects.filter(failures__gt=0, record__gone_at__isnull=True, record__isnull=False):
        if row.record_id and row.state != PermissionSet.State.FAILED:
            undecided.add(row.record_id)
        elif row.record_id and is_mendable(str(row.reason.get("code", ""))):
            remarks[row.record_id].append(Remark(row.reason["code"], params=row.reason.get("params") or {}))
    return undecided


# --- What is news -----------------------------------------------------------------------------------------------------


def _note(findings: _Findings, now: datetime) -> None:
    news = [
        record
        for pk, record in findings.records.items()
        if _is_news(findings.remarks.get(pk, ()), findings.standing.get(pk), record)
    ]
    written = _queue(_build_comments(_choose(news), findings, now), now)
    over = [row for pk, row in findings.standing.items() if not findings.remarks.get(pk) and row.kind == Kind.PROBLEMS]
    replaced = [row for comment in written if (row := findings.standing.get(comment.record_id))]
    _end([*over, *replaced], now)
    if CommentSettings.load().says_well:
        written += [_build_end(row, findings.records[row.record_id]) for row in over if _is_to_be_ended(row, findings)]
    _insert(written)


def _choose(news: Collection[Record]) -> list[Record]:
    """The newest revisions first: their writers may still be at it. No more than can be sent in some hours."""
    waiting = RecordComment.objects.filter(sent_at__isnull=True, ended_at__isnull=True).count()
    ordered = sorted(news, key=lambda record: record.updated_at, reverse=True)
    return ordered[: max(AT_ONCE, MOST_WAITING - waiting)]


def _end(rows: list[RecordComment], now: datetime) -> None:
    for start in range(0, len(rows), _BATCH):
        pks = [row.pk for row in rows[start : start + _BATCH]]
        RecordComment.objects.filter(pk__in=pks).update(ended_at=now)


def _is_news(remarks: Collection[Remark], standing: RecordComment | None, record: Record) -> bool:
    """Something that was not told, or an unsent comment that says what is not so any more."""
    if not remarks or record.gone_at:
        return False
    identities = _identify(remarks, record, standing)
    if standing is None or standing.kind == Kind.WELL or not identities <= set(standing.told):
        return True
    return standing.attempts == 0 and identities != _identify_said(standing)


def _identify_said(comment: RecordComment) -> set[str]:
    return {Remark(**remark).identity(comment.revision) for remark in comment.remarks}


def _identify(remarks: Iterable[Remark], record: Record, standing: RecordComment | None) -> set[str]:
    revision = _find_revision(record, standing)
    return {remark.identity(revision) for remark in remarks}


def _find_revision(record: Record, standing: RecordComment | None) -> int:
    """A person who saved it again hears what is still wrong. A program does not, nor does it call anybody else anew."""
    is_told = standing is not None and standing.kind == Kind.PROBLEMS
    return standing.revision if standing and is_told and _is_by_program(record) else record.revision


def _is_to_be_ended(row: RecordComment, findings: _Findings) -> bool:
    """Nobody can take back what nobody was told. Whether one that was begun was sent, whoever sends will see."""
    return row.attempts > 0 and findings.records[row.record_id].gone_at is None


# --- Rows -------------------------------------------------------------------------------------------------------------


def _build_comments(news: Collection[Record], findings: _Findings, now: datetime) -> list[RecordComment]:
    earlier, people = _load_earlier(news), _load_people(news)
    comments = []
    for record in news:
        remarks, standing = findings.remarks[record.pk], findings.standing.get(record.pk)
        identities, revision = _identify(remarks, record, standing), _find_revision(record, standing)
        before = [row for row in earlier[record.pk] if set(row.told) >= identities and row.revision == revision]
        if before and now - max(row.created_at for row in before) < AGAIN:
            continue  # it comes and goes; once a day is enough
        told = identities | (set(standing.told) if standing and standing.kind == Kind.PROBLEMS else set())
        comments.append(
            RecordComment(
                kind=Kind.PROBLEMS, record=record, revision=revision, told=sorted(told),
                remarks=[remark.as_json() for remark in remarks],
                mentions=people[record.pk].choose(remarks),
                writer_name=clean(people[record.pk].writer_name, 256),
                mark=_mark(record, identities, len(before)),
            )
        )  # fmt: skip
    return comments


def _load_earlier(records: Collection[Record]) -> defaultdict[int, list[RecordComment]]:
    """What these records were told before and is over."""
    rows = RecordComment.objects.filter(
        record__in=records, kind=Kind.PROBLEMS, attempts__gt=0, ended_at__isnull=False
    ).order_by("pk")
    earlier: defaultdict[int, list[RecordComment]] = defaultdict(list)
    for row in rows:
        earlier[row.record_id].append(row)
    return earlier


def _build_end(row: RecordComment, record: Record) -> RecordComment:
    return RecordComment(
        kind=Kind.WELL, record=record, revision=record.revision, takes_back=row.mark,
        mark=_mark(record, [row.mark, "well"]),
    )  # fmt: skip


def _mark(record: Record, identities: Collection[str], times: int = 0) -> str:
    return build_mark(settings.PUBLIC_URL, record.reference, record.revision, identities, times)


def _queue(rows: list[RecordComment], now: datetime) -> list[RecordComment]:
    """A few go at once, all others in turn, behind those that wait already. Only fresh ones pass those."""
    unsent = RecordComment.objects.filter(sent_at__isnull=True, ended_at__isnull=True, attempts=0)
    last = unsent.aggregate(last=Max("retry_at"))["last"]
    turn, at_once, is_line = max(last or now, now), AT_ONCE, last is not None
    for row in rows:
        row.created_at = now
        if at_once and (not is_line or now - row.record.updated_at < FRESH):
            at_once -= 1
        else:
            turn += SPREAD
            row.retry_at = turn
    return rows


def _insert(rows: list[RecordComment]) -> None:
    """Another run may have written the same a moment ago: then that is it."""
    RecordComment.objects.bulk_create(rows, _BATCH, ignore_conflicts=True)
    if rows:
        transaction.on_commit(partial(start_task, "syncer.tasks.post_comments"))


# --- Whom it concerns -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _People:
    """Those of one record, by kintone code; of whom kintone does not know only the name."""

    writer: str = ""
    writer_name: str = ""
    author: str = ""
    owners: tuple[str, ...] = ()

    def choose(self, remarks: Collection[Remark]) -> list[str]:
        """The writer; the author and the owners where they have to decide, or where nobody else is known."""
        found = choose_mentions([self.writer], never=ADMINISTRATOR)
        if found and not any(remark.concerns_owners for remark in remarks):
            return found
        return choose_mentions([self.writer, self.author, *self.owners], never=ADMINISTRATOR)


def _load_people(records: Collection[Record]) -> dict[int, _People]:
    ledger = _load_ledger(records)
    codes = {state.kind: state.fields.get("owners", "") for state in AppState.objects.all()}
    bodies = dict(Record.objects.filter(pk__in=[row.pk for row in records]).values_list("pk", "body"))
    return {
        record.pk: replace(
            _find_people(record, ledger), owners=list_users(find_cell(bodies[record.pk], codes.get(record.kind, "")))
        )
        for record in records
    }


_Ledger = Mapping[tuple[str, str, int], PortalWrite]


def _load_ledger(records: Collection[Record]) -> _Ledger:
    ids = {record.record_id for record in records}
    rows = PortalWrite.objects.filter(record_id__in=ids).select_related("user__person")
    return {(row.app_id, row.record_id, row.revision): row for row in rows}


def _find_people(record: Record, ledger: _Ledger) -> _People:
    """A token writes as Administrator: the ledger knows who it was."""
    written, begun = _find_write(record, record.revision, ledger), _find_write(record, 1, ledger)
    author = _find_code(begun) if begun else record.creator_code
    if written:
        return _People(_find_code(written), str(written.user or COMMAND), author)
    return _People(record.modifier_code, "" if _is_by_program(record) else record.modifier_name, author)


def _find_write(record: Record, revision: int, ledger: _Ledger) -> PortalWrite | None:
    write = ledger.get((record.app_id, record.record_id, revision))
    return write if write and write.is_of(record) else None


def _is_by_program(record: Record) -> bool:
    return fold(record.modifier_code) == ADMINISTRATOR


def _find_code(write: PortalWrite) -> str:
    person = write.user.person if write.user else None
    return person.kintone_code if person else ""
