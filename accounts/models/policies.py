"""What others say about the texts of policies."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PolicyOpinion(models.Model):
    """What IAM Access Analyzer says about one text. Equal texts share it, whatever set or draft they are of.

    A text without a row was not asked about yet: that says nothing about it.
    """

    class Outcome(models.TextChoices):
        CHECKED = "checked", _("checked")
        DENIED = "denied", _("not allowed to ask")
        FAILED = "failed", _("no opinion")

    digest = models.CharField(_("digest of the text"), max_length=64, unique=True)
    outcome = models.CharField(_("outcome"), max_length=7, choices=Outcome.choices)
    findings = models.JSONField(default=dict, blank=True, help_text="language → findings in AWS's own words")
    reason = models.JSONField(default=dict, blank=True, help_text=_("Code and parameters."))
    checked_at = models.DateTimeField(_("asked"), default=timezone.now)

    class Meta:
        verbose_name = _("opinion of IAM Access Analyzer")
        verbose_name_plural = _("opinions of IAM Access Analyzer")
        indexes = [
            # Whether the role was denied lately; what is old enough to be forgotten.
            models.Index(fields=["outcome", "checked_at"], name="opinion_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:12]} {self.outcome}"
