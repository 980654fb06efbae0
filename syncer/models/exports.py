"""What was exported for Terraform: the files, since when they say this, and whether somebody has taken them over."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from syncer.models.runs import Run


class TerraformExportQuerySet(models.QuerySet["TerraformExport"]):
    def newest_first(self) -> "TerraformExportQuerySet":
        return self.order_by("-pk")

    def taken(self) -> "TerraformExportQuerySet":
        """What was taken over, the last first."""
        return self.filter(taken_at__isnull=False).order_by("-taken_at")


class TerraformExport(models.Model):
    """The management account's files as they were from a time on. There is a new row only where they differ."""

    files = models.JSONField(_("files"), help_text="path → text")
    checksum = models.CharField(_("checksum"), max_length=64, help_text="SHA-256 over paths and texts")
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    run = models.ForeignKey(
        Run,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("run"),
        help_text="the last one whose end the mirror showed",
    )
    checked_at = models.DateTimeField(_("last checked"), default=timezone.now, help_text="when it was still true")
    pending = models.PositiveIntegerField(
        default=0, help_text="resources that differ from what was taken over last; 0 before anything was"
    )
    taken_at = models.DateTimeField(_("taken over"), null=True, blank=True)
    taken_by = models.CharField(_("taken over by"), max_length=256, blank=True)

    objects = TerraformExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export for Terraform")
        verbose_name_plural = _("exports for Terraform")
        indexes = [
            # What the company's repository holds.
            models.Index(fields=["-taken_at"], condition=models.Q(taken_at__isnull=False), name="export_last_taken"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
