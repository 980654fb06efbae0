"""Whose turn it is: the lease that keeps full runs single, and the tokens of AWS's budget."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lease(models.Model):
    """Who may run now. A holder beats every 2 s; silent for 10 s, or its process gone, it has lost the lease."""

    name = models.CharField(max_length=32, primary_key=True)
    token = models.CharField(max_length=36, blank=True)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    started = models.CharField(max_length=64, blank=True, help_text="start time of the process: ids are used again")
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name


class Bucket(models.Model):
    """A token bucket for all processes, where there is no Redis: the time up to which tokens have been handed out."""

    name = models.CharField(max_length=32, primary_key=True)
    paid_until = models.FloatField(default=0.0, help_text="seconds since 1970")

    class Meta:
        verbose_name = _("token bucket")
        verbose_name_plural = _("token buckets")

    def __str__(self) -> str:
        return self.name
