"""How a template shows icons, times, states, sentences and links to kintone."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django import template
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext, pgettext
from lucide.templatetags.lucide import lucide

from accounts.guardrails import anchor_of
from accounts.models import Assignment, OrganizationalUnit, PermissionSet, Record, Stop
from accounts.sentences import Sentence, render, render_reason
from accounts.stops import describe
from portal.views.addresses import find_address
from portal.views.causes import show_cause
from portal.views.definitions import describe_record
from portal.views.differences import FieldDifference, build_differences, is_difference
from portal.views.kintone_links import build_record_link
from portal.views.run_steps import describe_run
from portal.views.states import Shown, show_assignment, show_permission_set
from portal.views.values import show_field
from syncer.models import Change, Run
from syncer.telling.messages import describe_scope, space_digits
from syncer.trail import find_sessions_end

register = template.Library()

_MINUTE, _HOUR, _DAY = 60, 3600, 86400  # seconds
_SIGNS = {"create": "+", "update": "~", "delete": "−"}
_RUN_LOOKS = {
    "queued": ("clock", "ai"),
    "running": ("refresh-cw", "ai"),
    "done": ("check", "take"),
    "held": ("hand", "odo"),
    "failed": ("triangle-alert", "shu"),
    "lost": ("unplug", "shu"),
}
_OUTCOME_LOOKS = {
    "planned": ("clock", "sumi"),
    "sent": ("refresh-cw", "ai"),
    "succeeded": ("check", "take"),
    "failed": ("triangle-alert", "shu"),
    "held": ("hand", "odo"),
    "superseded": ("minus", "sumi"),
}


class RunLook(NamedTuple):
    title: str
    icon: str
    tone: str


class ChangeLook(NamedTuple):
    sign: str
    icon: str
    tone: str


@register.simple_tag
def icon(name: str, css_class: str = "") -> SafeString:
    """An outline that says nothing on its own: words stand beside it."""
    return _draw_icon(name, css_class)


@lru_cache(maxsize=500)
def _draw_icon(name: str, css_class: str) -> SafeString:
    """Kept: a page has a hundred of a few, and each is parsed out of an archive."""
    attributes = {"aria_hidden": "true", "focusable": "false", "stroke_width": "1.75"}
    return mark_safe(lucide(name, size=16, **attributes, **({"class": css_class} if css_class else {})))  # noqa: S308  # from the lucide package


@register.simple_tag
def when(value: datetime | None) -> SafeString | str:
    """How long ago, with the exact time on hover and for machines."""
    if value is None:
        return pgettext("time", "never")
    exact = format_exact(value)
    return format_html(
        '<time datetime="{}" title="{}" data-when>{}</time>',
        value.isoformat(),
        exact,
        format_age(timezone.now(), value),
    )


@register.simple_tag
def clock(value: datetime | None) -> SafeString | str:
    """The time of day, or day and time when it is not today; exact on hover."""
    if value is None:
        return pgettext("time", "never")
    local = timezone.localtime(value)
    text = f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{format_day(local.date())} {local:%H:%M}"
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), format_exact(value), text)


@register.simple_tag
def day(value: date | None) -> SafeString | str:
    """A day as people write it, the year only when it is another one; exact on hover."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), value.isoformat(), format_day(value)
    )


def format_exact(value: datetime) -> str:
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}"


def format_day(value: date) -> str:
    same_year = value.year == timezone.localdate().year
    # Translators: Django's date format of a day in this year
    day_format = pgettext("date format", "j M") if same_year else pgettext("date format", "j M Y")
    return format_date(value, day_format)


