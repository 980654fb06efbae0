"""Drafts → kintone, oldest first. What cannot be carried now stays and says why; what a person has to see to says so.

`carrying` brings one draft there, `writing_together` those of one submit.
"""

from contextlib import ExitStack

from django.utils import timezone

from accounts.models import Draft
from accounts.tracing import working_on
from syncer import leases
from syncer.drafts import carrying, outcomes
from syncer.drafts.carrying import Apps
from syncer.drafts.failures import FAILURES, tell
from syncer.drafts.writing_together import write_together

LEASE = "drafts"


def write_drafts(*, wait: float = 0) -> frozenset[str]:
    """Carry what waits to kintone; the records (APP:ID) that were written. Somebody else at it is no error."""
    try:
        with leases.hold_lease(LEASE, wait=wait) as lease:
            return _write_waiting(lease)
    except leases.LeaseBusy:
        return frozenset()


def has_waiting() -> bool:
    return outcomes.find_waiting(timezone.now()).exists()


def find_unjudged() -> frozenset[str]:
    """The records (APP:ID) whose newest revision has to be judged before a draft goes onto it."""
    waiting = outcomes.find_waiting(timezone.now()).filter(record__is_settled=False)
    return frozenset(f"{app}:{record}" for app, record in waiting.values_list("record__app_id", "record__record_id"))


def _write_waiting(lease: leases.Held) -> frozenset[str]:
    written: set[str] = set()
    tried: set[int] = set()
    with ExitStack() as stack:
        apps = Apps(stack)
        waiting = outcomes.find_waiting(timezone.now()).select_related("record", "author__person")
        while not lease.is_lost and (draft := waiting.exclude(pk__in=tried).first()):
            together = Draft.objects.filter(batch=draft.batch) if draft.batch else Draft.objects.none()
            tried |= {draft.pk, *together.values_list("pk", flat=True)}
            with working_on(draft_id=draft.pk):
                written |= write_together(draft.batch, apps) if draft.batch else _write(draft, apps)
    return frozenset(written)


def _write(draft: Draft, apps: Apps) -> frozenset[str]:
    """Write one draft; APP:ID if kintone says it now."""
    if reason := apps.failed.get(draft.kind):
        outcomes.delay([draft], reason, timezone.now())
        return frozenset()
    try:
        form = apps.open(draft.kind)
        return frozenset({carrying.finish(form, draft, carrying.carry(form, draft))})
    except FAILURES as error:
        tell(draft, error, apps)
    return frozenset()
