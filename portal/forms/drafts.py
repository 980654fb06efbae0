"""Deciding what is to stand in a record that somebody else changed meanwhile."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Draft
from portal.views.values import show_field, to_lines
from syncer.drafts.saving import LONGEST_TEXT, Choice
from syncer.records.parsing import LISTS

DELETION = "deletion"


_WITH_LINES = LISTS | {"note", "description", "inline_policy"}


def _choose_widget(name: str, text: str) -> forms.Widget:
    if name not in _WITH_LINES:
        return forms.TextInput()
    return forms.Textarea(attrs={"rows": min(12, max(2, text.count("\n") + 2))})


class Version(NamedTuple):
    """One field with both versions, and where to choose."""

    name: str
    theirs: tuple[str, ...]
    mine: tuple[str, ...]
    take: forms.BoundField
    other: forms.BoundField | None


class ResolveForm(forms.Form):
    """For each field that contradicts: theirs, mine, or something else. `revision` is the one that was looked at."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, draft: Draft, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"revision": draft.conflict.get("revision")})
        self.draft = draft
        if draft.is_deletion:
            self._add_choice(DELETION, theirs=_("Keep the record"), mine=_("Delete it all the same"))
            return
        for item in draft.conflict.get("fields", ()):
            self._add_choice(item["field"], theirs=_("What kintone has"), mine=_("What I wrote"), other=item["ours"])

    def _add_choice(self, name: str, *, theirs: Any, mine: Any, other: Any = None) -> None:
        choices = [("theirs", theirs), ("mine", mine)]
        if other is not None:
            choices.append(("other", _("Something else")))
            text = "\n".join(to_lines(other))
            self.fields[f"other-{name}"] = forms.CharField(
                label=show_field(name), required=False, initial=text, max_length=LONGEST_TEXT, strip=False,
                widget=_choose_widget(name, text),
            )  # fmt: skip
        self.fields[f"take-{name}"] = forms.ChoiceField(
            label=show_field(name), choices=choices, widget=forms.RadioSelect,
            error_messages={"required": _("Choose what is to stand here.")},
        )  # fmt: skip

    def list_versions(self) -> Iterator[Version]:
        """What the page shows, field by field."""
        for item in self.draft.conflict.get("fields", ()):
            name = item["field"]
            if not self.draft.is_deletion:
                theirs, mine = (tuple(to_lines(item[side])) for side in ("theirs", "ours"))
                yield Version(name, theirs, mine, self[f"take-{name}"], self[f"other-{name}"])

    def find_choices(self) -> dict[str, Choice]:
        """Field → what was chosen."""
        names = [name.removeprefix("take-") for name in self.fields if name.startswith("take-")]
        return {name: self._find_choice(name) for name in names}

    def _find_choice(self, name: str) -> Choice:
        text = self.cleaned_data.get(f"other-{name}", "")
        return Choice(
            self.cleaned_data[f"take-{name}"], text.splitlines() if name in LISTS else text.replace("\r\n", "\n")
        )
