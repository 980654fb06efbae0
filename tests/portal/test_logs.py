"""How a line of the log looks, what it says it belongs to, and what it never holds."""

import json
import logging
import logging.config
import os
import runpy
import sys
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app.trace import trace_task
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from gunicorn.config import Config

from accounts.tracing import TracedPool, current_ids, working_on
from portal import environment
from portal.celery import app
from portal.logs import JsonLines, Mask, TextLines
from portal.middleware import RequestIdMiddleware
from portal.server_log import ServerLog

FORMATS = pytest.mark.parametrize("form", [TextLines, JsonLines])
Form = Callable[..., logging.Formatter]
SECRET = "mask-me-4c1f9f0e7a"
ADDRESSES = {
    "DATABASE_URL": "postgres://genkan:{}@db.example.com:5432/genkan",
    "CELERY_BROKER_URL": "redis://:{}@redis.example.com:6379/0",
    "CACHE_URL": "rediss://:{}@redis.example.com:6379/1",
    "EMAIL_URL": "smtp+tls://genkan:{}@smtp.example.com:587",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/{}",
    "SECRET_KEY_FALLBACKS": "older-key-of-signing,{}",
    "ENTRA_CLIENT_KEY": "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----",
}


def write(formatter: logging.Formatter, message: str, *arguments: object, **extra: object) -> str:
    record = logging.LogRecord("syncer.runs", logging.INFO, "", 0, message, arguments, None)
    record.__dict__.update(extra)
    return formatter.format(record)


# --- Form -------------------------------------------------------------------------------------------------------------


def test_json_line_says_what_it_belongs_to() -> None:
    with working_on(request_id="r-1", run_id=12, draft_id=None):
        line = json.loads(write(JsonLines(), "run: %s begins", 12))
    time = line.pop("time")
    assert line == {
        "level": "INFO", "logger": "syncer.runs", "message": "run: 12 begins", "request_id": "r-1", "run_id": "12",
    }  # fmt: skip
    assert time.endswith("Z")


def test_text_line_ends_with_what_it_belongs_to() -> None:
    with working_on(run_id=12):
        assert write(TextLines(), "run: begins").endswith("syncer.runs run: begins [run_id=12]")
    assert write(TextLines(), "run: begins").endswith("syncer.runs run: begins")


def test_json_of_an_error_is_one_line_with_its_traceback() -> None:
    try:
        raise ValueError("twice")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "ValueError: twice" in json.loads(text)["traceback"]


def test_everything_goes_to_standard_error() -> None:
    logging_settings: Any = settings.LOGGING
    assert list(logging_settings["handlers"]) == ["stderr"]
    assert logging_settings["handlers"]["stderr"]["class"] == "logging.StreamHandler"  # sys.stderr is its default
    assert logging_settings["loggers"]["django.server"]["handlers"] == ["stderr"]


# --- Secrets ----------------------------------------------------------------------------------------------------------


@FORMATS
@pytest.mark.parametrize("name", sorted(environment.SECRETS | {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}))
def test_no_secret_setting_is_ever_in_a_line(name: str, form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    value = ADDRESSES.get(name, "{}").format(SECRET)
    monkeypatch.setattr(os, "environ", {name: value})
    formatter = form(secrets=environment.list_secrets())
    try:
        raise ConnectionError(f"cannot connect to {value}, {value!r}")
    except ConnectionError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "of %s: %s", ({"it": value}, value), sys.exc_info())
    record.__dict__.update(given=value, inside=[{value: (value,)}])
    assert SECRET not in formatter.format(record)


@FORMATS
def test_password_of_an_administrator_is_masked_as_it_is_sent(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"KINTONE_USERNAME": "admin-of-all", "KINTONE_PASSWORD": "pass/w%rd-long"})
    formatter = form(secrets=environment.list_secrets())
    for text in ("YWRtaW4tb2YtYWxsOnBhc3MvdyVyZC1sb25n", "pass%2Fw%25rd-long"):
        assert text not in write(formatter, text)


@FORMATS
@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ('"POST /webhooks/kintone/?token=s3cret-1&x=2 HTTP/1.1"', "token=***&x=2 HTTP/1.1"),
        ("/oidc/callback/?state=7&code=s3cret-1", "state=7&code=***"),
        ("{'Authorization': 'Bearer s3cret-1'}", "Bearer ***"),
    ],
)
def test_what_looks_like_a_secret_is_masked(message: str, kept: str, form: Form) -> None:
    line = write(form(), "%s", message)
    assert kept in line
    assert "s3cret" not in line


