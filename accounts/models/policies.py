"""What AWS says of policies: IAM Access Analyzer about texts, and IAM the texts of its own."""

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


class PolicyText(models.Model):
    """What an AWS managed policy says in one version. Kept of policies that a set names, or that somebody asked for.

    A version without a row was not read: nobody needed it, or it is new.
    """

    class Outcome(models.TextChoices):
        WANTED = "wanted", _("asked for")
        READ = "read", _("read")
        DENIED = "denied", _("not allowed to read")
        FAILED = "failed", _("not readable")

    arn = models.CharField("ARN", max_length=2048)
    version = models.CharField(_("version"), max_length=16)
    outcome = models.CharField(_("outcome"), max_length=6, choices=Outcome.choices, default=Outcome.WANTED)
    text = models.TextField(_("text"), blank=True)
    reason = models.JSONField(default=dict, blank=True, help_text=_("Code and parameters."))
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)

    class Meta:
        verbose_name = _("text of an AWS managed policy")
        verbose_name_plural = _("texts of AWS managed policies")
        constraints = [
            # Looking up the version that is in force.
            models.UniqueConstraint(fields=["arn", "version"], name="policy_text_once"),
        ]
        indexes = [
            # What was asked for, whether the role was denied lately, what is old enough to be forgotten.
            models.Index(fields=["outcome", "asked_at"], name="policy_text_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.arn.rpartition('/')[2]} {self.version}"
