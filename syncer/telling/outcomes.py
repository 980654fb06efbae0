"""What came of a run, in one line of the active language."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from syncer.models import Run


def describe_outcome(run: Run) -> str:
    """For a run that is over."""
    if run.status == Run.Status.LOST:
        return _("The run was cut off")
    if run.status == Run.Status.HELD:
        return _("Removals are held back")
    if run.status == Run.Status.FAILED:
        return _describe_failure(run)
    changed = sum(run.counts.get(kind, 0) for kind in ("create", "update", "delete"))
    if run.mode == Run.Mode.PLAN:
        return (
            ngettext("%(count)d change is due", "%(count)d changes are due", changed) % {"count": changed}
            if changed
            else _("Nothing to do")
        )
    if not changed and run.kind == Run.Kind.LOCK_OUT:
        return _("Nothing to remove")
    if not changed:
        return _("Nothing to do: kintone and AWS agree")
    return ngettext("%(count)d change applied", "%(count)d changes applied", changed) % {"count": changed}


def _describe_failure(run: Run) -> str:
    """A run that came as far as applying has done what it could."""
    if Run.Step.APPLY not in run.steps:
        return _("The run failed")
    return _("Not everything could be read") if run.unresolved else _("Not everything could be applied")
