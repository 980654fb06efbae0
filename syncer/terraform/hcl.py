"""Values → HCL, in the form that `terraform fmt` leaves alone. Pure.

Nothing that a person wrote can become code: every value is quoted, and what opens a template (`${`, `%{`) is doubled.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_STEP = "  "
_SIGNS = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control and format characters, halves of characters, line separators
_HALVES = re.compile(r"[\ud800-\udfff]")
_END = "EOT"


class Expression(str):
    """HCL of our own making: a reference or a call, written as it is."""

    __slots__ = ()


Value = str | tuple[str, ...]
"""A text, which is quoted unless it is an Expression, or a list of them."""


@dataclass(frozen=True)
class Block:
    """One block. Its body is made of paragraphs with a blank line between: attributes, or a block within it."""

    kind: str
    labels: tuple[str, ...] = ()
    body: tuple["Mapping[str, Value] | Block", ...] = ()
    comment: tuple[str, ...] = ()


def render_file(head: Iterable[str], blocks: Iterable[Block]) -> str:
    """A whole file: a comment at its top, then the blocks."""
    parts = ["\n".join(map(render_comment, head)), *("\n".join(_iter_block(block, 0)) for block in blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_comment(text: str, *, margin: str = "") -> str:
    """One line, whatever stands in the text."""
    return f"# {margin}{' '.join(_show(text).split())}".rstrip()


def _show(text: str) -> str:
    return "".join(" " if unicodedata.category(character) in _UNSEEN else character for character in text)


def _iter_block(block: Block, depth: int) -> Iterator[str]:
    margin = _STEP * depth
    yield from (margin + render_comment(line) for line in block.comment)
    head = " ".join([block.kind, *(quote(label) for label in block.labels)])
    if not block.body:
        yield f"{margin}{head} {{}}"
        return
    yield f"{margin}{head} {{"
    for number, paragraph in enumerate(block.body):
        if number:
            yield ""
        if isinstance(paragraph, Block):
            yield from _iter_block(paragraph, depth + 1)
        else:
            yield from _iter_attributes(paragraph, depth + 1)
    yield f"{margin}}}"


def _iter_attributes(attributes: Mapping[str, Value], depth: int) -> Iterator[str]:
    """Their signs stand below each other."""
    width = max(map(len, attributes), default=0)
    for name, value in attributes.items():
        yield f"{_STEP * depth}{name.ljust(width)} = {_render(value, depth)}"


def _render(value: Value, depth: int) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_render(item, depth) for item in value)}]"
    if isinstance(value, Document):
        return value.render(depth)
    return value if isinstance(value, Expression) else quote(value)


def quote(text: str) -> str:
    """A text as a quoted string."""
    escaped = "".join(map(_escape, _HALVES.sub("\ufffd", text)))
    return f'"{_close_templates(escaped)}"'


def _escape(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if unicodedata.category(character) in _UNSEEN:
        code = ord(character)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def _close_templates(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


class Document(str):
    """A text of several lines, written line by line; every line ends, the last one too."""

    __slots__ = ()

    def render(self, depth: int) -> str:
        lines, end = self.split("\n"), self._find_end()
        margin = _STEP * (depth + 1)
        written = "\n".join(f"{margin}{_close_templates(line)}" if line else "" for line in lines)
        return f"<<-{end}\n{written}\n{_STEP * depth}{end}"

    def _find_end(self) -> str:
        """A mark that no line is."""
        end = _END
        while any(line.strip() == end for line in self.split("\n")):
            end += "_"
        return end


def is_kept(text: str) -> bool:
    """Whether Terraform leaves a text as it is: it brings every string into Unicode's form NFC."""
    return unicodedata.is_normalized("NFC", text)
