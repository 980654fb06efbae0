"""What a notice says: in the company's language, with a link, and nobody's name does more than name him."""

from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override
from pytest_django import Settings

from syncer.models import Notice
from syncer.telling.messages import LONGEST, describe_notice, describe_scope, render_notice

REFUSED = {"code": "aws_refused", "params": {"text": "no such policy"}}


@pytest.fixture(autouse=True)
def _place(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.LANGUAGE_CODE = "https://genkan.example.com", "en"


def make_notice(code: str = "notice_changes_failed", **params: Any) -> Notice:
    now = timezone.now()
    return Notice(kind="failed", code=code, params={"count": 1, **params}, path="/runs/7/", created_at=now)


def test_message_says_what_why_where_and_how_to_look() -> None:
    item = {"account": "payments-prod", "stage": "production", "permission_set": "Deploy", "who": "鈴木 蓮"}
    assert render_notice(make_notice(count=7, because=[REFUSED], items=[item])).split("\n") == [
        "*Something failed* · Changes that failed for one reason: 7",
        "AWS refused: no such policy It is tried again in an hour, or as soon as the record changes.",
        "• payments-prod (production) × Deploy × 鈴木 蓮",
        "and 6 more",
        "<https://genkan.example.com/runs/7/|Open in Genkan>",
    ]


def test_message_is_in_the_companys_language_whoever_sends_it(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "ja"
    item = {"account": "payments-prod", "stage": "production", "permission_set": "Deploy"}
    with override("en"):
        text = render_notice(make_notice(count=3, items=[item]))
    assert text.startswith("*失敗* · 同じ理由で失敗した変更: 3 件")
    assert "payments-prod（本番）" in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<https://evil.example|payments>", "&lt;https://evil.example|payments&gt;"),
        ("<@U123>", "&lt;@U123&gt;"),
        ("R&D", "R&amp;D"),
        ("```", "'''"),
    ],
)
def test_names_make_no_mention_link_or_block(name: str, shown: str) -> None:
    because = [{"code": "aws_refused", "params": {"text": name}}]
    text = render_notice(make_notice(because=because, items=[{"account": name, "who": name}]))
    body, _newline, link = text.rpartition("\n")
    assert body.count(shown) == 3
    assert "<" not in body
    assert link == "<https://genkan.example.com/runs/7/|Open in Genkan>"


def test_sentence_of_its_own_is_escaped_as_well() -> None:
    text = render_notice(make_notice("set_unknown", set="<!here>"))
    assert "&lt;!here&gt;" in text


def test_values_of_a_sentence_stay_on_its_line() -> None:
    text = render_notice(make_notice("set_unknown", set="Deploy\n*Critical* · everything is gone"))
    assert len(text.split("\n")) == len(render_notice(make_notice("set_unknown", set="Deploy")).split("\n"))


def test_long_message_keeps_its_link() -> None:
    items = [{"account": "&" * 80, "who": "&" * 80} for _number in range(60)]
    text = render_notice(make_notice(items=items))
    assert len(text) <= LONGEST
    assert text.endswith("|Open in Genkan>")
    assert not text.split("\n")[-2].endswith("&am")


def test_matter_that_was_over_before_it_was_sent_says_so() -> None:
    notice = make_notice()
    assert "It is over meanwhile." not in render_notice(notice)
    notice.ended_at = timezone.now()
    assert "It is over meanwhile." in render_notice(notice)


def test_hold_tells_the_way_out_once() -> None:
    because = [{"code": "too_large_share", "params": {"count": 12, "of": 30}}]
    notice = make_notice("notice_held", checksum="0123456789ab", because=because)
    notice.kind = "held"
    assert render_notice(notice).count("--accept") == 1


def test_event_is_never_over() -> None:
    notice = make_notice()
    notice.ended_at = notice.created_at
    assert "It is over meanwhile." not in render_notice(notice)


def test_resolved_notice_names_what_is_over() -> None:
    because = [{"code": "too_large_share", "params": {"count": 12, "of": 30}}]
    was = {"code": "notice_held", "params": {"count": 12, "checksum": "0123456789ab", "because": because}}
    notice = Notice(kind="done", code="notice_resolved", params={"was": was}, path="/runs/7/")
    assert describe_notice(notice) == "Over: Removals held back: 12 (checksum 0123456789ab)"
    assert render_notice(notice).split("\n") == [
        "*Resolved* · Over: Removals held back: 12 (checksum 0123456789ab)",
        "12 of 30 assignments would go within 24 hours.",
        "<https://genkan.example.com/runs/7/|Open in Genkan>",
    ]


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("everything", "everything"),
        ("account 123456789012 × users", "account 1234 5678 9012 × users"),
        ("permission set Deploy", "permission set Deploy"),
        ("kintone assignment", "kintone assignment"),
    ],
)
def test_scopes_are_told_in_words(scope: str, words: str) -> None:
    assert describe_scope(scope) == words
