"""Draws the chips of one's own access. A page has eighty with a menu each, and was for the most part drawing them.

Words, icons and addresses that are the same in each are drawn once, by the templates; what comes out is the frame of a
chip, which is then filled in.
"""

from datetime import date
from typing import NamedTuple
from urllib.parse import quote

from django import template
from django.template import Context, Engine
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.cli.naming import write_login
from accounts.models import Assignment
from portal.templatetags.genkan import day, icon, joined
from portal.templatetags.removal import own_removal_url
from portal.views.access_rows import Chip
from portal.views.addresses import find_address
from portal.views.states import show_assignment

register = template.Library()
_CHIP, _WAY = "includes/chip.html", "includes/chip_way.html"


class Frames(NamedTuple):
    """By whether a chip can be opened; a way by whether it leads through a group, and whether one can leave it."""

    chips: dict[bool, str]
    ways: dict[tuple[bool, bool], str]


@register.simple_tag(takes_context=True)
def chip_frames(context: Context) -> Frames:
    """The frames for `draw_chip`, in the reader's language and with the token of his forms."""
    both, command = (False, True), write_login("{profile}")
    return Frames(
        {is_open: _draw(context, _CHIP, is_open=is_open, login_command=command) for is_open in both},
        {
            (is_group, can_go): _draw(context, _WAY, is_group=is_group, can_go=can_go)
            for is_group in both
            for can_go in both
        },
    )


def _draw(context: Context, name: str, **values: object) -> str:
    """One frame; without the indents, which would be the fourth part of the page."""
    new = context.new({**values, "csrf_token": context.get("csrf_token")})
    drawn = Engine.get_default().get_template(name).render(new)
    return "\n".join(filter(None, map(str.strip, drawn.splitlines())))


@register.simple_tag
def draw_chip(frames: Frames, chip: Chip) -> SafeString:
    first, account, name = chip.first, chip.first.account, chip.name
    return format_html(
        frames.chips[bool(chip.link)],
        state=chip.shown.state,
        key=chip.key,
        icon=icon(chip.shown.icon, chip.shown.tone),
        word=chip.shown.word,
        set=name,
        set_key=first.permission_set_id,
        set_url=find_address("permission_set_detail", first.permission_set_id),
        quoted_set=quote(name, safe=""),
        account=account.name,
        account_id=account.account_id,
        spaced_id=account.spaced_id,
        link=chip.link,
        until=_tell_last_day(_("until %(last_day)s"), "until", chip.until),
        profile=chip.profile.name if chip.profile else "",
        config=chip.config,
        pin_url=find_address("pin_place", account.account_id, name),
        visit_url=find_address("note_place", account.account_id, name),
        ways=format_html_join("\n", "{}", ((_draw_way(frames, way),) for way in chip.assignments)),
    )


def _draw_way(frames: Frames, way: Assignment) -> SafeString:
    shown, going = show_assignment(way), own_removal_url(way)
    return format_html(
        frames.ways[way.principal.is_group, bool(going)],
        group=way.principal,
        group_url=find_address("group_detail", way.principal_id),
        tone=shown.tone,
        icon=icon(shown.icon),
        word=shown.word,
        reason=joined(shown),
        until=_tell_last_day(_("until the end of %(last_day)s"), "quiet", way.expires_on),
        going=going,
    )


def _tell_last_day(words: str, css_class: str, last_day: date | None) -> SafeString | str:
    if last_day is None:
        return ""
    told = format_html(words.replace("%(last_day)s", "{}"), day(last_day))
    return format_html('<span class="{}">{}</span>', css_class, told)
