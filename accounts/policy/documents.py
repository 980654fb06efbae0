"""JSON as AWS reads it, with the place of every value and of every mistake.

Python's own parser takes NaN, lets the last of two equal keys win, gives up on long numbers and deep nesting in ways of
its own, and stops at the first mistake. This one goes on where it is clear what was meant, so that somebody who pasted
a policy from a word processor learns all of it at once; what it read is then known, but it is still no JSON.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

MAX_DEPTH = 50  # brackets; a policy needs about six
MAX_FAULTS = 20  # more of them help nobody

OBJECT, ARRAY, STRING, NUMBER, BOOLEAN, NULL = "object", "array", "string", "number", "boolean", "null"


class Node:
    """A value with its place. value: of an object name → node, of an array its nodes, of a number as it is written."""

    __slots__ = ("end", "key", "key_end", "key_start", "kind", "parent", "start", "value")

    def __init__(self, kind: str, value: Any, start: int, end: int) -> None:
        self.kind, self.value, self.start, self.end = kind, value, start, end
        self.parent: Node | None = None
        self.key: str | int = ""
        self.key_start = self.key_end = -1  # of its name, in an object

    @property
    def pointer(self) -> str:
        """Its JSON Pointer."""
        steps, node = list[str](), self
        while node.parent is not None:
            steps.append(str(node.key).replace("~", "~0").replace("/", "~1"))
            node = node.parent
        return "".join(f"/{step}" for step in reversed(steps))

    def get(self, name: str) -> "Node | None":
        found: Node | None = self.value.get(name) if self.kind == OBJECT else None
        return found

    def iter_items(self) -> Iterator["Node"]:
        """The elements of an array; any other value by itself."""
        yield from self.value if self.kind == ARRAY else (self,)


class Fault(NamedTuple):
    """What is wrong, by the key of its sentence, and from where to where."""

    sentence: str
    start: int
    end: int
    path: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """A text as it was read. root: None where reading had to stop."""

    text: str
    root: Node | None
    faults: tuple[Fault, ...] = field(default=())

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def locate(self, position: int) -> tuple[int, int]:
        """Line and column of a position, both from 1."""
        line = bisect_right(self._line_starts, position)
        return line, position - self._line_starts[line - 1] + 1


def parse_document(text: str) -> Document:
    """Read a text. Never raises."""
    parser = _Parser(text)
    root = parser.parse()
    return Document(text, None if parser.is_stopped else root, tuple(parser.faults))


class NotJson(ValueError):
    """A text that is no strict JSON."""


def read_json(text: str) -> Any:
    """The value of a text; numbers as they are written. Raises NotJson."""
    document = parse_document(text)
    if document.faults or document.root is None:
        raise NotJson(document.faults[0].sentence)
    return _unwrap(document.root)


def _unwrap(node: Node) -> Any:
    """Recursion is bounded by MAX_DEPTH."""
    if node.kind == OBJECT:
        return {name: _unwrap(value) for name, value in node.value.items()}
    return [_unwrap(value) for value in node.value] if node.kind == ARRAY else node.value


# --- Tokens ----------------------------------------------------------------------------------------------------------

# Possessive: a text that is not closed is looked at once, not again from every quotation mark in it.
_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        (?P<string>"[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*+")
      | (?P<sign>[{}\[\],:])
      | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?(?![\w.+-]))
      | (?P<word>(?:true|false|null)(?!\w))
    )""",
    re.VERBOSE,
)
_BLACK = re.compile(r"[^ \t\n\r]")
_BLANK = re.compile("[\u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]+")
_COMMENT = re.compile(r"//[^\n]*+|\#[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?", re.VERBOSE)
_CURLY = re.compile(r"[“”„‟«»＂]([^“”„‟«»＂\"\n]*+)[“”„‟«»＂\"]|[‘’‚‛]([^‘’‚‛\n]*+)[‘’‚‛]")
_SINGLE = re.compile(r"'([^'\n]*+)'|`([^`\n]*+)`")
_OPEN_ON_LINE = re.compile(r'"((?:[^"\\\n]|\\[^\n])*+)"')
_UNCLOSED = re.compile(r'"(?:[^"\\\n]|\\[^\n])*+')
_WORD = re.compile(r"[-+]?[A-Za-z_$][\w$-]*+")
_FIGURES = re.compile(r"[-+.]?[0-9][\w.+-]*+")
_CONTROL = re.compile(r"[\x00-\x1f]")
_WIDE_SIGNS = {"｛": "{", "｝": "}", "［": "[", "］": "]", "：": ":", "，": ",", "、": ","}


class _Token(NamedTuple):
    kind: str
    value: Any
    start: int
    end: int


