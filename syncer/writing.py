"""Drafts → kintone, oldest first. What cannot be carried now stays and says why; what a person has to see to says so.

`carrying` brings one draft there, `writing_together` those of one submit.
"""

import logging
from contextlib import ExitStack

from django.utils import timezone

from accounts.models import Draft, Record
from syncer import carrying, leases
from syncer import draft_outcomes as outcomes
from syncer.carrying import Apps, Discarded, NotYet, Overtaken, is_record_gone
from syncer.gateways.errors import Denied, GatewayError, NotFound, Race, Temporary
from syncer.schema import SchemaError
from syncer.states import Reason

logger = logging.getLogger(__name__)

LEASE = "drafts"


def write_drafts(*, wait: float = 0) -> frozenset[str]:
    """Carry what waits to kintone; the records (APP:ID) that were written. Somebody else at it is no error."""
    try:
        with leases.hold_lease(LEASE, wait=wait):
            return _write_waiting()
    except leases.LeaseBusy:
        return frozenset()


def has_waiting() -> bool:
    return outcomes.find_waiting(timezone.now()).exists()


def find_unjudged() -> frozenset[str]:
    """The records (APP:ID) whose newest revision has to be judged before a draft goes onto it."""
    waiting = outcomes.find_waiting(timezone.now()).filter(record__is_settled=False)
    return frozenset(f"{app}:{record}" for app, record in waiting.values_list("record__app_id", "record__record_id"))


def _write_waiting() -> frozenset[str]:
    written: set[str] = set()
    tried: set[int] = set()
    with ExitStack() as stack:
        apps = Apps(stack)
        waiting = outcomes.find_waiting(timezone.now()).select_related("record", "author__person")
        while draft := waiting.exclude(pk__in=tried).first():
            tried.add(draft.pk)
            if reference := _write(draft, apps):
                written.add(reference)
    return frozenset(written)


def _write(draft: Draft, apps: Apps) -> str:
    """Write one draft; APP:ID if kintone says it now. What failed in a way that passes stays for the next time."""
    if reason := apps.failed.get(draft.kind):
        outcomes.delay([draft], reason, timezone.now())
        return ""
    try:
        form = apps.open(draft.kind)
        return carrying.finish(form, draft, carrying.carry(form, draft))
    except NotYet as wait:
        _wait_for_judgement(draft, wait.record)
    except Discarded:
        outcomes.discard(draft)
    except Overtaken as error:
        outcomes.stop_in_conflict(draft, error.conflicts, theirs=error.theirs, record=error.record)
    except (GatewayError, SchemaError) as error:
        _note_failure(draft, error, apps)
    return ""


def _wait_for_judgement(draft: Draft, record: Record) -> None:
    """The run that is asked for tells soon; one that could not find out who may is not the last."""
    reason = Reason("draft_waits_for_judgement")
    if record.is_settled:
        outcomes.delay([draft], reason, timezone.now())
    else:
        outcomes.note(draft, reason)


def _note_failure(draft: Draft, error: GatewayError | SchemaError, apps: Apps) -> None:
    """What a person can mend in kintone or its settings waits for that; a refusal is told."""
    if isinstance(error, Race):  # of this record alone
        outcomes.delay([draft], error.reason, timezone.now())
    elif isinstance(error, (Temporary, Denied, SchemaError)):
        logger.warning("writing: draft %s waits: %s", draft.pk, error)
        apps.failed[draft.kind] = error.reason
        outcomes.delay([draft], error.reason, timezone.now())
    else:
        outcomes.stop(draft, Draft.State.REFUSED, _explain_refusal(error))


def _explain_refusal(error: GatewayError) -> Reason:
    """What the person who saved can do about it."""
    if isinstance(error, NotFound) and is_record_gone(error):
        return Reason("draft_record_gone")
    if error.reason.code == "kintone_error":
        return Reason("draft_refused", {"text": error.text or error.code})
    return error.reason
