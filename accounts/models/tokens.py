"""Personal access tokens: what a person's own scripts sign in with at the API."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AccessToken(models.Model):
    """One token. Only its digest is kept: whoever reads the database cannot use it."""

    class Scope(models.TextChoices):
        """Each may what the one before may."""

        CLI = "cli", _("one's own AWS CLI settings")
        READ = "read", _("read what one sees here")
        WRITE = "write", _("read, register and withdraw")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(_("scope"), max_length=5, choices=Scope.choices, default=Scope.READ)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the token, in hex")
    hint = models.CharField(_("begins with"), max_length=12, help_text=_("To know it again by."))
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("ends"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        indexes = [
            # One's own page.
            models.Index(fields=["user", "-created_at"], name="access_token_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def is_over(self) -> bool:
        return self.revoked_at is not None or self.expires_at <= timezone.now()

    def may(self, scope: str) -> bool:
        """Whether it is good for what needs this scope."""
        order = self.Scope.values
        return order.index(self.scope) >= order.index(scope)
