"""What becomes of a comment: runs for those who may, a word for those who do not find the words."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent
from simulators.github import GitHubSimulator, User
from syncer import runs
from syncer.gateways.github import parse_comment
from syncer.github import intake
from syncer.models import Run, SyncRequest
from tests import factories
from tests.syncer.github.conftest import HANA

pytestmark = pytest.mark.django_db

Verdict = SyncRequest.Verdict


@pytest.fixture(autouse=True)
def _apps(settings: Settings) -> None:
    settings.KINTONE_PERMISSION_SET_APP_ID, settings.KINTONE_ASSIGNMENT_APP_ID = "23", "24"


def take(github: GitHubSimulator, body: str, user: User = HANA, *, is_final: bool = True) -> SyncRequest | None:
    comment = parse_comment(github.event(github.write(user, body))["comment"])
    return intake.take_comment(comment, is_final=is_final)


def ask(github: GitHubSimulator, body: str, **values: Any) -> SyncRequest:
    row = take(github, body, **values)
    assert row is not None
    return row


def queued() -> list[str]:
    return [run.record_reference or run.kind for run in Run.objects.order_by("pk")]


def test_records_have_a_run_each(github: GitHubSimulator) -> None:
    assert ask(github, "/sync 24:1 23:7").verdict == Verdict.ACCEPTED
    assert queued() == ["24:1", "23:7"]


def test_account_stands_for_its_records(github: GitHubSimulator) -> None:
    account, other = factories.make_account(), factories.make_account()
    written = factories.make_record(in_force={"account_id": account.account_id})
    wanting = factories.make_record()
    factories.make_assignment(account=account, record=wanting)
    factories.make_record(in_force={"account_id": other.account_id})
    factories.make_record(in_force={"account_id": account.account_id}, gone_at=timezone.now())
    row = ask(github, f"/sync {account.account_id}")
    assert (queued(), row.is_widened) == ([written.reference, wanting.reference], False)


@pytest.mark.parametrize("count", [0, 11])
def test_account_without_records_or_with_many_has_a_full_run(github: GitHubSimulator, count: int) -> None:
    account = factories.make_account()
    for _number in range(count):
        factories.make_record(in_force={"account_id": account.account_id})
    row = ask(github, f"/sync {account.account_id}")
    assert (queued(), row.is_widened) == (["full"], True)


@pytest.mark.parametrize("word", ["please", "25:1", "999999999999"])
def test_unknown_words_start_nothing(github: GitHubSimulator, word: str) -> None:
    row = ask(github, f"/sync 24:1 {word}")
    assert (row.verdict, row.wrong, queued()) == (Verdict.WRONG, [word], [])


def test_request_joins_the_run_that_waits(github: GitHubSimulator) -> None:
    waiting = runs.queue_full_run()
    row, second = ask(github, "/sync"), ask(github, "/sync", user=User("taro", "OWNER"))
    assert [run.pk for run in (row.runs.get(), second.runs.get())] == [waiting.pk, waiting.pk]
    assert Run.objects.get().asked_by == "hana (GitHub)"
    assert AuditEvent.objects.filter(action="github.request").count() == 2


def test_request_during_a_run_waits_for_its_own(github: GitHubSimulator) -> None:
    running = factories.make_run(status=Run.Status.RUNNING, finished_at=None)
    assert ask(github, "/sync").runs.get() != running


def test_run_keeps_the_name_of_whoever_pressed_the_button(github: GitHubSimulator) -> None:
    run = runs.queue_full_run(by=factories.make_user())
    ask(github, "/sync")
    run.refresh_from_db()
    assert run.asked_by == ""


def test_stranger_is_refused_and_noted(github: GitHubSimulator) -> None:
    assert ask(github, "/sync", user=User("eve", "NONE")).verdict == Verdict.REFUSED
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.outcome) == ("github.refuse", "eve (GitHub)", "denied")
    assert queued() == []


def test_crowd_does_not_fill_the_trail(github: GitHubSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_REFUSED", 2)
    rows = [ask(github, "/sync", user=User("eve", "NONE")) for _number in range(4)]
    assert AuditEvent.objects.count() == 2
    assert [row.ended_at is None for row in rows] == [True, True, False, False]


def test_comment_is_stored_as_a_database_can(github: GitHubSimulator) -> None:
    assert ask(github, "/sync \ud800\x00" + "x" * 500).verdict == Verdict.WRONG
