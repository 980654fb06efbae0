"""The words of a query, and what else each may stand for."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from accounts.search import fold_text, split_query

MOST_WORDS = 8
LONGEST_QUERY = 200  # characters

# What people call the same thing. A word stands for the others where one of them is a whole word of a name.
_STAGES = (
    ("production", "prod", "prd", "本番", "ほんばん"),
    ("staging", "stage", "stg", "検証", "けんしょう", "ステージング"),
    ("development", "develop", "dev", "開発", "かいはつ"),
    ("sandbox", "sbx", "砂場", "実験", "サンドボックス"),
)
_GROUPS = (
    *_STAGES,
    ("administrator", "administratoraccess", "admin", "管理者"),
    ("readonly", "readonlyaccess", "viewonlyaccess", "ro", "参照", "閲覧", "読み取り"),
    ("poweruser", "poweruseraccess", "power"),
    ("logs", "log", "ログ"),
    ("database", "databases", "db", "データベース"),
    ("billing", "bill", "cost", "costs", "請求", "料金", "コスト"),
    ("network", "nw", "ネットワーク"),
    ("security", "sec", "セキュリティ", "セキュリティー"),
    ("infrastructure", "infra", "基盤", "インフラ"),
)
# Said beside what is meant: `aws prod logs`, 本番環境 の ログ.
_FILLERS = ("aws", "console", "コンソール", "environment", "env", "環境", "の")
# The ends of words in names; ー is a letter.
_BETWEEN = re.compile(r"[\s\-_/.:,;|·・()\[\]{}<>@+=&'\"\u058a\u2010-\u2015\u2212]+")

SYNONYMS = tuple(tuple(fold_text(word) for word in group) for group in _GROUPS)
FILLERS = tuple(fold_text(word) for word in _FILLERS)
# 本番ログ is written as one word, and means two.
LEADING = tuple(word for group in _STAGES for word in map(fold_text, group) if not word.isascii())
_OTHERS = {word: tuple(other for other in group if other != word) for group in SYNONYMS for word in group}


@dataclass(frozen=True)
class Word:
    """One folded word; `others` may stand in its place."""

    text: str
    others: tuple[str, ...] = ()


@lru_cache(maxsize=20_000)
def tokenise(text: str) -> str:
    """The folded words of a name, with a blank between two: what is looked through.

    Kept: the names of a company are the same for all who ask.
    """
    return " ".join(filter(None, map(fold_text, _BETWEEN.split(unicodedata.normalize("NFKC", text)))))


def read_words(query: str) -> tuple[Word, ...]:
    """What has to be found. Fillers count only where there is nothing else."""
    written = split_query(query[:LONGEST_QUERY])
    texts = dict.fromkeys(part for word in written for part in _split_glued(tokenise(word).replace(" ", "")))
    meant = [text for text in texts if text not in FILLERS] or list(texts)
    return tuple(Word(text, _OTHERS.get(text, ())) for text in meant[:MOST_WORDS])


def _split_glued(word: str) -> tuple[str, ...]:
    for begin in LEADING:
        if word.startswith(begin) and word != begin:
            return begin, *_split_glued(word.removeprefix(begin).removeprefix("の"))
    return (word,) if word else ()
