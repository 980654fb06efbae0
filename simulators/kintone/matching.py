"""What a query finds: operators by field type, conditions as predicates, order and paging.

Conditions on `$id` and on unique texts narrow the records looked at by bisection and by index, and reading
stops when the page is full, so that seek paging costs a page and not the app.
"""

import operator
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from simulators.kintone.dates import days_of
from simulators.kintone.errors import fail
from simulators.kintone.fields import INSTANT_TYPES, MULTI_CHOICE_TYPES, SINGLE_CHOICE_TYPES, Definition, Form, places
from simulators.kintone.query import Both, Comparison, Condition, Either, Function, Order, Query, Value, syntax_error
from simulators.kintone.store import Record, RecordStore
from simulators.kintone.values import Unreadable, date_text, parse_instant, parse_number, second_text, time_text

DEFAULT_LIMIT = 100

Predicate = Callable[[Record], bool]
Test = Callable[[Any], bool]
Getter = Callable[[Record], Any]

_COMPARING = {"=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_POSITIVE = {"!=": "=", "not in": "in", "not like": "like", "is not": "is"}

_NUMBERS = frozenset({"__ID__", "RECORD_NUMBER", "NUMBER", "CALC"})
_TIMES = INSTANT_TYPES | {"DATE", "TIME"}
_PEOPLE = frozenset({"CREATOR", "MODIFIER", "USER_SELECT", "GROUP_SELECT", "ORGANIZATION_SELECT", "STATUS_ASSIGNEE"})
_ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(_NUMBERS, frozenset({*_COMPARING, "in"})),
    **dict.fromkeys(("SINGLE_LINE_TEXT", "LINK"), frozenset({"=", "in", "like"})),
    **dict.fromkeys(("MULTI_LINE_TEXT", "RICH_TEXT", "FILE"), frozenset({"like", "is"})),
    **dict.fromkeys(SINGLE_CHOICE_TYPES | MULTI_CHOICE_TYPES, frozenset({"in"})),
    "STATUS": frozenset({"=", "in"}),
    **dict.fromkeys(_TIMES, frozenset(_COMPARING)),
    **dict.fromkeys(_PEOPLE, frozenset({"in"})),
}
_ID: Definition = {"type": "__ID__", "code": "$id"}

# Runs of one script: Latin words are found whole, a run of anything else by any part of it.
_WORDS = re.compile(r"[0-9a-z_]+|[^\W0-9a-z_]+")


@dataclass(frozen=True)
class Source:
    """An app as a query sees it."""

    form: Form
    store: RecordStore
    code: str = ""


@dataclass(frozen=True)
class Context:
    """Who asks and when; `related` finds the app of a related-records field."""

    now: datetime
    zone: tzinfo
    user: str
    organization: str | None
    related: Callable[[str], Source]


class Selection(NamedTuple):
    """The ids of one page, in order, and how many records match in all (None: not counted)."""

    ids: list[int]
    total: int | None


class _Leaf(NamedTuple):
    """One comparison, ready: `test` is of the positive operator."""

    test: Test
    getter: Getter
    code: str
    table: str | None
    negative: bool


