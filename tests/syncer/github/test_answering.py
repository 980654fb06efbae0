"""Reactions and replies: at once, once each, whatever dies or fails, and readable."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import stops
from accounts.models import AuditEvent
from simulators.github import Comment, Fault, GitHubSimulator, User, throttle
from simulators.serving import Response
from syncer import leases, tasks
from syncer.gateways.github import parse_comment
from syncer.github import answering
from syncer.github.answering import answer_due
from syncer.github.wording import build_mark
from syncer.models import Change, IssueWatch, Run, SyncRequest
from tests import factories
from tests.syncer.github.conftest import HANA

pytestmark = pytest.mark.django_db

Verdict = SyncRequest.Verdict
REACTIONS, COMMENTS = "/reactions", "/issues/12/comments"


def ask(github: GitHubSimulator, body: str = "/sync", user: User = HANA) -> Comment:
    """A comment that the webhook brought."""
    comment = github.write(user, body)
    tasks.take_github_comment(parse_comment(github.event(comment)["comment"]))
    return comment


def end_run(**values: Any) -> Run:
    """The only run comes to an end: as a rule it did three things."""
    run = Run.objects.get()
    defaults: dict[str, Any] = {
        "status": Run.Status.DONE, "finished_at": timezone.now(), "steps": {"tell": {"state": "done"}},
        "counts": {"create": 3, "update": 1, "delete": 0, "unchanged": 812, "waiting": 2, "blocked": 0, "failed": 0},
    }  # fmt: skip
    Run.objects.filter(pk=run.pk).update(**defaults | values)
    run.refresh_from_db()
    return run


def make_due() -> None:
    SyncRequest.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    IssueWatch.objects.update(paused_until=None)


def test_comment_is_reacted_to_before_its_run_begins(github: GitHubSimulator) -> None:
    comment = ask(github)
    assert answer_due() == 0
    assert github.reactions(comment) == ["eyes"]
    assert github.replies() == []


def test_reply_comes_once_when_the_run_is_over(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    run = end_run()
    assert [answer_due(), answer_due()] == [1, 0]
    row = SyncRequest.objects.get()
    [reply] = github.replies()
    assert reply == (
        "@hana `/sync`\n"
        "\n"
        f"**4 changes applied** · [full run](https://genkan.example.com/runs/{run.pk}/)\n"
        "\n"
        "Create: 3 · Change: 1 · Remove: 0 · As it is: 812 · Waiting: 2\n"
        "\n"
        f"{build_mark(row)}"
    )
    assert AuditEvent.objects.get(action="github.reply").after == {"comment": row.url, "reply": row.reply_id}


def test_reply_is_in_the_companys_language(github: GitHubSimulator, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "ja"
    ask(github)
    answer_due()
    end_run()
    answer_due()
    assert "作成: 3 件 · 変更: 1 件 · 削除: 0 件" in github.replies()[0]


def test_reply_waits_for_all_of_its_runs(github: GitHubSimulator, settings: Settings) -> None:
    settings.KINTONE_ASSIGNMENT_APP_ID = "24"
    ask(github, "/sync 24:1 24:2")
    answer_due()
    first, second = Run.objects.order_by("pk")
    Run.objects.filter(pk=first.pk).update(status=Run.Status.DONE)
    assert answer_due() == 0
    Run.objects.filter(pk=second.pk).update(status=Run.Status.FAILED, error={"code": "run_lost", "params": {}})
    assert answer_due() == 1
    [reply] = github.replies()
    assert f"[one record 24:1](https://genkan.example.com/runs/{first.pk}/)" in reply
    assert f"[one record 24:2](https://genkan.example.com/runs/{second.pk}/)" in reply


def test_held_removals_come_with_their_checksum(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    run = end_run(status=Run.Status.HELD, checksum="abc123")
    for _number in range(3):
        reason = {"code": "too_many_removals", "params": {"count": 3, "limit": 1}}
        factories.make_change(run, kind=Change.Kind.DELETE, outcome=Change.Outcome.HELD, reason=reason)
    answer_due()
    assert "**Removals are held back**" in github.replies()[0]
    assert "Removals held back: 3 (checksum abc123)" in github.replies()[0]


def test_failures_of_one_cause_are_told_once(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    run = end_run(status=Run.Status.FAILED, steps={"apply": {"state": "done"}, "tell": {"state": "done"}})
    text = "@hana <b>#12</b> www.evil.example"
    reason = {"code": "aws_unreachable", "params": {"operation": "sso-admin:X", "text": text}}

    for _number in range(3):
        factories.make_change(run, outcome=Change.Outcome.FAILED, reason=reason)
    answer_due()
    [reply] = github.replies()
    lines = [line for line in reply.splitlines() if line.startswith("- ")]
    assert len(lines) == 1
    assert lines[0].startswith("- Changes that failed for one reason: 3")
    assert "@hana" not in lines[0]
    assert "<b>" not in lines[0].replace("\\<", "")
    assert "www.evil" not in lines[0]


def test_run_that_failed_says_why_and_what_to_do(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    end_run(status=Run.Status.FAILED, steps={}, counts={}, error={"code": "run_lost", "params": {}})
    answer_due()
    lines = github.replies()[0].splitlines()
    assert lines[2].startswith("**The run failed** · ")
    assert lines[4:6] == [
        "- The process ended before AWS answered. Nothing to do: the next run looks what became of it.",
        "",
    ]


def test_pause_is_told(github: GitHubSimulator) -> None:
    pause = stops.begin_pause(None, "inventory", timezone.now() + timedelta(hours=1))
    ask(github)
    answer_due()
    problem = {
        "record": "",
        "field": "",
        "line": None,
        "code": "paused",
        "severity": "warning",
        "params": stops.describe(pause),
    }
    end_run(mode=Run.Mode.PLAN, problems=[problem])
    answer_due()
    assert "**4 changes are due**" in github.replies()[0]
    assert "- Runs are paused until" in github.replies()[0]


def test_plan_mode_is_told(github: GitHubSimulator, settings: Settings) -> None:
    settings.SYNC_MODE = "plan"
    ask(github)
    answer_due()
    end_run()
    answer_due()
    assert "SYNC\\_MODE=plan: runs only plan." in github.replies()[0]


def test_wrong_words_are_answered_with_what_is_understood(github: GitHubSimulator) -> None:
    comment = ask(github, "/sync now `@taro`")
    assert answer_due() == 1
    assert github.reactions(comment) == ["confused"]
    [reply] = github.replies()
    assert reply.startswith("@hana This was not understood: `now`, `@taro`\n")
    assert "- `/sync 24:57`: " in reply
    assert not Run.objects.exists()


def test_own_reply_asks_for_nothing(github: GitHubSimulator) -> None:
    ask(github, "/sync now")
    answer_due()
    github.bot.association = "OWNER"
    reply = next(comment for comment in github.comments.values() if comment.user is github.bot)
    assert not tasks.take_github_comment(parse_comment(github.event(reply)["comment"]))


def test_stranger_gets_a_thumb_and_no_reply(github: GitHubSimulator) -> None:
    comment = ask(github, user=User("eve", "NONE"))
    assert answer_due() == 0
    assert (github.reactions(comment), github.replies()) == (["-1"], [])
    assert SyncRequest.objects.get().ended_at
    assert not Run.objects.exists()


def test_hidden_member_is_looked_up(github: GitHubSimulator) -> None:
    comment = ask(github, user=User("hana", "MEMBER", hides_membership=True))
    assert not Run.objects.exists()
    answer_due()
    assert github.reactions(comment) == ["eyes"]
    assert Run.objects.get().asked_by == "hana (GitHub)"


@pytest.mark.parametrize("what", ["edit", "delete"])
def test_comment_that_is_not_what_it_was_is_not_believed(github: GitHubSimulator, what: str) -> None:
    comment = ask(github, user=User("hana", "MEMBER", hides_membership=True))
    github.clock.advance(timedelta(seconds=10))
    github.delete(comment) if what == "delete" else github.edit(comment, "/sync")
    answer_due()
    assert SyncRequest.objects.get().ended_at
    assert not Run.objects.exists()


def test_deleted_comment_is_answered_all_the_same(github: GitHubSimulator) -> None:
    github.delete(ask(github))
    answer_due()
    end_run()
    assert answer_due() == 1


# --- What dies or fails -----------------------------------------------------------------------------------------------


def test_worker_that_died_after_reacting_reacts_once(github: GitHubSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    comment = ask(github)
    with monkeypatch.context() as patched:
        patched.setattr(answering, "_update", lambda *_values, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer_due()
    answer_due()
    assert github.reactions(comment) == ["eyes"]
    assert SyncRequest.objects.get().reacted_at


def test_worker_that_died_after_replying_says_nothing_twice(
    github: GitHubSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(github)
    answer_due()
    end_run()
    with monkeypatch.context() as patched:
        patched.setattr(answering, "_note_sent", lambda *_values: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer_due()
    assert answer_due() == 0  # another worker may be posting it
    make_due()
    assert answer_due() == 0
    assert len(github.replies()) == 1
    assert SyncRequest.objects.get().sent_at


def test_answer_that_got_lost_is_looked_for(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    end_run()
    github.faults.append(Fault(None, method="POST", path=COMMENTS, after=True))
    assert answer_due() == 0
    make_due()
    assert answer_due() == 0
    assert len(github.replies()) == 1
    assert SyncRequest.objects.get().sent_at


def test_lost_database_says_nothing_twice(github: GitHubSimulator) -> None:
    comment = ask(github)
    answer_due()
    end_run()
    answer_due()
    SyncRequest.objects.all().delete()
    Run.objects.all().delete()
    tasks.take_github_comment(parse_comment(github.event(comment)["comment"]))
    answer_due()
    end_run()
    assert answer_due() == 0
    assert len(github.replies()) == 1


def test_mark_of_another_portal_is_not_ours(github: GitHubSimulator, settings: Settings) -> None:
    ask(github)
    settings.PUBLIC_URL = "https://staging.example.com"
    github.write(github.bot, f"done {build_mark(SyncRequest.objects.get())}")
    settings.PUBLIC_URL = "https://genkan.example.com"
    answer_due()
    end_run()
    assert answer_due() == 1


def test_nobody_can_write_the_mark_before_us(github: GitHubSimulator) -> None:
    """What a stranger can know: the portal's address, the comment's id, and how another reply's mark looks."""
    ask(github, "/sync now")
    answer_due()
    [mark] = [line for line in github.replies()[0].splitlines() if line.startswith("<!--")]
    comment = ask(github)
    for guess in (f"<!-- genkan https://genkan.example.com {comment.number} -->", mark):
        github.write(User("mallory", "NONE"), f"All fine.\n{guess}")
    answer_due()
    end_run(status=Run.Status.FAILED)
    assert answer_due() == 1
    assert SyncRequest.objects.latest("pk").reply_id == str(max(github.comments))


