"""What a process counts, and how the sums of all processes meet in the database."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import pytest
from django.db import DatabaseError

from syncer import measured
from syncer.gateways import counting
from syncer.gateways.aws_session import AwsOptions, AwsSession
from syncer.gateways.errors import GatewayError, OutcomeUnknown, Throttled
from syncer.gateways.github import GitHubIssue
from syncer.gateways.kintone import KintoneApp
from syncer.gateways.pacing import Backoff
from syncer.gateways.slack import SlackWebhook
from syncer.measured import hand_over, load_sums
from syncer.measures import CALLS, PAGE_SECONDS, Series, Sums, Times
from syncer.states import Reason
from tests.services.processes import free_port

TIMES = Times("test_seconds", "", ("kind",), (0.1, 1.0))
ROOT = Path(__file__).resolve().parents[2]
FORK = """
import os
from syncer.measures import CALLS, SUMS
SUMS.add(CALLS, ("kintone", "GET records.json", "ok"))
child = os.fork()
if child:
    os.waitpid(child, 0)
print("parent" if child else "child", len(SUMS.take()), flush=True)
"""
ASKED = ("kintone", "GET records.json", "ok")


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> Sums:
    """Those of a process of our own."""
    own = Sums()
    monkeypatch.setattr(counting, "SUMS", own)
    return own


# --- In the process ---------------------------------------------------------------------------------------------------


def test_sums_are_taken_once(sums: Sums) -> None:
    sums.add(CALLS, ASKED)
    sums.add(CALLS, ASKED, 2)
    assert sums.take() == {Series("genkan_calls", ASKED): 3}
    assert not sums.take()


@pytest.mark.parametrize(("seconds", "bound"), [(0.0, "0.1"), (0.1, "0.1"), (0.11, "1.0"), (1.5, "+Inf")])
def test_time_falls_into_one_bucket(sums: Sums, seconds: float, bound: str) -> None:
    sums.time(TIMES, ("full",), seconds)
    assert sums.take() == {
        Series("test_seconds", ("full", bound)): 1, Series("test_seconds", ("full", "sum")): seconds,
    }  # fmt: skip


def test_clock_that_was_set_back_takes_nothing_away(sums: Sums) -> None:
    sums.time(TIMES, ("full",), -3)
    assert sums.take()[Series("test_seconds", ("full", "sum"))] == 0


def test_longest_labels_fit_their_column(sums: Sums) -> None:
    """JSON may write six characters for one."""
    sums.time(PAGE_SECONDS, ("あ" * 500, "POST", "2xx"), 0.1)
    assert all(len(label) <= 80 for series in sums.take() for label in series.labels)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (None, "ok"),
        (Throttled("x", Reason("aws_throttled")), "throttled"),
        (OutcomeUnknown("x", Reason("aws_outcome_unknown")), "outcome_unknown"),
        (KeyError("x"), "broken"),
    ],
)
def test_request_is_counted_by_what_came_of_it(sums: Sums, error: Exception | None, result: str) -> None:
    @counting.counted("sso-admin", "ListInstances")
    def ask() -> None:
        if error:
            raise error

    with pytest.raises(type(error)) if error else nullcontext():
        ask()
    taken = sums.take()
    assert taken[Series("genkan_calls", ("sso-admin", "ListInstances", result))] == 1
    assert taken[Series("genkan_call_seconds", ("sso-admin", "ListInstances"))] >= 0


def test_forked_process_begins_with_nothing() -> None:
    """Else what its parent counted would be handed over twice."""
    asked = subprocess.run([sys.executable, "-c", FORK], cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == ["child", "0", "parent", "1"]


def ask_aws(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ENDPOINT_URL", url), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "y")):
        monkeypatch.setenv(f"AWS_{name}", value)
    session = AwsSession(AwsOptions("ap-northeast-1", reads=Backoff(1, 0, 0)), sleep=lambda _seconds: None)
    with closing(session):
        session.read(session.clients.sso.list_instances)


def ask_kintone(url: str, _monkeypatch: pytest.MonkeyPatch) -> None:
    with KintoneApp(url, "24", ("token",), backoff=Backoff(1, 0, 0)) as app:
        app.fetch_fields()


def ask_slack(url: str, _monkeypatch: pytest.MonkeyPatch) -> None:
    SlackWebhook(f"{url}/services/T/B/X").post("hello")


def ask_github(url: str, _monkeypatch: pytest.MonkeyPatch) -> None:
    GitHubIssue(url, "token", "example/access#12").fetch_issue()


@pytest.mark.parametrize(
    ("ask", "service", "operation"),
    [
        (ask_aws, "sso-admin", "ListInstances"),
        (ask_kintone, "kintone", "GET app/form/fields.json"),
        (ask_slack, "slack", "webhook"),
        (ask_github, "github", "GET issue"),
    ],
)
def test_each_gateway_counts_under_a_name_without_ids(
    ask: Callable[[str, pytest.MonkeyPatch], None],
    service: str,
    operation: str,
    sums: Sums,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(GatewayError) as refused:
        ask(f"http://127.0.0.1:{free_port()}", monkeypatch)
    told = {series.labels for series in sums.take() if series.name == CALLS.name}
    assert told == {(service, operation, counting.name_result(refused.value))}


# --- In the database --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_sums_of_two_processes_are_added_up() -> None:
    for process in (Sums(), Sums()):
        process.add(CALLS, ASKED, 2)
        process.add(CALLS, ("kintone", "GET records.json", "no_answer"))
        hand_over(process)
    assert load_sums() == {
        Series("genkan_calls", ASKED): 4, Series("genkan_calls", ("kintone", "GET records.json", "no_answer")): 2,
    }  # fmt: skip


@pytest.mark.django_db
def test_many_series_are_few_statements(
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    process = Sums()
    for number in range(450):
        process.add(CALLS, ("kintone", f"operation {number}", "ok"))
    with django_assert_max_num_queries(5):
        hand_over(process)
    assert len(load_sums()) == 450


@pytest.mark.django_db
def test_sums_wait_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch, sums: Sums) -> None:
    sums.add(CALLS, ASKED)
    with monkeypatch.context() as patch:
        patch.setattr(measured, "_add", _fail)
        hand_over(sums)
    sums.add(CALLS, ASKED)
    hand_over(sums)
    assert load_sums() == {Series("genkan_calls", ASKED): 2}


def _fail(_rows: object) -> None:
    raise DatabaseError("away")