class Matcher:
    """Finds records of one app for one caller, of those that he `sees`."""

    def __init__(self, source: Source, context: Context, sees: Predicate | None = None) -> None:
        self._source, self._context, self._sees = source, context, sees
        self._places = places(source.form)

    def predicate(self, condition: Condition | None) -> Predicate:
        """What tells whether a condition holds for a record."""
        return self._compile(condition) if condition else lambda _record: True

    def select(self, query: Query, *, count: bool = False, unlimited: bool = False) -> Selection:
        """One page; without `count` no more records are looked at than it takes. `unlimited` gives all at once.

        Raises GAIA_IQ11 for an unknown field, GAIA_IQ03 and GAIA_IQ07 for an operator its type does not have.
        """
        predicate = self._compile(query.condition) if query.condition else None
        keys = [(self._sort_key(order), order.descending) for order in query.order]
        found: Iterable[int] = self._candidates(query, by_id=_is_by_id(query.order))
        if predicate:
            records = self._source.store.records
            found = (record_id for record_id in found if predicate(records[record_id]))
        if sees := self._sees:
            records = self._source.store.records
            found = (record_id for record_id in found if sees(records[record_id]))
        if keys and not _is_by_id(query.order):
            found = self._sorted(found, keys)
        offset = query.offset or 0
        if unlimited:
            found = list(found)
            return Selection(found, len(found))
        limit = DEFAULT_LIMIT if query.limit is None else query.limit
        if not count:
            return Selection(list(islice(found, offset, offset + limit)), None)
        found = list(found)
        return Selection(found[offset : offset + limit], len(found))

    # Candidates and order

    def _candidates(self, query: Query, *, by_id: bool) -> list[int]:
        bounds = self._bounds(query.condition)
        if bounds.only is None:
            ids = self._source.store.ids_between(bounds.low, bounds.high)
        else:
            records = self._source.store.records
            ids = sorted(record_id for record_id in bounds.only if record_id in records and bounds.admits(record_id))
        if not (by_id and query.order and not query.order[0].descending):
            ids.reverse()
        return ids

    def _bounds(self, condition: Condition | None) -> "_Bounds":
        if isinstance(condition, Both):
            bounds = _Bounds()
            for part in condition.parts:
                bounds = bounds.narrow(self._bounds(part))
            return bounds
        if isinstance(condition, Comparison) and self._is_id(condition.field):
            return _bounds_of(condition)
        if isinstance(condition, Comparison) and condition.operator in {"=", "in"}:
            return self._unique_bounds(condition)
        return _Bounds()

    def _unique_bounds(self, condition: Comparison) -> "_Bounds":
        """Records named by a unique text are found by its index. The empty text is in no index."""
        store, code, texts = self._source.store, condition.field, condition.values
        is_text = code in self._source.form and self._source.form[code]["type"] in {"SINGLE_LINE_TEXT", "LINK"}
        if not is_text or code not in store.unique_codes or "" in texts:
            return _Bounds()
        found = (store.find_unique(code, text) for text in texts if isinstance(text, str))
        return _Bounds(only=frozenset(record_id for record_id in found if record_id is not None))

    def _is_id(self, code: str) -> bool:
        return code == "$id" or (code in self._places and self._places[code].definition["type"] == "RECORD_NUMBER")

    def _sorted(self, found: Iterable[int], keys: list[tuple[Getter, bool]]) -> list[int]:
        records, ids = self._source.store.records, list(found)
        for key, descending in reversed(keys):
            ranks = {record_id: key(records[record_id]) for record_id in ids}
            ids.sort(key=ranks.__getitem__, reverse=descending)
        return ids

    def _sort_key(self, order: Order) -> Getter:
        definition, table = self._place(order.field)
        kind = definition["type"]
        if table is not None or kind not in _ALLOWED:
            raise syntax_error()
        getter, rank = _getter(definition), _ranking(definition)

        def key(record: Record) -> tuple[bool, Any]:
            value = getter(record)
            return (False, 0) if value in (None, "", []) else (True, rank(value))

        return key

    # Conditions

    def _compile(self, condition: Condition) -> Predicate:
        match condition:
            case Both(parts):
                return self._compile_both(parts)
            case Either(parts):
                predicates = [self._compile(part) for part in parts]
                return lambda record: any(predicate(record) for predicate in predicates)
            case Comparison():
                if relation := self._relation(condition):
                    return relation
                return _predicate(self._leaf(condition))

    def _compile_both(self, parts: tuple[Condition, ...]) -> Predicate:
        """Positive conditions on one table must hold in one and the same row."""
        rows: dict[str, list[_Leaf]] = defaultdict(list)
        predicates: list[Predicate] = []
        for part in parts:
            leaf = self._table_leaf(part)
            if leaf and leaf.table is not None:
                rows[leaf.table].append(leaf)
            else:
                predicates.append(self._compile(part))
        predicates += [_some_row(table, leaves) for table, leaves in rows.items()]
        return lambda record: all(predicate(record) for predicate in predicates)

    def _table_leaf(self, part: Condition) -> _Leaf | None:
        if not isinstance(part, Comparison) or part.negative or part.field not in self._places:
            return None
        return self._leaf(part) if self._places[part.field].table is not None else None

    def _place(self, code: str) -> tuple[Definition, str | None]:
        if code == "$id":
            return _ID, None
        if code not in self._places:
            raise fail("GAIA_IQ11", field=code)
        place = self._places[code]
        return place.definition, place.table

    def _leaf(self, comparison: Comparison) -> _Leaf:
        definition, table = self._place(comparison.field)
        positive = _POSITIVE.get(comparison.operator, comparison.operator)
        if positive not in _ALLOWED.get(definition["type"], ()):
            raise fail("GAIA_IQ03", field=comparison.field, operator=comparison.operator)
        if table is not None and positive == "=":
            raise fail("GAIA_IQ07", field=comparison.field, operator=comparison.operator)
        test = self._test(definition, positive, comparison.values)
        return _Leaf(test, _getter(definition), definition["code"], table, comparison.negative)

    def _relation(self, comparison: Comparison) -> Predicate | None:
        """A condition on `list.field`: on the records that a related-records field shows."""
        listing, _, inner = comparison.field.partition(".")
        place = self._places.get(listing)
        if not inner or place is None or place.definition["type"] != "REFERENCE_TABLE":
            return None
        reference = place.definition["referenceTable"]
        source = self._context.related(str(reference["relatedApp"]["app"]))
        related = Matcher(source, self._context)
        leaf = related._leaf(Comparison(inner, comparison.operator, comparison.values))
        theirs = _getter(related._place(reference["condition"]["relatedField"])[0])
        ours = _getter(self._place(reference["condition"]["field"])[0])
        results: dict[str, list[bool]] = defaultdict(list)
        for record in source.store.records.values():
            results[str(theirs(record))].append(leaf.test(leaf.getter(record)))
        return lambda record: _holds(results.get(str(ours(record)), []), negative=leaf.negative)

    def _test(self, definition: Definition, positive: str, values: tuple[Value, ...]) -> Test:
        kind = definition["type"]
        if positive == "is":
            return _is_empty
        if positive == "like":
            return _like(_plain(values[0]))
        if kind in _NUMBERS:
            return self._number_test(kind, positive, values)
        if kind in _TIMES:
            return self._time_test(kind, positive, values[0])
        wanted = {word for value in values for word in self._words(kind, value)}
        return lambda value: bool(wanted.intersection(_listed(value)))

    def _number_test(self, kind: str, positive: str, values: tuple[Value, ...]) -> Test:
        numbers = [self._number(kind, _plain(value)) for value in values]
        if positive == "in":
            wanted = set(numbers)
            return lambda value: _number(value) in wanted
        compare, number = _COMPARING[positive], numbers[0]
        if positive == "=":
            return lambda value: _number(value) == number
        return lambda value: number is not None and (own := _number(value)) is not None and bool(compare(own, number))

    def _number(self, kind: str, text: str) -> Decimal | None:
        if kind == "RECORD_NUMBER" and self._source.code:
            text = text.removeprefix(f"{self._source.code}-")
        try:
            return parse_number(text) if text else None
        except Unreadable as error:
            raise syntax_error() from error

    def _time_test(self, kind: str, positive: str, value: Value) -> Test:
        """Times are kept as text that sorts like time; a function may mean a span of days."""
        first, last = self._span(kind, value)
        if not first:
            return lambda own: positive in {"=", "<=", ">="} and not own
        tests: dict[str, Test] = {
            "=": lambda own: bool(own) and first <= own <= last,
            "<": lambda own: bool(own) and own < first,
            "<=": lambda own: bool(own) and own <= last,
            ">": lambda own: bool(own) and own > last,
            ">=": lambda own: bool(own) and own >= first,
        }
        return tests[positive]

    def _span(self, kind: str, value: Value) -> tuple[str, str]:
        if isinstance(value, Function):
            return self._function_span(kind, value)
        try:
            text = _time_literal(kind, value)
        except Unreadable as error:
            raise syntax_error() from error
        return text, text

    def _function_span(self, kind: str, function: Function) -> tuple[str, str]:
        local = self._context.now.astimezone(self._context.zone)
        if function.name == "NOW" and not function.arguments:
            text = {"DATE": local.date().isoformat(), "TIME": local.strftime("%H:%M")}.get(
                kind, second_text(self._context.now)
            )
            return text, text
        days = days_of(function, local.date())
        if days is None or kind == "TIME":
            raise syntax_error()
        if kind == "DATE":
            return days.first.isoformat(), days.last.isoformat()
        first, last = days.instants(self._context.zone)
        return second_text(first), second_text(last)

    def _words(self, kind: str, value: Value) -> list[str]:
        if isinstance(value, str):
            return [value]
        if kind in _PEOPLE and value == Function("LOGINUSER"):
            return [self._context.user]
        if kind == "ORGANIZATION_SELECT" and value == Function("PRIMARY_ORGANIZATION"):
            return [self._context.organization] if self._context.organization else []
        raise syntax_error()


