"""Folding for searches: what people type, and what they mean by it."""

import pytest

from accounts.search import build_key, fold_text, split_query


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("佐藤遥", "佐藤 遥"),
        ("佐藤遥", "佐藤\u3000遥"),
        ("さとう", "サトウ"),
        ("ｻﾄｳ", "さとう"),
        ("ｶﾞﾄﾞ", "がど"),
        ("か\u3099", "ガ"),
        ("ヴァイオリン", "ゔぁいおりん"),
        ("ジョン・スミス", "ジョンスミス"),
        ("ＰＲＯＤ", "prod"),
        ("STRASSE", "straße"),
        ("web01", "Web-01"),
        ("web01", "web\u221201"),
        ("高橋", "髙橋"),
        ("山崎", "山﨑"),
        ("渡辺", "渡邉"),
        ("斎藤", "齋藤"),
        ("123456789012", "1234-5678-9012"),
        ("123456789012", "１２３４ ５６７８ ９０１２"),
    ],
)
def test_is_found_however_it_is_written(typed: str, written: str) -> None:
    assert fold_text(typed) == fold_text(written)


@pytest.mark.parametrize(
    ("one", "other"),
    [("サーバー", "サバ"), ("おおの", "おの"), ("ー", ""), ("が", "か"), ("satō", "sato"), ("a.b", "ab")],
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert fold_text(one) != fold_text(other)


def test_half_width_long_vowels_are_kept() -> None:
    assert fold_text("ｻｰﾊﾞｰ") == fold_text("サーバー") == "さーばー"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", ()),
        (" \u3000- ", ()),
        ("Sato Haruka", ("sato", "haruka")),
        ("佐藤\u3000ハルカ", ("佐藤", "はるか")),
        ("1234 5678 9012", ("123456789012",)),
        ("1234-5678", ("12345678",)),
        ("20 24", ("20", "24")),
        ("prod prod", ("prod",)),
        ("prod 1234", ("prod", "1234")),
    ],
)
def test_words_of_a_query(query: str, words: tuple[str, ...]) -> None:
    assert split_query(query) == words


def test_no_word_is_found_across_two_texts() -> None:
    key = build_key(["佐藤 遥", "", "haruka@example.com"])
    assert key == "佐藤遥\nharuka@example.com"
    assert "遥har" not in key


def test_a_key_is_found_by_itself() -> None:
    for text in ("佐藤 遥", "ｻﾄｳ ﾊﾙｶ", "Straße", "１２３４－５６７８", "ﬁle", "İstanbul"):
        assert fold_text(fold_text(text)) == fold_text(text)


def test_a_long_text_has_an_end() -> None:
    assert len(build_key(["あ" * 10_000, "x" * 10_000])) == 4001
