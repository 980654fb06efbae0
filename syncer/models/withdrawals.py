"""What people took out of records in the portal, and how that is put back."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.judgement import name_value
from accounts.models import Draft
from accounts.names import fold

_IN_FORCE = {"users": "kintone_user", "addresses": "address", "groups": "group_name"}


class Withdrawal(models.Model):
    """What a person took out of one record, or a whole record, with that very list on the screen.

    names: [source, name as written, principal id] of whom it took out. in_force: what was in force of the record then.
    removals: the assignments that the page listed, as keys: a person's word, which the brake does not count and a
    record that is not understood does not hold back.
    """

    draft = models.OneToOneField(Draft, on_delete=models.CASCADE, related_name="withdrawal", verbose_name=_("draft"))
    reference = models.CharField(_("record"), max_length=41, help_text="APP:ID")
    names = models.JSONField(default=list)
    in_force = models.JSONField(null=True, blank=True)
    removals = models.JSONField(default=list)
    at = models.DateTimeField(_("asked"), default=timezone.now)
    undo = models.OneToOneField(
        Draft, null=True, blank=True, on_delete=models.SET_NULL, related_name="undoes", verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        indexes = [
            # Every plan asks for those of the last day.
            models.Index(fields=["at"], name="withdrawal_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.at:%Y-%m-%d %H:%M}"

    @property
    def put_back(self) -> dict[str, Any] | None:
        """What putting it back means, for the ledger: the names that were in force, their place and last day."""
        in_force = self.in_force
        if not in_force or not self.names_in_force:
            return None
        return {
            "record": self.reference,
            "account_id": in_force.get("account_id", ""),
            "permission_set": in_force.get("permission_set", ""),
            "expires_on": in_force.get("expires_on"),
            "names": {name_value(source, fold(text)): who for source, text, who in self.names_in_force},
        }

    @property
    def names_in_force(self) -> list[tuple[str, str, str]]:
        """Those of the names that were in force: what was withheld is nothing to put back."""
        in_force = self.in_force or {}
        known = {(source, fold(text)) for field, source in _IN_FORCE.items() for text in in_force.get(field, ())}
        return [(source, text, who) for source, text, who in self.names if (source, fold(text)) in known]
