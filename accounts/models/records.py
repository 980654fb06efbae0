"""What kintone says: the mirror of its records, what is wrong with them, and what is on the way to it."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User

CLOCKS_DIFFER = timedelta(minutes=10)  # kintone's and ours, at most; its times are whole minutes


class AppKind(models.TextChoices):
    """The two kintone apps."""

    PERMISSION_SET = "permission_set", _("permission sets")
    ASSIGNMENT = "assignment", _("assignments")


class RecordQuerySet(models.QuerySet["Record"]):
    def live(self) -> "RecordQuerySet":
        """Records that kintone has, as far as we know."""
        return self.filter(gone_at__isnull=True)

    def of_kind(self, kind: AppKind) -> "RecordQuerySet":
        return self.filter(kind=kind)


class Record(models.Model):
    """The mirror of one kintone record, and the values of it that are in force.

    `in_force` holds the values of the last revision that was valid: a later revision that cannot be understood
    withdraws nothing (docs/safety.md).
    """

    kind = models.CharField(_("app"), max_length=14, choices=AppKind.choices)
    app_id = models.CharField(_("app id"), max_length=20)
    record_id = models.CharField(_("record id"), max_length=20)
    revision = models.PositiveIntegerField(_("revision"))
    title = models.CharField(_("title"), max_length=200, blank=True)
    body = models.JSONField(_("fields as kintone gave them"))
    creator_code = models.CharField(max_length=128, blank=True)
    creator_name = models.CharField(_("creator"), max_length=256, blank=True)
    modifier_code = models.CharField(max_length=128, blank=True)
    modifier_name = models.CharField(_("modifier"), max_length=256, blank=True)
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("changed"))
    seen_at = models.DateTimeField(_("read"), default=timezone.now)
    gone_at = models.DateTimeField(_("gone"), null=True, blank=True)
    at_first_run = models.BooleanField(
        _("here at the first run"), default=False, help_text=_("It was there before Genkan was: see docs/safety.md.")
    )
    is_settled = models.BooleanField(
        default=False, help_text="False: no run has looked at this revision yet, or at the record's end"
    )
    in_force = models.JSONField(_("values in force"), null=True, blank=True)
    in_force_revision = models.PositiveIntegerField(null=True, blank=True)
    beside = models.JSONField(
        _("kept beside the record"),
        default=list,
        blank=True,
        help_text=_("UserNames of people whom kintone deleted, where the app has no field for addresses."),
    )

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("kintone record")
        verbose_name_plural = _("kintone records")
        constraints = [
            # Also how the mirror finds its row.
            models.UniqueConstraint(fields=["app_id", "record_id"], name="record_identity"),
        ]
        indexes = [
            # Every run loads the live records of one app.
            models.Index(fields=["kind", "gone_at"], name="record_live_of_kind"),
            # What the next targeted run looks at.
            models.Index(fields=["id"], condition=models.Q(is_settled=False), name="record_unsettled"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """`APP:ID`, as commands and outcomes name a record."""
        return f"{self.app_id}:{self.record_id}"

    @property
    def is_in_force(self) -> bool:
        """The newest revision is the one that counts."""
        return self.in_force_revision == self.revision


class RecordPerson(models.Model):
    """Whom a mirrored record names, by the code that kintone has for him; for looking people's records up.

    Of the newest revision, whoever wrote it: what counts for who may do what is in force (accounts/access.py).
    """

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        AUTHOR = "author", _("author")
        USER = "user", _("user")

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="people")
    role = models.CharField(max_length=6, choices=Role.choices)
    key = models.CharField(max_length=128, blank=True, help_text="the code folded, as names are compared")
    code = models.CharField(max_length=128, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="who made the record in the portal, whose token has another code",
    )

    class Meta:
        verbose_name = _("person of a record")
        verbose_name_plural = _("people of records")
        constraints = [
            # Also the people of one record.
            models.UniqueConstraint(fields=["record", "role", "key"], name="record_person_once"),
        ]
        indexes = [
            # Somebody's own records, and codes that fold to the same.
            models.Index(fields=["key", "role"], name="record_person_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.role} {self.code}"


class PortalWrite(models.Model):
    """The ledger of what the portal wrote into kintone: whose token says Administrator."""

    app_id = models.CharField(max_length=20)
    record_id = models.CharField(max_length=20)
    revision = models.PositiveIntegerField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="empty: a command on the server, which acts as an admin",
    )
    keeps_access = models.BooleanField(
        default=False, help_text="it moved the same people with the same last days to a twin: that widens nothing"
    )
    puts_back = models.JSONField(
        null=True,
        blank=True,
        help_text="what it put back that the same person took out: place, last day, names; that widens nothing",
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("write of the portal")
        verbose_name_plural = _("writes of the portal")
        constraints = [
            # Also the look-up of a revision's writer.
            models.UniqueConstraint(fields=["app_id", "record_id", "revision"], name="portal_write_once"),
        ]

    def __str__(self) -> str:
        return f"{self.app_id}:{self.record_id}@{self.revision}"

    def is_of(self, record: Record) -> bool:
        """Whether that is who wrote this revision of the record.

        An app that was restored from a backup counts on from there: what was written since is another revision. Of a
        record's revisions kintone tells the times of the first and the newest.
        """
        written_at = record.updated_at if self.revision == record.revision else record.created_at
        return written_at <= self.at + CLOCKS_DIFFER


class Withheld(models.Model):
    """One value of a record that its writer was not allowed to add or extend: it is not in force.

    It stays withheld in all later revisions until somebody who may confirms it, or writes it anew.
    `value` names it as `accounts.judgement` does; a row is kept with its confirmation.
    """

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="withheld", verbose_name=_("record"))
    value = models.CharField(_("value"), max_length=400)
    reason = models.JSONField(_("reason"), default=dict, help_text=_("Code and parameters."))
    revision = models.PositiveIntegerField(_("revision"))
    writer_name = models.CharField(_("written by"), max_length=256, blank=True)
    since = models.DateTimeField(_("since"), default=timezone.now)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("confirmed by"),
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    class Meta:
        verbose_name = _("withheld value")
        verbose_name_plural = _("withheld values")
        constraints = [
            models.UniqueConstraint(fields=["record", "value"], name="withheld_once"),
        ]

    def __str__(self) -> str:
        return f"{self.record}: {self.value}"


class Problem(models.Model):
    """Something a person should mend: in one field of a record, or in what a record meets in AWS.

    Stored as code and parameters, so that each reader gets it in his language (accounts/problems.py).
    """

    class Severity(models.TextChoices):
        ERROR = "error", _("error")
        WARNING = "warning", _("warning")

    record = models.ForeignKey(
        Record, null=True, blank=True, on_delete=models.CASCADE, related_name="problems", verbose_name=_("record")
    )
    code = models.CharField(_("code"), max_length=64)
    severity = models.CharField(_("severity"), max_length=7, choices=Severity.choices)
    field = models.CharField(_("field"), max_length=128, blank=True)
    line = models.PositiveIntegerField(_("line"), null=True, blank=True)
    params = models.JSONField(default=dict, blank=True)
    first_seen = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        indexes = [
            # The company's problems, newest first.
            models.Index(fields=["severity", "-first_seen"], name="problem_by_severity"),
        ]

    def __str__(self) -> str:
        return self.code


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> "DraftQuerySet":
        """One's own; admins and auditors see everybody's."""
        return self if user.may_see_everything else self.filter(author=user)

    def open(self) -> "DraftQuerySet":
        """Those that somebody may still do something about."""
        return self.filter(state__in=Draft.OPEN)


class Draft(models.Model):
    """What somebody saved here and kintone does not have yet. It is never lost because kintone is away.

    `values` are what it writes, by our names; `base_values` what these fields said to whoever changed them. The drafts
    of one `batch` are written together or not at all.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("on its way to kintone")
        CONFLICT = "conflict", _("somebody else changed the record")
        REFUSED = "refused", _("refused by kintone")
        WRITTEN = "written", _("written")
        DISCARDED = "discarded", _("discarded")

    OPEN = (State.WAITING, State.CONFLICT, State.REFUSED)

    kind = models.CharField(_("app"), max_length=14, choices=AppKind.choices)
    record = models.ForeignKey(
        Record, null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts", verbose_name=_("record")
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="drafts")
    request_key = models.CharField(max_length=64, unique=True, help_text=_("Makes a repeated write harmless."))
    purpose = models.CharField(max_length=64, blank=True, help_text="what it belongs to, such as drift:12")
    after = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="followers",
        help_text="written only once that one is",
    )
    batch = models.CharField(max_length=32, blank=True, help_text="the same for all drafts of one submit")
    is_deletion = models.BooleanField(_("deletion"), default=False)
    base_revision = models.PositiveIntegerField(null=True, blank=True)
    base_values = models.JSONField(null=True, blank=True, help_text="what the record said when it was opened")
    values = models.JSONField(_("values"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WAITING)
    error = models.TextField(_("error"), blank=True)
    reason = models.JSONField(default=dict, blank=True, help_text=_("Code and parameters."))
    notes = models.JSONField(default=list, blank=True, help_text="reasons: what was written otherwise than wished")
    attempts = models.PositiveIntegerField(default=0, help_text="writes begun: after one, look before the next")
    sent = models.JSONField(
        null=True, blank=True, help_text="of the write begun: what the record says once it is there"
    )
    sent_revision = models.PositiveIntegerField(null=True, blank=True, help_text="the revision that it replaces")
    conflict = models.JSONField(default=dict, blank=True, help_text="fields, and what kintone has in them")
    tries = models.PositiveIntegerField(default=0, help_text="times in a row that kintone could not take it")
    retry_at = models.DateTimeField(_("tried again"), null=True, blank=True)
    discarded_at = models.DateTimeField(
        null=True, blank=True, help_text="no more wanted; if it was begun, it is first looked whether it arrived"
    )
    written_reference = models.CharField(_("written as"), max_length=41, blank=True, help_text="APP:ID")
    written_revision = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        indexes = [
            # The task that sends what is waiting, oldest first; and "my drafts".
            models.Index(fields=["state", "created_at"], name="draft_waiting"),
            models.Index(fields=["author", "-created_at"], name="draft_of_author"),
            # What came of a decision.
            models.Index(fields=["purpose"], condition=~models.Q(purpose=""), name="draft_of_purpose"),
            # What belongs together.
            models.Index(fields=["batch"], condition=~models.Q(batch=""), name="draft_of_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.request_key}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
