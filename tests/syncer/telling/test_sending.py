"""The outbox's other end: each notice once, none lost, and Slack left in peace when it asks for it."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from simulators.serving import Hangup, Response, Serving
from syncer import tasks
from syncer.gateways.slack import SlackBot, SlackWebhook
from syncer.models import Notice
from syncer.telling import notices, sending
from syncer.telling.outbox import claim
from syncer.telling.sending import send_due
from tests.factories import make_change, make_run
from tests.syncer.slack import TOKEN, WEBHOOK, SlackSimulator, throttle

pytestmark = pytest.mark.django_db


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
def slack(url: str) -> SlackWebhook:
    return SlackWebhook(url + WEBHOOK)


def make_notice(**values: Any) -> Notice:
    number = Notice.objects.count()
    defaults: dict[str, Any] = {
        "kind": "failed", "key": f"failed:{number}", "code": "notice_changes_failed", "params": {"count": 100 + number},
        "path": "/runs/7/",
    }  # fmt: skip
    return Notice.objects.create(**defaults | values)


def make_due() -> None:
    Notice.objects.update(retry_at=timezone.now() - timedelta(seconds=1))


def pause_of(notice: Notice) -> float:
    """Seconds until it is tried again."""
    notice.refresh_from_db()
    assert notice.retry_at
    return (notice.retry_at - timezone.now()).total_seconds()


def test_each_notice_is_sent_once_and_in_order(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    for _number in range(3):
        make_notice()
    assert [send_due(slack), send_due(slack)] == [3, 0]
    assert [text.split("\n")[0][-5:] for text in simulator.texts] == ["100 件", "101 件", "102 件"]
    assert not Notice.objects.filter(sent_at=None).exists()


def test_throttled_notice_waits_as_long_as_slack_says(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    first, second = make_notice(), make_notice()
    simulator.answers.append(throttle(240))
    assert send_due(slack) == 0
    assert 235 < pause_of(first) <= 240
    second.refresh_from_db()
    assert second.attempts == 0  # it would only have been refused as well


def test_pauses_double_up_to_an_hour(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    notice, pauses = make_notice(), []
    for _number in range(10):
        simulator.answers.append(Hangup())
        send_due(slack)
        pauses.append(round(pause_of(notice)))
        make_due()
    assert pauses == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_temporary_error_is_shown_and_cleared_when_sent(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    notice = make_notice()
    simulator.answers.append(Response.text("rollup_error", 500))
    send_due(slack)
    notice.refresh_from_db()
    assert "rollup_error" in notice.error
    make_due()
    send_due(slack)
    notice.refresh_from_db()
    assert (notice.error, notice.attempts) == ("", 2)


def test_refused_message_is_kept_and_the_others_go_on(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    refused, fine = make_notice(), make_notice()
    simulator.answers.append(Response.text("invalid_payload", 400))
    assert send_due(slack) == 1
    refused.refresh_from_db()
    fine.refresh_from_db()
    assert fine.sent_at
    assert not refused.sent_at
    assert "invalid_payload" in refused.error
    assert 3590 < pause_of(refused) <= 3600


def test_webhook_that_is_mended_gets_what_was_kept(url: str, simulator: SlackSimulator) -> None:
    make_notice()
    assert send_due(SlackWebhook(f"{url}/services/gone")) == 0
    make_due()
    assert send_due(SlackWebhook(url + WEBHOOK)) == 1
    assert len(simulator.messages) == 1


# --- Without Slack ----------------------------------------------------------------------------------------------------


def test_without_slack_a_notice_is_kept_for_a_day_and_then_ended_quietly() -> None:
    make_notice()
    assert send_due(None) == 0
    assert Notice.objects.filter(ended_at=None).exists()
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=25))
    send_due(None)
    notice = Notice.objects.get()
    assert notice.ended_at
    assert notice.error == "通知していません: Slack が設定されていません。"


def test_what_nobody_could_be_told_within_a_day_is_not_sent_late(
    slack: SlackWebhook, simulator: SlackSimulator
) -> None:
    make_notice(created_at=timezone.now() - timedelta(hours=25), error="Slack was away")
    assert send_due(slack) == 0
    assert simulator.messages == []
    assert Notice.objects.get().error == "Slack was away"


def test_what_still_stands_after_its_day_is_written_anew() -> None:
    run = make_run(status="failed")
    make_change(run, outcome="failed", reason={"code": "aws_refused", "params": {"text": "no"}})
    notices.tell_run(run)
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=25))
    send_due(None)
    notices.tell_run(run)
    assert Notice.objects.filter(ended_at=None).count() == 1


# --- Races and crashes ------------------------------------------------------------------------------------------------


def test_claimed_notice_is_nobody_elses(slack: SlackWebhook) -> None:
    notice = make_notice()
    seen_by_another = Notice.objects.get()
    assert claim(notice, sending.CLAIM)
    assert not claim(seen_by_another, sending.CLAIM)
    assert send_due(slack) == 0


def test_notice_of_a_worker_that_died_after_its_claim_is_due_again(slack: SlackWebhook) -> None:
    notice = make_notice()
    claim(notice, sending.CLAIM)
    assert 55 < pause_of(notice) <= 60
    make_due()
    assert send_due(slack) == 1


def test_crash_between_sending_and_noting_repeats_one_message(
    slack: SlackWebhook, simulator: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(3):
        make_notice()
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_note_sent", _die)
        with pytest.raises(KeyboardInterrupt):
            send_due(slack)
    make_due()
    send_due(slack)
    assert len(simulator.messages) == 4


def _die(*_args: object) -> None:
    raise KeyboardInterrupt


def test_end_that_came_while_it_was_sent_is_told(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    notice = make_notice()
    claim(notice, sending.CLAIM)
    Notice.objects.update(ended_at=timezone.now())
    sending._note_sent(notice, "", "")
    make_due()
    assert send_due(slack) == 1
    assert "解消しました" in simulator.texts[0]


class Crowded:
    """A Slack during each of whose posts another worker begins to send as well."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    channel = ""

    def post(self, text: str, *, thread: str = "", aloud: bool = True) -> str:
        self.texts.append(text)
        send_due(self)
        return ""


