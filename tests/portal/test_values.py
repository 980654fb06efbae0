from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils.translation import override

from accounts.policy.layout import format_policy
from accounts.sentences import Sentence
from portal.templatetags import genkan
from portal.views.values import split_policy, to_lines


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (None, []),
        ("", []),
        ("a\nb", ["a", "b"]),
        (["a", "b"], ["a", "b"]),
        ([{"code": "sato", "name": "佐藤"}, {"code": "x", "name": "x"}], ["佐藤 (sato)", "x"]),
        ([{"path": "/team/", "name": "Reader"}], ["/team/Reader"]),
        ({"managed_policy": "", "customer_managed": {"path": "/", "name": "B"}}, ["/B"]),
        (7, ["7"]),
    ],
)
def test_stored_values_become_lines(value: object, lines: list[str]) -> None:
    assert to_lines(value) == lines


def test_policy_on_one_line_is_spread_out() -> None:
    assert format_policy('{"Version":"2012-10-17"}') == '{\n  "Version": "2012-10-17"\n}'


@pytest.mark.parametrize("text", ["{broken", '{\n"a": 1}'])
def test_policy_that_is_broken_or_has_lines_stays_as_written(text: str) -> None:
    assert format_policy(text) == text


def test_keys_and_strings_are_told_apart() -> None:
    line = split_policy('"Action": "s3:Get*",', {1: "error"})[0]
    assert [(token.kind, token.text) for token in line.tokens] == [
        ("key", '"Action"'),
        ("rest", ": "),
        ("string", '"s3:Get*"'),
        ("rest", ","),
    ]
    assert line.severity == "error"


@pytest.mark.parametrize("text", ['"a\\"b": "c\\\\"', '"never closed', "{}", '""', "  ", '"a" : 1', '"\\'])
def test_no_character_is_lost(text: str) -> None:
    assert "".join(token.text for token in split_policy(text)[0].tokens) == text


@pytest.mark.parametrize(
    ("age", "en", "ja"),
    [
        (timedelta(seconds=5), "just now", "たった今"),
        (timedelta(minutes=1), "1 minute ago", "1 分前"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago", "59 分前"),
        (timedelta(hours=3), "3 hours ago", "3 時間前"),
        (timedelta(days=2), "2 days ago", "2 日前"),
        (timedelta(seconds=-3), "just now", "たった今"),
    ],
)
def test_ages_in_both_languages(age: timedelta, en: str, ja: str) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for language, expected in (("en", en), ("ja", ja)):
        with override(language):
            assert genkan.format_age(now, now - age) == expected


@time_machine.travel(datetime(2026, 11, 24, 3, tzinfo=UTC))
@pytest.mark.parametrize(
    ("day", "en", "ja"), [(date(2026, 12, 1), "1 Dec", "12/1"), (date(2027, 1, 31), "31 Jan 2027", "2027/1/31")]
)
def test_days_in_both_languages(day: date, en: str, ja: str) -> None:
    for language, expected in (("en", en), ("ja", ja)):
        with override(language):
            assert genkan.format_day(day) == expected


@time_machine.travel(datetime(2026, 11, 24, 15, 30, tzinfo=UTC))
def test_time_of_day_is_that_of_the_zone() -> None:
    today, yesterday = datetime(2026, 11, 24, 15, 5, tzinfo=UTC), datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
    with override("en"):
        assert ">00:05<" in genkan.clock(today)
        assert ">24 Nov 23:05<" in genkan.clock(yesterday)
        assert 'title="2026-11-25 00:05:00 JST"' in genkan.clock(today)


def test_sentences_are_joined_as_each_language_does() -> None:
    assert genkan.joined(Sentence("One.", "Two.")) == "One. Two."
    assert genkan.joined(Sentence("一。", "二。")) == "一。二。"
    assert genkan.joined(None) == ""


def test_icon_says_nothing_to_a_screen_reader() -> None:
    assert 'aria-hidden="true"' in genkan.icon("check")
