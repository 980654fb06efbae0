"""Shortcuts that are kept: a place in the console under a name and an address that stays, and what each person uses."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.only_row import OnlyRow
from accounts.models.organization import Account
from accounts.models.people import User
from accounts.shortcuts import Destination


class Shortcut(models.Model):
    """One account, one place in its console, and the sets that one may come with: none named means any."""

    class Audience(models.TextChoices):
        PRIVATE = "private", _("only me")
        TEAM = "team", _("the owners of the account")
        COMPANY = "company", _("everybody")

    class Choosing(models.TextChoices):
        """Where the visitor has several of the sets."""

        LEAST = "least", _("take the least powerful")
        ASK = "ask", _("ask")

    slug = models.SlugField(
        _("address"), max_length=60, unique=True, help_text=_("Lower-case letters, digits and dashes: /go/…/")
    )
    name = models.CharField(_("name"), max_length=80)
    note = models.TextField(_("note"), max_length=1000, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    icon = models.CharField(_("icon"), max_length=30, default="arrow-up-right")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shortcuts", verbose_name=_("author")
    )
    audience = models.CharField(_("for whom"), max_length=7, choices=Audience.choices, default=Audience.PRIVATE)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="shortcuts", verbose_name=_("AWS account")
    )
    permission_sets = models.JSONField(_("permission sets"), default=list, blank=True)
    choosing = models.CharField(_("of several sets"), max_length=5, choices=Choosing.choices, default=Choosing.LEAST)
    destination = models.JSONField(_("destination"), default=dict, blank=True)
    uses = models.PositiveIntegerField(_("used"), default=0)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    problem = models.JSONField(default=dict, blank=True, help_text="code and parameters: what the weekly check found")

    class Meta:
        verbose_name = _("shortcut")
        verbose_name_plural = _("shortcuts")
        indexes = [
            # One's own; those of an account; what everybody may use.
            models.Index(fields=["author", "name"], name="shortcut_of_author"),
            models.Index(fields=["audience", "name"], name="shortcut_by_audience"),
        ]

    def __str__(self) -> str:
        return self.name

    def read_destination(self) -> Destination:
        return Destination.from_json(self.destination)

    def as_json(self) -> dict[str, Any]:
        """What the trail keeps of it."""
        return {
            "name": self.name, "slug": self.slug, "account": self.account.account_id, "audience": self.audience,
            "permission_sets": self.permission_sets, "destination": self.destination,
        }  # fmt: skip


class ShortcutSlug(models.Model):
    """Every address that a shortcut has ever had: links in runbooks outlive names."""

    slug = models.SlugField(max_length=60, unique=True)
    shortcut = models.ForeignKey(Shortcut, on_delete=models.CASCADE, related_name="slugs")

    def __str__(self) -> str:
        return self.slug


class Visit(models.Model):
    """How often somebody has gone to a place: an account with a set, or a shortcut. What is pinned stands first."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="visits")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="visits")
    permission_set = models.CharField(max_length=32, blank=True)
    shortcut = models.ForeignKey(Shortcut, on_delete=models.CASCADE, null=True, blank=True, related_name="visits")
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)
    is_pinned = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account", "permission_set"],
                condition=models.Q(shortcut__isnull=True),
                name="visit_once_a_place",
            ),
            models.UniqueConstraint(
                fields=["user", "shortcut"], condition=models.Q(shortcut__isnull=False), name="visit_once_a_shortcut"
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=False) | models.Q(shortcut__isnull=False), name="visit_of_something"
            ),
        ]
        indexes = [
            # What is pinned and what was last, on one's home page.
            models.Index(fields=["user", "-is_pinned", "-last_at"], name="visit_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.shortcut_id or self.account_id} {self.permission_set}"


class ShortcutSettings(OnlyRow):
    """Whether one is stopped for a moment before a shortcut enters production with write rights."""

    warns_of_production = models.BooleanField(
        _("warn before production is entered with rights to change it"),
        default=True,
        help_text=_("One more click on shortcuts that lead there."),
    )

    class Meta:
        verbose_name = _("settings of shortcuts")
        verbose_name_plural = _("settings of shortcuts")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="shortcut_settings_one")]
