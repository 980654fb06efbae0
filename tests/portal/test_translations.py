"""Japanese is complete: every string of the code has its translation, with the same parameters."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from django.conf import settings

from accounts.sentences import SENTENCES

CATALOG = Path(settings.BASE_DIR) / "locale" / "ja" / "LC_MESSAGES" / "django.po"
PARAMETER = re.compile(r"%\(\w+\)[sd]|(?<!\{)\{\w*\}(?!\})|<[^>]+>")


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    with CATALOG.open("rb") as file:
        return [message for message in read_po(file, locale="ja") if message.id]


def list_texts(value: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [""])


def test_nothing_is_missing_or_fuzzy(messages: list[Message]) -> None:
    assert [message.id for message in messages if message.fuzzy or not all(list_texts(message.string))] == []


def test_no_string_stands_twice() -> None:
    """Tools that read the catalog take the first, the second or nothing of it."""
    with CATALOG.open("rb") as file:
        known = len(list(read_po(file, locale="ja")))
    entries = re.findall(r"^msgid ", CATALOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(entries) == known


def test_parameters_are_those_of_the_original(messages: list[Message]) -> None:
    for message in messages:
        allowed = {name for text in list_texts(message.id) for name in PARAMETER.findall(text)}
        for text in list_texts(message.string):
            assert set(PARAMETER.findall(text)) <= allowed, message.id


def test_every_string_of_the_code_is_in_the_catalog(messages: list[Message]) -> None:
    known = {list_texts(message.id)[0] for message in messages}
    pattern = re.compile(r"""{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")
    for template in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        for first, second in pattern.findall(template.read_text(encoding="utf-8")):
            assert (first or second) in known, (template.name, first or second)


def test_every_sentence_is_in_the_catalog(messages: list[Message]) -> None:
    known = {list_texts(message.id)[0] for message in messages}
    texts = {text for pair in SENTENCES.values() for text in pair if text}
    assert texts - known == set()
