"""A new access token: what for, what it may, and how long."""

from datetime import timedelta

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.access import may_change
from accounts.models import AccessToken, User

_DAYS = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "365": _("a year")}


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What for?"),
        max_length=100,
        help_text=_("So that you know later which one to revoke, e.g. “laptop” or “on-call bot”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.ChoiceField(
        label=_("For how long?"), widget=forms.RadioSelect, initial="90", choices=list(_DAYS.items())
    )

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        super().__init__(data)
        scopes = [item for item in AccessToken.Scope if item != AccessToken.Scope.WRITE or may_change(user)]
        self.fields["scope"] = forms.ChoiceField(
            label=_("What may it do?"),
            widget=forms.RadioSelect,
            initial=AccessToken.Scope.READ,
            choices=[(item.value, item.label) for item in scopes],
        )

    def find_lifetime(self) -> timedelta:
        return timedelta(days=int(self.cleaned_data["days"]))
