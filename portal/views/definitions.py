"""A record's values as people compare them: in force, in the newest revision, in AWS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import ngettext

from accounts.models import Account, AppKind, PermissionSet, Problem, Record
from accounts.policy.layout import format_policy
from portal.views.values import Line, split_policy, to_lines
from syncer.records.parsing import find_anywhere, normalise_account_id, parse_duration
from syncer.states import DEFAULT_SESSION

SET_FIELDS = (
    "description", "session_duration", "relay_state", "managed_policies", "customer_managed_policies",
    "permissions_boundary", "inline_policy",
)  # fmt: skip
ASSIGNMENT_FIELDS = ("account_id", "permission_set", "users", "groups", "more_users", "expires_on", "note", "owners")
# Values that only kintone has: they decide nothing about access, so no revision of them is kept in force.
_KINTONE_ONLY = {"note", "owners"}
_STORED_AS = {"more_users": "addresses"}


@dataclass(frozen=True)
class FieldRow:
    """One field as lines: in force, and in the newest revision."""

    name: str
    in_force: tuple[str, ...]
    newest: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return self.name not in _KINTONE_ONLY and self.in_force != self.newest


@dataclass(frozen=True)
class Definition:
    """What a permission set allows. `source` is `record`, `aws` or empty when nothing is known."""

    source: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    policy: tuple[Line, ...]
    newest_policy: tuple[Line, ...] = ()
    changed: tuple[FieldRow, ...] = ()
    text: str = ""  # of the policy, as it is stored
    newest_text: str = ""


def build_comparison(record: Record) -> list[FieldRow]:
    """The fields of a record that have a value in either revision."""
    fields = SET_FIELDS if record.kind == AppKind.PERMISSION_SET else ASSIGNMENT_FIELDS
    newest = _read_body(record)
    names = _collect_names(newest)
    rows = (
        FieldRow(name, _show_in_force(record, name, newest, names), _show(name, newest.get(name), names))
        for name in fields
    )
    return [row for row in rows if row.in_force or row.newest]


def _show_in_force(record: Record, name: str, newest: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """Nothing for a record that never could be understood; what kintone alone holds is always the newest."""
    if record.in_force is None:
        return ()
    return _show(
        name, newest.get(name) if name in _KINTONE_ONLY else record.in_force.get(_STORED_AS.get(name, name)), names
    )


def describe_record(record: Record) -> str:
    """What people call a record: the name of the set, or the account and the set of an assignment, as written."""
    if record.kind == AppKind.PERMISSION_SET:
        return record.title or record.reference
    body = _read_body(record)
    parts = [*to_lines(body["account_id"])[:1], *to_lines(body["permission_set"])[:1]]
    return " × ".join(parts) or record.title or record.reference


def name_record(record: Record, account: Account | None) -> str:
    """The same with the account's name, where it is known."""
    title = describe_record(record)
    return title.replace(account.account_id, account.name, 1) if account else title


def build_definition(permission_set: PermissionSet, problems: Iterable[Problem]) -> Definition:
    """The values in force, else what AWS has; and what the newest revision would change, with its problems marked."""
    record = permission_set.record
    source, values = choose_source(permission_set)
    changed: tuple[FieldRow, ...] = ()
    newest_policy: tuple[Line, ...] = ()
    newest_text = ""
    if record and not record.is_in_force:
        changed = tuple(row for row in build_comparison(record) if row.differs and row.name != "inline_policy")
        newest_text = str(_read_body(record).get("inline_policy") or "")
        newest_policy = _mark_policy(newest_text, problems)
    rows = (
        (name, _show(name, values.get(name), {})) for name in SET_FIELDS if name not in ("inline_policy", "description")
    )
    text = str(values.get("inline_policy") or "")
    policy = tuple(split_policy(format_policy(text)))
    return Definition(source, tuple(row for row in rows if row[1]), policy, newest_policy, changed, text, newest_text)


def choose_source(permission_set: PermissionSet) -> tuple[str, Mapping[str, Any]]:
    if permission_set.record and permission_set.record.in_force:
        return "record", permission_set.record.in_force
    return ("aws", permission_set.actual) if permission_set.actual else ("", {})


def _read_body(record: Record) -> dict[str, Any]:
    """The newest revision's values under our names for the fields."""
    setting = "KINTONE_PERMISSION_SET_FIELDS" if record.kind == AppKind.PERMISSION_SET else "KINTONE_ASSIGNMENT_FIELDS"
    codes: dict[str, str] = getattr(settings, setting)
    names = ("name", *SET_FIELDS, "owners") if record.kind == AppKind.PERMISSION_SET else ASSIGNMENT_FIELDS
    values = {name: (find_anywhere(record.body, codes.get(name, name)) or {}).get("value") for name in names}
    return {**values, "more_users": [values.get("more_users"), *record.beside]} if record.beside else values


def _collect_names(values: Mapping[str, Any]) -> dict[str, str]:
    """kintone code → name, of everybody whom the newest revision names."""
    people = (item for value in values.values() if isinstance(value, list) for item in value if isinstance(item, dict))
    return {str(item["code"]): to_lines(item)[0] for item in people if item.get("code")}


def _mark_policy(text: Any, problems: Iterable[Problem]) -> tuple[Line, ...]:
    marks = {
        problem.line: problem.severity for problem in problems if problem.line and problem.field == "inline_policy"
    }
    return tuple(split_policy(str(text or ""), marks))


def _show(name: str, value: Any, names: Mapping[str, str]) -> tuple[str, ...]:
    if name == "session_duration":
        return show_duration(value)
    if name == "account_id":
        value = normalise_account_id(str(value or "")) or value
    return tuple(names.get(line, line) for line in to_lines(value))


def show_duration(value: Any) -> tuple[str, ...]:
    """Seconds, or a duration as people write it, in hours and minutes; anything else as written."""
    duration = timedelta(seconds=value) if isinstance(value, int) else parse_duration(str(value or ""))
    if duration is None:
        return tuple(to_lines(value)) or show_duration(int(DEFAULT_SESSION.total_seconds()))
    hours, minutes = divmod(int(duration.total_seconds()) // 60, 60)
    parts = [ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}] if hours else []
    parts += [ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}] if minutes else []
    return (" ".join(parts),)
