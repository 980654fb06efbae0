"""Celery: `celery -A portal worker` and `celery -A portal beat`."""

import logging.config
import os
from contextlib import ExitStack
from typing import Any

from celery import Celery, Task
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from accounts.tracing import REQUEST, current_ids, working_on
from portal.metrics import measuring
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


@setup_logging.connect
def _log_as_the_portal_does(**_kwargs: Any) -> None:
    """Celery then sets up nothing of its own, and writes no second line for each."""
    logging.config.dictConfig(settings.LOGGING)
    logging.captureWarnings(capture=True)


# --- Whose work a task is ---------------------------------------------------------------------------------------------

_under_way: dict[str, ExitStack] = {}


@before_task_publish.connect
def _send_id_along(headers: dict[str, Any], **_kwargs: Any) -> None:
    """A task belongs to the request that asked for it."""
    headers[REQUEST] = current_ids().get(REQUEST, "")
    measuring.stamp(headers)


@task_prerun.connect
def _begin(task_id: str, task: "Task[..., Any]", **_kwargs: Any) -> None:
    stack = _under_way[task_id] = ExitStack()
    stack.enter_context(working_on(request_id=task.request.get(REQUEST), task=task.name, task_id=task_id))
    measuring.begin_task(task, task_id)


@task_postrun.connect
def _end(task_id: str, task: "Task[..., Any]", state: str | None = None, **_kwargs: Any) -> None:
    measuring.end_task(task, task_id, state)
    _under_way.pop(task_id, ExitStack()).close()


worker_process_init.connect(measuring.begin_process)
worker_ready.connect(measuring.begin_process)
worker_process_shutdown.connect(measuring.end_process)
worker_shutdown.connect(measuring.end_process)
