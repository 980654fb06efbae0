"""Telling a worker of work that is committed. Its row is what counts: without a broker it waits, and nothing fails."""

import logging
from collections.abc import Callable
from functools import partial

from celery import current_app
from celery.exceptions import OperationalError
from kombu.exceptions import OperationalError as BrokerError

logger = logging.getLogger(__name__)


def start_task(name: str) -> None:
    """Start a task by its name: for modules that the task itself stands on."""
    try_to_start(name, partial(current_app.send_task, name))


def try_to_start(name: str, send: Callable[[], object]) -> None:
    try:
        send()
    except (OperationalError, BrokerError, OSError):
        logger.warning("tasks: the broker cannot be reached; %s does not start now", name, exc_info=True)
