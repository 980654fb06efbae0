"""What single people are told, by Slack or mail: the outbox of letters, and who wants which."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from accounts.models.only_row import OnlyRow
from syncer.models.outbox import Outgoing


class Letter(Outgoing):
    """One thing that one person is told. All of a kind that are due for him go out together.

    `key` names what is told once only; it is empty for what can happen again. `ended_at`: nobody tells it any more.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("access that I receive or lose")
        EXPIRY = "expiry", _("access that ends soon")
        LEAVER = "leaver", _("people who left")
        SHORTCUT = "shortcut", _("shortcuts that lead nowhere")

    class Way(models.TextChoices):
        SLACK = "slack", "Slack"
        MAIL = "mail", _("mail")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="letters", verbose_name=_("person"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    code = models.CharField(max_length=64)
    params = models.JSONField(default=dict, blank=True)
    path = models.CharField(max_length=200, blank=True, help_text="the portal's page about it")
    key = models.CharField(max_length=200, blank=True)
    way = models.CharField(_("way"), max_length=5, choices=Way.choices, blank=True)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~models.Q(key=""), name="letter_once"),
        ]
        indexes = [
            # What the task that sends has to do.
            models.Index(
                fields=["retry_at", "id"],
                condition=models.Q(sent_at__isnull=True, ended_at__isnull=True),
                name="letter_unsent",
            ),
            # What one was told, newest first.
            models.Index(fields=["person", "-id"], name="letter_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.person_id}"


class LetterSettings(OnlyRow):
    """Whether and how people are told. As it comes, nobody is told anything."""

    class Way(models.TextChoices):
        NOBODY = "", _("not at all")
        MAIL = "mail", _("in a mail")
        SLACK = "slack", _("in Slack, by mail where Slack does not know them")

    people = models.CharField(
        _("who receives or loses access"),
        max_length=5,
        choices=Way.choices,
        blank=True,
        help_text=_("Each person is told what he received or lost, by whom and why. Each can mute it."),
    )
    owners = models.CharField(
        _("who owns accounts or records"),
        max_length=5,
        choices=Way.choices,
        blank=True,
        help_text=_(
            "Owners are told a week and a day before access ends, when access ended because somebody left, and which "
            "of their shortcuts lead nowhere."
        ),
    )

    class Meta:
        verbose_name = _("settings of letters")
        verbose_name_plural = _("settings of letters")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="letter_settings_one")]

    def find_way(self, kind: str) -> str:
        """How letters of this kind go out; empty where they do not."""
        return self.people if kind == Letter.Kind.ACCESS else self.owners


class LetterChoice(models.Model):
    """What one person wants to be told. Who has chosen nothing is told everything that the company sends."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="letter_choice", verbose_name=_("person")
    )
    access = models.BooleanField(Letter.Kind.ACCESS.label, default=True)
    expiry = models.BooleanField(Letter.Kind.EXPIRY.label, default=True)
    leaver = models.BooleanField(Letter.Kind.LEAVER.label, default=True)
    shortcut = models.BooleanField(Letter.Kind.SHORTCUT.label, default=True)

    class Meta:
        verbose_name = _("choice of letters")
        verbose_name_plural = _("choices of letters")

    def __str__(self) -> str:
        return str(self.user)

    def wants(self, kind: str) -> bool:
        return bool(getattr(self, kind))

    def as_json(self) -> dict[str, bool]:
        """What the trail keeps of it."""
        return {kind.value: self.wants(kind) for kind in Letter.Kind}
