"""The fields of a guardrail, as the admin site and the page of what a rule would touch take them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import AnyForm
from accounts.models import Account, Guardrail, OrganizationalUnit, PermissionSet
from accounts.owner_register import load_named


class GuardrailForm(AnyForm):
    """A rule that would match nothing, or that lacks what its effect needs, is refused while it is written."""

    def clean_ou_id(self) -> str:
        return self._require_known("ou_id", OrganizationalUnit.objects.all(), _("The organization has no such OU."))

    def clean_account_id(self) -> str:
        accounts = Account.objects.filter(gone_at__isnull=True)
        return self._require_known("account_id", accounts, _("The organization has no such account."))

    def clean_permission_set_name(self) -> str:
        name: str = self.cleaned_data["permission_set_name"]
        if name and not PermissionSet.objects.filter(name=name).exists():
            raise ValidationError(_("There is no permission set of this name."))
        return name

    def clean_tag(self) -> str:
        tag: str = self.cleaned_data["tag"]
        if tag and not all(tag.partition("=")[:2]):
            raise ValidationError(_("Write a name and a value: name=value."))
        return tag

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        effect = values.get("effect")
        if effect == Guardrail.Effect.EXPIRES_WITHIN and not values.get("days"):
            self.add_error("days", _("Say how many days."))
        if effect == Guardrail.Effect.ROLES_ONLY:
            self._require_people(values.get("roles", ""))
        if values.get("existing") == Guardrail.Existing.END and not values.get("ends_on"):
            self.add_error("ends_on", _("Say on which day it ends."))
        return values

    def _require_known(self, field: str, rows: QuerySet[Any], message: Any) -> str:
        value: str = self.cleaned_data[field].strip()
        if value and not rows.filter(**{field: value}).exists():
            raise ValidationError(message)
        return value

    def _require_people(self, roles: str) -> None:
        """Each word is a UserName or a GroupId that Identity Center knows: a slip would shut everybody out."""
        named = load_named([roles])
        strangers = [word for word in roles.split() if not named.find_named(word).principals]
        if strangers or not roles.split():
            words = ", ".join(strangers) or "—"
            self.add_error("roles", _("Nobody of this name is in Identity Center: %(words)s") % {"words": words})
