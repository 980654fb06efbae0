"""Accounts that were moved to another unit: where each was stays until somebody says that its access fits."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.organization import Account


class AccountMoveQuerySet(models.QuerySet["AccountMove"]):
    def open(self) -> "AccountMoveQuerySet":
        """Those that nobody has confirmed: the old place still decides about access that is there."""
        return self.filter(confirmed_at__isnull=True)


class AccountMove(models.Model):
    """One move. Units are kept as they were then: the old one is often deleted afterwards."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="moves", verbose_name=_("account"))
    old_path = models.CharField(_("from"), max_length=800, blank=True)
    new_path = models.CharField(_("to"), max_length=800, blank=True)
    old_units = models.JSONField(default=list, help_text="ids of the units that were above it, the nearest first")
    old_stage = models.CharField(max_length=10, blank=True)
    old_owners = models.JSONField(default=list, help_text="principal ids of the users and groups that owned it")
    changes = models.JSONField(default=dict, help_text="parameters of the sentence that tells what it changes")
    moved_at = models.DateTimeField(_("noticed"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("confirmed by"),
    )

    objects = AccountMoveQuerySet.as_manager()

    class Meta:
        verbose_name = _("move of an account")
        verbose_name_plural = _("moves of accounts")
        indexes = [
            # Each run, and the page of each account.
            models.Index(fields=["account"], condition=models.Q(confirmed_at__isnull=True), name="move_not_confirmed"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.old_path} → {self.new_path}"
