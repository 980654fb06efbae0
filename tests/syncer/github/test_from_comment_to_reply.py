"""A comment on GitHub, a record in kintone, access in AWS, a reply on GitHub: every part but the broker."""

from collections.abc import Callable

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from simulators.github import GitHubSimulator
from syncer import tasks
from syncer.gateways.github import parse_comment
from syncer.models import Run
from tests.syncer.github.conftest import HANA
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


Work = Callable[[Callable[[], object]], None]


@pytest.fixture
def work(
    github: GitHubSimulator,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Work:
    """Workers that have nothing else to do, until nothing is left of what this began."""

    def send(task: Callable[[], None]) -> None:
        task()

    def begin(call: Callable[[], object]) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            call()

    monkeypatch.setattr(tasks, "_send", send)
    monkeypatch.setattr("celery.current_app.send_task", lambda name: getattr(tasks, name.rpartition(".")[2])())
    return begin


def test_record_that_is_named_is_carried_out(world: World, github: GitHubSimulator, work: Work) -> None:
    world.register_set("Reader")
    sync()
    named, other = world.register("shop", "Reader", "hana"), world.register("blog", "Reader", "taro")
    comment = github.write(HANA, f"/sync {named}\nHana needs it for the inventory.")
    work(lambda: tasks.take_github_comment(parse_comment(github.event(comment)["comment"])))
    run = Run.objects.latest("pk")
    assert (run.record_reference, run.status) == (named, Run.Status.DONE)
    assert other not in {change.record_reference for change in run.changes.all()}
    assert github.reactions(comment) == ["eyes"]
    [reply] = github.replies()
    assert f"**1 change applied** · [one record {named}](https://genkan.example.com/runs/{run.pk}/)" in reply


def test_polled_comment_is_answered_in_one_go(world: World, github: GitHubSimulator, work: Work) -> None:
    world.register_set("Reader")
    work(tasks.watch_github)
    comment = github.write(HANA, "/sync")
    work(tasks.watch_github)
    assert Run.objects.get().counts["create"] == 1
    assert (github.reactions(comment), len(github.replies())) == (["eyes"], 1)
