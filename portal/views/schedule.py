"""How often runs come, as the schedule in the admin site says."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_celery_beat.models import IntervalSchedule, PeriodicTask

_UNIT_SECONDS = {
    IntervalSchedule.SECONDS: 1,
    IntervalSchedule.MINUTES: 60,
    IntervalSchedule.HOURS: 3600,
    IntervalSchedule.DAYS: 86400,
}
FULL, CHANGES = "syncer.tasks.run_full", "syncer.tasks.run_changes"


def describe_schedule() -> str:
    """One sentence, in one statement; it says so when nothing runs by itself."""
    tasks = PeriodicTask.objects.filter(task__in=[FULL, CHANGES], enabled=True).select_related("interval", "crontab")
    rhythms = {task.task: _describe(task) for task in tasks}
    if FULL in rhythms and CHANGES in rhythms:
        return _("Everything %(full)s, changed records %(changes)s.") % {
            "full": rhythms[FULL],
            "changes": rhythms[CHANGES],
        }
    if FULL in rhythms:
        return _("Everything %(full)s.") % {"full": rhythms[FULL]}
    if CHANGES in rhythms:
        return _("Changed records %(changes)s. Full runs are switched off.") % {"changes": rhythms[CHANGES]}
    return _("Nothing runs by itself: the schedule is switched off.")


def _describe(task: PeriodicTask) -> str:
    if task.interval is None:
        return _("by the schedule “%(schedule)s”") % {"schedule": task.scheduler}
    seconds = task.interval.every * _UNIT_SECONDS.get(task.interval.period, 0)
    if seconds and seconds % 60 == 0:
        return ngettext("every minute", "every %(count)d minutes", seconds // 60) % {"count": seconds // 60}
    return ngettext("every second", "every %(count)d seconds", seconds) % {"count": seconds}
