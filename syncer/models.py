"""Runs, their changes, the lease that keeps them single, and how far each kintone app was read."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AppKind, Assignment, PermissionSet, Record, Stop


class Run(models.Model):
    """One pass from reading to outcomes. The row is the truth of the job, whatever a broker remembers."""

    class Kind(models.TextChoices):
        FULL = "full", _("full run")
        CHANGES = "changes", _("changed records")
        RECORD = "record", _("one record")
        LOCK_OUT = "lock_out", _("lock-out of a person")

    class Mode(models.TextChoices):
        APPLY = "apply", _("apply")
        PLAN = "plan", _("plan only")

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting for its turn")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        HELD = "held", _("removals held")
        FAILED = "failed", _("failed")
        LOST = "lost", _("its process ended")

    class Step(models.TextChoices):
        WISH = "wish", _("reading kintone")
        TRUTH = "truth", _("reading AWS")
        PLAN = "plan", _("planning")
        APPLY = "apply", _("applying")
        TELL = "tell", _("telling")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.FULL)
    mode = models.CharField(_("mode"), max_length=5, choices=Mode.choices, default=Mode.APPLY)
    everything = models.BooleanField(_("proves everything"), default=False)
    is_proof = models.BooleanField(
        _("full proof"), default=False, help_text="whether every pair of account and set was read, orphans included"
    )
    share = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="which of the shares of a routine run was proved"
    )
    reading = models.JSONField(
        default=dict, blank=True, help_text="strategy, predicted and true number of calls, seconds"
    )
    record_reference = models.CharField(_("record"), max_length=41, blank=True)
    stop = models.ForeignKey(
        Stop,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
        verbose_name=_("stop"),
        help_text="the lock-out that this run carries out",
    )
    accept = models.CharField(_("accepted checksum"), max_length=64, blank=True)
    by_hand = models.BooleanField(_("by hand"), default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    status = models.CharField(_("status"), max_length=7, choices=Status.choices, default=Status.QUEUED)
    step = models.CharField(_("step"), max_length=5, choices=Step.choices, blank=True)
    steps = models.JSONField(default=dict, blank=True, help_text="step → {started, seconds, …figures}")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    api_calls = models.JSONField(default=dict, blank=True)
    unresolved = models.JSONField(default=list, blank=True)
    problems = models.JSONField(default=list, blank=True)
    error = models.JSONField(default=dict, blank=True, help_text="code and parameters")
    checksum = models.CharField(_("checksum of what is held"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            # However often it is pressed: a request during a run is remembered once.
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(kind="full", status="queued"), name="run_one_full_queued"
            ),
        ]
        indexes = [
            # The history, newest first.
            models.Index(fields=["-requested_at", "-id"], name="run_newest"),
            # What waits or runs now.
            models.Index(fields=["status", "requested_at"], name="run_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def came_through(self) -> bool:
        """It planned and did what it could, whatever failed on the way."""
        tell = self.steps.get(self.Step.TELL) or {}
        return bool(tell.get("state") == "done" and self.error.get("code") != "lease_lost")


class Change(models.Model):
    """One create, update or delete of a run's plan, and what became of it."""

    class Kind(models.TextChoices):
        CREATE = "create", _("create")
        UPDATE = "update", _("update")
        DELETE = "delete", _("delete")

    class Object(models.TextChoices):
        PERMISSION_SET = "permission_set", _("permission set")
        ASSIGNMENT = "assignment", _("assignment")

    class Outcome(models.TextChoices):
        PLANNED = "planned", _("planned")
        SENT = "sent", _("AWS is at work")
        SUCCEEDED = "succeeded", _("done")
        FAILED = "failed", _("failed")
        HELD = "held", _("held")
        SUPERSEDED = "superseded", _("no longer wanted")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="changes")
    position = models.PositiveIntegerField()
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    object = models.CharField(_("object"), max_length=14, choices=Object.choices)
    account_id = models.CharField(_("account id"), max_length=12, blank=True)
    permission_set_name = models.CharField(_("permission set"), max_length=32)
    principal_type = models.CharField(max_length=5, blank=True)
    principal_id = models.CharField(max_length=47, blank=True)
    principal_name = models.CharField(_("principal"), max_length=1024, blank=True)
    record_reference = models.CharField(_("record"), max_length=41, blank=True)
    details = models.JSONField(default=list, blank=True, help_text="what differs, for updates")
    confirmed = models.BooleanField(default=False, help_text="a removal that a person or a date asked for")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.PLANNED)
    reason = models.JSONField(default=dict, blank=True, help_text="code and parameters")
    request_id = models.CharField(max_length=36, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    assignment = models.ForeignKey(
        Assignment,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="changes",
        verbose_name=_("assignment"),
    )
    permission_set = models.ForeignKey(
        PermissionSet, null=True, blank=True, on_delete=models.SET_NULL, related_name="changes"
    )

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        constraints = [
            # The plan of a run, in its order.
            models.UniqueConstraint(fields=["run", "position"], name="change_position"),
        ]
        indexes = [
            # The brake: what was removed in the last 24 hours, over all runs.
            models.Index(fields=["kind", "outcome", "finished_at"], name="change_removed_lately"),
            # What a dead worker left under way.
            models.Index(fields=["request_id"], condition=models.Q(outcome="sent"), name="change_under_way"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object} {self.account_id} {self.permission_set_name} {self.principal_name}".strip()


class Operation(models.Model):
    """One asynchronous request to AWS, from the intent to its end, and the lane of its account while it is open.

    AWS updates one role at a time in an account, so an account has one open operation at most, whoever sent it. The
    row is there before the request is sent, its `request_id` before the first question about it: whoever finds an
    open row of a dead process asks AWS what became of it.
    """

    class Kind(models.TextChoices):
        CREATION = "creation", _("creation")
        DELETION = "deletion", _("deletion")
        PROVISIONING = "provisioning", _("provisioning")

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    account_id = models.CharField(max_length=12)
    permission_set_arn = models.CharField(max_length=1224)
    principal_type = models.CharField(max_length=5, blank=True)
    principal_id = models.CharField(max_length=47, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    begun_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.JSONField(default=dict, blank=True, help_text="why it failed, in its account: code and parameters")

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = [
            # The lane of an account. Also how what is under way is found.
            models.UniqueConstraint(
                fields=["account_id"], condition=models.Q(ended_at__isnull=True), name="operation_one_lane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.account_id} {self.request_id}".strip()


class Drift(models.Model):
    """One difference on a set of ours that somebody made by hand since our last good reading.

    Left alone for the grace, unless somebody says what is to become of it; ended when it is no difference any more.
    """

    class Kind(models.TextChoices):
        ADDED = "added", _("assigned by hand")
        REMOVED = "removed", _("removed by hand")
        CHANGED = "changed", _("changed by hand")

    class Decision(models.TextChoices):
        PUT_BACK = "put_back", _("put back")
        KEEP = "keep", _("kept as a record")

    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    permission_set_name = models.CharField(_("permission set"), max_length=32)
    account_id = models.CharField(_("account id"), max_length=12, blank=True)
    principal_type = models.CharField(max_length=5, blank=True)
    principal_id = models.CharField(max_length=47, blank=True)
    principal_name = models.CharField(_("principal"), max_length=1024, blank=True)
    details = models.JSONField(default=list, blank=True, help_text="what differs, for a changed set")
    record_revision = models.PositiveIntegerField(
        null=True, blank=True, help_text="of the set's record: a later one is a newer word, and ends the drift of a set"
    )
    seen_at = models.DateTimeField(_("seen"), default=timezone.now)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="empty: the same was told within a day, as when Terraform does it each hour"
    )
    decision = models.CharField(_("decision"), max_length=8, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("drift")
        verbose_name_plural = _("drift")
        constraints = [
            # One open row for each difference; also what every run loads.
            models.UniqueConstraint(
                fields=["permission_set_name", "account_id", "principal_id"],
                condition=models.Q(ended_at__isnull=True),
                name="drift_once",
            ),
        ]

    def __str__(self) -> str:
        parts = (self.kind, self.account_id, self.permission_set_name, self.principal_name or self.principal_id)
        return " ".join(filter(None, parts))


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

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(ended_at__isnull=True), name="notice_once"),
        ]
        indexes = [
            # What the task that sends has to do.
            models.Index(fields=["created_at"], condition=models.Q(sent_at__isnull=True), name="notice_unsent"),
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


class CommentSettings(models.Model):
    """What is told on kintone records. One row, which an admin edits."""

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

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def load(cls) -> "CommentSettings":
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class Hint(models.Model):
    """kintone's webhook said that something happened to a record. Only that: the record is read anew.

    One row a record, however often it is said.
    """

    app_id = models.CharField(max_length=20)
    record_id = models.CharField(max_length=20)
    is_pending = models.BooleanField(default=True)
    noted_at = models.DateTimeField(default=timezone.now)
    heeded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("webhook's hint")
        verbose_name_plural = _("webhook's hints")
        constraints = [
            # However often it is said of a record.
            models.UniqueConstraint(fields=["app_id", "record_id"], name="hint_once"),
        ]
        indexes = [
            # What is to be looked at now.
            models.Index(fields=["noted_at"], condition=models.Q(is_pending=True), name="hint_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.app_id}:{self.record_id}"


class Adoption(models.Model):
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
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    applies = models.BooleanField(default=False, help_text="False: it was only compared")
    take = models.CharField(max_length=7, blank=True, help_text="whose word counts where both differ: kintone or aws")
    confirmed = models.CharField(max_length=12, blank=True, help_text="checksum of the comparison that was confirmed")
    status = models.CharField(_("status"), max_length=7, choices=Status.choices, default=Status.QUEUED)
    result = models.JSONField(default=dict, blank=True, help_text="what came of it, with codes in the place of words")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

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


class Examination(models.Model):
    """What the doctor found at somebody's request. Only the newest is kept; the row is the truth of the job."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting for its turn")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        LOST = "lost", _("its process ended")

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    status = models.CharField(_("status"), max_length=7, choices=Status.choices, default=Status.QUEUED)
    checks = models.JSONField(default=list, blank=True, help_text="name, status and reason of each check")
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("examination")
        verbose_name_plural = _("examinations")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)


class Bucket(models.Model):
    """A token bucket for all processes, where there is no Redis: the time up to which tokens have been handed out."""

    name = models.CharField(max_length=32, primary_key=True)
    paid_until = models.FloatField(default=0.0, help_text="seconds since 1970")

    class Meta:
        verbose_name = _("token bucket")
        verbose_name_plural = _("token buckets")

    def __str__(self) -> str:
        return self.name


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


class AppState(models.Model):
    """How far one kintone app was read, and what the last attempt said."""

    kind = models.CharField(_("app"), max_length=14, choices=AppKind.choices, unique=True)
    app_id = models.CharField(_("app id"), max_length=20)
    watermark = models.DateTimeField(
        null=True, blank=True, help_text="server time at the start of the last good reading"
    )
    read_at = models.DateTimeField(_("last good reading"), null=True, blank=True)
    scanned_at = models.DateTimeField(_("last complete scan"), null=True, blank=True)
    bodies_at = models.DateTimeField(_("last reading of everything"), null=True, blank=True)
    form_at = models.DateTimeField(_("last look at the form"), null=True, blank=True)
    error = models.JSONField(_("error"), default=dict, blank=True)
    fields = models.JSONField(
        _("fields"), default=dict, blank=True, help_text="our name → kintone code: one that goes missing stops the app"
    )
    form = models.JSONField(
        default=dict, blank=True, help_text="kintone code → type of these fields, and of the one that says when"
    )
    records = models.PositiveIntegerField(_("records"), default=0, help_text="that the last good reading knew of")
    missing = models.JSONField(
        default=list, blank=True, help_text="APP:ID of those that the last scan did not find, and that are not gone"
    )
    is_short = models.BooleanField(default=False, help_text="whether the last scan found too few to be believed")

    class Meta:
        verbose_name = _("kintone app")
        verbose_name_plural = _("kintone apps")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.app_id})"


class KintoneUsage(models.Model):
    """The requests to one kintone app within an hour that kintone counts for its daily quota."""

    app_id = models.CharField(_("app id"), max_length=20)
    hour = models.DateTimeField(_("hour"))
    requests = models.PositiveIntegerField(_("requests"), default=0)

    class Meta:
        verbose_name = _("requests to kintone")
        verbose_name_plural = _("requests to kintone")
        constraints = [models.UniqueConstraint(fields=["app_id", "hour"], name="kintone_usage_one_an_hour")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.hour:%Y-%m-%d %H:%M}: {self.requests}"


class Farewell(models.Model):
    """A permission set that goes: renamed or deleted by a person, who had all that goes with it on the screen.

    Its record is deleted once nothing names it and nobody has it. `removals` are identities as `changes.identity_of`
    gives them: the brake does not count what somebody confirmed.
    """

    name = models.CharField(_("permission set"), max_length=32)
    renamed_to = models.CharField(_("new name"), max_length=32, blank=True)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+", verbose_name=_("record"))
    revision = models.PositiveIntegerField(help_text="of the record, when it was confirmed")
    removals = models.JSONField(default=list)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(_("confirmed"), default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="its record was deleted, or edited since")

    class Meta:
        verbose_name = _("permission set that goes")
        verbose_name_plural = _("permission sets that go")
        constraints = [
            # Pressing twice is pressing once.
            models.UniqueConstraint(fields=["name"], condition=models.Q(ended_at__isnull=True), name="farewell_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.renamed_to}" if self.renamed_to else self.name


class SetVersion(models.Model):
    """What a permission set was at a time: its record's values in force, from each revision that changed them.

    Rows are only added; `is_told` alone changes. `values` are as `accounts.Record.in_force` holds them.
    """

    name = models.CharField(_("permission set"), max_length=32)
    reference = models.CharField(_("record"), max_length=41)
    revision = models.PositiveIntegerField(_("revision"))
    values = models.JSONField(_("values"))
    writer_name = models.CharField(_("written by"), max_length=256, blank=True)
    at = models.DateTimeField(_("in force since"), default=timezone.now)
    is_told = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("version of a permission set")
        verbose_name_plural = _("versions of permission sets")
        indexes = [
            # A set's history, newest first.
            models.Index(fields=["name", "-id"], name="set_version_of_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} @{self.revision}"


class Baseline(models.Model):
    """Set once: from then on runs may write. An empty database beside owned sets only plans until somebody confirms."""

    confirmed_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("baseline")
        verbose_name_plural = _("baselines")

    def __str__(self) -> str:
        return f"{self.confirmed_at:%Y-%m-%d %H:%M} {self.confirmed_by}"
