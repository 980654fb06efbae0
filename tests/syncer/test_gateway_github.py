"""The gateway to GitHub against a GitHub over HTTP: listings as documented, every bad answer one of our errors."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from simulators.github import Fault, GitHubSimulator, User, throttle
from simulators.serving import Response, Serving
from syncer.gateways import github as gateway
from syncer.gateways.errors import (
    Denied,
    GatewayError,
    Invalid,
    NoAnswer,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from syncer.gateways.github import GitHubIssue

HANA = User("hana", "MEMBER")


@pytest.fixture
def simulator() -> GitHubSimulator:
    return GitHubSimulator()


@pytest.fixture
def url(simulator: GitHubSimulator) -> Iterator[str]:
    with Serving(simulator) as serving:
        yield serving.url


@pytest.fixture
def issue(url: str) -> GitHubIssue:
    return GitHubIssue(url, "ghp_simulated", "example/aws-access#12")


def test_comments_come_with_their_authors(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    simulator.write(HANA, "/sync")
    simulator.write(User("ci[bot]", "NONE", "Bot"), "done")
    comments = issue.list_comments().comments or ()
    assert [(each.login, each.association, each.is_bot, each.body) for each in comments] == [
        ("hana", "MEMBER", False, "/sync"),
        ("ci[bot]", "NONE", True, "done"),
    ]


def test_unchanged_listing_costs_nothing(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    simulator.write(HANA, "/sync")
    first = issue.list_comments()
    assert issue.list_comments(etag=first.etag).comments is None
    assert simulator.used == 1


def test_later_pages_are_followed(
    issue: GitHubIssue, simulator: GitHubSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "PAGE", 2)
    for number in range(5):
        simulator.write(HANA, str(number))
    listing = issue.list_comments()
    assert [each.body for each in listing.comments or ()] == ["0", "1", "2", "3", "4"]
    assert listing.etag == ""  # the first page's says nothing about the others


def test_full_page_is_asked_for_anew(
    issue: GitHubIssue, simulator: GitHubSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "PAGE", 1)
    simulator.write(HANA, "0")
    assert issue.list_comments().etag == ""


def test_token_goes_to_no_other_host(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    stranger = Response.json([], 200, ("Link", '<http://127.0.0.1:9/repos/x>; rel="next"'))
    simulator.faults.append(Fault(stranger))
    assert issue.list_comments().comments == ()


def test_only_what_was_updated_since_is_listed(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    now = simulator.clock.now()
    simulator.write(HANA, "old", at=now - timedelta(hours=1))
    simulator.write(HANA, "new", at=now)
    assert [each.body for each in issue.list_comments(now - timedelta(minutes=1)).comments or ()] == ["new"]


def test_reaction_is_there_once(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    comment = simulator.write(HANA, "/sync")
    issue.react(comment.number, "eyes")
    issue.react(comment.number, "eyes")
    assert simulator.reactions(comment) == ["eyes"]


def test_posted_comment_has_its_id(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    assert issue.post_comment("done") == max(simulator.comments)
    assert simulator.replies() == ["done"]


@pytest.mark.parametrize(("scopes", "found"), [(None, None), ("", set()), ("repo, read:org", {"repo", "read:org"})])
def test_scopes_of_a_classic_token_are_told(
    issue: GitHubIssue, simulator: GitHubSimulator, scopes: str | None, found: set[str] | None
) -> None:
    simulator.tokens["ghp_simulated"] = (simulator.bot, scopes)
    assert issue.fetch_repository().scopes == found


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Response.json({}, 401), Unauthenticated, "github_token_refused"),
        (Response.json({}, 403), Denied, "github_denied"),
        (Response.json({}, 404), NotFound, "github_issue_missing"),
        (Response.json({}, 410), NotFound, "github_issue_missing"),
        (Response.json({}, 422), Invalid, "github_refused"),
        (Response.json({}, 301, ("Location", "/repositories/1")), Invalid, "github_moved"),
        (Response.json({}, 307, ("Location", "/repositories/1")), Invalid, "github_moved"),
        (Response.text("<h1>Unicorn</h1>", 502), Unavailable, "github_unreachable"),
        (Response.text("<h1>Welcome</h1>"), Invalid, "github_unreachable"),
        (Response.json([1]), Invalid, "github_unreachable"),
        (Response.json([{"id": 1, "created_at": "yesterday"}]), Invalid, "github_unreachable"),
        (None, NoAnswer, "github_unreachable"),
    ],
)
def test_bad_answer_is_one_of_our_errors(
    issue: GitHubIssue, simulator: GitHubSimulator, answer: Response | None, kind: type[GatewayError], code: str
) -> None:
    simulator.faults.append(Fault(answer))
    with pytest.raises(kind) as caught:
        issue.list_comments()
    assert caught.value.reason.code == code


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (throttle(7), 7), (throttle(7, status=429), 7), (throttle(), 60), (throttle(status=429), 60),
    ],
)  # fmt: skip
def test_throttling_says_how_long(
    issue: GitHubIssue, simulator: GitHubSimulator, answer: Response, seconds: float
) -> None:
    simulator.faults.append(Fault(answer))
    with pytest.raises(Throttled) as caught:
        issue.list_comments()
    assert caught.value.retry_after == seconds


def test_used_up_hour_lasts_until_it_is_over(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    simulator.used = simulator.limit
    with pytest.raises(Throttled) as caught:
        issue.list_comments()
    assert caught.value.retry_after == pytest.approx(1800, abs=5)


def test_nothing_is_tried_again_by_itself(issue: GitHubIssue, simulator: GitHubSimulator) -> None:
    simulator.faults.append(Fault(throttle(0)))
    with pytest.raises(Throttled):
        issue.post_comment("done")
    assert len(simulator.requests) == 1
