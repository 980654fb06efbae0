"""Why something is stopped, and until when runs are paused."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.stops import LONGEST_REASON, StopRefused
from portal.templatetags.genkan import joined

_LENGTHS: dict[str, tuple[timedelta, str | Promise]] = {
    "30m": (timedelta(minutes=30), _("30 minutes")),
    "2h": (timedelta(hours=2), _("2 hours")),
    "8h": (timedelta(hours=8), _("8 hours")),
    "3d": (timedelta(days=3), _("3 days")),
    "7d": (timedelta(days=7), _("7 days, the longest there is")),
}
_MORNING = "morning"


class ReasonForm(forms.Form):
    """Why. Who reads it stands below the field."""

    reason = forms.CharField(
        label=_("Why?"), required=False, widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST_REASON})
    )
    readers: str | Promise = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["reason"].help_text = str(self.readers)

    def refuse(self, refusal: StopRefused) -> None:
        """Say at its field what is wrong with what was typed."""
        self.add_error(refusal.field if refusal.field in self.fields else None, joined(refusal.sentence))


class LockOutForm(ReasonForm):
    readers = _("Everybody can read it on the person's page: write nothing that must stay between few.")


class FreezeForm(ReasonForm):
    readers = _("Everybody can read it on the account's page and where access waits for it.")


class PauseForm(ReasonForm):
    readers = _("Everybody reads it at the top of each page.")
    until = forms.ChoiceField(
        label=_("Until when?"),
        required=False,
        initial="2h",
        widget=forms.RadioSelect,
        choices=[
            *((key, _LENGTHS[key][1]) for key in ("30m", "2h", "8h")),
            (_MORNING, _("until tomorrow, 9:00")),
            *((key, _LENGTHS[key][1]) for key in ("3d", "7d")),
        ],
    )

    def find_end(self, now: datetime) -> datetime:
        """When the pause ends. Raises StopRefused where nothing was chosen."""
        chosen = self.cleaned_data["until"]
        if chosen == _MORNING:
            tomorrow = timezone.localtime(now).date() + timedelta(days=1)
            return timezone.make_aware(datetime.combine(tomorrow, time(9)))
        if chosen not in _LENGTHS:
            raise StopRefused("pause_end_missing", "until")
        return now + _LENGTHS[chosen][0]
