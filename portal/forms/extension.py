"""Until when a record's access is to go on."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.sentences import render
from syncer.drafts.drafting import NotPossible


class ExtensionForm(forms.Form):
    """A new last day, and the one that was on the page."""

    day = forms.DateField(label=_("New last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    seen = forms.DateField(widget=forms.HiddenInput)

    def refuse(self, refusal: NotPossible) -> None:
        """Say at the field what is wrong with the day."""
        self.add_error("day", render(refusal.reason.code, refusal.reason.params).text)

    def limit(self, first: date, last: date | None) -> None:
        """What a calendar offers."""
        self.fields["day"].widget.attrs |= {"min": first.isoformat(), **({"max": last.isoformat()} if last else {})}
