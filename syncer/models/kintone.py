"""How far each kintone app was read, at what price, and what its webhook said."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AppKind


class AppState(models.Model):
    """How far one kintone app was read, and what the last attempt said."""

    kind = models.CharField(_("app"), max_length=14, choices=AppKind.choices, unique=True)
    app_id = models.CharField(_("app id"), max_length=20)
    watermark = models.DateTimeField(
        null=True, blank=True, help_text="server time at the start of the last good reading"
    )
    read_at = models.DateTimeField(_("last good reading"), null=True, blank=True)
    scanned_at = models.DateTimeField(_("last complete scan"), null=True, blank=True)
    bodies_at = models.DateTimeField(_("last reading of everything"), null=True, blank=True)
    form_at = models.DateTimeField(_("last look at the form"), null=True, blank=True)
    error = models.JSONField(_("error"), default=dict, blank=True)
    fields = models.JSONField(
        _("fields"), default=dict, blank=True, help_text="our name → kintone code: one that goes missing stops the app"
    )
    form = models.JSONField(
        default=dict, blank=True, help_text="kintone code → type of these fields, and of the one that says when"
    )
    records = models.PositiveIntegerField(_("records"), default=0, help_text="that the last good reading knew of")
    missing = models.JSONField(
        default=list, blank=True, help_text="APP:ID of those that the last scan did not find, and that are not gone"
    )
    is_short = models.BooleanField(default=False, help_text="whether the last scan found too few to be believed")

    class Meta:
        verbose_name = _("kintone app")
        verbose_name_plural = _("kintone apps")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.app_id})"


class KintoneUsage(models.Model):
    """The requests to one kintone app within an hour that kintone counts for its daily quota."""

    app_id = models.CharField(_("app id"), max_length=20)
    hour = models.DateTimeField(_("hour"))
    requests = models.PositiveIntegerField(_("requests"), default=0)

    class Meta:
        verbose_name = _("requests to kintone")
        verbose_name_plural = _("requests to kintone")
        constraints = [models.UniqueConstraint(fields=["app_id", "hour"], name="kintone_usage_one_an_hour")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.hour:%Y-%m-%d %H:%M}: {self.requests}"


class Hint(models.Model):
    """kintone's webhook said that something happened to a record. Only that: the record is read anew.

    One row a record, however often it is said.
    """

    app_id = models.CharField(max_length=20)
    record_id = models.CharField(max_length=20)
    is_pending = models.BooleanField(default=True)
    noted_at = models.DateTimeField(default=timezone.now)
    heeded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("webhook's hint")
        verbose_name_plural = _("webhook's hints")
        constraints = [
            # However often it is said of a record.
            models.UniqueConstraint(fields=["app_id", "record_id"], name="hint_once"),
        ]
        indexes = [
            # What is to be looked at now.
            models.Index(fields=["noted_at"], condition=models.Q(is_pending=True), name="hint_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.app_id}:{self.record_id}"
