"""The query language of records.json: text in, a frozen tree out.

Knows the grammar only; which operator a field's type allows and what a condition finds is matching.py's.

    query := [cond] ["order by" f [asc|desc] {"," f [asc|desc]}] ["limit" n] ["offset" n]
    cond  := f op v | f [not] in (v{,v}) | f [not] like v | f is [not] empty | (cond) | cond and|or cond
    v     := "string" | number | FUNC(args)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from simulators.kintone.errors import QUERY_SYNTAX, ApiError, fail, invalid_parameter

MAX_LIMIT = 500
MAX_OFFSET = 10_000

Kind = Literal["string", "word", "operator", "open", "close", "comma", "end"]

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n\u3000]+)
    | (?P<string>"(?:[^"\\\t\r\n]|\\[^\t\r\n])*")
    | (?P<operator>!=|>=|<=|=|>|<)
    | (?P<open>\() | (?P<close>\)) | (?P<comma>,)
    | (?P<word>[^\s\u3000"(),=!<>]+)
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[0-9]+")


class Token(NamedTuple):
    kind: Kind
    text: str


@dataclass(frozen=True)
class Function:
    """A call such as FROM_TODAY(5, DAYS); the arguments as they were written."""

    name: str
    arguments: tuple[str, ...] = ()


Value = str | Function


@dataclass(frozen=True)
class Comparison:
    """`operator` is one of = != < > <= >=, or "in", "like", "is" (empty) and these after "not"."""

    field: str
    operator: str
    values: tuple[Value, ...] = ()

    @property
    def negative(self) -> bool:
        return self.operator in {"!=", "not in", "not like", "is not"}


@dataclass(frozen=True)
class Both:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Either:
    parts: "tuple[Condition, ...]"


Condition = Comparison | Both | Either


@dataclass(frozen=True)
class Order:
    field: str
    descending: bool = True


@dataclass(frozen=True)
class Query:
    condition: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None


def parse_query(text: str) -> Query:
    """Raises CB_VA01 for what is no query, GAIA_QU01 and GAIA_QU02 for a limit or an offset too large."""
    return _Parser(text).query()


def syntax_error() -> ApiError:
    return invalid_parameter("query", QUERY_SYNTAX)


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise syntax_error()
        position = match.end()
        match match.lastgroup:
            case "string":
                yield Token("string", _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), match[0][1:-1]))
            case "operator" | "open" | "close" | "comma" | "word" as kind:
                yield Token(kind, match[0])
    yield Token("end", "")


class _Parser:
    """Recursive descent, one method a rule."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._position = 0

    def query(self) -> Query:
        condition = None if self._at_options() else self._either()
        order = self._order() if self._accept("order") else ()
        limit = self._bounded("limit", MAX_LIMIT, "GAIA_QU01")
        offset = self._bounded("offset", MAX_OFFSET, "GAIA_QU02")
        if self._current.kind != "end":
            raise syntax_error()
        return Query(condition, order, limit, offset)

    @property
    def _current(self) -> Token:
        return self._tokens[self._position]

    def _at_options(self) -> bool:
        following = self._tokens[min(self._position + 1, len(self._tokens) - 1)]
        # A field may be called "limit" or "order": then an operator follows.
        return self._current.kind == "end" or (
            self._is("order", "limit", "offset") and following.kind in {"word", "end"} and not self._is_condition()
        )

    def _is_condition(self) -> bool:
        following = self._tokens[self._position + 1]
        return following.kind == "word" and following.text.lower() in {"in", "not", "like", "is"}

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._accept("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._primary()]
        while self._accept("and"):
            parts.append(self._primary())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _primary(self) -> Condition:
        if self._current.kind == "open":
            self._take("open")
            condition = self._either()
            self._take("close")
            return condition
        return self._comparison(self._take("word"))

    def _comparison(self, field: str) -> Comparison:
        if self._current.kind == "operator":
            return Comparison(field, self._take("operator"), (self._value(),))
        if self._accept("is"):
            operator = "is not" if self._accept("not") else "is"
            self._expect("empty")
            return Comparison(field, operator)
        prefix = "not " if self._accept("not") else ""
        if self._accept("like"):
            return Comparison(field, f"{prefix}like", (self._value(),))
        self._expect("in")
        return Comparison(field, f"{prefix}in", self._values())

    def _values(self) -> tuple[Value, ...]:
        self._take("open")
        values = [self._value()]
        while self._current.kind == "comma":
            self._take("comma")
            values.append(self._value())
        self._take("close")
        return tuple(values)

    def _value(self) -> Value:
        if self._current.kind == "string":
            return self._take("string")
        word = self._take("word")
        if self._current.kind == "open":
            return Function(word.upper(), self._arguments())
        if not _NUMBER.fullmatch(word):
            raise syntax_error()
        return word

    def _arguments(self) -> tuple[str, ...]:
        self._take("open")
        arguments: list[str] = []
        while self._current.kind != "close":
            if arguments:
                self._take("comma")
            arguments.append(self._take("string" if self._current.kind == "string" else "word"))
        self._take("close")
        return tuple(arguments)

    def _order(self) -> tuple[Order, ...]:
        self._expect("by")
        orders = [self._order_item()]
        while self._current.kind == "comma":
            self._take("comma")
            orders.append(self._order_item())
        return tuple(orders)

    def _order_item(self) -> Order:
        field = self._take("word")
        if self._accept("asc"):
            return Order(field, descending=False)
        self._accept("desc")  # also the default
        return Order(field)

    def _bounded(self, keyword: str, largest: int, code: str) -> int | None:
        if not self._accept(keyword):
            return None
        text = self._take("word")
        if not _INTEGER.fullmatch(text):
            raise syntax_error()
        if int(text) > largest:
            raise fail(code)
        return int(text)

    def _is(self, *keywords: str) -> bool:
        return self._current.kind == "word" and self._current.text.lower() in keywords

    def _accept(self, keyword: str) -> bool:
        if not self._is(keyword):
            return False
        self._position += 1
        return True

    def _expect(self, keyword: str) -> None:
        if not self._accept(keyword):
            raise syntax_error()

    def _take(self, kind: Kind) -> str:
        token = self._current
        if token.kind != kind:
            raise syntax_error()
        self._position += 1
        return token.text
