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
from syncer.records.editing import edit_text
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

Cell = Mapping[str, Any]
"""A cell as kintone gives it: {"type", "value"}."""

_TEXTS = frozenset({"SINGLE_LINE_TEXT", "MULTI_LINE_TEXT"})
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
            cells[column] = _render_field(name, value, fields[column], (body or {}).get(column))
    for table, wanted in tables.items():
        ours = {name: path for name, path in codes.items() if path.startswith(f"{table}.")}
        rows = (body or {}).get(table, {}).get("value") or ()
        cells[table] = _Table(ours, fields).render(rows, wanted)
    return cells


def _render_field(name: str, value: Any, info: FieldInfo, found: Cell | None) -> Any:
    if name in LISTS:
        return _render_list(name, value, info, found)
    if info.type in _CHOICES:
        return _choose(name, value, info) if value else None
    return value or (None if info.type == "DATE" else "") if not isinstance(value, list) else _render_codes(value, info)


def _render_list(name: str, texts: Sequence[str], info: FieldInfo, found: Cell | None) -> Any:
    if info.type == "USER_SELECT":
        return _render_codes(texts, info)
    if info.type in _SEVERAL:
        return [_choose(name, text, info) for text in texts]
    has_lines = info.type == "MULTI_LINE_TEXT"
    if (kept := _edit_found(name, texts, found, has_lines=has_lines)) is not None:
        return kept
    if has_lines:
        return "\n".join(texts)
    joined = ", ".join(texts)
    if len(texts) > 1 and (info.type in _CHOICES or split_addresses(joined) != list(texts)):
        raise DoesNotFit(Reason("kintone_one_value", {"field": info.code, "count": len(texts)}))
    if info.type in _CHOICES:
        return _choose(name, joined, info) if joined else None
    return joined


def _edit_found(name: str, texts: Sequence[str], found: Cell | None, *, has_lines: bool) -> str | None:
    """The text that was found with the elements changed; None where it would not read as these elements."""
    cell = found or {}
    if cell.get("type") not in _TEXTS or not cell.get("value"):
        return None
    edited = edit_text(name, cell["value"], texts, has_lines=has_lines)
    read = {key_of(name, text) for text in _read_list(name, {**cell, "value": edited})}
    return edited if read == {key_of(name, text) for text in texts} else None


def _read_list(name: str, cell: Cell) -> list[str]:
    """What a cell says as `parsing` understands it: several addresses in one text are several elements."""
    if name in _PEOPLE:
        return list(read_codes({name: cell}, name))
    return [text for _line, text in read_lines({name: cell}, name)]


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
                cells |= self._cell(name, kept[name], row)
        return cells

    def _cell(self, name: str, texts: Sequence[str], row: Mapping[str, Any] | None = None) -> dict[str, Any]:
        info = find_field(self.fields, self.ours[name])
        found = row["value"].get(info.code) if row else None
        return {info.code: {"value": _render_list(name, texts, info, found)}}

    def _read(self, name: str, row: Mapping[str, Any]) -> list[str]:
        return _read_list(name, row["value"].get(self.ours[name].rpartition(".")[2]) or {})


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
