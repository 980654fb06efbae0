"""How AWS CLI profiles are named and where they work: what a person likes, and what an account is called there."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.cli.naming import DEFAULT_PATTERN, LONGEST_PATTERN, is_pattern, to_ascii
from accounts.cli.rendering import is_region
from accounts.models.organization import Account


def check_pattern(text: str) -> None:
    """Raises ValidationError for what is no pattern of profile names."""
    if not is_pattern(text):
        raise ValidationError(
            _("Write {set}, and {account}, {id}, {stage} or {unit} beside it as you like, e.g. {account}-{set}.")
        )


def check_region(text: str) -> None:
    """Raises ValidationError for what does not look like a region."""
    if not is_region(text):
        raise ValidationError(_("That is no region. Regions look like ap-northeast-1."))


def check_short_name(text: str) -> None:
    """Raises ValidationError for what would be written otherwise in a profile's name."""
    if to_ascii(text) != text:
        raise ValidationError(_("Use A–Z a–z 0–9 and . _ - only, without a dash or a full stop at either end."))


class CliPreference(models.Model):
    """A person's own pattern of profile names, and the region of the work."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cli_preference")
    pattern = models.CharField(max_length=LONGEST_PATTERN, default=DEFAULT_PATTERN, validators=[check_pattern])
    is_kebab = models.BooleanField(default=False)
    region = models.CharField(max_length=32, blank=True, validators=[check_region])

    def __str__(self) -> str:
        return f"{self.user_id}: {self.pattern}"


class AccountCliDefaults(models.Model):
    """What an account is called in profile names, and its region, where its own name or the person's does not serve."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="cli_defaults", verbose_name=_("AWS account")
    )
    short_name = models.CharField(
        _("name in CLI profiles"),
        max_length=40,
        blank=True,
        validators=[check_short_name],
        help_text=_("For accounts whose names are Japanese, e.g. kessai-prod."),
    )
    region = models.CharField(
        _("region of CLI profiles"),
        max_length=32,
        blank=True,
        validators=[check_region],
        help_text=_("Goes before the region that a person chooses."),
    )

    class Meta:
        verbose_name = _("account in CLI profiles")
        verbose_name_plural = _("accounts in CLI profiles")

    def __str__(self) -> str:
        return f"{self.account}: {self.short_name} {self.region}".strip()
