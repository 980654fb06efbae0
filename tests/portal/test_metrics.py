"""/metrics: who may read it, what stands in it, and that it stays cheap."""

import tomllib
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import ResolverMatch
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families as parse_text
from pytest_django import Settings

from accounts.models import AppKind, Draft
from portal import VERSION
from portal.metrics import measuring
from portal.metrics.exposition import describe_sums
from portal.metrics.measuring import PageTimesMiddleware
from portal.views import health
from portal.views.health import NO_GROUND, Ground
from syncer.gateways.kintone_usage import find_day
from syncer.measured import hand_over
from syncer.measures import CALLS, COUNTS, PAGE_SECONDS, RUN_SECONDS, TIMES, Series, Sums
from syncer.models import AppState, Drift, KintoneUsage, Notice
from tests import factories

PROJECT = Path(__file__).resolve().parents[2]
Values = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def _ground(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is that of the test; its broker is not asked."""
    monkeypatch.setattr(health, "find_ground", lambda: Ground("ok", "ok"))
    monkeypatch.setattr(health, "BROKER", SimpleNamespace(put=lambda: None, ask=lambda: "ok"))


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> Sums:
    """What is counted while a test goes on."""
    own = Sums()
    monkeypatch.setattr(measuring, "SUMS", own)
    return own


def scrape(client: Client | None = None) -> dict[str, Values]:
    """Sample's name → the values of its labels, in the order of the alphabet → its value."""
    text = (client or Client()).get("/metrics").content.decode()
    found: dict[str, Values] = {}
    for family in parse_text(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.values()))] = sample.value
    return found


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_read_without_a_token(peer: str) -> None:
    response = Client(REMOTE_ADDR=peer).get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("peer", ["10.0.0.9", "192.168.1.2", "::ffff:10.0.0.9", "", "unix", "127.0.0.1, 10.0.0.9"])
def test_nobody_else_may(peer: str) -> None:
    assert Client(REMOTE_ADDR=peer).get("/metrics").status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via"])
def test_proxy_on_this_machine_lets_nobody_in(header: str) -> None:
    """It is the other end of every connection."""
    assert Client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


def test_header_makes_nobody_local() -> None:
    answer = Client(REMOTE_ADDR="10.0.0.9").get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 404