def shorten(text: str) -> str:
    """A found text, short enough for a sentence."""
    return text if len(text) <= 60 else f"{text[:60]}…"


class _Parser:
    """One pass over the text, without recursion."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.is_stopped = False
        self._position = 0
        self._root: Node | None = None
        self._container: Node | None = None
        self._depth = 0
        self._comma = -1  # where the comma stands that nothing has followed yet
        self._key: _Token | None = None
        self._expect: Callable[[_Token], None] = self._take_value

    def parse(self) -> Node | None:
        while not self.is_stopped and (token := self._read_token()):
            self._expect(token)
        if not self.is_stopped and self._expect != self._take_end:
            self._end_early()
        return self._root

    def _end_early(self) -> None:
        end = len(self.text.rstrip(" \t\r\n"))
        sentence = "json_empty" if self._root is None and not self.faults else "json_ends_early"
        self._stop(sentence, end, end)

    def _fault(self, sentence: str, start: int, end: int, **params: Any) -> None:
        path = self._container.pointer if self._container else ""
        self.faults.append(Fault(sentence, start, end, path, params))
        self.is_stopped = self.is_stopped or len(self.faults) >= MAX_FAULTS

    def _stop(self, sentence: str, start: int, end: int, **params: Any) -> None:
        self._fault(sentence, start, end, **params)
        self.is_stopped = True

    # Tokens

    def _read_token(self) -> _Token | None:
        """The next token; None at the end, or where reading has to stop."""
        while not self.is_stopped:
            match = _TOKEN.match(self.text, self._position)
            if match:
                kind = str(match.lastgroup)
                start, self._position = match.span(kind)
                return self._build_token(kind, match[kind], start)
            black = _BLACK.search(self.text, self._position)
            if black is None:
                return None
            self._position = black.start()
            if token := self._recover(self._position):
                return token
        return None

    def _build_token(self, kind: str, written: str, start: int) -> _Token:
        end = start + len(written)
        if kind == "string":
            return _Token(STRING, self._unescape(written, start), start, end)
        if kind == "word":
            value = {"true": True, "false": False, "null": None}[written]
            return _Token(NULL if value is None else BOOLEAN, value, start, end)
        return _Token(NUMBER if kind == "number" else written, written, start, end)

    def _unescape(self, written: str, start: int) -> str:
        if "\\" not in written:
            return written[1:-1]
        try:
            return str(json.loads(written))
        except json.JSONDecodeError as error:
            at = start + error.pos
            self._fault("json_escape", at, at + 2, found=shorten(self.text[at : at + 2]))
            return written[1:-1]

    # What is no JSON, but can be understood

    def _recover(self, at: int) -> _Token | None:
        """A token for what stands there, or None: it is skipped, or reading stops."""
        for pattern, read in (
            (_BLANK, self._read_blank),
            (_COMMENT, self._read_comment),
            (_CURLY, self._read_curly),
            (_SINGLE, self._read_single),
            (_OPEN_ON_LINE, self._read_controlled),
            (_FIGURES, self._read_figures),
            (_WORD, self._read_word),
        ):
            if match := pattern.match(self.text, at):
                self._position = match.end()
                return read(match)
        return self._read_strange(at)

    def _read_blank(self, match: re.Match[str]) -> None:
        found = match[0][0]
        sentence = "json_full_width" if found == "\u3000" else "json_no_break_space"
        if found == "\ufeff" and match.start() == 0:
            sentence = "json_byte_order_mark"
        self._fault(sentence, *match.span(), character=found)

    def _read_comment(self, match: re.Match[str]) -> None:
        self._fault("json_comment", *match.span())

    def _read_curly(self, match: re.Match[str]) -> _Token:
        self._fault("json_smart_quotes", match.start(), match.start() + 1, character=match[0][0])
        return _Token(STRING, match[1] or match[2] or "", *match.span())

    def _read_single(self, match: re.Match[str]) -> _Token:
        self._fault("json_single_quotes", match.start(), match.start() + 1, character=match[0][0])
        return _Token(STRING, match[1] or match[2] or "", *match.span())

    def _read_controlled(self, match: re.Match[str]) -> _Token:
        """A text with a sign in it that has to be written as an escape."""
        control = _CONTROL.search(match[0])
        at = match.start() + (control.start() if control else 0)
        self._fault("json_control", at, at + 1, character=f"U+{ord(self.text[at]):04X}")
        return _Token(STRING, match[1], *match.span())

    def _read_figures(self, match: re.Match[str]) -> _Token:
        self._fault("json_number", *match.span(), found=shorten(match[0]))
        return _Token(NUMBER, match[0], *match.span())

    def _read_word(self, match: re.Match[str]) -> _Token:
        if self._expect == self._take_key:
            self._fault("json_unquoted", *match.span(), found=shorten(match[0]))
            return _Token(STRING, match[0], *match.span())
        self._fault("json_word", *match.span(), found=shorten(match[0]))
        return _Token(NULL, None, *match.span())

    def _read_strange(self, at: int) -> _Token | None:
        found = self.text[at]
        if found in _WIDE_SIGNS:
            self._fault("json_full_width", at, at + 1, character=found)
            self._position = at + 1
            return _Token(_WIDE_SIGNS[found], _WIDE_SIGNS[found], at, at + 1)
        if found == '"':
            self._refuse_unclosed(at)
        elif found in "“”„‟«»＂‘’‚‛":
            self._stop("json_smart_quotes", at, at + 1, character=found)
        elif "\uff01" <= found <= "\uff5e":
            self._stop("json_full_width", at, at + 1, character=found)
        else:
            self._stop("json_syntax", at, at + 1, found=found)
        return None

    def _refuse_unclosed(self, at: int) -> None:
        match = _UNCLOSED.match(self.text, at)
        end = match.end() if match else at + 1
        if self.text.find("\n", end, end + 2) < 0:
            self._stop("json_ends_early", at, len(self.text))
        else:
            self._stop("json_line_break", end, end + 1)

    # What may come next

    def _take_value(self, token: _Token) -> None:
        if token.kind in ("{", "["):
            self._open(token)
        elif token.kind == "]" and self._container is not None and self._container.kind == ARRAY:
            self._close(token)
        elif token.kind in (STRING, NUMBER, BOOLEAN, NULL):
            self._add(Node(token.kind, token.value, token.start, token.end))
            self._expect = self._take_comma if self._container else self._take_end
        else:
            self._stop("json_syntax", token.start, token.end, found=token.kind)

    def _take_key(self, token: _Token) -> None:
        if token.kind == "}":
            self._close(token)
        elif token.kind == STRING:
            self._key = token
            self._expect = self._take_colon
        else:
            self._stop("json_key", token.start, token.end, found=shorten(self.text[token.start : token.end]))

    def _take_colon(self, token: _Token) -> None:
        self._expect = self._take_value
        if token.kind == ":":
            return
        if token.kind in (",", "}", "]"):
            self._stop("json_no_value", token.start, token.end, found=token.kind)
            return
        self._fault("json_missing_colon", token.start, token.end)
        self._take_value(token)

    def _take_comma(self, token: _Token) -> None:
        container = self._container
        if container is None:
            return
        if token.kind == ",":
            self._comma = token.start
            self._expect = self._take_key if container.kind == OBJECT else self._take_value
        elif token.kind == ("}" if container.kind == OBJECT else "]"):
            self._close(token)
        elif token.kind in ("}", "]", ":"):
            self._stop("json_wrong_sign", token.start, token.end, found=token.kind)
        else:
            found = shorten(self.text[token.start : token.end])
            self._fault("json_missing_comma", token.start, token.end, found=found)
            (self._take_key if container.kind == OBJECT else self._take_value)(token)

    def _take_end(self, token: _Token) -> None:
        self._stop("json_after_end", token.start, token.end, found=shorten(self.text[token.start : token.end]))

    # The tree

    def _open(self, token: _Token) -> None:
        if self._depth >= MAX_DEPTH:
            self._stop("json_too_deep", token.start, token.end)
            return
        is_object = token.kind == "{"
        node = Node(OBJECT if is_object else ARRAY, {} if is_object else [], token.start, token.end)
        self._add(node)
        self._container = node
        self._depth += 1
        self._expect = self._take_key if is_object else self._take_value

    def _close(self, token: _Token) -> None:
        if self._comma >= 0:
            self._fault("json_trailing_comma", self._comma, self._comma + 1)
            self._comma = -1
        node = self._container
        if node is None:
            return
        node.end = token.end
        self._container = node.parent
        self._depth -= 1
        self._expect = self._take_comma if self._container else self._take_end

    def _add(self, node: Node) -> None:
        self._comma = -1
        parent = self._container
        node.parent = parent
        if parent is None:
            self._root = node
        elif parent.kind == ARRAY:
            node.key = len(parent.value)
            parent.value.append(node)
        elif self._key is not None:
            self._name(node, parent, self._key)

    def _name(self, node: Node, parent: Node, key: _Token) -> None:
        node.key, node.key_start, node.key_end = key.value, key.start, key.end
        if key.value in parent.value:
            written = self.text[key.start + 1 : key.end - 1]
            self._fault("json_duplicate_key", key.start, key.end, key=shorten(written))
        parent.value[key.value] = node