@dataclass(frozen=True)
class _Bounds:
    """What a condition says of the id: at least `low`, at most `high`, one of `only`."""

    low: int | None = None
    high: int | None = None
    only: frozenset[int] | None = None

    def narrow(self, other: "_Bounds") -> "_Bounds":
        lows = [bound for bound in (self.low, other.low) if bound is not None]
        highs = [bound for bound in (self.high, other.high) if bound is not None]
        only = self.only if other.only is None else other.only if self.only is None else self.only & other.only
        return _Bounds(max(lows, default=None), min(highs, default=None), only)

    def admits(self, record_id: int) -> bool:
        return (self.low is None or record_id >= self.low) and (self.high is None or record_id <= self.high)


def _bounds_of(comparison: Comparison) -> _Bounds:
    texts = [value for value in comparison.values if isinstance(value, str) and value.isdecimal()]
    if len(texts) != len(comparison.values) or not texts:
        return _Bounds()
    numbers = [int(text) for text in texts]
    match comparison.operator:
        case ">":
            return _Bounds(low=numbers[0] + 1)
        case ">=":
            return _Bounds(low=numbers[0])
        case "<":
            return _Bounds(high=numbers[0] - 1)
        case "<=":
            return _Bounds(high=numbers[0])
        case "=" | "in":
            return _Bounds(only=frozenset(numbers))
    return _Bounds()


