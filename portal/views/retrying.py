"""*Try again*: what waits or what AWS refused of a record is looked at once more, now, and followed to its end.

Runs do so by themselves; the button is for whoever has mended something outside and does not want to wait.
"""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.access import require_user, visible_records
from accounts.models import AppKind, Assignment, Draft
from portal.views.pacing import at_a_calm_pace
from syncer.drafts import saving
from syncer.models import Run
from syncer.tasks import request_retry

RETRIED = (Assignment.State.WAITING, Assignment.State.FAILED)


def is_worth_retrying(assignments: Iterable[Assignment | None]) -> bool:
    """Whether another run might find one of them otherwise, without anybody changing the record."""
    return any(row is not None and row.state in RETRIED for row in assignments)


def find_retries(references: Iterable[str]) -> dict[str, datetime]:
    """Those of these records that are being tried again, since when somebody asked."""
    going = Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING], requested_by__isnull=False)
    return dict(going.filter(record_reference__in=list(references)).values_list("record_reference", "requested_at"))


@require_POST
@at_a_calm_pace
def retry_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a targeted run of the record, and follow it: on the page of its submit, or on the run's own."""
    user = require_user(request)
    record = get_object_or_404(visible_records(user).of_kind(AppKind.ASSIGNMENT).live(), pk=pk)
    if not saving.may_write(user, record):
        raise PermissionDenied
    run = request_retry(user, record, request)
    batch = request.POST.get("batch", "")[:32]
    if batch and Draft.objects.visible_to(user).filter(batch=batch, written_reference=record.reference).exists():
        return redirect("sent", batch)
    return redirect("run_detail", run.pk)
