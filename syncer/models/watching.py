"""What the watch cannot find out by itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SecretEnd(models.Model):
    """When a secret ends. Only whoever made it has seen the day, so an admin writes it down here, never the secret."""

    class Kind(models.TextChoices):
        ENTRA_SECRET = "entra_secret", _("client secret of Entra ID")
        SCIM_TOKEN = "scim_token", _("token by which Entra ID provisions Identity Center")
        AWS_KEY = "aws_key", _("access key of AWS")
        GITHUB_TOKEN = "github_token", _("token of GitHub")
        OTHER = "other", _("another secret")

    kind = models.CharField(_("what ends"), max_length=12, choices=Kind.choices)
    name = models.CharField(
        _("name"), max_length=80, blank=True, help_text=_("To tell it from others. Never the secret itself.")
    )
    ends_on = models.DateField(_("last day"), help_text=_("Slack is told 30 days, a week and a day before."))

    class Meta:
        verbose_name = _("end of a secret")
        verbose_name_plural = _("ends of secrets")
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="secret_end_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}".strip()
