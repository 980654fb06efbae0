"""Which queue a task waits in, and that whoever sends one sends it there."""

import subprocess
import sys

import pytest
from django.conf import settings

from portal.celery import app

ASK = """
import django
django.setup()
from syncer.tasks import run_full
route = run_full.app.amqp.router.route({}, run_full.name)
print(run_full.app.main, route["queue"].name)
"""


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("syncer.tasks.run_full", "runs"),
        ("syncer.tasks.work_off_queue", "runs"),
        ("syncer.tasks.sweep", "runs"),
        ("syncer.tasks.export_terraform", "runs"),
        ("syncer.tasks.write_drafts", "saves"),
        ("syncer.tasks.work_off_targeted", "saves"),
        ("syncer.tasks.send_notices", "notices"),
        ("syncer.tasks.post_comments", "notices"),
    ],
)
def test_long_runs_delay_neither_saves_nor_notices(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue


def test_settings_name_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    assert settings.CELERY_TASK_ROUTES.keys() - app.tasks.keys() == set()
    assert {queue.name for queue in app.amqp.queues.values()} == {"runs", "saves", "notices"}


def test_command_sends_tasks_to_where_workers_look() -> None:
    """It has never heard of a page, whose modules would bring the application along."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert asked.stdout.split() == ["genkan", "runs"]
