"""Where people are told: Slack, mail, and the issue on GitHub. Nothing is posted or sent.

What a gateway raises fails the check that asked: see `asking`.
"""

from django.conf import settings

from portal.doctor.asking import Question
from portal.doctor.reports import Check, failed, passed, warned
from syncer.connections import (
    connect_github,
    connect_github_repository,
    connect_mailer,
    connect_slack,
    connect_slack_people,
)
from syncer.gateways.github import Repository
from syncer.gateways.slack import SlackBot
from syncer.models import LetterSettings, TerraformOffer
from syncer.states import Reason

TIMEOUT = (2.0, 2.5)  # seconds to connect, to answer; two requests within the doctor's patience
PEOPLE_SCOPES = frozenset({"chat:write", "users:read", "users:read.email"})  # of a bot that tells single people


def build_questions(letters: LetterSettings, offer: TerraformOffer) -> list[Question]:
    return [
        Question("slack", lambda: [check_slack()]),
        Question("slack.people", lambda: [check_people(letters)]),
        Question("mail", lambda: [check_mail()]),
        Question("github", lambda: [check_github()]),
        Question("github.terraform", lambda: [check_offer(offer)]),
    ]


def check_people(letters: LetterSettings) -> Check:
    """Whether the ways are there by which the admin site wants single people told."""
    name, wanted = "slack.people", {letters.people, letters.owners}
    if LetterSettings.Way.MAIL in wanted and not settings.HAS_MAIL:
        return failed(name, Reason("doctor_letters_no_mail"))
    if LetterSettings.Way.SLACK not in wanted:
        code = "doctor_letters" if LetterSettings.Way.MAIL in wanted else "doctor_letters_none"
        return passed(name, Reason(code))
    bot = connect_slack_people()
    if bot is None:
        return failed(name, Reason("doctor_letters_no_bot"))
    return _check_scopes(name, bot)


def _check_scopes(name: str, bot: SlackBot) -> Check:
    """Slack says with each answer what the token may; where a proxy drops that, nothing is known."""
    scopes = bot.identify().scopes
    missing = PEOPLE_SCOPES - scopes if scopes else frozenset[str]()
    if missing:
        return failed(name, Reason("doctor_slack_scopes_missing", {"scopes": ", ".join(sorted(missing))}))
    return passed(name, Reason("doctor_letters"))


def check_mail() -> Check:
    """Connect and sign in; nothing is sent."""
    mailer = connect_mailer()
    if mailer is None:
        return passed("mail", Reason("doctor_mail_none"))
    if not settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        return passed("mail", Reason("doctor_mail_file"))
    mailer.check()
    return passed("mail", Reason("doctor_mail", {"sender": settings.DEFAULT_FROM_EMAIL}))


def check_slack() -> Check:
    """A bot's token can be tried; an incoming webhook only by posting."""
    slack = connect_slack()
    if slack is None:
        return passed("slack", Reason("doctor_slack_none"))
    if not isinstance(slack, SlackBot):
        return passed("slack", Reason("doctor_slack_webhook"))
    identity = slack.identify()
    params = {"bot": identity.bot, "team": identity.team, "channel": settings.SLACK_CHANNEL}
    return passed("slack", Reason("doctor_slack_bot", params))


def check_github() -> Check:
    """The issue and its repository are read. Commenting cannot be tried without a comment that people see."""
    github = connect_github(timeout=TIMEOUT)
    if github is None:
        return _check_unset()
    issue, repository = github.fetch_issue(), github.fetch_repository()
    params = {"issue": settings.GITHUB_SYNC_ISSUE, "title": issue.title}
    if repository.scopes is not None and not repository.scopes & _find_scopes(repository):
        scopes = ", ".join(sorted(repository.scopes))
        return failed("github", Reason("doctor_github_scope", params | {"scopes": scopes}))
    if issue.is_locked:
        return warned("github", Reason("doctor_github_locked", params))
    if repository.is_public:
        return warned("github", Reason("doctor_github_public", params))
    code = "doctor_github" if repository.scopes is None else "doctor_github_classic"
    return passed("github", Reason(code, params))


def check_offer(offer: TerraformOffer) -> Check:
    """Whether the files for Terraform can be offered: the repository is read, nothing is written to it."""
    name = "github.terraform"
    if not offer.is_on:
        return passed(name, Reason("doctor_offer_none"))
    repository = connect_github_repository(offer.repository, timeout=TIMEOUT)
    if repository is None:
        return failed(name, Reason("doctor_offer_incomplete"))
    base = offer.base or repository.fetch_default_branch()
    return passed(name, Reason("doctor_offer", {"repository": offer.repository, "branch": base}))


def _check_unset() -> Check:
    """A webhook alone can neither react nor reply."""
    if settings.GITHUB_WEBHOOK_SECRET or settings.GITHUB_SYNC_ISSUE or settings.GITHUB_TOKEN:
        return warned("github", Reason("doctor_github_incomplete"))
    return passed("github", Reason("doctor_github_none"))


def _find_scopes(repository: Repository) -> frozenset[str]:
    """What a classic token needs one of to comment there."""
    return frozenset({"repo", "public_repo"} if repository.is_public else {"repo"})