def _is_by_id(order: tuple[Order, ...]) -> bool:
    return bool(order) and order[0].field == "$id"


_STAMPS: dict[str, Getter] = {
    "__ID__": operator.attrgetter("id"),
    "RECORD_NUMBER": operator.attrgetter("id"),
    "CREATOR": operator.attrgetter("creator"),
    "MODIFIER": operator.attrgetter("modifier"),
    "CREATED_TIME": operator.attrgetter("created_at"),
    "UPDATED_TIME": operator.attrgetter("updated_at"),
    "STATUS": operator.attrgetter("status"),
    "STATUS_ASSIGNEE": lambda record: list(record.assignees),
}


def _getter(definition: Definition) -> Getter:
    code = definition["code"]
    return _STAMPS.get(definition["type"], lambda record: record.values.get(code))


def _ranking(definition: Definition) -> Callable[[Any], Any]:
    """What values of a field sort by."""
    kind = definition["type"]
    if kind in _NUMBERS:
        return _number
    if kind in SINGLE_CHOICE_TYPES:
        return lambda value: int(definition["options"].get(value, {"index": -1})["index"])
    return lambda value: ",".join(map(str, _listed(value)))


def _predicate(leaf: _Leaf) -> Predicate:
    table = leaf.table
    if table is None:
        return lambda record: leaf.test(leaf.getter(record)) != leaf.negative
    if not leaf.negative:
        return _some_row(table, [leaf])
    return lambda record: _holds(
        [leaf.test(row["values"].get(leaf.code)) for row in record.values.get(table) or ()], negative=True
    )


def _some_row(table: str, leaves: list[_Leaf]) -> Predicate:
    return lambda record: any(
        all(leaf.test(row["values"].get(leaf.code)) for leaf in leaves) for row in record.values.get(table) or ()
    )


def _holds(results: list[bool], *, negative: bool) -> bool:
    """Of several rows: a positive operator holds for some row, a negative one for all rows and at least one."""
    return bool(results) and not any(results) if negative else any(results)


def _listed(value: Any) -> list[Any]:
    """The members of a value; nothing chosen counts as the empty text, which `in ("")` finds."""
    if isinstance(value, list):
        return value or [""]
    return ["" if value is None else value]


def _number(value: Any) -> Decimal | int | None:
    if value in (None, ""):
        return None
    return value if isinstance(value, int) else Decimal(value)


def _plain(value: Value) -> str:
    if isinstance(value, Function):
        raise syntax_error()
    return value


def _time_literal(kind: str, text: str) -> str:
    if not text:
        return ""
    if kind == "DATE":
        return date_text(text)
    return time_text(text) if kind == "TIME" else second_text(parse_instant(text))


def _is_empty(value: Any) -> bool:
    return not (value.strip() if isinstance(value, str) else value)


def _like(keyword: str) -> Test:
    """Word search, as kintone's index does it: "key" does not find "keyword"."""
    wanted = _split_words(keyword)

    def test(value: Any) -> bool:
        if not wanted or not isinstance(value, str):
            return False
        words = _split_words(value)
        return all(word in words if word.isascii() else any(word in other for other in words) for word in wanted)

    return test


def _split_words(text: str) -> list[str]:
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