@pytest.mark.django_db
def test_token_lets_in_from_anywhere(settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-token-of-prometheus"
    client = Client(REMOTE_ADDR="10.0.0.9")
    assert client.get("/metrics", headers={"Authorization": "Bearer a-token-of-prometheus"}).status_code == 200


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic a-token", "a-token", "Bearer ä"])
def test_where_a_token_is_set_this_machine_needs_it_too(given: str, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-token"
    assert Client().get("/metrics", headers={"Authorization": given}).status_code == 403


def test_only_reading_is_answered() -> None:
    assert Client().post("/metrics").status_code == 405


@pytest.mark.django_db
def test_prometheus_may_ask_for_openmetrics() -> None:
    accept = "application/openmetrics-text;version=1.0.0"
    response = Client().get("/metrics", headers={"Accept": accept})
    assert response["Content-Type"].startswith("application/openmetrics-text")
    assert response.content.endswith(b"# EOF\n")


# --- How things stand -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_assignments_are_told_by_state_and_every_state_is_there() -> None:
    factories.make_assignment(factories.make_user(), state="granted")
    factories.make_assignment(factories.make_user(), state="failed")
    factories.make_assignment(factories.make_user(), state="failed")
    told = scrape()["genkan_assignments"]
    assert (told["granted",], told["failed",], told["waiting",]) == (1, 2, 0)
    assert len(told) == 11


@pytest.mark.django_db
def test_runs_are_told_by_what_they_wait_for() -> None:
    ended = timezone.now() - timedelta(minutes=7)
    factories.make_run(kind="full", status="done", finished_at=ended, requested_at=ended)
    factories.make_run(kind="full", status="failed", finished_at=timezone.now(), requested_at=timezone.now())
    factories.make_run(
        kind="full", status="queued", requested_at=timezone.now() - timedelta(seconds=90), finished_at=None
    )
    factories.make_run(
        kind="record", status="running", started_at=timezone.now() - timedelta(seconds=20), finished_at=None
    )
    told = scrape()
    assert told["genkan_last_good_run_timestamp_seconds"] == {("full",): pytest.approx(ended.timestamp(), abs=0.01)}
    assert told["genkan_runs_under_way"]["full", "queued"] == 1
    assert told["genkan_runs_under_way"]["record", "running"] == 1
    assert told["genkan_runs_under_way"]["full", "running"] == 0
    assert told["genkan_queued_run_age_seconds"][()] == pytest.approx(90, abs=30)
    assert told["genkan_running_run_age_seconds"][()] == pytest.approx(20, abs=19)


@pytest.mark.django_db
def test_held_removals_are_those_of_the_last_full_run() -> None:
    old = factories.make_run(status="held", checksum="0123456789ab", requested_at=timezone.now() - timedelta(hours=1))
    factories.make_change(old, kind="delete", outcome="held")
    run = factories.make_run(status="held", checksum="0123456789ab", requested_at=timezone.now())
    factories.make_change(run, kind="delete", outcome="held")
    factories.make_change(run, kind="delete", outcome="held")
    factories.make_change(run, kind="create", outcome="succeeded")
    assert scrape()["genkan_held_removals"][()] == 2
    factories.make_run(status="done", checksum="", requested_at=timezone.now() + timedelta(seconds=1))
    assert scrape()["genkan_held_removals"][()] == 0


@pytest.mark.django_db
def test_what_waits_is_told_with_its_age() -> None:
    since = timezone.now() - timedelta(hours=2)
    author = factories.make_user()
    for state in ("waiting", "conflict", "written"):
        Draft.objects.create(
            kind=AppKind.ASSIGNMENT, author=author, request_key=state, values={}, state=state, created_at=since
        )
    Notice.objects.create(kind="failed", key="a", code="x", created_at=since)
    Notice.objects.create(kind="failed", key="b", code="x", sent_at=timezone.now())
    Drift.objects.create(kind="added", permission_set_name="Reader", account_id="111122223333", principal_id="u")
    told = scrape()
    assert (told["genkan_drafts"]["waiting",], told["genkan_drafts"]["conflict",]) == (1, 1)
    assert told["genkan_draft_age_seconds"][()] == pytest.approx(7200, abs=60)
    assert told["genkan_outbox"] == {("notices",): 1, ("comments",): 0, ("github",): 0, ("letters",): 0}
    assert told["genkan_outbox_age_seconds"]["notices",] == pytest.approx(7200, abs=60)
    assert told["genkan_outbox_age_seconds"]["comments",] == 0
    assert told["genkan_drift"] == {("added",): 1, ("removed",): 0, ("changed",): 0}


@pytest.mark.django_db
def test_kintone_is_told_by_app() -> None:
    today = find_day(timezone.now())
    AppState.objects.create(kind=AppKind.ASSIGNMENT, app_id="24", read_at=timezone.now())
    AppState.objects.create(kind=AppKind.PERMISSION_SET, app_id="23", error={"code": "kintone_denied"})
    KintoneUsage.objects.create(app_id="24", hour=today, requests=120)
    KintoneUsage.objects.create(app_id="24", hour=today - timedelta(hours=1), requests=999)
    told = scrape()
    assert told["genkan_kintone_requests_today"] == {("23",): 0, ("24",): 120}
    assert told["genkan_kintone_daily_quota"]["24",] == 10_000
    assert told["genkan_kintone_app_failing"] == {("assignment",): 0, ("permission_set",): 1}
    assert list(told["genkan_kintone_read_timestamp_seconds"]) == [("assignment",)]


@pytest.mark.django_db
def test_scrape_is_as_cheap_for_many_as_for_few() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            scrape()
        return len(asked)

    few = count()
    for _number in range(3):
        factories.make_assignment(factories.make_user())
        factories.make_change(factories.make_run(status="held", checksum="0123456789ab"), kind="delete", outcome="held")
    assert few <= 18
    assert count() <= few + 1  # the changes of a run that holds something


def test_without_its_database_it_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "find_ground", lambda: NO_GROUND)
    told = scrape()
    assert told["genkan_database_up"][()] == 0
    assert told["genkan_broker_up"][()] == 1
    assert "genkan_assignments" not in told


@pytest.mark.django_db
def test_version_is_that_of_the_project() -> None:
    assert (VERSION, "apply") in scrape()["genkan_info"]
    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"] == VERSION


# --- What was counted -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_a_worker_counted_is_told_by_the_web_server() -> None:
    worker = Sums()
    worker.add(CALLS, ("sso-admin", "ListInstances", "throttled"), 3)
    for seconds in (0.5, 40.0, 4000.0):
        worker.time(RUN_SECONDS, ("full", "done"), seconds)
    hand_over(worker)
    told = scrape()
    assert told["genkan_calls_total"]["ListInstances", "sso-admin", "throttled"] == 3
    buckets = told["genkan_run_seconds_bucket"]
    assert [buckets[bound, "done", "full"] for bound in ("1.0", "30.0", "60.0", "1800.0", "+Inf")] == [1, 1, 2, 2, 3]
    assert told["genkan_run_seconds_count"]["done", "full"] == 3
    assert told["genkan_run_seconds_sum"]["done", "full"] == pytest.approx(4040.5)


@pytest.mark.django_db
def test_every_measure_is_told_before_anything_was_counted() -> None:
    families = [family.name for family in parse_text(Client().get("/metrics").content.decode())]
    assert {measure.name for measure in (*COUNTS, *TIMES)} <= set(families)


def test_what_another_version_counted_otherwise_is_left_out() -> None:
    sums = {Series(CALLS.name, ("sso-admin", "ok")): 1.0, Series(RUN_SECONDS.name, ("full", "1.0")): 1.0}
    assert not [sample for family in describe_sums(sums) for sample in family.samples]


def answer_with(status: int, route: str | None, method: str = "GET") -> None:
    request = RequestFactory().generic(method, "/accounts/123456789012/?q=secret")
    request.resolver_match = cast(ResolverMatch, SimpleNamespace(view_name=route)) if route else None
    PageTimesMiddleware(lambda _request: HttpResponse(status=status))(request)


@pytest.mark.parametrize(
    ("status", "route", "method", "labels"),
    [
        (200, "account_detail", "GET", ("account_detail", "GET", "2xx")),
        (404, "account_detail", "HEAD", ("account_detail", "HEAD", "4xx")),
        (404, None, "GET", ("none", "GET", "4xx")),
        (405, "account_detail", "PROPFIND", ("account_detail", "other", "4xx")),
    ],
)
def test_page_is_timed_by_route_never_by_path(
    sums: Sums, status: int, route: str | None, method: str, labels: tuple[str, ...]
) -> None:
    answer_with(status, route, method)
    assert {series.labels[:3] for series in sums.take() if series.name == PAGE_SECONDS.name} == {labels}


@pytest.mark.django_db
def test_each_request_of_the_portal_is_timed(sums: Sums) -> None:
    Client().get("/healthz/live")
    assert any(series.labels[0] == "live" for series in sums.take())


def test_task_is_timed_from_when_it_was_sent(sums: Sums) -> None:
    headers: dict[str, Any] = {}
    measuring.stamp(headers)
    sent = {"sent_at": headers["sent_at"] - 40, "delivery_info": {"routing_key": "runs"}}
    task: Any = SimpleNamespace(name="syncer.tasks.run_full", request=SimpleNamespace(**sent, get=sent.get))
    measuring.begin_task(task, "1")
    measuring.end_task(task, "1", "SUCCESS")
    taken = sums.take()
    assert taken[Series("genkan_task_wait_seconds", ("runs", "60.0"))] == 1
    assert taken[Series("genkan_task_seconds", ("syncer.tasks.run_full", "success", "1.0"))] == 1


@pytest.mark.django_db
def test_statement_that_the_database_fails_is_counted(sums: Sums) -> None:
    with pytest.raises(DatabaseError) as failed, connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    kind = "OperationalError" if connection.vendor == "sqlite" else "ProgrammingError"
    assert type(failed.value).__name__ == kind
    assert sums.take() == {Series("genkan_database_errors", ("statement", kind)): 1}


def test_request_that_finds_no_database_is_counted(sums: Sums) -> None:
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        measuring._note_request()
    assert sums.take() == {Series("genkan_database_errors", ("request", "OperationalError")): 1}
