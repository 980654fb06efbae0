"""What is told outside: notices, and comments on kintone's records."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Record
from accounts.models.only_row import OnlyRow


class Outgoing(models.Model):
    """The outbox: something to tell outside, written in the transaction that brought it about, sent by a task."""

    created_at = models.DateTimeField(_("written"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(_("error"), max_length=400, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="when the matter was over; until then it is not told again"
    )

    class Meta:
        abstract = True


class Notice(Outgoing):
    """Something that operators are told.

    `key` names the matter: one open notice a matter, however many runs meet it.
    """

    class Kind(models.TextChoices):
        FAILED = "failed", _("something failed")
        HELD = "held", _("removals held")
        DRIFT = "drift", _("changed by hand")
        CRITICAL = "critical", _("critical")
        PEOPLE = "people", _("about people")
        MIND = "mind", _("to mind")
        DONE = "done", _("resolved")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=200)
    code = models.CharField(max_length=64)
    params = models.JSONField(default=dict, blank=True)
    path = models.CharField(max_length=200, blank=True, help_text="the portal's page about it")
    channel = models.CharField(max_length=80, blank=True, help_text="of Slack, where a bot has posted it")
    thread = models.CharField(max_length=32, blank=True, help_text="the time by which Slack knows the thread's first")

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(ended_at__isnull=True), name="notice_once"),
        ]
        indexes = [
            # What the task that sends has to do.
            models.Index(fields=["created_at"], condition=models.Q(sent_at__isnull=True), name="notice_unsent"),
            # The thread of a problem that was told before.
            models.Index(fields=["key", "-id"], name="notice_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class RecordComment(Outgoing):
    """A comment on a kintone record: what is wrong with it, or that nothing is any more.

    A record has one that stands at most; what was told of it is in `told`. `mark` ends the comment's text, and is
    looked for before anything is sent.
    """

    class Kind(models.TextChoices):
        PROBLEMS = "problems", _("problems")
        WELL = "well", _("all is well again")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="comments", verbose_name=_("record"))
    revision = models.PositiveIntegerField(_("revision"))
    remarks = models.JSONField(default=list, blank=True, help_text="code, field, line and parameters of each problem")
    told = models.JSONField(default=list, blank=True, help_text="what is not told again while this stands")
    mentions = models.JSONField(default=list, blank=True, help_text="kintone codes")
    writer_name = models.CharField(_("written by"), max_length=256, blank=True)
    mark = models.CharField(_("mark"), max_length=16)
    takes_back = models.CharField(max_length=16, blank=True, help_text="the mark of the comment that is over")
    comment_id = models.CharField(_("comment id"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("comment on a record")
        verbose_name_plural = _("comments on records")
        constraints = [
            models.UniqueConstraint(fields=["record"], condition=models.Q(ended_at__isnull=True), name="comment_once"),
        ]
        indexes = [
            # What the task that sends has to do.
            models.Index(
                fields=["retry_at", "id"],
                condition=models.Q(sent_at__isnull=True, ended_at__isnull=True),
                name="comment_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.mark}"


class CommentSettings(OnlyRow):
    """What is told on kintone records."""

    is_on = models.BooleanField(
        _("comment on records"),
        default=True,
        help_text=_("Whoever wrote a record learns there what is wrong with it."),
    )
    says_well = models.BooleanField(
        _("say that all is well again"),
        default=True,
        help_text=_("A short comment follows once everything is mended."),
    )

    class Meta:
        verbose_name = _("settings of comments")
        verbose_name_plural = _("settings of comments")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="comment_settings_one")]
