"""What may be entered: permission sets, assignments, who wants them, and AWS's own policies."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.choices import Choosing
from accounts.models.organization import Account
from accounts.models.people import Principal
from accounts.models.records import Record
from accounts.models.searching import Searchable, SearchKeyField


class PermissionSet(Choosing, Searchable):
    """A permission set: in AWS, wished for by a record, or both. Its name is its identity; AWS cannot change it."""

    class Ownership(models.TextChoices):
        OURS = "ours", _("managed by Genkan")
        NOT_OURS = "not_ours", _("not managed by Genkan")
        TERRAFORM = "terraform", _("managed in Terraform")
        UNKNOWN = "unknown", _("could not be read")
        ABSENT = "absent", _("not in AWS yet")

    class State(models.TextChoices):
        IN_SYNC = "in_sync", _("as registered")
        PENDING = "pending", _("being applied")
        BLOCKED = "blocked", _("blocked")
        FAILED = "failed", _("failed")
        UNMANAGED = "unmanaged", _("not managed")
        UNRESOLVED = "unresolved", _("could not be read")
        REMOVED = "removed", _("removed")

    name = models.CharField(_("name"), max_length=32, unique=True)
    arn = models.CharField("ARN", max_length=1224, unique=True, null=True, blank=True)
    description = models.TextField(_("description"), blank=True, help_text=_("In full; AWS holds Latin-1 only."))
    ownership = models.CharField(_("ownership"), max_length=9, choices=Ownership.choices, default=Ownership.ABSENT)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.JSONField(_("reason"), default=dict, blank=True, help_text=_("Code and parameters."))
    record = models.ForeignKey(
        Record,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="permission_sets",
        verbose_name=_("record"),
    )
    actual = models.JSONField(_("definition in AWS"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    proved_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="since when all its assignments are known; before, nothing found is new",
    )
    settled = models.JSONField(
        null=True, blank=True, help_text="the definition as last judged or made by us: another one is somebody's doing"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    captured_at = models.DateTimeField(
        null=True, blank=True, help_text="since when one of ours is provisioned in the management account"
    )
    failures = models.PositiveIntegerField(default=0)
    failed_wish = models.CharField(max_length=64, blank=True)
    retry_at = models.DateTimeField(_("tried again"), null=True, blank=True)
    search_key = SearchKeyField(of=("name", "description"))

    class Meta:
        verbose_name = _("permission set")
        verbose_name_plural = _("permission sets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_ours(self) -> bool:
        return self.ownership == self.Ownership.OURS


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def shown(self) -> "AssignmentQuerySet":
        """What is or should be: everything but history."""
        return self.exclude(state=Assignment.State.REMOVED)

    def for_principals(self, principals: Any) -> "AssignmentQuerySet":
        """Assignments of these principals: a person's own and those of his groups."""
        return self.filter(principal__in=principals)

    def removable(self) -> "AssignmentQuerySet":
        """What AWS has and Genkan can take away: on a set of ours, in an active account of ours to change."""
        return self.filter(
            in_aws=True,
            permission_set__ownership=PermissionSet.Ownership.OURS,
            account__state=Account.State.ACTIVE,
            account__gone_at__isnull=True,
            account__is_management=False,
        )

    def with_places(self) -> "AssignmentQuerySet":
        """With account, OU, permission set and principal, in one query."""
        return self.select_related("account__ou", "permission_set", "principal__person")


class Assignment(Choosing):
    """One account × permission set × principal, which several records may want at once."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        APPLYING = "applying", _("being applied")
        REMOVING = "removing", _("being removed")
        GRANTED = "granted", _("granted")
        WAITING = "waiting", _("waiting for Identity Center")
        BLOCKED = "blocked", _("blocked")
        FAILED = "failed", _("failed")
        DRIFTED = "drifted", _("changed by hand")
        UNMANAGED = "unmanaged", _("not managed")
        UNRESOLVED = "unresolved", _("could not be read")
        REMOVED = "removed", _("removed")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="assignments")
    permission_set = models.ForeignKey(PermissionSet, on_delete=models.CASCADE, related_name="assignments")
    principal = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="assignments")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.REQUESTED)
    reason = models.JSONField(_("reason"), default=dict, blank=True, help_text=_("Code and parameters."))
    in_aws = models.BooleanField(_("in AWS"), default=False)
    is_wanted = models.BooleanField(_("wanted"), default=False)
    expires_on = models.DateField(_("last day"), null=True, blank=True)
    since = models.DateTimeField(_("in this state since"), default=timezone.now)
    records = models.ManyToManyField(Record, through="Wish", related_name="assignments", verbose_name=_("records"))
    failures = models.PositiveIntegerField(default=0)
    failed_wish = models.CharField(max_length=64, blank=True)
    retry_at = models.DateTimeField(_("tried again"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            # Also "who can enter this account with what" (account first).
            models.UniqueConstraint(fields=["account", "permission_set", "principal"], name="assignment_once"),
        ]
        indexes = [
            # My access, a person's page.
            models.Index(fields=["principal", "state"], name="assignment_of_principal"),
            # A permission set's page.
            models.Index(fields=["permission_set", "state"], name="assignment_of_set"),
            # Counts by state; what has failed or is waiting.
            models.Index(fields=["state"], name="assignment_by_state"),
            # What ends within so many days.
            models.Index(
                fields=["expires_on"], condition=models.Q(expires_on__isnull=False), name="assignment_by_last_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.permission_set_id}/{self.principal_id}"

    @property
    def can_be_entered(self) -> bool:
        """AWS has it, as far as we know, whatever is planned for it."""
        return self.in_aws


def load_places(assignments: Sequence[Assignment]) -> None:
    """Account with OU, set and principal of all these, each loaded once: where one person has few sets in hundreds of
    accounts, a row of each for every assignment is far more. Three statements; of the set what lists say of it.
    """
    accounts = models.Prefetch("account", Account.objects.select_related("ou"))
    sets = models.Prefetch("permission_set", PermissionSet.objects.only("name", "ownership"))
    models.prefetch_related_objects(assignments, accounts, sets, "principal")


class Wish(models.Model):
    """One record wanting one assignment."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="wishes")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="wishes")
    expires_on = models.DateField(null=True, blank=True)
    is_current = models.BooleanField(
        default=True, help_text="False: the record wants it no more, but AWS still has it: why it is to be removed"
    )
    is_refused = models.BooleanField(
        default=False, help_text="written in the record, but neither its writer nor a guardrail lets it be in force"
    )

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        constraints = [
            # Which records want this; the record's own index serves "what does this record want".
            models.UniqueConstraint(fields=["assignment", "record"], name="wish_once"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} → {self.assignment_id}"


class AwsPolicy(models.Model):
    """An AWS managed policy, from IAM's own list. The path is part of the ARN, people know the name only."""

    arn = models.CharField("ARN", max_length=2048, unique=True)
    name = models.CharField(_("name"), max_length=128)
    is_attachable = models.BooleanField(_("attachable"), default=True)
    version = models.CharField(_("version"), max_length=16, blank=True, help_text=_("the one in force, such as v12"))
    read_at = models.DateTimeField(_("read"))

    class Meta:
        verbose_name = _("AWS managed policy")
        verbose_name_plural = _("AWS managed policies")
        indexes = [
            # Turning a name into an ARN.
            models.Index(fields=["name"], name="aws_policy_by_name"),
        ]

    def __str__(self) -> str:
        return self.name