def format_age(now: datetime, value: datetime) -> str:
    """“just now”, “2 minutes ago”, “3 hours ago”, “5 days ago”."""
    seconds = (now - value).total_seconds()
    if seconds < _MINUTE:
        return gettext("just now")
    if seconds < _HOUR:
        count = int(seconds // _MINUTE)
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", count) % {"count": count}
    if seconds < _DAY:
        count = int(seconds // _HOUR)
        return ngettext("%(count)d hour ago", "%(count)d hours ago", count) % {"count": count}
    count = int(seconds // _DAY)
    return ngettext("%(count)d day ago", "%(count)d days ago", count) % {"count": count}


@register.filter
def seconds(value: float | None) -> str:
    """A duration in seconds, with one decimal below ten."""
    if value is None:
        return ""
    number = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return gettext("%(number)s s") % {"number": number}


@register.filter
def duration(value: timedelta) -> str:
    """Whole hours, else minutes: “8 hours”, “90 minutes”."""
    minutes = int(value.total_seconds() // _MINUTE)
    if minutes % 60 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


@register.filter
def thousands(number: int) -> str:
    """1,204: both our languages write it so."""
    return f"{number:,}"


@register.filter
def above(unit: OrganizationalUnit | None) -> str:
    """The path of the units over this one, e.g. “service / payments”."""
    return unit.path.rpartition("/")[0].replace("/", " / ") if unit else ""


@register.filter
def spaced(account_id: str) -> str:
    """An account id as people read it."""
    return space_digits(account_id)


@register.filter
def sentence(reason: Any) -> Sentence | None:
    """The message and the remedy of a stored `{"code", "params"}`; None for an empty one."""
    return render_reason(reason) if isinstance(reason, Mapping) else None


@register.filter
def stop_sentence(stop: Stop) -> Sentence:
    """Who paused, locked out or froze since when and why, and how it ends."""
    codes = {Stop.Kind.PAUSE: "paused", Stop.Kind.LOCK_OUT: "locked_out", Stop.Kind.FREEZE: "account_frozen"}
    return render(codes[Stop.Kind(stop.kind)], describe(stop))


@register.simple_tag
def address(url_name: str, *values: str | int) -> str:
    """The same as `url`, for what stands on a page by the hundred."""
    return find_address(url_name, *values)


@register.filter
def rule_place(name: str) -> str:
    """Where a guardrail stands in words."""
    return f"{reverse('guardrail_list')}#{anchor_of(name)}"


@register.filter
def guardrail_place(told: Any) -> str:
    """The same for the guardrail that a stored reason or a problem is about; empty where it is about none."""
    code, params = (told.get("code"), told.get("params")) if isinstance(told, Mapping) else (told.code, told.params)
    name = (params or {}).get("rule", "") if str(code).startswith("guardrail") else ""
    return rule_place(str(name)) if name else ""


@register.filter
def explained(problem: Any) -> Sentence:
    """The sentence of a Problem row, or of a run's problem stored as a mapping."""
    if isinstance(problem, Mapping):
        return render(problem["code"], problem.get("params") or {})
    return render(problem.code, problem.params)


@register.filter
def joined(pair: Sentence | Shown | None) -> str:
    """Message and remedy one after the other."""
    return pair.text if pair else ""


@register.filter
def scope(text: str) -> str:
    """What could not be read, in the reader's language; `text` is a stored `syncer.states.Scope`."""
    return describe_scope(text)


@register.filter
def blocked(blocks: str) -> str:
    """What an unread scope keeps from being changed: `Unresolved.blocks`, which runs of before it was noted lack."""
    if blocks == "none":
        return gettext("Shown as last known; nothing waits for it.")
    return gettext("Nothing is removed there.") if blocks == "deletes" else gettext("Nothing is changed there.")


@register.filter
def change_details(change: Change) -> list[str]:
    """What there is to say beside what differs: why a removal is due, and what people should know of it."""
    words = (detail for detail in change.details if not is_difference(detail))
    return [text for detail in words if (text := _describe_detail(change, detail))]


def _describe_detail(change: Change, detail: Mapping[str, str]) -> str:
    field, value = detail.get("field", ""), detail.get("after", "")
    if field == "cause":
        return show_cause(value)
    if field == "role_replaced":
        return gettext("the role goes; made again, it has another ARN")
    if field == "may_do_more":
        return gettext("may do more")
    if field == "stale_accounts":
        count = len(value.split(", "))
        return ngettext("also in %(count)d account", "also in %(count)d accounts", count) % {"count": count}
    return _describe_sessions(change) if field == "open_sessions" else show_field(field)


def _describe_sessions(change: Change) -> str:
    """Until when what was open at the removal can go on; nothing where nothing is removed."""
    end = find_sessions_end(change)
    if end is None:
        return ""
    until = timezone.localtime(end)
    return gettext("open sessions can go on until %(time)s") % {"time": f"{format_day(until.date())} {until:%H:%M}"}


@register.filter
def differences(details: Iterable[Mapping[str, str]]) -> list[FieldDifference]:
    """What an update changes, field by field."""
    return build_differences(details)


@register.filter
def shown(row: Assignment | PermissionSet) -> Shown:
    """Word, icon, tone and what happens next."""
    return show_assignment(row) if isinstance(row, Assignment) else show_permission_set(row)


@register.filter
def field_name(name: str) -> str:
    """What a field of the kintone apps is called, e.g. “inline policy” for `inline_policy`."""
    return show_field(name)


@register.filter
def record_title(record: Record) -> str:
    """What people call a record."""
    return describe_record(record)


@register.filter
def kintone_url(record: Record) -> str:
    """The record's page in kintone."""
    return build_record_link(record.app_id, record.record_id)


@register.filter
def run_look(run: Run) -> RunLook:
    """Title, icon and tone of a run in the history."""
    icon_name, tone = _RUN_LOOKS.get(run.status, ("circle-dashed", "sumi"))
    return RunLook(describe_run(run), icon_name, tone)


@register.filter
def run_seconds(run: Run) -> float | None:
    """How long it took, once it is over."""
    return (run.finished_at - run.started_at).total_seconds() if run.started_at and run.finished_at else None


@register.filter
def change_look(change: Change) -> ChangeLook:
    """The sign of what is done, and icon and tone of what became of it."""
    return ChangeLook(_SIGNS.get(change.kind, ""), *_OUTCOME_LOOKS.get(change.outcome, ("circle-dashed", "sumi")))
