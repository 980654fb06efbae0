"""Examinations at somebody's request, on a page: rows that wait, and what carries them out.

No request asks kintone or AWS; a task does. Only the newest row is kept. One whose worker died, or that no worker ever
took up, is given up by the next request.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.audit import record_event
from accounts.models import User
from portal.doctor.examination import examine
from syncer.models import Examination

GIVE_UP = timedelta(minutes=2)  # an examination takes half a minute at the longest
_OPEN = (Examination.Status.QUEUED, Examination.Status.RUNNING)


def find_newest() -> Examination | None:
    return Examination.objects.select_related("requested_by").order_by("-pk").first()


def find_last_result() -> Examination | None:
    return Examination.objects.select_related("requested_by").filter(status=Examination.Status.DONE).last()


def is_stuck(examination: Examination) -> bool:
    """Nobody has carried it out in the time that this takes."""
    return not examination.is_over and timezone.now() - examination.requested_at > GIVE_UP


def queue_examination(user: User) -> Examination:
    """The row that will be carried out: a new one, or the one under way. For admins: the caller checks."""
    with transaction.atomic():
        long_ago = timezone.now() - GIVE_UP
        Examination.objects.filter(status__in=_OPEN, requested_at__lt=long_ago).update(status=Examination.Status.LOST)
        under_way = Examination.objects.filter(status__in=_OPEN).first()
        if under_way:
            return under_way
        examination = Examination.objects.create(requested_by=user)
        record_event("doctor.request", actor=user, obj=("examination", str(examination.pk), str(examination)))
        return examination


def work_off() -> None:
    """Carry out what waits. Two of these at once do it once."""
    row = Examination.objects.filter(status=Examination.Status.QUEUED)
    for pk in row.values_list("pk", flat=True):
        if row.filter(pk=pk).update(status=Examination.Status.RUNNING):
            _carry_out(pk)


def _carry_out(pk: int) -> None:
    checks = [check.as_json() for check in examine()]
    with transaction.atomic():
        Examination.objects.filter(pk=pk).update(
            status=Examination.Status.DONE, checks=checks, finished_at=timezone.now()
        )
        Examination.objects.filter(pk__lt=pk).delete()
