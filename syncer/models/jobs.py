"""What somebody asked for on a page and a task carries out: an adoption, an examination by the doctor."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import PermissionSet


class Job(models.Model):
    """Something that somebody asked for. The row is the truth of the job, whatever a broker remembers."""

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        abstract = True


class Adoption(Job):
    """A permission set that is not ours, compared with kintone or adopted at somebody's request: what came of it.

    The row is the truth of the job. Each try begins from what is there, so one whose worker died is taken up again.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting for its turn")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        HELD = "held", _("left as it is")
        FAILED = "failed", _("failed")

    permission_set = models.ForeignKey(
        PermissionSet, on_delete=models.CASCADE, related_name="adoptions", verbose_name=_("permission set")
    )
    applies = models.BooleanField(default=False, help_text="False: it was only compared")
    take = models.CharField(max_length=7, blank=True, help_text="whose word counts where both differ: kintone or aws")
    confirmed = models.CharField(max_length=12, blank=True, help_text="checksum of the comparison that was confirmed")
    status = models.CharField(_("status"), max_length=7, choices=Status.choices, default=Status.QUEUED)
    result = models.JSONField(default=dict, blank=True, help_text="what came of it, with codes in the place of words")

    class Meta:
        verbose_name = _("adoption")
        verbose_name_plural = _("adoptions")
        constraints = [
            # However often it is pressed: one of a set waits or is under way.
            models.UniqueConstraint(
                fields=["permission_set"],
                condition=models.Q(status__in=("queued", "running")),
                name="adoption_one_at_a_time",
            ),
        ]
        indexes = [
            # The newest of a set, for its page.
            models.Index(fields=["permission_set", "-id"], name="adoption_newest_of_set"),
            # What waits.
            models.Index(fields=["status"], name="adoption_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.permission_set} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)


class Examination(Job):
    """What the doctor found at somebody's request. Only the newest is kept; the row is the truth of the job."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting for its turn")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        LOST = "lost", _("its process ended")

    status = models.CharField(_("status"), max_length=7, choices=Status.choices, default=Status.QUEUED)
    checks = models.JSONField(default=list, blank=True, help_text="name, status and reason of each check")

    class Meta:
        verbose_name = _("examination")
        verbose_name_plural = _("examinations")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)
