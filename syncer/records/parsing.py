"""One kintone record → frozen values or problems. Pure.

Values are understood as people write them (full-width digits, blanks, hyphens, "8時間"), never guessed: what stays
unclear is a problem with its field and line, and the record keeps what it last validly wanted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from unicodedata import normalize

from accounts.names import fold
from accounts.policy.findings import Finding, Severity
from accounts.policy.limits import check_attached
from accounts.policy.managed import find_near_bundled
from accounts.policy.validator import validate_policy
from syncer.states import DEFAULT_SESSION, AssignmentWish, PolicyReference, Problem, SetWish

Fields = Mapping[str, Any]  # our field name → kintone's {"type", "value"}; absent when the app has no such field

LISTS = frozenset({"users", "more_users", "groups", "managed_policies", "customer_managed_policies", "owners"})
"""The fields that hold several values. Only they can be a column of a table, a value or more in each row."""

MAX_SET_NAME = 32
MAX_WARNINGS = 3  # about one policy; the rest is counted
MAX_RELAY_STATE = 240
MAX_PRINCIPAL_NAME = 1024  # identity store: DisplayName, the longest of the names
_SET_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_POLICY_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_POLICY_PATH = re.compile(r"(/[A-Za-z0-9.,+@=_-]+)*/")
_AWS_POLICY_ARN = re.compile(
    r"arn:aws(-[a-z]{1,5}){0,3}:iam::aws:policy((/[A-Za-z0-9.,+@=_-]+)*)/([A-Za-z0-9.,+=@_-]+)"
)
_CUSTOMER_POLICY_ARN = re.compile(r"arn:aws(-[a-z]{1,5}){0,3}:iam::\d{12}:policy(/.+)")
_RELAY_STATE = re.compile(r"[a-zA-Z0-9&$@#\\/%?=~\-_'\"|!:,.;*+\[\] (){}]+")
# Six digits are more than any duration needs and less than any number type trips over.
_ISO_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?", re.IGNORECASE | re.ASCII)
_SPOKEN_DURATION = re.compile(
    r"(?:(\d{1,6}(?:\.\d{1,6})?)(?:時間|hours?|hrs?|h))?(?:(\d{1,6})(?:分|minutes?|mins?|m))?",
    re.IGNORECASE | re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DASHES = str.maketrans("", "", "-‐‑‒–—―−ー－ \t　")


@dataclass
class Notes:
    """Collects the problems of one record while it is read."""

    record: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, field_name: str, line: int | None = None, severity: str = "error", **params: Any) -> None:
        self.problems.append(Problem(code, severity, self.record, field_name, line, params))

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


# --- Values of kintone's field types ---------------------------------------------------------------------------------


def find_cell(body: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The cell of a field; None where the record has no such field. `path` is its code, or TABLE.COLUMN.

    A column of a table reads like a field that holds several: its cell has the elements of all rows, in their order.
    """
    table, _dot, column = path.rpartition(".")
    if not table:
        return body.get(column)
    if table not in body:
        return None
    cells = [row["value"].get(column) for row in body[table].get("value") or ()]
    if None in cells:
        return None
    kind = cells[0]["type"] if cells else ""
    return {"type": kind, "value": [element for cell in cells for element in _iter_elements(cell.get("value"))]}


def _iter_elements(value: Any) -> Iterator[Any]:
    """What one row holds. An empty text counts: problems name the row."""
    if isinstance(value, list):
        yield from value
    else:
        yield from str(value or "").splitlines() or [""]


def find_anywhere(body: Mapping[str, Any], code: str) -> Mapping[str, Any] | None:
    """The cell of a field by its code alone, for showing: of a column, as far as there are rows."""
    if code in body:
        return find_cell(body, code)
    tables = (name for name, cell in body.items() if cell.get("type") == "SUBTABLE")
    found = (find_cell(body, f"{table}.{code}") for table in tables)
    return next((cell for cell in found if cell and cell["type"]), None)


