"""Who owns an account: what an admin entered or a claim brought; tags of Organizations stand beside the accounts."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.organization import Account, OrganizationalUnit
from accounts.models.people import Principal


class OwnerEntry(models.Model):
    """One owner of one account or of everything below one unit. A group's members own."""

    class How(models.TextChoices):
        ADMIN = "admin", _("by an admin")
        CLAIM = "claim", _("by claiming")

    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="owner_entries",
        verbose_name=_("account"),
    )
    ou = models.ForeignKey(
        OrganizationalUnit,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="owner_entries",
        verbose_name="OU",
    )
    principal = models.ForeignKey(
        Principal,
        # An entry that went with its principal would make the account free for whoever registers first.
        on_delete=models.PROTECT,
        related_name="owner_entries",
        limit_choices_to={"principal_id__isnull": False},
        verbose_name=_("person or group"),
    )
    how = models.CharField(_("how"), max_length=5, choices=How.choices, default=How.ADMIN)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("owner")
        verbose_name_plural = _("owners")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(account__isnull=False, ou__isnull=True)
                | models.Q(account__isnull=True, ou__isnull=False),
                name="owner_of_account_or_ou",
            ),
            models.UniqueConstraint(fields=["account", "principal"], name="owner_of_account_once"),
            models.UniqueConstraint(fields=["ou", "principal"], name="owner_of_ou_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account or self.ou} ← {self.principal}"
