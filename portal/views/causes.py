"""Why access ends, in words."""

from django.utils.translation import gettext_lazy as _

_CAUSES = {
    "locked_out": _("the person is locked out"),
    "leaver": _("disabled in Identity Center"),
    "ended": _("its last day has passed"),
    "asked": _("somebody asked for it here"),
    "gone": _("gone from Identity Center"),
    "guardrail": _("a guardrail ends it"),
    "drift": _("assigned by hand, and the time to keep it has passed"),
    "withdrawn": _("taken out of the record"),
    "no_record": _("no record wants it"),
}


def show_cause(cause: str) -> str:
    """The words for a cause; a cause we do not know as it is."""
    return str(_CAUSES.get(cause, cause))
