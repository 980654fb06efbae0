"""Permission sets over time: their versions, and those that go."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Record


class SetVersion(models.Model):
    """What a permission set was at a time: its record's values in force, from each revision that changed them.

    Rows are only added; `is_told` alone changes. `values` are as `accounts.Record.in_force` holds them.
    """

    name = models.CharField(_("permission set"), max_length=32)
    reference = models.CharField(_("record"), max_length=41)
    revision = models.PositiveIntegerField(_("revision"))
    values = models.JSONField(_("values"))
    writer_name = models.CharField(_("written by"), max_length=256, blank=True)
    at = models.DateTimeField(_("in force since"), default=timezone.now)
    is_told = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("version of a permission set")
        verbose_name_plural = _("versions of permission sets")
        indexes = [
            # A set's history, newest first.
            models.Index(fields=["name", "-id"], name="set_version_of_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} @{self.revision}"


class Farewell(models.Model):
    """A permission set that goes: renamed or deleted by a person, who had all that goes with it on the screen.

    Its record is deleted once nothing names it and nobody has it. `removals` are identities as `changes.identity_of`
    gives them: the brake does not count what somebody confirmed.
    """

    name = models.CharField(_("permission set"), max_length=32)
    renamed_to = models.CharField(_("new name"), max_length=32, blank=True)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+", verbose_name=_("record"))
    revision = models.PositiveIntegerField(help_text="of the record, when it was confirmed")
    removals = models.JSONField(default=list)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(_("confirmed"), default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="its record was deleted, or edited since")

    class Meta:
        verbose_name = _("permission set that goes")
        verbose_name_plural = _("permission sets that go")
        constraints = [
            # Pressing twice is pressing once.
            models.UniqueConstraint(fields=["name"], condition=models.Q(ended_at__isnull=True), name="farewell_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.renamed_to}" if self.renamed_to else self.name
