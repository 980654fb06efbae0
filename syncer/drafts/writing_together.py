"""The drafts of one submit: one bulk request, which kintone carries out as a whole or not at all.

While one of them waits, contradicts or is refused, the others wait with it. A request whose answer was lost is looked
for, record by record; where one has arrived, all have.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import AppKind, Draft
from syncer.connections import connect_kintone_domain
from syncer.drafts import carrying, outcomes
from syncer.drafts.carrying import Apps, Carried, Discarded, Request
from syncer.drafts.failures import FAILURES, tell
from syncer.gateways.errors import Conflict, Denied, GatewayError, Permanent, Race, Temporary
from syncer.gateways.kintone_bulk import BulkCreate, BulkDelete, BulkFailure, BulkRequest, BulkUpdate
from syncer.gateways.kintone_values import Deletion, Update, Written
from syncer.states import Reason

_KINDS = (AppKind.PERMISSION_SET, AppKind.ASSIGNMENT)  # an assignment may look up a set that comes with it


def write_together(batch: str, apps: Apps) -> frozenset[str]:
    """Write what is left of one submit; the records (APP:ID) that kintone has now."""
    rows = list(Draft.objects.filter(batch=batch).select_related("record", "author__person").order_by("pk"))
    left = [row for row in rows if row.state not in (Draft.State.WRITTEN, Draft.State.DISCARDED)]
    if any(row.state != Draft.State.WAITING for row in left):
        _hold(left)
        return frozenset()
    if reason := next((apps.failed[row.kind] for row in left if row.kind in apps.failed), None):
        outcomes.delay(left, reason, timezone.now())
        return frozenset()
    arrived = _find_arrived(left, apps)
    if arrived is None or arrived:
        return frozenset(arrived or ())
    return _send(left, apps)


def _hold(rows: Iterable[Draft]) -> None:
    """They wait for the one that cannot be written."""
    for row in rows:
        if row.state == Draft.State.WAITING:
            outcomes.note(row, Reason("draft_together"))


def _find_arrived(rows: Sequence[Draft], apps: Apps) -> set[str] | None:
    """What an earlier request has brought there; None where that cannot be found out now."""
    arrived: set[str] = set()
    for row in rows:
        try:
            form = apps.open(row.kind)
            found = carrying.find_carried(form, row) if row.attempts else None
        except FAILURES as error:
            _tell_all(row, error, rows, apps)
            return None
        if found:
            arrived.add(carrying.finish(form, row, found))
    return arrived


def _send(rows: Sequence[Draft], apps: Apps) -> frozenset[str]:
    ready = _prepare(rows, apps)
    for _try in range(carrying.MOST_UNKNOWN):
        if ready is None:
            break
        try:
            with transaction.atomic():
                for request in ready.requests:
                    request.begin()
        except Discarded:
            break  # in this moment; the next pass finds out what that means
        try:
            return ready.write()
        except BulkFailure as failure:
            ready = _mend(ready, failure, apps)
    return frozenset()


@dataclass
class _Ready:
    """The requests of all, and what needs none."""

    requests: list[Request] = field(default_factory=list)
    carried: list[tuple[Request, Carried]] = field(default_factory=list)

    def list_parts(self) -> list[tuple[BulkRequest[Any], list[Request]]]:
        """In the order in which kintone can carry them out."""
        parts = [part for kind in _KINDS for part in _build_writes(self._of(kind))]
        return parts + [part for kind in reversed(_KINDS) for part in _build_deletions(self._of(kind))]

    def _of(self, kind: AppKind) -> list[Request]:
        return [request for request in self.requests if request.draft.kind == kind]

    def write(self) -> frozenset[str]:
        """Raises BulkFailure."""
        parts, done = self.list_parts(), list(self.carried)
        if parts:
            with connect_kintone_domain() as domain:
                written = domain.bulk_write([part for part, _requests in parts])
            for (_part, requests), results in zip(parts, written, strict=True):
                done += zip(requests, _read(requests, results), strict=True)
        return frozenset(carrying.finish(request.form, request.draft, carried) for request, carried in done)


def _read(requests: Sequence[Request], results: Sequence[Written]) -> list[Carried]:
    """Deletions have no results."""
    if results:
        return [Carried(written) for written in results]
    return [Carried(Written(request.record.record_id, 0)) for request in requests if request.record]


def _build_writes(requests: Sequence[Request]) -> Iterator[tuple[BulkRequest[Any], list[Request]]]:
    new = [request for request in requests if request.record is None]
    changed = [request for request in requests if request.record and not request.draft.is_deletion]
    if new:
        yield BulkCreate(new[0].form.app.app_id, [request.render() for request in new]), new
    if changed:
        rows = [
            Update(request.record.record_id, request.render(), request.revision)
            for request in changed if request.record
        ]  # fmt: skip
        yield BulkUpdate(changed[0].form.app.app_id, rows), changed


def _build_deletions(requests: Sequence[Request]) -> Iterator[tuple[BulkRequest[Any], list[Request]]]:
    gone = [request for request in requests if request.draft.is_deletion]
    if gone:
        rows = [Deletion(request.record.record_id, request.revision) for request in gone if request.record]
        yield BulkDelete(gone[0].form.app.app_id, rows), gone


def _prepare(rows: Sequence[Draft], apps: Apps) -> _Ready | None:
    """None where one of them cannot be sent yet; it says why."""
    ready = _Ready()
    for row in rows:
        try:
            form = apps.open(row.kind)
            request = carrying.prepare(form, row)
        except FAILURES as error:
            _tell_all(row, error, rows, apps)
            return None
        if isinstance(request, Carried):
            ready.carried.append((Request(form, row, row.record), request))
        else:
            ready.requests.append(request)
    return ready


# --- Nothing was written, or nobody knows -----------------------------------------------------------------------------


def _tell_all(row: Draft, error: Exception, rows: Sequence[Draft], apps: Apps) -> None:
    """Why this one is not written; and that the others wait for it."""
    tell(row, error, apps)
    if isinstance(error, (Temporary, Denied)) and not isinstance(error, Race):
        outcomes.delay([other for other in rows if other is not row], error.reason, timezone.now())
    else:
        _hold(other for other in rows if other is not row)


def _mend(ready: _Ready, failure: BulkFailure, apps: Apps) -> _Ready | None:
    """What can be sent instead; None where something has to happen first."""
    error, rows = failure.error, [request.draft for request in ready.requests]
    if isinstance(error, (Conflict, Race)):
        _look_again(ready.requests, error, apps)
        return None
    if isinstance(error, Permanent) and not isinstance(error, Denied):
        if any(_has_arrived(request) for request in ready.requests):
            return None  # kintone refuses our own keys: the next pass finds the records
        for row in rows:
            outcomes.forget_attempt(row)
        return _leave_out(ready, failure, error, apps)
    _tell_all(rows[0], error, rows, apps)  # it may have arrived: the attempt stays noted
    return None


def _has_arrived(request: Request) -> bool:
    is_new = request.record is None and "request_key" in request.form.codes
    return is_new and carrying.find_created(request.form, request.draft) is not None


def _look_again(requests: Sequence[Request], error: GatewayError, apps: Apps) -> None:
    """Somebody else wrote into one of the records, or an earlier request of ours has arrived after all."""
    moved: list[Draft] = []
    for request in requests:
        draft, record = request.draft, request.record
        if record is None:
            continue
        found = carrying.look_again(request.form, draft, record, may_be_ours=draft.attempts > 1)
        if found:
            carrying.finish(request.form, draft, found)
            return  # then all have arrived; the next pass finds the others
        if not draft.attempts:
            moved.append(draft)
            if draft.is_deletion:
                tell(draft, carrying.overtake_deletion(draft, record), apps)
    rows = [request.draft for request in requests]
    if not moved:
        _tell_all(rows[0], error, rows, apps)
        return
    for row in rows:
        outcomes.forget_attempt(row)
    _hold(row for row in rows if not (row in moved and row.is_deletion))


def _leave_out(ready: _Ready, failure: BulkFailure, error: Permanent, apps: Apps) -> _Ready | None:
    """Without deleted people; where it was about something else, the one that it was about is refused."""
    refused = _find_refused(ready, failure)
    mended = {id(request): new for request in refused if (new := _try_without(request, error))}
    if mended:
        return _Ready([mended.get(id(request), request) for request in ready.requests], ready.carried)
    _tell_all(refused[0].draft, error, [request.draft for request in ready.requests], apps)
    return None


def _find_refused(ready: _Ready, failure: BulkFailure) -> list[Request]:
    """The one that kintone named; all where it named none."""
    if failure.request_index is None:
        return ready.requests
    _part, requests = ready.list_parts()[failure.request_index]
    return requests if failure.row_index is None else [requests[failure.row_index]]


def _try_without(request: Request, error: Permanent) -> Request | None:
    try:
        return request.leave_out(error)
    except Permanent:
        return None
