"""Looking for comments where GitHub cannot call: cheap while nothing happens, and each comment once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent
from simulators.github import Fault, GitHubSimulator, User, throttle
from simulators.serving import Response
from syncer import leases, tasks
from syncer.connections import connect_github
from syncer.gateways import github as gateway
from syncer.gateways.github import parse_comment
from syncer.github import intake, polling
from syncer.models import IssueWatch, Run, SyncRequest
from tests.syncer.github.conftest import HANA

pytestmark = pytest.mark.django_db

Verdict = SyncRequest.Verdict


def look() -> list[str]:
    """The first lines of the comments that it took."""
    return [row.text for row in polling.look(timezone.now())]


def pass_pause() -> None:
    IssueWatch.objects.update(paused_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def watched(github: GitHubSimulator) -> GitHubSimulator:
    """The first look is over."""
    look()
    github.clock.advance(timedelta(seconds=1))
    return github


def test_comments_of_before_the_first_look_start_nothing(github: GitHubSimulator) -> None:
    github.write(HANA, "/sync", at=github.clock.now() - timedelta(seconds=5))
    assert [look(), look()] == [[], []]
    assert not SyncRequest.objects.exists()


def test_new_comment_is_taken_once(watched: GitHubSimulator) -> None:
    watched.write(HANA, "/sync")
    assert [look(), look(), look()] == [["/sync"], [], []]
    assert Run.objects.get().asked_by == "hana (GitHub)"


def test_nothing_new_costs_nothing(watched: GitHubSimulator) -> None:
    watched.write(HANA, "/sync")
    look(), look()
    used = watched.used
    assert [look() for _number in range(3)] == [[], [], []]
    assert watched.used == used


def test_nothing_new_writes_nothing(watched: GitHubSimulator, django_assert_max_num_queries: Any) -> None:
    look()
    with django_assert_max_num_queries(8) as captured:
        look()
    assert not [
        query for query in captured.captured_queries if "issuewatch" in query["sql"] and "UPDATE" in query["sql"]
    ]


def test_comment_that_turns_up_late_is_taken(watched: GitHubSimulator) -> None:
    late = watched.write(HANA, "/sync 24:1")
    watched.delete(late)
    watched.clock.advance(timedelta(seconds=90))
    watched.write(HANA, "thanks")
    look()
    watched.comments[late.number] = late
    assert look() == ["/sync 24:1"]


def test_webhook_and_polling_start_one_run(watched: GitHubSimulator) -> None:
    comment = watched.write(HANA, "/sync")
    assert tasks.take_github_comment(parse_comment(watched.event(comment)["comment"]))
    assert look() == []
    assert (Run.objects.count(), SyncRequest.objects.count()) == (1, 1)


def test_polling_decides_what_the_webhook_could_not(watched: GitHubSimulator) -> None:
    comment = watched.write(User("hana", "MEMBER", hides_membership=True), "/sync")
    tasks.take_github_comment(parse_comment(watched.event(comment)["comment"]))
    assert look() == ["/sync"]
    assert SyncRequest.objects.get().verdict == Verdict.ACCEPTED


def test_comment_that_was_edited_starts_nothing(watched: GitHubSimulator) -> None:
    comment = watched.write(HANA, "thanks")
    watched.clock.advance(timedelta(seconds=10))
    watched.edit(comment, "/sync")
    assert look() == []
    assert not SyncRequest.objects.exists()


def test_comment_of_another_issue_is_not_seen(watched: GitHubSimulator) -> None:
    watched.issues[13] = {"title": "Another", "locked": False}
    watched.write(HANA, "/sync", issue=13)
    assert look() == []


def test_listing_of_many_pages_is_read_to_its_end(watched: GitHubSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PAGE", 2)
    for number in range(4):
        watched.write(HANA, f"thanks {number}")
    watched.write(HANA, "/sync")
    assert look() == ["/sync"]
    watched.write(HANA, "/sync 24:1")
    assert look() == ["/sync 24:1"]


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        (throttle(300), 299), (throttle(status=429), 59), (Response.text("Unicorn", 502), 29),
        (Response.json({}, 401), 29), (Response.json({}, 404), 599), (None, 29),
    ],
)  # fmt: skip
def test_github_is_left_alone_when_it_fails(watched: GitHubSimulator, answer: Response | None, least: float) -> None:
    watched.faults.append(Fault(answer))
    watched.write(HANA, "/sync")
    assert look() == []
    watch = IssueWatch.objects.get()
    assert watch.paused_until
    assert watch.paused_until - timezone.now() > timedelta(seconds=least - 1)
    assert watch.error
    count = len(watched.requests)
    assert look() == []
    assert len(watched.requests) == count
    pass_pause()
    assert look() == ["/sync"]
    assert IssueWatch.objects.get().paused_until is None


def test_pauses_grow_with_the_failures(watched: GitHubSimulator) -> None:
    watched.faults.append(Fault(Response.text("Unicorn", 502), times=9))
    for _number in range(9):
        look()
        pass_pause()
    watched.faults.append(Fault(Response.text("Unicorn", 502)))
    look()
    paused_until = IssueWatch.objects.get().paused_until
    assert paused_until
    assert timedelta(minutes=9) < paused_until - timezone.now() <= timedelta(minutes=10)


def test_unset_token_asks_nobody(github: GitHubSimulator, settings: Settings) -> None:
    settings.GITHUB_TOKEN = ""
    assert connect_github() is None
    assert look() == []
    assert not IssueWatch.objects.exists()


def test_one_looks_at_a_time(watched: GitHubSimulator) -> None:
    watched.write(HANA, "/sync")
    with leases.hold_lease(polling.LEASE):
        assert look() == []
    assert look() == ["/sync"]


def test_another_issue_begins_anew(watched: GitHubSimulator, settings: Settings) -> None:
    watched.issues[13] = {"title": "Another", "locked": False}
    watched.write(HANA, "/sync", issue=13, at=watched.clock.now() - timedelta(seconds=30))
    settings.GITHUB_SYNC_ISSUE = "example/aws-access#13"
    assert look() == []
    assert IssueWatch.objects.count() == 2


def test_two_who_look_at_once_start_one_run(watched: GitHubSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    comment = parse_comment(watched.event(watched.write(User("hana", "NONE"), "/sync"))["comment"])
    tasks.take_github_comment(comment)
    known = replace(comment, association="MEMBER")
    decide = intake._decide

    def decide_late(*values: Any, **named: Any) -> bool:
        monkeypatch.setattr(intake, "_decide", decide)
        assert intake.take_comment(known, is_final=True)
        return decide(*values, **named)

    monkeypatch.setattr(intake, "_decide", decide_late)
    assert intake.take_comment(known, is_final=True) is None
    assert (Run.objects.count(), AuditEvent.objects.filter(action="github.request").count()) == (1, 1)
