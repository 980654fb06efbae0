"""The plain fields of a form of access: the permission set, the last day, the note. What is picked is no part of it."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import visible_permission_sets
from accounts.models import PermissionSet, User
from accounts.sentences import render
from portal.views.values import show_field
from syncer.drafts.saving import LONGEST_TEXT

_LONGEST_LABEL = 70  # characters of an option: what does not fit into the list helps nobody


class AssignmentForm(forms.Form):
    """The fields that the kintone app has. `initial`: the values that it was opened with."""

    permission_set = forms.CharField(required=False, max_length=200)
    expires_on = forms.DateField(
        required=False, input_formats=["%Y-%m-%d"], widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    note = forms.CharField(
        required=False, max_length=LONGEST_TEXT, strip=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    use_required_attribute = False

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, user: User, initial: Mapping[str, Any], fields: Collection[str]
    ) -> None:
        super().__init__(data, initial={name: value for name, value in initial.items() if name in self.base_fields})
        for name in [name for name in self.fields if name not in fields]:
            del self.fields[name]
        for name, field in self.fields.items():
            field.label = show_field(name)
        self.fields["permission_set"].widget = forms.Select(choices=self._list_sets(user))
        if "expires_on" in self.fields:
            self.fields["expires_on"].help_text = str(_("Access ends by itself at the end of this day."))
            self.fields["expires_on"].widget.attrs["min"] = timezone.localdate().isoformat()
        if "note" in self.fields:
            self.fields["note"].help_text = str(_("What it is for, in a word: whoever reads the record will ask."))

    def _list_sets(self, user: User) -> list[tuple[str, str]]:
        """The sets that can be assigned, and what stands here already."""
        ours = (PermissionSet.Ownership.OURS, PermissionSet.Ownership.ABSENT, PermissionSet.Ownership.UNKNOWN)
        rows = visible_permission_sets(user).filter(ownership__in=ours, record__gone_at__isnull=True)
        sets = rows.exclude(state=PermissionSet.State.REMOVED).exclude(record=None).order_by("name")
        known = {name: _describe(name, text) for name, text in sets.values_list("name", "description")}
        written = str(self["permission_set"].value() or "")
        if written and written not in known:
            known = {written: written, **known}
        return [("", str(_("Choose one"))), *known.items()]

    def clean_expires_on(self) -> date | None:
        """A day that has passed gives nothing; one that stands there already may stay."""
        day: date | None = self.cleaned_data["expires_on"]
        if day and day < timezone.localdate() and day.isoformat() != str(self.initial.get("expires_on") or ""):
            raise forms.ValidationError(_say("give_day_passed"))
        return day

    @property
    def until(self) -> date | None:
        """The last day as far as it could be read."""
        day = self.cleaned_data.get("expires_on") if self.is_bound else None
        return day if isinstance(day, date) else None


def _describe(name: str, description: str) -> str:
    text = " ".join(description.split())
    if not text:
        return name
    label = f"{name} — {text}"
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _say(code: str) -> str:
    return render(code).text
