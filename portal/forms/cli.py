"""How one's CLI profiles are named, and the config that they are to go into."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.cli.naming import PATTERNS
from accounts.models import CliPreference
from accounts.models.cli import check_pattern, check_region

_OWN = "own"
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
LONGEST_CONFIG = 500_000  # characters; a thousand profiles are some 150,000


class NamingForm(forms.Form):
    """One of the usual patterns, or one of one's own."""

    choice = forms.ChoiceField(
        label=_("Names of the profiles"),
        widget=forms.RadioSelect,
        choices=[*((pattern, pattern) for pattern in PATTERNS), (_OWN, _("my own:"))],
    )
    own = forms.CharField(
        label=_("Pattern of my own"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    is_kebab = forms.BooleanField(label=_("lower case with dashes: aws-admin-access"), required=False)
    region = forms.CharField(
        label=_("Region for your work"),
        required=False,
        validators=[check_region],
        widget=forms.TextInput(attrs=_PLAIN | {"placeholder": "ap-northeast-1"}),
    )

    def __init__(self, preference: CliPreference, data: Any = None) -> None:
        is_usual = preference.pattern in PATTERNS
        initial = {
            "choice": preference.pattern if is_usual else _OWN,
            "own": "" if is_usual else preference.pattern,
            "is_kebab": preference.is_kebab,
            "region": preference.region,
        }
        super().__init__(data, initial=initial)
        self.preference = preference

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("choice") == _OWN:
            try:
                check_pattern(values.get("own", ""))
            except forms.ValidationError as error:
                self.add_error("own", error)
        return values

    def save(self) -> None:
        values = self.cleaned_data
        self.preference.pattern = values["own"] if values["choice"] == _OWN else values["choice"]
        self.preference.is_kebab, self.preference.region = values["is_kebab"], values["region"]
        self.preference.save()


class MergeForm(forms.Form):
    """The file that somebody has, and which of the profiles he wants in it."""

    current = forms.CharField(
        label=_("Your ~/.aws/config as it is now"),
        required=False,
        strip=False,
        max_length=LONGEST_CONFIG,
        help_text=_("It is not kept. Leave it empty for a new file."),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    only = forms.MultipleChoiceField(label=_("Which profiles"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, names: list[str], data: Any = None) -> None:
        super().__init__(data, initial={"only": names})
        self.fields["only"] = forms.MultipleChoiceField(
            label=_("Which profiles"),
            widget=forms.CheckboxSelectMultiple,
            choices=[(name, name) for name in names],
            error_messages={"required": _("Choose at least one.")},
        )