def test_public_repository_is_told_no_names(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    run = end_run(status=Run.Status.FAILED, steps={"apply": {"state": "done"}, "tell": {"state": "done"}})
    reason = {"code": "aws_unreachable", "params": {"operation": "sso-admin:X", "text": "shop-prod hana"}}
    factories.make_change(run, outcome=Change.Outcome.FAILED, reason=reason)
    github.is_public = True
    assert answer_due() == 1
    [reply] = github.replies()
    assert "shop-prod" not in reply
    assert "sso-admin" not in reply
    assert f"https://genkan.example.com/runs/{run.pk}/" in reply
    assert "Create: 3 · Change: 1" in reply
    assert "- The reasons stand on the run's page: this repository is public." in reply


@pytest.mark.parametrize("answer", [throttle(60), Response.text("Unicorn", 502), Response.json({}, 401), None])
def test_github_that_is_away_makes_everything_wait(github: GitHubSimulator, answer: Response | None) -> None:
    comments = [ask(github), ask(github)]
    github.faults.append(Fault(answer, method="POST"))
    answer_due()
    assert len(github.requests) == 1
    assert answer_due() == 0
    assert len(github.requests) == 1
    make_due()
    answer_due()
    assert [github.reactions(comment) for comment in comments] == [["eyes"], ["eyes"]]
    assert IssueWatch.objects.get().error == ""


def test_locked_issue_keeps_nobody_from_his_reaction(github: GitHubSimulator) -> None:
    ask(github)
    answer_due()
    end_run()
    github.issues[12]["locked"] = True
    assert answer_due() == 0
    retry_at = SyncRequest.objects.get().retry_at
    assert retry_at
    assert retry_at - timezone.now() > timedelta(minutes=59)
    second = ask(github, user=User("taro", "OWNER"))
    answer_due()
    assert github.reactions(second) == ["eyes"]


def test_what_nobody_could_be_told_is_given_up(github: GitHubSimulator, settings: Settings) -> None:
    ask(github)
    settings.GITHUB_TOKEN = ""
    SyncRequest.objects.update(created_at=timezone.now() - timedelta(days=2))
    answer_due()
    assert SyncRequest.objects.get().ended_at is None  # its run is still to come
    end_run()
    answer_due()
    assert SyncRequest.objects.get().ended_at is None  # and has its day from then on
    Run.objects.update(finished_at=timezone.now() - timedelta(days=1, seconds=1))
    answer_due()
    assert SyncRequest.objects.get().ended_at


def test_one_answers_at_a_time(github: GitHubSimulator) -> None:
    comment = ask(github)
    with leases.hold_lease(answering.LEASE):
        answer_due()
    assert github.reactions(comment) == []
