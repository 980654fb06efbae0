"""What becomes of a draft, in the database: begun, written, waiting, stopped, discarded. Nothing here leaves it.

Each step is one statement or one transaction that looks whether the draft is still as it was: the writing task, a click
on *discard* and a killed worker's successor may meet here.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.audit import find_place, record_event
from accounts.models import Draft, PortalWrite, Record
from syncer.drafts.merging import Conflict
from syncer.gateways.kintone import Written
from syncer.models import Drift, Withdrawal
from syncer.states import Reason

logger = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=1), timedelta(minutes=15)  # between two tries, doubling
UNDER_WAY = timedelta(minutes=2)  # how long a request may take to arrive; its answer is given up much sooner
PUT_BACK_WITHIN = timedelta(days=1)  # what kintone could not take for longer is judged as anything else
_CLEAN: Mapping[str, Any] = {"attempts": 0, "sent": None, "sent_revision": None}


def find_waiting(now: datetime) -> QuerySet[Draft]:
    """What can be written now, oldest first."""
    ready = Q(after__isnull=True) | Q(after__state=Draft.State.WRITTEN)
    due = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    return Draft.objects.filter(ready, due, state=Draft.State.WAITING).order_by("created_at", "pk")


# --- On the way -------------------------------------------------------------------------------------------------------


def begin(draft: Draft, *, sent: Mapping[str, Any], revision: int | None) -> bool:
    """Note what is about to be sent, before it is: whoever finds the draft later must know that it may have arrived.

    False where somebody has discarded it meanwhile, or another process is at it, which has taken over the lease.
    """
    kept = {**sent, "at": timezone.now().isoformat()}
    as_it_was = {"state": Draft.State.WAITING, "discarded_at__isnull": True, "attempts": draft.attempts}
    if not Draft.objects.filter(pk=draft.pk, **as_it_was).update(
        attempts=F("attempts") + 1, sent=kept, sent_revision=revision
    ):
        return False
    draft.attempts, draft.sent, draft.sent_revision = draft.attempts + 1, kept, revision
    return True


def may_still_arrive(draft: Draft, now: datetime) -> bool:
    """Whether a request without an answer may be on its way yet, though kintone does not show it."""
    at = (draft.sent or {}).get("at")
    return bool(draft.attempts and at) and now - datetime.fromisoformat(str(at)) < UNDER_WAY


def forget_attempt(draft: Draft) -> None:
    """What was begun has provably not arrived, and never will."""
    Draft.objects.filter(pk=draft.pk).update(**_CLEAN)
    draft.attempts, draft.sent, draft.sent_revision = 0, None, None


def note(draft: Draft, reason: Reason) -> None:
    """It waits, and this is why."""
    Draft.objects.filter(pk=draft.pk).update(reason=reason.as_json())


def delay(drafts: Iterable[Draft], reason: Reason, now: datetime) -> None:
    """kintone could not take them: once more soon, then after longer and longer pauses."""
    for draft in drafts:
        pause = min(FIRST_DELAY * 2 ** (draft.tries - 1), LONGEST_DELAY) if draft.tries else timedelta()
        Draft.objects.filter(pk=draft.pk).update(
            reason=reason.as_json(), tries=F("tries") + 1, retry_at=now + pause if pause else None
        )


# --- The end ----------------------------------------------------------------------------------------------------------


def note_write(draft: Draft, app_id: str, written: Written) -> None:
    """The ledger names the person behind a revision that kintone gives to its Administrator.

    Before the mirror takes the revision over: whoever looks at it then has to know whose it is.
    """
    # An app that was restored from a backup gives a revision twice: then the later write is meant.
    PortalWrite.objects.update_or_create(
        app_id=app_id,
        record_id=written.record_id,
        revision=written.revision,
        defaults={
            "user": draft.author,
            "keeps_access": is_move(draft),
            "puts_back": _find_put_back(draft),
            "at": timezone.now(),
        },
    )


@transaction.atomic
def finish(draft: Draft, app_id: str, written: Written, *, is_ours: bool = True) -> None:
    """kintone says what the draft says. Where nothing had to be written, the revision stays its writer's."""
    reference = f"{app_id}:{written.record_id}"
    if is_ours and not draft.is_deletion:
        _keep_beside(draft, app_id, written.record_id)
    late = Reason("draft_discarded_too_late").as_json() if draft.discarded_at else {}
    Draft.objects.filter(pk=draft.pk).update(
        state=Draft.State.WRITTEN, reason=late, error="", conflict={}, sent=None, retry_at=None, notes=draft.notes,
        written_reference=reference, written_revision=written.revision or None,
    )  # fmt: skip
    outcome = "gone" if draft.is_deletion else f"revision {written.revision}"
    record_event(
        "record.delete" if draft.is_deletion else "record.write",
        actor=draft.author,
        obj=("record", reference, reference),
        before=list_before(draft),
        after=None if draft.is_deletion else draft.values,
        outcome=outcome if is_ours else f"{outcome}, nothing to write",
        about=find_place(draft.record, draft.values),
    )


