"""A rule that somebody tries, without a name and without saving it."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import sees_everything, visible_accounts
from accounts.guardrail_form import GuardrailForm
from accounts.models import Account, Guardrail, OrganizationalUnit, PermissionSet, User

FIELDS = (
    "ou_id", "account_id", "stage", "tag", "permission_set_name", "power", "principal_type", "is_owner", "effect",
    "days", "roles", "existing", "ends_on",
)  # fmt: skip


class TrialForm(GuardrailForm):
    """The fields of a guardrail that decide something."""

    class Meta:
        model = Guardrail
        fields = FIELDS
        widgets = {
            "roles": forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "days": forms.NumberInput(attrs={"min": 1}),
            "account_id": forms.TextInput(attrs={"spellcheck": "false", "inputmode": "numeric"}),
        }

    def __init__(self, user: User, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        everywhere = [("", _("everywhere"))]
        self.fields["ou_id"].label = "OU"
        self.fields["ou_id"].widget = forms.Select(choices=[*everywhere, *_list_units(user)])
        for name in ("stage", "power", "principal_type"):
            self.fields[name].widget.choices = [("", _("any")), *list(self.fields[name].widget.choices)[1:]]
        owning = [("unknown", _("any")), ("true", _("owners of the account")), ("false", _("whoever does not own it"))]
        self.fields["is_owner"].widget.choices = owning
        self.fields["is_owner"].help_text = ""
        self.fields["account_id"].widget.attrs["size"] = 14
        self.fields["permission_set_name"].widget.attrs["list"] = "set-names"

    @property
    def groups(self) -> list[tuple[Promise, list[forms.BoundField]]]:
        """The fields under the headings of the admin site's form."""
        return [(heading, [self[name] for name in names]) for heading, names in _GROUPS]


_GROUPS = (
    (_("Where"), ("ou_id", "account_id", "stage", "tag")),
    (_("For what"), ("permission_set_name", "power", "principal_type", "is_owner")),
    (_("What follows"), ("effect", "days", "roles")),
    (_("Access that was there before"), ("existing", "ends_on")),
)


def _list_units(user: User) -> list[tuple[str, str]]:
    """All units by path; where somebody sees only some accounts, those above them."""
    units = OrganizationalUnit.objects.order_by("path").values_list("pk", "ou_id", "path", "name", "parent")
    rows = list(units)
    if not sees_everything(user):
        units_of = Account.objects.filter(pk__in=visible_accounts(user).values("pk")).values_list("ou_id", flat=True)
        seen = _find_above(set(units_of), {row[0]: row[4] for row in rows})
        rows = [row for row in rows if row[0] in seen]
    return [(ou_id, path or name) for _pk, ou_id, path, name, _parent in rows]


def _find_above(units: set[int | None], parents: dict[int, int | None]) -> set[int | None]:
    found: set[int | None] = set()
    for start in units:
        unit = start
        while unit is not None and unit not in found:
            found.add(unit)
            unit = parents.get(unit)
    return found


def list_set_names(user: User) -> list[str]:
    """What the field of the permission set offers."""
    from_all = PermissionSet.objects.exclude(ownership=PermissionSet.Ownership.TERRAFORM)
    return list(from_all.order_by("name").values_list("name", flat=True)) if sees_everything(user) else []
