"""The portal as a Django app."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

from portal import celery
from portal.checks import check_sign_in
from portal.metrics.measuring import watch_database


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        register(check_sign_in, Tags.security, deploy=True)
        watch_database()
        # In every process, commands too: a task that another application sends lands where no worker looks.
        celery.app.set_default()
