"""Rules that take the place of an approval: decided at once, in the form and again in the planner."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.organization import Stage


class Guardrail(models.Model):
    """One rule. Every scope and condition left empty matches everything; the strictest rule that matches wins."""

    class Power(models.TextChoices):
        """What a permission set may do, judged by its policies."""

        ADMIN = "admin", _("administrator rights")
        WRITE = "write", _("may change something")
        BILLING = "billing", _("billing")

    class Effect(models.TextChoices):
        """From the strictest to the mildest."""

        REFUSE = "refuse", _("nobody: refused with the sentence")
        OWNERS_ONLY = "owners_only", _("for owners of the account only")
        GROUPS_ONLY = "groups_only", _("for groups only")
        ROLES_ONLY = "roles_only", _("registered by these people and groups only")
        EXPIRES_WITHIN = "expires_within", _("with a last day within so many days")
        KEEP = "keep", _("emergency access: never removed by a rule, a vanished record or drift")

    class Existing(models.TextChoices):
        KEEP = "keep", _("keep and list")
        END = "end", _("end on a date")

    name = models.CharField(_("name"), max_length=100, unique=True)
    sentence = models.CharField(
        _("sentence"), max_length=400, help_text=_("What people read whom the rule stops: why, and what to do.")
    )
    ou_id = models.CharField(_("OU id"), max_length=68, blank=True, help_text=_("The unit and everything below."))
    account_id = models.CharField(_("account id"), max_length=12, blank=True)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices, blank=True)
    tag = models.CharField(_("tag of the account"), max_length=385, blank=True, help_text="name=value")
    permission_set_name = models.CharField(_("permission set"), max_length=32, blank=True)
    power = models.CharField(_("the set grants"), max_length=7, choices=Power.choices, blank=True)
    principal_type = models.CharField(
        _("kind of principal"), max_length=5, choices=[("USER", _("user")), ("GROUP", _("group"))], blank=True
    )
    is_owner = models.BooleanField(
        _("is an owner of the account"), null=True, blank=True, help_text=_("Empty: owners and others.")
    )
    effect = models.CharField(_("effect"), max_length=14, choices=Effect.choices)
    days = models.PositiveIntegerField(_("days"), null=True, blank=True, help_text=_("For a last day: at most."))
    roles = models.TextField(
        _("who may register"), blank=True, help_text=_("UserNames and GroupIds, separated by blanks.")
    )
    existing = models.CharField(_("access that exists"), max_length=4, choices=Existing.choices, default=Existing.KEEP)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False,
        verbose_name=_("written by"),
    )  # fmt: skip
    changed_at = models.DateTimeField(_("changed"), null=True, blank=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False,
        verbose_name=_("changed by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("guardrail")
        verbose_name_plural = _("guardrails")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(effect="expires_within") | models.Q(days__isnull=False), name="guardrail_days"
            ),
            models.CheckConstraint(
                condition=~models.Q(existing="end") | models.Q(ends_on__isnull=False), name="guardrail_end"
            ),
        ]

    def __str__(self) -> str:
        return self.name
