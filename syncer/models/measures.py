"""What all processes together have counted and timed, for /metrics."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MeasuredSum(models.Model):
    """One series of `syncer.measures`: what every process has handed over, added up."""

    name = models.CharField(max_length=64)
    labels = models.CharField(max_length=400, help_text="a list, in JSON")
    value = models.FloatField(default=0.0)

    class Meta:
        verbose_name = _("measured sum")
        verbose_name_plural = _("measured sums")
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="measured_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}"