def test_line_without_secrets_stays_as_it_is() -> None:
    """A password that is a short word would else blot out that word everywhere."""
    assert Mask(["genkan", ""]).text("genkan: 3 records, Basic facts, 100%") == "genkan: 3 records, Basic facts, 100%"


def test_settings_give_their_secrets_to_both_forms() -> None:
    logging_settings: Any = settings.LOGGING
    for form in ("text", "json"):
        assert settings.SECRET_KEY in logging_settings["formatters"][form]["secrets"]


# --- Ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["7f3a9c52-req", "0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_id_that_a_proxy_gave_is_kept(given: str) -> None:
    assert Client().get("/healthz/live", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["short", "x" * 37, "../../etc/passwd", "<script>alert", "a b c d e f g", "id-\u4e00-123456"]
)
def test_id_that_is_none_is_replaced(given: str) -> None:
    request = RequestFactory().get("/", headers={"X-Request-ID": given})
    answered = RequestIdMiddleware(lambda _request: HttpResponse())(request)["X-Request-ID"]
    assert answered != given
    assert len(answered) == 36


def test_work_of_a_request_bears_its_id_and_no_other_does() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(current_ids()["request_id"])

    response = RequestIdMiddleware(answer)(RequestFactory().get("/"))
    assert response.content.decode() == response["X-Request-ID"]
    assert not current_ids()


def test_threads_of_a_pool_work_for_who_gave_them_work() -> None:
    with TracedPool(2) as pool:
        with working_on(run_id=1):
            first = pool.submit(current_ids)
        second = pool.submit(current_ids)
    assert (first.result(), second.result()) == ({"run_id": "1"}, {})


def test_task_bears_the_id_of_the_request_that_asked_for_it() -> None:
    seen: list[dict[str, str]] = []

    @app.task(name="tests.look")
    def look() -> None:
        seen.append(dict(current_ids()))

    with app.connection_for_write("memory://") as connection, working_on(request_id="of-the-request"):
        with app.amqp.Producer(connection) as producer:
            look.apply_async(producer=producer, task_id="t-1")
        message = connection.SimpleQueue("saves").get(timeout=1)
    trace_task(look, "t-1", (), {}, request=message.headers, app=app)  # as a worker does with what it took
    assert seen == [{"request_id": "of-the-request", "task": "tests.look", "task_id": "t-1"}]
    assert not current_ids()


# --- Requests ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def write_access(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """What is logged of a request for a path that was answered with a status."""
    monkeypatch.setattr(logging.config, "dictConfig", lambda _config: None)
    log, lines = ServerLog(Config()), list[str]()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    monkeypatch.setattr(log.access_log, "handlers", [Keep()])

    def write(path: str, status: str) -> str:
        answer = SimpleNamespace(status=status, sent=120, headers=[("X-Request-ID", "of-the-request")])
        request = SimpleNamespace(method="GET", path=path, query="token=s3cret-1")
        log.access(answer, request, {"REMOTE_ADDR": "10.0.0.9"}, timedelta(seconds=0.25))
        return "".join(lines)

    return write


def test_request_is_logged_with_its_id_and_without_its_query(write_access: Callable[[str, str], str]) -> None:
    line = write_access("/accounts/", "200 OK")
    assert "s3cret" not in line
    told = json.loads(line)
    assert told["message"] == "GET /accounts/ 200 in 0.25 s"
    assert told["request_id"] == "of-the-request"
    assert (told["path"], told["status"], told["bytes"], told["peer"]) == ("/accounts/", 200, 120, "10.0.0.9")


@pytest.mark.parametrize(("status", "is_told"), [("200 OK", False), ("503 Service Unavailable", True)])
def test_probes_are_told_only_when_they_failed(
    write_access: Callable[[str, str], str], status: str, is_told: bool
) -> None:
    assert bool(write_access("/healthz/ready", status)) == is_told


def test_gunicorn_logs_as_the_portal_does() -> None:
    assert runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))["logger_class"] == "portal.server_log.ServerLog"
