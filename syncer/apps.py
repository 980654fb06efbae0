from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncerConfig(AppConfig):
    name = "syncer"
    verbose_name = _("Synchronisation")
    default_auto_field = "django.db.models.BigAutoField"