def test_workers_that_meet_send_nothing_twice() -> None:
    for _number in range(6):
        make_notice()
    crowded = Crowded()
    send_due(crowded)
    assert len(crowded.texts) == len(set(crowded.texts)) == 6
    assert not Notice.objects.filter(sent_at=None).exists()


# --- Threads ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bot(url: str) -> SlackBot:
    return SlackBot(TOKEN, "#genkan", api=f"{url}/api/")


def end(notice: Notice, *, ago: timedelta = timedelta()) -> None:
    """The matter is over, and that is told."""
    Notice.objects.filter(pk=notice.pk).update(ended_at=timezone.now() - ago)
    notice.refresh_from_db()
    notices.write_resolved([notice])
    Notice.objects.filter(kind=Notice.Kind.DONE).update(ended_at=timezone.now() - ago)


def test_all_of_one_problem_is_one_thread(bot: SlackBot, simulator: SlackSimulator) -> None:
    first = make_notice(key="failed:a")
    send_due(bot)
    end(first)
    make_notice(key="failed:b")
    make_notice(key="failed:a")
    send_due(bot)
    root = simulator.times[0]
    assert simulator.threads == ["", root, "", root]


def test_only_the_end_of_a_problem_is_not_shown_in_the_channel(bot: SlackBot, simulator: SlackSimulator) -> None:
    first = make_notice(key="failed:a")
    send_due(bot)
    Notice.objects.update(ended_at=timezone.now())
    second = make_notice(key="failed:a")
    send_due(bot)
    end(second)
    send_due(bot)
    assert first.pk != second.pk
    assert [message.get("reply_broadcast") for message in simulator.messages] == [None, True, False]


def test_problem_that_comes_back_days_later_begins_a_thread(bot: SlackBot, simulator: SlackSimulator) -> None:
    first = make_notice(key="failed:a")
    send_due(bot)
    end(first, ago=timedelta(days=2))
    send_due(bot)
    make_notice(key="failed:a")
    send_due(bot)
    assert simulator.threads[-1] == ""


def test_thread_that_was_deleted_is_begun_anew(bot: SlackBot, simulator: SlackSimulator) -> None:
    first = make_notice(key="failed:a")
    send_due(bot)
    simulator.messages.clear()
    end(first)
    send_due(bot)
    make_notice(key="failed:a")
    send_due(bot)
    assert simulator.threads == ["", simulator.times[0]]


def test_thread_of_another_channel_is_not_answered(bot: SlackBot, url: str, simulator: SlackSimulator) -> None:
    simulator.channels.add("#ops")
    first = make_notice(key="failed:a")
    send_due(bot)
    end(first)
    send_due(SlackBot(TOKEN, "#ops", api=f"{url}/api/"))
    assert simulator.threads == ["", ""]


def test_crash_of_a_bot_repeats_one_message(
    bot: SlackBot, simulator: SlackSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_notice(key="failed:a")
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_note_sent", _die)
        with pytest.raises(KeyboardInterrupt):
            send_due(bot)
    make_due()
    send_due(bot)
    end(first)
    send_due(bot)
    assert simulator.threads == ["", "", simulator.times[1]]


def test_webhook_answers_no_thread(slack: SlackWebhook, simulator: SlackSimulator) -> None:
    first = make_notice(key="failed:a")
    send_due(slack)
    end(first)
    send_due(slack)
    assert simulator.threads == ["", ""]


# --- The task ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were started."""
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", names.append)
    return names


def tell(capture: DjangoCaptureOnCommitCallbacks) -> None:
    run = make_run(status="failed", steps={}, error={"code": "kintone_unreachable", "params": {}})
    with capture(execute=True):
        notices.tell_run(run)


def test_sender_is_started_when_something_was_written(
    started: list[str], settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.invalid/services/T/B/X"
    tell(django_capture_on_commit_callbacks)
    tell(django_capture_on_commit_callbacks)
    assert started == ["syncer.tasks.send_notices"]


def test_nothing_is_started_without_slack(
    started: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    tell(django_capture_on_commit_callbacks)
    assert started == []


def test_broker_that_is_away_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def fail(_name: str) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", fail)
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.invalid/services/T/B/X"
    tell(django_capture_on_commit_callbacks)
    assert Notice.objects.count() == 1


def test_task_sends_by_the_webhook_of_the_settings(url: str, simulator: SlackSimulator, settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = url + WEBHOOK
    make_notice()
    tasks.send_notices()
    assert len(simulator.messages) == 1


def test_task_sends_as_the_bot_of_the_settings(
    url: str, simulator: SlackSimulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = TOKEN, "#genkan"
    monkeypatch.setattr("syncer.connections.SlackBot", partial(SlackBot, api=f"{url}/api/"))
    make_notice()
    tasks.send_notices()
    assert [message["channel"] for message in simulator.messages] == ["#genkan"]
