"""Who did what, when: written once, never changed, never deleted.

The database refuses it, too: triggers of `accounts/migrations/` stop UPDATE, DELETE and TRUNCATE, whoever sends them.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Refuses every change in bulk."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError("audit events are append-only")

    def delete(self) -> Any:
        raise TypeError("audit events are append-only")


class AuditEvent(models.Model):
    """One act, with the actor as he was then: his row may be gone later."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    actor_oid = models.CharField(max_length=36, blank=True)
    actor_name = models.CharField(_("who"), max_length=1024, blank=True)
    action = models.CharField(_("action"), max_length=64)
    object_type = models.CharField(_("kind of object"), max_length=64, blank=True)
    object_id = models.CharField(max_length=200, blank=True)
    object_name = models.CharField(_("object"), max_length=400, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=64, blank=True)
    about_account = models.CharField(max_length=12, blank=True, help_text="the account it is about")
    about_principal = models.CharField(max_length=47, blank=True, help_text="the person or group: its principal id")
    about_record = models.CharField(max_length=41, blank=True, help_text="the record: APP:ID")
    request_id = models.CharField(max_length=36, blank=True)
    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            # The trail, newest first; and that of one object.
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_of_object"),
            # The trail narrowed down, newest first.
            models.Index(fields=["actor", "-at", "-id"], name="audit_of_actor"),
            models.Index(fields=["action", "-at", "-id"], name="audit_of_action"),
            models.Index(
                fields=["about_account", "-at", "-id"],
                condition=~models.Q(about_account=""),
                name="audit_of_account",
            ),
            models.Index(
                fields=["about_principal", "-at", "-id"],
                condition=~models.Q(about_principal=""),
                name="audit_of_principal",
            ),
            models.Index(
                fields=["about_record", "-at", "-id"],
                condition=~models.Q(about_record=""),
                name="audit_of_record",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError("audit events are append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("audit events are append-only")
