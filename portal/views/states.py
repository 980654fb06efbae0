"""States in plain words: what it is called, how it looks, and what happens next."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Assignment, PermissionSet
from accounts.sentences import join, render_reason


class Look(NamedTuple):
    """An icon's name, a tone (a CSS class) and what happens next when the row gives no reason of its own."""

    icon: str
    tone: str
    next: str | Promise = ""


class Shown(NamedTuple):
    """A state, ready for a template."""

    state: str
    word: str
    icon: str
    tone: str
    message: str
    remedy: str

    @property
    def text(self) -> str:
        return join(self.message, self.remedy)


_UNRESOLVED = _("The last run could not read it. The last known state is shown, and nothing is changed.")
_ASSIGNMENT: dict[str, Look] = {
    "requested": Look("clock", "ai", _("The next run applies it, usually within a minute.")),
    "applying": Look("refresh-cw", "ai", _("AWS is at work on it. That usually takes a few seconds.")),
    "removing": Look("refresh-cw", "ai", _("AWS is removing it. That usually takes a few seconds.")),
    "granted": Look("check", "take", _("It can be used now.")),
    "waiting": Look("clock", "odo", _("Not in Identity Center yet; usually it is within 40 minutes.")),
    "blocked": Look("ban", "odo", _("It is not applied until what blocks it has changed.")),
    "failed": Look("triangle-alert", "shu", _("AWS refused it.")),
    "drifted": Look("git-compare-arrows", "odo", _("Somebody changed it in AWS by hand.")),
    "unmanaged": Look("circle-dashed", "sumi", _("Not managed by Genkan, so it is shown and left alone.")),
    "unresolved": Look("eye-off", "odo", _UNRESOLVED),
    "removed": Look("minus", "sumi", _("It is no longer there.")),
}  # fmt: skip

_PERMISSION_SET: dict[str, Look] = {
    "in_sync": Look("check", "take"),
    "pending": Look("clock", "ai", _("The next run applies it.")),
    "blocked": Look("ban", "odo", _("It is not applied until what blocks it has changed.")),
    "failed": Look("triangle-alert", "shu", _("AWS refused it.")),
    "unmanaged": Look("circle-dashed", "sumi", _("Genkan shows it and leaves it alone.")),
    "unresolved": Look("eye-off", "odo", _UNRESOLVED),
    "removed": Look("minus", "sumi", _("It is no longer there.")),
}  # fmt: skip

# The state that says most about a chip which stands for several assignments comes first.
ORDER = (
    "granted", "drifted", "unmanaged", "unresolved", "removing", "applying", "requested", "waiting", "failed",
    "blocked", "removed",
)  # fmt: skip


def show_assignment(assignment: Assignment) -> Shown:
    return _show(assignment, _ASSIGNMENT[assignment.state])


def show_permission_set(permission_set: PermissionSet) -> Shown:
    return _show(permission_set, _PERMISSION_SET[permission_set.state])


def _show(row: Assignment | PermissionSet, look: Look) -> Shown:
    reason = render_reason(row.reason)
    message, remedy = (reason.message, reason.remedy) if reason else (str(look.next), "")
    return Shown(row.state, row.get_state_display(), look.icon, look.tone, message, remedy)
