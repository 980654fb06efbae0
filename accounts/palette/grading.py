"""How well a word fits a name: whole, as one of its words, at a beginning, inside, and at last nearly.

A word with a digit is meant exactly: `prod1` never finds prod2, nor an id the account that has nearly the same one.
"""

import re
from collections.abc import Sequence

from accounts.palette.words import Word

WHOLE, TOKEN, BEGINNING, PREFIX, INSIDE, INITIALS, NEAR, SCATTERED = 160, 90, 80, 70, 50, 25, 20, 15
FOR_ANOTHER = 5  # less, where a word with the same meaning is found
BESIDE = 20  # less, where it is not the name
DIRECT = INSIDE - BESIDE  # at least this: what was typed stands there
_DIGITS_AT_END = re.compile(r"[0-9]+$")
_DIGIT = re.compile(r"[0-9]")
_FEWEST_INITIALS, _FEWEST_SCATTERED, _FEWEST_NEAR = 2, 3, 4  # letters


def grade(word: Word, texts: Sequence[str]) -> int:
    """The best that the word is in one of the texts, the first of which is the name; 0: it is not found."""
    best = 0
    for number, text in enumerate(texts):
        found = grade_text(word.text, text, is_name=number == 0)
        if word.others and _has_token(text, word.others):
            found = max(found, TOKEN - FOR_ANOTHER)
        best = max(best, found - (BESIDE if found and number else 0))
    return best


def grade_text(word: str, text: str, *, is_name: bool = True) -> int:
    """The same for one text, and the word as it is. Only a name is found by what is nearly the word."""
    squeezed = text.replace(" ", "")
    if word not in squeezed:  # as in most of thousands
        return _grade_nearly(word, text.split(" ")) if is_name and not _DIGIT.search(word) else 0
    tokens = text.split(" ")
    if squeezed == word:
        return WHOLE
    if word in tokens:
        return TOKEN
    if squeezed.startswith(word):
        return BEGINNING
    return PREFIX if any(token.startswith(word) for token in tokens) else INSIDE


def _grade_nearly(word: str, tokens: Sequence[str]) -> int:
    if len(word) >= _FEWEST_INITIALS and has_initials(word, tokens):
        return INITIALS
    if len(word) >= _FEWEST_NEAR and any(is_near(word, token) for token in tokens):
        return NEAR
    if len(word) >= _FEWEST_SCATTERED and any(is_scattered(word, token) for token in tokens):
        return SCATTERED
    return 0


def has_initials(word: str, tokens: Sequence[str]) -> bool:
    """Whether the word is made of beginnings of the tokens, in their order: `papr` of `payments prod`."""
    if not word:
        return True
    for number, token in enumerate(tokens):
        length = 0
        while length < len(token) and word[length : length + 1] == token[length]:
            length += 1
            if has_initials(word[length:], tokens[number + 1 :]):
                return True
    return False


def is_near(word: str, token: str) -> bool:
    """Whether the token begins with the word but for one letter: left out, too many, another, or two in each other's
    place. The first letter is right, and the last: while it is typed, `prod` would be nearly `problems`.
    """
    at = 0
    while at < len(word) and at < len(token) and word[at] == token[at]:
        at += 1
    if at == 0 or at == len(word):
        return False
    rest, other = word[at:], token[at:]
    if other[1:].startswith(rest):
        return True
    if len(rest) == 1:
        return False
    swapped = rest[1] + rest[0] + rest[2:]
    return other.startswith((rest[1:], swapped)) or other[1:].startswith(rest[1:])


def is_scattered(word: str, token: str) -> bool:
    """Whether the letters of the word stand in the token in their order, the first at its beginning, and make up at
    least half of it.
    """
    if not token or word[0] != token[0] or len(token) > 2 * len(word):
        return False
    letters = iter(token)
    return all(letter in letters for letter in word)


def _has_token(text: str, others: Sequence[str]) -> bool:
    """Whether one of them is a whole word of the text, or one with a number behind it: `prod2`."""
    return any(token in others or _DIGITS_AT_END.sub("", token) in others for token in text.split(" "))
