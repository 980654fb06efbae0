"""Folding names for searching, where finding too much is better than finding nothing. Pure.

`accounts.names.fold` decides who is meant and must stay strict; nothing here may decide anything but what a list shows.
Width, case, kana, spaces, hyphens and the variants of kanji that people mistype in names make no difference. Long
vowel marks and accents do: they tell words apart.
"""

import unicodedata
from collections.abc import Iterable

import jaconv

_LONGEST = (
    2000  # characters of one text that are looked at: a description can be long, its end is seldom what is sought
)
_FEWEST_DIGITS = 5  # an account id is typed in groups of four; fewer digits in several words are words
_DASHES = "-\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # what is left of them after NFKC
_DROPPED = dict.fromkeys(map(ord, f"{_DASHES}・"))
# The form that keyboards offer first stands on the right; the others are alive in family names.
VARIANTS = (
    "髙﨑碕嵜邊邉齋齊斉澤濱濵廣國櫻嶋嶌萬圓惠德眞槇瀨冨桒舘曽壽榮淺龍瀧靜顯鐵髮",
    "高崎崎崎辺辺斎斎斎沢浜浜広国桜島島万円恵徳真槙瀬富桑館曾寿栄浅竜滝静顕鉄髪",
)
_VARIANTS = str.maketrans(*VARIANTS)


def fold_text(text: str) -> str:
    """One text as it is searched: without spaces and hyphens, in hiragana, in one width and case."""
    if text.isascii():
        return "".join(text[:_LONGEST].casefold().translate(_DROPPED).split())
    normal = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[:_LONGEST]).casefold())
    plain: str = jaconv.kata2hira("".join(normal.split()))
    return plain.translate(_VARIANTS).translate(_DROPPED)


def build_key(texts: Iterable[str]) -> str:
    """What a row is found by. Each text stands on a line of its own, so that no word is found across two."""
    return "\n".join(filter(None, (fold_text(text.replace("\0", "")) for text in texts)))


def split_query(query: str) -> tuple[str, ...]:
    """The folded words of what somebody typed, each of which has to be found. An account id in groups is one word."""
    whole = fold_text(query)
    if whole.isdecimal() and len(whole) >= _FEWEST_DIGITS:
        return (whole,)
    return tuple(dict.fromkeys(filter(None, map(fold_text, query.split()))))
