"""What an event of the trail says was before and after, field by field, in words. No queries here."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEvent
from portal.views.causes import show_cause
from portal.views.differences import FieldDifference, build_differences, compare_values
from portal.views.values import FIELDS, show_field, to_lines

_NAMES: dict[str, str | Promise] = {
    "": _("value"),
    "reason": _("reason"),
    "until": _("until"),
    "sessions_until": _("open sessions can go on until"),
    "expires_at": _("until"),
    "cause": _("cause"),
    "checksum": _("checksum"),
    "records": _("records"),
    "record": _("record"),
    "removed": _("removed"),
    "failed": _("failed"),
    "removals": _("removals"),
    "principal": _("person or group"),
    "account": _("account"),
    "stage": _("stage"),
    "rules": _("guardrails"),
    "protected": _("protected"),
    "old": _("OU before"),
    "new": _("OU after"),
    "take": _("definition taken from"),
    "scope": _("scope"),
    "value": _("value"),
    "names": _("written as"),
    "detail": _("detail"),
    "kind": _("kind"),
    "filters": _("filters"),
    "assignments": _("assignments"),
}
# The line of the event has said these, or they say nothing to a person.
_SAID = {
    "assignment": {"run", "record", "account_id", "permission_set", "principal", "principal_type", "principal_id"},
    "permission_set": {"run", "record", "permission_set", "details"},
    "record": {"kind", "comment"},
    "account": {"account", "name"}
    | {f"{name}_{side}" for name in ("stage", "rules", "owners", "protected") for side in ("before", "after")},
}
_NEVER = {"principal_id", "in_force_revision"}


def build_values(event: AuditEvent) -> list[FieldDifference]:
    """Each field that differs, or that the event tells. Values that are no mapping stand under one heading."""
    if not event.before and not event.after:
        return []
    before, after = as_mapping(event.before), as_mapping(event.after)
    hidden = _SAID.get(event.object_type, set()) | _NEVER
    fields = [name for name in dict.fromkeys([*before, *after]) if name not in hidden]
    told = (_compare(event, name, before.get(name), after.get(name)) for name in fields)
    return [*_iter_definition(after), *(field for field in told if field.lines)]


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Stored values by their names; what is no mapping stands under no name."""
    if value is None:
        return {}
    return value if isinstance(value, Mapping) else {"": value}


def _iter_definition(after: Mapping[str, Any]) -> Iterator[FieldDifference]:
    """A permission set that a run changed brings its differences along."""
    details = after.get("details")
    if isinstance(details, list):
        yield from build_differences(detail for detail in details if isinstance(detail, Mapping))


def _compare(event: AuditEvent, name: str, before: Any, after: Any) -> FieldDifference:
    field = compare_values(name, _show(name, before), _show(name, after))
    return FieldDifference(_name(event, name), field.lines, field.is_code)


def _show(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "cause" and isinstance(value, str):
        return show_cause(value)
    return "\n".join(_show_time(line) for line in to_lines(value))


def _show_time(text: str) -> str:
    """A stored moment as people read it; any other text as it is."""
    if not (len(text) > 18 and text[:4].isdecimal() and text[10:11] == "T"):
        return text
    try:
        moment = parse_datetime(text)
    except ValueError:
        return text
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment and moment.tzinfo else text


def _name(event: AuditEvent, name: str) -> str:
    if name in FIELDS:
        return show_field(name)
    if name in _NAMES:
        return str(_NAMES[name])
    return _find_verbose_name(event, name) if event.action.startswith("admin.") else name


def _find_verbose_name(event: AuditEvent, name: str) -> str:
    """What the admin site calls a field of the row that was edited there."""
    for app in ("accounts", "syncer"):
        try:
            field = apps.get_model(app, event.object_type)._meta.get_field(name)
        except (LookupError, FieldDoesNotExist):
            continue
        return str(getattr(field, "verbose_name", name))
    return name
