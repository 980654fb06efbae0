"""What people stop: runs (pause), a person (lock-out), an account (freeze). Each row is kept when it has ended."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.organization import Account
from accounts.models.people import Principal


class StopQuerySet(models.QuerySet["Stop"]):
    def active(self, now: datetime | None = None) -> "StopQuerySet":
        """Those that hold now: not lifted, and not past their end.

        One that is there has begun, whatever its time says: the clocks of two hosts differ, and what a person stops
        on one has stopped on the other.
        """
        return self.filter(lifted_at__isnull=True).exclude(until__lte=now or timezone.now())

    def of_kind(self, kind: "Stop.Kind") -> "StopQuerySet":
        return self.filter(kind=kind)


class Stop(models.Model):
    """One pause, lock-out or freeze, with who wanted it and why."""

    class Kind(models.TextChoices):
        PAUSE = "pause", _("pause of all runs")
        LOCK_OUT = "lock_out", _("lock-out of a person")
        FREEZE = "freeze", _("freeze of an account")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    principal = models.ForeignKey(
        Principal, null=True, blank=True, on_delete=models.PROTECT, related_name="stops", verbose_name=_("person")
    )
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="stops", verbose_name=_("account")
    )
    reason = models.CharField(_("reason"), max_length=400)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("by")
    )
    begun_at = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("A pause always has an end."))
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("lifted by"),
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    objects = StopQuerySet.as_manager()

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="pause", principal=None, account=None, until__isnull=False)
                | models.Q(kind="lock_out", principal__isnull=False, account=None)
                | models.Q(kind="freeze", principal=None, account__isnull=False),
                name="stop_of_its_kind",
            ),
            # Of several who press at once, one wins.
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(kind="pause", lifted_at__isnull=True), name="stop_one_pause"
            ),
            models.UniqueConstraint(
                fields=["principal"],
                condition=models.Q(kind="lock_out", lifted_at__isnull=True),
                name="stop_one_lock_out",
            ),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(kind="freeze", lifted_at__isnull=True), name="stop_one_freeze"
            ),
        ]
        indexes = [
            # Each run, and the banner of each page.
            models.Index(fields=["kind"], condition=models.Q(lifted_at__isnull=True), name="stop_not_lifted"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.principal or self.account or ''}".strip()
