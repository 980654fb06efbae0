"""The doctor's page: who may ask, what a task then stores, and what the page says of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from portal import tasks
from portal.doctor import records
from portal.doctor.reports import failed, passed, warned
from portal.views.doctor import build_groups
from syncer.models import Examination
from syncer.states import Reason
from tests import factories
from tests.portal.pages import get_html, get_text, make_client

pytestmark = pytest.mark.django_db

CHECKS = [
    passed("database", Reason("doctor_database", {"kind": "SQLite"})),
    passed("kintone.assignments.add", Reason("doctor_kintone_add_untried", {"app": "24"})),
    failed("kintone.assignments.edit", Reason("doctor_kintone_no_edit", {"app": "24"})),
    warned("kintone.users", Reason("doctor_users_missing")),
    passed("aws.iam:ListPolicies", Reason("doctor_aws_allowed", {"operation": "iam:ListPolicies"})),
    passed("aws.changes", Reason("doctor_aws_untried", {"operations": "sso:TagResource, sso:CreatePermissionSet"})),
]


@pytest.fixture
def admin() -> User:
    return factories.make_user("管理", is_staff=True)


@pytest.fixture
def client(admin: User) -> Client:
    return make_client(admin)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a worker was told; what it would find is CHECKS."""
    told: list[str] = []
    monkeypatch.setattr(records, "examine", lambda: CHECKS)
    monkeypatch.setattr(tasks.examine, "delay", lambda: told.append("examine"))
    return told


def make_examination(**values: Any) -> Examination:
    checks = [check.as_json() for check in CHECKS]
    given = {"status": "done", "checks": checks, "finished_at": timezone.now() - timedelta(minutes=5), **values}
    return Examination.objects.create(**given)


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_admins_may(method: str) -> None:
    member = make_client(factories.make_user("太郎"))
    assert getattr(member, method)("/doctor/").status_code == 403
    assert "/doctor/" not in get_html(member, "/")
    assert not Examination.objects.exists()


def test_button_starts_a_task_on_commit(
    client: Client, asked: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/doctor/").status_code == 302
    assert asked == ["examine"]
    assert Examination.objects.get().status == "queued"
    assert AuditEvent.objects.filter(action="doctor.request").count() == 1


def test_pressing_twice_examines_once(client: Client) -> None:
    client.post("/doctor/")
    client.post("/doctor/")
    assert Examination.objects.count() == 1


def test_task_stores_what_was_found_and_forgets_what_was_before(client: Client) -> None:
    make_examination()
    client.post("/doctor/")
    records.work_off()
    records.work_off()
    examination = Examination.objects.get()
    assert (examination.status, [check["name"] for check in examination.checks]) == (
        "done",
        [check.name for check in CHECKS],
    )
    assert examination.finished_at


def test_page_follows_an_examination_to_its_end(client: Client) -> None:
    examination = make_examination(status="running", checks=[], finished_at=None)
    html = get_html(client, "/doctor/")
    assert 'http-equiv="refresh"' in html
    assert "hx-get=" in html
    seen = f"{examination.pk}-running-0"
    headers = {"HX-Request": "true", "HX-Target": "examination"}
    assert client.get(f"/doctor/?seen={seen}", headers=headers).status_code == 204
    Examination.objects.update(status="done", finished_at=timezone.now())
    part = client.get(f"/doctor/?seen={seen}", headers=headers).content.decode()
    assert 'id="examination"' in part
    assert "hx-get=" not in part


def test_page_shows_the_last_result_with_its_age(client: Client) -> None:
    make_examination()
    text = get_text(client, "/doctor/")
    assert "5 minutes ago" in text
    assert "1 thing does not work." in text
    assert "The token of app 24 may not edit records." in text
    assert "Update App" in text  # the way out
    assert "not tried: Not tried, because it would add a record" in text
    assert "AWS answers 1 reading operation" in text
    assert "they would change something: 2 operations sso:TagResource" in text


def test_nothing_stands_there_before_the_first(client: Client) -> None:
    assert "Nothing has been examined yet." in get_text(client, "/doctor/")


def test_what_nobody_carries_out_is_told_and_can_be_asked_again(client: Client) -> None:
    long_ago = timezone.now() - timedelta(minutes=3)
    make_examination(status="queued", checks=[], finished_at=None, requested_at=long_ago)
    html = get_html(client, "/doctor/")
    assert "Is a worker running" in html
    assert "hx-get=" not in html
    client.post("/doctor/")
    assert list(Examination.objects.order_by("pk").values_list("status", flat=True)) == ["lost", "queued"]


def test_what_is_wrong_stands_first_under_its_heading() -> None:
    groups = build_groups([check.as_json() for check in CHECKS])
    assert [(group.title, [line.name for line in group.lines], group.allowed) for group in groups] == [
        ("ポータル", ["database"], []),
        ("kintone: 割当", ["kintone.assignments.edit", "kintone.assignments.add"], []),
        ("kintone", ["kintone.users"], []),
        ("AWS", [], ["iam:ListPolicies"]),
    ]
