"""What people asked for on GitHub, and how far its comments were read."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from syncer.models.outbox import Outgoing
from syncer.models.runs import Run


class SyncRequest(Outgoing):
    """A `/sync` comment: what it asked for, and the reply that it gets.

    One row a comment, however often GitHub or its polling brings it. As a row of the outbox it is the reply;
    `reacted_at` says that the comment bears its reaction.
    """

    class Verdict(models.TextChoices):
        UNSURE = "unsure", _("to be looked up")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("not allowed")
        WRONG = "wrong", _("not understood")

    issue = models.CharField(_("issue"), max_length=200, help_text="owner/repo#12, folded")
    comment_id = models.BigIntegerField(_("comment id"))
    login = models.CharField(_("login"), max_length=100)
    text = models.CharField(_("text"), max_length=400, help_text="its first line")
    commented_at = models.DateTimeField(_("commented"))
    url = models.CharField(max_length=400, blank=True)
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices, default=Verdict.UNSURE)
    wrong = models.JSONField(default=list, blank=True, help_text="what of it was not understood")
    is_widened = models.BooleanField(default=False, help_text="a full run in the place of many targeted ones")
    runs = models.ManyToManyField(Run, related_name="github_requests", verbose_name=_("runs"), blank=True)
    reacted_at = models.DateTimeField(_("reacted"), null=True, blank=True)
    reply_id = models.CharField(_("reply id"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("request on GitHub")
        verbose_name_plural = _("requests on GitHub")
        constraints = [
            # A comment starts one run at most, whoever brings it and how often.
            models.UniqueConstraint(fields=["issue", "comment_id"], name="sync_request_once"),
        ]
        indexes = [
            # What the task that answers has to do.
            models.Index(
                fields=["retry_at", "id"],
                condition=models.Q(sent_at__isnull=True, ended_at__isnull=True),
                name="sync_request_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issue} {self.comment_id}"


class IssueWatch(models.Model):
    """How far the comments of an issue were read, and until when GitHub is left alone."""

    FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)

    issue = models.CharField(_("issue"), max_length=200, unique=True, help_text="owner/repo#12, folded")
    first_look_at = models.DateTimeField(
        _("first look"), null=True, blank=True, help_text="on GitHub's clock; older comments start nothing"
    )
    since = models.DateTimeField(null=True, blank=True, help_text="what was updated later is asked for")
    etag = models.CharField(max_length=200, blank=True, help_text="of the last answer to that very question")
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    error = models.CharField(_("error"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("issue that is watched")
        verbose_name_plural = _("issues that are watched")

    def __str__(self) -> str:
        return self.issue

    @classmethod
    def load(cls, issue: str) -> "IssueWatch":
        return cls.objects.get_or_create(issue=issue)[0]

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def pause(self, asked_for: float, error: str) -> None:
        """Leave GitHub alone: as long as it asked for (in seconds), and longer the more often it failed in a row."""
        doubled = min(self.FIRST_PAUSE * 2 ** min(self.failures, 10), self.LONGEST_PAUSE)
        self.failures += 1
        self.paused_until = timezone.now() + max(doubled, timedelta(seconds=asked_for))
        self.error = error[:400]
        self.save(update_fields=["paused_until", "failures", "error"])

    def note_answer(self) -> None:
        """GitHub answers: whatever was wrong is over. Writes nothing where nothing was."""
        if self.failures:
            self.failures, self.paused_until, self.error = 0, None, ""
            self.save(update_fields=["paused_until", "failures", "error"])
