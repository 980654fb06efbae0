"""Values → kintone's, in the shape in which the app holds them. The other way round is `parsing`. Pure.

A company's app may hold people as a user selection, as lines of text or one to a row of a table; what is written has
the shape that was found. A table is always written whole, with the ids of its rows and everything in them that is not
ours, because kintone deletes the rows that a write leaves out (facts: kintone, SUBTABLE).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncer.drafts.merging import key_of
from syncer.gateways.kintone_values import FieldInfo, find_field
from syncer.records.parsing import (
    LISTS,
    normalise_account_id,
    normalise_set_name,
    parse_duration,
    read_codes,
    read_lines,
    split_addresses,
)
from syncer.states import Reason

Cells = dict[str, Any]
"""kintone's field code → the bare value, in the shape of the field's type."""

_CHOICES = frozenset({"DROP_DOWN", "RADIO_BUTTON"})
_SEVERAL = frozenset({"CHECK_BOX", "MULTI_SELECT"})
_PEOPLE = frozenset({"users", "more_users", "owners"})


class DoesNotFit(Exception):
    """The app's field cannot hold what is to be written."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def render(
    values: Mapping[str, Any],
    codes: Mapping[str, str],
    fields: Mapping[str, FieldInfo],
    body: Mapping[str, Any] | None = None,
) -> Cells:
    """What is written of these values, of the fields that the app has. Raises DoesNotFit.

    values: our field name → text, or list of texts. codes: our field name → CODE or TABLE.COLUMN. body: the record that
    is changed, as kintone gave it; None for a new one.
    """
    cells: Cells = {}
    tables: dict[str, dict[str, list[str]]] = {}
    for name, value in values.items():
        table, _dot, column = codes.get(name, "").rpartition(".")
        if table:
            tables.setdefault(table, {})[name] = value
        elif column:
            cells[column] = _render_field(name, value, fields[column])
    for table, wanted in tables.items():
        ours = {name: path for name, path in codes.items() if path.startswith(f"{table}.")}
        rows = (body or {}).get(table, {}).get("value") or ()
        cells[table] = _Table(ours, fields).render(rows, wanted)
    return cells


def _render_field(name: str, value: Any, info: FieldInfo) -> Any:
    if name in LISTS:
        return _render_list(name, value, info)
    if info.type in _CHOICES:
        return _choose(name, value, info) if value else None
    return value or (None if info.type == "DATE" else "") if not isinstance(value, list) else _render_codes(value, info)


def _render_list(name: str, texts: Sequence[str], info: FieldInfo) -> Any:
    if info.type == "USER_SELECT":
        return _render_codes(texts, info)
    if info.type in _SEVERAL:
        return [_choose(name, text, info) for text in texts]
    if info.type == "MULTI_LINE_TEXT":
        return "\n".join(texts)
    joined = ", ".join(texts)
    if len(texts) > 1 and (info.type in _CHOICES or split_addresses(joined) != list(texts)):
        raise DoesNotFit(Reason("kintone_one_value", {"field": info.code, "count": len(texts)}))
    if info.type in _CHOICES:
        return _choose(name, joined, info) if joined else None
    return joined


def _render_codes(codes: Sequence[str], info: FieldInfo) -> Any:
    return [{"code": code} for code in codes] if info.type == "USER_SELECT" else "\n".join(codes)


def _choose(name: str, text: str, info: FieldInfo) -> str:
    """The option that means this, however it is written. Raises DoesNotFit."""
    wanted = _meaning(name, text)
    for option in info.options:
        if option == text or _meaning(name, option) == wanted:
            return option
    raise DoesNotFit(Reason("kintone_option_missing", {"field": info.code, "value": text}))


def _meaning(name: str, text: str) -> str:
    if name == "account_id":
        return normalise_account_id(text) or text.strip()
    if name == "permission_set":
        return normalise_set_name(text) or text.strip()
    if name == "session_duration":
        return str(parse_duration(text) or text.strip())
    return key_of(name, text)


# --- Tables -----------------------------------------------------------------------------------------------------------


@dataclass
class _Table:
    """One table of the form, with those of its columns that are ours."""

    ours: Mapping[str, str]  # our field name → TABLE.COLUMN
    fields: Mapping[str, FieldInfo]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def render(self, rows: Collection[Mapping[str, Any]], wanted: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        """The rows that stay, with what was taken out of them taken out, and a row for each element that came."""
        left = {name: {key_of(name, text): text for text in texts} for name, texts in wanted.items()}
        placed: dict[str, set[str]] = {name: set() for name in wanted}
        for row in rows:
            held = {name: self._read(name, row) for name in self.ours}
            kept = {
                name: [text for text in texts if name not in left or key_of(name, text) in left[name]]
                for name, texts in held.items()
            }
            for name in wanted:
                placed[name].update(key_of(name, text) for text in kept[name])
            if not (any(kept[name] != held[name] for name in held) and not any(kept.values())):
                self.rows.append({"id": row["id"], "value": self._keep(row, held, kept)})
        for name, texts in left.items():
            new = [text for key, text in texts.items() if key not in placed[name]]
            self.rows += [{"value": self._cell(name, [text])} for text in new]
        return self.rows

    def _keep(
        self, row: Mapping[str, Any], held: Mapping[str, list[str]], kept: Mapping[str, list[str]]
    ) -> dict[str, Any]:
        """The row as it is, but for the cells out of which something was taken."""
        cells = {code: {"value": cell.get("value")} for code, cell in row["value"].items() if cell["type"] != "CALC"}
        for name in held:
            if kept[name] != held[name]:
                cells |= self._cell(name, kept[name])
        return cells

    def _cell(self, name: str, texts: Sequence[str]) -> dict[str, Any]:
        info = find_field(self.fields, self.ours[name])
        return {info.code: {"value": _render_list(name, texts, info)}}

    def _read(self, name: str, row: Mapping[str, Any]) -> list[str]:
        """What the row says as `parsing` understands it: several addresses in one text are several elements."""
        fields = {name: row["value"].get(self.ours[name].rpartition(".")[2]) or {}}
        if name in _PEOPLE:
            return list(read_codes(fields, name))
        return [text for _line, text in read_lines(fields, name)]


# --- Comparing --------------------------------------------------------------------------------------------------------


def holds(record: Mapping[str, Any], cells: Mapping[str, Any]) -> bool:
    """Whether the record, as kintone gives it, says all of this."""
    return all(_says(record.get(code, {}).get("value"), value) for code, value in cells.items())


def _says(found: Any, value: Any) -> bool:
    if not _is_table(value) and not _is_table(found):
        return bool(_plain(found) == _plain(value))
    rows, wanted = list(_iter_rows(found)), list(_iter_rows(value))
    return len(rows) == len(wanted) and all(
        all(_plain(row.get(code, {}).get("value")) == _plain(cell.get("value")) for code, cell in sent.items())
        for row, sent in zip(rows, wanted, strict=True)
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(row, Mapping) and "value" in row for row in value)


def _iter_rows(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (row["value"] for row in value or ())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(str(item.get("code") if isinstance(item, Mapping) else item) for item in value)
    return str(value or "").replace("\r\n", "\n")