def list_users(cell: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The codes in a cell of kintone's users; none where it holds texts."""
    value = (cell or {}).get("value")
    users = value if isinstance(value, list) else ()
    return tuple(str(user["code"]) for user in users if isinstance(user, Mapping) and user.get("code"))


def pick_fields(body: Mapping[str, Any], codes: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a record by our names for the fields, as far as it has them."""
    cells = ((name, find_cell(body, path)) for name, path in codes.items())
    return {name: cell for name, cell in cells if cell is not None}


def _read_value(fields: Fields, name: str) -> Any:
    """The value as kintone gives it; None when it is unset or the app has no such field."""
    field_of_app = fields.get(name)
    return field_of_app.get("value") if isinstance(field_of_app, Mapping) else None


def read_text(fields: Fields, name: str) -> str:
    """A text, drop-down, radio button or link; empty when unset or absent."""
    value = _read_value(fields, name)
    return value.strip() if isinstance(value, str) else ""


def as_fields(values: Mapping[str, Any]) -> Fields:
    """Values by our names, as the portal holds them, as kintone gives them."""
    return {name: {"value": list(value) if name in LISTS else str(value)} for name, value in values.items()}


def read_lines(fields: Fields, name: str) -> list[tuple[int, str]]:
    """The non-empty lines with their numbers from 1: lines of text, or the elements of a choice field."""
    value = _read_value(fields, name)
    lines: Sequence[Any] = value if isinstance(value, list) else str(value or "").splitlines()
    texts = ((number, _fold_width(str(line))) for number, line in enumerate(lines, 1))
    return [(number, text) for number, text in texts if text]


def read_names(fields: Fields, name: str) -> list[tuple[int, str]]:
    """People as lines of text, with the number of the line. A line may hold several addresses."""
    return [(number, text) for number, line in read_lines(fields, name) for text in split_addresses(line)]


def split_addresses(line: str) -> list[str]:
    """`a@example.com, b@example.com` as two. Where a part is no address the comma belongs to a name."""
    parts = [part for part in _BETWEEN_ADDRESSES.split(line) if part]
    return parts if all("@" in part for part in parts) else [line]


_BETWEEN_ADDRESSES = re.compile(r"[\s,;、；，]+")


def read_codes(fields: Fields, name: str) -> tuple[str, ...]:
    """The codes of a user selection, or lines of text that hold codes or addresses.

    Somebody without a code (kintone does not say how it shows deleted users) is somebody unknown, not nobody.
    """
    value = _read_value(fields, name)
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return tuple(str((item.get("code") if isinstance(item, Mapping) else item) or "?") for item in value)
    return tuple(text for _number, text in read_names(fields, name))


# --- Single values ---------------------------------------------------------------------------------------------------


def _fold_width(text: str) -> str:
    """As it was meant: full width as half, without the blanks around it and what nobody sees."""
    return normalize("NFKC", text).translate(_INVISIBLE).strip()


_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))  # pasted along from web pages and files


def normalise_account_id(text: str) -> str:
    """Twelve digits, whatever was between and around them; empty when it is none."""
    digits = _fold_width(text).translate(_DASHES)
    return digits if re.fullmatch(r"\d{12}", digits, re.ASCII) else ""


def normalise_set_name(text: str) -> str:
    """A name that AWS takes, empty when it is none."""
    name = _fold_width(text)
    return name if len(name) <= MAX_SET_NAME and _SET_NAME.fullmatch(name) else ""


def parse_duration(text: str) -> timedelta | None:
    """`PT8H`, `PT480M`, `8時間`, `8 hours`, `90分` as a duration; None when it is none of these."""
    compact = "".join(_fold_width(text).split())
    if iso := _ISO_DURATION.fullmatch(compact):
        hours, minutes, seconds = (int(group or 0) for group in iso.groups())
        duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    elif spoken := _SPOKEN_DURATION.fullmatch(compact):
        duration = timedelta(hours=float(spoken[1] or 0), minutes=int(spoken[2] or 0))
    else:
        return None
    return duration or None


def parse_date(text: str) -> date | None:
    """`2026-11-23` as kintone gives dates; None when it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_policy_reference(text: str) -> PolicyReference | None:
    """`/path/name`, a bare name or an account's ARN as a customer managed policy; None when it is none."""
    if arn := _CUSTOMER_POLICY_ARN.fullmatch(text):
        text = arn[2]
    path, _slash, name = text.rpartition("/")
    path = f"{path}/" if path.startswith("/") or not path else f"/{path}/"
    if not _POLICY_NAME.fullmatch(name) or not _POLICY_PATH.fullmatch(path) or len(path) > 512:
        return None
    return PolicyReference(path, name)


def normalise_managed_policy(text: str) -> str:
    """An AWS managed policy's ARN or name as it is looked up; empty when it cannot be one."""
    if _AWS_POLICY_ARN.fullmatch(text):
        return text
    name = text.removeprefix("/")
    return name if all(_POLICY_NAME.fullmatch(part) for part in name.split("/")) else ""


# --- A permission set ------------------------------------------------------------------------------------------------


def parse_permission_set(fields: Fields, notes: Notes) -> SetWish | None:
    """The wish of one record of the permission-set app, or None when an error was noted."""
    wish = SetWish(
        name=_parse_name(fields, notes),
        description=read_text(fields, "description").replace("\r\n", "\n"),
        session_duration=_parse_session(fields, notes),
        relay_state=_parse_relay_state(fields, notes),
        managed_policies=tuple(_parse_managed(fields, notes)),
        customer_managed_policies=tuple(_parse_customer_managed(fields, notes)),
        inline_policy=_parse_inline(fields, notes),
        permissions_boundary=_parse_boundary(fields, notes),
        absent=SET_FIELDS.difference(fields),
    )
    for finding in check_attached(len(wish.managed_policies), len(wish.customer_managed_policies)):
        _note_finding(finding, "managed_policies", notes)
    return None if notes.has_errors else wish


SET_FIELDS = frozenset({
    "description", "session_duration", "relay_state", "managed_policies", "customer_managed_policies",
    "inline_policy", "permissions_boundary",
})  # fmt: skip


def _parse_name(fields: Fields, notes: Notes) -> str:
    written = read_text(fields, "name")
    name = normalise_set_name(written)
    if not written:
        notes.add("name_missing", "name")
    elif not name:
        notes.add("name_wrong", "name", name=written, limit=MAX_SET_NAME)
    return name


def _parse_session(fields: Fields, notes: Notes) -> timedelta:
    written = read_text(fields, "session_duration")
    if not written:
        return DEFAULT_SESSION
    duration = parse_duration(written)
    if duration is None or duration.total_seconds() % 60:
        notes.add("duration_wrong", "session_duration", value=written)
    elif not timedelta(hours=1) <= duration <= timedelta(hours=12):
        notes.add("duration_out_of_range", "session_duration", value=written)
    return duration or DEFAULT_SESSION


def _parse_relay_state(fields: Fields, notes: Notes) -> str:
    relay_state = read_text(fields, "relay_state")
    if len(relay_state) > MAX_RELAY_STATE:
        notes.add("relay_state_long", "relay_state", length=len(relay_state), limit=MAX_RELAY_STATE)
    elif relay_state and not _RELAY_STATE.fullmatch(relay_state):
        notes.add("relay_state_wrong", "relay_state")
    return relay_state


def _parse_managed(fields: Fields, notes: Notes) -> Iterator[str]:
    seen: set[str] = set()
    for number, text in read_lines(fields, "managed_policies"):
        policy = normalise_managed_policy(text)
        if not policy:
            _refuse_policy(text, number, notes)
        elif policy not in seen:
            seen.add(policy)
            yield policy


def _refuse_policy(text: str, number: int, notes: Notes) -> None:
    if near := find_near_bundled(text):
        notes.add("managed_policy_misspelt", "managed_policies", number, policy=text, near=near)
    else:
        notes.add("managed_policy_wrong", "managed_policies", number, policy=text)


def locate_managed(fields: Fields) -> dict[str, int]:
    """AWS managed policy as it is looked up → the line it stands in first."""
    found: dict[str, int] = {}
    for number, text in read_lines(fields, "managed_policies"):
        found.setdefault(normalise_managed_policy(text), number)
    return found


def _parse_customer_managed(fields: Fields, notes: Notes) -> Iterator[PolicyReference]:
    seen: set[PolicyReference] = set()
    for number, text in read_lines(fields, "customer_managed_policies"):
        reference = parse_policy_reference(text)
        if reference is None:
            notes.add("customer_policy_wrong", "customer_managed_policies", number, policy=text)
        elif reference not in seen:
            seen.add(reference)
            yield reference


def _parse_inline(fields: Fields, notes: Notes) -> str:
    policy = str(_read_value(fields, "inline_policy") or "")
    if not policy.strip():
        return ""
    findings = validate_policy(policy)
    warnings = [finding for finding in findings if finding.severity is Severity.WARNING]
    for finding in (*(each for each in findings if each.severity is Severity.ERROR), *warnings[:MAX_WARNINGS]):
        _note_finding(finding, "inline_policy", notes, finding.line)
    if len(warnings) > MAX_WARNINGS:
        count = len(warnings) - MAX_WARNINGS
        notes.add("policy_more_warnings", "inline_policy", severity="warning", count=count)
    return policy


def _note_finding(finding: Finding, field_name: str, notes: Notes, line: int | None = None) -> None:
    """What blocks is an error, what makes one wonder a warning; what could be tidier stays in the editor."""
    params = {"column": finding.column, **finding.params}
    notes.add(finding.sentence, field_name, line, str(finding.severity), **params)


def _parse_boundary(fields: Fields, notes: Notes) -> str:
    written = normalize("NFKC", read_text(fields, "permissions_boundary"))
    if not written:
        return ""
    if written.startswith("/") or _CUSTOMER_POLICY_ARN.fullmatch(written):
        reference = parse_policy_reference(written)
        boundary = str(reference) if reference else ""
    else:
        boundary = normalise_managed_policy(written)
    if not boundary:
        notes.add("boundary_wrong", "permissions_boundary", policy=written)
    return boundary


# --- An assignment record --------------------------------------------------------------------------------------------


def parse_assignment(fields: Fields, notes: Notes) -> AssignmentWish | None:
    """The wish of one record of the assignment app, or None when an error was noted."""
    wish = read_assignment(fields, notes)
    return None if notes.has_errors else wish


def read_assignment(fields: Fields, notes: Notes) -> AssignmentWish:
    """What could be read of one record of the assignment app, also where errors are noted."""
    wish = AssignmentWish(
        account_id=_parse_account(fields, notes),
        permission_set=_parse_set_of_assignment(fields, notes),
        users=_unique(_refuse_long(enumerate(read_codes(fields, "users"), 1), "users", notes)),
        addresses=_unique(_refuse_long(read_names(fields, "more_users"), "more_users", notes)),
        groups=_unique(_refuse_long(read_lines(fields, "groups"), "groups", notes)),
        expires_on=_parse_expiry(fields, notes),
    )
    if not (wish.users or wish.addresses or wish.groups or notes.has_errors):
        notes.add("nobody_named", "users", severity="warning")
    return wish


def _unique(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _refuse_long(lines: Iterable[tuple[int, str]], field_name: str, notes: Notes) -> Iterator[str]:
    """The names alone. What is longer than any name can be is no name, and no column holds it."""
    code = "group_unknown" if field_name == "groups" else "person_unknown"
    for number, text in lines:
        if max(len(text), len(fold(text))) > MAX_PRINCIPAL_NAME:
            notes.add(code, field_name, number, name=f"{text[:80]}…")
        else:
            yield text


def _parse_account(fields: Fields, notes: Notes) -> str:
    written = read_text(fields, "account_id")
    account_id = normalise_account_id(written)
    if not written:
        notes.add("account_missing", "account_id")
    elif not account_id:
        notes.add("account_wrong", "account_id", value=written)
    return account_id


def _parse_set_of_assignment(fields: Fields, notes: Notes) -> str:
    written = read_text(fields, "permission_set")
    name = normalise_set_name(written)
    if not written:
        notes.add("set_missing", "permission_set")
    elif not name:
        notes.add("name_wrong", "permission_set", name=written, limit=MAX_SET_NAME)
    return name


def _parse_expiry(fields: Fields, notes: Notes) -> date | None:
    written = read_text(fields, "expires_on")
    if not written:
        return None
    day = parse_date(written)
    if day is None:
        notes.add("date_wrong", "expires_on", value=written)
    return day
