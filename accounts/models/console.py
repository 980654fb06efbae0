"""What an admin adds to the catalogue of console places, and the regions that the company works in."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.cli import check_region


class ConsoleService(models.Model):
    """A place of the console that shortcuts lead to; one with the short name of a bundled place replaces it."""

    class Place(models.TextChoices):
        REGIONAL = "regional", _("the region that was chosen")
        HOME = "home", _("the first region of all (services without regions)")
        BARE = "bare", _("no region at all")

    slug = models.CharField(
        _("short name"),
        max_length=64,
        unique=True,
        help_text=_("Such as ecs-cluster. That of a place that comes with Genkan changes that one."),
    )
    service = models.CharField(_("service"), max_length=64, help_text=_("AWS's own name, such as CloudWatch."))
    name_ja = models.CharField(_("name in Japanese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    aliases = models.TextField(
        _("other names"), blank=True, help_text=_("What people call it when they search, one a line.")
    )
    place = models.CharField(_("where its address is"), max_length=8, choices=Place.choices, default=Place.REGIONAL)
    template = models.CharField(
        _("template"),
        max_length=1000,
        help_text=_("The path after the console's host, with gaps such as {region}, {account_id} or {cw:log_group}."),
    )
    also = models.TextField(
        _("other addresses"),
        blank=True,
        help_text=_("Templates of the same place that are only recognised, one a line."),
    )
    parameters = models.JSONField(
        _("parameters"),
        default=list,
        blank=True,
        help_text=_(
            'A list such as [{"name": "table", "type": "name", "label": {"ja": "テーブル", "en": "Table"}, '
            '"example": "orders"}]; one that others share by its name alone, such as "log_group".'
        ),
    )
    is_hidden = models.BooleanField(
        _("not offered"), default=False, help_text=_("Shortcuts that were kept with it go on working.")
    )

    class Meta:
        verbose_name = _("place of the console")
        verbose_name_plural = _("places of the console")
        ordering = ["slug"]

    def __str__(self) -> str:
        return f"{self.service} · {self.name_en}"

    @property
    def written(self) -> dict[str, Any]:
        """As the catalogue reads it."""
        return {
            "slug": self.slug,
            "service": self.service,
            "name": {"ja": self.name_ja, "en": self.name_en},
            "aliases": self.aliases.splitlines(),
            "place": self.place,
            "template": self.template,
            "also": [line.strip() for line in self.also.splitlines() if line.strip()],
            "parameters": self.parameters,
            "is_hidden": self.is_hidden,
        }


class FavouriteRegion(models.Model):
    """A region that stands first where people choose one."""

    code = models.CharField(_("region"), max_length=32, unique=True, validators=[check_region])
    position = models.PositiveSmallIntegerField(_("position"), default=1, help_text=_("The smallest stands first."))

    class Meta:
        verbose_name = _("favourite region")
        verbose_name_plural = _("favourite regions")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.code
