"""Comparing names as people mean them: width and case do not matter. Pure."""

import unicodedata


def fold(name: str) -> str:
    """The key under which a name is looked up: NFKC, no white space around, case-folded."""
    normal = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return normal.strip().casefold()


def clean(text: str, limit: int) -> str:
    """Text from outside as a database can hold it: at most `limit` characters, no NUL, no half of a character."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\ufffd")[:limit]
