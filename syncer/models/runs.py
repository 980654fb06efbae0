"""Runs and their changes, what was sent for them, what others changed by hand, and whether runs may write at all."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Assignment, PermissionSet, Stop


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
    asked_by = models.CharField(
        _("asked by"),
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="whoever asked from outside: a GitHub login",
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
            # When the last good one of a kind ended.
            models.Index(
                fields=["kind", "-finished_at"],
                condition=models.Q(status__in=("done", "held"), finished_at__isnull=False),
                name="run_last_good",
            ),
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

    @property
    def sign(self) -> str:
        """As in a plan."""
        return {self.Kind.ADDED: "+", self.Kind.REMOVED: "−", self.Kind.CHANGED: "~"}[self.Kind(self.kind)]


class Baseline(models.Model):
    """Set once: from then on runs may write. An empty database beside owned sets only plans until somebody confirms."""

    confirmed_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("baseline")
        verbose_name_plural = _("baselines")

    def __str__(self) -> str:
        return f"{self.confirmed_at:%Y-%m-%d %H:%M} {self.confirmed_by}"
