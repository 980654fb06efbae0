"""The doctor on where people are told: Slack, mail, and GitHub are asked who we are, and nothing is posted or sent."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from portal.doctor import telling
from portal.doctor.asking import Question, ask_all, attempt
from simulators.github import GitHubSimulator
from simulators.serving import Request, Response, Serving
from syncer.gateways.slack import SlackBot
from syncer.models import LetterSettings, TerraformOffer
from tests.syncer.slack import TOKEN, SlackSimulator
from tests.syncer.smtp import SmtpSimulator, serve_smtp


def answering(body: Any, status: int = 200) -> Callable[[Request], Response]:
    return lambda _request: Response.json(body, status)


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"ok": True, "user": "genkan", "team": "Asagiri"}, "ok", "doctor_slack_bot"),
        ({"ok": False, "error": "token_revoked"}, "fail", "slack_token_refused"),
    ],
)
def test_token_of_a_bot_is_tried(monkeypatch: pytest.MonkeyPatch, answer: Any, status: str, code: str) -> None:
    with Serving(answering(answer)) as slack:
        bot = SlackBot("xoxb-1", "C1", api=f"{slack.url}/api/")
        monkeypatch.setattr(telling, "connect_slack", lambda: bot)
        check = attempt("slack", telling.check_slack)
    assert (check.status, check.reason.code) == (status, code)


def test_webhook_of_slack_is_not_tried(settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T0/B0/X"
    assert telling.check_slack().reason.code == "doctor_slack_webhook"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answering({"title": "Ask for a sync"}), None),
        (answering({}, 401), "github_token_refused"),
        (answering({}, 403), "github_denied"),
        (answering({}, 404), "github_issue_missing"),
        (answering({}, 502), "github_unreachable"),
        (answering([]), "github_unreachable"),
    ],
)
def test_issue_on_github_is_looked_at(
    settings: Settings, answer: Callable[[Request], Response], code: str | None
) -> None:
    settings.GITHUB_TOKEN, settings.GITHUB_SYNC_ISSUE = "ghp", "example/aws-access#12"
    with Serving(answer) as github:
        settings.GITHUB_API_URL = github.url
        checks = ask_all(telling.build_questions(LetterSettings(), TerraformOffer()))
    assert {check.name: check.reason.code for check in checks if check.status == "fail"} == (
        {"github": code} if code else {}
    )


@pytest.mark.parametrize(
    ("people", "token", "has_mail", "status", "code"),
    [
        ("", "", False, "ok", "doctor_letters_none"),
        ("mail", "", True, "ok", "doctor_letters"),
        ("mail", "", False, "fail", "doctor_letters_no_mail"),
        ("slack", "", True, "fail", "doctor_letters_no_bot"),
        ("slack", TOKEN, False, "ok", "doctor_letters"),
        ("slack", "xoxb-old", False, "fail", "slack_token_refused"),
    ],
)
def test_ways_of_letters_are_tried(
    settings: Settings, bots_slack: SlackSimulator, people: str, token: str, has_mail: bool, status: str, code: str
) -> None:
    settings.SLACK_BOT_TOKEN, settings.HAS_MAIL = token, has_mail
    check = attempt("slack.people", lambda: telling.check_people(LetterSettings(people=people)))
    assert (check.status, check.reason.code) == (status, code)


def test_scopes_that_a_bot_lacks_are_named(settings: Settings, bots_slack: SlackSimulator) -> None:
    settings.SLACK_BOT_TOKEN, bots_slack.scopes = TOKEN, "chat:write"
    check = telling.check_people(LetterSettings(owners="slack"))
    assert (check.status, check.reason.params) == ("fail", {"scopes": "users:read, users:read.email"})


@pytest.fixture
def bots_slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackSimulator]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    simulator = SlackSimulator()
    with Serving(simulator) as serving:
        monkeypatch.setattr("syncer.connections.SlackBot", partial(SlackBot, api=f"{serving.url}/api/"))
        yield simulator


def test_mail_server_is_tried_without_sending(settings: Settings) -> None:
    settings.HAS_MAIL = False
    assert telling.check_mail().reason.code == "doctor_mail_none"
    settings.HAS_MAIL = True
    assert telling.check_mail().reason.code == "doctor_mail_file"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    simulator = SmtpSimulator()
    with serve_smtp(simulator) as settings.EMAIL_PORT:
        settings.EMAIL_HOST = "127.0.0.1"
        assert telling.check_mail().reason.code == "doctor_mail"
    check = attempt("mail", telling.check_mail)
    assert (check.status, check.reason.code) == ("fail", "mail_unreachable")
    assert simulator.mails == []


@pytest.mark.parametrize(
    ("scopes", "public", "locked", "status", "code"),
    [
        (None, False, False, "ok", "doctor_github"),
        ("repo", False, False, "ok", "doctor_github_classic"),
        ("public_repo, read:org", False, False, "fail", "doctor_github_scope"),
        ("", False, False, "fail", "doctor_github_scope"),
        ("public_repo", True, False, "warn", "doctor_github_public"),
        (None, False, True, "warn", "doctor_github_locked"),
    ],
)
def test_what_the_token_may_on_github_is_told_as_far_as_it_shows(
    settings: Settings, scopes: str | None, public: bool, locked: bool, status: str, code: str
) -> None:
    github = GitHubSimulator()
    github.tokens["ghp_simulated"], github.is_public = (github.bot, scopes), public
    github.issues[12]["locked"] = locked
    settings.GITHUB_TOKEN, settings.GITHUB_SYNC_ISSUE = "ghp_simulated", "example/aws-access#12"
    with Serving(github) as serving:
        settings.GITHUB_API_URL = serving.url
        check = telling.check_github()
    assert (check.status, check.reason.code) == (status, code)
    assert not github.replies()


@pytest.mark.parametrize(
    ("offer", "status", "code"),
    [
        (TerraformOffer(is_on=False), "ok", "doctor_offer_none"),
        (TerraformOffer(is_on=True), "fail", "doctor_offer_incomplete"),
        (TerraformOffer(is_on=True, repository="example/aws-access"), "ok", "doctor_offer"),
        (TerraformOffer(is_on=True, repository="example/other"), "fail", "github_repository_missing"),
    ],
)
def test_place_for_pull_requests_is_looked_at(
    settings: Settings, offer: TerraformOffer, status: str, code: str
) -> None:
    settings.GITHUB_TOKEN, github = "ghp_simulated", GitHubSimulator()
    with Serving(github) as serving:
        settings.GITHUB_API_URL = serving.url
        [check] = ask_all([Question("github.terraform", lambda: [telling.check_offer(offer)])])
    assert (check.status, check.reason.code) == (status, code)
    assert github.git.refs.keys() == {"main"}


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET", "GITHUB_SYNC_ISSUE"])
def test_github_that_is_set_up_in_part_is_told(settings: Settings, name: str) -> None:
    setattr(settings, name, "example/aws-access#12")
    check = telling.check_github()
    assert (check.status, check.reason.code) == ("warn", "doctor_github_incomplete")
