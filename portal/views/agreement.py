"""Whether kintone and AWS agree, as the last runs say."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from syncer.models import Run

# Full runs come every 10 minutes; three missed ones are worth a word.
_STALE_AFTER = timedelta(minutes=30)


@dataclass(frozen=True)
class Agreement:
    """One line: its words, how it looks, the run that says so and when that run ended."""

    word: str
    icon: str
    tone: str
    run: Run | None = None
    at: datetime | None = None

    @property
    def records(self) -> int | None:
        """How many kintone records the run read."""
        return _read_figure(self.run, Run.Step.WISH, "records")

    @property
    def assignments(self) -> int | None:
        """How many assignments the run found in AWS."""
        return _read_figure(self.run, Run.Step.TRUTH, "assignments")


def find_agreement() -> Agreement:
    """From the newest full run that is over, in one statement."""
    run = (
        Run.objects.filter(kind=Run.Kind.FULL)
        .exclude(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
        .order_by("-pk")
        .first()
    )
    if run is None:
        return Agreement(_("Nothing has been read yet"), "circle-dashed", "sumi")
    return Agreement(*_describe(run), run, run.finished_at)


def _describe(run: Run) -> tuple[str, str, str]:
    counts = run.counts
    if run.status == Run.Status.LOST or (run.status == Run.Status.FAILED and Run.Step.APPLY not in run.steps):
        return _("The last run failed"), "triangle-alert", "shu"
    if run.unresolved:
        return _("Not everything could be read"), "eye-off", "odo"
    if run.status == Run.Status.HELD:
        return _("Removals are held back"), "hand", "odo"
    if run.finished_at and timezone.now() - run.finished_at > _STALE_AFTER:
        return _("Not compared for a while"), "clock", "odo"
    due = sum(counts.get(kind, 0) for kind in ("create", "update", "delete")) if run.mode == Run.Mode.PLAN else 0
    if due:
        return ngettext("%(count)d change is due", "%(count)d changes are due", due) % {"count": due}, "clock", "odo"
    if failed := counts.get("failed", 0):
        return (
            ngettext("%(count)d assignment failed", "%(count)d assignments failed", failed) % {"count": failed},
            "triangle-alert",
            "odo",
        )
    return _("kintone and AWS agree"), "check", "take"


def _read_figure(run: Run | None, step: str, name: str) -> int | None:
    value = (run.steps.get(step) or {}).get(name) if run else None
    return value if isinstance(value, int) else None