def list_before(draft: Draft) -> Mapping[str, Any] | None:
    """What the fields that it changes said to whoever changed them; of a deletion, the whole record."""
    base: Mapping[str, Any] | None = draft.base_values
    if base is None or draft.is_deletion:
        return base
    return {name: base.get(name) for name in draft.values}


def _find_put_back(draft: Draft) -> dict[str, Any] | None:
    """What an undo puts back, by what stands beside the removal, never by what the draft says."""
    found = Withdrawal.objects.filter(undo=draft, undone_at__gt=timezone.now() - PUT_BACK_WITHIN).first()
    return found.put_back if found else None


def _keep_beside(draft: Draft, app_id: str, record_id: str) -> None:
    """Whom the write leaves out of kintone and the portal goes on giving access."""
    beside = (draft.sent or {}).get("beside")
    if beside is not None:
        Record.objects.filter(app_id=app_id, record_id=record_id).update(beside=list(beside), is_settled=False)


def is_move(draft: Draft) -> bool:
    """Moves a record to a copy of its set: the same people, the same last day."""
    return draft.purpose.startswith(("twin:", "rename:")) and draft.record_id is not None


def stop(draft: Draft, state: str, reason: Reason) -> None:
    """It will not be written as it is, nor what belongs to it. A decision that it came from is open again."""
    with transaction.atomic():
        Draft.objects.filter(pk=draft.pk).update(state=state, reason=reason.as_json(), retry_at=None, **_CLEAN)
        _stop_followers(draft.pk, reason)
        reopen_decision(draft)
    logger.warning("writing: draft %s ends as %s: %s", draft.pk, state, reason.code)


def _stop_followers(pk: int, reason: Reason) -> None:
    Draft.objects.filter(after=pk, state=Draft.State.WAITING).update(state=Draft.State.REFUSED, reason=reason.as_json())


def stop_in_conflict(draft: Draft, conflicts: Sequence[Conflict], *, theirs: Mapping[str, Any], record: Record) -> None:
    """Both versions are kept, for the person to choose from."""
    kept = {
        "fields": [conflict._asdict() for conflict in conflicts],
        "theirs": dict(theirs),
        "revision": record.revision,
        "by": record.modifier_name,
    }
    Draft.objects.filter(pk=draft.pk).update(conflict=kept)
    by = {"by": record.modifier_name}
    stop(draft, Draft.State.CONFLICT, Reason("draft_deletion_overtaken" if draft.is_deletion else "draft_conflict", by))


def reopen_decision(draft: Draft) -> None:
    kind, _colon, number = draft.purpose.partition(":")
    if kind == "drift":
        Drift.objects.filter(pk=number, decision=Drift.Decision.KEEP).update(
            decision="", decided_by=None, decided_at=None
        )


def discard_marked(draft: Draft) -> None:
    """Somebody has discarded it while it was about to be sent. Whatever else has become of it, stays."""
    row = Draft.objects.filter(pk=draft.pk, discarded_at__isnull=False).first()
    if row and not may_still_arrive(row, timezone.now()):
        discard(row)


def discard(draft: Draft) -> None:
    """What a person wanted no more, and what has not arrived in kintone."""
    now = timezone.now()
    with transaction.atomic():
        found = Draft.objects.filter(pk=draft.pk, state__in=Draft.OPEN).update(
            state=Draft.State.DISCARDED, discarded_at=draft.discarded_at or now, reason={}, retry_at=None, **_CLEAN
        )
        if not found:
            return
        _stop_followers(draft.pk, Reason("draft_before_discarded"))
        reopen_decision(draft)
