"""The schedule in the admin site: django-celery-beat's rows, with our audit trail."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from accounts.models import AuditEvent, User

pytestmark = pytest.mark.django_db

TASKS = "admin:django_celery_beat_periodictask_changelist"


@pytest.fixture
def admin_client() -> Client:
    user = User.objects.create(
        username="oid", entra_tid="tid", entra_oid="oid", is_staff=True, password=make_password(None)
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def task() -> PeriodicTask:
    return PeriodicTask.objects.get(name="Full run")


def act(client: Client, action: str, *tasks: PeriodicTask) -> Any:
    return client.post(reverse(TASKS), {"action": action, "_selected_action": [task.pk for task in tasks]})


def edit(client: Client, task: PeriodicTask, **values: Any) -> Any:
    names = ("name", "task", "description", "enabled", "interval_id", "args", "kwargs", "headers", "expire_seconds")
    unchanged = {name.removesuffix("_id"): getattr(task, name) for name in names}
    return client.post(reverse("admin:django_celery_beat_periodictask_change", args=[task.pk]), {**unchanged, **values})


def test_another_interval_is_audited(admin_client: Client, task: PeriodicTask) -> None:
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    before = task.interval_id
    edit(admin_client, task, interval=hourly.pk)
    task.refresh_from_db()
    event = AuditEvent.objects.latest("pk")
    assert task.interval == hourly
    assert (event.before, event.after) == ({"interval": before}, {"interval": hourly.pk})


def test_arguments_that_are_no_json_are_refused(admin_client: Client, task: PeriodicTask) -> None:
    response = edit(admin_client, task, kwargs="{")
    assert "kwargs" in response.context["adminform"].form.errors


def test_task_is_disabled_and_enabled_with_a_trace(admin_client: Client, task: PeriodicTask) -> None:
    act(admin_client, "disable_tasks", task)
    assert not PeriodicTask.objects.get(pk=task.pk).enabled
    act(admin_client, "enable_tasks", task)
    assert PeriodicTask.objects.get(pk=task.pk).enabled
    afters = AuditEvent.objects.order_by("pk").values_list("object_name", "after")
    assert [(name.split(":")[0], after) for name, after in afters] == [
        ("Full run", {"enabled": False}),
        ("Full run", {"enabled": True}),
    ]


def test_running_beat_learns_of_the_switch(admin_client: Client, task: PeriodicTask) -> None:
    before = PeriodicTasks.last_change()
    act(admin_client, "disable_tasks", task)
    assert PeriodicTasks.last_change() > before


def test_no_request_waits_for_the_broker(admin_client: Client) -> None:
    page = admin_client.get(reverse(TASKS))
    actions = {value for value, _label in page.context["action_form"].fields["action"].choices}
    assert actions == {"", "delete_selected", "enable_tasks", "disable_tasks"}


def test_schedule_in_use_is_not_deleted(admin_client: Client, task: PeriodicTask) -> None:
    address = reverse("admin:django_celery_beat_intervalschedule_delete", args=[task.interval_id])
    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    assert PeriodicTask.objects.filter(pk=task.pk).exists()


def test_unused_schedule_is_deleted_with_a_trace(admin_client: Client) -> None:
    unused = IntervalSchedule.objects.create(every=7, period="days")
    admin_client.post(reverse("admin:django_celery_beat_intervalschedule_delete", args=[unused.pk]), {"post": "yes"})
    assert AuditEvent.objects.latest("pk").before == {"every": 7, "period": "days"}


def test_page_of_a_schedule_takes_the_same_queries_for_more_tasks(
    admin_client: Client, task: PeriodicTask, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        PeriodicTask.objects.create(name=f"task {number}", task=task.task, interval=task.interval)
    address = reverse("admin:django_celery_beat_intervalschedule_change", args=[task.interval_id])
    # session, user, schedule, its tasks, whether it may be deleted
    with django_assert_num_queries(5):
        assert admin_client.get(address).status_code == 200
