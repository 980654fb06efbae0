"""Where operators are told: Slack, and the issue on GitHub. Nothing is posted."""

from django.conf import settings

from portal.doctor.asking import Question
from portal.doctor.reports import Check, failed, passed
from syncer.connections import connect_github, connect_slack
from syncer.gateways.errors import GatewayError
from syncer.gateways.slack import SlackBot
from syncer.states import Reason


def build_questions() -> list[Question]:
    return [Question("slack", lambda: [check_slack()]), Question("github", lambda: [check_github()])]


def check_slack() -> Check:
    """A bot's token can be tried; an incoming webhook only by posting."""
    slack = connect_slack()
    if slack is None:
        return passed("slack", Reason("doctor_slack_none"))
    if not isinstance(slack, SlackBot):
        return passed("slack", Reason("doctor_slack_webhook"))
    try:
        identity = slack.identify()
    except GatewayError as error:
        return failed("slack", error.reason)
    params = {"bot": identity.bot, "team": identity.team, "channel": settings.SLACK_CHANNEL}
    return passed("slack", Reason("doctor_slack_bot", params))


def check_github() -> Check:
    github = connect_github()
    if github is None:
        return passed("github", Reason("doctor_github_none"))
    title = github.fetch_title()
    return passed("github", Reason("doctor_github", {"issue": settings.GITHUB_SYNC_ISSUE, "title": title}))
