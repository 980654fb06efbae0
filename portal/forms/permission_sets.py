"""A permission set as people define it. What was typed is never lost, and is understood exactly as a run understands a
record: by the same parser, with the same sentences.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import PermissionSet, Person, Record
from accounts.models.records import AppKind
from accounts.sentences import render
from portal.views.definitions import show_duration
from portal.views.values import show_field, to_lines
from syncer.directory import Directory
from syncer.drafts.saving import LONGEST_TEXT
from syncer.preparing import load_listing
from syncer.records.parsing import LISTS, Notes, parse_permission_set
from syncer.sets.managed_names import look_up

PICKED = ("managed_policies", "owners")
FIELDS = (
    "name", "description", "managed_policies", "customer_managed_policies", "inline_policy", "session_duration",
    "permissions_boundary", "relay_state", "owners",
)  # fmt: skip
_HINTS: Mapping[str, str | Promise] = {
    "name": _("1 to 32 of A–Z a–z 0–9 and + = , . @ _ -"),
    "description": _("What it is for, and for whom. AWS shows it in its console."),
    "managed_policies": _("Names as IAM shows them, such as ReadOnlyAccess. Several can be pasted at once."),
    "customer_managed_policies": _(
        "One a line, such as /team/Limits. Each account must have a policy of this name, or the set fails there."
    ),
    "session_duration": _("How long a session lasts before one signs in again."),
    "permissions_boundary": _("/path/name of a customer managed policy, or the name of one of AWS."),
    "relay_state": _("The console's page that opens first, as an address."),
    "owners": _("They may change the set in kintone and here."),
}
_HOURS = range(1, 13)
_MOST_PICKED = 100  # elements of one field; AWS takes 25 policies
_OF_AWS = ":iam::aws:policy/"


class PickWidget(forms.SelectMultiple):
    """Elements that stand as ticked boxes, and an input beside them for more: `add-NAME`, several divided by blanks."""

    def value_from_datadict(self, data: Mapping[str, Any], _files: Any, name: str) -> list[str]:
        chosen = data.getlist(name) if isinstance(data, MultiValueDict) else list(data.get(name, ()))
        added = str(data.get(f"add-{name}", "")).replace(",", " ").split()
        names = (text.replace("\0", "").strip() for text in (*chosen, *added))  # no database can look for a NUL
        return list(dict.fromkeys(filter(None, names)))

    def value_omitted_from_data(self, _data: Mapping[str, Any], _files: Any, _name: str) -> bool:
        return False


class PickField(forms.Field):
    """A list of names."""

    widget = PickWidget

    def to_python(self, value: Any) -> list[str]:
        return list(value or ())

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > _MOST_PICKED:
            raise forms.ValidationError(_("At most %(count)d of them.") % {"count": _MOST_PICKED})


class LinesField(forms.CharField):
    """A list of names, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else "\n".join(value)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return [line.strip() for line in text.splitlines() if line.strip()]

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))


