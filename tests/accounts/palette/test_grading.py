"""How well a word fits a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.palette.grading import (
    BESIDE,
    DIRECT,
    FOR_ANOTHER,
    TOKEN,
    grade,
    grade_text,
    has_initials,
    is_near,
    is_scattered,
)
from accounts.palette.use import weigh_use
from accounts.palette.words import Word, read_words, tokenise


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("payments-prod", "payments prod"),
        ("payments_prod/Production", "payments prod production"),
        ("決済 API の ログ", "決済 api の ろぐ"),
        ("CloudWatch · ﾛｸﾞ", "cloudwatch ろぐ"),
        ("Ｐａｙ－ＡＰＩ", "pay api"),
        ("サーバー", "さーばー"),
        (" - ", ""),
    ],
)
def test_name_becomes_folded_words(words: str, name: str) -> None:
    assert tokenise(words) == name


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("aws prod logs", ["prod", "logs"]),
        ("aws", ["aws"]),
        ("本番のログ", ["本番", "ろぐ"]),
        ("本番環境 ログ", ["本番", "ろぐ"]),
        ("検証", ["検証"]),
        ("2104 5567 8812", ["210455678812"]),
        ("payments-prod", ["paymentsprod"]),
        ("a b c d e f g h i j", list("abcdefgh")),
        ("", []),
    ],
)
def test_query_becomes_words(query: str, words: list[str]) -> None:
    assert [word.text for word in read_words(query)] == words


def test_better_fits_get_more() -> None:
    names = ("prod", "payments prod", "prodpay x", "x prodpay", "xprod", "pay rest od", "porduct", "pxrxoxd")
    grades = [grade_text("prod", name) for name in names]
    assert grades == sorted(grades, reverse=True)
    assert len(set(grades)) == len(names)


def test_word_stands_for_its_like_only_as_a_whole_word() -> None:
    word = read_words("本番")[0]
    assert grade(word, ("payments prod1",)) == TOKEN - FOR_ANOTHER
    assert grade(word, ("product catalog",)) == 0
    assert grade(word, ("payments", "production")) == TOKEN - FOR_ANOTHER - BESIDE


def test_only_names_are_found_by_what_is_nearly_right() -> None:
    assert 0 < grade(Word("paymnets"), ("payments",)) < DIRECT
    assert grade(Word("paymnets"), ("other", "payments")) == 0


@pytest.mark.parametrize("word", ["prod1", "404455667798", "p1"])
def test_digits_are_meant_exactly(word: str) -> None:
    assert grade(Word(word), ("prod2", "404455667788")) == 0


@pytest.mark.parametrize(
    ("word", "token", "near"),
    [
        ("lamda", "lambda", True),
        ("lambbda", "lambda", True),
        ("lanbda", "lambda", True),
        ("labmda", "lambda", True),
        ("lamd", "lambda", True),
        ("lambx", "lambda", False),
        ("prod", "problems", False),
        ("lxmxda", "lambda", False),
        ("ambda", "lambda", False),
        ("lambda", "lambda", False),
    ],
)
def test_one_letter_may_be_wrong(word: str, token: str, near: bool) -> None:
    assert is_near(word, token) is near


@given(st.text("abc", min_size=1), st.text("abc", min_size=1))
def test_beginnings_and_scattered_letters_are_of_the_token(word: str, token: str) -> None:
    if is_scattered(word, token):
        assert set(word) <= set(token)
        assert len(word) <= len(token)
    assert has_initials(word, [token]) == token.startswith(word)


@pytest.mark.parametrize(
    ("count", "days", "pinned", "points"),
    [
        (0, 0, False, 0),
        (0, 0, True, 30),
        (1, 0, False, 14),
        (1, 90, False, 4),
        (10_000, 0, True, 60),
        (3, 6.5, False, 14),
    ],
)
def test_use_counts_often_and_lately(count: int, days: float, pinned: bool, points: int) -> None:
    assert weigh_use(count, days, is_pinned=pinned) == points
