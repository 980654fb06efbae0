"""Where access leads: the organization, its units, its accounts and their stages, and the Identity Center instance."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.choices import Choosing
from accounts.models.searching import Searchable, SearchKeyField


class Stage(models.TextChoices):
    """How dangerous an account is to touch. `other` is treated like production by every rule about stages."""

    PRODUCTION = "production", _("production")
    STAGING = "staging", _("staging")
    SANDBOX = "sandbox", _("sandbox")
    OTHER = "other", _("other")


class StageRule(models.Model):
    """A whole OU name that gives the accounts below it a stage; the nearest OU wins."""

    ou_name = models.CharField(_("OU name"), max_length=128, unique=True, help_text=_("Case and width do not matter."))
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices)

    class Meta:
        verbose_name = _("stage rule")
        verbose_name_plural = _("stage rules")
        ordering = ["ou_name"]

    def __str__(self) -> str:
        return f"{self.ou_name} → {self.get_stage_display()}"


class OrganizationalUnit(Searchable):
    """An organizational unit, or the root (which has no parent)."""

    ou_id = models.CharField(_("OU id"), max_length=68, unique=True)
    name = models.CharField(_("name"), max_length=128)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    path = models.CharField(_("path"), max_length=800, help_text=_("Names from below the root, joined by “/”."))
    owners_tag = models.CharField(
        _("owners by tag"), max_length=256, blank=True, help_text=_("UserNames and GroupIds, separated by blanks.")
    )
    tags_read_at = models.DateTimeField(null=True, blank=True)
    search_key = SearchKeyField(of=("path", "ou_id"))

    class Meta:
        verbose_name = _("organizational unit")
        verbose_name_plural = _("organizational units")
        indexes = [
            # The tree, and everything below a path.
            models.Index(fields=["path"], name="ou_by_path"),
        ]

    def __str__(self) -> str:
        return self.path or self.name


class Account(Choosing, Searchable):
    """An AWS account of the organization. Its id is text: it may start with 0."""

    class State(models.TextChoices):
        """AWS's own words (organizations Account.State)."""

        PENDING_ACTIVATION = "PENDING_ACTIVATION", _("being created")
        ACTIVE = "ACTIVE", _("active")
        SUSPENDED = "SUSPENDED", _("suspended")
        PENDING_CLOSURE = "PENDING_CLOSURE", _("being closed")
        CLOSED = "CLOSED", _("closed")

    account_id = models.CharField(_("account id"), max_length=12, unique=True)
    name = models.CharField(_("name"), max_length=128)
    email = models.CharField(_("mail"), max_length=64, blank=True)
    ou = models.ForeignKey(
        OrganizationalUnit, null=True, blank=True, on_delete=models.SET_NULL, related_name="accounts", verbose_name="OU"
    )
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices, default=Stage.OTHER)
    state = models.CharField(_("state"), max_length=18, choices=State.choices, default=State.ACTIVE)
    is_management = models.BooleanField(_("management account"), default=False)
    owners_tag = models.CharField(
        _("owners by tag"), max_length=256, blank=True, help_text=_("UserNames and GroupIds, separated by blanks.")
    )
    tags = models.JSONField(_("tags"), default=dict, blank=True, help_text=_("As Organizations last gave them."))
    tags_read_at = models.DateTimeField(null=True, blank=True)
    placed_in = models.CharField(
        max_length=68, blank=True, editable=False, help_text="the unit it was in when it was last looked for moves"
    )
    place = models.JSONField(
        default=dict, blank=True, editable=False, help_text="what that unit made of it: ids of units above, path, stage"
    )
    gone_at = models.DateTimeField(_("left the organization"), null=True, blank=True)
    search_key = SearchKeyField(of=("name", "account_id"))

    class Meta:
        verbose_name = _("AWS account")
        verbose_name_plural = _("AWS accounts")
        indexes = [
            # The list of accounts, in order of name.
            models.Index(fields=["name", "account_id"], name="account_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE and self.gone_at is None

    @property
    def spaced_id(self) -> str:
        """The id as people read it: three groups of four."""
        return " ".join(self.account_id[start : start + 4] for start in (0, 4, 8))


class Instance(models.Model):
    """The Identity Center instance the portal serves: one row, as last read."""

    instance_arn = models.CharField(max_length=1224, unique=True)
    identity_store_id = models.CharField(max_length=64)
    region = models.CharField(max_length=32)
    management_account_id = models.CharField(max_length=12)
    portal_account_id = models.CharField(
        max_length=12, blank=True, help_text="whose credentials the portal uses: the delegated administrator account"
    )
    read_at = models.DateTimeField()
    principals_read_at = models.DateTimeField(
        null=True, blank=True, help_text="when all users and groups were last listed"
    )
    may_list_by_principal = models.BooleanField(
        null=True, help_text="whether ListAccountAssignmentsForPrincipal is allowed here; null: not tried yet"
    )
    tried_at = models.DateTimeField(null=True, blank=True, help_text="when that was tried last")

    class Meta:
        verbose_name = _("Identity Center instance")
        verbose_name_plural = _("Identity Center instances")

    def __str__(self) -> str:
        return self.instance_arn
