"""Comparing names as people mean them: width and case do not matter. Pure."""

import unicodedata


def fold(name: str) -> str:
    """The key under which a name is looked up: NFKC, no white space around, case-folded."""
    return unicodedata.normalize("NFKC", name).strip().casefold()
