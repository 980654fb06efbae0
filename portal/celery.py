"""Celery: `celery -A portal worker` and `celery -A portal beat`."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from syncer.required import require_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

TRANSPORT_ALIASES["filesystem"] = "portal.embedded_broker:Transport"

app = Celery("genkan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["syncer", "portal"])


@worker_init.connect
@beat_init.connect
def _require(**_kwargs: Any) -> None:
    require_settings("kintone", "aws")


def _make_queue_folders() -> None:
    """The embedded broker keeps its messages in folders and expects to find them."""
    options: dict[str, str] = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    for name in ("data_folder_in", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)


_make_queue_folders()