def fill_form(values: Mapping[str, Any]) -> QueryDict:
    """Values as a browser would send them."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        is_picked = name in PICKED
        data.setlist(name, list(value) if is_picked else ["\n".join(to_lines(value)) if name in LISTS else str(value)])
    return data


def _text(**options: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=options.pop("max_length", 2000), **options)


class PermissionSetForm(forms.Form):
    """The fields that the kintone app has. `base` are the values that the form was opened with."""

    name = _text(max_length=200)
    description = _text(max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2}))
    managed_policies = PickField(required=False)
    customer_managed_policies = LinesField(
        required=False, max_length=LONGEST_TEXT, strip=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    inline_policy = _text(
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}),
    )
    session_duration = _text()
    permissions_boundary = _text()
    relay_state = _text()
    owners = PickField(required=False)

    use_required_attribute = False

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any],
        available: Collection[str],
        base: Mapping[str, Any] | None = None,
        spellings: Sequence[str] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial))
        self.base = base
        self.meant: dict[str, Any] = {}
        self.remarks: dict[str, list[str]] = {}
        for name in [name for name in self.fields if name not in available]:
            del self.fields[name]
        for name, field in self.fields.items():
            field.label = show_field(name)
            field.help_text = str(_HINTS.get(name, ""))
        if "session_duration" in self.fields:
            self.fields["session_duration"].widget = forms.Select(choices=self._list_durations(spellings))

    # --- What is shown ------------------------------------------------------------------------------------------------

    def _list_durations(self, spellings: Sequence[str]) -> list[tuple[str, str]]:
        """Whole hours as this company's records write them, and what stands here already."""
        written = str(self["session_duration"].value() or "")
        known = {show_duration(text): text for text in reversed([f"PT{hours}H" for hours in _HOURS])}
        known |= {show_duration(text): text for text in spellings if show_duration(text) in known}
        if written:
            known[show_duration(written)] = written
        hours = [(known[label], label[0]) for label in (show_duration(f"PT{number}H") for number in _HOURS)]
        odd = [] if not written or written in dict(hours) else [(written, show_duration(written)[0])]
        return [("", show_duration("")[0]), *odd, *hours]

    def list_picked(self) -> dict[str, list[tuple[str, str]]]:
        """The elements of each field of several, with what people call them."""
        picked = {name: list(self[name].value() or ()) for name in PICKED if name in self.fields}
        people = Person.objects.filter(kintone_code__in=picked.get("owners", ()))
        names = {person.kintone_code: str(person) for person in people}
        return {
            name: [(text, names.get(text) or text.partition(_OF_AWS)[2] or text) for text in texts]
            for name, texts in picked.items()
        }

    # --- What is meant ------------------------------------------------------------------------------------------------
    # `meant`: all values as a draft holds them, once the form was looked at; also those that have an error.

    def clean(self) -> dict[str, Any]:
        self.meant = values = {name: self._settle(name, value) for name, value in self.cleaned_data.items()}
        self._parse(values)
        self._check_name(str(values.get("name", "")).strip())
        if not self.has_error("managed_policies"):
            self._look_up(values.get("managed_policies", []), "managed_policies")
        boundary = str(values.get("permissions_boundary", "")).strip()
        if boundary and (_OF_AWS in boundary or not boundary.startswith(("/", "arn:"))):
            self._look_up([boundary], "permissions_boundary")
        self._check_owners(values.get("owners", []))
        return self.cleaned_data

    def _settle(self, name: str, value: Any) -> Any:
        """In the spelling of before where nothing was changed: browsers end lines in their own way."""
        before = (self.base or {}).get(name)
        if isinstance(value, str) and isinstance(before, str):
            value = value.replace("\r\n", "\n")
            return before if value == before.replace("\r\n", "\n") else value
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

    def _parse(self, values: Mapping[str, Any]) -> None:
        """The errors that would block the record, each at its field."""
        notes = Notes("")
        parse_permission_set({name: {"value": value} for name, value in values.items()}, notes)
        for problem in notes.problems:
            text = render(problem.code, problem.params).text
            # Names of a list stand in their own text; of a policy the line is what one looks for.
            if problem.line and problem.field not in LISTS:
                text = _("Line %(line)d: %(text)s") % {"line": problem.line, "text": text}
            self._say(problem.field, text, is_error=problem.severity == "error")

    def _say(self, field: str, text: str, *, is_error: bool) -> None:
        if is_error and field in self.fields:
            self.add_error(field, text)
        elif is_error:
            self.add_error(None, text)
        elif field != "inline_policy":
            self.remarks.setdefault(field, []).append(text)

    def _refuse(self, field: str, code: str, **params: Any) -> None:
        self._say(field, render(code, params).text, is_error=True)

    def _check_name(self, name: str) -> None:
        """A new set needs a name that nobody has; a set that is there keeps its own."""
        if not name or self.has_error("name"):
            return
        if self.base is not None:
            old = str(self.base.get("name", "")).strip()
            if name != old:
                self._refuse("name", "set_rename_here", set=old)
            return
        live = Record.objects.live().of_kind(AppKind.PERMISSION_SET)
        sets = PermissionSet.objects.exclude(state=PermissionSet.State.REMOVED)
        if live.filter(title__iexact=name).exists() or sets.filter(name__iexact=name).exists():
            self._refuse("name", "set_name_taken", name=name)

    def _look_up(self, names: Sequence[str], field: str) -> None:
        """As a run looks them up, in the list that a run has."""
        policies, listed_on = load_listing(timezone.now())
        directory = Directory("", {}, {}, {}, policies=policies, policies_listed_on=listed_on)
        before = (self.base or {}).get("managed_policies", ())
        for name in names:
            answer = look_up(directory, name, before, as_boundary=field == "permissions_boundary")
            if answer.code:
                text = render(answer.code, answer.params).text
                self._say(field, text, is_error=answer.severity == "error")

    def _check_owners(self, codes: Sequence[str]) -> None:
        """kintone refuses a record with an owner whom it does not know."""
        new = set(codes).difference((self.base or {}).get("owners", ()))
        known = Person.objects.filter(kintone_code__in=new).values_list("kintone_code", flat=True) if new else ()
        for code in sorted(new.difference(known)):
            self._refuse("owners", "owner_unknown", person=code)
