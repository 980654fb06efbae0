"""A text that holds a list, with elements taken out and put in where a person would. Pure.

What stays is left as it was found: the order, how each is written, and what stands between them.
"""

import re
from collections.abc import Mapping, Sequence
from unicodedata import normalize

from syncer.drafts.merging import key_of

_BETWEEN = re.compile(r"([\s,;、；，]+)")
_USUAL = ", "


def edit_text(name: str, found: str, texts: Sequence[str], *, has_lines: bool) -> str:
    """The text of a field once it holds these elements. has_lines: it may have several lines.

    name: our name for the field. Addresses may stand several to a line; anything else is a line each.
    """
    wanted = {key_of(name, text): text for text in texts}
    lines = [_Line(name, line) for line in found.splitlines()]
    come = [text for key, text in wanted.items() if not any(key in line.keys for line in lines)]
    kept = [edited for line in lines if (edited := line.keep(wanted)) is not None]
    between = next((line.between for line in lines if line.between), "")
    if has_lines and not (between and len(lines) == 1):
        return "\n".join([*kept, *come])
    return (between or _USUAL).join([*kept, *come])


class _Line:
    """One line, cut into its elements and what stands between them."""

    def __init__(self, name: str, text: str) -> None:
        cut = _BETWEEN.split(text.strip())
        elements, gaps = cut[::2], cut[1::2]
        if not all("@" in normalize("NFKC", element) for element in elements if element):
            elements, gaps = [text.strip()], []
        self.text, self.elements, self.gaps = text, elements, gaps
        self.keys = [key_of(name, element) for element in elements]

    @property
    def between(self) -> str:
        return self.gaps[0] if self.gaps else ""

    def keep(self, wanted: Mapping[str, str]) -> str | None:
        """What is left of the line; None where nothing is. One without any element, or with all of them, stays."""
        stays = [not element or key in wanted for element, key in zip(self.elements, self.keys, strict=True)]
        if all(stays):
            return self.text
        left = ""
        for number, element in enumerate(self.elements):
            if stays[number] and element:
                left += (self.gaps[number - 1] if left else "") + element
        return left or None
