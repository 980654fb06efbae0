"""Comments on kintone records: once, to whom they concern, and all of them; against the simulated domain."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from simulators.clock import Clock
from simulators.kintone import App, Fault, KintoneWorld
from simulators.serving import Response, Serving
from syncer.gateways.errors import (
    NoAnswer,
    NotFound,
    Permanent,
)
from syncer.gateways.kintone import KintoneApp, Mention

TEXT = {"type": "SINGLE_LINE_TEXT"}
COMMENT = "/k/v1/record/comment.json"
SCOPES = ("k:app_record:read", "k:app_record:write", "k:app_settings:read", "k:app_settings:write")


@pytest.fixture
def app(kintone_world: KintoneWorld) -> App:
    kintone_world.add_user("hana", "花", email="hana@example.com", password="秘密")
    app = kintone_world.add_app("割当", {"account_id": {**TEXT, "required": True}, "note": {"type": "MULTI_LINE_TEXT"}})
    app.add_record({"account_id": "000000000001"})
    return app


@pytest.fixture
def writer(kintone_world: KintoneWorld, kintone_url: str, app: App, pauses: list[float]) -> Iterator[KintoneApp]:
    token = kintone_world.add_token([app.id], ("view", "add", "edit"))
    with KintoneApp(kintone_url, str(app.id), (token,), sleep=pauses.append) as opened:
        yield opened


def test_comment_calls_whom_it_mentions(writer: KintoneApp, app: App, clock: Clock) -> None:
    comment_id = writer.post_comment("1", "ポリシーの JSON が読めません 🙏", [Mention("hana")])
    [comment] = writer.fetch_comments("1")
    assert (comment.id, comment.author_code, comment.mentions) == (comment_id, "Administrator", (Mention("hana"),))
    assert "ポリシーの JSON が読めません 🙏" in comment.text
    assert abs(comment.created_at - clock.now()) < timedelta(minutes=1)


def test_comments_come_newest_first_from_all_pages(writer: KintoneApp) -> None:
    for number in range(23):
        writer.post_comment("1", f"comment {number}")
    comments = writer.fetch_comments("1")
    assert [comment.id for comment in comments] == [str(number) for number in range(23, 0, -1)]
    assert writer.calls[f"kintone GET record/comments.json app {writer.app_id}"] == 3


def test_record_without_comments_has_none(writer: KintoneApp) -> None:
    assert writer.fetch_comments("1") == []


def test_comment_that_comes_while_pages_are_read_hides_none(kintone_world: KintoneWorld) -> None:
    def page(ids: range, *, older: bool) -> Response:
        comments = [
            {"id": str(one), "text": "a", "createdAt": "2026-11-25T00:00:00Z", "creator": {"code": "hana"}}
            for one in ids
        ]
        return Response.json({"comments": comments, "older": older, "newer": False})

    # Comment 13 comes after the first page: the second begins with one that was seen.
    answers = iter([page(range(12, 2, -1), older=True), page(range(3, 0, -1), older=False)])
    with Serving(lambda _request: next(answers)) as serving, KintoneApp(serving.url, "2", ("token",)) as app:
        comments = app.fetch_comments("1")
    assert [comment.id for comment in comments] == [str(number) for number in range(12, 0, -1)]


def test_comment_that_may_be_there_is_not_posted_again(
    writer: KintoneApp, kintone_world: KintoneWorld, app: App
) -> None:
    kintone_world.faults.add(Fault(path=COMMENT, hang_up=True))
    with pytest.raises(NoAnswer):
        writer.post_comment("1", "once")
    assert len(app.comments(1)) == 1


@pytest.mark.parametrize(("text", "mentions"), [("", 0), ("a" * 65_536, 0), ("a", 11)])
def test_comment_that_kintone_never_takes_is_the_callers_mistake(text: str, mentions: int, writer: KintoneApp) -> None:
    with pytest.raises(ValueError, match="a comment"):
        writer.post_comment("1", text, [Mention("hana")] * mentions)
    assert writer.calls == {}


def test_longest_comment_with_ten_mentions_is_taken(writer: KintoneApp, app: App) -> None:
    writer.post_comment("1", "語" * 65_535, [Mention("hana")] * 10)
    assert len(app.comments(1)[0]["mentions"]) == 10


def test_comments_of_a_record_that_is_gone_are_not_found(writer: KintoneApp) -> None:
    with pytest.raises(NotFound):
        writer.fetch_comments("9")


@pytest.mark.parametrize(
    "comment", [{}, {"id": "1", "text": "a", "creator": {"code": "b"}, "createdAt": "soon"}, "text", None]
)
def test_comment_that_is_none_is_not_kintones(comment: object) -> None:
    answer = Response.json({"comments": [comment], "older": False})
    with (
        Serving(lambda _request: answer) as serving,
        KintoneApp(serving.url, "2", ("token",)) as app,
        pytest.raises(Permanent) as caught,
    ):
        app.fetch_comments("1")
    assert caught.value.reason.code == "kintone_not_kintone"
