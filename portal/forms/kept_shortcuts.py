"""A shortcut as somebody keeps it."""

import json
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.access import visible_accounts
from accounts.access_portal import AccessPortal
from accounts.console_register import load_catalogue
from accounts.models import Account, Shortcut, User
from accounts.sentences import render
from accounts.shortcuts import BadDestination, Destination
from portal.templatetags.genkan import joined

ICONS = (
    "arrow-up-right", "scroll-text", "activity", "bell", "box", "container", "cpu", "database", "folder",
    "square-function", "globe", "key-round", "network", "receipt", "search", "shield", "siren", "wrench",
)  # fmt: skip
MOST_TAGS = 10
LONGEST_TAG = 30
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class ShortcutForm(forms.Form):
    """All that a shortcut is. Where it leads is a URL of the console, or a service as the builder made it."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    account = forms.CharField(label=_("AWS account"), max_length=20, widget=forms.TextInput(attrs=_PLAIN))
    permission_sets = forms.CharField(
        label=_("Permission sets"),
        required=False,
        max_length=1000,
        help_text=_("One a line. Leave it empty for whichever set the visitor has."),
        widget=forms.Textarea(attrs=_PLAIN | {"rows": 2}),
    )
    choosing = forms.ChoiceField(
        label=_("Where the visitor has several of them"),
        choices=Shortcut.Choosing.choices,
        initial=Shortcut.Choosing.LEAST,
        widget=forms.RadioSelect,
    )
    url = forms.CharField(
        label=_("Page of the console"),
        required=False,
        max_length=8000,
        help_text=_("Copied from the browser. Leave it empty for the start page."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    destination = forms.CharField(required=False, max_length=10_000, widget=forms.HiddenInput)
    audience = forms.ChoiceField(
        label=_("For whom"),
        choices=Shortcut.Audience.choices,
        initial=Shortcut.Audience.PRIVATE,
        widget=forms.RadioSelect,
    )
    slug = forms.SlugField(
        label=_("Address"),
        required=False,
        max_length=60,
        help_text=_("/go/…/ – made from the name if you leave it empty. Former addresses go on working."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    tags = forms.CharField(
        label=_("Tags"), required=False, max_length=400, help_text=_("Separated by blanks or commas.")
    )
    icon = forms.ChoiceField(
        label=_("Icon"), choices=[(name, name) for name in ICONS], initial=ICONS[0], widget=forms.RadioSelect
    )

    def __init__(
        self, user: User, access_portal: AccessPortal | None, data: QueryDict | None = None, **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.user, self.access_portal = user, access_portal

    def clean_account(self) -> Account:
        text = "".join(self.cleaned_data["account"].replace("-", "").split())
        account = visible_accounts(self.user).filter(account_id=text).first()
        if account is None:
            raise forms.ValidationError(_("There is no account with this id that you may see."))
        return account

    def clean_permission_sets(self) -> list[str]:
        names = self.cleaned_data["permission_sets"].replace(",", "\n").split()
        if any(len(name) > 32 for name in names):
            raise forms.ValidationError(_("Names of permission sets have 32 characters at most."))
        return list(dict.fromkeys(names))

    def clean_tags(self) -> list[str]:
        tags = list(dict.fromkeys(self.cleaned_data["tags"].replace(",", " ").replace("、", " ").split()))
        if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
            raise forms.ValidationError(_("Ten tags of thirty characters at most."))
        return tags

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        try:
            values["destination"] = self._read_destination(values).as_json()
        except BadDestination as refusal:
            self.add_error("url", joined(render(refusal.code, refusal.params)))
        return values

    def _read_destination(self, values: dict[str, Any]) -> Destination:
        """What was typed goes before what the builder made. Raises BadDestination."""
        catalogue, partition = load_catalogue(), self.access_portal.partition if self.access_portal else "aws"
        if values.get("url"):
            return catalogue.take_apart(values["url"], partition=partition).destination
        destination = Destination.from_json(_read_json(values.get("destination", "")))
        catalogue.build_url(destination, partition=partition, account_id="123456789012")
        return destination

    def list_values(self) -> dict[str, Any]:
        """The fields of the model."""
        return {name: value for name, value in self.cleaned_data.items() if name != "url"}


def _read_json(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text) if text else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def describe_shortcut(shortcut: Shortcut) -> dict[str, Any]:
    """A kept shortcut as the form shows it."""
    return {
        "name": shortcut.name,
        "account": shortcut.account.account_id,
        "permission_sets": "\n".join(shortcut.permission_sets),
        "choosing": shortcut.choosing,
        "url": shortcut.read_destination().url,
        "destination": json.dumps(shortcut.destination),
        "audience": shortcut.audience,
        "slug": shortcut.slug,
        "note": shortcut.note,
        "tags": " ".join(shortcut.tags),
        "icon": shortcut.icon,
    }
