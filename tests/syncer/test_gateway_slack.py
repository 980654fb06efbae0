"""The gateway to Slack against a Slack over HTTP: every bad answer is one of our own errors."""

from collections.abc import Iterator

import pytest

from simulators.serving import Hangup, Response, Serving
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
from syncer.gateways.slack import Slack, SlackBot, SlackWebhook
from tests.syncer.slack import TOKEN, WEBHOOK, SlackSimulator, throttle


@pytest.fixture
def simulator() -> SlackSimulator:
    return SlackSimulator()


@pytest.fixture
def url(simulator: SlackSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Serving(simulator) as serving:
        yield serving.url


@pytest.fixture
def webhook(url: str) -> SlackWebhook:
    return SlackWebhook(url + WEBHOOK)


@pytest.fixture
def bot(url: str) -> SlackBot:
    return SlackBot(TOKEN, "#genkan", api=f"{url}/api/")


@pytest.fixture(params=["webhook", "bot"])
def slack(request: pytest.FixtureRequest, webhook: SlackWebhook, bot: SlackBot) -> Slack:
    return webhook if request.param == "webhook" else bot


def refuse(slack: Slack) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        slack.post("hello")
    return caught.value


def test_message_arrives_as_one_section(slack: Slack, simulator: SlackSimulator) -> None:
    slack.post("*hello* &lt;you&gt;")
    [message] = simulator.messages
    assert message["blocks"][0]["text"] == {"type": "mrkdwn", "text": "*hello* &lt;you&gt;", "verbatim": True}


def test_links_in_a_message_are_not_unfolded(slack: Slack, simulator: SlackSimulator) -> None:
    slack.post("hello")
    assert {name: simulator.messages[0][name] for name in ("unfurl_links", "unfurl_media")} == {
        "unfurl_links": False,
        "unfurl_media": False,
    }


@pytest.mark.parametrize(("answer", "seconds"), [(throttle(7), 7.0), (throttle(None), 30.0)])
def test_throttling_says_how_long(slack: Slack, simulator: SlackSimulator, answer: Response, seconds: float) -> None:
    simulator.answers.append(answer)
    error = refuse(slack)
    assert isinstance(error, Throttled)
    assert error.retry_after == seconds


def test_throttling_is_not_tried_again_by_itself(slack: Slack, simulator: SlackSimulator) -> None:
    simulator.answers += [throttle(0), throttle(0)]
    refuse(slack)
    assert len(simulator.answers) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Response.text("no_service", 404), NotFound, "slack_address_gone"),
        (Response.text("no_team", 404), NotFound, "slack_address_gone"),
        (Response.text("channel_not_found", 404), NotFound, "slack_channel_missing"),
        (Response.text("channel_is_archived", 410), NotFound, "slack_channel_missing"),
        (Response.text("action_prohibited", 403), Denied, "slack_not_allowed"),
        (Response.text("invalid_token", 403), Unauthenticated, "slack_token_refused"),
        (Response.text("invalid_payload", 400), Invalid, "slack_refused"),
        (Response.text("rollup_error", 500), Unavailable, "slack_unavailable"),
        (Response.text("<html>Bad gateway</html>", 502), Unavailable, "slack_unavailable"),
        (Response.text("<html>Sign in</html>"), Invalid, "slack_not_slack"),
    ],
)
def test_answers_of_webhooks_are_told_apart(
    webhook: SlackWebhook, simulator: SlackSimulator, answer: Response, kind: type[GatewayError], code: str
) -> None:
    simulator.answers.append(answer)
    error = refuse(webhook)
    assert (type(error), error.reason.code) == (kind, code)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Response.json({"ok": False, "error": "not_in_channel"}), NotFound, "slack_channel_missing"),
        (Response.json({"ok": False, "error": "is_archived"}), NotFound, "slack_channel_missing"),
        (Response.json({"ok": False, "error": "token_revoked"}), Unauthenticated, "slack_token_refused"),
        (Response.json({"ok": False, "error": "missing_scope"}), Denied, "slack_scope_missing"),
        (Response.json({"ok": False, "error": "invalid_blocks"}), Invalid, "slack_refused"),
        (Response.json({"ok": False, "error": "internal_error"}), Unavailable, "slack_unavailable"),
        (Response.json({"ok": False, "error": "ratelimited"}, 429), Throttled, "slack_throttled"),
        (Response.text("<html>Sign in</html>"), Invalid, "slack_not_slack"),
        (Response.text("<html>Bad gateway</html>", 502), Unavailable, "slack_unavailable"),
    ],
)
def test_answers_of_the_web_api_are_told_apart(
    bot: SlackBot, simulator: SlackSimulator, answer: Response, kind: type[GatewayError], code: str
) -> None:
    simulator.answers.append(answer)
    error = refuse(bot)
    assert (type(error), error.reason.code) == (kind, code)


def test_wrong_address_is_no_service(url: str) -> None:
    assert refuse(SlackWebhook(f"{url}/services/gone")).code == "no_service"


def test_wrong_token_is_not_accepted(url: str) -> None:
    assert refuse(SlackBot("xoxb-old", "#genkan", api=f"{url}/api/")).reason.code == "slack_token_refused"


def test_unknown_channel_is_told(url: str) -> None:
    assert refuse(SlackBot(TOKEN, "#gone", api=f"{url}/api/")).reason.code == "slack_channel_missing"


def test_broken_connection_is_temporary(slack: Slack, simulator: SlackSimulator) -> None:
    simulator.answers.append(Hangup())
    assert isinstance(refuse(slack), NoAnswer)


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"\xff\xfe", b""])
def test_answer_that_cannot_be_read_is_an_error_of_ours(slack: Slack, simulator: SlackSimulator, body: bytes) -> None:
    simulator.answers.append(Response(200, body, (("Content-Type", "application/json"),)))
    assert isinstance(refuse(slack), GatewayError)


def test_error_never_tells_the_webhooks_address() -> None:
    error = refuse(SlackWebhook("http://127.0.0.1:1/services/T0/B0/secret", timeout=1))
    assert "secret" not in f"{error} {error.reason} {error.args}"
    assert isinstance(error, NoAnswer)
